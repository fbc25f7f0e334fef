"""What an exercise is: numbers drawn by a seed, an answer that is checked, mistakes that are known by name.

A part of the lecture has a file ``exercises_<part>.py`` with a function for each exercise, which draws it, and a file
``exercises_<part>.toml`` with its texts (``apps.course.texts``). ``apps.course.catalogue`` holds all of them.

A new exercise is such a function under ``@PART.exercise("key", "Title of a topic")``, which returns a :class:`Drawn`,
and a table ``[key]`` of texts: ``text``, three ``hints``, ``solution``, one of ``mistakes`` for each name, ``options``
of a choice, and ``words`` for drawn values that have to be translated.
"""

from __future__ import annotations

import zlib
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, replace
from functools import cached_property
from numbers import Integral
from typing import Any

import numpy as np

from apps.course.answers import LETTERS, Choice, Kind, said
from apps.course.exhibits import Exhibit
from apps.course.texts import ENGLISH, filled, texts_of
from data_prep.errors import InputError

MAX_SEED = 999_999
_TRIES = 500  # draws until one is found whose mistakes give other answers than the right way

Said = str | tuple[str, Mapping[str, Any]]  # name of a mistake, and values for its text


@dataclass(frozen=True)
class Drawn:
    """One draw of an exercise.

    Args:
        kind: How an answer is read and compared.
        right: The right answer; for a job one that does it.
        mistakes: What typical mistakes give, by their names.
        values: What stands in the texts at ``<name>``; ``right`` is added.
        query: Parameters of the page that shows it, beside those of the exercise.
        job: For an answer that has to do a job: None where it does, or the name of the mistake; else None.
        form: Which of the texts is shown, where an exercise has several: ``text_<form>``.
        late: Whether the job needs more than what is shipped: then it is not tried before there is an answer.
    """

    kind: Kind
    right: Any
    mistakes: Mapping[str, Any]
    values: Mapping[str, Any] = field(default_factory=dict)
    query: Mapping[str, Any] = field(default_factory=dict)
    job: Callable[[Any], Said | None] | None = None
    form: str = ""
    late: bool = False

    @property
    def sound(self) -> bool:
        """Whether the right answer passes, and no mistake gives the same as the right way or another mistake."""
        if self.late:
            return True
        if not all(map(self._readable, (self.right, *self.mistakes.values()))):
            return False
        if self.job is not None:
            found = {name: self.job(value) for name, value in self.mistakes.items()}
            return self.job(self.right) is None and all(_name(said) == name for name, said in found.items())
        answers = [self.right, *self.mistakes.values()]
        return not any(
            self.kind.same(one, other) for at, one in enumerate(answers) for other in answers[at + 1 :]
        )

    def _readable(self, value: Any) -> bool:
        """Whether an answer can be typed."""
        try:
            return self.kind.same(self.kind.read(self.kind.written(value)), value)
        except InputError:
            return False


@dataclass(frozen=True)
class Mistake:
    """A typical mistake: its name, and the answer that it gives, as it would be typed."""

    name: str
    answer: str


@dataclass(frozen=True)
class Verdict:
    """What is said about an answer, and the name of the typical mistake that was recognised, or None."""

    right: bool
    said: str
    mistake: str | None = None


@dataclass(frozen=True)
class Problem:
    """One exercise with its numbers.

    Attributes:
        exercise: Its name, such as ``"tensors/rows"``.
        seed: That drew it.
        question: In Markdown, formulas in LaTeX, without the options of a choice.
        kind: How an answer is read.
        answer: A right answer, as it would be typed.
        mistakes: The typical ones.
        hints: Three, each says more.
        solution: Worked, in Markdown.
        exhibit: Where the suite shows it.
        language: Of its texts.
    """

    exercise: str
    seed: int
    question: str
    kind: Kind
    answer: str
    mistakes: tuple[Mistake, ...]
    hints: tuple[str, ...]
    solution: str
    exhibit: Exhibit
    language: str
    drawn: Drawn = field(repr=False)
    texts: Mapping[str, Any] = field(repr=False)

    @property
    def text(self) -> str:
        """The question, and the options of a choice below it."""
        if not isinstance(self.kind, Choice):
            return self.question
        options = zip(LETTERS, self.kind.texts, strict=False)
        return self.question + "\n\n" + "\n".join(f"{letter}) {one}  " for letter, one in options)

    @property
    def asked(self) -> str:
        """What an answer looks like."""
        return said("asked", self.kind.form, self.language)

    @property
    def is_job(self) -> bool:
        """Whether any answer that does the job is right."""
        return self.drawn.job is not None

    def check(self, answer: str) -> Verdict:
        """Check an answer.

        Raises:
            InputError: It cannot be read as an answer of this kind.
        """
        given = self.kind.read(answer)
        found = self._found(given)
        if found is None:
            return Verdict(True, said("verdict", ("right", {}), self.language))
        name, values = found if isinstance(found, tuple) else (found, {})
        if not name:
            difference = self.kind.difference(given, self.drawn.right)
            return Verdict(False, said("difference", difference, self.language))
        text = self.texts["mistakes"][name]
        return Verdict(False, filled(text, {**self.drawn.values, **values}, self.language), name)

    def _found(self, given: Any) -> Said | None:
        """None for a right answer, else the name of the mistake; it is empty for one that nobody has named."""
        drawn = self.drawn
        if drawn.job is not None:
            return drawn.job(given)
        if self.kind.same(given, drawn.right):
            return None
        return next((name for name, value in drawn.mistakes.items() if self.kind.same(given, value)), "")


@dataclass(frozen=True)
class Exercise:
    """An exercise, whose numbers a seed draws.

    Attributes:
        key: Its name within the lesson.
        lesson: Key of the part of the lecture.
        topics: Titles of the topics that it belongs to.
        page: Key of the page that shows it.
        query: Parameters of that page that are the same for every draw.
    """

    key: str
    lesson: str
    topics: tuple[str, ...]
    page: str
    query: Mapping[str, str]
    draw: Callable[[np.random.Generator], Drawn] = field(repr=False)

    @property
    def name(self) -> str:
        """Its name among all: lesson and key."""
        return f"{self.lesson}/{self.key}"

    @cached_property
    def kind(self) -> str:
        """Name of the kind of its answer."""
        return self.sheet(0).kind.name

    def sheet(self, seed: int, language: str = ENGLISH) -> Problem:
        """Draw its numbers; the same seed gives the same ones.

        Raises:
            InputError: The seed is out of range, or there is no such language.
        """
        if isinstance(seed, bool) or not isinstance(seed, Integral) or not 0 <= seed <= MAX_SEED:
            raise InputError("The seed is out of range", allowed=f"0 to {MAX_SEED:,}", received=seed)
        seed = int(seed)
        own = zlib.crc32(self.name.encode())
        draws = (self.draw(np.random.default_rng([seed, own, at])) for at in range(_TRIES))
        drawn = next((one for one in draws if one.sound), None)
        if drawn is None:
            raise RuntimeError(f"{self.name}: no draw tells the mistakes from the right answer")
        return self._problem(seed, drawn, language)

    def _problem(self, seed: int, drawn: Drawn, language: str) -> Problem:
        own = texts_of(f"exercises_{self.lesson}", language)[self.key]
        kind = drawn.kind
        if isinstance(kind, Choice):
            kind = replace(kind, texts=tuple(own["options"][name] for name in kind.options))
        answer = kind.written(drawn.right)
        right = kind.texts[kind.options.index(drawn.right)] if isinstance(kind, Choice) else drawn.right
        words = own.get("words", {})
        drawn_values = {
            name: words.get(one, one) if isinstance(one, str) else one for name, one in drawn.values.items()
        }
        values = {"answer": answer, "right": right, **drawn_values}
        return Problem(
            exercise=self.name,
            seed=seed,
            question=filled(own[f"text_{drawn.form}" if drawn.form else "text"], values, language),
            kind=kind,
            answer=answer,
            mistakes=tuple(Mistake(name, kind.written(value)) for name, value in drawn.mistakes.items()),
            hints=tuple(filled(hint, values, language) for hint in own["hints"]),
            solution=filled(own["solution"], values, language),
            exhibit=Exhibit(self.page, {**self.query, **drawn.query}),
            drawn=replace(drawn, values=values),
            texts=own,
            language=language,
        )


class Exercises:
    """The exercises of one part of the lecture, in order.

    Args:
        part: Its key.
        page: Key of the page that shows most of them.
    """

    def __init__(self, part: str, page: str) -> None:
        self.part, self.page = part, page
        self.exercises: dict[str, Exercise] = {}

    def exercise(
        self, key: str, *topics: str, page: str = "", **query: str
    ) -> Callable[[Callable[[np.random.Generator], Drawn]], Callable[[np.random.Generator], Drawn]]:
        """Add the exercise that the function draws; it belongs to the topics, and the page shows it."""

        def added(draw: Callable[[np.random.Generator], Drawn]) -> Callable[[np.random.Generator], Drawn]:
            self.exercises[key] = Exercise(key, self.part, topics, page or self.page, query, draw)
            return draw

        return added


def _name(said: Said | None) -> str | None:
    return said[0] if isinstance(said, tuple) else said

"""What a lesson is: steps of a short text, a question, and the exhibit that answers it.

A lesson teaches a part of the lecture. Its texts lie in ``lesson_<part>.toml``::

    title = "..."                      # of the lesson
    about = "..."                      # what one can do after it, in one sentence

    [[step]]
    key = "..."                        # its name in the address
    title = "..."
    topics = ["..."]                   # titles of the topics of the lecture that it teaches; may be empty
    text = '''...'''                   # at most 90 words in Markdown, formulas in LaTeX, every symbol named
    reveal = '''...'''                 # what the exhibit shows, said so that it answers every prediction
    page = "convolution"               # of the exhibit
    values = { section = "Signal", x = "1 2 3" }      # of its widgets, once the question is answered
    before = { section = "Signal", x = "0 1 0" }      # the same before; its ``page``, if that is another one
    [step.question]
    text = "..."
    kind = "number"                    # number, numbers, shape, words, choice
    answer = "4"                       # as it would be typed; for a choice the name of the option
    tolerance = 0.01                   # of number and numbers; count and allowed of words; shape of numbers
    options = { rises = "...", falls = "..." }        # of a choice
    seen = { "5" = "..." }             # what the exhibit shows to a person who predicted this
    [[step.try]]
    title = "..."                      # of a button: a thing to try with the exhibit
    values = { x = "1 1 1" }
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from functools import cache, cached_property
from typing import Any

from apps.course.answers import Choice, Kind, Number, Numbers, Shape, Words
from apps.course.exhibits import Exhibit
from apps.course.texts import ENGLISH, texts_of
from apps.lecture.topics import PARTS
from data_prep.errors import InputError

MOST_WORDS = 90  # of the text of a step
_READERS = {"quick": (240, 30), "slow": (120, 90)}  # words a minute, seconds for a question and its picture
_FORMULA, _PLAIN = re.compile(r"\$\$?[^$]+\$\$?"), re.compile(r"[\w'’-]+")
_KINDS = {kind.name: kind for kind in (Number, Numbers, Shape, Words)}


@dataclass(frozen=True)
class Question:
    """What is asked before the exhibit shows it.

    Attributes:
        text: In Markdown.
        kind: How a prediction is read.
        right: What the exhibit shows.
        seen: What is said about some other predictions, by what they are.
    """

    text: str
    kind: Kind
    right: Any
    seen: tuple[tuple[Any, str], ...] = ()

    @property
    def answer(self) -> str:
        """What the exhibit shows, as a person would say it."""
        return self.shown(self.right)

    def shown(self, value: Any) -> str:
        """A prediction that was read, as a person would say it."""
        if isinstance(self.kind, Choice):
            return self.kind.texts[self.kind.options.index(value)]
        return self.kind.written(value)

    def check(self, prediction: str) -> tuple[bool, str]:
        """Tell whether a prediction came true, and what is said about it, which may be nothing.

        Raises:
            InputError: It cannot be read as an answer of this kind.
        """
        given = self.kind.read(prediction)
        said = next((text for value, text in self.seen if self.kind.same(given, value)), "")
        return self.kind.same(given, self.right), said


@dataclass(frozen=True)
class Try:
    """A thing to try with the exhibit: name of its button, and the values that it sets."""

    title: str
    values: Mapping[str, Any]


@dataclass(frozen=True)
class Step:
    """One step of a lesson.

    Attributes:
        name: Lesson and key, such as ``"tensors/modes"``.
        title: Its title.
        topics: Titles of the topics of the lecture that it teaches.
        text: In Markdown, formulas in LaTeX.
        question: To be answered before the exhibit shows it.
        reveal: What the exhibit shows.
        exhibit: Once the question is answered.
        before: The exhibit before.
        tries: What to try afterwards.
    """

    name: str
    title: str
    topics: tuple[str, ...]
    text: str
    question: Question
    reveal: str
    exhibit: Exhibit
    before: Exhibit
    tries: tuple[Try, ...] = ()


@dataclass(frozen=True)
class Lesson:
    """A part of the lecture, taught.

    Attributes:
        key: Of the part.
        title: Its title.
        about: What one can do after it.
        steps: In order, by name.
    """

    key: str
    title: str
    about: str
    steps: Mapping[str, Step] = field(repr=False)

    @cached_property
    def minutes(self) -> tuple[int, int]:
        """What it takes a quick and a slow reader; a formula is read like five words."""
        words = sum(map(_words, self.steps.values()))
        quick, slow = (
            words / a_minute + len(self.steps) * seconds / 60 for a_minute, seconds in _READERS.values()
        )
        return round(quick), round(slow)

    def step(self, name: str) -> Step:
        """Find a step by its name, or its key; an InputError says which there are."""
        full = name if "/" in name else f"{self.key}/{name}"
        if full not in self.steps:
            raise InputError("There is no such step", allowed=", ".join(self.steps), received=name)
        return self.steps[full]


@cache
def lessons(language: str = ENGLISH) -> Mapping[str, Lesson]:
    """Read all lessons, by the keys of the parts of the lecture and in their order."""
    return {part.key: _lesson(part.key, texts_of(f"lesson_{part.key}", language)) for part in PARTS}


def step_named(name: str, language: str = ENGLISH) -> Step:
    """Find a step by its name, such as ``"tensors/modes"``; an InputError says which there are."""
    found = lessons(language).get(name.partition("/")[0])
    if found is None:
        raise InputError("There is no such lesson", allowed=", ".join(lessons()), received=name)
    return found.step(name)


def step_about(page: str, section: str) -> tuple[str, str] | None:
    """Name and title of the first step whose exhibit is a section of a page, by the keys of both."""
    for lesson in lessons().values():
        for step in lesson.steps.values():
            if (step.exhibit.page, step.exhibit.values.get("section")) == (page, section):
                return step.name, step.title
    return None


def lesson_and_step(name: str, language: str = ENGLISH) -> tuple[Lesson, Step]:
    """Find a step by its name, or the first one of a lesson by its key; an InputError says which lessons there are."""
    found = lessons(language).get(name.partition("/")[0])
    if found is None:
        raise InputError("There is no such lesson", allowed=", ".join(lessons()), received=name)
    return found, found.step(name) if "/" in name else next(iter(found.steps.values()))


def _words(step: Step) -> int:
    question = step.question
    text = " ".join([step.title, step.text, question.text, *getattr(question.kind, "texts", ()), step.reveal])
    return len(_PLAIN.findall(_FORMULA.sub(" a formula of five words ", text)))


def _lesson(key: str, said: Mapping[str, Any]) -> Lesson:
    steps = (_step(key, one) for one in said["step"])
    return Lesson(key, said["title"], said["about"], {step.name: step for step in steps})


def _step(lesson: str, said: Mapping[str, Any]) -> Step:
    before = dict(said["before"])
    return Step(
        name=f"{lesson}/{said['key']}",
        title=said["title"],
        topics=tuple(said["topics"]),
        text=said["text"].strip(),
        question=_question(said["question"]),
        reveal=said["reveal"].strip(),
        exhibit=Exhibit(said["page"], said["values"]),
        before=Exhibit(before.pop("page", said["page"]), before),
        tries=tuple(Try(**one) for one in said.get("try", ())),
    )


def _question(said: Mapping[str, Any]) -> Question:
    if said["kind"] == Choice.name:
        kind: Kind = Choice(tuple(said["options"]), tuple(said["options"].values()))
        read = str
    else:
        limits = {name: said[name] for name in ("tolerance", "count", "allowed", "shape") if name in said}
        kind = _KINDS[said["kind"]](
            **{name: tuple(one) if isinstance(one, list) else one for name, one in limits.items()}
        )
        read = kind.read
    seen = tuple((read(given), text) for given, text in said.get("seen", {}).items())
    return Question(said["text"].strip(), kind, read(said["answer"]), seen)

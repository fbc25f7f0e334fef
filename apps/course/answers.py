"""Kinds of answers: how each is read from what a person typed, compared, and written. Nothing typed is ever evaluated.

>>> Number(0.01).read("−1/3")
-0.3333333333333333
>>> Numbers((2,)).read("0,5 1,5")
array([0.5, 1.5])
"""

from __future__ import annotations

import math
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from itertools import chain
from typing import Any, ClassVar

import numpy as np

from apps.convolution.application import read_sizes
from apps.course.texts import ENGLISH, Thousands, filled, texts_of
from data_prep.errors import InputError

Phrase = tuple[str, Mapping[str, Any]]  # name of a text of ``answers.toml``, and values for its places
MAX_CHARACTERS = 2_000  # of an answer
LETTERS = "abcdefghij"  # of the options of a choice
MAX_VALUE = 1e12
MAX_KERNEL = 16  # numbers, where the length is part of the answer
_SIGNS = str.maketrans(
    {"−": "-", "–": "-", "‐": "-", "⁄": "/", "·": " ", "→": " ", "\u00a0": " ", "\u202f": " "}
)
_PART = r"(?:\d+(?:\.\d*)?|\.\d+)(?:[eE][+-]?\d{1,3})?"
_NUMBER = re.compile(rf"([+-]?{_PART})(?:/([+-]?{_PART}))?")


@dataclass(frozen=True)
class Kind:
    """One kind of answer.

    Attributes:
        name: Of the kind.
        most: Characters of an answer.
    """

    name: ClassVar[str] = ""
    most: ClassVar[int] = MAX_CHARACTERS

    @property
    def form(self) -> Phrase:
        """What an answer looks like."""
        return self.name, {}

    @property
    def asked(self) -> str:
        """What an answer looks like, in English."""
        return said("asked", self.form)

    def read(self, text: str) -> Any:
        """Read what a person typed; an InputError says what would be read."""
        if not isinstance(text, str) or len(text) > self.most:
            count = f"{len(text):,} characters" if isinstance(text, str) else text
            raise InputError(
                "The answer is too long", allowed=f"at most {self.most:,} characters", received=count
            )
        if not text.strip():
            raise InputError("The answer is empty", allowed=self.asked)
        return self.value(text.strip())

    def value(self, text: str) -> Any:
        """Read a text that is neither empty nor too long."""
        raise NotImplementedError

    def same(self, one: Any, other: Any) -> bool:
        """Whether two answers mean the same."""
        return one == other

    def written(self, value: Any) -> str:
        """Write an answer as it could have been typed."""
        return str(value)

    def difference(self, given: Any, right: Any) -> Phrase:
        """Say in what a wrong answer differs, without telling the right one."""
        return "other", {}


@dataclass(frozen=True)
class Number(Kind):
    """A number.

    Args:
        tolerance: How far from the right one an answer may lie.
    """

    name: ClassVar[str] = "number"
    tolerance: float = 1e-6

    @property
    def form(self) -> Phrase:
        """What an answer looks like."""
        return "number" + _near(self.tolerance), {"tolerance": self.tolerance}

    def value(self, text: str) -> float:
        """Read a number; a comma is refused where it may as well separate thousands."""
        text = text.translate(_SIGNS).replace("- ", "-")
        if re.fullmatch(r"[+-]?[1-9]\d{0,2}(,\d{3}){2,}", text):
            text = text.replace(",", "")
        _refuse_thousands(text)
        if text.count(",") == 1 and "." not in text:
            text = text.replace(",", ".")
        return _number(text, self.asked)

    def same(self, one: float, other: float) -> bool:
        """Whether two numbers are as near as the tolerance."""
        return abs(one - other) <= self.tolerance + 1e-12

    def written(self, value: float) -> str:
        """Write a number with twelve digits."""
        return f"{value + 0.0:.12g}"

    def difference(self, given: float, right: float) -> Phrase:
        """Say whether a number is too large or too small."""
        if given and abs(given + right) <= self.tolerance:
            return "sign", {}
        return "large" if given > right else "small", {}


@dataclass(frozen=True)
class Numbers(Kind):
    """A vector or a matrix.

    Args:
        shape: Its shape; None for a row of 1 to 16 numbers.
        tolerance: How far from the right ones the numbers may lie.
    """

    name: ClassVar[str] = "numbers"
    shape: tuple[int, ...] | None = None
    tolerance: float = 1e-6

    @property
    def form(self) -> Phrase:
        """What an answer looks like."""
        if self.shape is None:
            return "row", {"most": MAX_KERNEL}
        values = {"rows": self.shape[0], "count": self.shape[-1], "tolerance": self.tolerance}
        return ("matrix" if len(self.shape) == 2 else "vector") + _near(self.tolerance), values

    def value(self, text: str) -> np.ndarray:
        """Read numbers as float64; commas separate them, or are decimal ones where only that fits."""
        flat = re.sub(r"[])}]\s*[,;]?\s*[\[({]", ";", text.translate(_SIGNS))
        rows = [row for row in re.split(r"[;\n]", re.sub(r"[\[\](){}]", " ", flat)) if row.strip()]
        separated = [re.split(r"[\s,]+", row.strip(" \t,")) for row in rows]
        typed = [row.split() for row in rows]
        decimal = [[re.sub(r"(?<=\d),(?=\d)", ".", word).strip(",") for word in row] for row in typed]
        readings = [separated, decimal]
        plain = list(map(_NUMBER.fullmatch, chain(*decimal)))
        if self.shape is None and len(plain) > 1 and all(plain):  # not commas alone stand between numbers
            readings.reverse()
        words = next((found for found in readings if self._fits(found)), separated)
        for word in chain(*typed) if words is decimal else ():
            _refuse_thousands(word.strip(","))
        numbers = [_number(word, self.asked) for row in words for word in row]
        if not self._fits(words):
            lengths = " and ".join(dict.fromkeys(str(len(row)) for row in words))
            many = f"{len(words)} rows of {lengths}" if len(words) > 1 else f"{len(numbers)}"
            raise InputError(f"The answer has {many} numbers", allowed=self.asked, received=text)
        return np.array(numbers).reshape(self.shape or -1)

    def _fits(self, rows: Sequence[Sequence[str]]) -> bool:
        count = sum(map(len, rows))
        if self.shape is None:
            return 1 <= count <= MAX_KERNEL
        whole = len(rows) == 1 or len(self.shape) == 1
        return count == math.prod(self.shape) and (whole or all(len(row) == self.shape[-1] for row in rows))

    def same(self, one: np.ndarray, other: np.ndarray) -> bool:
        """Whether two arrays have one shape and numbers as near as the tolerance."""
        return one.shape == other.shape and bool((np.abs(one - other) <= self.tolerance + 1e-12).all())

    def written(self, value: np.ndarray) -> str:
        """Write rows with semicolons between them."""
        rows = np.atleast_2d(np.asarray(value, np.float64))
        return "; ".join(" ".join(map(Number().written, row.tolist())) for row in rows)

    def difference(self, given: np.ndarray, right: np.ndarray) -> Phrase:
        """Say how many numbers are right, and where the first wrong one stands."""
        wrong = np.flatnonzero(np.abs(given - right).ravel() > self.tolerance + 1e-12)
        return "numbers", {"good": right.size - len(wrong), "all": right.size, "first": int(wrong[0]) + 1}


@dataclass(frozen=True)
class Shape(Kind):
    """Sizes of the modes of a tensor."""

    name: ClassVar[str] = "shape"

    def value(self, text: str) -> tuple[int, ...]:
        """Read one size a mode."""
        return read_sizes(re.sub(r"[\[\](){}]", " ", text.translate(_SIGNS)).strip(" ,"), "The answer")

    def written(self, value: Sequence[int]) -> str:
        """Write sizes with x between them."""
        return "x".join(map(str, value))

    def difference(self, given: Sequence[int], right: Sequence[int]) -> Phrase:
        """Say whether the number of modes is right, and which size is not."""
        if len(given) != len(right):
            return "more-modes" if len(given) < len(right) else "fewer-modes", {}
        if sorted(given) == sorted(right):
            return "mode-order", {}
        wrong = next(at for at, (one, other) in enumerate(zip(given, right, strict=True), 1) if one != other)
        return "mode", {"mode": wrong}


@dataclass(frozen=True)
class Choice(Kind):
    """One of several options.

    Args:
        options: Their names, in the order in which they are shown as a, b, c, ....
        texts: What each says, in the same order.
    """

    name: ClassVar[str] = "choice"
    options: tuple[str, ...] = ()
    texts: tuple[str, ...] = ()

    @property
    def form(self) -> Phrase:
        """What an answer looks like."""
        return self.name, {"letters": ", ".join(LETTERS[: len(self.options)])}

    def value(self, text: str) -> str:
        """Read a letter, or an option's own text."""
        typed = text.casefold().strip(" .()")
        letters = list(LETTERS[: len(self.options)])
        texts = [one.casefold().strip(" .()") for one in self.texts]
        for names in (letters, texts):
            if typed in names:
                return self.options[names.index(typed)]
        raise InputError("There is no such option", allowed=self.asked, received=text)

    def written(self, value: str) -> str:
        """Write the letter of an option."""
        return LETTERS[self.options.index(value)]


@dataclass(frozen=True)
class Words(Kind):
    """A word, or a row of words or tags; upper and lower case are the same.

    Args:
        count: How many; None for any number up to 50.
        allowed: The words that may stand there; empty for any.
    """

    name: ClassVar[str] = "words"
    count: int | None = 1
    allowed: tuple[str, ...] = ()

    @property
    def form(self) -> Phrase:
        """What an answer looks like."""
        many = "words" if self.count is None else "word" if self.count == 1 else "count-words"
        return many + "-of" * bool(self.allowed), {"count": self.count, "allowed": ", ".join(self.allowed)}

    def value(self, text: str) -> tuple[str, ...]:
        """Read words with spaces, commas or arrows between them."""
        found = re.split(r"[\s,;]+", re.sub(r"->|[\"“”„]", " ", text.translate(_SIGNS)).strip(" ,;"))
        folded = {word.casefold(): word for word in self.allowed}
        if self.allowed and (unknown := [word for word in found if word.casefold() not in folded]):
            raise InputError(f"{unknown[0][:40]!r} cannot stand here", allowed=self.asked)
        if len(found) != (self.count or len(found)) or len(found) > 50:
            raise InputError(f"The answer has {len(found)} words", allowed=self.asked)
        return tuple(folded.get(word.casefold(), word.casefold()) for word in found)

    def written(self, value: Sequence[str]) -> str:
        """Write the words with spaces between them."""
        return " ".join(value)

    def difference(self, given: Sequence[str], right: Sequence[str]) -> Phrase:
        """Say how many words are right."""
        if len(right) == 1:
            return "word", {}
        if len(given) != len(right):
            return "word-count", {"count": len(given)}
        return "words", {"good": sum(map(str.__eq__, given, right)), "all": len(right)}


@dataclass(frozen=True)
class Text(Kind):
    """A text that has to do a job."""

    name: ClassVar[str] = "text"

    @property
    def form(self) -> Phrase:
        """What an answer looks like."""
        return self.name, {"most": Thousands(self.most)}

    def value(self, text: str) -> str:
        """Take the text as it is."""
        return text


def _refuse_thousands(word: str) -> None:
    if re.fullmatch(r"[+-]?[1-9]\d{0,2},\d{3}", word):
        raise InputError(
            "The comma may separate thousands or decimals", allowed="1234 or 1.234", received=word
        )


def _number(word: str, asked: str) -> float:
    match = _NUMBER.fullmatch(word)
    if not (match and word.isascii()):
        raise InputError(f"{word[:40]!r} is not a number", allowed=asked)
    value = float(match[1])
    if match[2] is not None:
        if float(match[2]) == 0:
            raise InputError("Nothing can be divided by zero", allowed=asked, received=word)
        value /= float(match[2])
    if not abs(value) <= MAX_VALUE:
        raise InputError("The number is out of range", allowed=f"at most {MAX_VALUE:,.0f}", received=word)
    return value + 0.0


def said(part: str, phrase: Phrase, language: str = ENGLISH) -> str:
    """Put a phrase into words: of the part ``"asked"``, ``"difference"`` or ``"verdict"``."""
    name, values = phrase
    return filled(texts_of("answers", language)[part][name], values, language)


def _near(tolerance: float) -> str:
    return "" if tolerance < 1e-5 else "-near"

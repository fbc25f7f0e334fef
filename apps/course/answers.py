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
from typing import Any, ClassVar, NamedTuple

import numpy as np

from apps.convolution.application import contract, read_program, read_sizes, stack_sizes
from data_prep.errors import InputError

MAX_CHARACTERS = 2_000  # of an answer
MAX_PASTED = 8_000  # of a summary that Keras printed
MAX_VALUE = 1e12
MAX_KERNEL = 16  # numbers, where the length is part of the answer
_SIGNS = str.maketrans(
    {"−": "-", "–": "-", "‐": "-", "⁄": "/", "·": " ", "→": " ", "\u00a0": " ", "\u202f": " "}
)
_PART = r"(?:\d+(?:\.\d*)?|\.\d+)(?:[eE][+-]?\d{1,3})?"
_NUMBER = re.compile(rf"([+-]?{_PART})(?:/([+-]?{_PART}))?")
_LAYER = re.compile(
    r"\((?P<kind>\w+)\)[^(\n]*\((?:None|\d+),?(?P<shape>[\d, ]*)\)\s*[│┃|]?\s*(?P<count>\d[\d,]*)"
)


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
    def asked(self) -> str:
        """What an answer looks like, for people."""
        raise NotImplementedError

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

    def difference(self, given: Any, right: Any) -> str:
        """Say in what a wrong answer differs, without telling the right one."""
        return "That does not fit yet."


@dataclass(frozen=True)
class Number(Kind):
    """A number.

    Args:
        tolerance: How far from the right one an answer may lie.
    """

    name: ClassVar[str] = "number"
    tolerance: float = 1e-6

    @property
    def asked(self) -> str:
        """What an answer looks like, for people."""
        return "a number such as -3, 0.25, 0,25 or 1/3" + _accuracy(self.tolerance)

    def value(self, text: str) -> float:
        """Read a number; a comma is the decimal one unless it may as well separate thousands."""
        text = text.translate(_SIGNS).replace("- ", "-")
        if re.fullmatch(r"[+-]?[1-9]\d{0,2}(,\d{3})+", text):
            raise InputError(
                "The comma may separate thousands or decimals", allowed="1234 or 1.234", received=text
            )
        if text.count(",") == 1 and "." not in text:
            text = text.replace(",", ".")
        return _number(text, self.asked)

    def same(self, one: float, other: float) -> bool:
        """Whether two numbers are as near as the tolerance."""
        return abs(one - other) <= self.tolerance + 1e-12

    def written(self, value: float) -> str:
        """Write a number with twelve digits."""
        return f"{value + 0.0:.12g}"

    def difference(self, given: float, right: float) -> str:
        """Say whether a number is too large or too small."""
        if given and abs(given + right) <= self.tolerance:
            return "The sign is the other one."
        return "The number is too large." if given > right else "The number is too small."


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
    def asked(self) -> str:
        """What an answer looks like, for people."""
        if self.shape is None:
            return f"1 to {MAX_KERNEL} numbers such as 1 -2 0.5"
        if len(self.shape) == 2:
            return f"{self.shape[0]} rows of {self.shape[1]} numbers, such as 1 2; 3 4" + _accuracy(
                self.tolerance
            )
        return f"{self.shape[0]} numbers with spaces between them, such as 1 -2 0.5" + _accuracy(
            self.tolerance
        )

    def value(self, text: str) -> np.ndarray:
        """Read numbers as float64; commas separate them, or are decimal ones where only that fits."""
        flat = re.sub(r"[])}]\s*[,;]?\s*[\[({]", ";", text.translate(_SIGNS))
        rows = [row for row in re.split(r"[;\n]", re.sub(r"[\[\](){}]", " ", flat)) if row.strip()]
        separated = [re.split(r"[\s,]+", row.strip(" \t,")) for row in rows]
        decimal = [[re.sub(r"(?<=\d),(?=\d)", ".", word).strip(",") for word in row.split()] for row in rows]
        readings = [separated, decimal]
        if self.shape is None and len(rows) > 1:  # numbers with semicolons between them
            readings.reverse()
        words = next((found for found in readings if self._fits(found)), separated)
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

    def difference(self, given: np.ndarray, right: np.ndarray) -> str:
        """Say how many numbers are right, and where the first wrong one stands."""
        wrong = np.flatnonzero(np.abs(given - right).ravel() > self.tolerance + 1e-12)
        place = f"Look again at number {wrong[0] + 1}."
        return f"{right.size - len(wrong)} of {right.size} numbers are right. {place}"


@dataclass(frozen=True)
class Shape(Kind):
    """Sizes of the modes of a tensor."""

    name: ClassVar[str] = "shape"

    @property
    def asked(self) -> str:
        """What an answer looks like, for people."""
        return "the sizes in order, such as 4x4x3 or (4, 4, 3)"

    def value(self, text: str) -> tuple[int, ...]:
        """Read one size a mode."""
        return read_sizes(re.sub(r"[\[\](){}]", " ", text.translate(_SIGNS)).strip(" ,"), "The answer")

    def written(self, value: Sequence[int]) -> str:
        """Write sizes with x between them."""
        return "x".join(map(str, value))

    def difference(self, given: Sequence[int], right: Sequence[int]) -> str:
        """Say whether the number of modes is right, and which size is not."""
        if len(given) != len(right):
            return f"The tensor has {'more' if len(given) < len(right) else 'fewer'} modes."
        if sorted(given) == sorted(right):
            return "The sizes are right, their order is not."
        wrong = next(at for at, (one, other) in enumerate(zip(given, right, strict=True), 1) if one != other)
        return f"Look again at mode {wrong}."


class Contraction(NamedTuple):
    """An expression of Einstein summation, and what it gives on the random tensors of its exercise."""

    text: str
    output: np.ndarray


@dataclass(frozen=True)
class Einsum(Kind):
    """An expression of Einstein summation in NumPy's or the lecture's notation, compared by what it computes.

    Args:
        shapes: Of the tensors by their names a, b, c, ...; they are filled with random numbers.
    """

    name: ClassVar[str] = "einsum"
    shapes: tuple[tuple[str, tuple[int, ...]], ...] = ()

    @property
    def asked(self) -> str:
        """What an answer looks like, for people."""
        return "an expression such as ij,j->i, or a_i^j b_j"

    def value(self, text: str) -> Contraction:
        """Read an expression and compute it."""
        program = read_program(text.translate(str.maketrans("→", ">")).replace("->>", "->"))
        random = np.random.default_rng(7)
        tensors = {name: random.normal(size=shape) for name, shape in self.shapes}
        return Contraction(text, contract(program, tensors).output)

    def same(self, one: Contraction, other: Contraction) -> bool:
        """Whether two expressions compute the same."""
        return one.output.shape == other.output.shape and np.allclose(one.output, other.output)

    def written(self, value: Contraction) -> str:
        """Write the expression."""
        return value.text

    def difference(self, given: Contraction, right: Contraction) -> str:
        """Say what the expression computes: its shape on the tensors of the exercise."""
        if given.output.shape == right.output.shape:
            return "The shape is right, the numbers are not: another index has to meet."
        modes = [given.output.ndim, right.output.ndim]
        if modes[0] != modes[1]:
            return f"Your expression gives {modes[0]} modes; the result has {modes[1]}."
        return "The modes of the result stand in another order, or other ones are kept."


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
    def asked(self) -> str:
        """What an answer looks like, for people."""
        return f"one letter, {', '.join('abcdefghij'[: len(self.options)])}"

    def value(self, text: str) -> str:
        """Read a letter, or an option's own text."""
        typed = text.casefold().strip(" .()")
        letters = list("abcdefghij"[: len(self.options)])
        texts = [one.casefold() for one in self.texts]
        for names in (letters, texts):
            if typed in names:
                return self.options[names.index(typed)]
        raise InputError("There is no such option", allowed=self.asked, received=text)

    def written(self, value: str) -> str:
        """Write the letter of an option."""
        return "abcdefghij"[self.options.index(value)]


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
    def asked(self) -> str:
        """What an answer looks like, for people."""
        many = "words" if self.count is None else "one word" if self.count == 1 else f"{self.count} words"
        spaces = "" if self.count == 1 else " with spaces between them"
        return many + spaces + (f", of {', '.join(self.allowed)}" if self.allowed else "")

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

    def difference(self, given: Sequence[str], right: Sequence[str]) -> str:
        """Say how many words are right."""
        if len(right) == 1:
            return "It is another one."
        if len(given) != len(right):
            return f"Your answer has {len(given)} words, which are not as many as there should be."
        good = sum(map(str.__eq__, given, right))
        return f"{good} of {len(right)} are right, each in its place."


@dataclass(frozen=True)
class Text(Kind):
    """A text that has to do a job."""

    name: ClassVar[str] = "text"

    @property
    def asked(self) -> str:
        """What an answer looks like, for people."""
        return f"a text of at most {self.most:,} characters"

    def value(self, text: str) -> str:
        """Take the text as it is."""
        return text


@dataclass(frozen=True)
class Layers(Kind):
    """A stack of layers in the language of the bench's section "Sizes".

    Args:
        size: Of its input, the channels last, such as "28x28x1".
    """

    name: ClassVar[str] = "layers"
    size: str = "28x28x1"

    @property
    def asked(self) -> str:
        """What an answer looks like, for people."""
        small = (
            "conv 3x8; relu; pool 2" if self.size.count("x") == 1 else "conv 3x3x8; relu; pool 2x2; dense 10"
        )
        return f"layers such as {small}, with stride, pad or dilation behind a layer"

    def value(self, text: str) -> Any:
        """Read the layers and compute their sizes (``Stack``)."""
        return stack_sizes(self.size, text)

    def written(self, value: Any) -> str:
        """Write the layers with semicolons between them."""
        return "; ".join(layer.text for layer in value.layers)

    def same(self, one: Any, other: Any) -> bool:
        """Whether two stacks have the same layers."""
        return self.written(one) == self.written(other)


class PastedLayer(NamedTuple):
    """One line of a summary: the layer's class, the shape of its output without the batch, its parameters."""

    kind: str
    shape: tuple[int, ...]
    parameters: int


@dataclass(frozen=True)
class Summary(Kind):
    """What ``model.summary()`` of Keras printed, pasted; no code is run."""

    name: ClassVar[str] = "summary"
    most: ClassVar[int] = MAX_PASTED

    @property
    def asked(self) -> str:
        """What an answer looks like, for people."""
        return "what model.summary() prints, with a line such as conv2d (Conv2D) (None, 26, 26, 8) 80 for each layer"

    def value(self, text: str) -> tuple[PastedLayer, ...]:
        """Read the lines of the layers."""
        found = []
        for match in _LAYER.finditer(text):
            shape = tuple(int(size) for size in match["shape"].replace(",", " ").split() if len(size) < 10)
            if match["kind"] != "InputLayer":
                found.append(PastedLayer(match["kind"], shape, int(match["count"].replace(",", "")[:15])))
        if not found:
            raise InputError("No layer can be read from the answer", allowed=self.asked, received=text)
        return tuple(found)

    def written(self, value: Sequence[PastedLayer]) -> str:
        """Write a summary."""
        lines = []
        for layer in value:
            shape = ", ".join(["None", *map(str, layer.shape)])
            lines.append(f"{layer.kind.lower()} ({layer.kind}) │ ({shape}) │ {layer.parameters:,} │")
        return "\n".join(lines)

    def difference(self, given: Sequence[PastedLayer], right: Sequence[PastedLayer]) -> str:
        """Say which layer differs first, and in what."""
        for at, (one, other) in enumerate(zip(given, right, strict=False), start=1):
            for part, here, there in zip(("class", "shape", "number of parameters"), one, other, strict=True):
                if here != there:
                    return f"Layer {at} ({one.kind}) has another {part} than it should: {here}."
        return f"The network has {len(given)} layers, not the number that is asked for."


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


def _accuracy(tolerance: float) -> str:
    return "" if tolerance < 1e-5 else f"; right to {tolerance:g}"


KINDS: Mapping[str, type[Kind]] = {
    kind.name: kind for kind in (Number, Numbers, Shape, Einsum, Choice, Words, Text, Layers, Summary)
}

"""Numbers, sizes and tensors as a person types them on the convolution bench, with their bounds."""

from __future__ import annotations

import json
import math
import re
from collections.abc import Iterator, Sequence
from contextlib import contextmanager

import numpy as np

from data_prep.errors import InputError

MAX_NUMBERS = 64  # of a signal or a kernel: each of their products is printed
MAX_VALUE = 1e6
MAX_MODES = 8
MAX_SIZE = 1_000_000  # of one mode
MAX_TENSOR = 10_000  # elements of a tensor that is typed or filled
MAX_TEXT = 20_000
_NUMBER = re.compile(r"[+-]?(?:\d+(?:\.\d*)?|\.\d+)(?:[eE][+-]?\d+)?")
_SHAPE = re.compile(r"\d+(?:\s*[x×]\s*\d+)+")
_TENSOR = "brackets such as ((1, 2), (3, 4)), or a shape such as 2x3"
_MINUS = str.maketrans("−–", "--")


def at_most(count: int, most: int, subject: str, unit: str, received: object = None) -> None:
    """Refuse more than ``most``: "The signal has", 65, "numbers"."""
    if count > most:
        raise InputError(f"{subject} {count:,} {unit}", allowed=f"at most {most:,}", received=received)


@contextmanager
def located(place: str) -> Iterator[None]:
    """Put a place before the message of wrong input: "Mode 2: ..."."""
    try:
        yield
    except InputError as error:
        raise InputError(
            f"{place}: {error.problem}", allowed=error.allowed, received=error.received, remedy=error.remedy
        ) from None


def read_lines(
    text: str, subject: str, unit: str, *, characters: int, lines: int, ends: str = "\n;"
) -> list[str]:
    """Split a text at the signs that end a line, and leave out empty lines."""
    at_most(len(text), characters, subject, "characters")
    found = [line.strip() for line in re.split(f"[{ends}]", text) if line.strip()]
    at_most(len(found), lines, "There are", unit)
    return found


def read_numbers(text: str, name: str) -> tuple[float, ...]:
    """Read 1 to 64 numbers, such as ``"0 1 -2.5"`` or ``"(0, 1, -2.5)"``; the name stands in messages.

    Raises:
        InputError: There is none or are too many, or one is no number or larger than a million.
    """
    words = _words(text.translate(_MINUS), r"[\s,;]+", name, f"1 to {MAX_NUMBERS} numbers such as 0 1 -2.5")
    at_most(len(words), MAX_NUMBERS, f"{name} has", "numbers")
    return tuple(read_number(word, f"{name}, number {at},") for at, word in enumerate(words, start=1))


def read_number(word: str, name: str) -> float:
    """Read one number such as ``"-2.5"``."""
    word = word.translate(_MINUS)
    if not (word.isascii() and _NUMBER.fullmatch(word)):
        raise InputError(f"{name} is not a number", allowed="such as 1, -1 or 0.5", received=word)
    return check_value(float(word), name)


def check_value(value: float, name: str) -> float:
    """Refuse what is not finite or larger than a million; minus zero becomes zero."""
    if not math.isfinite(value) or abs(value) > MAX_VALUE:
        raise InputError(f"{name} is out of range", allowed="-1,000,000 to 1,000,000", received=value)
    return float(value) + 0.0


def check_whole(value: object, name: str, lowest: int, highest: int) -> int:
    """Refuse what is no whole number from the lowest to the highest."""
    if isinstance(value, bool) or not isinstance(value, int | np.integer) or not lowest <= value <= highest:
        raise InputError(
            f"{name} is out of range", allowed=f"a whole number, {lowest:,} to {highest:,}", received=value
        )
    return int(value)


def read_whole(word: str, name: str, lowest: int, highest: int) -> int:
    """Read one whole number; see :func:`check_whole`."""
    word = word.translate(_MINUS)
    if not re.fullmatch(r"[+-]?[0-9]{1,12}", word):
        raise InputError(f"{name} is not a whole number", allowed=f"{lowest:,} to {highest:,}", received=word)
    return check_whole(int(word), name, lowest, highest)


def read_sizes(text: str, name: str, *, lowest: int = 1, modes: int | None = None) -> tuple[int, ...]:
    """Read sizes, one a mode, such as ``"4x4x3"``, ``"4 4 3"`` or ``"4, 4, 3"``.

    Args:
        text: The sizes.
        name: What they are, for messages.
        lowest: Smallest size that is allowed.
        modes: How many there have to be; one number then counts for all modes. None: 1 to 8.

    Raises:
        InputError: There is none or are too many, or one is out of range.
    """
    words = _words(text, r"[\s,x×]+", name, "sizes such as 4x4x3")
    at_most(len(words), MAX_MODES, f"{name} has", "modes")
    sizes = [
        read_whole(word, f"{name}, mode {at},", lowest, MAX_SIZE) for at, word in enumerate(words, start=1)
    ]
    return tuple(sizes if modes is None else one_a_mode(sizes, modes, name, text))


def one_a_mode(found: list, modes: int, name: str, text: str) -> list:
    """Repeat what stands for all modes; refuse another number of modes."""
    if len(found) not in (1, modes):
        raise InputError(f"{name} has {len(found)} modes", allowed=f"{modes}, or one for all", received=text)
    return found * modes if len(found) == 1 else found


def read_tensor(text: str, name: str) -> np.ndarray:
    """Read a tensor of at most 8 modes and 10,000 elements as float64; the name stands in messages.

    It is written as nested brackets such as ``((1, 2), (3, 4))``, a number, a row of numbers, or a shape such as
    ``2x3``, which is filled with small whole numbers that never change.

    Raises:
        InputError: It cannot be read, is ragged, empty or too large.
    """
    text, label = text.translate(_MINUS).strip(), f"The tensor {name}"
    at_most(len(text), MAX_TEXT, f"{label} has", "characters")
    if _SHAPE.fullmatch(text):
        return filled(read_sizes(text, f"The shape of {name}"), seed=sum(map(ord, name)))
    if "(" in text or "[" in text:
        return _nested(text, label)
    numbers = read_numbers(text, label)
    return np.array(numbers if len(numbers) > 1 else numbers[0])


def filled(shape: Sequence[int], seed: int) -> np.ndarray:
    """Fill a tensor of float64 with whole numbers from -3 to 3 but 0, the same ones for the same shape and seed."""
    at_most(math.prod(shape), MAX_TENSOR, "The tensor has", "elements")
    sizes = np.random.default_rng(seed).integers(1, 4, shape)
    return (sizes * np.random.default_rng(seed + 1).choice((-1, 1), shape)).astype(np.float64)


def written(value: float) -> str:
    """Write a number as short as it can be read: whole numbers without a point, others with four digits."""
    rounded = round(value)
    if abs(value - rounded) < 1e-9 and abs(value) < 1e9:
        return str(rounded)
    return f"{value:.4g}"


def exact(value: float) -> str:
    """Write a number so that it is read back as the same number; whole numbers without a point."""
    return str(int(value)) if value == int(value) else repr(float(value))


def written_row(values: Sequence[float]) -> str:
    """Write a row of numbers as the slides do: ``(0 1 -1)``."""
    return f"({' '.join(map(written, values))})"


def written_factor(value: float) -> str:
    """Write a factor of a product: in brackets if it is negative."""
    return written(value) if value >= 0 else f"({written(value)})"


def written_sizes(sizes: Sequence[int]) -> str:
    """Write sizes: ``4×4×3``; nothing for a number, which has no modes."""
    return "×".join(f"{size:,}" for size in sizes)


def _words(text: str, between: str, name: str, allowed: str) -> list[str]:
    at_most(len(text), MAX_TEXT, f"{name} has", "characters")
    words = [word for word in re.split(between, text.strip().strip("()[]")) if word]
    if not words:
        raise InputError(f"{name} is empty", allowed=allowed)
    return words


def _nested(text: str, name: str) -> np.ndarray:
    flat = text.replace("(", "[").replace(")", "]")
    if not re.fullmatch(r"[\[\]0-9eE+\-., \t\r\n]*", flat):
        raise InputError(f"{name} cannot be read", allowed=_TENSOR, received=text)
    depth = 0
    for sign in flat:  # before the parser, which would go as deep as it is told
        depth += (sign == "[") - (sign == "]")
        if depth > MAX_MODES:
            raise InputError(f"{name} has too many modes", allowed=f"at most {MAX_MODES}")
    flat = re.sub(r"(?<=[0-9.\]])\s+(?=[-+0-9.\[])", ",", flat)  # spaces separate as commas do
    flat = re.sub(r",\s*\]", "]", flat)  # (1,) as Python writes it
    # .5, 1. and +1 are no numbers of JSON.
    flat = re.sub(r"[^\[\],\s]+", lambda word: repr(read_number(word[0], f"{name}: an element")), flat)
    try:
        array = np.array(json.loads(flat), dtype=np.float64)
    except (ValueError, TypeError, OverflowError):
        raise InputError(
            f"{name} cannot be read: a bracket is missing, or its rows differ in length",
            allowed=_TENSOR,
            received=text,
        ) from None
    at_most(array.size, MAX_TENSOR, f"{name} has", "elements")
    if array.size == 0:
        raise InputError(f"{name} is empty", allowed=_TENSOR, received=text)
    return array

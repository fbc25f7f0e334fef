"""Numbers, sizes and tensors as a person types them on the convolution bench, with their bounds."""

from __future__ import annotations

import json
import math
import re
from collections.abc import Sequence

import numpy as np

from data_prep.errors import InputError

MAX_NUMBERS = 64  # of a signal or a kernel: each of their products is printed
MAX_VALUE = 1e6
MAX_MODES = 8
MAX_SIZE = 1_000_000  # of one mode
MAX_TENSOR = 10_000  # elements of a tensor that is typed or filled
MAX_TEXT = 20_000
_NUMBER = re.compile(r"[+-]?(?:\d+(?:\.\d*)?|\.\d+)(?:[eE][+-]?\d+)?")
_SHAPE = re.compile(r"\d+(?:\s*[x×]\s*\d+)*")
_MINUS = str.maketrans("−–", "--")


def read_numbers(text: str, name: str) -> tuple[float, ...]:
    """Read numbers that are separated by spaces, commas or semicolons; brackets around them are allowed.

    Args:
        text: Such as ``"0 1 -2.5"`` or ``"(0, 1, -2.5)"``.
        name: What they are, for messages.

    Returns:
        1 to 64 numbers.

    Raises:
        InputError: There is none or are too many, or one is no number or larger than a million.
    """
    _check_length(text, name)
    words = re.split(r"[\s,;]+", text.translate(_MINUS).strip().strip("()[]").strip())
    if words == [""]:
        raise InputError(f"{name} is empty", allowed=f"1 to {MAX_NUMBERS} numbers such as 0 1 -2.5")
    if len(words) > MAX_NUMBERS:
        raise InputError(f"{name} has {len(words)} numbers", allowed=f"at most {MAX_NUMBERS}")
    return tuple(read_number(word, f"{name}, number {at},") for at, word in enumerate(words, start=1))


def read_number(word: str, name: str) -> float:
    """Read one number.

    Args:
        word: Such as ``"-2.5"``.
        name: What it is, for messages.

    Returns:
        The number.

    Raises:
        InputError: It is no number, or larger than a million.
    """
    word = word.translate(_MINUS)
    if not (word.isascii() and _NUMBER.fullmatch(word)):
        raise InputError(f"{name} is not a number", allowed="such as 1, -1 or 0.5", received=word)
    return check_value(float(word), name)


def check_value(value: float, name: str) -> float:
    """Check one number.

    Args:
        value: The number.
        name: What it is, for messages.

    Returns:
        The number as a float; minus zero becomes zero.

    Raises:
        InputError: It is not finite, or larger than a million.
    """
    if not math.isfinite(value) or abs(value) > MAX_VALUE:
        raise InputError(f"{name} is out of range", allowed="-1,000,000 to 1,000,000", received=value)
    return float(value) + 0.0


def check_whole(value: object, name: str, lowest: int, highest: int) -> int:
    """Check a whole number.

    Args:
        value: The number.
        name: What it is, for messages.
        lowest: Allowed.
        highest: Allowed.

    Returns:
        The number.

    Raises:
        InputError: It is not whole or out of range.
    """
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

    Returns:
        The sizes.

    Raises:
        InputError: There is none or are too many, or one is out of range.
    """
    _check_length(text, name)
    words = [word for word in re.split(r"[\s,x×]+", text.strip().strip("()[]").strip()) if word]
    if not words:
        raise InputError(f"{name} is empty", allowed="sizes such as 4x4x3")
    if len(words) > MAX_MODES:
        raise InputError(f"{name} has {len(words)} modes", allowed=f"at most {MAX_MODES}")
    sizes = tuple(
        read_whole(word, f"{name}, mode {at},", lowest, MAX_SIZE) for at, word in enumerate(words, start=1)
    )
    if modes is None or len(sizes) == modes:
        return sizes
    if len(sizes) == 1:
        return sizes * modes
    raise InputError(f"{name} has {len(sizes)} modes", allowed=f"{modes}, as the input has, or one for all")


def read_tensor(text: str, name: str) -> np.ndarray:
    """Read a tensor: nested brackets such as ``((1, 2), (3, 4))``, a number, a row of numbers, or a shape to fill.

    Args:
        text: The tensor; ``2x3`` stands for that shape, filled with small whole numbers that never change.
        name: Its name, for messages.

    Returns:
        float64 array of at most 8 modes and 10,000 elements.

    Raises:
        InputError: It cannot be read, is ragged, empty or too large.
    """
    text = text.translate(_MINUS).strip()
    _check_length(text, f"The tensor {name}")
    if _SHAPE.fullmatch(text) and ("x" in text or "×" in text):
        return filled(read_sizes(text, f"The shape of {name}"), seed=sum(map(ord, name)))
    if "(" not in text and "[" not in text:
        words = [word for word in re.split(r"[\s,]+", text) if word]
        if len(words) == 1:
            return np.array(read_number(words[0], f"The tensor {name}"))
        return np.array(read_numbers(text, f"The tensor {name}"))
    return _nested(text, name)


def filled(shape: Sequence[int], seed: int) -> np.ndarray:
    """Fill a tensor with small whole numbers, the same ones for the same shape and seed.

    Args:
        shape: At most 10,000 elements.
        seed: Chooses the numbers.

    Returns:
        float64 array of whole numbers from -3 to 3, none of them 0.

    Raises:
        InputError: It has too many elements.
    """
    _check_elements(math.prod(shape), "The tensor")
    values = np.random.default_rng(seed).integers(1, 4, shape) * np.random.default_rng(seed + 1).choice(
        (-1, 1), shape
    )
    return values.astype(np.float64)


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
    return f"({' '.join(written(value) for value in values)})"


def _nested(text: str, name: str) -> np.ndarray:
    shape = "brackets such as ((1, 2), (3, 4)), or a shape such as 2x3"
    flat = text.replace("(", "[").replace(")", "]")
    if not re.fullmatch(r"[\[\]0-9eE+\-., \t\r\n]*", flat):
        raise InputError(f"The tensor {name} cannot be read", allowed=shape, received=text)
    depth = 0
    for sign in flat:  # before the parser, which would go as deep as it is told
        depth += (sign == "[") - (sign == "]")
        if depth > MAX_MODES:
            raise InputError(f"The tensor {name} has too many modes", allowed=f"at most {MAX_MODES}")
    flat = re.sub(r"(?<=[0-9.\]])\s+(?=[-+0-9.\[])", ",", flat)  # spaces separate as commas do
    flat = re.sub(r",\s*\]", "]", flat)  # (1,) as Python writes it
    try:
        values = json.loads(flat)
        array = np.array(values, dtype=np.float64)
    except (ValueError, TypeError, OverflowError):
        raise InputError(
            f"The tensor {name} cannot be read: a bracket is missing, or its rows differ in length",
            allowed=shape,
            received=text,
        ) from None
    _check_elements(array.size, f"The tensor {name}")
    if array.size == 0:
        raise InputError(f"The tensor {name} is empty", allowed=shape, received=text)
    for value in array.flat:
        check_value(float(value), f"A number of {name}")
    return array


def _check_length(text: str, name: str) -> None:
    if len(text) > MAX_TEXT:
        raise InputError(f"{name} has {len(text):,} characters", allowed=f"at most {MAX_TEXT:,}")


def _check_elements(count: int, name: str) -> None:
    if count > MAX_TENSOR:
        raise InputError(f"{name} has {count:,} elements", allowed=f"at most {MAX_TENSOR:,}")

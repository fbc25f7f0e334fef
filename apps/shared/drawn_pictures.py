"""Drawings as they arrive from a browser and as they travel in a link: both are a stranger's text until checked.

A drawing is a grid of ink, 0 for paper to 255 for full ink, in sixteen steps, which is as fine as an antialiased edge
needs and lets a drawing fit into an address.
"""

from __future__ import annotations

import base64
import zlib

import numpy as np

from data_prep.errors import InputError

STEPS = 16
_STEP = 255 // (STEPS - 1)
MOST_CHARACTERS = 8_000  # of a link's drawing; browsers and servers cut longer addresses


def from_canvas(value: object, width: int, height: int) -> np.ndarray:
    """Read what a canvas sent as :func:`from_base64` does, in sixteen steps of ink."""
    return _in_steps(from_base64(value, width, height))


def from_base64(value: object, width: int, height: int) -> np.ndarray:
    """Read the base64 of ``width * height`` bytes, row by row, as it is: uint8 (height, width).

    Raises:
        InputError: It is anything else.
    """
    try:
        if not isinstance(value, str) or len(value) != 4 * -(-width * height // 3):
            raise ValueError(f"{value!r:.40}")
        return np.frombuffer(base64.b64decode(value, validate=True), np.uint8).reshape(height, width)
    except ValueError as error:
        allowed = f"base64 of {width}x{height} bytes"
        raise InputError("The drawing is damaged", allowed=allowed, received=str(error)) from error


def to_link(ink: np.ndarray) -> str:
    """Write ink uint8 (height, width) as a text for an address: letters, digits, ``-`` and ``_``."""
    steps = (_in_steps(ink) // _STEP).ravel()
    steps = np.append(steps, np.zeros(len(steps) % 2, np.uint8))
    packed = (steps[0::2] << 4) | steps[1::2]
    return base64.urlsafe_b64encode(zlib.compress(packed.tobytes(), 9)).decode().rstrip("=")


def from_link(text: str, width: int, height: int) -> np.ndarray:
    """Read what :func:`to_link` wrote, uint8 (height, width).

    Raises:
        InputError: It is anything else.
    """
    if len(text) > MOST_CHARACTERS:
        raise InputError(
            "The drawing of the link is too long",
            allowed=f"{MOST_CHARACTERS:,} characters",
            received=f"{len(text):,} characters",
        )
    expected = -(-width * height // 2)
    try:
        packed = base64.b64decode(text + "=" * (-len(text) % 4), altchars=b"-_", validate=True)
        unpacker = zlib.decompressobj()
        found = unpacker.decompress(packed, expected + 1)  # never more, whatever it would unpack to
        if len(found) != expected or not unpacker.eof:
            raise ValueError("another size")
    except (ValueError, zlib.error) as error:
        allowed, remedy = f"{width}x{height} pixels", "Draw it again"
        problem = "The drawing of the link is damaged"
        raise InputError(problem, allowed=allowed, received=text, remedy=remedy) from error
    pairs = np.frombuffer(found, np.uint8)
    steps = np.stack([pairs >> 4, pairs & 15], axis=1).ravel()[: width * height]
    return (steps * _STEP).astype(np.uint8).reshape(height, width)


def to_base64(ink: np.ndarray) -> str:
    """Write a picture as a canvas takes it: base64 of its bytes, row by row."""
    return base64.b64encode(np.ascontiguousarray(ink, np.uint8).tobytes()).decode()


def _in_steps(ink: np.ndarray) -> np.ndarray:
    return ((ink.astype(np.uint16) + _STEP // 2) // _STEP * _STEP).astype(np.uint8)

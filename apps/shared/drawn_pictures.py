"""Drawings as they arrive from a browser and as they travel in a link: both are a stranger's text until checked.

A drawing is a grid of ink, 0 for paper to 255 for full ink, in sixteen steps, which is as fine as an antialiased edge
needs and lets a drawing fit into an address.
"""

from __future__ import annotations

import base64
import binascii
import zlib

import numpy as np

from data_prep.errors import InputError

STEPS = 16
_STEP = 255 // (STEPS - 1)
MOST_PIXELS = 1 << 18
MOST_CHARACTERS = 8_000  # of a link's drawing; browsers and servers cut longer addresses


def from_canvas(value: object, width: int, height: int) -> np.ndarray:
    """Read what a canvas sent.

    Args:
        value: Should be the base64 of ``width * height`` bytes, row by row.
        width: Of the canvas in pixels of ink.
        height: Likewise.

    Returns:
        Ink uint8 (height, width), in sixteen steps.

    Raises:
        InputError: It is anything else.
    """
    return _in_steps(from_base64(value, width, height))


def from_base64(value: object, width: int, height: int) -> np.ndarray:
    """Read the base64 of ``width * height`` bytes, row by row, as it is.

    Args:
        value: The text.
        width: Of the picture.
        height: Likewise.

    Returns:
        Uint8 (height, width).

    Raises:
        InputError: It is anything else.
    """
    _check_size(width, height)
    expected = 4 * -(-width * height // 3)
    if not isinstance(value, str) or len(value) != expected:
        received = f"{len(value)} characters" if isinstance(value, str) else type(value).__name__
        raise InputError(
            "The drawing is damaged", allowed=f"base64 of {width}x{height} bytes", received=received
        )
    try:
        ink = base64.b64decode(value, validate=True)
    except (binascii.Error, ValueError) as error:
        raise InputError("The drawing is damaged", allowed="base64", received=str(error)) from error
    if len(ink) != width * height:
        raise InputError(
            "The drawing is damaged", allowed=f"{width * height} bytes", received=f"{len(ink)} bytes"
        )
    return np.frombuffer(ink, np.uint8).reshape(height, width)


def to_link(ink: np.ndarray) -> str:
    """Write a drawing as a text for an address.

    Args:
        ink: Uint8 (height, width).

    Returns:
        Letters, digits, ``-`` and ``_``; a digit takes a few hundred.
    """
    steps = (_in_steps(ink) // _STEP).ravel()
    if len(steps) % 2:
        steps = np.append(steps, np.uint8(0))
    packed = (steps[0::2] << 4) | steps[1::2]
    return base64.urlsafe_b64encode(zlib.compress(packed.tobytes(), 9)).decode().rstrip("=")


def from_link(text: str, width: int, height: int) -> np.ndarray:
    """Read a drawing from an address.

    Args:
        text: What :func:`to_link` wrote.
        width: Of the drawing.
        height: Likewise.

    Returns:
        Ink uint8 (height, width).

    Raises:
        InputError: It is anything else.
    """
    _check_size(width, height)
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
    except (binascii.Error, ValueError, zlib.error) as error:
        raise InputError(
            "The drawing of the link is damaged", received=text, remedy="Draw it again"
        ) from error
    if len(found) != expected or not unpacker.eof:
        raise InputError(
            "The drawing of the link is damaged",
            allowed=f"{width}x{height} pixels",
            received=text,
            remedy="Draw it again",
        )
    pairs = np.frombuffer(found, np.uint8)
    steps = np.stack([pairs >> 4, pairs & 15], axis=1).ravel()[: width * height]
    return (steps * _STEP).astype(np.uint8).reshape(height, width)


def to_base64(ink: np.ndarray) -> str:
    """Write a picture as a canvas takes it: base64 of its bytes, row by row."""
    return base64.b64encode(np.ascontiguousarray(ink, np.uint8).tobytes()).decode()


def _in_steps(ink: np.ndarray) -> np.ndarray:
    return ((ink.astype(np.uint16) + _STEP // 2) // _STEP * _STEP).astype(np.uint8)


def _check_size(width: int, height: int) -> None:
    if min(width, height) < 1 or width * height > MOST_PIXELS:
        raise InputError(
            "The canvas has no such size", allowed=f"up to {MOST_PIXELS:,} pixels", received=(width, height)
        )

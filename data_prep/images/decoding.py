"""A picture from outside, as bytes or as an array, to grey values, in bounded memory.

Formats, bytes and pixels are limited before anything is decoded; transparency, the camera's rotation and 16 bits count.
"""

from __future__ import annotations

import io
import warnings
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
from PIL import Image

from data_prep.errors import InputError

MAX_BYTES = 16_000_000
MAX_PIXELS = 24_000_000
MAX_SIDE = 10_000
WORKING_SIDE = 512  # pixels of the longer side of what is handed on
FORMATS = ("PNG", "JPEG")

_ALLOWED = "a PNG or JPEG of at most 24 million pixels and 16 MB"
_SMALLER = "Crop it or make it smaller"
_MOST_SCANS = 64  # of a JPEG, each of which costs time; programs write ten or so
_BAND = 64  # rows converted at a time, or a few more
_ORIENTATION = 0x0112  # EXIF tag
# Formats that come under a wrong name: where their signature stands, the signature, and what they are.
_OTHERS = (
    (0, b"GIF8", "a GIF"),
    (0, b"%PDF", "a PDF"),
    (0, b"BM", "a BMP"),
    (8, b"WEBP", "a WebP"),
    (0, b"II*\0", "a TIFF"),
    (0, b"MM\0*", "a TIFF"),
)

Source = bytes | Path | str | np.ndarray


class GrayImage(NamedTuple):
    """A picture: ``gray`` float32 (height, width), 0 for black to 1 for white, and its ``size`` as it came."""

    gray: np.ndarray
    size: tuple[int, int]


def called(source: Source, name: str | None) -> str:
    """Say what a picture is called in messages."""
    return name or (str(source) if isinstance(source, str | Path) else "The image")


def read_gray(source: Source, name: str | None = None) -> GrayImage:
    """Read a picture.

    Args:
        source: Bytes of a PNG or JPEG, the path of one, or an array (height, width), (height, width, 1), (..., 3) or
            (..., 4): uint8 from 0 to 255, uint16 from 0 to 65535, bool, or float from 0 to 1.
        name: What it is called in messages.

    Returns:
        Its grey values, upright, on white where it is transparent (on black where it would be white on white),
        averaged down to at most 512 pixels a side.

    Raises:
        InputError: It is missing, no PNG or JPEG, animated, damaged, too large, or an array of another kind.
    """
    name = called(source, name)
    if isinstance(source, str | Path):
        source = _read_bytes(Path(source))
    if isinstance(source, bytes):
        return _from_file(source, name)
    if isinstance(source, np.ndarray):
        return _from_array(source, name)
    raise InputError("This is no image", allowed="bytes, a path or an array", received=type(source).__name__)


def _read_bytes(path: Path) -> bytes:
    try:
        with path.open("rb") as file:
            return file.read(MAX_BYTES + 1)
    except FileNotFoundError as error:
        raise InputError(f"There is no file {path}", remedy="Check the name") from error
    except (OSError, ValueError) as error:  # a name with a NUL is no name
        raise InputError(f"{path} cannot be read ({getattr(error, 'strerror', None) or error})") from error


def _from_file(content: bytes, name: str) -> GrayImage:
    if not content:
        raise InputError(f"{name} is empty", allowed=_ALLOWED)
    if len(content) > MAX_BYTES:
        size = f"{len(content):,} bytes"
        raise InputError(f"{name} is too large", allowed=_ALLOWED, received=size, remedy=_SMALLER)
    if content.startswith(b"\xff\xd8") and content.count(b"\xff\xda") > _MOST_SCANS:
        raise InputError(f"{name} has too many scans", allowed=_ALLOWED, remedy="Save it again")
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # Pillow's warning about bombs: the limits below are stricter
        try:
            with Image.open(io.BytesIO(content), formats=FORMATS) as image:
                return _decoded(image, name)
        except InputError:
            raise
        except Image.UnidentifiedImageError as error:
            other = next(
                (f", but {what}" for at, start, what in _OTHERS if content.startswith(start, at)), ""
            )
            raise InputError(f"{name} is no PNG or JPEG{other}", allowed=_ALLOWED) from error
        except Image.DecompressionBombError as error:  # raised before the size can be looked at
            raise InputError(f"{name} is too large", allowed=_ALLOWED, remedy=_SMALLER) from error
        except (OSError, ValueError, SyntaxError, EOFError) as error:
            raise InputError(f"{name} is damaged ({error})", remedy="Save it again") from error


def _decoded(image: Image.Image, name: str) -> GrayImage:
    width, height = image.size
    _check_size(height, width, name)
    if image.format == "PNG" and getattr(image, "is_animated", False):
        raise InputError(f"{name} is animated", allowed="one picture")
    orientation = image.getexif().get(_ORIENTATION, 1)
    if image.format != "PNG":
        image.draft("L", (2 * WORKING_SIDE, 2 * WORKING_SIDE))  # JPEG can be decoded at an eighth of its size
    image.load()
    gray = _averaged_down(image)
    gray = gray.T if orientation in (5, 6, 7, 8) else gray
    rows, columns = (-1 if orientation in mirrored else 1 for mirrored in ((3, 4, 7, 8), (2, 3, 6, 7)))
    return GrayImage(np.ascontiguousarray(gray[::rows, ::columns]), (width, height))


def _check_size(height: int, width: int, name: str) -> None:
    size = f"{width:,} x {height:,} pixels"
    if min(height, width) < 1:
        raise InputError(f"{name} has no pixels", received=size)
    if max(height, width) > MAX_SIDE or height * width > MAX_PIXELS:
        allowed = f"sides of at most {MAX_SIDE:,} pixels, and {MAX_PIXELS:,} pixels in all"
        raise InputError(f"{name} is too large", allowed=allowed, received=size, remedy=_SMALLER)


def _averaged_down(image: Image.Image) -> np.ndarray:
    """Lay a picture on paper, averaged to the working size; a few rows at a time, whole blocks."""
    factor = max(1, -(-max(image.size) // WORKING_SIDE))
    band, parts = factor * -(-_BAND // factor), []
    for top in range(0, image.height, band):
        gray, opacity = _band(image.crop((0, top, image.width, min(top + band, image.height))))
        means = (Image.fromarray(values).reduce(factor) for values in (gray * opacity, opacity))
        parts.append([np.asarray(mean) for mean in means])
    light, opacity = (np.concatenate(side) for side in zip(*parts, strict=True))
    on_white = light + (1.0 - opacity)
    # On black if nothing can be seen on white.
    return light if np.ptp(on_white) < 0.02 <= np.ptp(light) else on_white


def _band(image: Image.Image) -> tuple[np.ndarray, np.ndarray]:
    """Return some rows as grey values and opacity, both 0 to 1."""
    if image.mode in ("I;16", "I;16B", "I;16L", "I", "F"):
        gray = np.asarray(image, np.float32) / 65535.0
        return gray, np.ones_like(gray)
    # by way of RGBA, which all modes become
    pixels = np.asarray(image.convert("RGBA").convert("LA"), np.float32) / 255.0
    return pixels[:, :, 0], np.ascontiguousarray(pixels[:, :, 1])


def _from_array(values: np.ndarray, name: str) -> GrayImage:
    allowed = "(height, width) or (height, width, 1, 3 or 4), of uint8, uint16, bool or float from 0 to 1"
    if values.ndim not in (2, 3) or (values.ndim == 3 and values.shape[2] not in (1, 3, 4)):
        raise InputError(f"{name} has a wrong shape", allowed=allowed, received=values.shape)
    height, width = values.shape[:2]
    _check_size(height, width, name)
    largest: Any = {"uint8": 255.0, "uint16": 65535.0, "bool": 1.0}.get(values.dtype.name)
    if largest is None:
        if values.dtype.kind != "f":
            raise InputError(f"{name} has a wrong type", allowed=allowed, received=values.dtype.name)
        if not (np.isfinite(values).all() and values.min() >= 0.0 and values.max() <= 1.0):
            raise InputError(f"{name} has values out of range", allowed="numbers from 0 to 1")
        largest = 1.0
    if values.shape[2:] == (1,):
        values = values[:, :, 0]
    if values.dtype != np.uint8 and values.ndim == 3:  # Pillow has colours of 8 bits only
        values = np.round(values * np.float32(255.0 / largest)).astype(np.uint8)
    elif values.dtype != np.uint8:
        values = values.astype(np.float32) * np.float32(65535.0 / largest)
    return GrayImage(_averaged_down(Image.fromarray(values)), (width, height))

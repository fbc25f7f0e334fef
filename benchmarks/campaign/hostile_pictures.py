"""Hostile pictures: damage to good ones, and ones that are written by hand."""

from __future__ import annotations

import io
import struct
import zlib
from collections.abc import Callable
from functools import cache
from pathlib import Path

import numpy as np
from PIL import Image

from benchmarks.campaign.cases import Case, command, given
from benchmarks.campaign.damage import Draw, damaged

_PNG = b"\x89PNG\r\n\x1a\n"
_MODES = ("L", "RGB", "RGBA", "P", "1", "LA", "I;16", "CMYK")


@cache
def _digits() -> tuple[np.ndarray, np.ndarray]:
    from sklearn.datasets import load_digits

    return load_digits().images, load_digits().target


def picture(draw: Draw, kind: str | None = None, mode: str | None = None, digit: int | None = None) -> bytes:
    """Draw a good picture of a digit, PNG or JPEG."""
    images, labels = _digits()
    ink = draw.choice(images if digit is None else images[labels == digit])
    gray = (255 - ink * 15.9).astype(np.uint8).repeat(size := draw.choice((4, 8, 20)), 0).repeat(size, 1)
    kind, mode = kind or draw.choice(("PNG", "JPEG")), mode or draw.choice(_MODES)
    image = Image.fromarray(np.pad(gray, 2 * size, constant_values=255))
    image = Image.fromarray(np.asarray(image, np.uint16) * 257) if mode == "I;16" else image.convert(mode)
    if kind == "JPEG" and mode not in ("L", "RGB", "CMYK"):
        image = image.convert("L")
    elif kind == "PNG" and mode == "CMYK":
        image = image.convert("RGB")
    written = io.BytesIO()
    image.save(written, kind)
    return written.getvalue()


def chunk(kind: bytes, data: bytes, length: int | None = None) -> bytes:
    """Write a chunk of a PNG, if wanted with a length that lies."""
    crc = struct.pack(">I", zlib.crc32(kind + data))
    return struct.pack(">I", len(data) if length is None else length) + kind + data + crc


def png(
    width: int, height: int, *, depth: int = 8, colour: int = 0, data: bytes | None = None, more: bytes = b""
) -> bytes:
    """Write a PNG by hand; with ``data`` its header may promise another size, or other colours."""
    if data is None:
        data = zlib.compress(bytes(height * (1 + width * max(1, depth // 8))), 9)
    header = struct.pack(">IIBBBBB", width, height, depth, colour, 0, 0, 0)
    return _PNG + chunk(b"IHDR", header) + more + chunk(b"IDAT", data) + chunk(b"IEND", b"")


def _palette(draw: Draw) -> bytes:
    palette = draw.choice((b"", b"\0\0\0", b"\0\0", bytes(3 * 300)))
    more = b"" if draw.random() < 0.3 else chunk(b"PLTE", palette)
    more += chunk(b"tRNS", draw.randbytes(draw.choice((0, 1, 300)))) if draw.random() < 0.5 else b""
    rows = b"".join(b"\0" + draw.randbytes(28) for _ in range(28))
    return png(28, 28, colour=3, data=zlib.compress(rows), more=more)


def _texts_inside(draw: Draw) -> bytes:
    packed = zlib.compress(bytes(60 << 20), 9)
    kind = draw.choice((b"zTXt", b"iCCP", b"iTXt"))
    body = b"k\0\0\0\0\0\0" + packed if kind == b"iTXt" else b"k\0\0" + packed
    return png(28, 28, more=chunk(kind, body))


def _other_format(draw: Draw) -> bytes:
    written, name = io.BytesIO(), draw.choice(("GIF", "BMP", "TIFF", "WEBP", "PPM", "ICO", "TGA"))
    Image.open(io.BytesIO(picture(draw, mode="RGB"))).convert("RGB").save(written, name)
    return written.getvalue()


def _animated(draw: Draw) -> bytes:
    frames = [Image.open(io.BytesIO(picture(draw, "PNG", "L"))).resize((40, 40)) for _ in range(3)]
    written = io.BytesIO()
    frames[0].save(written, "PNG", save_all=True, append_images=frames[1:])
    return written.getvalue()


def _turned(draw: Draw) -> bytes:
    exif, written = Image.Exif(), io.BytesIO()
    exif[0x0112] = draw.choice((0, 3, 6, 8, 9, 65_535))
    Image.open(io.BytesIO(picture(draw, mode="L"))).convert("L").save(written, "JPEG", exif=exif)
    return written.getvalue()


PICTURES: tuple[Callable[[Draw], bytes], ...] = (
    lambda draw: png(draw.choice((2**31 - 1, 100_000, 9_999)), draw.choice((1, 9_999, 2**31 - 1)), data=b""),
    lambda draw: png(4_800, 4_800, depth=16, colour=draw.choice((0, 2, 4, 6)), data=zlib.compress(bytes(99))),
    lambda draw: png(9_000, 2_600),
    lambda draw: png(draw.choice((0, 5)), 0),
    lambda draw: png(*draw.choice(((1, 10_000), (10_000, 1), (1, 1), (2, 2)))),
    lambda draw: png(28, 28, depth=draw.choice((0, 3, 7, 32)), colour=draw.choice((1, 5, 7, 255))),
    lambda draw: _PNG + chunk(b"IHDR", bytes(13), draw.choice((0, 2**31, 2**32 - 1))),
    _palette,
    _texts_inside,
    _other_format,
    _animated,
    _turned,
    lambda draw: b"<svg xmlns='http://www.w3.org/2000/svg'/>",
)


def _picture_bytes(draw: Draw, good: bool) -> tuple[str, bytes]:
    if good:
        return "good", picture(draw, "PNG", "L")
    if draw.random() < 0.6:
        return damaged(picture(draw), draw)
    number = draw.randrange(len(PICTURES))
    return f"made by hand, {number}", PICTURES[number](draw)


def pictures(draw: Draw, folder: Path, good: bool) -> Case:
    """Make a case of a picture, or of what stands where one should be."""
    application, *verb = draw.choice(
        (
            "digits classify",
            "digits inspect",
            "ocr read",
            "ocr read --letters",
            "digits evaluate --folder",
            "ocr evaluate --words",
        )
    ).split()
    if not good and draw.random() < 0.1:
        path = folder / "given.png"
        target = draw.choice(("/dev/zero", "/dev/null", "nowhere", ".", "given.png", "/etc"))
        path.symlink_to(target)
        return command(
            f"a link to {target}", application, verb[0], *_letters(verb), path, "--json", refused=True
        )
    what, data = _picture_bytes(draw, good)
    if verb[0] == "evaluate":
        (folder / "own" / "3").mkdir(parents=True)
        (folder / "own" / "3" / "one.png").write_bytes(data)
        if verb[1] == "--folder":
            return command(what, application, *verb, folder / "own", "--json")
        rows = "picture,text\nown/3/one.png,three\n"
        return command(what, application, *verb, given(folder, draw, ".csv", rows.encode(), good), "--json")
    path = given(folder, draw, draw.choice((".png", ".jpg", "", ".PNG")), data, good)
    return command(what, application, verb[0], *_letters(verb), "--json", "--", path)


def _letters(verb: list[str]) -> list[str]:
    return [word for word in verb[1:] if word == "--letters"]

"""Pictures from outside: what is read, and what is refused with one clear message."""

from __future__ import annotations

import io
import struct
import subprocess
import sys
import zlib
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from data_prep.errors import InputError
from data_prep.images.decoding import MAX_BYTES, WORKING_SIDE, read_gray

ROOT = Path(__file__).resolve().parents[2]


def encoded(image: Image.Image, kind: str = "PNG", **options: object) -> bytes:
    file = io.BytesIO()
    image.save(file, kind, **options)
    return file.getvalue()


def gradient(height: int = 40, width: int = 60) -> np.ndarray:
    return np.add.outer(np.linspace(0, 150, height), np.linspace(0, 100, width)).astype(np.uint8)


def png_claiming(width: int, height: int) -> bytes:
    """A PNG of a few bytes whose header claims a size."""
    header = struct.pack(">IIBBBBB", width, height, 8, 0, 0, 0, 0)
    chunks = ((b"IHDR", header), (b"IDAT", zlib.compress(b"\0" * 1000)), (b"IEND", b""))
    body = b"".join(
        struct.pack(">I", len(data)) + name + data + struct.pack(">I", zlib.crc32(name + data))
        for name, data in chunks
    )
    return b"\x89PNG\r\n\x1a\n" + body


@pytest.mark.parametrize("mode", ["L", "RGB", "RGBA", "LA", "P", "I;16"])
def test_modes_of_png_give_the_same_gray(mode: str) -> None:
    gray = gradient()
    deep = mode == "I;16"
    image = Image.fromarray(gray.astype(np.uint16) * 257) if deep else Image.fromarray(gray).convert(mode)
    found = read_gray(encoded(image))
    assert found.size == (60, 40)
    assert found.gray.dtype == np.float32
    np.testing.assert_allclose(found.gray, gray / 255.0, atol=1.5 / 255)


@pytest.mark.parametrize("mode", ["L", "RGB", "CMYK"])
def test_modes_of_jpeg_give_the_same_gray(mode: str) -> None:
    image = Image.fromarray(gradient()).convert("RGB").convert(mode)
    found = read_gray(encoded(image, "JPEG", quality=95)).gray
    np.testing.assert_allclose(found, gradient() / 255.0, atol=0.03)


def test_one_bit_is_black_and_white() -> None:
    image = Image.new("1", (20, 10), 1)
    image.putpixel((3, 4), 0)
    found = read_gray(encoded(image)).gray
    assert found[4, 3] == 0.0 and found.sum() == 199.0


def test_transparency_lies_on_white() -> None:
    image = Image.new("RGBA", (20, 20), (0, 0, 0, 0))
    image.paste((0, 0, 0, 255), (5, 5, 10, 10))
    found = read_gray(encoded(image)).gray
    assert found[0, 0] == 1.0 and found[7, 7] == 0.0


def test_white_on_transparent_lies_on_black() -> None:
    image = Image.new("RGBA", (20, 20), (0, 0, 0, 0))
    image.paste((255, 255, 255, 255), (5, 5, 10, 10))
    found = read_gray(encoded(image)).gray
    assert found[0, 0] == 0.0 and found[7, 7] == 1.0


@pytest.mark.parametrize("orientation", range(1, 9))
@pytest.mark.parametrize("kind", ["PNG", "JPEG"])
def test_the_cameras_rotation_counts(orientation: int, kind: str) -> None:
    from PIL import ImageOps

    image = Image.fromarray(gradient())
    exif = Image.Exif()
    exif[0x0112] = orientation
    content = encoded(image, kind, exif=exif)
    with Image.open(io.BytesIO(content)) as opened:
        expected = np.asarray(ImageOps.exif_transpose(opened).convert("L"), np.float32) / 255.0
    np.testing.assert_allclose(read_gray(content).gray, expected, atol=1e-6)


def test_large_pictures_are_averaged_down() -> None:
    values = np.zeros((1000, 2001), np.uint8)
    values[:, 1000:] = 255
    found = read_gray(encoded(Image.fromarray(values)))
    assert found.size == (2001, 1000)
    assert max(found.gray.shape) <= WORKING_SIDE
    assert found.gray[:, 0].max() == 0.0 and found.gray[:, -1].min() == 1.0


def test_averaging_is_over_blocks() -> None:
    values = np.random.default_rng(1).random((600, 700), np.float32)
    found = read_gray(values).gray
    assert found.shape == (300, 350)
    np.testing.assert_allclose(found[3, 5], values[6:8, 10:12].mean(), rtol=1e-5)


def test_sixteen_bits_of_colour_are_read() -> None:
    rows = b"".join(b"\0" + struct.pack(">3H", 65535, 65535, 65535) * 4 for _ in range(3))
    header = struct.pack(">IIBBBBB", 4, 3, 16, 2, 0, 0, 0)
    chunks = ((b"IHDR", header), (b"IDAT", zlib.compress(rows)), (b"IEND", b""))
    content = b"\x89PNG\r\n\x1a\n" + b"".join(
        struct.pack(">I", len(data)) + name + data + struct.pack(">I", zlib.crc32(name + data))
        for name, data in chunks
    )
    np.testing.assert_allclose(read_gray(content).gray, 1.0)


def animated(kind: str) -> bytes:
    frames = [Image.new("L", (10, 10), shade) for shade in (0, 100, 200)]
    return encoded(frames[0], kind, save_all=True, append_images=frames[1:])


BAD_FILES = {
    "empty": (b"", "is empty"),
    "text": (b"hello there, this is no picture", "is no PNG or JPEG"),
    "gif": (animated("GIF"), "but a GIF"),
    "pdf": (b"%PDF-1.7\n" + b"x" * 100, "but a PDF"),
    "bmp": (encoded(Image.new("L", (5, 5)), "BMP"), "but a BMP"),
    "webp": (b"RIFF\x10\0\0\0WEBPVP8 " + b"\0" * 20, "but a WebP"),
    "animated png": (animated("PNG"), "is animated"),
    "cut short": (encoded(Image.fromarray(gradient(200, 200)))[:-400], "is damaged"),
    "cut jpeg": (encoded(Image.fromarray(gradient(200, 200)), "JPEG")[:-400], "is damaged"),
    "bomb": (png_claiming(50_000, 50_000), "is too large"),
    "strip": (encoded(Image.new("L", (20_000, 2))), "is too large"),
    "high strip": (encoded(Image.new("L", (2, 20_000))), "is too large"),
    "many pixels": (png_claiming(6_000, 4_001), "is too large"),
    "many bytes": (b"\x89PNG" + b"\0" * MAX_BYTES, "is too large"),
}


@pytest.mark.parametrize("name", BAD_FILES)
def test_bad_files_have_one_clear_message(name: str) -> None:
    content, message = BAD_FILES[name]
    with pytest.raises(InputError, match=message) as caught:
        read_gray(content, "digit.png")
    assert str(caught.value).startswith("digit.png ")


BAD_ARRAYS = {
    "one axis": (np.zeros(10, np.uint8), "wrong shape"),
    "two channels": (np.zeros((5, 5, 2), np.uint8), "wrong shape"),
    "no pixels": (np.zeros((0, 5), np.uint8), "no pixels"),
    "too large": (np.zeros((2, 20_000), np.uint8), "too large"),
    "integers": (np.zeros((5, 5), np.int64), "wrong type"),
    "text": (np.full((5, 5), "a"), "wrong type"),
    "not a number": (np.full((5, 5), np.nan), "out of range"),
    "above one": (np.full((5, 5), 1.5), "out of range"),
    "below zero": (np.full((5, 5), -0.5), "out of range"),
}


@pytest.mark.parametrize("name", BAD_ARRAYS)
def test_bad_arrays_have_one_clear_message(name: str) -> None:
    values, message = BAD_ARRAYS[name]
    with pytest.raises(InputError, match=message):
        read_gray(values)


def test_what_is_no_image_at_all() -> None:
    with pytest.raises(InputError, match="This is no image"):
        read_gray(17)  # type: ignore[arg-type]


def test_missing_file_and_folder(tmp_path: Path) -> None:
    with pytest.raises(InputError, match="There is no file"):
        read_gray(tmp_path / "nothing.png")
    with pytest.raises(InputError, match="cannot be read"):
        read_gray(tmp_path)


MEMORY_SCRIPT = """
import io, resource, sys
import numpy as np
from PIL import Image, PngImagePlugin, JpegImagePlugin
from data_prep.errors import InputError
from data_prep.images.preparation import prepare_digit
content = open(sys.argv[1], "rb").read()
small = np.zeros((60, 60), np.uint8); small[20:40, 28:32] = 255
prepare_digit(small)  # imports are no part of the question
before = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
try:
    prepare_digit(content)
except InputError as error:
    print(error, file=sys.stderr)
print((resource.getrusage(resource.RUSAGE_SELF).ru_maxrss - before) // 1024)
"""


def largest_files() -> dict[str, bytes]:
    stroke = (2000, 1000, 2200, 3000)
    rgba = Image.new("RGBA", (6000, 4000), (255, 255, 255, 255))
    rgba.paste((0, 0, 0, 255), stroke)
    cmyk = Image.new("CMYK", (6000, 4000), (0, 0, 0, 0))
    cmyk.paste((0, 0, 0, 255), stroke)
    deep = Image.fromarray(np.full((4000, 6000), 65535, np.uint16))
    return {
        "rgba": encoded(rgba, compress_level=1),
        "cmyk": encoded(cmyk, "JPEG"),
        "progressive": encoded(rgba.convert("RGB"), "JPEG", progressive=True),
        "16 bit": encoded(deep, compress_level=1),
        "bomb": png_claiming(50_000, 50_000),
    }


@pytest.mark.skipif(sys.platform != "linux", reason="ru_maxrss has other units elsewhere")
def test_the_largest_pictures_take_at_most_200_mb(tmp_path: Path) -> None:
    for name, content in largest_files().items():
        path = tmp_path / "picture"
        path.write_bytes(content)
        done = subprocess.run(
            [sys.executable, "-c", MEMORY_SCRIPT, str(path)],
            cwd=ROOT, capture_output=True, text=True, timeout=120, check=True,
        )  # fmt: skip
        assert int(done.stdout) < 200, f"{name}: {done.stdout}"


def test_a_jpeg_of_very_many_scans_is_refused() -> None:
    whole = encoded(Image.fromarray(gradient()), "JPEG", progressive=True)
    assert read_gray(whole).gray.shape == (40, 60)
    scan = whole[whole.rindex(b"\xff\xda") : -2]
    with pytest.raises(InputError, match="too many scans"):
        read_gray(whole[:-2] + 64 * scan + whole[-2:])

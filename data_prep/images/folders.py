"""Images of your own: a folder with a sub-folder for each class, prepared as everything else is."""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import NamedTuple

import numpy as np

from data_prep.errors import InputError
from data_prep.files import visible_files
from data_prep.images.preparation import LabelledImages, PreparedImage, image_bytes, prepare_digit

SUFFIXES = (".png", ".jpg", ".jpeg")
MAX_IMAGES = 200_000
MAX_CLASSES = 1000


class ImageFolder(NamedTuple):
    """Prepared images with their classes, the names of these, the path of each image, and the SHA-256 of all."""

    found: LabelledImages
    classes: tuple[str, ...]
    files: tuple[Path, ...]
    checksum: str


def read_image_folder(
    folder: Path,
    progress: Callable[[int, int], None] | None = None,
    prepare: Callable[[Path], PreparedImage] = prepare_digit,
) -> ImageFolder:
    """Read and prepare every image of a folder.

    Args:
        folder: Each of its sub-folders is a class and holds PNG and JPEG files, further sub-folders included; names
            that begin with a dot are passed over.
        progress: Called with the number of images done and the number in all.
        prepare: Makes of a file what the network reads, of one size.

    Returns:
        The images; classes and files are sorted by name.

    Raises:
        InputError: It is no folder, has fewer than two classes or an empty one, holds another file, or an image cannot
            be used; the file is named.
    """
    files = list_images(folder)
    every = [path for inside in files.values() for path in inside]
    if len(every) > MAX_IMAGES:
        raise InputError(
            f"{folder} holds too many images", allowed=f"at most {MAX_IMAGES:,}", received=len(every)
        )
    named = [(path.relative_to(folder).as_posix(), path) for path in every]
    images, checksum = read_images(named, prepare, progress)
    labels = np.repeat(np.arange(len(files)), [len(inside) for inside in files.values()])
    return ImageFolder(LabelledImages(np.stack(images), labels), tuple(files), tuple(every), checksum)


def read_images(
    named: Sequence[tuple[str, Path]],
    prepare: Callable[[Path], PreparedImage],
    progress: Callable[[int, int], None] | None = None,
) -> tuple[list[np.ndarray], str]:
    """Read and prepare images, uint8 each; and give the SHA-256 of the names that come with them, and of all images."""
    images, digest = [], hashlib.sha256()
    for number, (name, path) in enumerate(named, start=1):
        images.append(image_bytes(prepare(path)))
        digest.update(name.encode("utf-8", "surrogateescape") + b"\0" + images[-1].tobytes())
        if progress is not None:
            progress(number, len(named))
    return images, digest.hexdigest()


def list_images(folder: Path) -> dict[str, list[Path]]:
    """List the images of each class; as :func:`read_image_folder`, without opening one."""
    if not folder.is_dir():
        raise InputError(f"{folder} is no folder", allowed="a folder with one sub-folder a class")
    names = sorted(path.name for path in folder.iterdir() if path.is_dir() and not path.name.startswith("."))
    for name in (folder.name, *names):
        if not name.isprintable():  # so are names that are no UTF-8: a preset could not be written
            raise InputError("The name of a folder cannot be written", allowed="UTF-8", received=name)
    if not 2 <= len(names) <= MAX_CLASSES:
        raise InputError(
            f"{folder} does not hold classes",
            allowed=f"2 to {MAX_CLASSES} sub-folders, one a class",
            received=f"{len(names)} sub-folders",
        )
    found = {}
    for name in names:
        found[name] = visible_files(folder / name, SUFFIXES, "image")
        if not found[name]:
            raise InputError(f"The class {name} has no images", allowed="files " + ", ".join(SUFFIXES))
    return found

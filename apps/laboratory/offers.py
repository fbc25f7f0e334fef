"""What the page offers for each task (``tasks.toml``), and data of one's own: paths that may be read, and uploads."""

from __future__ import annotations

import gzip
import hashlib
import io
import os
import shutil
import tempfile
import time
import zipfile
import zlib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from functools import cache
from pathlib import Path, PurePosixPath
from typing import Any

from apps.laboratory.runs import LABORATORY, RUNS
from data_prep.array_files import PACKINGS
from data_prep.datasets import DATA_DIR_VARIABLE
from data_prep.errors import InputError
from data_prep.files import toml_beside, write_bytes, writing_to
from data_prep.readers.labelled_texts import Row, iter_csv
from models.presets.search import VARIABLE, in_reach

MOST_MEBIBYTES = 10  # of an upload, as .streamlit/config.toml says
_MOST_UNPACKED = 200 * 2**20
_MOST_FILES = 20_000  # of a zip
_UNUSED_SECONDS = 3600.0


@dataclass(frozen=True)
class Source:
    """Data that the page offers: what they are called, options of ``fit``, the data set that they need."""

    title: str
    options: Mapping[str, Any] = field(default_factory=dict)
    set: str | None = None
    recipe: str | None = None


@dataclass(frozen=True)
class Own:
    """Data of one's own: the option that they go in, what they are, how the names of their files end."""

    option: str
    title: str
    files: tuple[str, ...]
    many: bool = False
    recipe: str | None = None


@dataclass(frozen=True)
class Main:
    """A setting that matters; without bounds it is a choice or a text."""

    key: str
    title: str
    unit: str = ""
    low: float | None = None
    high: float | None = None
    step: float | None = None


@dataclass(frozen=True)
class Offer:
    """What is offered for a task."""

    name: str
    title: str
    network: str
    sources: tuple[Source, ...]
    own: tuple[Own, ...]
    settings: tuple[Main, ...]
    network_option: tuple[str, ...] = ()


@cache
def offers() -> dict[str, Offer]:
    """Return all offers by the names of tasks."""
    return {name: _read(name, said) for name, said in toml_beside(__file__, "tasks.toml").items()}


def _read(name: str, said: Mapping[str, Any]) -> Offer:
    return Offer(
        name,
        said["title"],
        said["network"],
        tuple(Source(**one) for one in said["sources"]),
        tuple(Own(**{**one, "files": tuple(one["files"])}) for one in said["own"]),
        tuple(Main(**one) for one in said["settings"]),
        tuple(said.get("network_option", ())),
    )


def allowed_path(text: str) -> Path:
    """Return the path that a visitor typed.

    Raises:
        InputError: It is outside of the folders that a visitor may read, or nothing is there.
    """
    named = os.environ.get(VARIABLE, "").split(os.pathsep)
    folders = [RUNS, *(Path(one) for one in (os.environ.get(DATA_DIR_VARIABLE), *named) if one)]
    try:
        path = Path(text).resolve()
    except (OSError, ValueError, RuntimeError):
        raise InputError("There is no such file or folder", received=text) from None
    if not any(path.is_relative_to(folder.resolve()) for folder in folders):
        raise InputError(
            "The page reads no such path",
            allowed=f"what is in runs/, or in the folders that {DATA_DIR_VARIABLE} and {VARIABLE} name",
            received=text,
            remedy="The command line reads every path: copy the command",
        )
    if not os.path.exists(path):  # of a name that is too long too
        raise InputError("There is no such file or folder", received=text)
    return path


def checked_text(text: str) -> str:
    """Return a setting that may name a preset or a file.

    Raises:
        InputError: It names a file or folder that a visitor may not read.
    """
    if text not in in_reach() and (os.sep in text or os.path.exists(text)):
        allowed_path(text)
    return text


def keep_upload(own: Own, files: Sequence[tuple[str, bytes]]) -> list[Path]:
    """Write uploaded files into the laboratory's folder; return what the task's option takes.

    Raises:
        InputError: They are too large, of another format, or cannot be written.
    """
    size = sum(len(content) for _, content in files)
    if size > MOST_MEBIBYTES * 2**20:
        raise InputError(
            "The upload is too large", allowed=f"{MOST_MEBIBYTES} MiB", received=f"{size / 2**20:.0f} MiB",
            remedy=f"Put the files into the folder that {DATA_DIR_VARIABLE} names, and give their path",
        )  # fmt: skip
    digest = hashlib.sha256(
        repr([(name, hashlib.sha256(content).digest()) for name, content in files]).encode()
    )
    folder = LABORATORY / "uploads" / digest.hexdigest()[:16]
    for name, content in files:
        _check(own, name, content)
    paths = []
    with writing_to(folder):
        for at, (name, content) in enumerate(files):
            path = folder / str(at) / Path(name).name
            if _ends(name, ".zip"):
                paths.append(_unpacked(content, path.with_suffix("")))
                continue
            if not path.exists():
                write_bytes(path, content)
            paths.append(path)
    return [_table_in(paths[0])] if own.option == "words" else paths


def _ends(name: str, *ends: str) -> bool:
    """Whether a name has one of the ends, in upper or lower case."""
    return name.lower().endswith(ends)


def _check(own: Own, name: str, content: bytes) -> None:
    """Refuse a file that is not what its name says."""
    if not _ends(name, *own.files):
        raise InputError("The file has another format", allowed=", ".join(own.files), received=name)
    if _ends(name, ".zip"):
        _check_zip(name, content)
        return
    try:
        if _ends(name, ".gz"):
            with gzip.open(io.BytesIO(content)) as file:
                content = file.read(_MOST_UNPACKED + 1)
        if len(content) > _MOST_UNPACKED:
            raise InputError(f"{name} is too large", allowed=f"{_MOST_UNPACKED >> 20} MiB unpacked")
        content.decode("utf-8")
    except UnicodeDecodeError:
        raise InputError(f"{name} is no text in UTF-8", remedy="Save it as UTF-8") from None
    except (OSError, EOFError, zlib.error) as error:
        raise InputError(f"{name} is no gzip file, or damaged ({error})") from None


def _check_zip(name: str, content: bytes) -> None:
    try:
        with zipfile.ZipFile(io.BytesIO(content)) as archive:
            infos = archive.infolist()
    except (zipfile.BadZipFile, OSError, ValueError, NotImplementedError):
        raise InputError(f"{name} is no zip file, or damaged") from None
    if any(info.compress_type not in PACKINGS for info in infos):
        raise InputError(f"{name} is packed in another way", allowed="deflate, as most programs pack a zip")
    size = sum(info.file_size for info in infos)
    if size > _MOST_UNPACKED or len(infos) > _MOST_FILES:
        raise InputError(
            f"{name} is too large unpacked", allowed=f"{_MOST_UNPACKED >> 20} MiB and {_MOST_FILES:,} files",
            received=f"{size >> 20} MiB and {len(infos):,} files",
        )  # fmt: skip
    inside = [PurePosixPath(info.filename) for info in infos]
    if any(path.is_absolute() or ".." in path.parts for path in inside):
        raise InputError(f"{name} has files outside of its folder")


def _table_in(folder: Path) -> Path:
    """Return the CSV file of an unpacked folder, which names pictures of that folder only."""
    path = next((one for one in folder.rglob("*") if _ends(one.name, ".csv") and one.is_file()), None)
    if path is None:
        raise InputError("The zip has no CSV file", allowed="a CSV file with the columns picture and text")
    return check_words(path)


def check_words(path: Path) -> Path:
    """Return a CSV file of words, read as a training reads it; refuse one that names a picture of another folder."""
    named = (PurePosixPath(row.label) for row in iter_csv(path, "text", "picture") if isinstance(row, Row))
    if wrong := next((one for one in named if one.is_absolute() or ".." in one.parts), None):
        raise InputError(
            f"{path.name} names a picture outside of its folder",
            received=str(wrong),
            remedy="Put it into the zip",
        )
    return path


def _unpacked(content: bytes, folder: Path) -> Path:
    """Unpack a checked zip; return the folder inside where there is one alone."""
    if not folder.is_dir():
        folder.parent.mkdir(parents=True, exist_ok=True)
        with tempfile.TemporaryDirectory(dir=folder.parent) as temporary:
            try:
                with zipfile.ZipFile(io.BytesIO(content)) as archive:
                    archive.extractall(
                        temporary, [info for info in archive.infolist() if "__MACOSX" not in info.filename]
                    )
            except (zipfile.BadZipFile, RuntimeError, EOFError, zlib.error) as error:
                raise InputError(
                    f"The zip cannot be unpacked ({error})", allowed="a whole zip without a password"
                ) from None
            Path(temporary).rename(folder)
    inside = list(folder.iterdir())
    return inside[0] if len(inside) == 1 and inside[0].is_dir() else folder


def remove_uploads() -> None:
    """Remove uploads that no run learns from, if they are older than an hour: a run may be put together now."""
    orders = " ".join(path.read_text(encoding="utf-8") for path in LABORATORY.glob("*/order.json"))
    for folder in (LABORATORY / "uploads").glob("*"):
        if folder.name not in orders and time.time() - folder.stat().st_mtime > _UNUSED_SECONDS:
            shutil.rmtree(folder, ignore_errors=True)

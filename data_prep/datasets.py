"""The registry of data sets (``datasets.toml``) and where each lies on this machine.

A set is looked for in the folder that ``LECTERN_DATA_DIR`` names, then in the user's cache folder, and is
downloaded from its publisher as the last resort.
"""

from __future__ import annotations

import os
import tarfile
import tomllib
import zipfile
import zlib
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from types import MappingProxyType

from data_prep.downloads import download, unzip_member
from data_prep.errors import InputError

DATA_DIR_VARIABLE = "LECTERN_DATA_DIR"


@dataclass(frozen=True)
class DataFile:
    """One file of a set.

    Args:
        name: Its name in the set's folder, as downloaded.
        url: Where the publisher serves it; None if nobody serves this very file.
        checksum: ``sha256:...`` or ``md5:...`` of what the URL serves.
        max_bytes: A download beyond it is refused.
        other_names: Further names under which it may lie in a data folder (a compressed copy).
        member: The file of the downloaded zip archive that becomes ``name``.
        member_bytes: Size of that member.
        accept: Media type that the server is asked for.
    """

    name: str
    url: str | None = None
    checksum: str | None = None
    max_bytes: int = 0
    other_names: Sequence[str] = ()
    member: str | None = None
    member_bytes: int = 0
    accept: str = "*/*"


@dataclass(frozen=True)
class Dataset:
    """One data set.

    Args:
        name: Its name here and its folder's name.
        files: The files by part.
        homepage: The publisher's page.
        licence: What may be done with it.
        citation: What to cite.
        counts: What a reader must find and assert.
        note: What to know before use.
    """

    name: str
    files: Mapping[str, DataFile]
    homepage: str
    licence: str
    citation: str
    counts: Mapping[str, int]
    note: str = ""


def locate(name: str) -> Path:
    """Find a data set, downloading it if need be.

    Args:
        name: A name of ``DATASETS``.

    Returns:
        The file of a set of one file, the folder of a set of several.

    Raises:
        InputError: If the name is unknown, ``LECTERN_DATA_DIR`` is not a folder, or the set is nowhere and
            cannot be downloaded; nothing half-done is left behind.
    """
    paths = list(locate_files(name).values())
    return paths[0] if len(paths) == 1 else paths[0].parent


def locate_files(name: str) -> dict[str, Path]:
    """Find the files of a data set by part, downloading them if need be.

    Args:
        name: A name of ``DATASETS``.

    Returns:
        The path of each part (``train``, ``dev``, ...); a compressed copy counts too.

    Raises:
        InputError: As ``locate``.
    """
    if name not in DATASETS:
        raise InputError("There is no such data set", allowed=", ".join(DATASETS), received=name)
    dataset = DATASETS[name]
    cache = _cache_dir() / name
    for folder in (*_data_dirs(name), cache):
        if found := _present(dataset, folder):
            return found
    if any(file.url is None for file in dataset.files.values()):
        raise InputError(
            f"The data set {name} is not on this machine and nobody serves it",
            allowed=f"a folder {name} in the folder that {DATA_DIR_VARIABLE} names",
            remedy=dataset.note or None,
        )
    for file in dataset.files.values():
        _download(dataset, file, cache / file.name)
    return {part: cache / file.name for part, file in dataset.files.items()}


def check_counts(name: str, path: Path, found: Mapping[str, int]) -> None:
    """Refuse a file that does not hold what the registry says; ``found`` are some of its counts."""
    wanted = {unit: DATASETS[name].counts[unit] for unit in found}
    if found != wanted:
        listed = [
            ", ".join(f"{number:,} {unit.replace('_', ' ')}" for unit, number in counts.items())
            for counts in (wanted, found)
        ]
        raise InputError(
            f"{path} is not the whole data set {name}",
            allowed=listed[0],
            received=listed[1],
            remedy="Remove the file, so that it is downloaded again",
        )


@contextmanager
def reading_archive(path: Path) -> Iterator[None]:
    """Turn what a damaged archive raises into an InputError."""
    try:
        yield
    except (zipfile.BadZipFile, tarfile.TarError, EOFError, zlib.error, OSError) as error:
        raise InputError(
            f"{path} is no such archive, or damaged ({error})",
            remedy="Remove the file, so that it is downloaded again",
        ) from error


def at_hand(name: str) -> bool:
    """Say whether a data set, a name of ``DATASETS``, is on this machine already; nothing is downloaded."""
    folders = (*_data_dirs(name), _cache_dir() / name)
    return any(_present(DATASETS[name], folder) for folder in folders)


def _data_dirs(name: str) -> list[Path]:
    value = os.environ.get(DATA_DIR_VARIABLE)
    if not value:
        return []
    if not Path(value).is_dir():
        raise InputError(
            f"{DATA_DIR_VARIABLE} does not name a folder", allowed="an existing folder", received=value
        )
    return [Path(value) / name]


def _cache_dir() -> Path:
    import platformdirs  # here, so that importing this module stays cheap

    return Path(platformdirs.user_cache_dir("lectern")) / "data"


def _present(dataset: Dataset, folder: Path) -> dict[str, Path]:
    """Find every file of a set in a folder; nothing if one is missing."""
    found = {}
    for part, file in dataset.files.items():
        paths = (folder / name for name in (file.name, *file.other_names))
        found[part] = next((path for path in paths if path.is_file()), None)
    return {} if None in found.values() else found


def _download(dataset: Dataset, file: DataFile, target: Path) -> None:
    """Bring one file to its place in the cache, whole and checked, or leave nothing."""
    remedy = (
        f"Try again, or get it from {dataset.homepage}, put it into a folder {dataset.name} "
        f"and set {DATA_DIR_VARIABLE} to the folder above"
    )
    if target.is_file():
        return
    served = target.with_name(f"{target.name}.zip") if file.member else target
    download(file.url, served, file.checksum, file.max_bytes, accept=file.accept, remedy=remedy)
    if file.member:
        try:
            unzip_member(served, file.member, target, file.member_bytes)
        finally:
            served.unlink()


def _registry() -> dict[str, Dataset]:
    found = {}
    for name, row in tomllib.loads(Path(__file__).with_suffix(".toml").read_text(encoding="utf-8")).items():
        files = {part: DataFile(**file) for part, file in row.pop("files").items()}
        found[name] = Dataset(name, files, **row)
    return found


DATASETS: Mapping[str, Dataset] = MappingProxyType(_registry())

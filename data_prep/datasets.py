"""The registry of data sets (``datasets.toml``) and where each lies on this machine.

A set is looked for in the folder that ``LECTERN_DATA_DIR`` names, then in the user's cache folder, and is
downloaded from its publisher as the last resort.
"""

from __future__ import annotations

import importlib.util
import os
import shutil
import tarfile
import time
import zipfile
import zlib
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from types import MappingProxyType
from typing import Any
from urllib.parse import urlsplit

from data_prep.errors import InputError
from data_prep.files import atomic_writer, toml_beside

DATA_DIR_VARIABLE = "LECTERN_DATA_DIR"
TIMEOUT_S = 30.0  # of silence
DEADLINE_S = 3600.0
_CHUNK_BYTES = 1 << 16


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
    """Find a data set of ``DATASETS``, downloading it if need be: the file of a set of one file, else the folder.

    Raises:
        InputError: If the name is unknown, ``LECTERN_DATA_DIR`` is not a folder, or the set is nowhere and
            cannot be downloaded; nothing half-done is left behind.
    """
    paths = list(locate_files(name).values())
    return paths[0] if len(paths) == 1 else paths[0].parent


def locate_files(name: str) -> dict[str, Path]:
    """Find the files of a set by part (``train``, ``dev``, ...), as :func:`locate`; a compressed copy counts too."""
    if name not in DATASETS:
        raise InputError("There is no such data set", allowed=", ".join(DATASETS), received=name)
    if found := _on_this_machine(name):
        return found
    dataset, cache = DATASETS[name], _cache_dir() / name
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
    return bool(_on_this_machine(name))


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


def _on_this_machine(name: str) -> dict[str, Path]:
    """Return the files of a set by part; nothing if no folder has all of them."""
    for folder in (*_data_dirs(name), _cache_dir() / name):
        found = {}
        for part, file in DATASETS[name].files.items():
            paths = (folder / own for own in (file.name, *file.other_names))
            found[part] = next((path for path in paths if path.is_file()), None)
        if None not in found.values():
            return found
    return {}


def _download(dataset: Dataset, file: DataFile, target: Path) -> None:
    """Bring one file to its place in the cache, whole and checked, or leave nothing.

    pooch downloads under a temporary name, checks the hash, and moves the file only if it is right. What pooch lacks
    is here: https only (redirects too), limits of size and time, and unpacking of bounded size.
    """
    import pooch  # here, so that importing this module stays cheap
    import requests

    if target.is_file():
        return
    served = target.with_name(f"{target.name}.zip") if file.member else target
    try:
        target.parent.mkdir(parents=True, exist_ok=True)
        pooch.get_logger().setLevel("WARNING")
        pooch.retrieve(file.url, file.checksum, served.name, served.parent, downloader=partial(_fetch, file))
        if file.member:
            _unzip(file, served, target)
    except InputError:
        raise
    except (OSError, ValueError, zipfile.BadZipFile, requests.RequestException) as error:
        reason = f"{type(error).__name__}: {error}".splitlines()[0][:200]
        raise InputError(
            f"The download of {file.url} failed ({reason})",
            remedy=f"Try again, or get it from {dataset.homepage}, put it into a folder {dataset.name} "
            f"and set {DATA_DIR_VARIABLE} to the folder above",
        ) from error
    finally:
        if file.member:
            served.unlink(missing_ok=True)


def _fetch(file: DataFile, url: str, output: str, _: Any) -> None:
    """Stream a file into a place that pooch clears again if anything is raised here."""
    import requests

    _require_https(url)
    deadline, received = time.monotonic() + DEADLINE_S, 0
    with requests.get(url, stream=True, timeout=TIMEOUT_S, headers={"Accept": file.accept}) as response:
        for hop in (*response.history, response):
            _require_https(hop.url)
        response.raise_for_status()
        with Path(output).open("wb") as stream:
            for chunk in response.iter_content(_CHUNK_BYTES):
                received += len(chunk)
                if received > file.max_bytes:
                    raise InputError(
                        f"The download of {url} is larger than it may be", allowed=f"{file.max_bytes} bytes"
                    )
                if time.monotonic() > deadline:
                    allowed = f"{DEADLINE_S:.0f} seconds"
                    raise InputError(f"The download of {url} takes too long", allowed=allowed)
                stream.write(chunk)


def _require_https(url: str) -> None:
    if urlsplit(url).scheme != "https":
        raise InputError("Data is downloaded over https only", allowed="https://...", received=url)


def _unzip(file: DataFile, archive: Path, target: Path) -> None:
    """Unpack the named member of known size; no path of the archive is used."""
    with zipfile.ZipFile(archive) as packed:
        found = packed.getinfo(file.member).file_size if file.member in packed.namelist() else None
        if found != file.member_bytes:
            raise InputError(
                f"The archive {file.url} does not hold {file.member} as expected",
                allowed=f"{file.member_bytes} bytes",
                received=found,
            )
        with packed.open(file.member) as source, atomic_writer(target) as stream:
            shutil.copyfileobj(source, stream, _CHUNK_BYTES)


def _registry() -> dict[str, Dataset]:
    found = {}
    for name, row in toml_beside(__file__).items():
        files = {part: DataFile(**file) for part, file in row.pop("files").items()}
        found[name] = Dataset(name, files, **row)
    return found


DATASETS: Mapping[str, Dataset] = MappingProxyType(_registry())


def gensim_data(name: str) -> Path:
    """Find a file of gensim's test data, such as ``"questions-words.txt"``, without importing gensim."""
    spec = importlib.util.find_spec("gensim")
    for folder in (spec.submodule_search_locations or ()) if spec else ():
        path = Path(folder) / "test" / "test_data" / name
        if path.is_file():
            return path
    raise InputError(f"gensim's file {name} is not installed", remedy="Install the requirements again")

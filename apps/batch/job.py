"""A job: which documents are asked what, where the answers lie, and what of it is done."""

from __future__ import annotations

import fcntl
import glob
import json
import os
from collections import Counter
from collections.abc import Iterable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import asdict, dataclass, field
from itertools import chain
from pathlib import Path
from typing import Any

from data_prep.errors import InputError
from data_prep.fields import Checked, Count
from data_prep.files import UNFINISHED, write_bytes, writing_to
from data_prep.readers.documents import JsonLines

MANIFEST, PARTS, REFUSED = "manifest.jsonl", "parts", "refused"
_FORMAT = 1
_COUNTED = ("documents", "answered", "refused", "bytes", "consumed")


@dataclass(frozen=True)
class Job(Checked):
    """What decides the answers and the files that they lie in; it is the first line of the manifest.

    Args:
        use: Key of ``apps.batch.uses.USES``.
        pattern: Of the names of the files.
        column: Of the documents.
        form: Of the answers: ``"jsonl"``, ``"parquet"`` or ``"conllu"``.
        characters: Of a part, after which it ends.
        options: Of the use.
        preset: Name or folder of the preset, None for the shipped one.
        fingerprint: Of its files.
    """

    use: str
    pattern: str
    column: str
    form: str
    characters: Count
    options: dict[str, str] = field(default_factory=dict)
    preset: str | None = None
    fingerprint: str = ""


@dataclass(frozen=True)
class Input:
    """A file of documents: path, name below the folder that the pattern begins with, size, and when it was changed."""

    path: str
    name: str
    size: int
    changed: int

    @classmethod
    def of(cls, path: Path, root: Path) -> Input:
        """Look at a file."""
        found = path.stat()
        return cls(str(path.absolute()), path.relative_to(root).as_posix(), found.st_size, found.st_mtime_ns)


def find_inputs(pattern: str) -> list[Input]:
    """List the files that fit a pattern, by name; ``**`` stands for any number of folders.

    Raises:
        InputError: There is none, or one has a name that could not be a folder of the answers.
    """
    if Path(pattern).is_file():
        pattern = glob.escape(pattern)  # a name with brackets is a name
    folders = Path(pattern).parts[:-1]
    fixed = next((at for at, one in enumerate(folders) if glob.has_magic(one)), len(folders))
    root = Path(*folders[:fixed])
    paths = sorted({Path(name) for name in glob.glob(pattern, recursive=True)}) if pattern else []
    if not (files := [path for path in paths if path.is_file()]):
        raise InputError(
            "No file fits the pattern",
            allowed="files of JSON objects, one a line, such as 'crawl/*.jsonl.gz'",
            received=pattern,
        )
    with _reading(root):
        inputs = [Input.of(path, root) for path in files]
    for one in inputs:
        if ".." in one.name.split("/") or not one.name.isprintable():
            raise InputError("A name of a file cannot be used", allowed="printable, no ..", received=one.name)
    return inputs


class Manifest:
    """The file that says what is done: the job, then a line for each part whose answers are whole.

    Args:
        folder: Of the output.
        job: What is asked.

    Attributes:
        records: Of the parts, by file and number.
        counts: Of all parts together; ``parts``, and the sums of what the records count.
    """

    def __init__(self, folder: Path, job: Job) -> None:
        self.folder, self.path = folder, folder / MANIFEST
        self.records: dict[str, dict[int, dict[str, Any]]] = {}
        self.counts: Counter[str] = Counter()
        self._head = {"format": _FORMAT, **asdict(job)}

    @contextmanager
    def opened(self) -> Iterator[None]:
        """Take the folder for this process, and read what is done.

        Raises:
            InputError: It is of another job, another process writes to it, or it cannot be written.
        """
        with writing_to(self.folder):
            self.folder.mkdir(parents=True, exist_ok=True)
            others = [path.name for path in self.folder.iterdir() if path.name != ".lock"]
            if others and not self.path.exists():
                raise InputError(
                    f"{self.folder} holds something else", allowed="a new folder", received=others[0]
                )
            lock = (self.folder / ".lock").open("w")
        with lock:
            try:
                fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
            except BlockingIOError:
                raise InputError(
                    f"Another process writes to {self.folder}", remedy="Wait for it, or choose another folder"
                ) from None
            if self.path.exists():
                self._read()
            yield

    @contextmanager
    def begun(self) -> Iterator[None]:
        """Write what is known, take :meth:`add`, and remove what was not finished, before and after."""
        stale = [
            (self.folder / kind / name).glob("*")
            for name, parts in self.records.items()
            for kind in (PARTS, REFUSED)
            if not parts  # the file was changed: it may have fewer parts now
        ]
        self._remove(*stale)
        write_bytes(self.path, b"".join(map(_line, [self._head, *self._all()])))
        with writing_to(self.path):
            self._file = self.path.open("ab")
        with self._file:
            yield
        self._remove()  # of workers that were killed

    def add(self, record: dict[str, Any]) -> None:
        """Note that the answers of a part are whole."""
        self._count(record)
        self.records.setdefault(record["file"], {})[record["part"]] = record
        with writing_to(self.path):
            self._file.write(_line(record))
            self._file.flush()
            os.fsync(self._file.fileno())

    def keep(self, inputs: list[Input], suffix: str) -> None:
        """Forget parts of files that have changed, and parts whose answers are not there.

        Raises:
            InputError: A file is gone before all of it was answered.
        """
        known = {one.name: one for one in inputs}
        for name, parts in self.records.items():
            now = known.get(name)
            if now is None:
                if self.whole(name):
                    continue
                raise InputError(
                    f"{name} was begun and is gone", remedy="Put it back, or choose another folder"
                )
            kept = {
                number: record
                for number, record in parts.items()
                if (record["size"], record["changed"]) == (now.size, now.changed)
                and _size(part_path(self.folder, name, number, suffix)) == record["bytes"]
            }
            self.records[name] = kept
        for record in self._all():
            self._count(record)

    def whole(self, name: str) -> bool:
        """Whether all parts of a file are done."""
        parts = self.records.get(name, {})
        ends = [number for number, record in parts.items() if record["last"]]
        return bool(ends) and len(parts) == max(ends) + 1

    def damaged(self) -> dict[str, str]:
        """Return the files that are not whole, and why."""
        return {record["file"]: record["damage"] for record in self._all() if record["damage"]}

    def _remove(self, *stale: Iterable[Path]) -> None:
        with writing_to(self.folder):
            for rest in chain(self.folder.rglob(f".*{UNFINISHED}"), *stale):
                rest.unlink(missing_ok=True)

    def _all(self) -> list[dict[str, Any]]:
        return [record for parts in self.records.values() for record in parts.values()]

    def _count(self, record: Mapping[str, Any]) -> None:
        self.counts.update({"parts": 1, **{key: record[key] for key in _COUNTED}})

    def _read(self) -> None:
        with _reading(self.path), self.path.open("rb") as file:
            # The last line may have been cut short: its part is answered again.
            lines = [line for line in file if line.endswith(b"\n")]
        try:
            head, *records = map(json.loads, lines)
            before = {key: head[key] for key in self._head}
            for record in records:
                self.records.setdefault(record["file"], {})[record["part"]] = record
        except (ValueError, KeyError, TypeError) as error:
            raise InputError(f"{self.path} cannot be read", remedy="Choose another folder") from error
        if changes := [key for key in self._head if before[key] != self._head[key]]:
            raise InputError(
                f"{self.folder} is of another job: its {', '.join(changes)} differ",
                allowed=", ".join(str(before[key]) for key in changes),
                received=", ".join(str(self._head[key]) for key in changes),
                remedy="Give the same command to go on with it, or choose another folder",
            )


def part_path(folder: Path, name: str, number: int, suffix: str, kind: str = PARTS) -> Path:
    """Return where the answers of a part lie: a folder a file."""
    return folder / kind / name / f"{number:05d}.{suffix}"


def check_inputs(inputs: list[Input], manifest: Manifest, column: str) -> None:
    """Refuse files that cannot be meant, before anything is answered.

    Raises:
        InputError: See :meth:`data_prep.readers.documents.JsonLines.check`.
    """
    for one in inputs:
        if not manifest.whole(one.name):
            JsonLines(Path(one.path), column).check()


def _line(content: Mapping[str, Any]) -> bytes:
    return json.dumps(content, ensure_ascii=False, allow_nan=False).encode() + b"\n"


def _size(path: Path) -> int | None:
    try:
        return path.stat().st_size
    except OSError:
        return None


@contextmanager
def _reading(path: Path) -> Iterator[None]:
    try:
        yield
    except OSError as error:
        raise InputError(f"{path} cannot be read ({error.strerror})") from error

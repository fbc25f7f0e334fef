"""Trainings that are killed at random moments, and gone on with: they end at the bits of an undisturbed one.

    python -m benchmarks.kills --kills 100                about half an hour on one core
    python -m benchmarks.kills --kills 2 --fits digits    a short form

Every application's `fit` on small data, and a run of the laboratory that is kept as a preset. Each is killed (SIGKILL),
in turn before a change that is drawn from those that it makes in its folder (a file or folder is made, renamed or
removed) and at a moment that is drawn from its undisturbed time, which hardly ever meets the short times of writing.
Then it is gone on with by `--resume`, which may be killed again, until all kills are done.
Then files that the disk refuses: a full disk, a folder that cannot be written to, a folder that is taken away.
Each training is a fork of a process that has imported TensorFlow and not begun with it.
"""

from __future__ import annotations

import argparse
import hashlib
import os
import resource
import shutil
import subprocess
import tempfile
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from apps.shared.tables import Column, Rows, Table
from benchmarks.campaign.changes import counted, counter
from benchmarks.campaign.damage import Draw
from benchmarks.campaign.forked import Ended, forked
from benchmarks.campaign.small_fits import (
    FITS,
    LABORATORY,
    asked,
    fit_command,
    laboratory,
    warm_up,
    write_data,
)
from benchmarks.harness import Option, command, report, settings
from data_prep.errors import InputError
from data_prep.files import UNFINISHED
from models.presets.manifest import MANIFEST

NAMES = (*FITS, LABORATORY)
FAULTS = ("full disk", "read-only folder", "folder taken away")
_UNDISTURBED_SECONDS = 600.0
_COMPARED = (".npz", "vocab.json", "config.json", "labels.json", "metrics.json")
_HALF = (UNFINISHED, ".writing-", ".previous")  # in names of what is being written
_SMALL = 1 << 12  # bytes of the full disk, or of its largest file

KILLS = Table(
    "kills",
    "python -m benchmarks.kills --store",
    "training",
    (
        Column("kills", "kills", ",d"),
        Column("before a checkpoint", "begun", ",d"),
        Column("after one", "training", ",d"),
        Column("while a file was written", "writing", ",d"),
        Column("with a preset in place", "placed", ",d"),
        Column("ended", "ended", ",d"),
        Column("other bits", "different", ",d"),
        Column("findings", "findings", ",d"),
        Column("changes", "changes", ",d"),
        Column("undisturbed, s", "seconds", ".1f"),
    ),
    (Rows("fits.*", "{0}"), Rows("all", "all", columns=())),
    "Seed {settings.seed}; {settings.processor}, one core.",
)
FAULTS_TABLE = Table(
    "kills",
    "python -m benchmarks.kills --store",
    "what the disk does",
    (
        Column("trainings", "trainings", ",d"),
        Column("refused", "refused", ",d"),
        Column("findings", "findings", ",d"),
    ),
    (Rows("faults.*", "{0}"),),
)
OPTIONS = {
    "kills": Option(100, "how many, of all trainings in turn"),
    "seed": Option(1, "of all draws"),
    "fits": Option(NAMES, "which trainings", NAMES),
}


class Killed:
    """The trainings of one application: undisturbed, killed, and where the disk refuses."""

    def __init__(self, name: str, place: Path, data: Path, seed: int) -> None:
        self.name, self.place, self._data = name, place, data
        self._draw = Draw(seed, NAMES.index(name))
        self.told: list[str] = []
        self.seen = counter()
        whole = self._fit(False)
        if whole.code != 0:
            raise InputError(f"The training of {name} fails undisturbed", received=whole.stderr[-300:])
        self.bits, self.seconds, self.changes = self.found(), whole.seconds, self.seen.value
        self._names = self._lying()

    def killed(self, kills: int) -> dict[str, Any]:
        """Kill so many times: where it was killed, and how it ended."""
        row = dict.fromkeys(
            ("kills", "begun", "training", "writing", "placed", "ended", "different", "findings"), 0
        )
        fresh = True
        while row["kills"] < kills or not fresh:
            if fresh:
                self.clear()
            last = row["kills"] == kills
            ended = self._fit(not fresh, **{} if last else self._drawn(row["kills"]))
            if ended.code == -9 and not last:
                row["kills"] += 1
                row[self._moment()] += 1
                fresh = False
                continue
            fresh = True
            row["ended"] += 1
            if "exists already" in ended.stderr and not (self.place / "cwd" / "out.run").exists():
                ended = ended._replace(code=0)  # it was killed when all was written: the message is right
            now = self.found()
            row["different"] += now != self.bits
            found = self._findings(ended, now)
            row["findings"] += bool(found)
            self.told += found
        return row | {"changes": self.changes, "seconds": self.seconds}

    def faulty(self, fault: str) -> list[str]:
        """Train where the disk refuses; say what is wrong with how it ends."""
        self.clear()
        with _FAULTS[fault](self):
            ended = self._fit(False)
        found = []
        if ended.code != 2 or "Traceback" in ended.stderr or ended.stderr.count("Error: ") != 1:
            found.append(f"{self.name}, {fault}: exit code {ended.code}, {ended.stderr.strip()[-400:]}")
        self.clear()
        return found

    def _drawn(self, kills: int) -> dict[str, Any]:
        """Draw when it is killed after so many kills: by time and by changes in turn."""
        if kills % 2:
            return {"seconds": self._draw.uniform(0.0, 1.1 * self.seconds)}
        return {"change": self._draw.randint(1, self.changes)}

    def _fit(self, resume: bool, seconds: float = _UNDISTURBED_SECONDS, change: int = 0) -> Ended:
        if self.name == LABORATORY:
            work = laboratory(self._data)
        else:
            words = fit_command(self.name, self._data)
            work = asked([*words, "--resume"] if resume else words)
        return forked(counted(work, self.seen, change), self.place, seconds=seconds, guarded=False)

    def clear(self) -> None:
        """Remove what was trained."""
        shutil.rmtree(self.place / "cwd", ignore_errors=True)

    def found(self) -> dict[str, str]:
        """Return checksums of everything that was trained."""
        files = [path for path in sorted((self.place / "cwd").rglob("*")) if path.name.endswith(_COMPARED)]
        # The name of a run of the laboratory is the time of its order.
        return {"/".join(path.parts[-2:]): hashlib.sha256(path.read_bytes()).hexdigest() for path in files}

    def _lying(self) -> set[str]:
        return {str(path.relative_to(self.place)) for path in (self.place / "cwd").rglob("*")}

    def _moment(self) -> str:
        names = [path.name for path in (self.place / "cwd").rglob("*")]
        if any(mark in name for name in names for mark in _HALF):
            return "writing"
        if MANIFEST in names:
            return "placed"
        saved = any(name.startswith("state-") and name.endswith(".json") for name in names)
        return "training" if saved else "begun"

    def _findings(self, ended: Ended, now: dict[str, str]) -> list[str]:
        found = [] if ended.code == 0 else [f"exit code {ended.code}: {ended.stderr.strip()[-400:]}"]
        if found == [] and now != self.bits:
            found.append(f"other bits: {sorted(dict(now.items() ^ self.bits.items()))[:5]}")
        left = self._lying() - self._names
        if self.name != LABORATORY and left:
            found.append(f"left behind: {sorted(left)}")
        return [f"{self.name}, {one}" for one in found]


@contextmanager
def _full_disk(of: Killed) -> Iterator[None]:
    """Give the training a disk of a few kilobytes, or, without the right to mount one, files of so many at most."""
    folder = of.place / "cwd"
    folder.mkdir(exist_ok=True)
    with _mounted(folder, f"size={4 * _SMALL}") as mounted:
        if mounted:
            yield
            return
        before = resource.getrlimit(resource.RLIMIT_FSIZE)
        resource.setrlimit(resource.RLIMIT_FSIZE, (_SMALL, before[1]))
        try:
            yield
        finally:
            resource.setrlimit(resource.RLIMIT_FSIZE, before)


@contextmanager
def _read_only(of: Killed) -> Iterator[None]:
    folder = of.place / "cwd"
    folder.mkdir(exist_ok=True)
    with _mounted(folder, "ro") as mounted:
        if not mounted:
            folder.chmod(0o500)
        try:
            yield
        finally:
            if not mounted:
                folder.chmod(0o700)


@contextmanager
def _taken_away(of: Killed) -> Iterator[None]:
    """Remove the folder of the run, with all around it, once the training has begun."""
    ended = threading.Event()

    def take() -> None:
        while not list(of.place.glob("cwd/out.run/**/events.jsonl")) and not ended.wait(0.02):
            pass
        ended.wait(0.1 * of.seconds)
        of.clear()

    taker = threading.Thread(target=take)
    taker.start()
    try:
        yield
    finally:
        ended.set()
        taker.join()


@contextmanager
def _mounted(folder: Path, options: str) -> Iterator[bool]:
    """Mount a small file system in memory, if that is allowed."""
    words = ["mount", "-t", "tmpfs", "-o", options, "tmpfs", str(folder)]
    mounted = os.geteuid() == 0 and subprocess.run(words, capture_output=True, check=False).returncode == 0
    try:
        yield mounted
    finally:
        if mounted:
            subprocess.run(["umount", str(folder)], check=True)


_FAULTS: dict[str, Callable[[Killed], Any]] = dict(
    zip(FAULTS, (_full_disk, _read_only, _taken_away), strict=True)
)


def run(options: argparse.Namespace) -> dict[str, Any]:
    """Kill, and let the disk refuse."""
    warm_up()
    fits, told = {}, []
    faults = {fault: {"trainings": 0, "refused": 0, "findings": 0} for fault in FAULTS}
    names = [name for name in NAMES if name in options.fits]
    with tempfile.TemporaryDirectory() as folder:
        data = Path(folder) / "data"
        data.mkdir()
        write_data(data)
        for number, name in enumerate(names):
            place = Path(folder) / name
            place.mkdir()
            one = Killed(name, place, data, options.seed)
            kills = options.kills // len(names) + (number < options.kills % len(names))
            report(f"{name}: {one.seconds:.1f} s undisturbed, {kills} kills ...")
            fits[name] = one.killed(kills)
            for fault in FAULTS if name != LABORATORY else ():
                found = one.faulty(fault)
                faults[fault]["trainings"] += 1
                faults[fault]["refused"] += not found
                faults[fault]["findings"] += bool(found)
                one.told += found
            for line in one.told:
                report(line)
            told += one.told
            shutil.rmtree(place, ignore_errors=True)
    everything = {key: sum(row[key] for row in fits.values()) for key in next(iter(fits.values()))}
    return {"fits": fits, "all": everything, "faults": faults, "told": told, "settings": settings(options)}


def show(found: Any) -> None:
    """Print both tables."""
    from apps.shared.commands import print_report

    for table in (KILLS, FAULTS_TABLE):
        print_report(table.report(found))


main = command(__name__, __doc__, KILLS, run, OPTIONS, show=show)

"""Long work in one process: memory and rate stay level.

    python -m benchmarks.endurance                           1 GB tagged, 5 million lines classified, 1 million
                                                             characters written, vectors of 1 GB: hours
    python -m benchmarks.endurance --minutes 3 --megabytes 60   what three minutes give; vectors of 60 MB
    python -m benchmarks.endurance --size 0.1 --tasks classify

The texts are made: one word in twenty is a new one, so that nothing that remembers words stays small. Memory and work
done are read every second. Of the last two thirds the slope is tested: means of twenty parts, a straight line, and the
95 % interval of its slope. Each task runs in a fork.
"""

from __future__ import annotations

import argparse
import json
import os
import select
import signal
import string
import tempfile
import time
from collections.abc import Callable, Iterator
from contextlib import suppress
from itertools import islice
from pathlib import Path
from random import Random
from typing import Any, NamedTuple

import numpy as np
import psutil

from apps.reviews.application import Reviews
from apps.shared.tables import Column, Rows, Table
from apps.tagger.application import Tagger
from apps.writer.application import Writer
from benchmarks.campaign.hostile_files import good_documents
from benchmarks.harness import THREADS, Option, beside_stored, command, report, settings
from data_prep.errors import InputError

_NEW = 0.05  # of the words
_PARTS = 20  # whose means are compared
_LOOK_SECONDS = 1.0
_OVER = 5  # looks that a rate is taken over: work is told of in pieces
_AT_ONCE = 64  # texts
_PIECE = 2_000  # characters that are written at once


class Work(NamedTuple):
    """A task: how much of it is all, in what unit, and what does it, giving how much is done by now."""

    all: int
    unit: str
    work: Callable[[int, Path], Iterator[int]]


def made_lines(seed: int) -> Iterator[str]:
    """Make texts without end."""
    random = Random(seed)
    known = [text.split() for text, _ in good_documents()]
    while True:
        words = random.choice(known)
        yield " ".join(
            "".join(random.choices(string.ascii_lowercase, k=7)) if random.random() < _NEW else word
            for word in words
        )


def tag(most: int, folder: Path) -> Iterator[int]:
    """Tag bytes of text."""
    tagger, lines, done = Tagger.from_preset(), made_lines(1), 0
    while done < most:
        texts = list(islice(lines, _AT_ONCE))
        tagger.tag_batch(texts)
        done += sum(map(len, texts))
        yield done


def classify(most: int, folder: Path) -> Iterator[int]:
    """Classify lines, as ``reviews classify --lines`` does."""
    answers = Reviews.from_preset().classify_many(islice(made_lines(2), most))
    for done, _ in enumerate(answers, start=1):
        if done % _AT_ONCE == 0:
            yield done


def generate(most: int, folder: Path) -> Iterator[int]:
    """Write characters."""
    writer = Writer.from_preset()
    for piece in range(-(-most // _PIECE)):
        writer.generate("\n", length=_PIECE, seed=piece)
        yield (piece + 1) * _PIECE


def fit_vectors(most: int, folder: Path) -> Iterator[int]:
    """Train word vectors on bytes of text, five passes."""
    from apps.vectors.task import VectorsTask
    from models.training.driver import fit_task

    text, lines, size = folder / "text.txt", made_lines(3), 0
    with text.open("w", encoding="utf-8") as file:
        while size < most:
            size += file.write("\n".join(islice(lines, 1_000)) + "\n")
    yield 0
    out = folder / "out"
    overrides = ("epochs=5", "dimensions=100", "min_count=5")
    fit_task(VectorsTask(), out, options={"text": [text]}, overrides=overrides)
    yield size


TASKS = {
    "tag": Work(1_000_000_000, "bytes", tag),
    "classify": Work(5_000_000, "lines", classify),
    "generate": Work(1_000_000, "characters", generate),
    "vectors": Work(1_000_000_000, "bytes", fit_vectors),
}
ENDURANCE = Table(
    "endurance",
    "python -m benchmarks.endurance --store",
    "work",
    (
        Column("done", "done", ",d"),
        Column("of", "all", ",d"),
        Column("minutes", "minutes", ".1f"),
        Column("a second of processor time", "rate", ",.0f"),
        Column("MiB", "mib", ",.0f"),
        Column("memory, MiB a minute", "{memory.slope:+.2f} ± {memory.interval:.2f}"),
        Column("rate, % a minute", "{rate_change.slope:+.2f} ± {rate_change.interval:.2f}"),
    ),
    (Rows("tasks.*", "{0}, {unit}"),),
    "{settings.processor}, shared with others: rates are those of processor time. ± is the 95 % interval of the slope.",
)
OPTIONS = {
    "size": Option(1.0, "share of the whole work of each"),
    "minutes": Option(0.0, "at most, of each but vectors; 0 for no limit"),
    "megabytes": Option(0, "of text for the vectors; 0 for their share"),
    "tasks": Option(tuple(TASKS), "which work", tuple(TASKS)),
    "threads": THREADS,
}


def slope(minutes: np.ndarray, values: np.ndarray) -> dict[str, float]:
    """Fit a line through the means of parts of the last two thirds: its slope a minute and half its 95 % interval."""
    from scipy.stats import linregress, t

    late = len(values) // 3
    means = [
        [float(np.mean(part)) for part in np.array_split(series[late:], _PARTS)]
        for series in (minutes, values)
    ]
    line = linregress(*means)
    error = line.stderr if np.ptp(means[1]) else 0.0  # of what stays the same to the last digit there is none
    return {"slope": float(line.slope), "interval": float(t.ppf(0.975, _PARTS - 2) * error)}


def smooth_rates(counts: np.ndarray, spent: np.ndarray) -> np.ndarray:
    """Return how much was done a second of processor time, over the last seconds at each of them."""
    back = np.maximum(np.arange(len(counts)) - _OVER, 0)
    steps = np.maximum(spent - spent[back], 1e-9)
    rates = (counts - counts[back]) / steps
    rates[:1] = rates[1:2]
    return rates


def watched(work: Work, most: int, seconds: float, folder: Path) -> dict[str, Any]:
    """Do work in a fork, and read every second how much is done and how much memory is held."""
    reading, writing = os.pipe()
    if (child := os.fork()) == 0:
        code = 1
        try:
            for done in work.work(most, folder):
                os.write(writing, b"%d\n" % done)
            code = 0
        finally:
            os._exit(code)
    os.close(writing)
    process, begun, rows, last, rest = psutil.Process(child), time.monotonic(), [], 0, b""
    while True:
        end = time.monotonic() + _LOOK_SECONDS
        while (left := end - time.monotonic()) > 0 and select.select([reading], [], [], left)[0]:
            piece = os.read(reading, 1 << 16)
            if not piece:
                break
            *whole, rest = (rest + piece).split(b"\n")
            last = int(whole[-1]) if whole else last
        now = time.monotonic() - begun
        if (status := os.waitpid(child, os.WNOHANG))[0] or (seconds and now > seconds):
            break
        with suppress(psutil.Error):  # it may end just now
            held, spent = process.memory_info().rss / 2**20, process.cpu_times()
            if held and (counted := _steps(folder) or last):
                rows.append((now, held, counted, spent.user + spent.system))
    if not status[0]:
        os.kill(child, signal.SIGKILL)
        os.waitpid(child, 0)
    os.close(reading)
    if status[0] and status[1]:
        raise InputError("The work failed", received=os.waitstatus_to_exitcode(status[1]))
    return _result(np.array(rows), last, most, work)


def _steps(folder: Path) -> int:
    """Return how many steps a training has done, as its last event but one tells; 0 before."""
    events = folder / "out.run" / "events.jsonl"
    told = events.read_bytes().split(b"\n")[-2:-1] if events.is_file() else []
    return int(json.loads(told[0]).get("steps_done", 0)) if told else 0


def _result(rows: np.ndarray, done: int, most: int, work: Work) -> dict[str, Any]:
    if len(rows) < 3 * _PARTS or not done:
        raise InputError(
            "The work ended too soon to be tested", allowed=f"{3 * _PARTS} seconds", received=len(rows)
        )
    seconds, mib, counts, spent = rows.T
    minutes, late = seconds / 60, len(rows) // 3
    rates = smooth_rates(counts, spent)
    change = slope(minutes, rates)
    mean = float(np.mean(rates[late:]))
    return {
        "done": done,
        "all": most,
        "unit": work.unit,
        "minutes": float(minutes[-1]),
        "rate": done / float(spent[-1]),
        "mib": float(np.mean(mib[late:])),
        "memory": slope(minutes, mib),
        "rate_change": {key: 100 * value / mean for key, value in change.items()},
    }


def run(options: argparse.Namespace) -> dict[str, Any]:
    """Measure; what was stored of other tasks is kept."""
    found = {}
    for name in options.tasks:
        work, seconds = TASKS[name], 60 * options.minutes
        most = round(options.size * work.all)
        if name == "vectors":
            most, seconds = options.megabytes * 1_000_000 or most, 0.0
        with tempfile.TemporaryDirectory() as folder:
            report(f"{name} ...")
            found[name] = watched(work, most, seconds, Path(folder))
    return {**beside_stored(ENDURANCE, {"tasks": found}), "settings": settings(options)}


main = command(__name__, __doc__, ENDURANCE, run, OPTIONS)

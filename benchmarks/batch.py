"""Batches: rates of one and two workers beside the ordinary command, killed jobs, and what a billion documents take.

    python -m benchmarks.batch --store              some minutes on two cores that do nothing else
    python -m benchmarks.batch --share 0.02 --kills 1

The documents are reviews of IMDB without a verdict. The ordinary command runs on the same cores; the time that each
takes to start is measured and left out of the rates.
"""

from __future__ import annotations

import argparse
import gzip
import json
import os
import random
import signal
import subprocess
import sys
import tempfile
import time
from collections.abc import Sequence
from itertools import chain
from pathlib import Path
from typing import Any

from apps.batch.job import PARTS, Job, Manifest
from apps.batch.uses import USES
from apps.shared.tables import Column, Rows, Table
from benchmarks.harness import ROOT, THREAD_VARIABLES, Option, command, report, settings
from benchmarks.simulated_cluster import simulated
from data_prep.errors import InputError
from data_prep.readers.document_sets import read_imdb

DOCUMENTS = {
    "tag": 3000,
    "classify": 40_000,
    "embed": 40_000,
    "score": 160,
}  # some tens of seconds of one core
FILES = 4
BILLION, MACHINES, CORES = 10**9, (1, 10, 100), 2
_EMBED = (
    "import json, sys; from apps.vectors.application import Vectors; vectors = Vectors.from_preset()\n"
    "for line in open(sys.argv[1]): print(json.dumps(vectors.embed([json.loads(line)['text']])[0].tolist()))"
)
_SIMULATED = ("classify", "tag")  # parts are few enough
_NAME = "batch"
_COMMAND = "python -m benchmarks.batch --store"
_WHERE = "{settings.processor}; documents of {settings.characters:,.0f} characters in the mean."


def _in_hours(name: str) -> tuple[Column, Column]:
    title = name.replace("_", " ")
    return Column(f"{title}, hours", f"{name}.hours", ",.1f"), Column("/ ideal", f"{name}.times", ".3f")


RATES = Table(
    _NAME,
    _COMMAND,
    "`batch`",
    (
        Column("documents", "documents", ",d"),
        Column("one worker, a second", "one", ",.1f"),
        Column("two workers", "two", ",.1f"),
        Column("times", "scaling", ".2f"),
        Column("ordinary, one core", "ordinary_one", ",.1f"),
        Column("batch / ordinary", "against_one", ".2f"),
        Column("ordinary, two cores", "ordinary_two", ",.1f"),
        Column("batch / ordinary, two", "against_two", ".2f"),
        Column("start, s", "starting", ".1f"),
    ),
    (Rows("rates.*", "`{0}`"),),
    _WHERE,
)
COSTS = Table(
    _NAME,
    _COMMAND,
    "`batch`",
    (
        Column("core hours", "core_hours", ",.0f"),
        *(Column(f"days, {count} machine{'s'[: count > 1]}", f"days.{count}", ",.1f") for count in MACHINES),
        Column("GB read", "gigabytes_in", ",.0f"),
        Column("GB written", "gigabytes_out", ",.0f"),
        Column("files written", "parts", ",.0f"),
        Column("MB/s read by 100", "read_by_100", ",.1f"),
        Column("MB/s written by 100", "written_by_100", ",.1f"),
        Column("parts/s of 100", "parts_by_100", ",.1f"),
    ),
    (Rows("costs.*", "`{0}`"),),
    "Machines of {settings.cores} cores, by the rate of two workers; gzip read. One process keeps the list of at most "
    "{limits.manifest_parts_per_second:,.0f} parts a second, and one reader gives "
    "{limits.read_documents_per_second:,.0f} documents a second.",
)
SIMULATION = Table(
    _NAME,
    _COMMAND,
    "`batch`, machines",
    (
        *chain.from_iterable(map(_in_hours, ("even", "slow", "lost", "slow_and_lost"))),
        Column("parts again", "slow_and_lost.repeated", ",d"),
        Column("last minutes", "slow_and_lost.tail_minutes", ",.1f"),
    ),
    (Rows("simulation.*.*", "`{0}`, {1}"),),
    "Each part draws one of the measured times of its use, {settings.drawn} in all; the last two columns are of slow "
    "and lost machines.",
)
KILLS = Table(
    _NAME,
    _COMMAND,
    "`batch tag`",
    (
        Column("documents", "documents", ",d"),
        Column("kills", "kills", ",d"),
        Column("lost", "lost", ",d"),
        Column("doubled", "doubled", ",d"),
        Column("files that differ", "different", ",d"),
    ),
    (Rows("kills.*", "{0}"),),
    "SIGKILL at a random moment while parts are answered; the same command goes on.",
)
OPTIONS = {
    "uses": Option(tuple(USES), "what is measured", tuple(USES)),
    "share": Option(1.0, "of the documents"),
    "kills": Option(20, "jobs that are killed"),
}


def write_documents(folder: Path, texts: Sequence[str]) -> Path:
    """Write documents as JSON Lines in gzip files; returns the pattern of them."""
    folder.mkdir()
    for at in range(FILES):
        rows = (json.dumps({"text": text}) + "\n" for text in texts[at::FILES])
        (folder / f"{at}.jsonl.gz").write_bytes(gzip.compress("".join(rows).encode(), 6, mtime=0))
    return folder / "*.gz"


def on_cores(cores: int, arguments: Sequence[str], out: Path) -> float:
    """Run a program on so many cores and threads; returns its seconds.

    Raises:
        InputError: It failed.
    """
    environment = {**os.environ, **dict.fromkeys(THREAD_VARIABLES, str(cores))}
    begun = time.perf_counter()
    with out.open("wb") as file:
        done = subprocess.run(
            [sys.executable, *arguments], cwd=ROOT, env=environment, stdout=file, stderr=subprocess.PIPE, check=False,
            preexec_fn=lambda: os.sched_setaffinity(0, sorted(os.sched_getaffinity(0))[:cores]),
        )  # fmt: skip
    if done.returncode:
        raise InputError(f"{' '.join(arguments)[:80]} failed", received=done.stderr.decode()[-400:])
    return time.perf_counter() - begun


def batch_arguments(use: str, pattern: Path, out: Path, workers: int, *more: str) -> list[str]:
    """Return the command of a batch."""
    return [
        *("-m", "apps", "batch", use, "--input", str(pattern), "--column", "text", "--output", str(out)),
        *("--workers", str(workers), "--json", *more),
    ]


FORMS = {
    "tag": ("--format", "conllu"),
    "classify": (),
    "embed": ("--format", "jsonl"),
    "score": ("--unknown", "map"),
}


def _ordinary(use: str, texts: Sequence[str], folder: Path) -> list[str]:
    """Write the same documents as the ordinary command reads them; returns that command."""
    folder.mkdir()
    path = folder / "documents"
    if use == "embed":
        path.write_text("".join(json.dumps({"text": text}) + "\n" for text in texts), encoding="utf-8")
        return ["-c", _EMBED, str(path)]
    if use == "score":
        files = []
        for at, text in enumerate(texts):
            (folder / str(at)).write_text(text, encoding="utf-8")
            files += ["--file", str(folder / str(at))]
        return ["-m", "apps", "writer", "score", "--json", "--unknown", "map", *files]
    if use == "tag":
        path.write_text("\n\n".join(texts), encoding="utf-8")
        return ["-m", "apps", "tagger", "tag", "--format", "conllu", "--file", str(path)]
    path.write_text("".join(" ".join(text.splitlines()) + "\n" for text in texts), encoding="utf-8")
    return ["-m", "apps", "reviews", "classify", "--lines", "--json", "--file", str(path)]


def measured(use: str, texts: Sequence[str], folder: Path) -> tuple[dict[str, Any], list[float]]:
    """Measure one use; returns its row, and the seconds of parts of two workers, all made as long as the longest."""
    folder.mkdir()
    pattern = write_documents(folder / "in", texts)
    found: dict[str, Any] = {"documents": len(texts)}
    times: list[float] = []
    for name, cores in (("one", 1), ("two", 2)):
        report(f"{use}: {name}")
        out = folder / name
        on_cores(cores, batch_arguments(use, pattern, out, cores, *FORMS[use]), folder / "summary")
        summary = json.loads((folder / "summary").read_bytes())
        if summary["refused"]:
            report(f"{summary['refused']} documents refused")
        found[name] = summary["documents"] / (summary["seconds"] - summary["starting"])
        found["starting"], found["bytes_out"] = summary["starting"], summary["bytes"]
        records = [json.loads(line) for line in (out / "manifest.jsonl").read_bytes().splitlines()[1:]]
        full = max(one["documents"] for one in records)
        times = [sum(one["seconds"].values()) / one["documents"] * full for one in records]
        found["read_seconds"], found["documents_per_part"] = summary["stages"]["read"], full
    for name, cores in (("ordinary_one", 1), ("ordinary_two", 2)):
        report(f"{use}: {name}")
        start = on_cores(cores, _ordinary(use, texts[:1], folder / f"{name}_1"), folder / "answers")
        whole = on_cores(cores, _ordinary(use, texts, folder / name), folder / "answers")
        found[name] = len(texts) / (whole - start)
    found["bytes_in"] = sum(path.stat().st_size for path in (folder / "in").iterdir())
    found["scaling"] = found["two"] / found["one"]
    found["against_one"] = found["one"] / found["ordinary_one"]
    found["against_two"] = found["two"] / found["ordinary_two"]
    return found, times


def killed(texts: Sequence[str], folder: Path, kills: int) -> dict[str, Any]:
    """Kill jobs at random moments and go on with them; compare with a job that was not disturbed."""
    folder.mkdir()
    pattern = write_documents(folder / "in", texts)
    more = ("--format", "conllu", "--part", str(max(1, sum(map(len, texts)) // 100)))
    on_cores(2, batch_arguments("tag", pattern, folder / "whole", 2, *more), folder / "summary")
    expected = _contents(folder / "whole")
    draw, done, jobs = random.Random(0), 0, 0
    sums = {"lost": 0, "doubled": 0, "different": 0}
    while done < kills:
        out = folder / str(jobs)
        jobs += 1
        arguments = [sys.executable, *batch_arguments("tag", pattern, out, 2, *more)]
        while done < kills and not _kill_once(arguments, out / "manifest.jsonl", draw.uniform(0, 1)):
            done += 1
            report(f"kill {done} of {kills}")
        on_cores(2, arguments[1:], folder / "summary")
        found = _contents(out)
        names = [
            name for data in found.values() for name in data.split(b"\n") if name.startswith(b"# newdoc")
        ]
        sums["lost"] += len(texts) - len(set(names))
        sums["doubled"] += len(names) - len(set(names))
        sums["different"] += sum(
            found.get(name) != expected.get(name) for name in found.keys() | expected.keys()
        )
    return {"documents": len(texts) * jobs, "kills": kills, **sums}


def _kill_once(arguments: Sequence[str], manifest: Path, wait: float) -> bool:
    """Start a job and kill it a while after its first part; returns whether it was done before."""
    size = manifest.stat().st_size if manifest.exists() else 0
    quiet = {"stdout": subprocess.DEVNULL, "stderr": subprocess.DEVNULL}
    with subprocess.Popen(arguments, cwd=ROOT, **quiet) as job:
        while job.poll() is None:
            if manifest.exists() and manifest.stat().st_size > size + 400:
                time.sleep(wait)
                break
            time.sleep(0.01)
        if job.poll() is None:
            os.kill(job.pid, signal.SIGKILL)
            return False
    return True


def _contents(folder: Path) -> dict[str, bytes]:
    parts = folder / PARTS
    return {str(path.relative_to(parts)): path.read_bytes() for path in parts.rglob("*.conllu")}


def manifest_rate(folder: Path, parts: int = 500) -> float:
    """Return how many parts a second are noted, each brought to the disk."""
    manifest = Manifest(folder, Job("tag", "*", "text", "jsonl", 1))
    record: dict[str, Any] = {
        "file": "crawl/00000.jsonl.gz",
        "size": 1,
        "changed": 1,
        "seconds": {"read": 1.0},
    }
    record |= dict.fromkeys(("documents", "answered", "refused", "bytes", "consumed"), 1)
    with manifest.opened(), manifest.begun():
        begun = time.perf_counter()
        for part in range(parts):
            manifest.add({**record, "part": part})
        return parts / (time.perf_counter() - begun)


def costs(rates: dict[str, Any]) -> dict[str, Any]:
    """Reckon what a billion documents take."""
    found = {}
    for use, rate in rates.items():
        days = {str(count): BILLION / (rate["two"] * count) / 86_400 for count in MACHINES}
        each = {name: rate[f"bytes_{name}"] / rate["documents"] for name in ("in", "out")}
        hundred = 100 * rate["two"]
        found[use] = {
            "core_hours": 24 * CORES * days["1"],
            "days": days,
            "gigabytes_in": each["in"],  # of a billion documents as many as bytes of one
            "gigabytes_out": each["out"],
            "parts": BILLION / rate["documents_per_part"],
            "read_by_100": hundred * each["in"] / 1e6,
            "written_by_100": hundred * each["out"] / 1e6,
            "parts_by_100": hundred / rate["documents_per_part"],
        }
    return found


def simulation(times: dict[str, list[float]], rates: dict[str, Any]) -> dict[str, Any]:
    """Simulate a billion documents by uses whose parts are few enough."""
    found: dict[str, Any] = {}
    for use, drawn in times.items():
        parts = round(BILLION / rates[use]["documents_per_part"])
        found[use] = {}
        for machines in MACHINES:
            report(f"{use}: {parts:,} parts on {machines} machines, simulated")
            row = found[use][str(machines)] = {}
            for name, slow, lost in (
                ("even", False, False), ("slow", True, False), ("lost", False, True), ("slow_and_lost", True, True),
            ):  # fmt: skip
                row[name] = simulated(drawn, parts, machines, CORES, slow=slow, lost=lost)
                row[name]["times"] = row[name]["hours"] / row[name]["ideal_hours"]
    return found


def run(options: argparse.Namespace) -> dict[str, Any]:
    """Measure."""
    if len(os.sched_getaffinity(0)) < CORES:
        raise InputError(f"{CORES} cores are needed")
    texts = read_imdb().unlabelled
    rates: dict[str, Any] = {}
    times: dict[str, list[float]] = {}
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        for use in options.uses:
            own = texts[: max(FILES, round(DOCUMENTS[use] * options.share))]
            rates[use], times[use] = measured(use, own, folder / use)
        few = texts[: max(FILES, round(1000 * options.share))]
        kills = {"jobs": killed(few, folder / "kills", options.kills)} if options.kills else {}
        noted = manifest_rate(folder / "noted")
    return {
        "rates": rates,
        "costs": costs(rates),
        "simulation": simulation({use: times[use] for use in _SIMULATED if use in times}, rates),
        "kills": kills,
        "limits": {
            "manifest_parts_per_second": noted,
            "read_documents_per_second": max(
                rate["documents"] / rate["read_seconds"] for rate in rates.values()
            ),
        },
        "settings": settings(
            options,
            cores=CORES,
            characters=sum(map(len, texts)) / len(texts),
            drawn=sum(len(times[use]) for use in _SIMULATED if use in times),
        ),
    }


def _show(found: Any) -> None:
    from benchmarks.harness import print_report

    for table in (RATES, COSTS, SIMULATION, KILLS):
        print_report(table.report(found))


main = command(__name__, __doc__, RATES, run, OPTIONS, show=_show)

"""Hostile input of every kind: each case ends in a right answer or one clear message, in bounded time and memory.

    python -m benchmarks.hostile --cases 1000              about half an hour on one core
    python -m benchmarks.hostile --cases 30                a short form
    python -m benchmarks.hostile --seed 1 --case 417       one case again
    python -m benchmarks.hostile --kinds texts --store     of one kind; what is stored of the others stays

A case is made from seed and number alone: good files that are damaged, files made by hand, values that Hypothesis
draws. It is asked through the command itself, in a fork of a warm process; a request goes to a service beside.
Exit code 0 with an answer whose numbers are finite, or 2 with one message (a status of 200, 307 or 4xx); at most
10 s of processor time and 200 MiB above what the same verb needs for good input; no traceback, no warning, nothing
written elsewhere.
"""

from __future__ import annotations

import argparse
import importlib
import json
import os
import re
import shutil
import socket
import tempfile
import time
from collections.abc import Iterator
from contextlib import ExitStack, closing, suppress
from pathlib import Path
from typing import Any, NamedTuple

from apps.shared.reports import stored
from apps.shared.tables import Column, Rows, Table
from benchmarks.campaign import hostile_asked, hostile_files, hostile_pictures, hostile_web
from benchmarks.campaign.cases import Build, Case, problem_of
from benchmarks.campaign.damage import Draw
from benchmarks.campaign.forked import Ended, forked
from benchmarks.harness import ROOT, Option, command, report, settings
from data_prep.errors import InputError

KINDS: dict[str, Build] = {
    "pictures": hostile_pictures.pictures,
    "texts": hostile_files.texts,
    "treebanks": hostile_files.treebanks,
    "tables": hostile_files.tables,
    "vector files": hostile_files.vector_files,
    "expressions": hostile_asked.expressions,
    "presets": hostile_asked.presets,
    "answers of a class": hostile_asked.answers,
    "pages": hostile_web.pages,
}
SERVICE = "requests"
NAMES = (*KINDS, SERVICE)
MORE_SECONDS, MORE_MIB = 10.0, 200.0
_WALL_TIMES, _WALL_SECONDS = 5.0, 60.0  # a case that takes so long hangs, however busy the machine is
_FIRST_SECONDS = 240.0  # for what is good: it may be compiled then
_MOST_MESSAGE = 2_000  # characters
_WAIT_SECONDS = 1.0  # for an answer to what may be no whole request
_HEALTH = b"GET /healthz HTTP/1.1\r\nHost: 127.0.0.1\r\nConnection: close\r\n\r\n"
_WATCHED = ("apps", "data_prep", "lectern", "models")
_PASSED_OVER = {".keras", "__pycache__"}  # what libraries keep: settings, and compiled code
_OWN = ("out", "runs")  # what commands are told to write, and the folder of the laboratory
_STEERING = re.compile(r"[\x00-\x08\x0b\x0c\x0e-\x1f\x7f-\x9f]")

HOSTILE = Table(
    "hostile",
    "python -m benchmarks.hostile --store",
    "input",
    (
        Column("cases", "cases", ",d"),
        Column("answered", "answered", ",d"),
        Column("refused", "refused", ",d"),
        Column("findings", "findings", ",d"),
        Column("slowest above good input, s", "seconds", ".1f"),
        Column("most memory above good input, MiB", "mib", ".0f"),
    ),
    (Rows("kinds.*", "{0}"), Rows("all", "all")),
    "Seed {settings.seed}; {settings.processor}, one core.",
)
OPTIONS = {
    "cases": Option(1_000, "how many, the kinds in turn"),
    "seed": Option(1, "of all draws"),
    "case": Option(0, "this one alone, from 1"),
    "kinds": Option(NAMES, "which kinds", NAMES),
}


class Outcome(NamedTuple):
    """What a case came to: what was hostile, exit code or status, what is wrong with it, and what it needed more."""

    what: str
    code: int
    findings: tuple[str, ...]
    seconds: float = 0.0
    mib: float = 0.0


class Campaign:
    """Runs cases, in a folder of its own; remembers what is normal for each verb."""

    def __init__(self, seed: int, folder: Path) -> None:
        self.seed, self.folder = seed, folder
        self._normal: dict[str, Ended] = {}
        self._service: Service | None = None

    def outcome(self, number: int, kind: str) -> Outcome:
        """Make and run a case."""
        if kind == SERVICE:
            self._service = self._service or Service(self.folder)
            return self._service.outcome(Draw(self.seed, number))
        normal = self._normal_of(number, kind)
        case, ended, changed = self._run(
            number, kind, good=False, seconds=_WALL_TIMES * normal.seconds + _WALL_SECONDS
        )
        found = [*findings_of(case, ended), *changed]
        more = ended.cpu - normal.cpu, ended.mib - normal.mib
        if more[0] > MORE_SECONDS:
            found.append(f"{ended.cpu:.1f} s, {normal.cpu:.1f} s with good input")
        if more[1] > MORE_MIB:
            found.append(f"{ended.mib:.0f} MiB, {normal.mib:.0f} MiB with good input")
        return Outcome(f"{case.verb}: {case.what}", ended.code, tuple(found), *more)

    def _normal_of(self, number: int, kind: str) -> Ended:
        """Ask the same verb with good input, once; twice the first time, because something may be compiled."""
        verb = KINDS[kind](Draw(self.seed, number), self._empty("made"), True).verb
        if verb not in self._normal:
            for _ in range(2):
                case, ended, changed = self._run(number, kind, good=True, seconds=_FIRST_SECONDS)
                if wrong := [*findings_of(case, ended), *changed]:
                    raise InputError(
                        f"Good input of {verb} fails", received=wrong, remedy=ended.stderr[-2_000:]
                    )
            self._normal[verb] = ended
        return self._normal[verb]

    def _run(self, number: int, kind: str, *, good: bool, seconds: float) -> tuple[Case, Ended, list[str]]:
        world = self._empty("world")
        environment = {}
        for name in ("HOME", "TMPDIR", "XDG_CACHE_HOME"):
            (world / name).mkdir()
            environment[name] = str(world / name)
        (world / "given").mkdir()
        case = KINDS[kind](Draw(self.seed, number), world / "given", good)
        place = self._empty("place")
        (place / "cwd").mkdir()
        before = tree(world) | _own()
        ended = forked(
            case.work, place, seconds=seconds, stdin=case.stdin, environment=environment, guarded=case.guarded
        )
        written = sorted(
            path.name for path in (place / "cwd").iterdir() if path.name.split(".")[0] not in _OWN
        )
        changed = [f"{name} was left in the folder" for name in written]
        after = tree(world) | _own()
        if ended.code >= 0:  # a killed process leaves what it has
            changed += [f"{path} was changed" for path in sorted(before.items() ^ after.items())]
        return case, ended, changed

    def _empty(self, name: str) -> Path:
        shutil.rmtree(self.folder / name, ignore_errors=True)
        (self.folder / name).mkdir()
        return self.folder / name

    def close(self) -> None:
        """End the service."""
        if self._service is not None:
            self._service.close()


def _own() -> dict[str, tuple[int, int]]:
    """Return what no command may change: the code and the shipped presets."""
    return {path: about for name in _WATCHED for path, about in tree(ROOT / name).items()}


def tree(folder: Path) -> dict[str, tuple[int, int]]:
    """Return size and time of everything in a folder."""
    found = {}
    for entry in os.scandir(folder):
        if entry.name in _PASSED_OVER:
            continue
        if entry.is_dir(follow_symlinks=False):
            found |= tree(Path(entry.path))
        about = entry.stat(follow_symlinks=False)
        if not entry.is_dir(follow_symlinks=False):
            found[entry.path] = (about.st_size, about.st_mtime_ns)
    return found


def findings_of(case: Case, ended: Ended) -> Iterator[str]:
    """Say what is wrong with the end of a command."""
    last = ended.stderr.strip()[-300:]
    if ended.code not in (0, 2):
        yield f"exit code {ended.code}: {last}"
        return
    if "Traceback" in ended.stderr or "Warning" in ended.stderr:
        yield f"a traceback or warning: {last}"
    if _STEERING.search(ended.stderr):
        yield f"signs that steer a terminal: {last!r}"
    if ended.code == 0 and case.refused:
        yield "answered"
    if ended.code == 0 and (wrong := _wrong_answer(case, ended)):
        yield wrong
    messages = [line for line in ended.stderr.split("\n") if "Error" in line]
    if ended.code == 2 and (not messages or (len(messages) > 1 and not case.several)):
        yield f"{len(messages)} messages: {last}"
    if max(map(len, ended.stderr.split("\n"))) > _MOST_MESSAGE:
        yield f"a message of more than {_MOST_MESSAGE:,} characters: {last}"


def _wrong_answer(case: Case, ended: Ended) -> str | None:
    if case.json:
        return problem_of(ended.stdout)
    return None if ended.stdout.strip() or "--out" in case.words else "exit code 0 without an answer"


class Service:
    """A service beside, and requests to it."""

    def __init__(self, folder: Path) -> None:
        from benchmarks.load import served

        self._log, self._opened = folder / "service.txt", ExitStack()
        log = self._opened.enter_context(self._log.open("wb"))
        self._port, self._process = self._opened.enter_context(served(log))
        for number in range(40):  # each address is asked once, and more, before anything counts
            status, *_ = self._ask(hostile_web.request(Draw(0, number), True)[2])
            if status != 200:
                raise InputError("A good request fails", received=status)

    def outcome(self, draw: Draw) -> Outcome:
        """Send a request."""
        name, what, data = hostile_web.request(draw, False)
        Path(f"/proc/{self._process.pid}/clear_refs").write_text("5")  # the peak begins anew
        before, said = self._process.memory_info().rss, len(self._log.read_bytes())
        status, body, seconds = self._ask(
            data, _WAIT_SECONDS if what in ("head", "bytes") else 2 * MORE_SECONDS
        )
        if status == 0 and what in ("head", "bytes") and seconds >= _WAIT_SECONDS:
            status = 499  # it waits for more, as it should, and we have hung up
        held = (self._peak() - before) / 2**20
        found = [*_wrong_body(status, body)]
        if not self._process.is_running() or self._ask(_HEALTH)[0] != 200:
            found.append("the service does not answer any more")
        if "Traceback" in (new := self._log.read_bytes()[said:].decode("utf-8", "replace")):
            found.append(f"the service's log: {new[-300:]}")
        if seconds > MORE_SECONDS:
            found.append(f"{seconds:.1f} s")
        if held > MORE_MIB:
            found.append(f"{held:.0f} MiB more")
        return Outcome(f"/v1/{name}: {what}", status, tuple(found), seconds, held)

    def _peak(self) -> int:
        status = Path(f"/proc/{self._process.pid}/status").read_text()
        return 1024 * int(re.search(r"VmHWM:\s+(\d+)", status)[1])

    def _ask(self, data: bytes, patience: float = MORE_SECONDS) -> tuple[int, bytes, float]:
        """Send bytes; read until the service hangs up, or until nothing has come for a while."""
        begun, got = time.perf_counter(), b""
        with socket.create_connection(("127.0.0.1", self._port), timeout=patience) as connection:
            with suppress(OSError):  # where it has hung up before the end there may be an answer all the same
                connection.sendall(data)
            with suppress(OSError):
                while piece := connection.recv(1 << 16):
                    got += piece
        got = re.sub(rb"\AHTTP/1.1 100 [^\r]*\r\n\r\n", b"", got)
        head, _, body = got.partition(b"\r\n\r\n")
        words = head.split(b" ", 2)
        status = int(words[1]) if len(words) > 1 and words[1].isdigit() else 0
        return status, body, time.perf_counter() - begun

    def close(self) -> None:
        """End it well."""
        self._opened.close()


def _wrong_body(status: int, body: bytes) -> Iterator[str]:
    if status == 0:
        yield "no answer"
    elif status not in (200, 307) and not 400 <= status < 500:
        yield f"status {status}: {body[:200]!r}"
    elif b"Traceback" in body:
        yield "a traceback"
    elif status == 200:
        if wrong := problem_of(body.decode("utf-8", "replace")):
            yield wrong
    elif body.startswith(b"{") and not isinstance(json.loads(body).get("error"), dict):
        yield f"another form of error: {body[:200]!r}"


def warm() -> None:
    """Import what cases need, so that a fork begins with it."""
    from apps.__main__ import APPLICATIONS, _verbs_of

    for name in APPLICATIONS:
        _verbs_of(name)
    for path in sorted((ROOT / "apps").glob("*/*.py")):
        if path.stem.startswith(("page_", "application")) and path.parent.name != "service":
            importlib.import_module(f"apps.{path.parent.name}.{path.stem}")
    for name in (
        "streamlit.testing.v1",
        "plotly.graph_objects",
        "hypothesis",
        "sklearn.datasets",
        "PIL.PngImagePlugin",
    ):
        importlib.import_module(name)


def run(options: argparse.Namespace) -> dict[str, Any]:
    """Run the cases."""
    numbers = [options.case] if options.case else range(1, options.cases + 1)
    kinds = {name: _row() for name in NAMES if name in options.kinds}
    told = []
    warm()
    with tempfile.TemporaryDirectory() as folder, closing(Campaign(options.seed, Path(folder))) as campaign:
        for number, kind in ((number, NAMES[number % len(NAMES)]) for number in numbers):
            if kind not in kinds:
                continue
            outcome = campaign.outcome(number, kind)
            _count(kinds[kind], outcome)
            told += [{"case": number, "what": outcome.what, "finding": one} for one in outcome.findings]
            shown = outcome.findings or (f"{outcome.code}, {outcome.seconds:+.1f} s, {outcome.mib:+.0f} MiB",)
            if outcome.findings or options.case:
                report(f"{number} {kind}, {outcome.what}: {'; '.join(shown)}")
            if number % 100 == 0:
                report(f"{number:,} cases, {len(told)} findings")
    kinds |= _kept(options)
    kinds = {name: kinds[name] for name in NAMES if name in kinds}
    sums = {
        name: sum(row[name] for row in kinds.values())
        for name in ("cases", "answered", "refused", "findings")
    }
    most = {name: max(row[name] for row in kinds.values()) for name in ("seconds", "mib")}
    return {
        "kinds": kinds,
        "all": sums | most,
        "findings": told,
        "settings": settings(options, kinds=list(kinds)),
    }


def _kept(options: argparse.Namespace) -> dict[str, Any]:
    """Return what is stored of other kinds by the same cases."""
    before = stored(HOSTILE.name)
    if before is None or any(
        before[f"settings.{name}"] != getattr(options, name) for name in ("cases", "seed", "case")
    ):
        return {}
    return {name: row for name, row in before["kinds"].items() if name not in options.kinds}


def _row() -> dict[str, Any]:
    return {"cases": 0, "answered": 0, "refused": 0, "findings": 0, "seconds": 0.0, "mib": 0.0}


def _count(row: dict[str, Any], outcome: Outcome) -> None:
    row["cases"] += 1
    row["findings"] += bool(outcome.findings)
    row["answered"] += outcome.code in (0, 200, 307)
    row["refused"] += outcome.code == 2 or 400 <= outcome.code < 500
    for name in ("seconds", "mib"):
        row[name] = max(row[name], getattr(outcome, name))


main = command(__name__, __doc__, HOSTILE, run, OPTIONS)

"""Service and page under load: many clients in a closed loop, and every answer compared with that for one user.

    python -m benchmarks.load                               the service: 16 clients, 20,000 sentences
    python -m benchmarks.load --clients 4 --requests 400    a short form
    python -m benchmarks.load --users 16 --minutes 10       the page, while the service is asked too

Starts `python -m apps serve` on this machine. Each client sends one sentence, waits for its tags, and sends the next.
The clients take a part of the same cores.

Visitors of the page are sessions of Streamlit over its websocket, without a browser. Each asks, waits for the whole
page, and asks the next thing at once: what comes first in ``benchmarks.visitors.ASKS`` most often. Of eight, one reads
slowly and one vanishes now and then. Afterwards there are more and more of them until 95 of 100 answers take longer
than a second, and then as many as at first. With ``--training`` a network is trained meanwhile.
"""

from __future__ import annotations

import argparse
import asyncio
import json
import subprocess
import sys
import tempfile
import time
import urllib.error
import urllib.request
from collections.abc import Iterator, Sequence
from contextlib import ExitStack, contextmanager
from dataclasses import replace
from pathlib import Path
from typing import Any, BinaryIO

import numpy as np
import psutil

from apps.shared.tables import Column, Rows, Table
from apps.tagger.application import Tagger
from benchmarks import visitors
from benchmarks.harness import ROOT, THREADS, Option, command, report, settings
from data_prep.errors import InputError
from data_prep.readers.conllu import read_ewt

START_SECONDS = 120
WARM_UP = 0.1  # of the requests and of the minutes, before anything is counted
WARM_MINUTES = 0.5  # of the page, at least
MEANWHILE = 200  # sentences that the service is asked while the page has visitors
ROUNDING = 1e-4  # of a probability: words that are met together are summed in another order

LOAD = Table(
    "load",
    "python -m benchmarks.load --store",
    "asked",
    (
        Column("clients", "clients"),
        Column("answers", "answers", ",d"),
        Column("wrong", "wrong", ",d"),
        Column("refused", "refused", ",d"),
        Column("a second", "per_second", ",.0f"),
        Column("p50, ms", "p50_ms", ".1f"),
        Column("p95, ms", "p95_ms", ".1f"),
        Column("p99, ms", "p99_ms", ".1f"),
        Column("MiB after warm-up", "memory_mib", ",.0f"),
        Column("MiB at the end", "memory_end_mib", ",.0f"),
    ),
    (Rows("service.*", "`POST /v1/{0}`, one sentence"),),
    "{settings.processor}, shared by service and clients; closed loop.",
)
_TIMES = (
    Column("answers", "answers", ",d"),
    Column("wrong", "wrong", ",d"),
    Column("p50, ms", "p50_ms", ",.0f"),
    Column("p95, ms", "p95_ms", ",.0f"),
    Column("p99, ms", "p99_ms", ",.0f"),
)
PAGE = Table(
    "load_page",
    "python -m benchmarks.load --users 16 --minutes 10 --store",
    "asked",
    _TIMES,
    (Rows("page.*"), Rows("service.*", "`POST /v1/{0}`, meanwhile"), Rows("more.*", "all, {0}")),
    "{settings.processor}, shared by page, service and visitors{settings.beside}; {settings.users} visitors without "
    "pauses, {settings.minutes} minutes; {crowd.lost} connections lost, {crowd.vanished} visitors vanished while the "
    "page answered, {crowd.read_slowly} answers were read slowly and are compared, not timed. Memory of the page: "
    "{memory.warm:.0f} MiB after {settings.warm} minutes, {memory.end:.0f} MiB at the end, {memory.after:.0f} MiB "
    "after the most visitors.",
)
TRAINED = replace(
    PAGE,
    name="load_page_training",
    command="python -m benchmarks.load --users 16 --minutes 10 --training --store",
    facts=str(PAGE.facts).replace("visitors{", "visitors, while a network is trained{", 1),
)
OPTIONS = {
    "clients": Option(16, "clients at a time"),
    "requests": Option(20_000, "requests, all clients together"),
    "users": Option(0, "visitors of the page at a time; without them the service alone is measured"),
    "minutes": Option(1, "minutes that they stay"),
    "training": Option(False, "train a network meanwhile"),
    "beside": Option("", "what else ran on the machine, told with the results"),
    "threads": THREADS,
}


@contextmanager
def served(errors: BinaryIO | None = None) -> Iterator[tuple[int, psutil.Process]]:
    """Start a service on a free port, whose standard error ``errors`` takes, and end it well: its port and process."""
    command = [sys.executable, "-m", "apps", "serve", "--port", "0"]
    process = subprocess.Popen(command, cwd=ROOT, stdout=subprocess.PIPE, stderr=errors, text=True)
    try:
        line = process.stdout.readline()
        if not line:
            raise InputError("The service did not start")
        port = int(line.split()[2].rpartition(":")[2].partition("/")[0])
        end = time.monotonic() + START_SECONDS
        while not _ready(port):
            if time.monotonic() > end or process.poll() is not None:
                raise InputError(f"The service was not ready within {START_SECONDS} s")
            time.sleep(0.1)
        yield port, psutil.Process(process.pid)
    finally:
        process.terminate()
        process.wait()
        process.stdout.close()


def _ready(port: int) -> bool:
    try:
        with urllib.request.urlopen(f"http://127.0.0.1:{port}/readyz", timeout=5) as answer:
            return answer.status == 200
    except urllib.error.HTTPError:
        return False


class Client:
    """One connection that is kept open: the least that HTTP/1.1 needs, so that the cores are left to the service."""

    async def open(self, port: int) -> Client:
        """Connect."""
        self._reader, self._writer = await asyncio.open_connection("127.0.0.1", port)
        return self

    async def ask(self, path: str, body: bytes) -> tuple[int, bytes]:
        """Send a body of JSON; return status and body of the answer."""
        head = f"POST {path} HTTP/1.1\r\nHost: 127.0.0.1\r\nContent-Type: application/json\r\n"
        self._writer.write(f"{head}Content-Length: {len(body)}\r\n\r\n".encode() + body)
        header = (await self._reader.readuntil(b"\r\n\r\n")).decode("latin-1")
        status, *lines = header.lower().split("\r\n")
        length = next(int(line.partition(":")[2]) for line in lines if line.startswith("content-length:"))
        return int(status.split()[1]), await self._reader.readexactly(length)

    def close(self) -> None:
        """Hang up."""
        self._writer.close()


async def closed_loop(port: int, path: str, bodies: Sequence[bytes], clients: int) -> dict[str, Any]:
    """Ask each body once, so many clients at a time: status and body of each, seconds of each, and of all."""
    answers: list[Any] = [None] * len(bodies)
    seconds = np.empty(len(bodies))
    numbers = iter(range(len(bodies)))

    async def work() -> None:
        client = await Client().open(port)
        for number in numbers:
            begun = time.perf_counter()
            answers[number] = await client.ask(path, bodies[number])
            seconds[number] = time.perf_counter() - begun
        client.close()

    begun = time.perf_counter()
    await asyncio.gather(*(work() for _ in range(clients)))
    return {"answers": answers, "seconds": seconds, "all": time.perf_counter() - begun}


def same(found: Any, known: Any) -> bool:
    """Whether two answers are equal, numbers with a point but for rounding."""
    if isinstance(known, float):
        return isinstance(found, float) and abs(found - known) <= ROUNDING
    if isinstance(known, dict):
        return found.keys() == known.keys() and all(same(found[key], known[key]) for key in known)
    if isinstance(known, list):
        return len(found) == len(known) and all(map(same, found, known))
    return found == known


def tag_under_load(options: argparse.Namespace, texts: Sequence[str]) -> dict[str, Any]:
    """Ask for the tags of sentences, again and again the same ones; compare with what one user is answered."""
    bodies = [json.dumps({"texts": [text]}).encode() for text in texts]
    asked = [number % len(texts) for number in range(options.requests)]
    with served() as (port, process):
        warm = [bodies[number] for number in asked[: max(options.clients, int(WARM_UP * len(asked)))]]
        asyncio.run(closed_loop(port, "/v1/tag", warm, options.clients))
        memory = process.memory_info().rss
        report(f"{len(asked):,} sentences, {options.clients} clients")
        found = asyncio.run(closed_loop(port, "/v1/tag", [bodies[at] for at in asked], options.clients))
        memory_end = process.memory_info().rss
    known = _known(texts)
    refused = sum(status != 200 for status, _ in found["answers"])
    wrong = sum(
        status == 200 and not same(json.loads(body)["results"], [known[at]])
        for at, (status, body) in zip(asked, found["answers"], strict=True)
    )
    return {
        "clients": options.clients,
        "answers": len(asked) - refused,
        "wrong": int(wrong),
        "refused": int(refused),
        "per_second": len(asked) / found["all"],
        **visitors.times(found["seconds"]),
        "memory_mib": memory / 2**20,
        "memory_end_mib": memory_end / 2**20,
    }


def page_under_load(options: argparse.Namespace, texts: Sequence[str]) -> dict[str, Any]:
    """Let visitors use the page while the service is asked; compare with what one of them is answered alone."""
    bodies, known = [json.dumps({"texts": [text]}).encode() for text in texts], _known(texts)
    seconds, warm = 60.0 * options.minutes, 60.0 * max(WARM_UP * options.minutes, WARM_MINUTES)

    async def measure(port: int, process: psutil.Process, service: int) -> dict[str, Any]:
        await visitors.Crowd(port, await visitors.alone(port)).stay(options.users, warm, 0)
        alone = await visitors.alone(
            port
        )  # machine code tags by now: the first probabilities are rounded otherwise
        memory = {"warm": process.memory_info().rss / 2**20}
        report(f"{options.users} visitors, {options.minutes} minutes")
        crowd, client = visitors.Crowd(port, alone), await Client().open(service)
        stays = crowd.stay(options.users, seconds, 1)
        tag = await visitors.with_service(
            client.ask, bodies, lambda at, found: same(found, [known[at]]), stays
        )
        client.close()
        memory["end"] = process.memory_info().rss / 2**20
        more = await visitors.passing(port, alone, options.users, max(seconds * WARM_UP, 5.0))
        memory["after"] = process.memory_info().rss / 2**20
        counted = {"lost": crowd.lost, "vanished": crowd.vanished, "read_slowly": crowd.read_slowly}
        page = {kind: crowd.row(kind) for kind in (*visitors.ASKS, visitors.OPENED)} | {"all": crowd.row()}
        return {"page": page, "service": {"tag": tag}, "more": more, "memory": memory, "crowd": counted}

    with tempfile.TemporaryDirectory() as folder, ExitStack() as stack:
        port, process = stack.enter_context(visitors.page(Path(folder, "page.log")))
        service, _ = stack.enter_context(served())
        if options.training:
            stack.enter_context(visitors.training(Path(folder)))
        return asyncio.run(measure(port, process, service)) | {
            "settings": settings(
                options, warm=round(warm / 60, 1), beside=options.beside and f", {options.beside}"
            )
        }


def _known(texts: Sequence[str]) -> list[dict[str, Any]]:
    """What one user is answered by the tagger."""
    tagger = Tagger.from_preset()
    tagger.tag_batch(texts)  # as in the service, machine code answers: see models.pos_tagger.serving
    return [tagger.tag(text).to_dict() for text in texts]


def run(options: argparse.Namespace) -> dict[str, Any]:
    """Measure."""
    texts = [sentence.text for sentence in read_ewt("dev")]
    if options.users:
        return page_under_load(options, texts[:MEANWHILE])
    return {"service": {"tag": tag_under_load(options, texts)}, "settings": settings(options)}


def _table(options: argparse.Namespace) -> Table:
    if not options.users:
        return LOAD
    return TRAINED if options.training else PAGE


main = command(__name__, __doc__, _table, run, OPTIONS)

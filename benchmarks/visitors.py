"""Visitors of the page, all at once, and now and then one who is slow or vanishes; the service is asked meanwhile."""

from __future__ import annotations

import asyncio
import json
import random
import socket
import subprocess
import sys
import time
import urllib.request
from collections import defaultdict
from collections.abc import Awaitable, Callable, Coroutine, Iterator, Mapping, Sequence
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Any

import numpy as np
import psutil
from websockets.exceptions import WebSocketException

from benchmarks.harness import ROOT, report
from benchmarks.streamlit_client import Ask, Visitor
from data_prep.errors import InputError

BAR = 1.0  # seconds that 95 of 100 answers may take at most
OPENED = "open a page"
_START_SECONDS, _LOOKS, _SLOW_SECONDS, _SERVICE_PAUSE = 60.0, 5, 1.0, 0.25
_VANISHES = 0.1  # how often, of those who do
_TEXTS = (
    "Dogs bark and cats sleep.", "She can't fish because the fish sleeps.", "Time flies like an arrow.",
    "The old man the boat.", "Colourless green ideas sleep furiously.",
)  # fmt: skip
_REVIEWS = (
    "A fine film, with a weak end.", "Dull from beginning to end.", "I laughed, I wept, I would see it again.",
    "Not bad, but not good either.", "The worst two hours of my life.",
)  # fmt: skip
_WORDS = (
    "king - man + woman",
    "paris - france + spain",
    "bigger - big + small",
    "tokyo - japan + germany",
    "cat",
)
_PROMPTS = ("ROMEO:", "JULIET:", "First Citizen:", "To be", "O, ")
# By how often each is asked: the second half as often as the first, the third a third, and so within each.
ASKS: Mapping[str, Sequence[Ask]] = {
    "tag a sentence": [Ask("tagger", "", {"text": text}, "tagging_form") for text in _TEXTS],
    "classify a review": [Ask("reviews", "", {"text": text}, "document_form") for text in _REVIEWS],
    "solve an analogy": [Ask("vectors", "", {"q": words}, "analogy_form") for words in _WORDS],
    "classify a digit": [Ask("digits", "source=Example", {"digit": digit}) for digit in (3, 5, 8, 0, 1)],
    "generate 60 characters": [
        Ask("writer", "length=60", {"prompt": one}, "writing_form") for one in _PROMPTS
    ],
}
_SHARES = [1 / rank for rank in range(1, _LOOKS + 1)]


@contextmanager
def page(log: Path) -> Iterator[tuple[int, psutil.Process]]:
    """Serve the page on a free port, as ``make app`` does: its port and its process."""
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    command = [sys.executable, "-m", "streamlit", "run", "streamlit_app.py", "--server.port", str(port)]
    with log.open("w") as output:
        process = subprocess.Popen(command, cwd=ROOT, stdout=output, stderr=subprocess.STDOUT)
        try:
            end = time.monotonic() + _START_SECONDS
            while not _healthy(port):
                if time.monotonic() > end or process.poll() is not None:
                    raise InputError(f"The page did not start within {_START_SECONDS:.0f} s")
                time.sleep(0.1)
            yield port, psutil.Process(process.pid)
        finally:
            process.terminate()
            process.wait()


def _healthy(port: int) -> bool:
    try:
        with urllib.request.urlopen(f"http://127.0.0.1:{port}/_stcore/health", timeout=5) as answer:
            return answer.status == 200
    except OSError:
        return False


@contextmanager
def training(folder: Path) -> Iterator[None]:
    """Train a small network in the background, as often as there is time, politely as the laboratory does."""
    fit = f"{sys.executable} -m apps digits fit --sample --set epochs=500 --out {folder / 'trained'}"
    process = subprocess.Popen(
        ["nice", "-n", "15", "sh", "-c", f"exec {fit} >{folder / 'fit.log'} 2>&1"], cwd=ROOT
    )
    try:
        yield
    finally:
        process.terminate()
        process.wait()


def times(seconds: Sequence[float]) -> dict[str, float]:
    """The middle, and what 95 and 99 of 100 answers took at most, in milliseconds."""
    return {f"p{share}_ms": float(1000 * np.percentile(seconds, share)) for share in (50, 95, 99)}


async def alone(port: int) -> dict[Ask, str]:
    """What a single visitor is answered."""
    visitor, found = await Visitor().enter(port), {}
    for asks in ASKS.values():
        await visitor.open(asks[0].page, asks[0].query)
        found |= {ask: await visitor.answer(ask) for ask in asks}
    await visitor.leave()
    return found


class Crowd:
    """Visitors who go from page to page and ask, each as soon as the last answer is there."""

    def __init__(self, port: int, known: Mapping[Ask, str]) -> None:
        self._port, self._known = port, known
        self.seconds: dict[str, list[float]] = defaultdict(list)
        self.wrong: dict[str, int] = defaultdict(int)
        self.lost = self.vanished = self.read_slowly = 0

    async def stay(self, users: int, seconds: float, seed: int) -> None:
        """Let so many visitors stay for some seconds; of eight, one reads slowly and one vanishes now and then."""
        end = time.monotonic() + seconds
        await asyncio.gather(
            *(self._visit(number, random.Random(f"{seed} {number}"), end) for number in range(users))
        )

    async def _visit(self, number: int, draw: random.Random, end: float) -> None:
        slow, vanishes = number % 8 == 6, number % 8 == 7
        visitor = await self._enter(slow)
        while time.monotonic() < end:
            what = draw.choices(tuple(ASKS), _SHARES)[0]
            ask = draw.choices(ASKS[what], _SHARES)[0]
            try:
                if visitor.page != ask.page:
                    begun = time.perf_counter()
                    await visitor.open(ask.page, ask.query)
                    self.seconds[OPENED].append(time.perf_counter() - begun)
                begun = time.perf_counter()
                await visitor.send(ask)
                if vanishes and draw.random() < _VANISHES:
                    visitor.vanish()
                    self.vanished += 1
                    visitor = await self._enter(slow)
                    continue
                await asyncio.sleep(_SLOW_SECONDS * slow)
                right = await visitor.read() == self._known[ask]
            except (WebSocketException, OSError):
                self.lost += 1
                visitor = await self._enter(slow)
                continue
            self.wrong[what] += not right
            if slow:
                self.read_slowly += 1
            else:
                self.seconds[what].append(time.perf_counter() - begun)
        await visitor.leave()

    async def _enter(self, slow: bool) -> Visitor:
        return await Visitor().enter(self._port, max_queue=1 if slow else 16)

    def row(self, *kinds: str) -> dict[str, Any]:
        """Numbers of some kinds, of all without any."""
        taken = [one for kind in kinds or self.seconds for one in self.seconds[kind]]
        wrong = sum(self.wrong[kind] for kind in kinds or tuple(self.wrong))
        return {"answers": len(taken), "wrong": int(wrong), **times(taken)}


async def with_service(
    ask: Callable[[str, bytes], Awaitable[tuple[int, bytes]]],
    bodies: Sequence[bytes],
    right: Callable[[int, Any], bool],
    crowd: Coroutine[Any, Any, None],
) -> dict[str, Any]:
    """Ask the service four times a second while a crowd is there.

    Args:
        ask: Sends a body to an address; returns status and body of the answer.
        bodies: What is asked, in turn.
        right: Number of the body and the results to whether they are right.
        crowd: Ends when it has left.
    """
    seconds, wrong, stays = [], 0, asyncio.ensure_future(crowd)
    while not stays.done():
        at = len(seconds) % len(bodies)
        begun = time.perf_counter()
        status, body = await ask("/v1/tag", bodies[at])
        seconds.append(time.perf_counter() - begun)
        wrong += status != 200 or not right(at, json.loads(body)["results"])
        with suppress(TimeoutError):
            await asyncio.wait_for(asyncio.shield(stays), _SERVICE_PAUSE)
    await stays
    return {"answers": len(seconds), "wrong": int(wrong), **times(seconds)}


async def passing(
    port: int, known: Mapping[Ask, str], users: int, seconds: float
) -> dict[str, dict[str, Any]]:
    """Add visitors until 95 of 100 answers take longer than the bar; then only as many as at first are there again."""
    rows, more = {}, users
    while True:
        crowd = Crowd(port, known)
        await crowd.stay(more, seconds, more)
        rows[f"{more} users"] = row = {"users": more, **crowd.row()}
        report(f"{more} users: p95 {row['p95_ms']:,.0f} ms")
        if row["p95_ms"] > 1000 * BAR or more > 16 * users:
            break
        more = more * 5 // 4 + 1
    crowd = Crowd(port, known)
    await crowd.stay(users, seconds, 0)
    return {**rows, f"{users} users again": {"users": users, **crowd.row()}}

"""The laboratory beside what was asked of it: how soon, how fast and how well it trains while somebody watches.

    python -m benchmarks.laboratory            about twenty minutes on two cores
    python -m benchmarks.laboratory --store    keeps the result for the documentation

Every number is that of a run of the laboratory, read from its events: the lecture's network on MNIST, a character RNN
on Tiny Shakespeare, both with the recipe ``lab``. From the order to the first point: a process is ready, as it is on
the page; what a browser adds is measured by a test. The cost of watching: against the seconds of training of the same
recipe by ``fit``, in turn. The page "Tagging": its script for a new sentence each time, without a browser.
"""

from __future__ import annotations

import argparse
import json
import shlex
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np

from apps.laboratory.curves import Story
from apps.laboratory.reports import BARS
from apps.laboratory.runs import LabRun, Order, submit
from apps.laboratory.worker import ensure_workers
from benchmarks.harness import ROOT, THREADS, Option, command, report, settings
from data_prep.errors import InputError

_MNIST = {"task": "digits", "recipe": "lab"}
_SHAKESPEARE = {"task": "writer", "recipe": "lab"}  # an LSTM of 128 units
_RIGHT, _NATS = 98.0, 2.0
_GROUP = "benchmark"
_READY_SECONDS = 15.0  # until a process has loaded TensorFlow
_MOST_SECONDS = 600.0
OPTIONS = {
    "threads": THREADS,
    "repeats": Option(3, "runs of each kind"),
    "sentences": Option(50, "sentences tagged on the page"),
}
Figures = dict[str, Any]


def order(title: str, **values: Any) -> Order:
    """Make an order of this benchmark; its title is unlike all others, so that it is never taken for a second click."""
    return Order(title=f"{title} {time.time():.6f}", group=_GROUP, **values)


def trained(one: Order) -> LabRun:
    """Train an order in a process of its own, as the laboratory does.

    Raises:
        InputError: It failed.
    """
    run = submit(one)
    subprocess.run([sys.executable, "-m", "apps.laboratory.worker", run.key], check=True)
    if run.state not in ("trained", "stopped"):
        raise InputError(
            f"The run {run.key} did not end well", received=run.status.get("message") or run.state
        )
    return run


def to_first_point(one: Order) -> float:
    """Return seconds from an order to the first number of its training; a process is ready before."""
    ensure_workers(spare=True)
    time.sleep(_READY_SECONDS)
    began = time.time()
    run = submit(one)
    ensure_workers()
    try:
        return _until(lambda: next(iter(_points(run)), None), run) - began
    finally:
        run.remove()


def _points(run: LabRun) -> list[float]:
    """Return when there were numbers."""
    events = map(json.loads, run.events.read_bytes().split(b"\n")[:-1]) if run.events.is_file() else ()
    return [one["time"] for one in events if one["event"] == "step" or one.get("numbers")]


def _until(found: Callable[[], float | None], run: LabRun) -> float:
    end = time.monotonic() + _MOST_SECONDS
    while time.monotonic() < end:
        if (value := found()) is not None:
            return value
        if run.state == "failed":
            raise InputError(f"The run {run.key} failed", received=run.status.get("message"))
        time.sleep(0.02)
    raise InputError(f"The run {run.key} shows nothing", allowed=f"{_MOST_SECONDS:.0f} seconds")


def seconds_to(
    story: Story, measures: tuple[tuple[str, str], ...], reached: Callable[[float], bool]
) -> float:
    """Return after how many seconds of training a number was reached, by the first of some curves that is there.

    Raises:
        InputError: It was not reached.
    """
    curve = next(story.curves[measure] for measure in measures if measure in story.curves)
    for seconds, value in zip(curve.seconds, curve.values, strict=True):
        if reached(value):
            return seconds
    raise InputError(f"{curve.name} did not reach the bar", received=f"{curve.values[-1]:.4g} at last")


def seconds_without(one: Order) -> float:
    """Train the same by ``fit``, without anybody who watches; return the seconds of training."""
    with tempfile.TemporaryDirectory() as parent:
        folder = Path(parent) / "preset"
        words = shlex.split(one.command(str(folder)))[1:]
        subprocess.run([sys.executable, *words], cwd=ROOT, check=True, stdout=subprocess.DEVNULL)
        return float(json.loads((folder / "metadata.json").read_text(encoding="utf-8"))["seconds"])


def page_milliseconds(sentences: int) -> list[float]:
    """Return how long the page "Tagging" takes for each of so many new sentences."""
    from streamlit.testing.v1 import AppTest
    from streamlit.util import calc_hash

    app = AppTest.from_file(str(ROOT / "streamlit_app.py"), default_timeout=_MOST_SECONDS)
    app._page_hash = calc_hash("tagger")
    app.query_params["text"] = "The first one opens the preset."
    app.run()
    taken = []
    for number in range(sentences):
        app.text_area(key="text").set_value(f"Number {number} of the old dogs barks at boats in Madrid.")
        button = next(one for one in app.button if one.label == "Tag")
        began = time.perf_counter()
        button.click().run()
        taken.append(1000.0 * (time.perf_counter() - began))
        if app.exception:
            raise InputError("The page failed", received=app.exception[0].message)
    return taken


def page_beside_training(sentences: int) -> Figures:
    """Measure the page alone and while a network trains, in milliseconds."""
    alone = page_milliseconds(sentences)
    run = submit(order("beside the page", **_SHAKESPEARE))
    ensure_workers()
    try:
        _until(lambda: next(iter(_points(run)), None), run)
        beside = page_milliseconds(sentences)
        if run.state != "training":
            raise InputError("The training ended before the page was measured", received=run.state)
    finally:
        run.remove()
    ends = {name: float(np.percentile(taken, 95)) for name, taken in (("alone", alone), ("beside", beside))}
    return {"measured": ends["beside"] - ends["alone"], **ends, "n": sentences}


def _measured(options: argparse.Namespace) -> Figures:
    first, digits, without = [], [], []
    for number in range(options.repeats):
        report(f"MNIST, {number + 1} of {options.repeats} ...")
        first.append(to_first_point(order("first point", **_MNIST)))
        run = trained(order("98 %", **_MNIST))
        digits.append(run.stories()[-1])
        without.append(seconds_without(run.order))
        run.remove()
    measures = ("epoch", "validation_accuracy"), ("watch", "held_out_accuracy")
    right = [seconds_to(story, measures, lambda percent: percent >= _RIGHT) for story in digits]
    cost = 100.0 * (statistics.median(story.seconds for story in digits) / statistics.median(without) - 1.0)
    report("Tiny Shakespeare ...")
    nats = []
    for _ in range(options.repeats):
        run = trained(order("2 nats", **_SHAKESPEARE))
        nats.append(seconds_to(run.stories()[-1], (("watch", "held_out_loss"),), lambda loss: loss < _NATS))
        run.remove()
    report("The page beside a training ...")
    page = page_beside_training(options.sentences)
    n = options.repeats
    bars = {
        "first_point": _bar(
            "order to first point, MNIST, a process is ready", "s", 5, 2, statistics.median(first), n
        ),
        "mnist": _bar(
            "MNIST, 98 % of the validation digits, watched", "s", 60, 25, statistics.median(right), n
        ),
        "cost": _bar("what watching costs in seconds of training", "%", 15, 5, cost, n),
        "writer": _bar(
            "LSTM-128 on Tiny Shakespeare, held out below 2.0 nats", "s", 120, 60, statistics.median(nats), n
        ),
        "page": _bar("tagging on its page beside a training, 95th percentile more", "ms", 300, 100, **page),
    }
    return {"settings": settings(options), "bars": bars}


def _bar(what: str, unit: str, bar: float, goal: float, measured: float, n: int, **more: float) -> Figures:
    return {"what": what, "unit": unit, "bar": bar, "goal": goal, "measured": measured, "n": n, **more}


main = command(__name__, __doc__, BARS, _measured, OPTIONS)

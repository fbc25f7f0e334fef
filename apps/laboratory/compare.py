"""Runs beside one another: what their settings differ in, what they reached, and all of it as files."""

from __future__ import annotations

import csv
import io
import json
import zipfile
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import asdict, dataclass
from typing import Any

import numpy as np

from apps.laboratory.curves import Curve, Story
from apps.laboratory.experiments import RecordedRun, all_recorded
from apps.laboratory.lines import HOW, how_measured, quantity, smaller_is_better
from apps.laboratory.runs import LabRun, find_runs
from data_prep.errors import InputError
from models.training.recipe import flat

AnyRun = LabRun | RecordedRun
Measure = tuple[str, str]  # source and name of a curve
_SEEDS = ("seed", "recipe.seed")  # the latter where a recipe is that of several networks


@dataclass(frozen=True)
class Compared:
    """A run that is compared, as it is by now.

    Args:
        run: The run.
        state: What is going on with it.
        stories: Of its stages.
        settings: With dotted keys, as JSON.
    """

    run: AnyRun
    state: str
    stories: Sequence[Story]
    settings: Mapping[str, str]

    @property
    def seed(self) -> str | None:
        """That of its recipe."""
        return next((self.settings[key] for key in _SEEDS if key in self.settings), None)


@dataclass(frozen=True)
class Reached:
    """What a run, or runs that differ in the seed alone, reached by a measure.

    Args:
        best: The best number, the mean of several runs.
        step: Where it was, of one run.
        last: The last number, the mean of several runs.
        best_error: Standard error of the mean.
        last_error: Standard error of the mean.
        n: Runs.
    """

    best: float
    step: int | None
    last: float
    best_error: float | None = None
    last_error: float | None = None
    n: int = 1


def comparable() -> dict[str, AnyRun]:
    """Return all runs that can be compared by their keys: the laboratory's, newest first, then the recorded ones."""
    return {run.key: run for run in (*find_runs(), *all_recorded())}


def titles(runs: Mapping[str, AnyRun]) -> dict[str, str]:
    """Return a label for each run, by its key; what all of several titles begin with, up to a colon, is left out."""
    found = {key: title_of(run) for key, run in runs.items()}
    parts = {key: title.rpartition(": ") for key, title in found.items()}
    one_begin = len(found) > 1 and len({part[0] for part in parts.values()}) == 1
    short = {key: part[-1] for key, part in parts.items()} if one_begin else found
    twice = {title for title in short.values() if list(short.values()).count(title) > 1}
    return {key: f"{title} ({key})" if title in twice else title for key, title in short.items()}


def title_of(run: AnyRun) -> str:
    """Return what a run is called."""
    try:
        return run.order.title or run.key
    except InputError:  # ordered by another version: its curves can be read all the same
        return run.key


def compared(runs: Mapping[str, AnyRun]) -> dict[str, Compared]:
    """Read runs, by label."""
    named = titles(runs)
    return {named[key]: _read(run) for key, run in runs.items()}


def _read(run: AnyRun) -> Compared:
    try:
        order = run.order
    except InputError:
        order = None
    settings = flat(run.settings())
    if order is not None:
        if not settings:  # it waits: what is known is what was ordered
            settings = {key: value for key, _, value in (one.partition("=") for one in order.overrides)}
        settings = {**flat({"task": order.task, "options": dict(order.options)}), **settings}
    return Compared(run, getattr(run, "state", "recorded"), run.stories(), settings)


def seeds_together(runs: Mapping[str, Compared]) -> dict[str, list[str]]:
    """Return the labels of runs that differ in the seed alone, by a label for all of them.

    The same seed a second time is the same training: it says nothing about the spread and is left alone.
    """
    groups: dict[tuple[Any, ...], dict[str, str]] = {}
    for label, one in runs.items():
        if one.seed is not None:
            rest = tuple(sorted((key, value) for key, value in one.settings.items() if key not in _SEEDS))
            groups.setdefault(rest, {}).setdefault(one.seed, label)
    return {
        f"{next(iter(seeds.values()))}, {len(seeds)} seeds": list(seeds.values())
        for seeds in groups.values()
        if len(seeds) > 1
    }


def differences(runs: Mapping[str, Compared]) -> dict[str, dict[str, str]]:
    """Return the settings in which runs differ: dotted key to label to value as text, a dash where there is none."""
    keys = sorted({key for one in runs.values() for key in one.settings})
    values = {
        key: {label: one.settings.get(key, "–").strip('"') for label, one in runs.items()} for key in keys
    }
    return {key: told for key, told in values.items() if len(set(told.values())) > 1}


def measures(stories: Sequence[Story]) -> list[Measure]:
    """Return the curves that stages have, what is held out first."""
    found = {key: curve for story in stories for key, curve in story.curves.items() if curve.values}
    order = list(HOW)
    ranks = {
        key: ("held out" not in HOW[how], quantity(curve.name) != "loss", order.index(how))
        for key, curve in found.items()
        for how in [how_measured(curve)]
        if curve.name != "learning_rate"
    }  # fmt: skip
    return sorted(ranks, key=lambda key: ranks[key])


def measure_text(measure: Measure) -> str:
    """Say what a measure is."""
    source, name = measure
    return f"{quantity(name)} ({HOW[how_measured(Curve(name, source))]})"


def reached(stories: Sequence[Story], measure: Measure) -> Reached | None:
    """Return what one run, or several, reached in one stage; None where one of them has no such curve."""
    curves = [story.curves.get(measure) for story in stories]
    if not curves or not all(curve and curve.values for curve in curves):
        return None
    choose = np.argmin if smaller_is_better(measure[1]) else np.argmax
    places = [int(choose(curve.values)) for curve in curves]
    best = [curve.values[at] for curve, at in zip(curves, places, strict=True)]
    last = [curve.values[-1] for curve in curves]
    if len(curves) == 1:
        return Reached(best[0], curves[0].steps[places[0]], last[0])
    means = float(np.mean(best)), float(np.mean(last))
    errors = (float(np.std(values, ddof=1) / np.sqrt(len(values))) for values in (best, last))
    return Reached(means[0], None, means[1], *errors, n=len(curves))


def curves_csv(runs: Mapping[str, Compared]) -> str:
    """Write every point of every curve, norms of gradients too, as CSV."""
    text = io.StringIO()
    writer = csv.writer(text, lineterminator="\n")
    writer.writerow(
        ["run", "stage", "source", "name", "measured", "steps", "epochs", "seconds", "examples", "value"]
    )
    for label, one in runs.items():
        for story in one.stories:
            for curve, source, how in _curves(story):
                axes = (story.axis(curve, axis) for axis in ("steps", "epochs", "seconds", "examples"))
                for row in zip(*axes, curve.values, strict=True):
                    writer.writerow([label, story.stage, source, curve.name, how, *row])
    return text.getvalue()


def _curves(story: Story) -> Iterator[tuple[Curve, str, str]]:
    for curve in story.curves.values():
        yield curve, curve.source, HOW[how_measured(curve)]
    for curve in story.norms.values():
        yield curve, "norm", "norm of the gradient, as the optimizer remembers it"


def folder(runs: Mapping[str, Compared]) -> bytes:
    """Pack a comparison as a folder: curves, settings in which the runs differ, and each run's order and events."""
    packed = io.BytesIO()
    with zipfile.ZipFile(packed, "w", zipfile.ZIP_DEFLATED) as archive:

        def write(name: str, content: str) -> None:
            archive.writestr(f"comparison/{name}", content)

        write("README.md", _readme(runs))
        write("curves.csv", curves_csv(runs))
        write("differences.json", json.dumps(differences(runs), ensure_ascii=False, indent=2))
        for one in runs.values():
            own = f"runs/{one.run.key.replace(':', '_')}"
            write(f"{own}/settings.json", json.dumps(one.run.settings(), ensure_ascii=False, indent=2))
            write(f"{own}/events.jsonl", _events(one.run))
            try:
                write(f"{own}/order.json", json.dumps(asdict(one.run.order), ensure_ascii=False, indent=2))
            except InputError:  # of another version
                continue
    return packed.getvalue()


def _events(run: AnyRun) -> str:
    if isinstance(run, RecordedRun):
        return "".join(json.dumps(event, ensure_ascii=False) + "\n" for event in run.content["events"])
    return run.events.read_text(encoding="utf-8") if run.events.is_file() else ""


def _readme(runs: Mapping[str, Compared]) -> str:
    lines = [
        "# Runs of Lectern's laboratory, compared", "",
        "`curves.csv` has every point of every curve (`measured` says what a number is), `differences.json` the "
        "settings in which the runs differ, `runs/` the settings, the order and the events of each. A recorded run has "
        "some of its events, not all.", "",
    ]  # fmt: skip
    for label, one in runs.items():
        lines += [f"## {label}", "", f"{one.run.key}: {one.state}.", ""]
        try:
            order = one.run.order
        except InputError:
            continue
        if order.task:
            lines += ["Train it again:", "", f"    {order.command('runs/again')}", ""]
    return "\n".join(lines)

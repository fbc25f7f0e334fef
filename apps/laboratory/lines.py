"""Curves of runs as the lines of pictures: one picture a quantity, long curves thinned out, seeds taken together."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np

from apps.laboratory.curves import Axis, Curve, Story
from apps.shared.language import N_

MOST_POINTS, MOST_LAYERS = 250, 8  # of a line, in a picture
LEARNED, HELD_OUT, SAMPLE, MEASURED, AFTER = "learned", "held out", "sample", "measured", "after"
HOW = {
    LEARNED: N_("learned from (mean of the steps since the point before)"),
    HELD_OUT: N_("held out (a fixed sample)"),
    SAMPLE: N_("a fixed sample of what is learned from"),
    MEASURED: N_("measured while it trains"),
    AFTER: N_("held out (all of it, after each epoch)"),
}  # what the numbers of a line are
_PREFIXES = {"held_out_": HELD_OUT, "training_sample_": SAMPLE, "validation_": AFTER, "dev_": AFTER}
_SMALL_IS_GOOD = ("loss", "nats", "error", "perplexity")


@dataclass(frozen=True)
class Line:
    """One line of a picture.

    Args:
        run: Label of the run, or of the runs that are taken together.
        how: One of ``HOW``.
        x: Places on the axis.
        y: Numbers.
        error: Standard error of the mean, where several runs are taken together.
        n: Runs.
    """

    run: str
    how: str
    x: Sequence[float]
    y: Sequence[float]
    error: Sequence[float] | None = None
    n: int = 1


def quantity(name: str) -> str:
    """Return what a metric measures, for people, whatever it is measured on: ``held_out_loss`` is a loss."""
    prefix = next((prefix for prefix in _PREFIXES if name.startswith(prefix)), "")
    return name.removeprefix(prefix).replace("_", " ")


def how_measured(curve: Curve) -> str:
    """Say which of ``HOW`` a curve is."""
    otherwise = MEASURED if curve.source == "watch" else LEARNED  # also the mean of a whole epoch
    return next((how for prefix, how in _PREFIXES.items() if curve.name.startswith(prefix)), otherwise)


def smaller_is_better(name: str) -> bool:
    """Say whether a metric is better when it is smaller, by its name."""
    return any(word in name for word in _SMALL_IS_GOOD)


def drawn(story: Story) -> list[Curve]:
    """Return the curves of a stage that say something of their own, in the order of what decides a training.

    The mean of an epoch is left out where the points within the epochs are there.
    """
    curves = [
        curve
        for (source, name), curve in story.curves.items()
        if curve.values and not (source == "epoch" and ("training", name) in story.curves)
    ]
    return sorted(curves, key=lambda curve: (quantity(curve.name) != "loss", curve.name == "learning_rate"))


def lines_of(
    runs: Mapping[str, Story], axis: Axis, together: Mapping[str, Sequence[str]] | None = None
) -> dict[str, list[Line]]:
    """Return the lines of some stages, by quantity.

    Args:
        runs: Label to stage.
        axis: What they are drawn over; what has no place on it is left out.
        together: Label to the labels of runs that are drawn as their mean.
    """
    found: dict[str, list[Line]] = {}
    for label, story in runs.items():
        for curve in drawn(story):
            line = _line(label, how_measured(curve), curve, story, axis)
            if line.x:
                found.setdefault(quantity(curve.name), []).append(line)
    return {name: _taken_together(lines, together or {}) for name, lines in found.items()}


def norm_lines(story: Story, axis: Axis) -> list[Line]:
    """Return the norms of the gradients of at most ``MOST_LAYERS`` layers, first and last among them."""
    layers = list(story.norms.items())
    if len(layers) > MOST_LAYERS:
        layers = [layers[at] for at in np.linspace(0, len(layers) - 1, MOST_LAYERS).round().astype(int)]
    lines = [_line(name, MEASURED, curve, story, axis) for name, curve in layers]
    return [line for line in lines if line.x]


def _line(label: str, how: str, curve: Curve, story: Story, axis: Axis) -> Line:
    places = story.axis(curve, axis)
    placed = [at for at, place in enumerate(places) if place is not None]
    x, y = (np.array([values[at] for at in placed], float) for values in (places, curve.values))
    if len(x) > MOST_POINTS and how == LEARNED and curve.name != "learning_rate":
        # Each point is the mean of the steps since the one before: so are the means of neighbours, by their steps.
        steps = np.array([curve.steps[at] for at in placed])
        weights = np.maximum(np.diff(steps, prepend=0), 1)
        first = np.linspace(0, len(x), MOST_POINTS, endpoint=False).astype(int)
        y = np.add.reduceat(y * weights, first) / np.add.reduceat(weights, first)
        x = x[np.append(first[1:], len(x)) - 1]
    elif len(x) > MOST_POINTS:
        kept = np.linspace(0, len(x) - 1, MOST_POINTS).round().astype(int)
        x, y = x[kept], y[kept]
    return Line(label, how, x.tolist(), y.tolist())


def _taken_together(lines: Sequence[Line], together: Mapping[str, Sequence[str]]) -> list[Line]:
    groups = {run: group for group, runs in together.items() for run in runs}
    found: dict[tuple[str, str], list[Line]] = {}
    for line in lines:
        found.setdefault((groups.get(line.run, line.run), line.how), []).append(line)
    return [
        members[0] if label not in together else mean_line(label, members)
        for (label, _), members in found.items()
    ]


def mean_line(label: str, lines: Sequence[Line]) -> Line:
    """Take lines together: their mean where all of them are, read off between two points, and its standard error."""
    begin, end = max(line.x[0] for line in lines), min(line.x[-1] for line in lines)
    every = np.unique(np.concatenate([line.x for line in lines]))
    x = every[(every >= begin) & (every <= end)]
    if len(x) > MOST_POINTS:
        x = np.linspace(begin, end, MOST_POINTS)
    values = np.array([np.interp(x, line.x, line.y) for line in lines])
    n = len(lines)
    error = (values.std(axis=0, ddof=1) / np.sqrt(n)).tolist() if n > 1 else None
    return Line(label, lines[0].how, x.tolist(), values.mean(axis=0).tolist(), error, n)

"""Curves of one or several runs: a picture for each quantity, fast enough to be drawn every second."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import streamlit as st

from apps.laboratory.curves import Axis, Story
from apps.laboratory.lines import AFTER, HOW, LEARNED, Line, lines_of, norm_lines, smaller_is_better
from apps.shared import charts
from apps.shared.colours import tint
from apps.shared.language import N_, _
from apps.shared.page import one_of
from apps.shared.style import palette

AXES: tuple[Axis, ...] = (N_("steps"), N_("epochs"), N_("seconds"), N_("examples"))
# What is measured, and units, as the drivers name them.
_MEASURED = (N_("loss"), N_("accuracy"), N_("learning rate"), N_("perplexity"), N_("nats per character"))
_UNITS = (N_("images"), N_("words"), N_("sentences"), N_("characters"), N_("documents"))
_SYMBOLS = ("circle", "square", "triangle-up", "diamond", "x", "triangle-down", "star", "cross")
_HUES = ("#8265c2", "#4fa356", "#d3ae2f", "#b8486f", "#7d8590")
_DASHES = ("solid", "dash", "dot", "dashdot")
_SPREAD = 50  # where the largest number is more than so many times the smallest, the axis is logarithmic


def choose_axis(key: str = "over") -> Axis:
    """Let the visitor choose what curves are drawn over; the choice stands in the page's address."""
    return one_of(_("Over"), AXES, key, named=True)


def choose_stage(runs: Mapping[str, Sequence[Story]], key: str = "stage") -> str:
    """Let the visitor choose a stage where runs have several; the last is the one that trains now.

    Args:
        runs: Label to the stages of a run.
        key: Of the chooser.
    """
    several = [story.stage for stories in runs.values() if len(stories) > 1 for story in stories]
    return one_of(_("Stage"), [N_("last"), *dict.fromkeys(several)], key, named=True) if several else "last"


def of_stage(runs: Mapping[str, Sequence[Story]], name: str) -> dict[str, Story]:
    """Return the stage of this name of each run that has begun, the last one where it has none of this name."""
    return {
        label: next((story for story in stories if story.stage == name), stories[-1])
        for label, stories in runs.items()
        if stories
    }


def show_curves(
    runs: Mapping[str, Story],
    key: str,
    *,
    axis: Axis = "steps",
    together: Mapping[str, Sequence[str]] | None = None,
    only: Sequence[str] = (),
) -> None:
    """Draw the curves of one or several runs.

    Args:
        runs: Label to the stage that is drawn; see :func:`of_stage`.
        key: Of the pictures.
        axis: What they are drawn over.
        together: Label to labels of runs that differ in the seed alone: they are drawn as mean and standard error.
        only: The quantities that are drawn; all if nothing is said.
    """
    found = {
        name: lines for name, lines in lines_of(runs, axis, together).items() if name in only or not only
    }
    if not found:
        where = (
            _("Nothing is known yet") if axis == "steps" else _("Nothing is known over {axis}", axis=_(axis))
        )
        st.caption(_("{where}: the first points come some steps after the start.", where=where))
        return
    labels = list(dict.fromkeys(line.run for lines in found.values() for line in lines))
    x_title = _axis_title(axis, runs)
    columns: list[Any] = []
    for name, lines in found.items():
        columns = columns or st.columns(
            min(2, len(found)), gap="medium"
        )  # a row of its own: narrow windows stack it
        with columns.pop(0):
            _show(
                _picture(name, lines, labels, x_title),
                f"{key} {name}",
                _("{name} over {x_title}", name=_(name), x_title=x_title),
            )
    st.caption(_legend(runs, [line for lines in found.values() for line in lines], len(labels)))


def show_norms(story: Story, key: str, *, axis: Axis = "steps") -> None:
    """Draw the norms of the gradients layer by layer, as the optimizer remembers them; nothing where it does not."""
    lines = norm_lines(story, axis)
    if not lines:
        return
    x_title = _axis_title(axis, {"": story})
    picture = charts.figure(x_title=x_title, y_title=_("norm of the gradient"), height=300)
    for line, (colour, dash) in zip(
        lines, charts.line_looks([line.run for line in lines]).values(), strict=True
    ):
        hover = f"{line.run}: %{{y:.3g}}<extra></extra>"
        looks = {"color": colour, "dash": dash, "width": 2}
        picture.add_scatter(x=line.x, y=line.y, name=line.run, mode="lines", line=looks, hovertemplate=hover)
    picture.update_yaxes(type="log", exponentformat="power", dtick=1)
    _show(picture, f"{key} norms", _("Norm of the gradient by layer over {x_title}", x_title=x_title))
    more = ""
    if len(lines) < len(story.norms):
        more = _("{n} of {all} layers are drawn.", n=len(lines), all=len(story.norms))
    st.caption(
        _(
            "From the optimizer's memory, so smoothed: for Adam the root of the mean square over "
            "about the last 1 / (1 − beta₂) steps, for momentum the norm of the velocity, after "
            "clipping."
        )
        + f" {more}"
    )


def _axis_title(axis: Axis, runs: Mapping[str, Story]) -> str:
    if axis == "seconds":
        return _("seconds of training")
    units = list(dict.fromkeys(story.unit for story in runs.values()))
    return _("{units} learned from", units=_or(units)) if axis == "examples" else _(axis)


def _or(words: Sequence[str]) -> str:
    return _(" or ").join(map(_, words))


def _picture(name: str, lines: Sequence[Line], labels: Sequence[str], x_title: str) -> charts.Picture:
    numbers = [abs(y) for line in lines for y in line.y if y]
    wide = smaller_is_better(name) and all(y > 0 for line in lines for y in line.y)
    wide = wide and max(numbers, default=1) > _SPREAD * min(numbers, default=1)
    title = f"{_(name)}, %" if "accuracy" in name and max(numbers, default=0) > 1.5 else _(name)
    picture = charts.figure(
        x_title=x_title, y_title=_("{title} (logarithmic)", title=title) if wide else title, height=300
    )
    single, named = len(labels) == 1, set()
    for line in lines:
        looks = _looks(line, labels)
        colour = looks["line"]["color"]
        if line.error is not None:
            _add_band(picture, line, colour)
        taken = _(", mean of {n} runs", n=line.n) if line.n > 1 else ""
        picture.add_scatter(
            x=line.x,
            y=line.y,
            name=_(HOW[line.how]).partition(" (")[0] if single else line.run,
            legendgroup=line.how if single else line.run,
            showlegend=single or line.run not in named,
            hovertemplate=f"%{{y:.4g}} | %{{x:,.4~g}}<br>{line.run}{taken}<br>{_(HOW[line.how])}<extra></extra>",
            **looks,
        )
        named.add(line.run)
    if wide:
        picture.update_yaxes(type="log", exponentformat="power")
    return picture


def _looks(line: Line, labels: Sequence[str]) -> dict[str, object]:
    """Return colour, line and dots: runs and ways of measuring are told apart by more than their colour."""
    at, colours = labels.index(line.run), palette()
    hues = (colours.ours, colours.peer, *_HUES, colours.text)
    colour = hues[at % len(hues)]
    if len(labels) == 1:
        colour = colours.peer if line.how == LEARNED else colours.ours
    few = len(line.x) < 2
    if line.how == LEARNED:
        dash = _DASHES[at % len(_DASHES)]
        return {
            "mode": "lines+markers" if few else "lines", "line": {"color": colour, "width": 1.4, "dash": dash},
            "opacity": 0.75, "marker": {"color": colour, "size": 4},
        }  # fmt: skip
    symbol = _SYMBOLS[at % len(_SYMBOLS)]
    after = line.how == AFTER
    return {
        "mode": "lines+markers",
        "line": {"color": colour, "width": 1.2 if after else 2.2, "dash": "dot" if after else "solid"},
        "marker": {"color": colour, "size": 9 if after else 5, "symbol": f"{symbol}-open" if after else symbol},
    }  # fmt: skip


def _add_band(picture: charts.Picture, line: Line, colour: str) -> None:
    upper, lower = ([y + sign * e for y, e in zip(line.y, line.error, strict=True)] for sign in (1, -1))
    edge = {"mode": "lines", "line": {"width": 0}, "hoverinfo": "skip", "showlegend": False}
    edge |= {"legendgroup": line.run}
    picture.add_scatter(x=line.x, y=upper, **edge)
    picture.add_scatter(x=line.x, y=lower, fill="tonexty", fillcolor=tint(colour, 0.2), **edge)


def _legend(runs: Mapping[str, Story], lines: Sequence[Line], labels: int) -> str:
    """Say what lines and dots are."""
    looks = {LEARNED: _("thin line"), AFTER: _("dotted, large dots")}
    said = [
        f"{looks.get(how, _('line with dots'))}: {_(HOW[how])}"
        for how in HOW
        if any(one.how == how for one in lines)
    ]
    said += [
        f"{line.run}: " + _("mean of n = {n} runs, with a band of one standard error", n=line.n)
        for line in {one.run: one for one in lines if one.n > 1}.values()
    ]
    sizes = {
        _("{n:,} {unit}", n=story.examples, unit=_(story.unit)) for story in runs.values() if story.examples
    }
    said += [_("an epoch: {sizes}", sizes=_or(sorted(sizes)))] if sizes else []
    text = "; ".join(said)
    return f"{text[:1].upper()}{text[1:]}."


def _show(picture: charts.Picture, key: str, alt: str) -> None:
    """Put a picture on the page; what a visitor has hidden in it stays hidden when it is drawn again."""
    picture.update_layout(margin={"t": 44}, showlegend=True, uirevision=key)
    charts.show(picture, key, alt)

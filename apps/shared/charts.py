"""Pictures that several pages draw, in the page's colours and never by colour alone: bars, lines, words, matrices."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from numbers import Real
from typing import Any
from urllib.parse import quote

import numpy as np
import streamlit as st

from apps.shared.language import _
from apps.shared.page_picture import Picture, Said
from apps.shared.style import palette

_BAR = 26  # pixels a bar
_MOST_TOLD, _LONGEST = 6, 3  # lines about a picture for screen readers, bars in a line
_LETTER, _LINE = 6.5, 15  # pixels of a letter's width and of a line of names
_DASHES = ("solid", "dash", "dot", "dashdot", "longdash", "longdashdot")
PATTERNS = ("", "/", ".", "x", "\\", "-", "+")  # of bars that a colour tells apart
_SEEN = 0.05  # of the largest number: a cell that is paler has no sign that could be seen
_STATIC = {"displayModeBar": False, "scrollZoom": False}
_ZOOM = {"displaylogo": False, "scrollZoom": True, "modeBarButtonsToRemove": ["select2d", "lasso2d"]}


def axis_titles(names: Sequence[str], explained: Sequence[float] | None) -> Sequence[str]:
    """Name the axes of a map for whoever looks, those of principal components with their share of the variance."""
    if explained is None:
        return names
    told = zip(names, explained, strict=True)
    return [_("{words} ({share:.1%} of variance)", words=words, share=share) for words, share in told]


def figure(*, x_title: str = "", y_title: str = "", height: int = 360) -> Picture:
    """Make an empty picture in the page's colours, on a transparent ground; a finger scrolls past rather than drags.

    Titles are name and unit of an axis; the height is in pixels.
    """
    colours = palette()
    axis = {
        "gridcolor": colours.grid,
        "zerolinecolor": colours.muted,
        "automargin": True,
        "fixedrange": True,
        "tickfont": {"color": colours.text},
    }
    font = {"color": colours.text, "size": 13}
    picture = Picture()
    picture.update_layout(
        height=height,
        margin={"l": 8, "r": 8, "t": 8, "b": 8},
        paper_bgcolor="rgba(0,0,0,0)",
        plot_bgcolor="rgba(0,0,0,0)",
        font=font,
        hoverlabel={"bgcolor": colours.ground, "font": {"color": colours.text}},
        # At the top of the picture: what it needs is taken from the plot, however many rows it has.
        legend={"orientation": "h", "yref": "container", "yanchor": "top", "y": 1.0, "x": 0},
        dragmode=False,
        xaxis={"title": {"text": x_title, "font": font}, **axis},
        yaxis={"title": {"text": y_title, "font": font}, **axis},
    )
    return picture


def line_looks(names: Sequence[str]) -> dict[str, tuple[str, str]]:
    """Give each line of a picture a CSS colour and a plotly dash of its own; up to six have different dashes."""
    colours = palette()
    more = ("#8265c2", "#d3ae2f", "#4fa356", "#b06bb8")
    hues = (colours.muted, colours.peer, more[0], colours.ours, *more[1:], colours.text)
    return {name: (hues[at % len(hues)], _DASHES[at % len(_DASHES)]) for at, name in enumerate(names)}


def bars(
    words: Sequence[str],
    values: Sequence[float],
    *,
    x_title: str,
    colour: str | Sequence[str],
    number: str = ".3f",
    limits: tuple[float, float] | None = None,
) -> Picture:
    """Draw one horizontal bar a word, the first on top.

    Args:
        words: Names of the bars.
        values: Their lengths.
        x_title: What the lengths are, with the unit.
        colour: One colour, or one a bar.
        number: Format of the numbers at the bars, in d3's notation.
        limits: Ends of the horizontal axis, so that pictures can be compared, or None.
    """
    picture = figure(x_title=x_title, height=70 + _BAR * max(len(words), 1))
    _add_bars(picture, words, values, "%{y}", number, color=colour, cornerradius=3)
    picture.update_layout(bargap=0.28)
    if limits is not None:
        picture.update_xaxes(range=limits)
    return picture


def grouped_bars(
    names: Sequence[str],
    series: dict[str, Sequence[float | None]],
    *,
    x_title: str,
    colours: dict[str, str],
    number: str = ".1f",
) -> Picture:
    """Draw groups of horizontal bars with a legend, the first group and the first series on top.

    ``names`` are those of the groups; each series, by name, has a length for each of them (None leaves a gap) and a
    colour. The others are as in :func:`bars`.
    """
    picture = figure(x_title=x_title, height=100 + len(names) * (10 + 20 * len(series)))
    for at, (name, values) in enumerate(series.items()):
        looks = {"color": colours[name], "pattern": hatch(at), "cornerradius": 2}
        _add_bars(picture, names, values, f"{name}, %{{y}}", number, **looks)
        picture.data[-1]["name"] = name
    picture.update_layout(barmode="group", bargap=0.2, margin={"t": 34})
    picture.update_layout(uniformtext={"minsize": 10, "mode": "show"})
    return picture


def hatch(at: int) -> dict[str, Any]:
    """Give the bars of a series, by its number, a pattern of their own."""
    shape = PATTERNS[at % len(PATTERNS)]
    return {"shape": shape, "fillmode": "overlay", "fgcolor": palette().ground, "size": 8, "solidity": 0.15}


def _add_bars(
    picture: Picture,
    names: Sequence[str],
    values: Sequence[float | None],
    hover: str,
    number: str,
    **marker: Any,
) -> None:
    picture.add_bar(
        x=list(values),
        y=[f"{name} " for name in names],
        orientation="h",
        marker=marker,
        texttemplate=f"%{{x:{number}}}",
        textposition="auto",
        textangle=0,
        insidetextanchor="end",
        insidetextfont={"color": palette().ground, "size": 12},
        hovertemplate=f"{hover}: %{{x:{number}}}<extra></extra>",
    )
    picture.update_yaxes(autorange="reversed", showgrid=False, type="category")


def readable(
    points: Sequence[tuple[float, float]], words: Sequence[str], *, width: float, height: float
) -> list[str]:
    """Choose the names that fit beside each other in a picture of this size in pixels; the first words go first.

    Returns:
        For each word its name, or an empty text where it would cover an earlier name.
    """
    places = np.array(points, float)
    places *= (width, height) / np.maximum(np.ptp(places, axis=0), 1e-12)
    taken: list[tuple[float, float, float]] = []  # centre and half width of each name, in pixels
    names = []
    for (across, up), word in zip(places, words, strict=True):
        half = _LETTER * len(word) / 2
        free = all(abs(across - a) > half + h or abs(up - u) > _LINE for a, u, h in taken)
        if free:
            taken.append((across, up, half))
        names.append(word if free else "")
    return names


def add_words(
    picture: Picture,
    points: Sequence[tuple[float, float]],
    words: Sequence[str],
    *,
    size: tuple[float, float],
    **looks: Any,
) -> None:
    """Add a dot for each word, with the names that fit beside each other; the first words go first.

    Args:
        picture: Receives them.
        points: (x, y) of each word.
        words: Their names.
        size: About how wide and high the picture is, in pixels.
        looks: As plotly takes them.
    """
    x, y = zip(*points, strict=True)
    settings = {
        "text": readable(points, words, width=size[0], height=size[1]),
        "textposition": "top center",
        "textfont": {"size": 11, "color": palette().text},
        "customdata": words,
        "hovertemplate": "%{customdata}<extra></extra>",
    }
    picture.add_scatter(x=x, y=y, mode="markers+text", showlegend=False, **{**settings, **looks})


def add_heatmap(picture: Picture, values: np.ndarray, **looks: Any) -> None:
    """Add a matrix of coloured cells.

    Args:
        picture: Receives it.
        values: Float (rows, columns); NaN for no cell.
        looks: As plotly takes them; with ``zmin`` 0 the scale goes from the ground to ours, else it has two sides,
            and :func:`show` draws a line through negative cells.
    """
    colours = palette()
    largest = float(np.nanmax(np.abs(values), initial=0.0)) or 1.0
    scale = [[0, colours.negative], [0.5, colours.ground], [1, colours.positive]]
    if looks.get("zmin") == 0:
        scale = [[0, colours.ground], [1, colours.ours]]
    bar = {"thickness": 10, "outlinewidth": 0, "tickfont": {"color": colours.text}}
    settings = {"zmin": -largest, "zmax": largest, "colorscale": scale, "colorbar": bar}
    picture.add_heatmap(z=values.tolist(), **{**settings, **looks})


def show(picture: Picture, key: str, alt: str, *, zoom: bool = False, **more: Any) -> None:
    """Put a picture on the page, with what a screen reader says; with ``zoom`` the wheel zooms and dragging moves.

    ``more`` is as Streamlit takes it.
    """
    _strike_negative(picture)
    if zoom:
        picture.update_layout(dragmode="pan")
        picture.update_xaxes(fixedrange=False)
        picture.update_yaxes(fixedrange=False)
    config = _ZOOM if zoom else _STATIC
    st.plotly_chart(Said(picture), key=key, config=config, alt=told(picture, alt), **more)


def _strike_negative(picture: Picture) -> None:
    """Draw a line through the negative cells of matrices with two sides: their colours alone would tell the sign."""
    for trace in picture.data:
        if trace["type"] != "heatmap" or trace["zmin"] >= 0 or "texttemplate" in trace:
            continue
        values = np.array(trace["z"], float)
        upwards = picture.layout[f"yaxis{trace.get('yaxis', 'y')[1:]}"].get("autorange") != "reversed"
        below = (values[::-1] if upwards else values) < -_SEEN * max(-trace["zmin"], trace["zmax"])
        steps = np.diff(np.pad(below, ((0, 0), (1, 1))).astype(int), axis=1)
        ends = zip(np.argwhere(steps == 1).tolist(), np.argwhere(steps == -1).tolist(), strict=True)
        lines = "".join(f"M{start}.1 {row}.5H{end - 1}.9" for (row, start), (_row, end) in ends)
        (rows, columns), colour = values.shape, palette().text
        svg = (
            f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {columns} {rows}" preserveAspectRatio="none">'
            f'<path d="{lines}" stroke="{colour}" stroke-opacity=".7" vector-effect="non-scaling-stroke"/></svg>'
        )
        picture.add_layout_image(
            source=f"data:image/svg+xml,{quote(svg)}",
            xref=trace.get("xaxis", "x"),
            yref=trace.get("yaxis", "y"),
            x=_first(trace.get("x")) - 0.5,
            y=_first(trace.get("y")) + (rows - 0.5 if upwards else -0.5),
            sizex=columns,
            sizey=rows,
            sizing="stretch",
        )
        trace["colorbar"] |= {"title": {"text": _("— negative"), "font": {"size": 11, "color": colour}}}


def _first(names: Any) -> float:
    """Where the first row or column lies: at its number, or at 0 if it has a name."""
    return float(names[0]) if names is not None and isinstance(names[0], Real) else 0.0


def told(picture: Picture, alt: str) -> str:
    """Add to the title of a picture what it says: longest bars, ends of curves, extremes of a matrix, near words."""
    traces = [one for one in picture.data if one.get("hoverinfo") != "skip"]
    if len(traces) > 1:
        # Lines without a name explain others.
        traces = [one for one in traces if one.get("name") or one["type"] != "scatter"]
    return "\n".join([alt, *filter(None, map(_message, traces[:_MOST_TOLD]))])


def _message(trace: dict[str, Any]) -> str:
    """One line about a trace; empty where it has no numbers to tell."""
    kind, name = trace["type"], f"{trace['name']}: " if trace.get("name") else ""
    if kind == "heatmap":
        values = np.array(trace["z"], float)
        if not np.isfinite(values).any():
            return ""
        ends = (np.unravel_index(find(values), values.shape) for find in (np.nanargmax, np.nanargmin))
        high, low = (
            f"{values[r, c]:.3g} ({_at(trace.get('y'), r)}, {_at(trace.get('x'), c)})" for r, c in ends
        )
        return name + _("largest {high}, least {low}", high=high, low=low)
    mode = trace.get("mode", "lines")
    if kind == "scatter" and mode == "markers+text" and "customdata" in trace:
        return name + "; ".join(_near(trace))
    if kind != "bar" and not (kind == "scatter" and "lines" in mode):
        return ""
    x, y = (trace[axis] for axis in ("yx" if trace.get("orientation") == "h" else "xy"))
    pairs = [(_written(a), b) for a, b in zip(x, y, strict=False) if isinstance(b, Real) and np.isfinite(b)]
    if not pairs:
        return ""
    if kind == "bar":
        longest = sorted(pairs, key=lambda pair: -abs(pair[1]))[:_LONGEST]
        return name + ", ".join(f"{label}: {value:.3g}" for label, value in longest)
    (start, first), (end, last) = pairs[0], pairs[-1]
    return name + _(
        "{first:.3g} at {start}, {last:.3g} at {end}", first=first, start=start, last=last, end=end
    )


def _near(trace: dict[str, Any]) -> Iterator[str]:
    """Say which word lies nearest to each of the first ones of a map."""
    words = [one if isinstance(one, str) else one[0] for one in trace["customdata"]]
    points = np.array([trace["x"], trace["y"]], float).T
    for at, word in enumerate(words[:_MOST_TOLD] if len(words) > 1 else ()):
        apart = np.linalg.norm(points - points[at], axis=1)
        apart[at] = np.inf
        yield _("{word} is nearest to {other}", word=word, other=words[int(apart.argmin())])


def _at(names: Any, place: int) -> str:
    return _written(place if names is None else names[place])


def _written(place: Any) -> str:
    return f"{place:.3g}" if isinstance(place, float) else str(place).strip()

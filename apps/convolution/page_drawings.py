"""What the sections draw alike: numbers as grids, tensors as boxes in parallel projection (both SVG), code as Keras."""

from __future__ import annotations

import math
from base64 import b64encode
from collections.abc import Callable, Collection, Sequence
from dataclasses import dataclass
from html import escape
from typing import Any

import numpy as np
import streamlit as st

from apps.convolution.numbers import written, written_sizes
from apps.shared.language import _
from apps.shared.page import input_errors
from apps.shared.style import palette
from apps.shared.tables import numbers

_CELL, _GAP, _LEFT, _LETTER = 44, 46, 12, 7.2
_TITLE = 20  # pixels of a row's name
_LONGEST, _ASIDE, _UP = 150.0, 0.5, 0.38  # of a box
_BOX_MARGIN, _BOX_TITLE = 10, 24
_WIDEST, _MOST_SLICES = 14, 8  # of what can be read
# Front, top and right side: for each corner whether it lies at the end of rows, columns and depth.
_FACES = (
    ((0, 0, 0), (0, 1, 0), (1, 1, 0), (1, 0, 0)),
    ((0, 0, 0), (0, 1, 0), (0, 1, 1), (0, 0, 1)),
    ((0, 1, 0), (1, 1, 0), (1, 1, 1), (0, 1, 1)),
)


def as_keras(write: Callable[[], str]) -> None:
    """Draw the code that gives the same numbers; wrong input becomes a message."""
    with st.expander(_("As Keras"), icon=":material/code:"), input_errors():
        st.code(write(), language="python")
        st.caption(_("It runs by itself and gives the same numbers."))


@dataclass(frozen=True)
class Grid:
    """One matrix of numbers with its title above it; marked cells have a thick frame."""

    title: str
    values: np.ndarray
    marked: Collection[tuple[int, int]] = ()

    def cells(self, left: float, top: float, size: float) -> str:
        """Draw its title and below it its cells, each shaded by its number."""
        largest = float(np.abs(self.values).max(initial=0.0))
        drawn = [_label(left, top + 8, self.title)]
        for (r, c), value in np.ndenumerate(self.values):
            x, y = left + c * size, top + _TITLE + r * size
            strength = abs(float(value)) / largest if largest > 0 else 0.0
            drawn.append(_cell(x, y, size, float(value), strength, (r, c) in self.marked))
        return "".join(drawn)


def row(title: str, values: Sequence[float], marked: Collection[int] = ()) -> Grid:
    """Make a grid of one row."""
    return Grid(title, np.array([values]), {(0, place) for place in marked})


def show_rows(rows: Sequence[Grid], joints: Sequence[tuple[int, int, int]], alt: str) -> None:
    """Draw grids of one row below each other; a joint is a row, a position in it and one in the next row."""
    step = _CELL + _TITLE + _GAP
    body = []
    for at, below, above in joints:
        x, y = _LEFT + (below + 0.5) * _CELL, at * step + _TITLE + _CELL
        end = _LEFT + (above + 0.5) * _CELL
        body.append(f'<line x1="{x:g}" y1="{y}" x2="{end:g}" y2="{y + _GAP + _TITLE}" class="joint"/>')
    for at, each in enumerate(rows):
        body.append(each.cells(_LEFT, at * step, _CELL))
        for place in range(each.values.shape[1]):
            x, y = _LEFT + (place + 0.5) * _CELL, at * step + _TITLE + _CELL + 12
            body.append(_label(x, y, str(place), "index"))
    width = _LEFT + 8 + max(max(each.values.shape[1] * _CELL, len(each.title) * _LETTER) for each in rows)
    drawn = _picture("".join(body), width, len(rows) * step - _GAP + 18, alt)
    told = numbers([each.title, *each.values[0].tolist()] for each in rows)
    st.html(f'<div style="overflow-x:auto;max-width:100%" tabindex="0" {told}>{drawn}</div>')


def slices(name: str, tensor: np.ndarray, marked: Collection[tuple[int, ...]] = ()) -> list[Grid]:
    """Cut a tensor along all modes after the first two, a vector is a column; nothing of what is too wide to be read.

    Of many slices only those with a marked position are taken.
    """
    sizes = written_sizes(tensor.shape)
    if tensor.ndim < 2:
        tensor, marked = tensor.reshape(-1, 1), {(*place, 0) for place in marked}
    rests = list(np.ndindex(*tensor.shape[2:]))
    if len(rests) > _MOST_SLICES:
        rests = [rest for rest in rests if any(place[2:] == rest for place in marked)]
    if max(tensor.shape[:2]) > _WIDEST or len(rests) > _MOST_SLICES:
        return []
    return [
        Grid(
            f"{name}[:, :, {', '.join(map(str, rest))}]" if rest else f"{name} {sizes}",
            tensor[:, :, *rest],
            {place[:2] for place in marked if place[2:] == rest},
        )
        for rest in rests
    ]


def show_grids(grids: Sequence[Grid], alt: str, *, cell: int = 34) -> None:
    """Draw matrices with cells of a size in pixels beside each other; a narrow window shows them below each other."""
    pictures = []
    for grid in grids:
        rows, columns = grid.values.shape
        width = max(columns * cell, len(grid.title) * _LETTER) + 6
        pictures.append(_picture(grid.cells(2, 0, cell), width, rows * cell + _TITLE + 4, grid.title))
    told = numbers([grid.title, *line] for grid in grids for line in grid.values.tolist())
    st.html(
        f'<div role="group" aria-label="{escape(alt)}" tabindex="0" {told} style="display:flex;flex-wrap:wrap;gap:1rem;'
        f'overflow-x:auto">{"".join(pictures)}</div>'
    )


@dataclass(frozen=True)
class Box:
    """One tensor; of more than three modes those between the first and the last are drawn as one."""

    title: str  # stands above it, with its sizes
    sizes: tuple[int, ...]  # of its modes; the last one goes into the depth
    inside: tuple[tuple[int, int], ...] = ()  # start and size of a smaller box in each mode, or empty

    @property
    def drawn(self) -> tuple[int, int, int]:
        """Rows, columns and depth of the box."""
        rows, columns, depth = _three(self.sizes, 1)
        return rows, math.prod(columns), depth

    def picture(self, unit: float) -> str:
        """Draw it with so many pixels for one value of a mode."""
        rows, columns, depth = (max(size * unit, 3.0) for size in self.drawn)
        height = rows + _UP * depth + 2 * _BOX_MARGIN + _BOX_TITLE + 18
        left, top = _BOX_MARGIN + 22, _BOX_MARGIN + _BOX_TITLE + _UP * depth
        words = f"{self.title} {written_sizes(self.sizes)}"
        body = _label(2, 12, words) + _faces(((0.0, rows), (0.0, columns), (0.0, depth)), left, top, 0.1)
        if self.inside:
            first, between, last = _three(self.inside, (0, 1))
            spans = (first, between[0] if len(between) == 1 else (0, 1), last)
            body += _faces([(start * unit, size * unit) for start, size in spans], left, top, 0.55)
        places = (
            (left - 12, top + rows / 2),
            (left + columns / 2, top + rows + 12),
            (left + columns + _ASIDE * depth / 2 + 10, top + rows - _UP * depth / 2 + 8),
        )
        for (x, y), size in zip(places, self.drawn, strict=True):
            body += _label(x, y, str(size), "small")
        width = max(columns + _ASIDE * depth + 2 * _BOX_MARGIN + 26, len(words) * 8.2 + 4)
        return _picture(body, width, height, words, "max-width:100%")


def show_boxes(boxes: Sequence[Box], alt: str) -> None:
    """Draw boxes of one scale beside each other; a narrow window shows them below each other."""
    fits = _LONGEST / max(max(box.drawn) for box in boxes)
    unit = max(min(fits, 44.0), min(0.5, 2 * fits))
    pictures = "".join(box.picture(unit) for box in boxes)
    told = numbers([box.title, *box.sizes] for box in boxes)
    st.html(
        f'<div role="img" aria-label="{escape(alt)}" {told} style="display:flex;flex-wrap:wrap;gap:1.4rem;'
        f'align-items:flex-end">{pictures}</div>'
    )


def _picture(body: str, width: float, height: float, alt: str, style: str = "max-width:none") -> str:
    """Wrap elements of SVG as an ``<img>`` in pixels and CSS (the page's sanitizer removes inline SVG)."""
    colours = palette()
    rules = (
        f"text{{font:14px monospace;fill:{colours.text};text-anchor:middle;dominant-baseline:central}}"
        f".on{{fill:{colours.ground}}}.title{{font:13px sans-serif;text-anchor:start}}"
        f".title,.index{{paint-order:stroke;stroke:{colours.ground};stroke-width:4px}}"
        f".index{{font:10px sans-serif;fill-opacity:.8}}.small{{font-size:11px}}"
        f".positive,.negative{{stroke:{colours.grid};fill:{colours.positive}}}.negative{{fill:{colours.negative}}}"
        f".marked{{stroke:{colours.peer};stroke-width:3;fill:none}}"
        f".joint{{stroke:{colours.peer};stroke-width:1.5;stroke-opacity:.8}}"
        f".face{{stroke:{colours.text};stroke-opacity:.65;stroke-width:1.2;fill:{colours.ours}}}"
    )
    svg = (
        f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {width:g} {height:g}" width="{width:g}" '
        f'height="{height:g}"><style>{rules}</style>{body}</svg>'
    )
    url = "data:image/svg+xml;base64," + b64encode(svg.encode()).decode()
    return f'<img src="{url}" width="{width:.0f}" height="{height:.0f}" style="{style}" alt="{escape(alt)}">'


def _label(x: float, y: float, words: str, kind: str = "title") -> str:
    return f'<text x="{x:g}" y="{y:g}" class="{kind}">{escape(words)}</text>'


def _cell(x: float, y: float, size: float, value: float, strength: float, marked: bool) -> str:
    """A square whose shade is the number: one colour for positive ones, another one for negative ones."""
    text = written(value)
    if len(text) * 6.6 > size - 4:
        text = f"{value:.2g}"  # the products below the picture have all digits
    kind = " ".join(["on"] * (strength > 0.55) + ["small"] * (len(text) * 8.4 > size - 6))
    cell = _square(x, y, size, "positive" if value >= 0 else "negative", 0.9 * strength)
    cell += _label(x + size / 2, y + size / 2, text, kind)
    return cell + _square(x + 1.5, y + 1.5, size - 3, "marked") if marked else cell


def _square(x: float, y: float, size: float, kind: str, opacity: float = 1.0) -> str:
    place = f'x="{x:g}" y="{y:g}" width="{size:g}" height="{size:g}"'
    return f'<rect {place} fill-opacity="{opacity:.2f}" class="{kind}"/>'


def _faces(spans: Sequence[tuple[float, float]], left: float, top: float, strength: float) -> str:
    """Draw a box from the start and size of its rows, columns and depth."""
    drawn = ""
    for face in _FACES:
        points = []
        for corner in face:
            r, c, d = (start + size * end for (start, size), end in zip(spans, corner, strict=True))
            points.append(f"{left + c + _ASIDE * d:.1f},{top + r - _UP * d:.1f}")
        drawn += f'<polygon points="{" ".join(points)}" class="face" fill-opacity="{strength}"/>'
    return drawn


def _three(modes: tuple[Any, ...], missing: Any) -> tuple[Any, list[Any], Any]:
    """Rows, columns and depth; any number of modes between the first and the last are columns."""
    if len(modes) < 2:
        modes = (missing, *(modes or [missing]), missing)
    rows, *columns, depth = modes
    return rows, columns, depth

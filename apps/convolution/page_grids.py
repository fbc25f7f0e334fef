"""Rows and grids of numbers as drawings: SVG in the colours of the page."""

from __future__ import annotations

from base64 import b64encode
from collections.abc import Collection, Sequence
from dataclasses import dataclass
from html import escape

import numpy as np
import streamlit as st

from apps.convolution.numbers import written
from apps.shared.style import Palette, palette

_CELL, _GAP, _LEFT, _LETTER = 44, 46, 12, 7.2
_TITLE = 20  # pixels of a row's name


@dataclass(frozen=True)
class Grid:
    """One matrix of numbers with its title above it; marked cells have a thick frame."""

    title: str
    values: np.ndarray
    marked: Collection[tuple[int, int]] = ()

    def cells(self, left: float, top: float, size: float, colours: Palette) -> str:
        """Draw its title and below it its cells, each shaded by its number."""
        largest = float(np.abs(self.values).max(initial=0.0))
        drawn = [_label(left, top + 8, self.title)]
        for (r, c), value in np.ndenumerate(self.values):
            x, y = left + c * size, top + _TITLE + r * size
            drawn.append(_cell(x, y, size, float(value), largest, (r, c) in self.marked, colours))
        return "".join(drawn)


def row(title: str, values: Sequence[float], marked: Collection[int] = ()) -> Grid:
    """Make a grid of one row."""
    return Grid(title, np.array([values]), {(0, place) for place in marked})


def show_rows(rows: Sequence[Grid], joints: Sequence[tuple[int, int, int]], alt: str) -> None:
    """Draw grids of one row below each other; a joint is a row, a position in it and one in the next row."""
    colours = palette()
    step = _CELL + _TITLE + _GAP
    body = []
    for at, below, above in joints:
        x, y = _LEFT + (below + 0.5) * _CELL, at * step + _TITLE + _CELL
        end = _LEFT + (above + 0.5) * _CELL
        body.append(f'<line x1="{x:g}" y1="{y}" x2="{end:g}" y2="{y + _GAP + _TITLE}" class="joint"/>')
    for at, each in enumerate(rows):
        body.append(each.cells(_LEFT, at * step, _CELL, colours))
        for place in range(each.values.shape[1]):
            x, y = _LEFT + (place + 0.5) * _CELL, at * step + _TITLE + _CELL + 12
            body.append(_label(x, y, str(place), "index"))
    width = _LEFT + 8 + max(max(each.values.shape[1] * _CELL, len(each.title) * _LETTER) for each in rows)
    drawn = picture("".join(body), width, len(rows) * step - _GAP + 18, colours, alt, "max-width:none")
    st.html(f'<div style="overflow-x:auto;max-width:100%" tabindex="0">{drawn}</div>')


def show_grids(grids: Sequence[Grid], alt: str, *, cell: int = 34) -> None:
    """Draw matrices with cells of a size in pixels beside each other; a narrow window shows them below each other."""
    colours = palette()
    pictures = []
    for grid in grids:
        rows, columns = grid.values.shape
        width = max(columns * cell, len(grid.title) * _LETTER) + 6
        body = grid.cells(2, 0, cell, colours)
        pictures.append(picture(body, width, rows * cell + _TITLE + 4, colours, grid.title, "max-width:none"))
    st.html(
        f'<div role="group" aria-label="{escape(alt)}" tabindex="0" style="display:flex;flex-wrap:wrap;gap:1rem;'
        f'overflow-x:auto">{"".join(pictures)}</div>'
    )


def picture(body: str, width: float, height: float, colours: Palette, alt: str, style: str) -> str:
    """Wrap elements of SVG as an ``<img>`` in pixels and CSS (the page's sanitizer removes inline SVG)."""
    rules = (
        f"text{{font:14px monospace;fill:{colours.text};text-anchor:middle;dominant-baseline:central}}"
        f".on{{fill:{colours.ground}}}.title{{font:13px sans-serif;text-anchor:start}}"
        f".index{{font:10px sans-serif;fill-opacity:.6}}.small{{font-size:11px}}"
        f".cell{{stroke:{colours.grid}}}.marked{{stroke:{colours.peer};stroke-width:3;fill:none}}"
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


def _cell(
    x: float, y: float, size: float, value: float, largest: float, marked: bool, colours: Palette
) -> str:
    """A square whose shade is the number: one colour for positive ones, another one for negative ones."""
    strength = abs(value) / largest if largest > 0 else 0.0
    colour = colours.positive if value >= 0 else colours.negative
    text = written(value)
    if len(text) * 6.6 > size - 4:
        text = f"{value:.2g}"  # the products below the picture have all digits
    kind = " ".join(["on"] * (strength > 0.55) + ["small"] * (len(text) * 8.4 > size - 6))
    cell = (
        f'<rect x="{x:g}" y="{y:g}" width="{size:g}" height="{size:g}" fill="{colour}" '
        f'fill-opacity="{0.9 * strength:.2f}" class="cell"/>'
        f'<text x="{x + size / 2:g}" y="{y + size / 2:g}" class="{kind}">{escape(text)}</text>'
    )
    if marked:
        cell += f'<rect x="{x + 1.5:g}" y="{y + 1.5:g}" width="{size - 3:g}" height="{size - 3:g}" class="marked"/>'
    return cell

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
class Row:
    """One row of numbers.

    Args:
        title: Stands above it.
        values: The numbers.
        marked: Positions with a thick frame.
    """

    title: str
    values: Sequence[float]
    marked: Collection[int] = ()


@dataclass(frozen=True)
class Grid:
    """One matrix of numbers.

    Args:
        title: Stands above it.
        values: (rows, columns).
        marked: (row, column) of cells with a thick frame.
    """

    title: str
    values: np.ndarray
    marked: Collection[tuple[int, int]] = ()


def show_rows(rows: Sequence[Row], joints: Sequence[tuple[int, int, int]], alt: str) -> None:
    """Draw rows below each other.

    Args:
        rows: From top to bottom.
        joints: (row, position in it, position in the next row) that a line connects.
        alt: What a screen reader says.
    """
    colours = palette()
    width = _LEFT + 8 + max(max(len(row.values) * _CELL, len(row.title) * _LETTER) for row in rows)
    step = _CELL + _TITLE + _GAP
    body = []
    for at, row in enumerate(rows):
        y = at * step
        body.append(_label(_LEFT, y + 8, row.title))
        largest = max((abs(value) for value in row.values), default=0.0)
        for place, value in enumerate(row.values):
            x = _LEFT + place * _CELL
            body.append(_cell(x, y + _TITLE, _CELL, value, largest, place in row.marked, colours))
            body.append(_label(x + _CELL / 2, y + _TITLE + _CELL + 12, str(place), "index"))
    for at, below, above in joints:
        x, y = _LEFT + (below + 0.5) * _CELL, at * step + _TITLE + _CELL
        end = _LEFT + (above + 0.5) * _CELL
        body.insert(0, f'<line x1="{x:g}" y1="{y}" x2="{end:g}" y2="{y + _GAP + _TITLE}" class="joint"/>')
    _show("".join(body), width, len(rows) * step - _GAP + 18, colours, alt)


def show_grids(grids: Sequence[Grid], alt: str, *, cell: int = 34) -> None:
    """Draw matrices beside each other; a narrow window shows them below each other.

    Args:
        grids: From left to right.
        alt: What a screen reader says.
        cell: Pixels of a cell.
    """
    colours = palette()
    pictures = []
    for grid in grids:
        rows, columns = grid.values.shape
        largest = float(np.abs(grid.values).max(initial=0.0))
        body = [_label(2, 8, grid.title)]
        for (r, c), value in np.ndenumerate(grid.values):
            marked = (r, c) in grid.marked
            body.append(_cell(2 + c * cell, _TITLE + r * cell, cell, float(value), largest, marked, colours))
        width = max(columns * cell, len(grid.title) * _LETTER) + 6
        pictures.append(_image("".join(body), width, rows * cell + _TITLE + 4, colours, grid.title))
    st.html(
        f'<div role="group" aria-label="{escape(alt)}" tabindex="0" style="display:flex;flex-wrap:wrap;gap:1rem;'
        f'overflow-x:auto">{"".join(pictures)}</div>'
    )


def image_url(body: str, width: float, height: float, colours: Palette) -> str:
    """Wrap a drawing as an address for an ``<img>`` (the page's sanitizer removes inline SVG).

    Args:
        body: SVG elements.
        width: In pixels.
        height: In pixels.
        colours: Of the page.

    Returns:
        A ``data:`` address.
    """
    style = (
        f"text{{font:14px monospace;fill:{colours.text};text-anchor:middle;dominant-baseline:central}}"
        f".on{{fill:{colours.ground}}}.title{{font:13px sans-serif;text-anchor:start}}"
        f".index{{font:10px sans-serif;fill-opacity:.6}}.small{{font-size:11px}}"
        f".cell{{stroke:{colours.grid}}}.marked{{stroke:{colours.peer};stroke-width:3;fill:none}}"
        f".joint{{stroke:{colours.peer};stroke-width:1.5;stroke-opacity:.8}}"
        f".line{{stroke:{colours.text};stroke-opacity:.6;fill:none}}"
        f".face{{stroke:{colours.text};stroke-opacity:.65;stroke-width:1.2;fill:{colours.ours}}}"
    )
    svg = (
        f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {width:g} {height:g}" width="{width:g}" '
        f'height="{height:g}"><style>{style}</style>{body}</svg>'
    )
    return "data:image/svg+xml;base64," + b64encode(svg.encode()).decode()


def _show(body: str, width: float, height: float, colours: Palette, alt: str) -> None:
    st.html(
        '<div style="overflow-x:auto;max-width:100%" tabindex="0">'
        f"{_image(body, width, height, colours, alt)}</div>"
    )


def _image(body: str, width: float, height: float, colours: Palette, alt: str) -> str:
    return (
        f'<img src="{image_url(body, width, height, colours)}" width="{width:.0f}" height="{height:.0f}" '
        f'style="max-width:none" alt="{escape(alt)}">'
    )


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

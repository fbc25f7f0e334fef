"""Tensors drawn by their modes: boxes in parallel projection, as the slides draw filters sliding through inputs."""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from html import escape
from typing import TypeVar

import streamlit as st

from apps.convolution.numbers import written_sizes
from apps.convolution.page_grids import picture
from apps.shared.style import palette

_LONGEST, _ASIDE, _UP = 150.0, 0.5, 0.38
_MARGIN, _TITLE = 10, 24
# Front, top and right side: for each corner whether it lies at the end of rows, columns and depth.
_FACES = (
    ((0, 0, 0), (0, 1, 0), (1, 1, 0), (1, 0, 0)),
    ((0, 0, 0), (0, 1, 0), (0, 1, 1), (0, 0, 1)),
    ((0, 1, 0), (1, 1, 0), (1, 1, 1), (0, 1, 1)),
)
Mode = TypeVar("Mode")


@dataclass(frozen=True)
class Box:
    """One tensor.

    Args:
        title: Stands above it, with its sizes.
        sizes: Of its modes; the last one goes into the depth. More than three: those between are drawn as one.
        inside: For each mode where a smaller box stands, start and size, or empty.
    """

    title: str
    sizes: tuple[int, ...]
    inside: tuple[tuple[int, int], ...] = ()

    @property
    def drawn(self) -> tuple[int, int, int]:
        """Rows, columns and depth of the box."""
        return _three(self.sizes, 1, math.prod)

    @property
    def drawn_inside(self) -> tuple[tuple[int, int], ...]:
        """Start and size of rows, columns and depth of the smaller box."""
        whole = (0, 1)
        return _three(self.inside, whole, lambda modes: modes[0] if len(modes) == 1 else whole)


def show_boxes(boxes: Sequence[Box], alt: str) -> None:
    """Draw boxes of one scale beside each other; a narrow window shows them below each other."""
    unit = max(min(_LONGEST / max(max(box.drawn) for box in boxes), 44.0), 0.5)
    pictures = "".join(_picture(box, unit) for box in boxes)
    st.html(
        f'<div role="img" aria-label="{escape(alt)}" style="display:flex;flex-wrap:wrap;gap:1.4rem;'
        f'align-items:flex-end">{pictures}</div>'
    )


def _picture(box: Box, unit: float) -> str:
    rows, columns, depth = (max(size * unit, 3.0) for size in box.drawn)
    height = rows + _UP * depth + 2 * _MARGIN + _TITLE + 18
    left, top = _MARGIN + 22, _MARGIN + _TITLE + _UP * depth
    words = f"{box.title} {written_sizes(box.sizes)}"
    body = f'<text x="2" y="12" class="title">{escape(words)}</text>'
    body += _faces(((0.0, rows), (0.0, columns), (0.0, depth)), left, top, 0.1)
    if box.inside:
        spans = [(start * unit, size * unit) for start, size in box.drawn_inside]
        body += _faces(spans, left, top, 0.55)
    places = (
        (left - 12, top + rows / 2),
        (left + columns / 2, top + rows + 12),
        (left + columns + _ASIDE * depth / 2 + 10, top + rows - _UP * depth / 2 + 8),
    )
    for (x, y), size in zip(places, box.drawn, strict=True):
        body += f'<text x="{x:g}" y="{y:g}" class="small">{size}</text>'
    width = max(columns + _ASIDE * depth + 2 * _MARGIN + 26, len(words) * 7.4 + 4)
    return picture(body, width, height, palette(), words, "max-width:100%")


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


def _three(modes: Sequence[Mode], missing: Mode, merge: Callable[[Sequence[Mode]], Mode]) -> tuple[Mode, ...]:
    """Rows, columns and depth; modes between the first and the last are merged into the columns."""
    if len(modes) < 2:
        return missing, *modes, *[missing] * (2 - len(modes))
    rows, *columns, depth = modes
    return rows, merge(columns) if columns else missing, depth

"""Tensors drawn by their modes: boxes in parallel projection, as the slides draw filters sliding through inputs."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from html import escape

import streamlit as st

from apps.convolution.page_cells import image_url
from apps.shared.style import palette

_LONGEST, _ASIDE, _UP = 150.0, 0.5, 0.38
_MARGIN, _TITLE = 10, 24

Span = tuple[float, float]  # start and size along one mode


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


def show_boxes(boxes: Sequence[Box], alt: str) -> None:
    """Draw boxes beside each other; a narrow window shows them below each other.

    Args:
        boxes: From left to right; all have the same scale.
        alt: What a screen reader says.
    """
    longest = max(max(_three(box.sizes)) for box in boxes)
    unit = max(min(_LONGEST / longest, 44.0), 0.5)
    pictures = "".join(_picture(box, unit) for box in boxes)
    st.html(
        f'<div role="img" aria-label="{escape(alt)}" style="display:flex;flex-wrap:wrap;gap:1.4rem;'
        f'align-items:flex-end">{pictures}</div>'
    )


def _picture(box: Box, unit: float) -> str:
    rows, columns, depth = (max(size * unit, 3.0) for size in _three(box.sizes))
    width = columns + _ASIDE * depth + 2 * _MARGIN + 26
    height = rows + _UP * depth + 2 * _MARGIN + _TITLE + 18
    left, top = _MARGIN + 22, _MARGIN + _TITLE + _UP * depth
    words = f"{box.title} {'×'.join(map(str, box.sizes))}"
    parts = [f'<text x="2" y="12" class="title">{escape(words)}</text>']
    parts += _faces((0.0, rows), (0.0, columns), (0.0, depth), left, top, 0.1)
    if box.inside:
        spans = [(start * unit, size * unit) for start, size in _three_spans(box.inside)]
        parts += _faces(*spans, left, top, 0.55)
    names = _three(box.sizes)
    parts.append(f'<text x="{left - 12:g}" y="{top + rows / 2:g}" class="small">{names[0]}</text>')
    parts.append(f'<text x="{left + columns / 2:g}" y="{top + rows + 12:g}" class="small">{names[1]}</text>')
    x, y = left + columns + _ASIDE * depth / 2 + 10, top + rows - _UP * depth / 2 + 8
    parts.append(f'<text x="{x:g}" y="{y:g}" class="small">{names[2]}</text>')
    width = max(width, len(words) * 7.4 + 4)
    url = image_url("".join(parts), width, height, palette())
    return f'<img src="{url}" width="{width:.0f}" height="{height:.0f}" style="max-width:100%" alt="{escape(words)}">'


def _faces(rows: Span, columns: Span, depth: Span, left: float, top: float, strength: float) -> list[str]:
    """Front, top and right side of a box."""

    def corner(r: float, c: float, d: float) -> str:
        return f"{left + c + _ASIDE * d:.1f},{top + r - _UP * d:.1f}"

    r0, r1 = rows[0], rows[0] + rows[1]
    c0, c1 = columns[0], columns[0] + columns[1]
    d0, d1 = depth[0], depth[0] + depth[1]
    faces = (
        ((r0, c0, d0), (r0, c1, d0), (r1, c1, d0), (r1, c0, d0)),
        ((r0, c0, d0), (r0, c1, d0), (r0, c1, d1), (r0, c0, d1)),
        ((r0, c1, d0), (r1, c1, d0), (r1, c1, d1), (r0, c1, d1)),
    )
    return [
        f'<polygon points="{" ".join(corner(*point) for point in face)}" class="face" fill-opacity="{strength}"/>'
        for face in faces
    ]


def _three(sizes: Sequence[int]) -> tuple[int, int, int]:
    """Rows, columns and depth; the modes of more than three are multiplied into the columns."""
    match tuple(sizes):
        case ():
            return 1, 1, 1
        case (one,):
            return 1, one, 1
        case (rows, depth):
            return rows, 1, depth
    columns = 1
    for size in sizes[1:-1]:
        columns *= size
    return sizes[0], columns, sizes[-1]


def _three_spans(inside: Sequence[tuple[int, int]]) -> tuple[tuple[int, int], ...]:
    match tuple(inside):
        case (one,):
            return (0, 1), one, (0, 1)
        case (rows, depth):
            return rows, (0, 1), depth
        case (rows, columns, depth):
            return rows, columns, depth
    return (inside[0], (0, 1), inside[-1])

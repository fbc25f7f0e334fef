"""A picture of a page as it is said, in Plotly's words and without its checks."""

from __future__ import annotations

from functools import cache, partialmethod
from typing import Any

import plotly.io
from plotly.basedatatypes import BaseFigure


class Picture:
    """A picture in Plotly's words, with those methods of its ``Figure`` that pages use.

    Plotly looks at every word anew whenever one is added: 15 ms for eight bars, and all visitors wait. What is said
    here stays as it is, and Plotly checks the pictures that tests draw (``tests/apps/conftest.py``).

    Attributes:
        data: The traces, each with its ``type``.
        layout: All else.
    """

    def __init__(self) -> None:
        self.data: list[dict[str, Any]] = []
        self.layout: dict[str, Any] = {}

    def add_trace(self, kind: str, **looks: Any) -> None:
        """Add a trace of a kind."""
        self.data.append({"type": kind, **looks})

    add_bar = partialmethod(add_trace, "bar")
    add_contour = partialmethod(add_trace, "contour")
    add_heatmap = partialmethod(add_trace, "heatmap")
    add_scatter = partialmethod(add_trace, "scatter")

    def _add_to(self, kind: str, **looks: Any) -> None:
        self.layout.setdefault(kind, []).append(looks)

    add_annotation = partialmethod(_add_to, "annotations")
    add_layout_image = partialmethod(_add_to, "images")
    add_shape = partialmethod(_add_to, "shapes")

    def add_hline(self, y: float, **looks: Any) -> None:
        """Draw a horizontal line from side to side."""
        self.add_shape(type="line", x0=0, x1=1, xref="x domain", y0=y, y1=y, yref="y", **looks)

    def add_vline(self, x: float, **looks: Any) -> None:
        """Draw a vertical line from the bottom to the top."""
        self.add_shape(type="line", x0=x, x1=x, xref="x", y0=0, y1=1, yref="y domain", **looks)

    def update_layout(self, **more: Any) -> None:
        """Change what is said, and keep the rest, at any depth."""
        _merge(self.layout, more)

    def _update_axes(self, kind: str, **more: Any) -> None:
        for name in [name for name in self.layout if name.startswith(kind)]:
            _merge(self.layout[name], more)

    update_xaxes = partialmethod(_update_axes, "xaxis")
    update_yaxes = partialmethod(_update_axes, "yaxis")

    def to_dict(self) -> dict[str, Any]:
        """Say all of it, with the template of the pages, as Plotly's ``Figure`` does."""
        return {
            "data": self.data,
            "layout": {"template": _template(plotly.io.templates.default), **self.layout},
        }


def _merge(said: dict[str, Any], more: dict[str, Any]) -> None:
    for name, value in more.items():
        if isinstance(value, dict):  # a copy: the same font may be said twice
            before = said.get(name)
            said[name] = dict(before) if isinstance(before, dict) else {}
            _merge(said[name], value)
        else:
            said[name] = value


@cache
def _template(name: str) -> dict[str, Any]:
    return plotly.io.templates[name].to_plotly_json()


class Said(BaseFigure):
    """A picture as Streamlit takes it: it has all but figures of Plotly checked."""

    def __init__(self, picture: Picture) -> None:
        self._picture = picture

    def to_dict(self) -> dict[str, Any]:
        """Say it as the picture does."""
        return self._picture.to_dict()

"""The corner of every picture of the pages: it as SVG and PNG, its numbers as CSV, and a line that embeds its section.

A picture is a chart of Plotly, or HTML with an image, a table or a mark ``data-picture``. Numbers of a drawing stand in
``data-numbers`` beside it (``apps.shared.tables.numbers``); those of charts and tables are read where they are shown.
"""

from __future__ import annotations

from apps.shared.page import component

LABELS = {
    "menu": "Save or embed",
    "svg": "The picture as SVG",
    "png": "The picture as PNG",
    "csv": "Its numbers as CSV",
    "embed": "Embed",
    "embed_help": "Copy the line of HTML that shows this section in another page",
    "copied": "Copied",
}
_corner = component("lectern_corner", __file__, isolate_styles=False)


def corners() -> None:
    """Put a corner at every picture that the page shows now and later."""
    _corner(key="lectern_corner", data=LABELS)

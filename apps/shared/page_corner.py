"""The corner of every picture of the pages: it as SVG and PNG, its numbers as CSV, and a line that embeds its section.

A picture is a chart of Plotly, or HTML with an image, a table or a mark ``data-picture``. Numbers of a drawing stand in
``data-numbers`` beside it (``apps.shared.tables.numbers``); those of charts and tables are read where they are shown.
"""

from __future__ import annotations

from apps.shared.language import N_, _, language
from apps.shared.page import component

LABELS = {
    "menu": N_("Save or embed"),
    "svg": N_("The picture as SVG"),
    "png": N_("The picture as PNG"),
    "csv": N_("Its numbers as CSV"),
    "embed": N_("Embed"),
    "embed_help": N_("Copy the line of HTML that shows this section in another page"),
    "copied": N_("Copied"),
}
_corner = component("lectern_corner", __file__, isolate_styles=False)


def corners() -> None:
    """Put a corner at every picture that the page shows now and later, and tell screen readers the page's language."""
    labels = {name: _(text) for name, text in LABELS.items()}
    _corner(key="lectern_corner", data={"language": language(), **labels})

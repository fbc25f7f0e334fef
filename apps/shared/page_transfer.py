"""Pictures of what word vectors are worth, by the share of the labels."""

from __future__ import annotations

from apps.shared import charts
from apps.shared.page_reports import Curve, curves
from apps.shared.style import palette
from apps.shared.tables import Column, Report
from apps.shared.transfer import EMBEDDINGS


def show_transfer(report: Report, column: Column, x_title: str) -> None:
    """Draw a score by the share of the labels, a line for each start of the embeddings.

    Args:
        report: One of the tables of ``apps.shared.transfer``.
        column: The score; ``mean`` has bars for its deviation.
        x_title: What the shares are of.
    """
    colours = palette()
    found = {}
    for embedding, colour in zip(EMBEDDINGS, (colours.muted, colours.peer, colours.ours), strict=True):
        rows = [line.row for line in report.lines if line.row["embedding"] == embedding]
        deviations = {"type": "data", "array": [row["deviation"] for row in rows]}
        found[EMBEDDINGS[embedding]] = Curve(
            [f"{row['share']:g} %" for row in rows],
            [column.value(row) for row in rows],
            colour,
            more={"error_y": deviations} if column.path == "mean" else {},
        )
    picture = curves(found, x_title=x_title, y_title=column.title, hover="%{x}: %{y:.2f} %", height=360)
    picture.update_xaxes(type="category")
    charts.show(picture, f"{report.table.name} {column.path}", f"{column.title} by {x_title}")

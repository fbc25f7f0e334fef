"""Stored results on a page: bars, tables, single numbers and curves, or the command that measures them."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Any, NamedTuple

import streamlit as st

from apps.shared import charts
from apps.shared.language import _
from apps.shared.page import input_errors, plain
from apps.shared.reports import DASH, Stored, preset_installed, stored
from apps.shared.robustness import CONDITIONS, MEASURES, ROBUSTNESS, robustness_of
from apps.shared.style import palette
from apps.shared.tables import Column, Line, Report, Table
from apps.shared.transfer import EMBEDDINGS


def show_report(table: Table, *draw: Callable[[Report], None], preset: str | None = None) -> None:
    """Draw what was stored, or say what is missing; what is damaged becomes a message.

    Args:
        table: The table.
        draw: What is drawn, one below the other; bars, facts and the numbers if nothing is said.
        preset: Whose scores are shown, for a table of presets; None for all.
    """
    with input_errors():
        if preset is not None and not preset_installed(preset):
            st.info(_("The preset {preset} is not part of this checkout.", preset=preset))
            return
        report = table.read() if preset is None else table.of(preset)
        if report is None:
            st.info(_("Not measured in this checkout yet. Measure it: `{command}`", command=table.command))
            return
        for part in draw or (show_bars, show_facts, show_numbers):
            part(report)


def show_bars(
    report: Report,
    *,
    across: int = 0,
    colour: Callable[[Line], str] | None = None,
    limits: tuple[float, float] | None = None,
) -> None:
    """Draw bars for every column that has a title; rows with two keys are groups.

    Args:
        report: The filled table.
        across: Pictures side by side; 0 for as many as is usual.
        colour: Of a row's bar; by default ours and the others.
        limits: Ends of the horizontal axis.
    """
    colour = colour or (lambda line: _side(line.label))
    grouped = bool(report.lines) and len(report.lines[0].names) > 1
    pictures = []
    for at, column in enumerate(report.table.columns):
        lines = [line for line in report.lines if line.values[at] is not None]
        if not column.title or not lines:
            continue
        number = column.form if isinstance(column.form, str) else ".3f"
        if grouped:
            picture = _groups(lines, at, _(column.title), number)
        else:
            labels, lengths = [_(line.label) for line in lines], [line.values[at] for line in lines]
            looks = {"colour": list(map(colour, lines)), "number": number, "limits": limits}
            picture = charts.bars(labels, lengths, x_title=_(column.title), **looks)
        pictures.append((picture, column))
    across = across or (1 if grouped else 2 if len(pictures) > 3 else 3)
    for first in range(0, len(pictures), across):
        cells = st.columns(min(across, len(pictures)), gap="medium")
        for cell, (picture, column) in zip(cells, pictures[first : first + across], strict=False):
            with cell:
                charts.show(picture, f"{report.table.name} {column.path}", _(column.title))


def _groups(lines: Sequence[Line], at: int, title: str, number: str) -> charts.Picture:
    values = {line.names: line.values[at] for line in lines}
    groups, series = (list(dict.fromkeys(line.names[key] for line in lines)) for key in (0, 1))
    return charts.grouped_bars(
        groups,
        {name: [values.get((group, name)) for group in groups] for name in series},
        x_title=title,
        colours={name: _side(name) for name in series},
        number=number,
    )


def _side(name: str) -> str:
    return palette().ours if name.lower().startswith("lectern") else palette().peer


def show_facts(report: Report) -> None:
    """Write how it was measured, and the command that measures again."""
    again = _("Measure again: `{command}`", command=report.table.command)
    st.caption(f"{report.facts(plain)} {again}".strip())


def show_numbers(report: Report) -> None:
    """Write the table where one has to ask for it."""
    with st.expander(_("The numbers")):
        show_table(report)


def show_table(report: Report) -> None:
    """Write the table; numbers as README rounds them."""
    headers = [_(column.header) for column in report.table.columns]
    rows = [
        {
            _(report.table.header): _(line.label),
            **dict(zip(headers, map(_rounded, line.values, line.cells), strict=True)),
        }
        for line in report.lines
    ]
    looks = {
        header: st.column_config.NumberColumn(format=_look(column.form))
        for header, column in zip(headers, report.table.columns, strict=True)
        if all(isinstance(row[header], int | float | None) for row in rows)
    }
    st.dataframe(rows, hide_index=True, placeholder=DASH, height="content", column_config=looks)


def _look(form: Any) -> str:
    """Write a format of numbers as Streamlit takes it: thousands are told apart, or every row has as many digits."""
    digits = form.replace(",", "") if isinstance(form, str) else ""
    return f"%{digits}" if digits.endswith("f") and digits != ".0f" else "localized"


def _rounded(value: Any, text: str) -> Any:
    if not isinstance(value, float):
        return value
    return text if text.endswith("%") else float(text.replace(",", ""))


def show_metrics(row: Stored, columns: Sequence[Column]) -> None:
    """Write single numbers side by side, each under its header."""
    for cell, column in zip(st.columns(len(columns)), columns, strict=True):
        cell.metric(_(column.header), column.cell(row))


def show_robustness(*presets: str) -> None:
    """Draw what presets reach where their input is worse."""
    st.subheader(_("When the input is worse"), anchor=False)

    def bars(report: Report) -> None:
        preset, colours = report.table.header, palette()
        clean = CONDITIONS["clean"]
        picture = charts.bars(
            [_(line.label) for line in report.lines],
            [line.values[0] for line in report.lines],
            x_title=_(MEASURES[preset]),
            colour=[colours.muted if line.label == clean else colours.ours for line in report.lines],
            number=".2f",
        )
        n = report.lines[0].values[-1]
        st.markdown(_("`{preset}`, on {n:,} examples of the test data", preset=preset, n=n))
        charts.show(
            picture, f"robustness {preset}", _("What {preset} reaches with worse input", preset=preset)
        )

    with input_errors():
        measured = stored(ROBUSTNESS.name) is not None
        for preset in presets if measured else presets[:1]:
            show_report(robustness_of(preset), bars, show_facts, show_numbers)


class Curve(NamedTuple):
    """A line of a picture: its points, look, and more in Plotly's words."""

    x: Sequence[Any]
    y: Sequence[float | None]
    colour: str
    dash: str = "solid"
    more: Mapping[str, Any] = {}


def curves(
    found: Mapping[str, Curve], *, x_title: str, y_title: str, hover: str, height: int = 340
) -> charts.Picture:
    """Draw lines with a point for each value, and a legend.

    Args:
        found: Name to line.
        x_title: Name and unit of the horizontal axis.
        y_title: Name and unit of the vertical axis.
        hover: What is shown at a point behind the name of its line, in Plotly's notation.
        height: In pixels.
    """
    picture = charts.figure(x_title=x_title, y_title=y_title, height=height)
    for name, curve in found.items():
        picture.add_scatter(
            x=list(curve.x),
            y=list(curve.y),
            name=name,
            line={"color": curve.colour, "dash": curve.dash},
            hovertemplate=f"{name}, {hover}<extra></extra>",
            **{"mode": "lines+markers", **curve.more},
        )
    picture.update_layout(margin={"t": 40}, showlegend=True)
    return picture


def show_transfer(report: Report, column: Column, x_title: str) -> None:
    """Draw a score by the share of the labels, a line for each start of the embeddings.

    Args:
        report: One of the tables of ``apps.shared.transfer``.
        column: The score; ``mean`` has bars for its deviation.
        x_title: What the shares are of.
    """
    colours = palette()
    found = {}
    looks = ((colours.muted, "dot"), (colours.peer, "dash"), (colours.ours, "solid"))
    for embedding, look in zip(EMBEDDINGS, looks, strict=True):
        rows = [line.row for line in report.lines if line.row["embedding"] == embedding]
        deviations = {"type": "data", "array": [row["deviation"] for row in rows]}
        found[_(EMBEDDINGS[embedding])] = Curve(
            [f"{row['share']:g} %" for row in rows],
            [column.value(row) for row in rows],
            *look,
            more={"error_y": deviations} if column.path == "mean" else {},
        )
    picture = curves(found, x_title=x_title, y_title=_(column.title), hover=_("%{x}: %{y:.2f} %"), height=360)
    picture.update_xaxes(type="category")
    charts.show(
        picture,
        f"{report.table.name} {column.path}",
        _("{title} by {x_title}", title=_(column.title), x_title=x_title),
    )

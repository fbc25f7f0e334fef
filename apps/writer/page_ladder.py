"""Section "Ladder": what each idea is worth, from guessing at random to the shipped writer."""

from __future__ import annotations

import streamlit as st

from apps.shared.page import plain
from apps.shared.page_reports import (
    show_bars,
    show_facts,
    show_metrics,
    show_numbers,
    show_preset,
    show_report,
)
from apps.shared.style import palette
from apps.shared.tables import Line, Report
from apps.writer.reports import (
    BITS,
    GENERATION,
    LADDER,
    MINUTES,
    NATS,
    PARAMETERS,
    SCORES,
    TITLES,
    TO_BITS,
    shape_of,
)


def show(preset: str) -> None:
    """Draw the section.

    Args:
        preset: Name of the writer.
    """
    show_preset(SCORES, preset, _scores)
    st.subheader("The ladder", anchor=False)
    show_report(LADDER, lambda report: show_bars(report, colour=_colour), show_facts, _samples, show_numbers)
    st.subheader("How fast it writes", anchor=False)
    show_report(GENERATION)


def _scores(report: Report) -> None:
    found, loss = report.found, "metrics.nats_per_character"
    show_metrics(found, (NATS, BITS, PARAMETERS, MINUTES))
    error = f" ± {{{loss}.standard_error:.4f}} (standard error)"
    template = f"The shipped writer: {{0}}. {{{loss}.protocol}}; {{{loss}.n:,}} characters"
    template += "." if found[f"{loss}.standard_error"] is None else f"{error}."
    st.caption(found.text(template, plain(shape_of(found)), escape=plain))
    if published := found.get(f"{loss}.published"):
        listed = "; ".join(f"{plain(name)}: {value:g}" for name, value in published.items())
        st.caption(f"Published for the same split, nats a character: {listed}.")


def _colour(line: Line) -> str:
    colours = palette()
    if line.row["name"] == "shipped":
        return colours.peer
    return colours.muted if line.row.get("units") is None else colours.ours


def _samples(report: Report) -> None:
    st.subheader("What each rung writes", anchor=False)
    rungs = {TITLES[line.row["name"]]: line for line in report.lines}
    names = list(rungs)
    name = st.select_slider("Rung", names, value=names[-1], key="rung", label_visibility="collapsed")
    row = rungs[name].row
    st.code(report.found["settings.prompt"] + row["sample"], language=None, wrap_lines=True)
    st.caption(
        row.text(
            f"{{0}}: {{nats_per_character:.2f}} nats, {{nats_per_character{TO_BITS}:.2f}} bits a character. Written at "
            "temperature 1 after the same prompt.",
            f"{name[:1].upper()}{name[1:]}",
        )
    )

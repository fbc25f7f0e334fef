"""Section "Ladder": what each idea is worth, from guessing at random to the shipped writer."""

from __future__ import annotations

import streamlit as st

from apps.shared import page_reports
from apps.shared.as_used import AS_USED
from apps.shared.language import _
from apps.shared.page import plain
from apps.shared.style import palette
from apps.shared.tables import Line, Report
from apps.writer import reports


def show(preset: str) -> None:
    """Draw the section."""
    page_reports.show_report(reports.SCORES, _scores, preset=preset)
    st.subheader(_("The ladder"), anchor=False)
    page_reports.show_report(
        reports.LADDER,
        lambda report: page_reports.show_bars(report, colour=_colour),
        page_reports.show_facts,
        _samples,
        page_reports.show_numbers,
    )
    page_reports.show_robustness(preset)
    st.subheader(_("How fast it writes"), anchor=False)
    page_reports.show_report(AS_USED, page_reports.show_numbers, page_reports.show_facts)


def _scores(report: Report) -> None:
    found, loss = report.found, "metrics.nats_per_character"
    page_reports.show_metrics(found, (reports.NATS, reports.BITS, reports.PARAMETERS, reports.MINUTES))
    template = _(
        "The shipped writer: {0}. {metrics.nats_per_character.protocol}; {metrics.nats_per_character.n:,} characters "
        "± {metrics.nats_per_character.standard_error:.4f} (standard error)."
    )
    st.caption(found.text(template, plain(reports.shape_of(found)), escape=plain))
    if published := found.get(f"{loss}.published"):
        listed = "; ".join(f"{plain(name)}: {value:g}" for name, value in published.items())
        st.caption(_("Published for the same split, nats a character: {listed}.", listed=listed))


def _colour(line: Line) -> str:
    colours = palette()
    if line.row["name"] == "shipped":
        return colours.peer
    return colours.muted if line.row.get("units") is None else colours.ours


def _samples(report: Report) -> None:
    st.subheader(_("What each rung writes"), anchor=False)
    rungs = {reports.TITLES[line.row["name"]]: line for line in report.lines}
    names = list(rungs)
    name = st.select_slider(
        _("Rung"), names, value=names[-1], key="rung", bind="query-params", label_visibility="collapsed"
    )
    line = rungs[name]
    st.code(report.found["settings.prompt"] + line.row["sample"], language=None, wrap_lines=True)
    scored = line.row.text(
        _("{0}: {nats_per_character:.2f} nats, {1} bits a character."), _(name), line.cells[2]
    )
    st.caption(f"{scored[:1].upper()}{scored[1:]} " + _("Written at temperature 1 after the same prompt."))

"""Section "Networks": every network on the test half of IMDB, and the shipped classifiers."""

from __future__ import annotations

import streamlit as st

from apps.reviews.reports import NetworksReport, networks_report
from apps.shared import charts
from apps.shared.page import input_errors, plain
from apps.shared.style import palette

COMMAND = "python -m benchmarks.reviews_networks --runs runs/reviews --store"


def show() -> None:
    """Draw the section."""
    with input_errors():
        report = networks_report()
        if report is None:
            st.info(f"The networks were not compared in this checkout. Compare them: `{COMMAND}`")
            return
        _picture(report)
        _table(report)


def _picture(report: NetworksReport) -> None:
    colours = palette()
    scores = [(one.text, one.accuracy, colours.ours) for one in report.networks]
    scores += [(f"{name} (published)", value, colours.peer) for name, value in report.published.items()]
    scores.sort(key=lambda one: -one[1])
    charts.show(
        charts.bars(
            [name for name, _, _ in scores],
            [value for _, value, _ in scores],
            x_title="test reviews right, %",
            colour=[colour for _, _, colour in scores],
            number=".2f",
            limits=(50, 100),
        ),
        "networks",
        "Accuracy of every network on IMDB",
    )


def _table(report: NetworksReport) -> None:
    st.dataframe(
        [
            {
                "network": one.text,
                "test, % right": round(one.accuracy, 2),
                "standard error": round(one.standard_error, 2),
                "reviews": one.n,
                "held out, % right": round(one.validation, 2),
                "training, minutes": round(one.seconds / 60, 1),
                "parameters": one.parameters,
                "words not read, %": round(100 * one.left_out_share, 1),
            }
            for one in report.networks
        ],
        hide_index=True,
    )
    st.caption(
        f"Each network learned from {report.learned:,} reviews of the train half and was scored once on the test half, "
        f"of which {report.duplicates:,} reviews stand in the train half too; {report.threads} core(s) of "
        f"{plain(report.processor)}. Measure again: `{COMMAND}`"
    )

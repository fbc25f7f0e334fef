"""Section "Benchmark": scores on the official test set, and speed beside PyTorch."""

from __future__ import annotations

from collections.abc import Mapping

import streamlit as st

from apps.digits.reports import DigitsScores, DigitsSpeedReport, digits_scores, speed_report
from apps.shared import charts
from apps.shared.page import input_errors, plain
from apps.shared.reports import preset_installed
from apps.shared.style import palette

COMMAND = "python -m benchmarks.digits --store"
SYSTEMS = {"lectern": "Lectern", "torch": "PyTorch"}
NETWORKS = {"lecture": "the lecture's", "lenet5": "LeNet-5", "resnet": "ResNet", "plain": "plain"}
MEASURES = {
    "training_images_per_second": ("training, images a second", ",.0f"),
    "inference_images_per_second": ("answering in batches, images a second", ",.0f"),
    "one_digit_ms": ("one digit, milliseconds: shorter is better", ".2f"),
}


def show(networks: Mapping[str, str]) -> None:
    """Draw the section.

    Args:
        networks: Name of a network on the page to its preset.
    """
    st.subheader("On the official test set", anchor=False)
    for name, preset in networks.items():
        if preset_installed(preset):
            with input_errors():
                _scores(name, _stored(preset))
        else:
            st.info(f"The preset {preset} is not part of this checkout.")
    st.subheader("Beside PyTorch", anchor=False)
    with input_errors():
        report = speed_report()
        if report is None:
            st.info(f"The benchmark has not run in this checkout. Run it: `{COMMAND}`")
        else:
            _speed(report)


@st.cache_data(show_spinner=False, max_entries=4)
def _stored(preset: str) -> DigitsScores:
    return digits_scores(preset)


def _scores(name: str, scores: DigitsScores) -> None:
    cells = st.columns(3)
    cells[0].metric(f"{name}: right, %", f"{scores.accuracy:.2f}")
    cells[1].metric("parameters", f"{scores.parameters:,}")
    cells[2].metric("training, minutes", f"{scores.seconds / 60:.1f}")
    error = "" if scores.standard_error is None else f", standard error {scores.standard_error:.2f}"
    st.caption(f"{scores.n:,} images{error}. Trained on {plain(scores.processor)}.")


def _speed(report: DigitsSpeedReport) -> None:
    colours = palette()
    looks = {"Lectern": colours.ours, "PyTorch": colours.peer}
    systems = [name for name in SYSTEMS if any(one.system == name for one in report.systems)]
    networks = list(dict.fromkeys(one.network for one in report.systems))
    found = {(one.network, one.system): one for one in report.systems}
    for measure, (title, number) in MEASURES.items():
        series = {
            SYSTEMS[system]: [getattr(found.get((network, system)), measure, None) for network in networks]
            for system in systems
        }
        charts.show(
            charts.grouped_bars(
                [NETWORKS.get(network, network) for network in networks],
                series,
                x_title=title,
                colours=looks,
                number=number,
            ),
            f"digits {measure}",
            title,
        )
    st.caption(
        f"The same networks, {report.threads} thread(s) each on {plain(report.processor)}, in one run. "
        f"Measure again: `{COMMAND}`"
    )

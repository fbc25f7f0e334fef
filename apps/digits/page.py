"""Page "Digits": one section at a time, each reachable by a link."""

from __future__ import annotations

import streamlit as st

from apps.digits import page_benchmark as benchmark
from apps.digits import page_depth as depth
from apps.digits import page_draw as draw
from apps.digits import page_errors as errors
from apps.digits import page_layers as layers
from apps.digits import page_reasons as reasons
from apps.digits.application import DEFAULT_PRESET, LECTURE_PRESET
from apps.digits.explain import DigitInspector
from apps.digits.page_loading import load_inspector
from apps.digits.reports import DigitErrors, digit_errors
from apps.shared.page import input_errors, one_of
from apps.shared.reports import preset_installed

SECTIONS = ("Draw", "Layers", "Reasons", "Errors", "Depth", "Benchmark")
WITHOUT_NETWORK = ("Depth", "Benchmark")
NETWORKS = {"ResNet": DEFAULT_PRESET, "Lecture": LECTURE_PRESET}


def main() -> None:
    """Draw the page."""
    st.title("Digits", anchor=False)
    with st.container(horizontal=True, gap="medium"):
        section = one_of("Section", SECTIONS, "section")
        network = None if section in WITHOUT_NETWORK else _network()
    if network is not None:
        _with_network(section, network)
    elif section == "Depth":
        depth.show()
    else:
        benchmark.show(NETWORKS)


def _with_network(section: str, network: str) -> None:
    preset = NETWORKS[network]
    if section == "Errors":
        with input_errors():
            errors.show(digit_errors(preset), network)
        return
    inspector = _opened(preset)
    if inspector is None:
        return
    known: DigitErrors | None = None
    with input_errors():
        known = digit_errors(preset)
    {"Draw": draw, "Layers": layers, "Reasons": reasons}[section].show(inspector, preset, known)


def _network() -> str:
    # With only the lecture's network at hand the page begins with it.
    lecture_only = preset_installed(LECTURE_PRESET) and not preset_installed(DEFAULT_PRESET)
    return st.segmented_control(
        "Network",
        tuple(NETWORKS),
        default="Lecture" if lecture_only else "ResNet",
        required=True,
        key="network",
        bind="query-params",
        label_visibility="collapsed",
    )


def _opened(preset: str) -> DigitInspector | None:
    with input_errors():
        return load_inspector(preset)
    lecture = " --architecture lecture" if preset == LECTURE_PRESET else ""
    st.info(
        f"Make the preset with `python -m apps digits fit{lecture} --out models/presets/{preset}`, then reload."
    )
    return None


main()

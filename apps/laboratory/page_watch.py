"""Section "Watch": a run while it trains."""

from __future__ import annotations

import streamlit as st

from apps.laboratory.page_queue import badge, queue, title_of
from apps.laboratory.runs import find_runs
from apps.shared.page import plain


def show() -> None:
    """Draw the section."""
    runs = {run.key: run for run in find_runs()}
    if not runs:
        st.info("No run is there yet.")
        return
    key = st.selectbox(
        "Run", tuple(runs), format_func=lambda key: title_of(runs[key]), key="run", bind="query-params"
    )
    st.markdown(f"{badge(runs[key])} {plain(key)}")
    queue(list(runs.values()))

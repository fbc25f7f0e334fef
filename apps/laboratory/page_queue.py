"""The queue of the laboratory: which runs wait, train and are done, each with a link to it."""

from __future__ import annotations

import streamlit as st

from apps.laboratory.runs import LabRun, find_runs
from apps.shared.language import N_, _
from apps.shared.page import plain
from apps.shared.page_moves import go_to_section
from data_prep.errors import InputError

_WORDS = {
    N_("waiting"): ":gray-badge[{state}]",
    N_("training"): ":green-badge[{state}]",
    N_("paused"): ":orange-badge[{state}]",
    N_("interrupted"): ":orange-badge[{state}]",
    N_("trained"): ":blue-badge[{state}]",
    N_("stopped"): ":blue-badge[{state}]",
    N_("keeping"): ":green-badge[{state}]",
    N_("kept"): ":violet-badge[{state}]",
    N_("failed"): ":red-badge[{state}]",
}
_SHOWN = 12  # runs


def title_of(run: LabRun) -> str:
    """Return what a run is called, its own name where it was ordered by another version."""
    try:
        return run.order.title or run.key
    except InputError:
        return run.key


def badge(run: LabRun) -> str:
    """Return what is going on with a run, as Markdown."""
    return _WORDS[run.state].format(state=_(run.state))


def queue() -> None:
    """List the runs, newest first, each with a link to it."""
    runs = find_runs()
    st.subheader(_("Runs"), anchor=False)
    for run in runs[:_SHOWN]:
        with st.container(horizontal=True, vertical_alignment="center", gap="small"):
            st.markdown(badge(run), width="content")
            looks = {"key": f"to {run.key}", "type": "tertiary", "help": run.key}
            if st.button(plain(title_of(run)), on_click=watch, args=(run.key,), **looks):
                st.rerun()
    if len(runs) > _SHOWN:
        st.caption(_("and {n} older ones: `python -m apps lab list` shows all", n=len(runs) - _SHOWN))


def watch(key: str) -> None:
    """Go to a run; for callbacks, before anything is drawn."""
    go_to_section("Watch", run=key)

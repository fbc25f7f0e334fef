"""Sections "Benchmark" and "Unseen words": what was measured on the test fold, beside CRFsuite, and by protocol."""

from __future__ import annotations

import streamlit as st

from apps.ocr.application import LETTERS_PRESET, WORDS_PRESET
from apps.ocr.reports import PEERS, PROTOCOLS, SEEN, UNSEEN, WAYS_SCORES, protocol_reports
from apps.shared import charts
from apps.shared.language import _
from apps.shared.page import plain
from apps.shared.page_reports import show_facts, show_report, show_robustness, show_table
from apps.shared.tables import Report


def show() -> None:
    """Draw the section "Benchmark"."""
    st.subheader(_("On the test words (fold 0)"), anchor=False)
    for preset in (LETTERS_PRESET, WORDS_PRESET):
        show_report(WAYS_SCORES, show_table, preset=preset)
    st.subheader(_("Beside CRFsuite"), anchor=False)
    show_report(PEERS)
    show_robustness(LETTERS_PRESET, WORDS_PRESET)


def show_unseen() -> None:
    """Draw the section "Unseen words"."""
    show_report(PROTOCOLS, _protocols, show_facts)


def _protocols(report: Report) -> None:
    found = protocol_reports(report.found)
    if SEEN in found and UNSEEN in found:
        _groups(found[SEEN], found[UNSEEN])
    st.subheader(_("Every protocol"), anchor=False)
    for name, protocol in found.items():
        with st.expander(f"**({name})** {plain(report.found[f'protocols.{name}.text'])}"):
            show_table(protocol)
            st.caption(protocol.facts(plain))


def _groups(seen: Report, unseen: Report) -> None:
    st.markdown(
        _(
            "All ten folds of the set hold the same 55 words, so a network can learn these words by "
            "heart. Here the same networks read words that do not occur in training (44 words to learn "
            "from, 11 to read): what BiLSTM and CRF learned about neighbouring letters misleads them. "
            "“Other words”: the network also learned many other words, spelled with letters of "
            "the set. The language model knows many words, but none of those that are read."
        )
    )
    errors = [{line.label: line.values[0] for line in one.lines} for one in (seen, unseen)]
    names = [name for name in errors[0] if name in errors[1]]
    looks = charts.line_looks(names)
    picture = charts.grouped_bars(
        [_("seen words"), _("unseen words")],
        {name: [one[name] for one in errors] for name in names},
        x_title=_("letters read wrong, %"),
        colours={name: looks[name][0] for name in names},
        number=".2f",
    )
    charts.show(
        picture, "seen and unseen", _("Character error of each network for seen and for unseen words")
    )
    st.caption(
        _(
            "Seen words: {seen} passes over the words to learn from; unseen ones: {unseen}.",
            seen=str(seen.found[f"protocols.{SEEN}.passes"]),
            unseen=str(unseen.found[f"protocols.{UNSEEN}.passes"]),
        )
    )

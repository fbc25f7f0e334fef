"""Section "Unseen words": errors where the words to read were learned, and where they were not."""

from __future__ import annotations

import streamlit as st

from apps.ocr.page_looks import line_looks
from apps.ocr.reports import SEEN, UNSEEN, ProtocolReport, protocols_report
from apps.shared import charts
from apps.shared.page import input_errors, plain

COMMAND = "python -m benchmarks.ocr_protocols --runs runs/ocr --store"


def show() -> None:
    """Draw the section."""
    with input_errors():
        report = protocols_report()
        if not report:
            st.info(f"The protocols have not run in this checkout. Run them: `{COMMAND}`")
            return
        if SEEN in report and UNSEEN in report:
            _groups(report[SEEN], report[UNSEEN])
        st.subheader("Every protocol", anchor=False)
        for protocol in report.values():
            _table(protocol)
        st.caption(f"Measure again: `{COMMAND}`")


def _groups(seen: ProtocolReport, unseen: ProtocolReport) -> None:
    st.markdown(
        "All ten folds of the set hold the same 55 words: who has learned them can read without looking closely. Here "
        "are the same kinds of network once more, with words to read that do not occur in training. Context learned "
        "from the 44 others is context for words that are not there; a language model has to know many words, and "
        "these need not be among them."
    )
    names = [one.name for one in seen.networks if unseen.error_of(one.name) is not None]
    texts = {one.name: one.text for one in seen.networks}
    looks = line_looks(names)
    charts.show(
        charts.grouped_bars(
            ["seen words", "unseen words"],
            {texts[name]: [seen.error_of(name), unseen.error_of(name)] for name in names},
            x_title="letters read wrong, %",
            colours={texts[name]: looks[name][0] for name in names},
            number=".2f",
        ),
        "seen and unseen",
        "Character error of each network for seen and for unseen words",
    )


def _table(protocol: ProtocolReport) -> None:
    st.markdown(f"**({protocol.name})** {plain(protocol.text)}")
    rows = [
        {
            "network": one.text,
            "letters wrong, %": f"{one.character_error:.2f}",
            "± s.d.": "–" if one.character_deviation is None else f"{one.character_deviation:.2f}",
            "words wrong, %": f"{one.word_error:.2f}",
            "splits": str(one.splits),
            "letters read": f"{one.n:,}",
        }
        for one in protocol.networks
    ]
    rest = ("± s.d.", "words wrong, %", "splits", "letters read")
    rows += [
        {"network": f"{system} (published)", "letters wrong, %": f"{error:.1f}", **dict.fromkeys(rest, "–")}
        for system, error in protocol.published.items()
    ]
    numbers = {name: st.column_config.TextColumn(alignment="right") for name in ("letters wrong, %", *rest)}
    st.dataframe(rows, hide_index=True, column_config=numbers)
    st.caption(f"{protocol.splits} splits; trained and scored in {protocol.seconds / 60:.0f} minutes.")

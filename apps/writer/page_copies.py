"""Section "Copies": which passages of a text the writer learned from, and how much true text has in common with it."""

from __future__ import annotations

import numpy as np
import streamlit as st

from apps.shared import charts
from apps.shared.language import _
from apps.shared.letters import letters
from apps.shared.page import example_buttons, input_errors, plain
from apps.shared.page_reports import Curve, curves
from apps.shared.style import palette
from apps.writer.application import Writer
from apps.writer.copies import CopyReport, described, match_shares
from apps.writer.page_pieces import copied_letters, linked, linked_text, training_text_problem

MOST_CHARACTERS = 10_000
_EXAMPLE = 600
_SHOWN = 60  # characters of the axis: longer matches are the tail of true copies


def show(writer: Writer, preset: str) -> None:
    """Draw the section."""
    problem = training_text_problem(writer, preset)
    if problem is not None:
        st.info(_("Copies cannot be looked for without the training text. {problem}", problem=plain(problem)))
        return
    text, k = _form(writer)
    with input_errors():
        report = writer.copies(text, k)
        with st.container(border=True):
            letters(
                copied_letters(text, report), key="compared", label=_("The text with its copied passages")
            )
        st.markdown(" ".join(report.notes()))
        left, right = st.columns([3, 2], gap="medium")
        with left:
            st.subheader(_("Longest match at each position"), anchor=False)
            charts.show(
                _picture(writer, text),
                "matches",
                _(
                    "Share of positions with a match of at least this number of characters: this text and "
                    "held-out text"
                ),
            )
            st.caption(
                _(
                    "Share of positions where at least this number of characters in a row stands in the "
                    "training text. A text on the line of held-out text repeats no more than true text "
                    "does."
                )
            )
        with right:
            st.subheader(_("Passages"), anchor=False)
            _table(text, report)


def _form(writer: Writer) -> tuple[str, int]:
    train, held_out = (_passage(text) for text in (writer.learned.train, writer.learned.held_out))
    examples = {
        _("Training text"): train,
        _("Held-out text"): held_out,
        _("Half and half"): train[: _EXAMPLE // 2] + held_out[: _EXAMPLE // 2],
        _("Shuffled"): _shuffled(train),
    }
    default = _("Half and half")
    written = st.session_state.get("writing")
    if written is not None and written.text:
        default = _("What was written")
        examples[default] = written.text[:MOST_CHARACTERS]
    with st.form("copies_form"):
        text = linked_text(_("Text"), "compare", examples[default], most=MOST_CHARACTERS)
        slider, button = st.columns([4, 1], vertical_alignment="bottom")
        k = slider.slider(_("Shortest passage, characters"), 5, 80, 20, **linked("k"))
        button.form_submit_button(_("Compare"), type="primary", width="stretch")
    example_buttons({name: {"compare": text} for name, text in examples.items()}, "compare")
    return text, k


def _passage(text: str) -> str:
    """Return a passage from the second speech on, or from the start of a text without speeches."""
    start = text.find("\n\n", 0, 10 * _EXAMPLE) + 1
    return text[start : start + _EXAMPLE].lstrip("\n")


def _shuffled(text: str) -> str:
    return "".join(np.random.default_rng(0).permutation(list(text)))


def _picture(writer: Writer, text: str) -> charts.Picture:
    colours = palette()
    longest_at = writer.learned.meter.longest_at
    rows = {
        _("this text"): (longest_at(text), colours.ours, "solid"),
        _("held-out text"): (writer.learned.held_out_matches, colours.peer, "solid"),
        _("this text, shuffled"): (longest_at(_shuffled(text)), colours.muted, "dot"),
    }
    lines = {
        name: Curve(
            range(_SHOWN + 1), (100 * match_shares(lengths)[: _SHOWN + 1]).tolist(), *look, {"mode": "lines"}
        )
        for name, (lengths, *look) in rows.items()
    }
    hover = _("%{y:.2f} % have %{x} or more")
    picture = curves(lines, x_title=_("characters in a row"), y_title=_("share of positions, %"), hover=hover)
    for trace in picture.data:
        trace["line"]["shape"] = "hv"
    picture.update_xaxes(range=[0, _SHOWN])
    picture.update_yaxes(range=[0, 101])
    return picture


def _table(text: str, report: CopyReport) -> None:
    if not report.spans:
        st.caption(_("No passage of {k} characters or more is copied.", k=report.k))
        return
    rows = [
        {
            _("characters"): span.length,
            _("source"): described(span.source),
            _("places"): span.source.occurrences,
            _("passage"): text[span.start : span.end].replace("\n", " ↵ "),
        }
        for span in sorted(report.spans, key=lambda span: -span.length)
    ]
    st.dataframe(rows, hide_index=True)

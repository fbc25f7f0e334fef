"""What several sections draw: the text of a link, what can come next, and copied passages."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import streamlit as st

from apps.shared import charts
from apps.shared.colours import tint
from apps.shared.language import _
from apps.shared.letters import Letter, shown
from apps.shared.page import text_box
from apps.shared.style import palette
from apps.writer.application import Writer
from apps.writer.copies import CopyReport, described
from apps.writer.results import NextTokens, TokenProbability
from data_prep.errors import InputError
from data_prep.files import toml_beside
from models.char_lm.serving import Unknown

SAID = toml_beside(__file__, "page.toml")
_SHOWN = 8


def linked(name: str) -> dict[str, Any]:
    """Give what ties a box to a parameter of the address, which is its key too, and its help."""
    return {"key": name, "bind": "query-params", "help": _(SAID["help"].get(name, "")) or None}


def linked_text(label: str, key: str, default: str, *, most: int, height: int = 170) -> str:
    """Draw a box whose text stands in the page's address; a longer one of a link is cut, and that is said."""
    length = len(st.query_params.get(key, ""))
    if length > most:
        st.warning(
            _(
                "The text of the link has {length:,} characters; the box holds the first {most:,}.",
                length=length,
                most=most,
            )
        )
    return text_box(st, label, default, key, most, lines=True, height=height)


def unknown_choice() -> Unknown:
    """Let the visitor say what is done with characters that the writer never saw."""
    mapped = st.checkbox(_("Read characters that the writer never saw as unknown ones"), **linked("map"))
    return "map" if mapped else "refuse"


def before_and_after(following: NextTokens, actual: str | None) -> charts.Picture:
    """Draw the likeliest tokens twice, as the model has them and as they are drawn, and the one that stands there."""
    colours = palette()
    rows = list(following.tokens[:_SHOWN])
    rows += [token for token in following.tokens[_SHOWN:] if token.token == actual]
    names = [_name(token.token, actual) for token in rows]
    return charts.grouped_bars(
        names,
        {
            _("the model"): [100 * token.probability for token in rows],
            _("drawn from"): [100 * token.sampling_probability for token in rows],
        },
        x_title=_("probability, %"),
        colours={_("the model"): colours.muted, _("drawn from"): colours.ours},
        number=".3~g",
    )


def alternatives(actual: str, probability: float, found: Sequence[TokenProbability]) -> charts.Picture:
    """Draw the token that stands there, and what the model gives it, among the five likeliest."""
    colours = palette()
    rows = list(found)
    if all(other.token != actual for other in rows):
        rows.append(TokenProbability(actual, probability))
    return charts.bars(
        [_name(other.token, actual) for other in rows],
        [100 * other.probability for other in rows],
        x_title=_("probability, %"),
        colour=[colours.peer if other.token == actual else colours.ours for other in rows],
        number=".3~g",
    )


def _name(token: str, actual: str | None) -> str:
    return f"{shown(token)} ←" if token == actual else shown(token)


@st.cache_data(show_spinner="Indexing the training text …", max_entries=4, ttl=600)
def training_text_problem(_writer: Writer, preset: str) -> str | None:
    """Say why copies cannot be looked for, or None where they can; tried again after ten minutes."""
    try:
        _ = _writer.learned.held_out_matches
    except InputError as error:
        return str(error)
    return None


def copied_letters(text: str, report: CopyReport) -> list[Letter]:
    """Turn a text into letters whose copied passages are underlaid, the longer the stronger."""
    drawn = [Letter(character) for character in text]
    for span in sorted(report.spans, key=lambda span: span.length):  # a longer one lies above a shorter one
        others = span.source.occurrences - 1
        more = _(", and at {others} more places", others=others) if others else ""
        note = _(
            "{length} characters copied\n{described}{more}",
            length=span.length,
            described=described(span.source),
            more=more,
        )
        ground = tint(palette().peer, min(0.2 + span.length / 250, 0.5))
        for at in range(span.start, span.end):
            drawn[at] = Letter(text[at], ground, note, marked=True)
    return drawn

"""The document that a section looks at, and its words with a colour each."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence

import streamlit as st

from apps.reviews.application import DEFAULT_PRESET
from apps.reviews.results import ReadWord
from apps.shared import charts
from apps.shared.language import _
from apps.shared.letters import Letter, letters
from apps.shared.page import example_buttons, text_box
from apps.shared.style import palette
from data_prep.files import toml_beside

MOST_CHARACTERS = 6_000
_MOST_NAMED = 40  # words that find room at an axis
EXAMPLES = toml_beside(__file__, "examples.toml")


def choose_text(preset: str) -> str:
    """Let the visitor write a document or take an example of the preset; it stands in the page's address."""
    examples = EXAMPLES.get(preset, EXAMPLES[DEFAULT_PRESET])
    with st.form("document_form"):
        first = next(iter(examples.values()))
        text = text_box(st, _("Document"), first, "text", MOST_CHARACTERS, lines=True, height=140)
        st.form_submit_button(_("Read"), type="primary")
    fails = {name: one["text"] for name, one in fails_of(preset).items()}
    example_buttons({name: {"text": example} for name, example in {**examples, **fails}.items()})
    return text


def fails_of(preset: str) -> Mapping[str, Mapping[str, str]]:
    """Documents that a preset reads wrongly, by title: ``text``, the label that is ``meant``, and ``why`` it fails."""
    return EXAMPLES["fails"].get(preset, {})


def draw_document(
    text: str,
    words: Sequence[ReadWord],
    values: Sequence[float],
    look: Callable[[float], tuple[str, str]],
    *,
    key: str,
    label: str,
) -> None:
    """Draw a document whose words, the end of sequence last, have a colour each, and what stands between them none.

    ``look`` maps the number of a word to the colour of its ground and what its card says.
    """
    pieces, done = [], 0
    for word, value in zip(words, values, strict=True):
        if word.start > done:
            pieces.append(Letter(text[done : word.start]))
        colour, said = look(value)
        note = f"{name_of(word)}: {said}" + ("" if word.known else _(", unknown"))
        pieces.append(Letter(word.text or " EOS", colour, note, not word.known, bool(colour) and value < 0))
        done = max(done, word.end)
    with st.container(border=True):
        letters(pieces, key=key, label=label, breaks=False)


def name_of(word: ReadWord) -> str:
    """Name a word; the end of sequence has no text."""
    return word.text or _("end of sequence")


def name_columns(picture: charts.Picture, words: Sequence[ReadWord], places: Sequence[int]) -> None:
    """Write the words at the horizontal axis of a picture, at the numbers where they stand, where they find room."""
    if len(words) <= _MOST_NAMED:
        names = [f"{place}. {word.text or 'EOS'}" for word, place in zip(words, places, strict=True)]
        picture.update_xaxes(tickmode="array", tickvals=list(places), ticktext=names, tickangle=-50)
        picture.layout["xaxis"]["title"] = {"text": ""}


def label_looks(labels: Sequence[str]) -> dict[str, tuple[str, str]]:
    """Give each label a colour and a dash; two labels have those of what speaks against and for something."""
    colours = palette()
    if len(labels) == 2:
        return {labels[0]: (colours.negative, "solid"), labels[1]: (colours.positive, "solid")}
    return charts.line_looks(labels)

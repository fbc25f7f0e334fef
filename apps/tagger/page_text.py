"""Section "Text": a text as ribbons coloured by tag, alternatives on hover, downloads."""

from __future__ import annotations

from contextlib import nullcontext
from functools import partial
from zlib import crc32

import streamlit as st

from apps.shared.language import _, ngettext
from apps.shared.page import example_buttons, heavy_work, input_errors, plain, text_box
from apps.shared.style import palette
from apps.tagger.application import Tagger
from apps.tagger.files import conllu_file, csv_file
from apps.tagger.results import AMBIGUOUS_BELOW, TaggedText
from apps.tagger.ribbons import legend, ribbons
from data_prep.files import toml_beside
from data_prep.readers.text import decoded

_SAID = toml_beside(__file__)
MOST_CHARACTERS = 20_000
_LONG = 1_000  # characters that may take longer than a spinner needs to appear
_ON_A_PAGE = 40


def show(tagger: Tagger, preset: str) -> None:
    """Draw the section."""
    with st.form("tagging_form"):
        text = text_box(st, _("Text"), _SAID["default"], "text", MOST_CHARACTERS, lines=True, height=120)
        st.form_submit_button(_("Tag the text"), type="primary")
    example_buttons({name: {"text": text} for name, text in _SAID["examples"].items()})
    with st.expander(_("Tag a text file instead")):
        upload = st.file_uploader(
            _("A text in UTF-8, at most 1 MiB"),
            type=["txt", "md", "text"],
            key="file to tag",
            help=_("For a larger one use the command line: `python -m apps tagger tag --file FILE`"),
            max_upload_size=1,
        )
        if upload is not None:
            st.caption(
                _("The page shows {name}; remove it to go back to the box above.", name=plain(upload.name))
            )
    with input_errors():
        if upload is not None:
            text = decoded(upload.getvalue(), "The file")
        _result(_tagged(tagger, preset, text))


def _tagged(tagger: Tagger, preset: str, text: str) -> TaggedText:
    """Tag a text, or give the last result of this visitor for the same text."""
    last = st.session_state.get("tagged text")
    if last is None or last[:2] != (preset, text):
        long = len(text) > _LONG
        with heavy_work(), st.spinner(_("Tagging …")) if long else nullcontext():
            last = (preset, text, tagger.tag(text))
        st.session_state["tagged text"] = last
    return last[2]


def _result(tagged: TaggedText) -> None:
    tokens = tagged.tokens
    pages = -(-len(tagged.sentences) // _ON_A_PAGE)
    # A name for each text, so that another text begins on its first page.
    name = f"pages of {crc32(tagged.text.encode('utf-8', 'replace'))}"
    page = st.pagination(pages, key=name) if pages > 1 else 1
    shown = tagged.sentences[(page - 1) * _ON_A_PAGE : page * _ON_A_PAGE]
    st.html(ribbons(shown, palette()))
    st.html(legend({token.tag for sentence in shown for token in sentence.tokens}, palette()))
    ambiguous, unknown = sum(t.ambiguous for t in tokens), sum(t.unknown for t in tokens)
    st.caption(
        _(
            "{sentences}, {words}. The fainter a ribbon, the less sure the network. Dashed, with a question mark: "
            "below {percent:.0f} % ({ambiguous}). Dotted underline: never seen in training ({unknown}). "
            "Point at a word, or tap it, for its alternatives.",
            sentences=ngettext("{n:,} sentence", "{n:,} sentences", len(tagged.sentences)),
            words=_words(len(tokens)),
            percent=100 * AMBIGUOUS_BELOW,
            ambiguous=_words(ambiguous),
            unknown=_words(unknown),
        )
    )
    with st.container(horizontal=True, gap="small"):
        for name, write, file, kind in (
            ("CoNLL-U", conllu_file, "tagged.conllu", "text/plain"),
            ("CSV", csv_file, "tagged.csv", "text/csv"),
        ):
            looks = {"icon": ":material/download:", "on_click": "ignore"}
            st.download_button(
                _("Download {format}", format=name), partial(write, tagged), file, kind, **looks
            )


def _words(number: int) -> str:
    return ngettext("{n:,} word", "{n:,} words", number)

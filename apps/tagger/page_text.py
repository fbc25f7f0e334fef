"""Section "Text": a text as ribbons coloured by tag, alternatives on hover, downloads."""

from __future__ import annotations

from functools import partial
from zlib import crc32

import streamlit as st

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
_ON_A_PAGE = 40


def show(tagger: Tagger, preset: str) -> None:
    """Draw the section."""
    with st.form("tagging_form"):
        text = text_box(st, "Text", _SAID["default"], "text", MOST_CHARACTERS, lines=True, height=120)
        st.form_submit_button("Tag", type="primary")
    example_buttons({name: {"text": text} for name, text in _SAID["examples"].items()})
    with st.expander("Tag a text file instead"):
        upload = st.file_uploader(
            "A text in UTF-8, at most 1 MiB",
            type=["txt", "md", "text"],
            key="file to tag",
            help="For a larger one use the command line: `python -m apps tagger tag --file FILE`",
            max_upload_size=1,
        )
        if upload is not None:
            st.caption(f"The page shows {plain(upload.name)}; remove it to go back to the box above.")
    with input_errors():
        if upload is not None:
            text = decoded(upload.getvalue(), "The file")
        _result(_tagged(tagger, preset, text))


def _tagged(tagger: Tagger, preset: str, text: str) -> TaggedText:
    """Tag a text, or give the last result of this visitor for the same text."""
    last = st.session_state.get("tagged text")
    if last is None or last[:2] != (preset, text):
        with heavy_work(), st.spinner("Tagging …"):
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
        f"{_counted(len(tagged.sentences), 'sentence')}, {_counted(len(tokens), 'word')}. The fainter a ribbon, the "
        f"less sure the network. Dashed, with a question mark: below {100 * AMBIGUOUS_BELOW:.0f} % "
        f"({_counted(ambiguous, 'word')}). Dotted underline: never seen in training ({_counted(unknown, 'word')}). "
        "Point at a word, or tap it, for its alternatives."
    )
    with st.container(horizontal=True, gap="small"):
        for name, write, file, kind in (
            ("CoNLL-U", conllu_file, "tagged.conllu", "text/plain"),
            ("CSV", csv_file, "tagged.csv", "text/csv"),
        ):
            looks = {"icon": ":material/download:", "on_click": "ignore"}
            st.download_button(f"Download {name}", partial(write, tagged), file, kind, **looks)


def _counted(number: int, noun: str) -> str:
    return f"{number:,} {noun}" if number == 1 else f"{number:,} {noun}s"

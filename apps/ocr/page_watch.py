"""What a network that reads handwriting shows while it trains, as a page of the laboratory draws it."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from html import escape
from typing import Any

import numpy as np
import streamlit as st

from apps.ocr.evaluation import WAYS
from apps.ocr.page_looks import letter_row
from apps.ocr.results import ReadLetter
from apps.shared import charts
from apps.shared.language import _
from apps.shared.page import plain
from apps.shared.page_images import image_url
from apps.shared.style import Palette, palette
from data_prep.images.preparation import FRAME_COLUMNS

_STYLE = """<style>
.read { border-collapse: collapse; font-size: .85rem; }
.read td { padding: .05rem .8rem .05rem 0; border: 0; }
.read .word { font-family: monospace; font-size: 1.1rem; letter-spacing: .12rem; }
.about { font-size: .82rem; opacity: .8; }
.whole { image-rendering: pixelated; display: block; height: 64px; max-width: 100%; margin: .3rem 0; }
</style>"""
_BLANK = "blank"
_ROW = 12  # pixels of a class in a heat map


def show(picture: Mapping[str, Any], key: str) -> None:
    """Draw what ``apps.ocr.watch`` saw; ``key`` begins the keys of what is drawn."""
    colours = palette()
    held_out = _("held out of training") if picture["held_out"] else _("that it learns from")
    st.caption(
        _(
            "Word #{number} of {n} words {held_out}: it says **{text}**. Wrong letters are marked.",
            number=picture["number"],
            n=picture["n"],
            held_out=held_out,
            text=plain(picture["text"]),
        )
    )
    if picture["reads"] == "letters":
        alone, context = (picture[name].tolist() for name in ("alone", "context"))
        alphabet = picture["alphabet"]
        letters = [
            ReadLetter(alphabet[int(np.argmax(after))], tuple(before), tuple(after), alphabet)
            for before, after in zip(alone, context, strict=True)
        ]
        st.html(_answers(picture, colours))
        st.html(letter_row(picture["pictures"][..., None] / 255.0, letters, picture["text"]))
        titles = {_("each letter alone"): np.array(alone), _("in context (BiLSTM)"): np.array(context)}
        places = [f"{at}. {letter}" for at, letter in enumerate(picture["text"], start=1)]
        for column, (title, shares) in zip(st.columns(2, gap="medium"), titles.items(), strict=True):
            with column:
                _heat(shares, places, list(alphabet), title, f"{key} {title}")
    else:
        url = image_url(picture["picture"] / 255.0, colours)
        st.html(
            f'{_answers(picture, colours)}<img class="whole" src="{url}" alt="{escape(picture["text"])}">'
        )
        classes, frames = [*picture["alphabet"], _BLANK], picture["frames"]
        said = sorted({*picture["text"], *picture["answers"]["greedy"]})
        rows = [*said, _BLANK]
        shares = frames[:, [classes.index(one) for one in rows]]
        places = [FRAME_COLUMNS * at for at in range(len(frames))]
        _heat(shares, places, rows, _("column of the image"), f"{key} frames")


def _answers(picture: Mapping[str, Any], colours: Palette) -> str:
    """List how the word is read now by each way."""
    rows = [
        f'<tr><td>{escape(_(WAYS[way]))}</td><td class="word">{_marked(word, picture["text"], colours)}</td></tr>'
        for way, word in picture["answers"].items()
    ]
    return f'{_STYLE}<table class="read" aria-label="{_("How it is read now")}">{"".join(rows)}</table>'


def _marked(word: str, truth: str, colours: Palette) -> str:
    """Mark the letters that are wrong, or the whole word where it has another length."""
    if not word:
        return "–"
    wrong = [len(word) != len(truth) or letter != truth[at] for at, letter in enumerate(word)]
    return "".join(
        f'<b style="color:{colours.negative}">{escape(letter)}</b>' if bad else escape(letter)
        for letter, bad in zip(word, wrong, strict=True)
    )


def _heat(shares: np.ndarray, places: Sequence[Any], classes: Sequence[str], title: str, key: str) -> None:
    """Draw probabilities (places, classes), a column a place."""
    picture = charts.figure(x_title=title, height=_ROW * len(classes) + 60)
    hover = _("%{x}, as %{y}: %{z:.1f} %<extra></extra>")
    charts.add_heatmap(
        picture, 100 * shares.T, x=places, y=classes, zmin=0, zmax=100, showscale=False, hovertemplate=hover
    )
    picture.update_yaxes(autorange="reversed", type="category", dtick=1, showgrid=False, tickfont={"size": 9})
    picture.update_xaxes(showgrid=False)
    charts.show(picture, key, _("Probability of every letter, {title}", title=title))

"""Letters in a row with what they are read as, and the colour of each network, in the colours of the page."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from html import escape
from pathlib import Path
from typing import Any

import numpy as np
import streamlit as st

from apps.ocr.results import Reading, ReadLetter
from apps.shared import charts
from apps.shared.language import _
from apps.shared.page import plain
from apps.shared.page_images import image_url
from apps.shared.style import Palette, palette
from apps.shared.tables import numbers

_SHOWN = 4  # letters of a column
_CSS = Path(__file__).with_suffix(".css").read_text(encoding="utf-8")


def _style(colours: Palette) -> str:
    own = "".join(f"--{name}: {getattr(colours, name)};" for name in ("text", "peer", "ours"))
    return f"<style>.reading, .answer {{ {own} }}\n{_CSS}</style>"


def letter_row(images: np.ndarray, letters: Sequence[ReadLetter], truth: str | None = None) -> str:
    """Draw letters float32 (letters, 16, 8, 1) with probabilities before and in context, an arrow between; HTML."""
    colours = palette()
    figures = []
    for at, (image, letter) in enumerate(zip(images, letters, strict=True)):
        arrow = escape(f"{letter.before} → {letter.letter}") if letter.changed else "↓"
        said = _(
            "Letter {at}: {before} alone, {letter} in context",
            at=at + 1,
            before=letter.before,
            letter=letter.letter,
        )
        if truth is not None:
            said += _("; it is {truth}", truth=truth[at])
        figures.append(
            f'<figure class="{"changed" if letter.changed else "kept"}" aria-label="{escape(said)}" '
            f'title="{escape(said)}"><img class="seen" src="{image_url(image[..., 0], colours)}" alt="">'
            f"{_column(letter, letter.before, letter.before_probabilities, colours.muted)}"
            f'<div class="arrow" aria-hidden="true">{arrow}</div>'
            f"{_column(letter, letter.letter, letter.probabilities, colours.ours)}</figure>"
        )
    rows = [[one.before, one.before_probability, one.letter, one.probability] for one in letters]
    told = numbers([[_("alone"), _("probability"), _("in context"), _("probability")], *rows])
    return f'{_style(colours)}<div class="reading" {told}>{"".join(figures)}</div>'


def show_answer(text: str, truth: str | None, *said: str) -> None:
    """Draw an answer in large letters, a dash for no letter at all, and what is said of it."""
    shown = escape(text) or "–"
    st.html(
        f'{_style(palette())}<div class="answer" role="status" aria-label="{_("The answer")}">{shown}</div>'
    )
    known = () if truth is None else (_("The word is {truth}.", truth=plain(truth)),)
    st.caption(" ".join((*known, *said)))


def columns_picture(letters: Sequence[ReadLetter], *, context: bool) -> charts.Picture:
    """Draw the probability of every letter at every place, without or in context."""
    colours = palette()
    shares = [one.probabilities if context else one.before_probabilities for one in letters]
    chosen = [one.letter if context else one.before for one in letters]
    title, alphabet = _("in context") if context else _("each letter alone"), letters[0].alphabet
    picture = charts.figure(x_title=title, y_title=_("letter"), height=max(440, 17 * len(alphabet)))
    charts.add_heatmap(
        picture,
        100 * np.array(shares).T,
        x=[f"{at}. {letter}" for at, letter in enumerate(chosen, start=1)],
        y=list(alphabet),
        zmin=0,
        zmax=100,
        colorscale=[[0, colours.ground], [1, colours.ours if context else colours.muted]],
        showscale=False,
        xgap=2,
        ygap=1,
        hovertemplate=_("%{x}, as %{y}: %{z:.1f} %<extra></extra>"),
    )
    picture.update_yaxes(autorange="reversed", dtick=1, type="category", showgrid=False)
    picture.update_xaxes(type="category", showgrid=False)
    return picture


def _column(read: ReadLetter, chosen: str, shares: Sequence[float], colour: str) -> str:
    best = sorted(zip(shares, read.alphabet, strict=True), reverse=True)[:_SHOWN]
    rows = []
    for share, letter in best:
        name = f"<b>{escape(letter)}</b>" if letter == chosen else escape(letter)
        rows.append(
            f'<div class="row"><span>{name}</span><span class="bar" style="width:{100 * share:.1f}%;'
            f'background:{colour}"></span><span class="value">{100 * share:.0f} %</span></div>'
        )
    return "".join(rows)


def show_details(rows: Sequence[Mapping[str, Any]], others: Sequence[Reading]) -> None:
    """Draw a table, and beside it the probability of other words, where there are any."""
    left, right = st.columns(2, gap="medium")
    left.dataframe(rows, hide_index=True)
    if others:
        picture = charts.bars(
            [one.text or "–" for one in others],
            [100 * one.probability for one in others],
            x_title=_("other words, %"),
            colour=palette().muted,
            number=".1f",
        )
        with right:
            charts.show(picture, "other words", _("Probability of other words"))

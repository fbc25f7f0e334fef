"""Letters in a row with what they are taken for, and the colour of each network, in the colours of the page."""

from __future__ import annotations

from collections.abc import Sequence
from html import escape

import numpy as np
import plotly.graph_objects as go

from apps.digits.page_pictures import image_url
from apps.ocr.results import ReadLetter
from apps.shared import charts
from apps.shared.style import Palette, palette
from data_prep.readers.letters import LETTERS

_SHOWN = 4  # letters of a column
_HIGH = 64  # pixels of a letter


def row_style(colours: Palette) -> str:
    """Write the style sheet of :func:`letter_row`."""
    return f"""<style>
.reading {{ display: flex; flex-wrap: wrap; gap: .5rem 1rem; }}
.reading figure {{ margin: 0; width: 5.4rem; color: {colours.text}; }}
.reading .seen {{ image-rendering: pixelated; display: block; height: {_HIGH}px; margin: 0 auto .3rem; }}
.reading .row {{ display: grid; grid-template-columns: .8rem 1fr 2.1rem; gap: .25rem; align-items: center;
  font-size: .78rem; line-height: 1.15; }}
.reading .row b {{ font-size: .95rem; }}
.reading .bar {{ height: .5rem; border-radius: 2px; min-width: 1px; display: block; }}
.reading .value {{ text-align: right; font-variant-numeric: tabular-nums; opacity: .8; }}
.reading .arrow {{ text-align: center; font-size: 1.1rem; line-height: 1.3; opacity: .35; }}
.reading .changed .arrow {{ color: {colours.peer}; opacity: 1; font-weight: 700; }}
.reading .changed {{ outline: 1px dashed {colours.peer}; outline-offset: .25rem; border-radius: .25rem; }}
.answer {{ font-family: serif; font-size: 2.6rem; line-height: 1.1; color: {colours.ours};
  overflow-wrap: anywhere; }}
.word {{ overflow-x: auto; }} .word img {{ image-rendering: pixelated; display: block; height: 4rem; }}
</style>"""


def letter_row(images: np.ndarray, letters: Sequence[ReadLetter], truth: str | None = None) -> str:
    """Draw letters with a column of probabilities before context and one in context, and an arrow between.

    Args:
        images: Float32 (letters, 16, 8, 1).
        letters: What was read.
        truth: What the letters are, where that is known.

    Returns:
        HTML.
    """
    colours = palette()
    figures = []
    for at, (image, letter) in enumerate(zip(images, letters, strict=True)):
        arrow = f"{letter.before} → {letter.letter}" if letter.changed else "↓"
        said = f"Letter {at + 1}: {letter.before} alone, {letter.letter} in context"
        if truth is not None:
            said += f"; it is {truth[at]}"
        figures.append(
            f'<figure class="{"changed" if letter.changed else "kept"}" aria-label="{escape(said)}" '
            f'title="{escape(said)}"><img class="seen" src="{image_url(image[..., 0], colours)}" alt="">'
            f"{_column(letter.before_probabilities, letter.before, colours.muted)}"
            f'<div class="arrow" aria-hidden="true">{arrow}</div>'
            f"{_column(letter.probabilities, letter.letter, colours.ours)}</figure>"
        )
    return f'{row_style(colours)}<div class="reading">{"".join(figures)}</div>'


def answer(text: str) -> str:
    """Draw the answer in large letters; a dash for no letter at all."""
    shown = escape(text) or "–"
    return f'{row_style(palette())}<div class="answer" role="status" aria-label="The answer">{shown}</div>'


def word_image(image: np.ndarray, alt: str) -> str:
    """Draw the image of a word float (16, width), 1 for ink, in a frame that scrolls where it is long."""
    colours = palette()
    picture = f'<img src="{image_url(image, colours)}" alt="{escape(alt)}">'
    return f'{row_style(colours)}<div class="word">{picture}</div>'


def columns_picture(letters: Sequence[ReadLetter], *, context: bool) -> go.Figure:
    """Draw the probability of every letter at every place, without or in context."""
    colours = palette()
    shares = [one.probabilities if context else one.before_probabilities for one in letters]
    chosen = [one.letter if context else one.before for one in letters]
    picture = charts.figure(x_title="in context" if context else "each letter alone", height=440)
    picture.add_heatmap(
        z=(100 * np.array(shares).T).tolist(),
        x=[f"{at}. {letter}" for at, letter in enumerate(chosen, start=1)],
        y=list(LETTERS),
        zmin=0,
        zmax=100,
        colorscale=[[0, colours.ground], [1, colours.ours if context else colours.muted]],
        showscale=False,
        xgap=2,
        ygap=1,
        hovertemplate="%{x}, as %{y}: %{z:.1f} %<extra></extra>",
    )
    picture.update_yaxes(autorange="reversed", dtick=1, type="category", showgrid=False)
    picture.update_xaxes(type="category", showgrid=False)
    return picture


def _column(shares: Sequence[float], chosen: str, colour: str) -> str:
    best = sorted(zip(shares, LETTERS, strict=True), reverse=True)[:_SHOWN]
    rows = []
    for share, letter in best:
        name = f"<b>{letter}</b>" if letter == chosen else letter
        rows.append(
            f'<div class="row"><span>{name}</span><span class="bar" style="width:{100 * share:.1f}%;'
            f'background:{colour}"></span><span class="value">{100 * share:.0f} %</span></div>'
        )
    return "".join(rows)

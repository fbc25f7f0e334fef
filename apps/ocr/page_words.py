"""Section "Words": a word in one piece, and the path through its frames drawn over its image."""

from __future__ import annotations

from html import escape

import numpy as np
import streamlit as st
from PIL import ImageColor

from apps.ocr.application import Reader
from apps.ocr.page_looks import show_answer, show_details
from apps.ocr.page_source import choose_word
from apps.ocr.results import WordResult
from apps.shared import charts
from apps.shared.language import _
from apps.shared.page import input_errors, plain
from apps.shared.page_images import steps_in_a_row
from apps.shared.style import palette
from data_prep.images.letter_batches import FRAME_COLUMNS

_BLANK = "blank"
_IMAGE, _ROW = 190, 24  # pixels of the image's height, and of a class


def show(reader: Reader, preset: str) -> None:
    """Draw the section."""
    with input_errors():
        chosen = choose_word(reader)
        if chosen is None:
            return
        result = reader.read_prepared_word(chosen.prepared)
        show_answer(
            result.text,
            chosen.truth,
            _(
                "Without language model: {without_language}.",
                without_language=plain(result.without_language) or "–",
            ),
            _("Best path alone: {greedy}.", greedy=plain(result.greedy) or "–"),
        )
        picture = _path(result, reader.words.config.alphabet)
        charts.show(
            picture, "path", _("The path of {text} through the frames, over the image", text=result.text)
        )
        st.caption(
            _(
                "A frame is {frame_columns} columns. In each the network says a letter or nothing "
                "(blank); the line is the best path of the answer. Equal neighbours count once, blanks "
                "not at all: nobody has to cut letters.",
                frame_columns=FRAME_COLUMNS,
            )
        )
        rows = [
            {
                _("letter"): one.letter,
                _("probability, %"): f"{100 * one.probability:.1f}",
                _("by its image alone"): f"{one.before} {100 * one.before_probability:.1f} %",
            }
            for one in result.letters
        ]
        show_details(rows, result.alternatives)
        if len(result.prepared.steps) > 1:
            with st.expander(_("From the picture to what the network reads")):
                st.html(steps_in_a_row(result.prepared))


def _path(result: WordResult, alphabet: str) -> charts.Picture:
    """Draw the image on top, the classes of every frame below, and the path through both."""
    colours, image = palette(), result.prepared.image[..., 0]
    names = [*alphabet, _BLANK]
    rows = [*sorted({span.letter for span in result.spans}), _BLANK]
    places = (np.arange(len(result.path)) * FRAME_COLUMNS + (FRAME_COLUMNS - 1) / 2).tolist()
    below = _ROW * len(rows)
    picture = charts.figure(x_title=_("column of the image"), height=_IMAGE + below + 70)
    charts.add_heatmap(
        picture,
        image[::-1],
        yaxis="y2",
        zmin=0,
        zmax=1,
        colorscale=[[0, colours.ground], [1, colours.text]],
        showscale=False,
        hoverinfo="skip",
    )
    charts.add_heatmap(
        picture,
        100 * result.frames[:, [names.index(row) for row in rows]].T,
        x=places,
        y=rows,
        zmin=0,
        zmax=100,
        showscale=False,
        hovertemplate=_("column %{x}, %{y}: %{z:.1f} %<extra></extra>"),
    )
    picture.add_scatter(
        x=places,
        y=[names[label] for label in result.path],
        mode="lines+markers",
        line={"color": colours.peer, "width": 2, "shape": "hv"},
        marker={"size": 4},
        hoverinfo="skip",
        showlegend=False,
    )
    share = below / (below + _IMAGE)
    columns = max(image.shape[1], len(places) * FRAME_COLUMNS)
    picture.update_xaxes(range=[-0.5, columns - 0.5], showgrid=False)
    picture.update_yaxes(domain=[0.0, share - 0.02], type="category", autorange="reversed", showgrid=False)
    top = len(image) + 3.5  # the letters stand above the image
    image_axis = {"domain": [share + 0.02, 1.0], "range": [-0.5, top], "visible": False, "fixedrange": True}
    picture.update_layout(yaxis2=image_axis)
    font = {"color": colours.peer, "size": 15}
    for span in result.spans:
        picture.add_shape(
            type="rect",
            yref="y2",
            x0=FRAME_COLUMNS * span.start - 0.5,
            x1=FRAME_COLUMNS * span.end - 0.5,
            y0=-0.5,
            y1=top,
            line={"color": colours.peer, "width": 1},
            fillcolor=f"rgba{(*ImageColor.getrgb(colours.peer), 0.18)}",
            label={"text": f"<b>{escape(span.letter)}</b>", "textposition": "top center", "font": font},
        )
    return picture

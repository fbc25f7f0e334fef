"""Section "Words": a word in one piece, and the path through its frames drawn over its image."""

from __future__ import annotations

from html import escape

import numpy as np
import plotly.graph_objects as go
import streamlit as st

from apps.digits.page_pictures import STYLE, digit_figure
from apps.ocr.application import Reader
from apps.ocr.page_looks import answer
from apps.ocr.page_source import choose_word
from apps.ocr.results import WordResult
from apps.shared import charts
from apps.shared.page import input_errors, plain
from apps.shared.style import palette
from data_prep.images.letter_batches import FRAME_COLUMNS
from data_prep.readers.letters import LETTERS

_BLANK = "blank"
_IMAGE, _ROW = 190, 24  # pixels of the image's height, and of a class


def show(reader: Reader) -> None:
    """Draw the section.

    Args:
        reader: Opened for words.
    """
    with input_errors():
        chosen = choose_word()
        if chosen is None:
            return
        result = reader.read_prepared_word(chosen.prepared)
        st.html(answer(result.text))
        said = [] if chosen.truth is None else [f"It says {plain(chosen.truth)}."]
        said.append(f"Without language model: {result.without_language or '–'}.")
        said.append(f"Best path alone: {result.greedy or '–'}.")
        st.caption(" ".join(said))
        charts.show(_path(result), "path", f"The path of {result.text} through the frames, over the image")
        st.caption(
            f"A frame is {FRAME_COLUMNS} columns. In each the network says a letter or nothing (blank); the line is "
            "the best path of the answer. Equal neighbours count once, blanks not at all: nobody has to cut letters."
        )
        left, right = st.columns(2, gap="medium")
        with left:
            _letters(result)
        with right:
            _alternatives(result)
        _steps(result)


def _path(result: WordResult) -> go.Figure:
    """Draw the image on top, the classes of every frame below, and the path through both."""
    colours = palette()
    image = result.prepared.image[..., 0]
    frames = len(result.path)
    places = (np.arange(frames) * FRAME_COLUMNS + (FRAME_COLUMNS - 1) / 2).tolist()
    rows = [*dict.fromkeys(span.letter for span in sorted(result.spans, key=lambda one: one.letter)), _BLANK]
    numbers = [LETTERS.index(row) if row != _BLANK else len(LETTERS) for row in rows]
    below = _ROW * len(rows)
    share = below / (below + _IMAGE)
    picture = charts.figure(x_title="column of the image", height=_IMAGE + below + 70)
    picture.add_heatmap(
        z=image[::-1].tolist(),
        yaxis="y2",
        colorscale=[[0, colours.ground], [1, colours.text]],
        showscale=False,
        hoverinfo="skip",
    )
    picture.add_heatmap(
        z=(100 * result.frames[:, numbers].T).tolist(),
        x=places,
        y=rows,
        zmin=0,
        zmax=100,
        colorscale=[[0, colours.ground], [1, colours.ours]],
        showscale=False,
        hovertemplate="column %{x}, %{y}: %{z:.1f} %<extra></extra>",
    )
    names = [_BLANK if label == len(LETTERS) else LETTERS[label] for label in result.path]
    picture.add_scatter(
        x=places,
        y=names,
        mode="lines+markers",
        line={"color": colours.peer, "width": 2, "shape": "hv"},
        marker={"size": 4},
        hoverinfo="skip",
        showlegend=False,
    )
    for span in result.spans:
        start, end = (FRAME_COLUMNS * at - 0.5 for at in (span.start, span.end))
        picture.add_shape(
            type="rect", x0=start, x1=end, y0=-0.5, y1=len(image) - 0.5, xref="x", yref="y2",
            line={"color": colours.peer, "width": 1}, fillcolor=colours.peer, opacity=0.18,
        )  # fmt: skip
        picture.add_annotation(
            x=(start + end) / 2, y=len(image) + 1.5, xref="x", yref="y2", text=f"<b>{span.letter}</b>",
            showarrow=False, font={"color": colours.peer, "size": 15},
        )  # fmt: skip
    picture.update_xaxes(range=[-0.5, max(image.shape[1], frames * FRAME_COLUMNS) - 0.5], showgrid=False)
    picture.update_yaxes(showgrid=False)
    picture.update_layout(
        yaxis={
            "domain": [0.0, share - 0.02],
            "type": "category",
            "categoryorder": "array",
            "categoryarray": rows[::-1],
        },
        yaxis2={
            "domain": [share + 0.02, 1.0],
            "range": [-0.5, len(image) + 3.5],
            "showticklabels": False,
            "fixedrange": True,
            "zeroline": False,
            "anchor": "x",
        },
    )
    return picture


def _letters(result: WordResult) -> None:
    st.dataframe(
        [
            {
                "letter": one.letter,
                "probability, %": round(100 * one.probability, 1),
                "by its image alone": f"{one.before} {100 * one.before_probability:.1f} %",
                "changed": one.changed,
            }
            for one in result.letters
        ],
        hide_index=True,
    )


def _alternatives(result: WordResult) -> None:
    if result.alternatives:
        charts.show(
            charts.bars(
                [one.text or "–" for one in result.alternatives],
                [100 * one.probability for one in result.alternatives],
                x_title="other words, %",
                colour=palette().muted,
                number=".1f",
            ),
            "other words",
            "Probability of other words",
        )


def _steps(result: WordResult) -> None:
    steps = result.prepared.steps
    if len(steps) < 2:
        return
    colours = palette()
    with st.expander("From the picture to what the network reads"):
        figures = "".join(
            digit_figure(
                step.image[:: max(1, step.image.shape[1] // 256), :: max(1, step.image.shape[1] // 256)],
                colours,
                f"<b>{escape(step.name)}</b><br>{escape(step.text)}",
                step.text,
                light=step.name == "gray",
            )
            for step in steps
        )
        st.html(f'{STYLE}<div class="digits">{figures}</div>')

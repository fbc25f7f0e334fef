"""Section "Benchmark": speed beside other taggers, and what word vectors are worth with few sentences."""

from __future__ import annotations

from collections.abc import Sequence

import plotly.graph_objects as go
import streamlit as st

from apps.reviews.reports import ReviewsTransferCell
from apps.shared import charts
from apps.shared.page import input_errors, plain
from apps.shared.style import palette
from apps.tagger.reports import (
    EMBEDDINGS,
    SYSTEMS,
    SpeedReport,
    TransferCell,
    speed_report,
    transfer_report,
)

SPEED_COMMAND = "python -m benchmarks.tagger_speed"
TRANSFER_COMMAND = "python -m benchmarks.embedding_transfer --task tags"


def show() -> None:
    """Draw the section."""
    st.subheader("Beside other taggers", anchor=False)
    with input_errors():
        report = speed_report()
        if report is None:
            st.info(f"The benchmark has not run in this checkout. Run it: `{SPEED_COMMAND} --store`")
        else:
            _speed(report)
    st.subheader("What word vectors are worth", anchor=False)
    with input_errors():
        cells = transfer_report()
        if not cells:
            st.info(f"The benchmark has not run in this checkout. Run it: `{TRANSFER_COMMAND} --store`")
        else:
            _transfer(cells)


def _speed(report: SpeedReport) -> None:
    names = [SYSTEMS[one.system] for one in report.systems]
    colours = [palette().ours if one.system == "lectern" else palette().peer for one in report.systems]
    measures = {
        "words_per_second": ("words a second, in a batch", ",.0f"),
        "one_sentence_ms": ("milliseconds for one sentence", ".2f"),
        "upos_accuracy": ("% of the test part's words right", ".2f"),
    }
    for column, (name, (title, number)) in zip(st.columns(3, gap="medium"), measures.items(), strict=True):
        with column:
            values = [getattr(one, name) for one in report.systems]
            picture = charts.bars(names, values, x_title=title, colour=colours, number=number)
            charts.show(picture, f"speed {name}", title)
    st.caption(
        f"All trained on the same sentences and held to {report.cores} processor core(s) of "
        f"{plain(report.processor)}; given words to universal tags; the others use one core. From raw text, "
        f"segmentation included, Lectern tags {report.raw_words_per_second:,.0f} words a second and a sentence in "
        f"{report.raw_sentence_ms:.1f} ms. Measure again, on this computer: `{SPEED_COMMAND}`"
    )


def _transfer(cells: tuple[TransferCell, ...]) -> None:
    left, right = st.columns(2, gap="medium")
    for column, field, title in (
        (left, "mean", "% right, all words"),
        (right, "unknown_mean", "% right, words not among the training sentences"),
    ):
        with column:
            charts.show(
                transfer_picture(cells, field, title, "training sentences used"), f"transfer {field}", title
            )
    st.caption(
        f"A small BiLSTM without characters, trained {cells[0].seeds} times on a part of the treebank's "
        "sentences and scored on its dev part; bars show the standard deviation over the seeds. "
        f"Measure again: `{TRANSFER_COMMAND}`"
    )
    with st.expander("The numbers"):
        st.dataframe(
            [
                {
                    "embeddings": EMBEDDINGS[cell.embedding],
                    "% of sentences": cell.share,
                    "sentences": cell.sentences,
                    "% right": round(cell.mean, 2),
                    "± s.d.": round(cell.deviation, 2),
                    "% right, new words": round(cell.unknown_mean, 2),
                }
                for cell in cells
            ],
            hide_index=True,
        )


def transfer_picture(
    cells: Sequence[TransferCell | ReviewsTransferCell], field: str, title: str, x_title: str
) -> go.Figure:
    """Draw a score by the share of the labels, a line for each start of the embeddings.

    Args:
        cells: Of the table.
        field: Which score of them; ``"mean"`` has bars for its deviation.
        title: Name and unit of the score.
        x_title: What the shares are of.

    Returns:
        The picture.
    """
    colours = palette()
    looks = {"random": colours.muted, "frozen": colours.peer, "fine_tuned": colours.ours}
    picture = charts.figure(x_title=x_title, y_title=title, height=360)
    for embedding, colour in looks.items():
        row = [cell for cell in cells if cell.embedding == embedding]
        picture.add_scatter(
            x=[f"{cell.share:g} %" for cell in row],
            y=[getattr(cell, field) for cell in row],
            error_y={"type": "data", "array": [cell.deviation for cell in row]} if field == "mean" else None,
            mode="lines+markers",
            name=EMBEDDINGS[embedding],
            line={"color": colour},
            hovertemplate=f"{EMBEDDINGS[embedding]}, %{{x}}: %{{y:.2f}} %<extra></extra>",
        )
    picture.update_layout(margin={"t": 40}, showlegend=True)
    picture.update_xaxes(type="category")
    return picture

"""Section "Transitions": what the CRF learned about which letter follows which."""

from __future__ import annotations

import streamlit as st

from apps.ocr.application import Reader
from apps.shared import charts

_SHOWN = 8


def show(reader: Reader, preset: str) -> None:
    """Draw the section."""
    st.markdown(
        "The conditional random field behind the BiLSTM adds a learned score for every letter after every other, and "
        "chooses the best word as a whole. It learns what the BiLSTM in front of it, which sees the neighbours too, "
        "leaves to be learned."
    )
    scores, letters = reader.letters.transitions, list(reader.letters.config.alphabet)
    picture = charts.figure(x_title="next letter", y_title="letter", height=620)
    charts.add_heatmap(
        picture,
        scores,
        x=letters,
        y=letters,
        xgap=1,
        ygap=1,
        hovertemplate="%{y}, then %{x}: %{z:+.2f}<extra></extra>",
    )
    picture.update_xaxes(side="top", type="category", showgrid=False, dtick=1, tickangle=0)
    picture.update_yaxes(autorange="reversed", type="category", showgrid=False, dtick=1)
    charts.show(
        picture, "transitions", "Learned score of the letter in the columns after the letter in the rows"
    )
    ranked = sorted(
        (float(scores[row, column]), first + second)
        for row, first in enumerate(letters)
        for column, second in enumerate(letters)
    )
    titles = {"Most welcome": ranked[::-1][:_SHOWN], "Least welcome": ranked[:_SHOWN]}
    for column, (title, chosen) in zip(st.columns(2, gap="medium"), titles.items(), strict=True):
        with column:
            st.subheader(title, anchor=False)
            st.dataframe(
                [{"letters": pair, "score": round(score, 2)} for score, pair in chosen], hide_index=True
            )

"""What a classifier of documents shows while it trains, drawn for the Laboratory."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np
import streamlit as st

from apps.reviews.page_text import draw_document
from apps.reviews.results import ReadWord
from apps.shared import charts
from apps.shared.colours import tint
from apps.shared.language import N_, _
from apps.shared.page import plain
from apps.shared.style import palette

_SAMPLES = {
    "held_out": N_("held out of the training part, from which it does not learn"),
    "training_sample": N_("of the training part: it learns from them, for nothing is held out"),
}


def show(picture: Mapping[str, Any], key: str) -> None:
    """Draw a picture of ``apps.reviews.watch``."""
    if "neighbours" in picture:
        _neighbours(picture["neighbours"], key)
        return
    colours, labels = palette(), picture["labels"]
    names = [f"{network}: {label}" for network, _ in picture["networks"] for label in labels]
    shares = [100.0 * float(share) for _, one in picture["networks"] for share in one]
    hues = [
        colours.ours if share == max(one) else colours.muted
        for _, one in picture["networks"]
        for share in one
    ]
    drawn = charts.bars(
        names, shares, x_title=_("probability, %"), colour=hues, number=".1f", limits=(0, 100)
    )
    charts.show(drawn, f"{key} verdict", _("What the network answers now, as probabilities"))
    words = [ReadWord(*word) for word in picture["words"]]
    end = len(picture["text"])
    values = np.asarray(picture["added"], float).tolist()
    largest = max(map(abs, values)) or 1.0

    def look(value: float) -> tuple[str, str]:
        colour = colours.positive if value > 0 else colours.negative
        return tint(colour, colours.most * abs(value) / largest), f"{value:+.3f}"

    draw_document(
        picture["text"],
        [*words, ReadWord("", end, end)],
        values,
        look,
        key=f"{key} words",
        label=_("The document, and what each word adds"),
    )
    label, against = map(plain, (picture["label"], picture["against"]))
    kind, count = picture["sample"]
    st.caption(
        _(
            "What a word adds to the logit of {label} minus that of {against}, by its gradient: "
            "blue speaks for {label}, red over dots for {against}, the strongest of now in full colour. "
            "A whole line below: unknown. Numbers are of {count:,} documents {samples}.",
            label=label,
            against=against,
            count=count,
            samples=_(_SAMPLES[kind]),
        )
    )


def _neighbours(found: list[list[Any]], key: str) -> None:
    """List the nearest words of some words."""
    rows = [{"word": word, _("nearest words by now"): ", ".join(near)} for word, near in found]
    st.dataframe(rows, hide_index=True, key=f"{key} neighbours")
    st.caption(
        _(
            "The rarest words of your text that word2vec knows, and those whose vectors have the "
            "largest cosine."
        )
    )

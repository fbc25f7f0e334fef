"""The tagger and its stored scores, opened once for all visitors."""

from __future__ import annotations

import streamlit as st

from apps.tagger.application import Tagger
from apps.tagger.reports import TaggerScores, tagger_scores


@st.cache_resource(show_spinner="Opening the tagger …")
def load_tagger(preset: str, segmenter: str) -> Tagger:
    """Open the presets of a tagger and a segmenter.

    Args:
        preset: Name of a tagger.
        segmenter: Name of a segmenter.

    Returns:
        The application; shared, so never changed.

    Raises:
        InputError: A preset is missing or damaged.
    """
    tagger = Tagger.from_preset(preset, segmenter)
    tagger.tag("Ready.")  # the first visitor does not wait for what is compiled once
    return tagger


@st.cache_data(show_spinner=False, max_entries=4)
def load_scores(preset: str) -> TaggerScores:
    """Read the scores that were measured when the preset was made.

    Args:
        preset: Name of a tagger.

    Returns:
        The scores.

    Raises:
        InputError: The preset is missing or damaged.
    """
    return tagger_scores(preset)

"""The vectors that sections show beside ours, and the matrix of keys that belongs to ours."""

from __future__ import annotations

from apps.shared.page import open_once
from apps.vectors.application import DEFAULT_PRESET, Vectors
from data_prep.errors import InputError
from models.presets.search import list_presets

GENSIM = "vectors_en_wiki_gensim"  # trained on the same text as the default preset


def peer_of(preset: str) -> Vectors | None:
    """Gensim's vectors of the same text; None where they are missing, or for vectors of another text."""
    there = preset == DEFAULT_PRESET and GENSIM in list_presets()
    return open_once(Vectors.from_preset, GENSIM) if there else None


def output_of(preset: str) -> Vectors | None:
    """The output vectors that were written beside a preset, if they are in reach."""
    try:
        return open_once(Vectors.from_preset, f"{preset}_output")
    except InputError:
        return None

"""Small tables of word vectors, for tests that need one."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path

import numpy as np

from apps.vectors.evaluation import evaluate, metrics_of
from apps.vectors.task import save_vectors_preset, vectors_content
from data_prep.text.embeddings import WordVectors
from models.presets.card import CardText

OURS, PEER = "vectors_en_wiki", "vectors_en_wiki_gensim"
PAIRS = {"france": "paris", "spain": "madrid", "italy": "rome", "germany": "berlin", "japan": "tokyo"}
OTHERS = (
    "dog cat horse wolf bear lion bird fish red green blue yellow monday tuesday friday sunday music coffee "
    "tea the a of and to in orchestra played symphony by german composer ludwig van beethoven king queen man "
    "woman"
)


def tiny_vectors(seed: int) -> WordVectors:
    """Countries and capitals on a grid that analogies follow, other words anywhere; 24 dimensions."""
    random = np.random.default_rng(seed)
    country, capital = random.normal(size=(2, 24))
    words, rows = [], []
    for one, other in PAIRS.items():
        nation = random.normal(size=24)
        words += [one, other]
        rows += [nation + country, nation + capital]
    words += OTHERS.split()
    rows += list(random.normal(size=(len(OTHERS.split()), 24)))
    return WordVectors(words, np.array(rows, np.float32), np.arange(len(words), 0, -1))


def save_tiny_vectors(folder: Path, *names: str, recipe: Mapping[str, str] | None = None) -> None:
    """Write presets of these names, or both."""
    card = CardText("Tiny", "For tests.", "Made up.", "None.", "Tests.", "Everything else.")
    metadata = {"recipe": recipe or {}, "seed": 1, "data": {"made up": "none"}, "seconds": 61.0}
    for seed, name in enumerate(names or (OURS, PEER), start=1):
        vectors = tiny_vectors(seed)
        content = vectors_content(vectors, card, "float16", metrics=metrics_of(evaluate(vectors)))
        save_vectors_preset(folder / name, content, metadata)

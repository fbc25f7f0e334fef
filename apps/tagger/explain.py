"""The network's view of a sentence: what each layer holds, and what the CRF knows about tags in a row."""

from __future__ import annotations

import tomllib
from collections.abc import Sequence
from pathlib import Path

import numpy as np

from apps.tagger.application import Tagger
from apps.tagger.results import LayerView, NetworkView, Transitions
from data_prep.errors import InputError

MOST_WORDS = 60
START, END = "sentence start", "sentence end"
_SAID = tomllib.loads(Path(__file__).with_suffix(".toml").read_text(encoding="utf-8"))


def network_view(tagger: Tagger, words: Sequence[str]) -> NetworkView:
    """Run one sentence through the network and keep what every layer says.

    Args:
        tagger: The tagger.
        words: At most 60 words.

    Returns:
        Characters, embeddings, both directions of every BiLSTM layer, and the probabilities of the tags, a row a word.

    Raises:
        InputError: There are too many words to draw, none, or an empty one.
    """
    if len(words) > MOST_WORDS:
        raise InputError(
            "The sentence is too long to draw", allowed=f"at most {MOST_WORDS} words", received=len(words)
        )
    if not words or not all(words):
        raise InputError("A sentence is one word or more, and no word is empty", received=list(words))
    inside = tagger.predictor.inside(words)
    (prediction,) = tagger.predictor.predict([list(words)])
    values = (inside.characters, inside.vector, inside.trained)
    layers = [LayerView(**said, values=one) for said, one in zip(_SAID["embeddings"], values, strict=True)]
    for number, states in enumerate(zip(inside.forward, inside.backward, strict=True), start=1):
        for said, state in zip(_SAID["directions"], states, strict=True):
            about = f"BiLSTM layer {number}, {said['about']}"
            layers.append(LayerView(f"{said['key']}{number}", f"{said['title']} {number}", about, state))
    probabilities = getattr(prediction, f"{tagger.column}_probabilities")
    unknown = tuple(prediction.unknown.tolist())
    return NetworkView(tuple(words), unknown, tuple(layers), tagger.tags, probabilities)


def crf_transitions(tagger: Tagger) -> Transitions | None:
    """Return what the CRF learned about which tag follows which; None where the network decides word by word."""
    scores = tagger.predictor.transitions
    return Transitions(tagger.tags, tagger.tags, scores) if scores is not None and len(scores) > 1 else None


def followers(pairs: Sequence[Sequence[int]], tags: Sequence[str]) -> Transitions:
    """Turn counts of tags in a row into how much more often they meet than by chance.

    Args:
        pairs: pairs[a][b]: how often b follows a; sentence start comes first in a, sentence end last in b.
        tags: The tags.

    Returns:
        Logarithm to base 2 of the count over the count by chance, half a count added to both.
    """
    counts = np.array(pairs, np.float64)
    chance = counts.sum(axis=1, keepdims=True) * counts.sum(axis=0, keepdims=True) / max(counts.sum(), 1.0)
    scores = np.log2((counts + 0.5) / (chance + 0.5))
    scores[0, -1] = np.nan  # a sentence without words
    return Transitions((START, *tags), (*tags, END), scores)

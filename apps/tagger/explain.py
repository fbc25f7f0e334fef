"""The network's view of a sentence: what each layer holds, and what the CRF knows about tags in a row."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from apps.tagger.application import Tagger
from apps.tagger.results import LayerView, NetworkView, Transitions
from data_prep.errors import InputError

MOST_WORDS = 60
START, END = "sentence start", "sentence end"
_EMBEDDINGS = (
    (
        *("characters", "Letters"),
        "What the character network says of each word, whatever word it is: endings, capitals, digits, signs.",
    ),
    (
        *("vectors", "Word vectors"),
        "Vectors from text without tags; training leaves them as they are. Zero for a word that has none.",
    ),
    (
        *("trained", "Trained vectors"),
        "What training on tags added to each word; rare words share the vector of the unknown word.",
    ),
)
_DIRECTIONS = (
    ("forward", "→", "left to right: the state has read the words before and the word itself."),
    ("backward", "←", "right to left: the state has read the words after it and the word itself."),
)


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
    layers = [LayerView(*texts, _rows(value)) for texts, value in zip(_EMBEDDINGS, values, strict=True)]
    for number, states in enumerate(zip(inside.forward, inside.backward, strict=True), start=1):
        layers += [
            LayerView(f"{key}{number}", f"{arrow} {number}", f"BiLSTM layer {number}, {about}", _rows(state))
            for (key, arrow, about), state in zip(_DIRECTIONS, states, strict=True)
        ]
    return NetworkView(
        words=tuple(words),
        unknown=tuple(prediction.unknown.tolist()),
        layers=tuple(layers),
        tags=tuple(tagger.tags),
        probabilities=_rows(getattr(prediction, f"{tagger.column}_probabilities")),
    )


def crf_transitions(tagger: Tagger) -> Transitions | None:
    """Return what the CRF learned about which tag follows which; None where the network decides word by word."""
    predictor = tagger.predictor
    if predictor.transitions is None or tagger.column != "upos":
        return None
    return Transitions(predictor.upos, predictor.upos, _rows(predictor.transitions))


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
    return Transitions((START, *tags), (*tags, END), _rows(scores))


def _rows(values: np.ndarray) -> tuple[tuple[float | None, ...], ...]:
    """Turn a matrix into plain numbers; None where there is none."""
    return tuple(
        tuple(None if np.isnan(value) else float(value) for value in row) for row in np.asarray(values)
    )

"""The network's view of a sentence: what each layer holds, and what the CRF knows about tags in a row."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

import numpy as np

from apps.tagger.results import LayerView, NetworkView, Transitions
from data_prep.errors import InputError

if TYPE_CHECKING:
    from models.pos_tagger.predictor import TagPredictor

MOST_WORDS = 60
START, END = "sentence start", "sentence end"


def network_view(predictor: TagPredictor, words: Sequence[str]) -> NetworkView:
    """Run one sentence through the network and keep what every layer says.

    Args:
        predictor: The network.
        words: At most 60 words.

    Returns:
        Characters, embeddings, both directions of every BiLSTM layer, and the probabilities of the tags.

    Raises:
        InputError: There are too many words to draw.
    """
    if len(words) > MOST_WORDS:
        raise InputError(
            "The sentence is too long to draw", allowed=f"at most {MOST_WORDS} words", received=len(words)
        )
    inside = predictor.inside(words)
    (prediction,) = predictor.predict([list(words)])
    layers = [
        LayerView(
            "characters",
            "Letters",
            "What the character network says of each word, whatever word it is: endings, capitals, digits, signs.",
            _rows(inside.characters),
        ),
        LayerView(
            "vectors",
            "Word vectors",
            "Vectors from text without tags; training leaves them as they are. Zero for a word that has none.",
            _rows(inside.vector),
        ),
        LayerView(
            "trained",
            "Trained vectors",
            "What training on tags added to each word; rare words share the vector of the unknown word.",
            _rows(inside.trained),
        ),
    ]
    for number, (ahead, back) in enumerate(zip(inside.forward, inside.backward, strict=True), start=1):
        layers += [
            LayerView(
                f"forward{number}",
                f"→ {number}",
                f"BiLSTM layer {number}, left to right: the state has read the words before and the word itself.",
                _rows(ahead),
            ),
            LayerView(
                f"backward{number}",
                f"← {number}",
                f"BiLSTM layer {number}, right to left: the state has read the words behind and the word itself.",
                _rows(back),
            ),
        ]
    return NetworkView(
        words=tuple(words),
        unknown=tuple(prediction.unknown.tolist()),
        layers=tuple(layers),
        tags=tuple(predictor.upos),
        probabilities=_rows(prediction.upos_probabilities),
    )


def crf_transitions(predictor: TagPredictor) -> Transitions | None:
    """Read what the CRF learned about which tag follows which.

    Args:
        predictor: The network.

    Returns:
        Its scores, or None where the network decides word by word.
    """
    if predictor.transitions is None:
        return None
    return Transitions(predictor.upos, predictor.upos, _rows(predictor.transitions))


def followers(pairs: Sequence[Sequence[int]], tags: Sequence[str]) -> Transitions:
    """Turn counts of tags in a row into how much more often they meet than by chance.

    Args:
        pairs: pairs[a][b]: how often b follows a; sentence start comes first in a, sentence end last in b.
        tags: The universal tags.

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

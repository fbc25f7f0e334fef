"""The network's view of a sentence: what each layer holds, and what the CRF knows about tags in a row."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

import numpy as np

from apps.tagger_results import LayerView, NetworkView, Transitions
from data_prep.errors import InputError

if TYPE_CHECKING:
    from models.tag_predictor import TagPredictor

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
            "Character encoder",
            "What the letters of each word say, whatever word it is: endings, capitals, digits, signs.",
            _rows(inside["characters"]),
        ),
        LayerView(
            "embedding",
            "Word embedding",
            "Vectors from unlabelled text, which stay as they are, and what training added to them.",
            _rows(inside["embedding"]),
        ),
    ]
    for number in range(1, predictor.layers + 1):
        layers.append(
            LayerView(
                f"forward_{number}",
                f"BiLSTM {number}, left to right",
                "The state behind each word: it has read the words before it and the word itself.",
                _rows(inside[f"forward_{number}"]),
            )
        )
        layers.append(
            LayerView(
                f"backward_{number}",
                f"BiLSTM {number}, right to left",
                "The state at each word on the way back: it has read the words after it and the word itself.",
                _rows(inside[f"backward_{number}"]),
            )
        )
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
    potentials = predictor.potentials
    if potentials is None:
        return None
    size = len(predictor.upos)
    scores = np.full((size + 1, size + 1), np.nan)
    scores[0, :size] = potentials.start
    scores[1:, :size] = potentials.transitions
    scores[1:, size] = potentials.end
    return Transitions((START, *predictor.upos), (*predictor.upos, END), _rows(scores))


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

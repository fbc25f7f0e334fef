"""The network's view of a sentence: what each layer holds, and what the CRF knows about tags in a row."""

from __future__ import annotations

from collections.abc import Iterable, Sequence

import numpy as np

from apps.shared.language import _
from apps.tagger.application import Tagger, given_words
from apps.tagger.results import LayerView, NetworkView, Transitions
from data_prep.errors import InputError
from data_prep.files import toml_beside

MOST_WORDS = 60
START, END = "sentence start", "sentence end"
_SAID = toml_beside(__file__)


def network_view(tagger: Tagger, words: Iterable[str]) -> NetworkView:
    """Run one sentence through the network: what every layer says, and the probabilities, a row a word.

    Raises:
        InputError: There are too many words to draw, none, or an empty one.
    """
    words = [form for form, *_span in given_words(words).words]
    if len(words) > MOST_WORDS:
        allowed = f"at most {MOST_WORDS} words"
        raise InputError("The sentence is too long to draw", allowed=allowed, received=len(words))
    inside, prediction = tagger.predictor.inside(words), tagger.predictor.predict([words])
    values = (inside.characters, inside.vector, inside.trained)
    layers = [
        LayerView(said["key"], said["title"], _(said["about"]), one)
        for said, one in zip(_SAID["embeddings"], values, strict=True)
    ]
    for number, states in enumerate(zip(inside.forward, inside.backward, strict=True), start=1):
        for said, state in zip(_SAID["directions"], states, strict=True):
            about = _("BiLSTM layer {n}, {about}", n=number, about=_(said["about"]))
            layers.append(LayerView(f"{said['key']}{number}", f"{said['title']} {number}", about, state))
    unknown = tuple(prediction.unknown.tolist())
    return NetworkView(tuple(words), unknown, tuple(layers), tagger.tags, prediction.probabilities)


def crf_transitions(tagger: Tagger) -> Transitions | None:
    """Return what the CRF learned about which tag follows which; None where the network decides word by word."""
    scores = tagger.predictor.transitions
    return Transitions(tagger.tags, tagger.tags, scores) if scores is not None and len(scores) > 1 else None


def followers(pairs: Sequence[Sequence[int]], tags: Sequence[str]) -> Transitions:
    """Say how much more often tags meet than by chance: log2 of the count over that by chance, half added to both.

    ``pairs[a][b]``: how often b follows a; sentence start comes first in a, sentence end last in b.
    """
    counts = np.array(pairs, np.float64)
    chance = counts.sum(axis=1, keepdims=True) * counts.sum(axis=0, keepdims=True) / max(counts.sum(), 1.0)
    scores = np.log2((counts + 0.5) / (chance + 0.5))
    scores[0, -1] = np.nan  # a sentence without words
    return Transitions((START, *tags), (*tags, END), scores)

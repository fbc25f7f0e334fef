"""Classifiers of documents of drawn or set weights, for tests that need one."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import numpy as np

from apps.reviews.application import Reviews
from data_prep.text.text_inputs import SPECIALS, encode
from data_prep.text.vocab import Vocabulary
from models.presets.card import CardText
from models.presets.store import save_preset
from models.text_classifier.config import (
    KIND,
    TextClassifierConfig,
    TextPresetConfig,
    golden_inputs,
    network_specs,
    preset_arrays,
)

LABELS = ("neg", "pos")
GOOD, BAD = ("good", "warm", "funny", "moving"), ("bad", "dull", "weak", "boring")
VOCABULARY = Vocabulary((*GOOD, *BAD, "the", "film", "was", "not", "a", ".", ",", "!"), specials=SPECIALS)
ALIASES = (("positive", "pos"), ("negative", "neg"), ("1", "pos"), ("0", "neg"))


def weighing(**changes) -> tuple[TextClassifierConfig, dict[str, np.ndarray]]:
    """A mean of vectors that knows four good words and four bad ones."""
    sizes = {"vocabulary_size": len(VOCABULARY), "dimensions": 2, "units": 1, "widths": (1,)}
    config = TextClassifierConfig("mean", 2, **sizes, **changes)
    table = np.zeros((len(VOCABULARY), 2), np.float32)
    for sign, words in ((-1.0, BAD), (1.0, GOOD)):
        table[[VOCABULARY.id(word) for word in words]] = (0.0, sign)
    kernel = np.array([[0.0, 0.0], [-4.0, 4.0]], np.float32)
    return config, {
        "embedding/embeddings": table,
        "labels/kernel": kernel,
        "labels/bias": np.zeros(2, np.float32),
    }


def drawn(
    network: str, seed: int = 0, *, labels: int = 2, **changes
) -> tuple[TextClassifierConfig, dict[str, np.ndarray]]:
    """A small network of drawn weights."""
    config = TextClassifierConfig(network, labels, vocabulary_size=len(VOCABULARY), dimensions=3, units=4, **changes)
    rng = np.random.default_rng(seed)
    specs = network_specs(config).items()
    return config, {name: (0.5 * rng.standard_normal(spec.shape)).astype(np.float32) for name, spec in specs}


def preset_of(
    *members: tuple[TextClassifierConfig, dict[str, np.ndarray]],
) -> tuple[TextPresetConfig, dict[str, np.ndarray]]:
    """Config and arrays of a preset of these networks, all of one weight."""
    weights = (1.0 / len(members),) * len(members)
    config = TextPresetConfig(tuple(config for config, _ in members), weights, aliases=ALIASES)
    return config, preset_arrays(config, [arrays for _, arrays in members])


def small_reviews(*members: tuple[TextClassifierConfig, dict[str, np.ndarray]]) -> Reviews:
    """A classifier of these networks; of the one that knows good and bad words where none is given."""
    return Reviews(*preset_of(*(members or (weighing(),))), vocabulary=VOCABULARY, labels=LABELS)


def save_reviews(
    target: Path,
    members: Sequence[tuple[TextClassifierConfig, dict[str, np.ndarray]]] = (),
    *,
    metrics: dict | None = None,
    data: dict | None = None,
    labels: Sequence[str] = LABELS,
) -> Path:
    """Write the preset of a classifier."""
    config, arrays = preset_of(*(members or (weighing(),)))
    documents = [encode(text, VOCABULARY) for text in ("The film was good.", "Not a dull film!")]
    save_preset(
        target,
        kind=KIND,
        config=config,
        weights=arrays,
        golden=golden_inputs(config, documents),
        metrics=metrics or {"accuracy": {"score": 0.0, "protocol": "none", "n": 0}},
        metadata={"recipe": {}, "seed": 0, "data": data or {"none": "none"}, "seconds": 60.0},
        card=CardText("Tiny", "For tests.", "Made up.", "None.", "Tests.", "Everything else."),
        vocabulary=VOCABULARY,
        labels=labels,
    )
    return target

"""Small text classifiers for tests: one config of each network, weights of any values."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from data_prep.text.text_inputs import EOS, SPECIALS
from data_prep.text.vocab import Vocabulary
from models.text_classifier.config import TextClassifierConfig, TextPresetConfig, network_specs, preset_arrays

WORDS = tuple(f"word{letter}" for letter in "abcdefghijklmnopqrstuvwxyz")
VOCABULARY = Vocabulary(WORDS, specials=SPECIALS)
LABELS = ("bad", "fair", "good")

_TINY = {"labels": 3, "vocabulary_size": len(VOCABULARY), "dimensions": 5, "units": 4, "dropout": 0.1}
CONFIGS = {
    "mean": TextClassifierConfig("mean", **_TINY),
    "root": TextClassifierConfig("mean", **_TINY, pooling="root", word_dropout=0.2),
    "ngrams": TextClassifierConfig("ngrams", **_TINY, ngrams=3, buckets=50),
    "distinct": TextClassifierConfig("ngrams", **_TINY, ngrams=2, buckets=50, distinct=True, pooling="root"),
    "sublinear": TextClassifierConfig("ngrams", **_TINY, ngrams=2, buckets=50, sublinear_tf=True),
    "convolution": TextClassifierConfig("convolution", **_TINY, widths=(2, 3, 4)),
    "rnn": TextClassifierConfig("rnn", **_TINY),
    "lstm": TextClassifierConfig("lstm", **_TINY),
    "gru": TextClassifierConfig("gru", **_TINY, layers=2),
    "mgu": TextClassifierConfig("mgu", **_TINY),
    "pool": TextClassifierConfig("lstm", **_TINY, layers=2, readout="pool"),
    "attention": TextClassifierConfig("attention", **_TINY),
}


def random_arrays(config: TextClassifierConfig, seed: int = 0) -> dict[str, np.ndarray]:
    """Weights of any values, vectors large enough to matter."""
    rng = np.random.default_rng(seed)
    return {
        name: (0.5 * rng.standard_normal(spec.shape)).astype(np.float32)
        for name, spec in network_specs(config).items()
    }


def documents(lengths: Sequence[int], seed: int = 0) -> list[np.ndarray]:
    """Documents of random words, some of them unknown and many of them twice, with the end last."""
    rng = np.random.default_rng(seed)
    return [np.append(rng.integers(1, 12, length), EOS).astype(np.int32) for length in lengths]


def tiny_preset(
    names: Sequence[str] = ("distinct", "lstm"),
) -> tuple[TextPresetConfig, dict[str, np.ndarray]]:
    """Config and arrays of a preset of some networks."""
    members = tuple(CONFIGS[name] for name in names)
    weights = tuple(0.5 + 0.25 * number for number in range(len(members)))
    config = TextPresetConfig(members, weights, temperature=1.5, aliases=(("great", "good"),))
    return config, preset_arrays(config, [random_arrays(member, at) for at, member in enumerate(members)])

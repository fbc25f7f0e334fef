"""Small networks for the reader's tests."""

from __future__ import annotations

from dataclasses import replace

import numpy as np

from data_prep.images.letter_batches import letter_inputs
from models.ocr.config import OcrConfig, ocr_specs
from models.ocr.letter_lm import LetterLM, fit_letter_lm

TINY = OcrConfig(filters=(4, 6, 8), convolutions=1, features=10, units=6, dropout=0.1)
TINY_WORDS = replace(TINY, reads="words")
WORDS = ("hello", "help", "held", "word", "world", "old")


def with_language(
    config: OcrConfig, language: LetterLM | None = None
) -> tuple[OcrConfig, dict[str, np.ndarray]]:
    """The config with the sizes of a language model, and the model's arrays."""
    language = language or fit_letter_lm(WORDS, 3)
    return replace(config, **language.sizes), language.arrays()


def random_arrays(config: OcrConfig, seed: int = 0) -> dict[str, np.ndarray]:
    """Weights of any values, with variances above 0; those of the language model are left out."""
    rng = np.random.default_rng(seed)
    found = {}
    for name, spec in ocr_specs(config).items():
        if name.startswith("lm"):
            continue
        values = 0.3 * rng.standard_normal(spec.shape)
        found[name] = (np.abs(values) + 0.5 if name.endswith(("variance", "gamma")) else values).astype(
            np.float32
        )
    return found


def letter_batch(lengths: tuple[int, ...], seed: int = 0) -> dict[str, np.ndarray]:
    """Letters of random pixels as the network reads them."""
    letters = np.random.default_rng(seed).random((sum(lengths), 16, 8, 1), np.float32)
    return {"letters": letters, "places": letter_inputs(lengths)}

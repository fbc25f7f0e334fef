"""Readers of drawn weights with a small language model, for tests that need one and do not mind what it says."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from apps.ocr.application import Reader
from apps.ocr.sources import OcrSource, sample_source
from data_prep.images.letter_words import PLAIN, compose_word
from data_prep.images.pen_letters import pen_letters
from data_prep.readers.letters import LETTERS
from models.ocr.config import KIND, OcrConfig, ocr_specs
from models.ocr.letter_lm import fit_letter_lm
from models.ocr.serving import LettersReader, WordsReader
from models.presets.card import CardText
from models.presets.store import save_preset

WORDS = ("the", "tea", "eat", "hate", "heat", "that", "other", "bother")


def small(
    reads: str, seed: int = 0, words: tuple[str, ...] = WORDS, **changes
) -> tuple[OcrConfig, dict[str, np.ndarray]]:
    """Draw a small network that reads letters or words."""
    language = fit_letter_lm(words, 3, changes.get("alphabet", LETTERS))
    config = OcrConfig(
        reads=reads,
        filters=(4, 6, 8),
        convolutions=1,
        features=10,
        units=6,
        **language.sizes,
        **changes,
    )
    random = np.random.default_rng(seed)
    arrays = {}
    for name, spec in ocr_specs(config).items():
        values = random.normal(0.0, 0.5, spec.shape)
        arrays[name] = (np.abs(values) + 0.5 if "variance" in name or "gamma" in name else values).astype(
            spec.dtype
        )
    return config, arrays | language.arrays()


def drawn_words(count: int) -> OcrSource:
    """The sample with fewer words than it has outside of tests: they are drawn one by one."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr("apps.ocr.sources._SAMPLE_WORDS", count)
        return sample_source(1)


def small_reader(**changes) -> Reader:
    return Reader(LettersReader(*small("letters", **changes)), WordsReader(*small("words", 1)))


def save_reader(
    target: Path, reads: str, metrics: dict | None = None, seed: int = 0, alphabet: str = LETTERS
) -> Path:
    """Write a preset of drawn weights; an alphabet besides a to z takes words of its own."""
    words = WORDS if alphabet == LETTERS else (alphabet, alphabet[::-1])
    config, arrays = small(reads, seed, words, alphabet=alphabet)
    letters = pen_letters(np.arange(5), 1)
    golden = {"image": compose_word(letters, np.arange(5), PLAIN)[None]}
    if reads == "letters":
        batch = (letters / 255.0).astype(np.float32)[..., None]
        golden = {"letters": batch, "lengths": np.array([2, 3], np.int64)}
    save_preset(
        target,
        kind=KIND,
        config=config,
        weights=arrays,
        golden=golden,
        metrics=metrics or {"none": {"score": 0.0, "protocol": "none", "n": 0}},
        metadata={"recipe": {}, "seed": 0, "data": {"none": "none"}, "seconds": 60.0},
        card=CardText("Tiny", "For tests.", "Made up.", "None.", "Tests.", "Everything else."),
        labels=tuple(config.alphabet),
    )
    return target

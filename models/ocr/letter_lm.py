"""What comes next in a word, letter by letter: n-grams on words, small enough to lie in a preset.

The model is ``models.char_lm.ngrams``'s on a list of words, each once, so that it knows spellings and not how
often a word is said. Of the longest n-grams those that occur less than four times are left out; their share goes
to shorter ones.
"""

from __future__ import annotations

import functools
from collections.abc import Iterable, Mapping

import numpy as np

from data_prep.array_files import ArraySpec
from data_prep.errors import InputError
from data_prep.readers.letters import LETTERS
from models.char_lm.ngrams import Level, NGramModel, fit_ngrams

END = "\n"  # stands before and behind every word
_HISTORIES = 1 << 16
_LEAST = 4

Arrays = Mapping[str, np.ndarray]


class LetterLM:
    """A fitted model of words, over the letters and ``END``; threads can share it."""

    def __init__(self, model: NGramModel) -> None:
        if not model.alphabet.startswith(END):
            raise InputError("The language model does not know where words end", received=model.alphabet)
        self.model = model
        self._next = functools.lru_cache(_HISTORIES)(self._log_probabilities)

    @property
    def sizes(self) -> dict[str, tuple[int, ...]]:
        """Number of n-grams and of contexts of each length, as ``models.ocr.config.OcrConfig`` calls them."""
        levels = self.model.levels
        return {
            f"lm_{name}": tuple(len(getattr(level, name)) for level in levels)
            for name in ("grams", "contexts")
        }

    def log_probabilities(self, history: str) -> np.ndarray:
        """Say what comes behind the first letters of a word.

        Returns:
            Logarithm of the probability of each letter, and last that the word ends, float64 (letters + 1,), read-only.
        """
        return self._next((END + history)[1 - self.model.order :] if self.model.order > 1 else "")

    def score(self, word: str) -> float:
        """Return the logarithm of a word's probability, its end included."""
        return -float(self.model.score(word + END, context=END).sum())

    def arrays(self) -> dict[str, np.ndarray]:
        """Return what a preset stores of it: int32 and float32 arrays by name."""
        return {
            f"lm{length}/{name}": np.asarray(values, np.int32 if values.dtype.kind == "i" else np.float32)
            for length, level in enumerate(self.model.levels, start=1)
            for name, values in level._asdict().items()
        }

    @classmethod
    def from_arrays(cls, arrays: Arrays, alphabet: str = LETTERS) -> LetterLM | None:
        """Open what :meth:`arrays` gave; None where there is no language model among them."""
        levels = []
        while f"lm{len(levels) + 1}/grams" in arrays:
            level = Level(*(arrays[f"lm{len(levels) + 1}/{name}"] for name in Level._fields))
            levels.append(Level(*(a.astype(np.int64 if a.dtype.kind == "i" else np.float64) for a in level)))
        return cls(NGramModel(END + alphabet, tuple(levels))) if levels else None

    def _log_probabilities(self, context: str) -> np.ndarray:
        # Stored as float16 the probabilities of a context sum to nearly 1 only.
        chances = np.maximum(self.model.probabilities(context), 1e-9)
        found = np.roll(np.log(chances / chances.sum()), -1)
        found.setflags(write=False)
        return found


def fit_letter_lm(words: Iterable[str], order: int = 5, alphabet: str = LETTERS) -> LetterLM:
    """Count the n-grams of words, up to a length, in an alphabet; refuses what ``models.char_lm.ngrams`` refuses."""
    text = END + END.join(words) + END
    model = fit_ngrams(text, order, alphabet=END + alphabet)
    if order < 2:
        return LetterLM(model)
    codes = np.array([model.alphabet.index(letter) for letter in text], np.int64)
    last = _without_rare(model.levels[-1], codes, order, len(model.alphabet))
    return LetterLM(NGramModel(model.alphabet, (*model.levels[:-1], last)))


def lm_specs(grams: tuple[int, ...], contexts: tuple[int, ...]) -> dict[str, ArraySpec]:
    """Give names, shapes and dtypes of the arrays of a model with so many n-grams and contexts of each length."""
    dtypes, found = ("int32", "float32", "int32", "float32"), {}
    for length, (many, few) in enumerate(zip(grams, contexts, strict=True), start=1):
        for name, size, dtype in zip(Level._fields, (many, many, few, few), dtypes, strict=True):
            found[f"lm{length}/{name}"] = ArraySpec((size,), dtype)
    return found


def _without_rare(level: Level, codes: np.ndarray, order: int, size: int) -> Level:
    """Leave out the n-grams that occur rarely and give what they had to shorter ones."""
    places = len(codes) - order + 1
    keys = sum(codes[at : at + places] * size ** (order - 1 - at) for at in range(order))
    grams, counts = np.unique(keys, return_counts=True)
    kept = counts >= _LEAST
    if not kept.any():
        return level
    grams, parts = grams[kept], level.parts[kept]
    contexts, first = np.unique(grams // size, return_index=True)
    return Level(grams, parts, contexts, 1.0 - np.add.reduceat(parts, first))

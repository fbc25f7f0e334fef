"""What comes next in a word, letter by letter: n-grams on words, small enough to lie in a preset.

The model is ``models.char_lm.ngrams``'s on a list of words, each once, so that it knows spellings and not how
often a word is said. Of the longest n-grams those that occur less than four times are left out; their share goes
to shorter ones.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping

import numpy as np

from data_prep.array_files import ArraySpec
from data_prep.errors import InputError
from data_prep.readers.letters import LETTERS
from models.char_lm.ngrams import Level, NGramModel, fit_ngrams

END = "\n"  # stands before and behind every word
_LEAST = 4
_GRAM_BITS = 31  # of the number of an n-gram, as presets store it

Arrays = Mapping[str, np.ndarray]


class LetterLM:
    """A fitted model of words, over the letters and ``END``; threads can share it.

    Each context that it knows is a state. Columns are the letters, and last the end of the word.

    Attributes:
        logs: Logarithm of the probability of what comes behind each state, float32 (states, letters + 1), read-only.
        after: The state behind that, int32 (states, letters + 1).
        first: The state where a word begins.
    """

    def __init__(self, model: NGramModel) -> None:
        if not model.alphabet.startswith(END):
            raise InputError("The language model does not know where words end", received=model.alphabet)
        self.model = model
        size = len(model.alphabet)
        chances, after = np.full((1, size), 1.0 / size), np.zeros((1, size), np.int32)
        beginnings = np.zeros(1, np.int64)
        for length, level in enumerate(model.levels):
            if length:
                level = _begun(level, beginnings, size)
            beginnings = level.contexts
            letters = [level.contexts // size**place % size for place in reversed(range(length))]
            states = np.arange(len(after), len(after) + len(level.contexts), dtype=np.int32)
            if length:  # 1 is the state without a letter; behind a known context its beginning is known too
                after[_walked(after, 1, letters[:-1]), letters[-1]] = states
            shorter = _walked(after, np.full(len(states), min(1, length)), letters[1:])
            own = level.weights[:, None] * chances[shorter]
            own[np.searchsorted(level.contexts, level.grams // size), level.grams % size] += level.parts
            chances = np.concatenate([chances, own])
            after = np.concatenate([after, after[shorter] if length else after + 1])
        # Stored as float16 the probabilities of a context sum to nearly 1 only.
        chances = np.maximum(chances, 1e-9)
        logs = np.log(chances / chances.sum(axis=1, keepdims=True)).astype(np.float32)
        self.logs, self.after = np.roll(logs, -1, axis=1), np.roll(after, -1, axis=1)
        self.logs.setflags(write=False)
        self.first = int(self.after[min(1, model.order), -1])

    @property
    def sizes(self) -> dict[str, tuple[int, ...]]:
        """Number of n-grams and of contexts of each length, as ``models.ocr.config.OcrConfig`` calls them."""
        levels = self.model.levels
        return {
            f"lm_{name}": tuple(len(getattr(level, name)) for level in levels)
            for name in ("grams", "contexts")
        }

    def log_probabilities(self, history: str) -> np.ndarray:
        """Say what comes behind the first letters of a word, as a row of ``logs``."""
        return self.logs[int(_walked(self.after, self.first, self._labels(history)))]

    def score(self, word: str) -> float:
        """Return the logarithm of a word's probability, its end included."""
        return float(self.scores(np.array([self._labels(word)], np.int64))[0])

    def scores(self, words: np.ndarray) -> np.ndarray:
        """Return the logarithms of the probabilities of words of one length, int (words, letters), float64 (words,)."""
        states, total = np.full(len(words), self.first), np.zeros(len(words))
        for labels in words.T:
            total += self.logs[states, labels]
            states = self.after[states, labels]
        return total + self.logs[states, -1]

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

    def _labels(self, word: str) -> list[int]:
        return [self.model.alphabet.index(letter) - 1 for letter in word]


def fit_letter_lm(words: Iterable[str], order: int = 5, alphabet: str = LETTERS) -> LetterLM:
    """Count the n-grams of words, up to a length, in an alphabet; refuses what ``models.char_lm.ngrams`` refuses.

    In a large alphabet they are shorter, as long as the number of each fits into a preset: 5 letters of up to 72.
    """
    text = END + END.join(words) + END
    order = min(order, int(_GRAM_BITS // np.log2(len(alphabet) + 1)))
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


def _walked(
    after: np.ndarray, state: np.ndarray | int, letters: Iterable[np.ndarray | int]
) -> np.ndarray | int:
    """Go from state to state along columns of ``after``."""
    for column in letters:
        state = after[state, column]
    return state


def _begun(level: Level, beginnings: np.ndarray, size: int) -> Level:
    """Leave out contexts whose beginning is none: before what a text begins with stands nothing to count."""
    known = np.isin(level.contexts // size, beginnings)
    kept = np.isin(level.grams // size, level.contexts[known])
    return Level(level.grams[kept], level.parts[kept], level.contexts[known], level.weights[known])


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

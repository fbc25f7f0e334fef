"""What a tagger's first BiLSTM layer is given for a word, in NumPy for serving, and remembered for the next time."""

from __future__ import annotations

import threading
from collections.abc import Sequence
from typing import NamedTuple

import numpy as np

from data_prep.text.tag_inputs import TagInputs
from models.pos_tagger.serving import PackedTagger

_REMEMBERED_WORDS = 10_000  # at 8 KB each for 256 units


class WordRows(NamedTuple):
    """``projected`` float32 (2, rows, 4 * units), ``unknown`` bool (rows,); ``rows``, int (words,), of each word."""

    projected: np.ndarray
    unknown: np.ndarray
    rows: np.ndarray


class PackedWords:
    """Words to what the first layer of a tagger's network is given; threads can share it."""

    def __init__(self, inputs: TagInputs, network: PackedTagger) -> None:
        self._inputs, self._network = inputs, network
        self._units = network.layers[0].units
        self._memory = _Memory(_REMEMBERED_WORDS, self._units)
        self._lock = threading.Lock()

    def vectors(self, words: Sequence[str]) -> np.ndarray:
        """Return what the network knows of words, as :meth:`PackedTagger.vectors` gives it."""
        encoded = self._inputs.encode(words)
        rows = np.array([word.row for word in encoded])
        return self._network.vectors(rows, [word.characters for word in encoded])

    def __call__(self, words: Sequence[str]) -> WordRows:
        """Look words up; those that were not met before are computed."""
        memory = self._memory
        rows = list(map(memory.rows.get, words))
        if None in rows:
            memory = self._extended(words)
            rows = [memory.rows[word] for word in words]
        return WordRows(memory.projected, memory.unknown, np.array(rows))

    def _extended(self, words: Sequence[str]) -> _Memory:
        """Return a memory that holds all words: the present one with more in it, or a fresh one."""
        every = dict.fromkeys(words)
        with self._lock:
            memory = self._memory
            new = [word for word in every if word not in memory.rows]
            if len(memory.rows) + len(new) > len(memory.unknown):
                # Threads that read the old one go on with it.
                memory, new = _Memory(max(_REMEMBERED_WORDS, len(every)), self._units), list(every)
            if new:  # none where another thread was faster
                unknown = [word.unknown for word in self._inputs.encode(new)]
                memory.add(new, self._network.layers[0].projected(self.vectors(new)), unknown)
            if len(every) <= _REMEMBERED_WORDS:
                self._memory = memory
        return memory


class _Memory:
    """Room for the values of so many words; a row is filled before its word can be found."""

    def __init__(self, capacity: int, units: int) -> None:
        self.rows: dict[str, int] = {}
        self.projected = np.empty((2, capacity, 4 * units), np.float32)
        self.unknown = np.empty(capacity, bool)

    def add(self, words: Sequence[str], projected: np.ndarray, unknown: Sequence[bool]) -> None:
        start, end = len(self.rows), len(self.rows) + len(words)
        self.projected[:, start:end] = projected
        self.unknown[start:end] = unknown
        self.rows.update(zip(words, range(start, end), strict=True))

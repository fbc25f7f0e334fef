"""The tagger's network as machine code; ``models.pos_tagger.serving`` has the same network in NumPy.

Products of the recurrent layers and heads are of 16-bit whole numbers. What a form adds to the first layer is computed
once and kept.
"""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterable, Sequence
from itertools import chain, count
from typing import NamedTuple

import numpy as np

from models.layers.cells import layer_weights
from models.pos_tagger.config import OUTPUTS, Logits, PosTaggerConfig
from models.presets.kinds import Arrays
from models.serving.bilstm import pack
from models.serving.bilstm_compiled import CompiledBiLSTM, filled_rows, multiplied
from models.serving.blas_threads import in_threads
from models.serving.whole_products import PANEL, whole

_FORMS_AT_ONCE = 1000  # whose inputs are found together
_BLOCK = 8  # that are multiplied together: of longer ones OpenBLAS rounds some rows otherwise than others with AVX2


class Memory(NamedTuple):
    """What forms add to the first layer's gates, float32 (forms, 8 * units), which are unknown, and the row of each."""

    rows: dict[str, int]
    gates: np.ndarray
    unknown: np.ndarray


class CompiledTagger:
    """Logits of words; threads can share it.

    Args:
        config: Of the network.
        arrays: Its weights.
        describe: Gives the network's inputs of forms, float32 (forms, inputs), and which are unknown, bool (forms,).
        most: How many forms are kept, at most.
    """

    def __init__(
        self,
        config: PosTaggerConfig,
        arrays: Arrays,
        describe: Callable[[Sequence[str]], tuple[np.ndarray, np.ndarray]],
        most: int,
    ) -> None:
        self._describe, self._most = describe, most
        self._layers = [
            CompiledBiLSTM(
                *(layer_weights("lstm", f"{way}{number}", arrays) for way in ("forward", "backward")),
                layered=number > 1,
            )
            for number in range(1, len(config.units) + 1)
        ]
        kernel, bias = (
            np.concatenate([arrays[f"{name}_head/{part}"] for name in OUTPUTS], axis=-1)
            for part in ("kernel", "bias")
        )
        self._ends = np.cumsum([len(config.upos), len(config.xpos)])
        self._head = whole(filled_rows(kernel)[None]), np.pad(bias, (0, -len(bias) % PANEL))
        self._memory = Memory({}, np.empty((0, 0), np.float32), np.empty(0, bool))
        self._lock = threading.Lock()

    def remembered(self, words: Iterable[str], threads: int = 1) -> Memory:
        """Return a memory that holds words; those that were not met before are computed, in so many threads."""
        different = dict.fromkeys(words)
        with self._lock:
            memory = self._memory
            new = [word for word in different if word not in memory.rows]
            if len(memory.rows) + len(new) > len(memory.gates):  # threads that read the old one go on with it
                new, forms = list(different), max(self._most, len(different))
                gates = np.empty((forms, len(self._layers[0].bias)), np.float32)
                self._memory = memory = Memory({}, gates, np.empty(forms, bool))
            start = len(memory.rows)

            def fill(first: int) -> None:
                part = new[first : first + _FORMS_AT_ONCE]
                at = slice(start + first, start + first + len(part))
                vectors, memory.unknown[at] = self._describe(part)
                blocks = np.pad(vectors, ((0, -len(part) % _BLOCK), (0, 0))).reshape(
                    -1, _BLOCK, vectors.shape[1]
                )
                gates = np.matmul(blocks, self._layers[0].kernel)  # (blocks, _BLOCK, gates)
                memory.gates[at] = gates.reshape(-1, gates.shape[2])[: len(part)] + self._layers[0].bias

            list(in_threads(fill, range(0, len(new), _FORMS_AT_ONCE), threads))
            memory.rows.update(zip(new, count(start)))
        return memory

    def logits(self, memory: Memory, sentences: Sequence[Sequence[str]]) -> Logits:
        """Give the logits of sentences of remembered words, at least one word each, all at once."""
        words, packing = list(chain.from_iterable(sentences)), pack([len(sentence) for sentence in sentences])
        rows = np.fromiter(map(memory.rows.__getitem__, words), np.int64, len(words))
        states = self._layers[0].read(memory.gates, rows, packing)
        for layer in self._layers[1:]:
            states = layer.read(layer.multiplied(states), np.arange(len(words)), packing)
        upos, xpos, _ = np.split(multiplied(states, *self._head), self._ends, axis=1)
        return Logits(upos, xpos, packing, memory.unknown[rows])

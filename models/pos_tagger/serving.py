"""The tagger's network in NumPy for serving; ``models.pos_tagger.network`` says what it is."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from itertools import count, takewhile

import numpy as np

from data_prep.batching import pad
from data_prep.text.vocab import PAD, UNK
from models.serving.bilstm import PackedBiLSTM, Packing, pack
from models.serving.crf import PackedCRF

_WIDTH = re.compile(r"character_encoder/width(\d+)_kernel")
_WORDS_AT_ONCE = 128  # whose characters are encoded together

Arrays = Mapping[str, np.ndarray]


class PackedTagger:
    """A trained network; threads can share it.

    Args:
        arrays: Stable path to weight, in the network's own order, as ``models.storage.variables.variable_arrays`` and
            presets give them.
    """

    def __init__(self, arrays: Arrays) -> None:
        self._codes, self._scales = arrays["frozen_vectors/codes"], arrays["frozen_vectors/scales"]
        self._trained = arrays["trained_vectors/embeddings"]
        self._characters = _CharacterEncoder(arrays)
        numbers = takewhile(lambda number: f"forward{number}/lstm_cell/kernel" in arrays, count(1))
        self.layers = [_layer(arrays, number) for number in numbers]
        self._heads = {
            name: (arrays[f"{name}_head/kernel"], arrays[f"{name}_head/bias"]) for name in ("upos", "xpos")
        }
        self.crf: PackedCRF | None = None
        if "crf/transitions" in arrays:
            self.crf = PackedCRF(*(arrays[f"crf/{name}"] for name in ("transitions", "start", "end")))

    def vectors(self, rows: np.ndarray, characters: Sequence[Sequence[int]]) -> np.ndarray:
        """Put what is known of words side by side.

        Args:
            rows: Their rows among the word vectors, int (words,).
            characters: Character ids of each, without padding, at least one.

        Returns:
            Frozen vector, trained vector and encoded characters, float32 (words, inputs of the first BiLSTM).
        """
        frozen = self._codes[rows].astype(np.float32) * self._scales[rows, None]
        trained = self._trained[np.where(rows < len(self._trained), rows, UNK)]
        return np.concatenate([frozen, trained, self._characters(characters)], axis=1)

    def states(self, projected: np.ndarray, rows: np.ndarray, packing: Packing) -> list[np.ndarray]:
        """Read sentences.

        Args:
            projected: ``layers[0].projected`` of some words, float32 (2, known words, 4 * units).
            rows: Which of those each word of the sentences is, int (words,), sentence behind sentence.
            packing: Of the sentences' lengths.

        Returns:
            What each BiLSTM layer says of each word, float32 (words, 2 * units).
        """
        gates = self.layers[0].gates(len(rows))
        for direction, order in enumerate((packing.ahead, packing.back)):
            # "clip" because NumPy's default makes a copy before it fills "out"; all rows exist.
            np.take(projected[direction], rows[order], axis=0, out=gates[direction], mode="clip")
        states = [self.layers[0].read(gates, packing)]
        for layer in self.layers[1:]:
            states.append(layer(states[-1], packing))
        return states

    def head(self, name: str, hidden: np.ndarray) -> np.ndarray:
        """Return the logits of the head ``"upos"`` or ``"xpos"``: (words, hidden) to (words, tags)."""
        kernel, bias = self._heads[name]
        return hidden @ kernel + bias


def tagger_answer(config: object, arrays: Arrays, inputs: Arrays) -> dict[str, np.ndarray]:
    """Answer a batch as the Keras network does: ``upos`` and ``xpos``, float32 (batch, time, tags), 0 at padding.

    Args:
        arrays: Of the network.
        inputs: ``words``, ``characters`` and ``mask`` as ``data_prep.text.tag_inputs.batch_inputs`` gives them; every
            sentence has a word.
    """
    network, mask = PackedTagger(arrays), inputs["mask"]
    characters = [ids[ids != PAD] for ids in inputs["characters"][mask]]
    projected = network.layers[0].projected(network.vectors(inputs["words"][mask], characters))
    packing = pack(mask.sum(axis=1).tolist())
    hidden = network.states(projected, np.arange(projected.shape[1]), packing)[-1]
    answer = {}
    for name in ("upos", "xpos"):
        logits = network.head(name, hidden)
        answer[name] = np.zeros((*mask.shape, logits.shape[1]), np.float32)
        answer[name][mask] = logits
    return answer


class _CharacterEncoder:
    """``models.pos_tagger.network.CharacterCNN`` in NumPy, with each character multiplied by the kernels beforehand."""

    def __init__(self, arrays: Mapping[str, np.ndarray]) -> None:
        # In the order of the network's config, in which the arrays are too.
        self._widths = [int(match[1]) for match in map(_WIDTH.fullmatch, arrays) if match]
        kernels = [arrays[f"character_encoder/width{width}_kernel"] for width in self._widths]
        self._units = kernels[0].shape[2]
        taps = np.concatenate([tap for kernel in kernels for tap in kernel], axis=1)
        self._products = arrays["character_encoder/table"] @ taps  # (characters, taps of all widths * units)
        self._products[PAD] = 0.0
        self._bias = np.concatenate(
            [arrays[f"character_encoder/width{width}_bias"] for width in self._widths]
        )
        self._left = max((width - 1) // 2 for width in self._widths)
        self._right = max(self._widths) - 1 - self._left
        first = 0
        for width in self._widths:
            # The window at a position of padding must not be the largest one.
            middle = (first + (width - 1) // 2) * self._units
            self._products[PAD, middle : middle + self._units] = -np.inf
            first += width

    def __call__(self, words: Sequence[tuple[int, ...]]) -> np.ndarray:
        """Encode words, float32 (words, widths * units)."""
        found = np.empty((len(words), len(self._bias)), np.float32)
        order = sorted(range(len(words)), key=lambda at: len(words[at]))
        for start in range(0, len(order), _WORDS_AT_ONCE):
            chosen = order[start : start + _WORDS_AT_ONCE]
            found[chosen] = self._largest(pad([words[at] for at in chosen]).values)
        found += self._bias
        return np.maximum(found, 0.0, out=found)

    def _largest(self, ids: np.ndarray) -> np.ndarray:
        """Return the largest window of each filter without bias: (words, length) to (words, widths * units)."""
        length = ids.shape[1]
        products = self._products[np.pad(ids, ((0, 0), (self._left, self._right)))]
        largest, column = [], 0
        for width in self._widths:
            windows: np.ndarray | None = None
            begin = self._left - (width - 1) // 2  # where "same" puts the shorter side
            for at in range(begin, begin + width):
                part = products[:, at : at + length, column : column + self._units]
                windows = part if windows is None else windows + part
                column += self._units
            largest.append(windows.max(axis=1))
        return np.concatenate(largest, axis=1)


def _layer(arrays: Arrays, number: int) -> PackedBiLSTM:
    names = ("kernel", "recurrent_kernel", "bias")
    ahead = [arrays[f"forward{number}/lstm_cell/{name}"] for name in names]
    return PackedBiLSTM(ahead, [arrays[f"backward{number}/lstm_cell/{name}"] for name in names])

"""The tagger's network in NumPy for serving; ``models.pos_tagger.network`` says what it is."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from data_prep.batching import pad
from data_prep.errors import InputError
from data_prep.text.vocab import PAD, UNK, Vocabulary
from models.layers.cells import layer_weights
from models.pos_tagger.config import OUTPUTS, PosTaggerConfig, tagger_specs
from models.presets.kinds import Arrays, Kind
from models.serving.bilstm import PackedBiLSTM, Packing, pack
from models.serving.crf import PackedCRF

_WORDS_AT_ONCE = 128  # whose characters are encoded together


class PackedTagger:
    """A trained network by its config and arrays; threads can share it."""

    def __init__(self, config: PosTaggerConfig, arrays: Arrays) -> None:
        self._codes, self._scales = arrays["frozen_vectors/codes"], arrays["frozen_vectors/scales"]
        self._trained = arrays["trained_vectors/embeddings"]
        self._characters = _CharacterEncoder(config, arrays)
        self.layers = [
            PackedBiLSTM(
                *(layer_weights("lstm", f"{way}{number}", arrays) for way in ("forward", "backward"))
            )
            for number in range(1, len(config.units) + 1)
        ]
        self._heads = {name: (arrays[f"{name}_head/kernel"], arrays[f"{name}_head/bias"]) for name in OUTPUTS}
        self.crf: PackedCRF | None = None
        if config.output == "crf":
            self.crf = PackedCRF(*(arrays[f"crf/{name}"] for name in ("transitions", "start", "end")))

    def vectors(self, rows: np.ndarray, characters: Sequence[Sequence[int]]) -> np.ndarray:
        """Put frozen vector, trained vector and encoded characters of words side by side, float32 (words, inputs)."""
        frozen = self._codes[rows].astype(np.float32) * self._scales[rows, None]
        trained = self._trained[np.where(rows < len(self._trained), rows, UNK)]
        return np.concatenate([frozen, trained, self._characters(characters)], axis=1)

    def states(self, projected: np.ndarray, rows: np.ndarray, packing: Packing) -> list[np.ndarray]:
        """Read words, ``rows`` of what layer 0 projected: what each layer says of each, float32 (words, 2 * units)."""
        states = [self.layers[0].read_known(projected, rows, packing)]
        for layer in self.layers[1:]:
            states.append(layer(states[-1], packing))
        return states

    def head(self, name: str, hidden: np.ndarray) -> np.ndarray:
        """Return the logits of the head ``"upos"`` or ``"xpos"``: (words, hidden) to (words, tags)."""
        kernel, bias = self._heads[name]
        return hidden @ kernel + bias


class _CharacterEncoder:
    """The network's ``CharacterCNN`` in NumPy, with each character multiplied by the kernels beforehand."""

    def __init__(self, config: PosTaggerConfig, arrays: Arrays) -> None:
        self._widths, self._units = config.character_widths, config.character_units
        kernels = [arrays[f"character_encoder/width{width}_kernel"] for width in self._widths]
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


def tagger_answer(config: PosTaggerConfig, arrays: Arrays, inputs: Arrays) -> Arrays:
    """Answer a batch of ``data_prep.text.tag_inputs.batch_inputs`` as the network does, with logits of 0 at padding."""
    network, mask = PackedTagger(config, arrays), inputs["mask"]
    characters = [ids[ids != PAD] for ids in inputs["characters"][mask]]
    projected = network.layers[0].projected(network.vectors(inputs["words"][mask], characters))
    packing = pack(mask.sum(axis=1).tolist())
    hidden = network.states(projected, np.arange(projected.shape[1]), packing)[-1]
    answer = {}
    for name in OUTPUTS:
        logits = network.head(name, hidden)
        answer[name] = np.zeros((*mask.shape, logits.shape[1]), np.float32)
        answer[name][mask] = logits
    return answer


def _check(config: PosTaggerConfig, vocabulary: Vocabulary, labels: tuple[str, ...]) -> None:
    if len(vocabulary) < config.word_rows or vocabulary.counts is None:
        raise InputError(
            "The vocabulary does not fit the tagger",
            allowed=f"{config.word_rows} entries or more, with counts",
            received=vocabulary,
        )
    if labels != config.upos:
        raise InputError(
            "The labels are not the tagger's UPOS tags", allowed=str(config.upos), received=labels
        )


POS_TAGGER = Kind(
    PosTaggerConfig,
    arrays=tagger_specs,
    answer=tagger_answer,
    network="models.pos_tagger.network:tagger_model",
    needs_vocabulary=True,
    needs_labels=True,
    check=_check,
)

"""The trained tagger for use: words in, calibrated probabilities out; NumPy only once the preset is open.

``Model.predict`` costs many times what the arithmetic of one sentence does, so the network is written out here on
packed sentences. A test compares it with the Keras network on the same weights.
"""

from __future__ import annotations

import copy
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Literal, NamedTuple

import numpy as np

from data_prep.batching import pad
from data_prep.tag_inputs import EncodedWord, TagInputs
from data_prep.vocab import PAD, UNK, Vocabulary
from models.packed_bilstm import PackedBiLSTM, Packing, pack
from models.packed_crf import PackedCRF
from models.pos_tagger import PosTaggerConfig
from models.preset import load_preset
from models.variables import variable_arrays

KIND = "pos_tagger"
TAGGER_PRESET = "tagger_en_ewt"

_WORDS_AT_ONCE = 4096
_REMEMBERED_WORDS = 20_000


class Prediction(NamedTuple):
    """The tags of one sentence.

    ``upos_probabilities`` float32 (words, UPOS tags) and ``xpos_probabilities`` float32 (words, XPOS tags),
    both calibrated; ``upos`` and ``xpos`` int32 (words,), the tags decided on; ``unknown`` bool (words,), True
    for a form that training never saw.
    """

    upos_probabilities: np.ndarray
    xpos_probabilities: np.ndarray
    upos: np.ndarray
    xpos: np.ndarray
    unknown: np.ndarray


class Activations(NamedTuple):
    """What the network makes of a sentence, float32 (words, ...) each.

    ``embedding`` is what the first BiLSTM reads: ``vector`` (frozen), ``trained`` and ``characters`` side by side.
    ``forward`` and ``backward`` hold one array for each BiLSTM layer.
    """

    embedding: np.ndarray
    vector: np.ndarray
    trained: np.ndarray
    characters: np.ndarray
    forward: tuple[np.ndarray, ...]
    backward: tuple[np.ndarray, ...]
    upos_logits: np.ndarray
    xpos_logits: np.ndarray


class Logits(NamedTuple):
    """Logits of sentences laid one behind the other, float32 (words, tags), and the packing of their lengths."""

    upos: np.ndarray
    xpos: np.ndarray
    packing: Packing


class TagPredictor:
    """A tagger ready for use; threads can share it.

    Args:
        config: Of the network.
        vocabulary: Of the preset.
        arrays: Stable path to weight, as ``models.variables.variable_arrays`` names them.
    """

    def __init__(
        self, config: PosTaggerConfig, vocabulary: Vocabulary, arrays: Mapping[str, np.ndarray]
    ) -> None:
        self.config = config
        self.inputs = TagInputs(vocabulary, config.word_rows, config.alphabet)
        self._codes, self._scales = arrays["frozen_vectors/codes"], arrays["frozen_vectors/scales"]
        self._trained = arrays["trained_vectors/embeddings"]
        self._characters = _CharacterEncoder(config, arrays)
        self._layers = [_layer(arrays, number) for number in range(1, config.layers + 1)]
        self._heads = {
            name: (arrays[f"{name}_head/kernel"], arrays[f"{name}_head/bias"]) for name in ("upos", "xpos")
        }
        self._crf = None
        if config.output == "crf":
            self._crf = PackedCRF(*(arrays[f"crf/{name}"] for name in ("transitions", "start", "end")))
        self._word_vectors: dict[str, np.ndarray] = {}

    @property
    def upos(self) -> tuple[str, ...]:
        """The UPOS tags in the order of the probabilities."""
        return self.config.upos

    @property
    def xpos(self) -> tuple[str, ...]:
        """The XPOS tags in the order of their probabilities."""
        return self.config.xpos

    @property
    def transitions(self) -> np.ndarray | None:
        """The CRF's scores from tag (row) to tag (column), float64 (17, 17); None without CRF."""
        return None if self._crf is None else self._crf.transitions

    def predict(self, sentences: Sequence[Sequence[str]]) -> list[Prediction]:
        """Tag sentences.

        Args:
            sentences: The words of each, any number of sentences of any length, also 0.

        Returns:
            One prediction a sentence; a sentence alone gets what it gets among others. Memory is bounded by the
            longest sentence, not by their number (the predictions apart).
        """
        results: list[Prediction | None] = [None] * len(sentences)
        for chosen in _chunks([len(sentence) for sentence in sentences]):
            for at, prediction in zip(chosen, self._predicted([sentences[i] for i in chosen]), strict=True):
                results[at] = prediction
        return [self._nothing() if result is None else result for result in results]

    def inside(self, words: Sequence[str]) -> Activations:
        """Show what the network makes of one sentence of at least one word."""
        encoded = self.inputs.encode(words)
        vectors = self._embedded(words, encoded)
        packing = pack([len(words)])
        states = self._states(vectors, packing)
        units, (first, second) = self.config.units, np.cumsum(self._widths())
        return Activations(
            vectors,
            vectors[:, :first],
            vectors[:, first:second],
            vectors[:, second:],
            tuple(state[:, :units] for state in states),
            tuple(state[:, units:] for state in states),
            self._head("upos", states[-1]),
            self._head("xpos", states[-1]),
        )

    def logits(self, sentences: Sequence[Sequence[str]]) -> Logits:
        """Give the logits of sentences with at least one word each, all at once."""
        words = [word for sentence in sentences for word in sentence]
        packing = pack([len(sentence) for sentence in sentences])
        hidden = self._states(self._embedded(words, self.inputs.encode(words)), packing)[-1]
        return Logits(self._head("upos", hidden), self._head("xpos", hidden), packing)

    def probabilities(self, logits: Logits, head: Literal["upos", "xpos"], temperature: float) -> np.ndarray:
        """Turn logits into probabilities.

        Args:
            logits: As :meth:`logits` gives them.
            head: Which tags.
            temperature: 1 for the network's own probabilities, more for more careful ones.

        Returns:
            Float32 (words, tags); with a CRF those of UPOS are summed over all sequences.
        """
        if head == "upos" and self._crf is not None:
            return self._crf.marginals(logits.upos, logits.packing, temperature).astype(np.float32)
        return _softmax(getattr(logits, head) / temperature)

    def with_temperatures(self, upos: float, xpos: float) -> TagPredictor:
        """Return the same tagger with other temperatures."""
        changed = copy.copy(self)
        changed.config = replace(self.config, upos_temperature=upos, xpos_temperature=xpos)
        return changed

    def _predicted(self, sentences: Sequence[Sequence[str]]) -> Iterator[Prediction]:
        logits = self.logits(sentences)
        upos = self.probabilities(logits, "upos", self.config.upos_temperature)
        xpos = self.probabilities(logits, "xpos", self.config.xpos_temperature)
        decided = (
            logits.upos.argmax(axis=1)
            if self._crf is None
            else self._crf.viterbi(logits.upos, logits.packing)
        )
        tags, xpos_tags = decided.astype(np.int32), logits.xpos.argmax(axis=1).astype(np.int32)
        start = 0
        for sentence in sentences:
            part = slice(start, start + len(sentence))
            unknown = np.array([word.unknown for word in self.inputs.encode(sentence)], bool)
            yield Prediction(upos[part], xpos[part], tags[part], xpos_tags[part], unknown)
            start += len(sentence)

    def _states(self, vectors: np.ndarray, packing: Packing) -> list[np.ndarray]:
        states = []
        for layer in self._layers:
            vectors = layer(vectors, packing)
            states.append(vectors)
        return states

    def _head(self, head: str, hidden: np.ndarray) -> np.ndarray:
        kernel, bias = self._heads[head]
        return hidden @ kernel + bias

    def _embedded(self, words: Sequence[str], encoded: Sequence[EncodedWord]) -> np.ndarray:
        """Return what the first BiLSTM reads, float32 (words, inputs); words met before are remembered."""
        remembered = self._word_vectors
        vectors = {form: remembered.get(form) for form in words}
        new = {form: word for form, word in zip(words, encoded, strict=True) if vectors[form] is None}
        if new:
            rows = np.array([word.row for word in new.values()])
            frozen = self._codes[rows].astype(np.float32) * self._scales[rows, None]
            trained = self._trained[np.where(rows < self.config.trained_rows, rows, UNK)]
            characters = self._characters([word.characters for word in new.values()])
            fresh = dict(zip(new, np.concatenate([frozen, trained, characters], axis=1), strict=True))
            vectors.update(fresh)
            if len(remembered) + len(fresh) > _REMEMBERED_WORDS:
                remembered = self._word_vectors = {}
            remembered.update(fresh)
        return np.stack([vectors[form] for form in words])

    def _widths(self) -> tuple[int, int]:
        return self.config.vector_dimensions, self.config.trained_dimensions

    def _nothing(self) -> Prediction:
        upos, xpos = len(self.upos), len(self.xpos)
        empty = np.zeros(0, np.int32)
        return Prediction(
            np.zeros((0, upos), np.float32), np.zeros((0, xpos), np.float32), empty, empty, np.zeros(0, bool)
        )


def load_tagger(preset: str | Path = TAGGER_PRESET) -> TagPredictor:
    """Open the preset of a tagger.

    Args:
        preset: Name of a shipped preset, or a folder.

    Returns:
        The tagger.

    Raises:
        InputError: If there is no such preset, it is damaged, or holds something else.
    """
    opened = load_preset(preset, kind=KIND)
    return TagPredictor(opened.config, opened.vocabulary, variable_arrays(opened.model.weights))


class _CharacterEncoder:
    """``models.pos_tagger.CharacterCNN`` in NumPy."""

    def __init__(self, config: PosTaggerConfig, arrays: Mapping[str, np.ndarray]) -> None:
        self._table = arrays["character_encoder/table"].copy()
        self._table[PAD] = 0.0
        self._kernels = [
            (
                width,
                arrays[f"character_encoder/width{width}_kernel"],
                arrays[f"character_encoder/width{width}_bias"],
            )
            for width in config.character_widths
        ]

    def __call__(self, words: Sequence[tuple[int, ...]]) -> np.ndarray:
        """Encode words, float32 (words, widths * units)."""
        ids, mask = pad(words)
        found = []
        for width, kernel, bias in self._kernels:
            left = (width - 1) // 2  # where "same" puts the shorter side
            vectors = np.pad(self._table[ids], ((0, 0), (left, width - 1 - left), (0, 0)))
            windows = sum(vectors[:, at : at + ids.shape[1]] @ kernel[at] for at in range(width))
            found.append(np.max(np.maximum(windows + bias, 0.0) * mask[..., None], axis=1))
        return np.concatenate(found, axis=1)


def _layer(arrays: Mapping[str, np.ndarray], number: int) -> PackedBiLSTM:
    names = ("kernel", "recurrent_kernel", "bias")
    ahead = [arrays[f"forward{number}/lstm_cell/{name}"] for name in names]
    return PackedBiLSTM(ahead, [arrays[f"backward{number}/lstm_cell/{name}"] for name in names])


def _chunks(lengths: Sequence[int]) -> Iterator[list[int]]:
    """Group sentences of similar length so that a group has about so many words; empty ones are left out."""
    order = sorted((at for at, length in enumerate(lengths) if length), key=lambda at: lengths[at])
    chunk: list[int] = []
    words = 0
    for at in order:
        if chunk and words + lengths[at] > _WORDS_AT_ONCE:
            yield chunk
            chunk, words = [], 0
        chunk.append(at)
        words += lengths[at]
    if chunk:
        yield chunk


def _softmax(logits: np.ndarray) -> np.ndarray:
    shares = np.exp(logits - logits.max(axis=1, keepdims=True))
    return shares / shares.sum(axis=1, keepdims=True)

"""The trained tagger for use: words in, calibrated probabilities out; NumPy only once the preset is open.

``Model.predict`` costs many times what the arithmetic of one sentence does, so the network is written out here on
packed sentences. A test compares it with the Keras network on the same weights.
"""

from __future__ import annotations

import copy
from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import Literal, NamedTuple

import numpy as np

from data_prep.text.tag_inputs import TagInputs
from data_prep.text.vocab import Vocabulary
from models.pos_tagger.config import PosTaggerConfig
from models.pos_tagger.serving import PackedTagger
from models.pos_tagger.serving_words import PackedWords
from models.serving.bilstm import Packing, pack
from models.serving.blas_threads import in_threads, one_blas_thread
from models.serving.operations import similar_lengths

KIND = "pos_tagger"

_WORDS_AT_ONCE = 4096  # long products keep a processor core busy; 30 MB of gates


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
    """Logits of sentences laid one after the other, float32 (words, tags), and the packing of their lengths."""

    upos: np.ndarray
    xpos: np.ndarray
    packing: Packing


class TagPredictor:
    """A tagger ready for use; threads can share it.

    Args:
        config: Of the network.
        vocabulary: Of the preset.
        arrays: Stable path to weight, as ``models.storage.variables.variable_arrays`` names them.
    """

    def __init__(
        self, config: PosTaggerConfig, vocabulary: Vocabulary, arrays: Mapping[str, np.ndarray]
    ) -> None:
        self.config = config
        self.inputs = TagInputs(vocabulary, config.word_rows, config.alphabet)
        self._network = PackedTagger(config, arrays)
        self._words = PackedWords(self.inputs, self._network)

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
        return None if self._network.crf is None else self._network.crf.transitions

    def predict(self, sentences: Sequence[Sequence[str]]) -> list[Prediction]:
        """Tag sentences.

        Args:
            sentences: The words of each, any number of sentences of any length, also 0.

        Returns:
            One prediction a sentence; a sentence alone gets what it gets among others. Memory is bounded by the
            longest sentence, not by their number (the predictions apart).
        """
        lengths = np.array([len(sentence) for sentence in sentences], np.int64)
        results = [self._nothing()] * len(sentences)
        filled = np.flatnonzero(lengths)
        chunks = [filled[part].tolist() for part in similar_lengths(lengths[filled], _WORDS_AT_ONCE)]
        with one_blas_thread() as threads:
            answers = in_threads(
                lambda chosen: self._predicted([sentences[i] for i in chosen]), chunks, threads
            )
            for chosen, predictions in zip(chunks, answers, strict=True):
                for at, prediction in zip(chosen, predictions, strict=True):
                    results[at] = prediction
        return results

    def inside(self, words: Sequence[str]) -> Activations:
        """Show what the network makes of one sentence of at least one word."""
        vectors = self._words.vectors(words)
        packing = pack([len(words)])
        known = self._words(words)
        states = self._network.states(known.projected, known.rows, packing)
        first = self.config.vector_dimensions
        second = first + self.config.trained_dimensions
        return Activations(
            vectors,
            vectors[:, :first],
            vectors[:, first:second],
            vectors[:, second:],
            tuple(state[:, : state.shape[1] // 2] for state in states),
            tuple(state[:, state.shape[1] // 2 :] for state in states),
            self._network.head("upos", states[-1]),
            self._network.head("xpos", states[-1]),
        )

    def logits(self, sentences: Sequence[Sequence[str]]) -> Logits:
        """Give the logits of sentences with at least one word each, all at once."""
        return self._logits(sentences)[0]

    def probabilities(self, logits: Logits, head: Literal["upos", "xpos"], temperature: float) -> np.ndarray:
        """Turn logits into probabilities.

        Args:
            logits: As :meth:`logits` gives them.
            head: Which tags.
            temperature: 1 for the network's own probabilities, more for more careful ones.

        Returns:
            Float32 (words, tags); with a CRF those of UPOS are summed over all sequences.
        """
        if head == "upos" and self._network.crf is not None:
            return self._network.crf.marginals(logits.upos, logits.packing, temperature).astype(np.float32)
        return _softmax(getattr(logits, head) / temperature)

    def with_temperatures(self, upos: float, xpos: float) -> TagPredictor:
        """Return the same tagger with other temperatures."""
        changed = copy.copy(self)
        changed.config = replace(self.config, upos_temperature=upos, xpos_temperature=xpos)
        return changed

    def _logits(self, sentences: Sequence[Sequence[str]]) -> tuple[Logits, np.ndarray]:
        """Give the logits, and which words training never saw, bool (words,)."""
        words = [word for sentence in sentences for word in sentence]
        packing = pack([len(sentence) for sentence in sentences])
        known = self._words(words)
        hidden = self._network.states(known.projected, known.rows, packing)[-1]
        logits = Logits(self._network.head("upos", hidden), self._network.head("xpos", hidden), packing)
        return logits, known.unknown[known.rows]

    def _predicted(self, sentences: Sequence[Sequence[str]]) -> list[Prediction]:
        logits, unknown = self._logits(sentences)
        upos = self.probabilities(logits, "upos", self.config.upos_temperature)
        xpos = self.probabilities(logits, "xpos", self.config.xpos_temperature)
        decided = (
            logits.upos.argmax(axis=1)
            if self._network.crf is None
            else self._network.crf.viterbi(logits.upos, logits.packing)
        )
        tags, xpos_tags = decided.astype(np.int32), logits.xpos.argmax(axis=1).astype(np.int32)
        found, start = [], 0
        for sentence in sentences:
            part = slice(start, start + len(sentence))
            found.append(Prediction(upos[part], xpos[part], tags[part], xpos_tags[part], unknown[part]))
            start += len(sentence)
        return found

    def _nothing(self) -> Prediction:
        upos, xpos = len(self.upos), len(self.xpos)
        empty = np.zeros(0, np.int32)
        return Prediction(
            np.zeros((0, upos), np.float32), np.zeros((0, xpos), np.float32), empty, empty, np.zeros(0, bool)
        )


def _softmax(logits: np.ndarray) -> np.ndarray:
    shares = np.exp(logits - logits.max(axis=1, keepdims=True))
    return shares / shares.sum(axis=1, keepdims=True)

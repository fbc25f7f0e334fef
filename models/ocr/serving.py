"""The reader's networks in NumPy for serving; ``models.ocr.network`` is the same in Keras.

One word costs a millisecond or two and no TensorFlow. The convolutions and their folded batch norm are those of
``models.digit_cnn.serving``, the recurrence that of ``models.serving.bilstm``.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace
from itertools import count, takewhile
from typing import NamedTuple

import numpy as np

from data_prep.batching import bucket_length
from data_prep.images.letter_batches import FRAME_COLUMNS, IMAGE_MARGIN, frame_count
from models.digit_cnn.serving import convolved, folded_weights
from models.ocr.config import LAYERS, OcrConfig, Reads, conv_steps
from models.ocr.letter_lm import LetterLM
from models.ocr.letter_search import Hypothesis, beam_search, letter_shares
from models.serving.bilstm import PackedBiLSTM, Packing, pack
from models.serving.blas_threads import in_threads, one_blas_thread
from models.serving.crf import PackedCRF
from models.serving.ctc import prefix_beam_search

_LETTERS_AT_ONCE = 64

Arrays = Mapping[str, np.ndarray]


class LetterScores(NamedTuple):
    """Probabilities of each letter of some words, float64 (letters, 26) each, one word behind the other.

    ``alone`` from the letter's own picture, ``context`` from the BiLSTM, ``chain`` from the CRF behind it, and
    ``answer``, what the preset answers by: one of the two, or the share of the words that the search found.
    """

    alone: np.ndarray
    context: np.ndarray
    chain: np.ndarray
    answer: np.ndarray


class PlainScores(NamedTuple):
    """``alone`` and ``context`` as in ``LetterScores``, and ``best``, the best words by the CRF, int32 (letters,)."""

    alone: np.ndarray
    context: np.ndarray
    best: np.ndarray


class PackedLetters:
    """A trained network that reads words letter by letter; threads can share it.

    Args:
        config: Of the preset; ``reads`` is ``"letters"``.
        arrays: Its arrays by path.
    """

    def __init__(self, config: OcrConfig, arrays: Arrays) -> None:
        self.config = config
        self.network = _Network(arrays, "letters")
        self.crf = PackedCRF(*(arrays[f"crf/{name}"] for name in ("transitions", "start", "end")))
        self.language = LetterLM.from_arrays(arrays)

    @property
    def transitions(self) -> np.ndarray:
        """Learned scores of a letter (row) before another one (column), float64 (26, 26)."""
        return self.crf.transitions

    def read(self, images: np.ndarray, lengths: Sequence[int]) -> LetterScores:
        """Read words.

        Args:
            images: Float32 (letters, 16, 8, 1), 0 for paper and 1 for ink, word behind word.
            lengths: Letters of each word, each 1 or more.

        Returns:
            Probabilities by all ways.
        """
        logits = self.network.letter_logits(images, lengths)
        alone, context = softmax(logits["alone"]), softmax(logits["context"])
        chain = self.crf.marginals(logits["chain"], pack(lengths))
        if self.config.answer == "search":
            ends = np.cumsum(lengths)
            answer = np.concatenate(
                [
                    letter_shares(self._search(context[end - length : end]))
                    for end, length in zip(ends, lengths, strict=True)
                ]
            )
        else:
            answer = chain if self.config.answer == "crf" else context
        return LetterScores(alone, context, chain, answer)

    def scores(self, images: np.ndarray, lengths: Sequence[int]) -> PlainScores:
        """Read words by all networks at once, without search; arguments as for :meth:`read`."""
        logits = self.network.letter_logits(images, lengths)
        return PlainScores(
            softmax(logits["alone"]),
            softmax(logits["context"]),
            self.crf.viterbi(logits["chain"], pack(lengths)),
        )

    def viterbi(self, images: np.ndarray, lengths: Sequence[int]) -> np.ndarray:
        """Return the best word by the CRF, letter behind letter, int32 (letters,); arguments as for :meth:`read`."""
        return self.crf.viterbi(self.network.letter_logits(images, lengths)["chain"], pack(lengths))

    def hypotheses(self, images: np.ndarray, width: int = 8) -> tuple[Hypothesis, ...]:
        """Return the best words for the letters of one word, by BiLSTM and language model (if there is one).

        Args:
            images: Float32 (letters, 16, 8, 1).
            width: Words that the search keeps.

        Returns:
            Words with their shares of the probability, best first.
        """
        logits = self.network.letter_logits(images, [len(images)])
        return self._search(softmax(logits["context"]), width)

    def _search(self, probabilities: np.ndarray, width: int | None = None) -> tuple[Hypothesis, ...]:
        return beam_search(
            log_of(probabilities),
            scorer=self.language,
            weight=self.config.lm_weight,
            width=width or self.config.beam,
        )


class PackedWords:
    """A trained network that reads whole words; threads can share it.

    Args:
        config: Of the preset; ``reads`` is ``"words"``.
        arrays: Its arrays by path.
    """

    def __init__(self, config: OcrConfig, arrays: Arrays) -> None:
        self.config = config
        self.network = _Network(arrays, "words")
        self.language = LetterLM.from_arrays(arrays)

    def log_probabilities(self, images: Sequence[np.ndarray]) -> list[np.ndarray]:
        """Say what each frame shows.

        Args:
            images: Float32 (16, width, 1) each, 0 for paper and 1 for ink.

        Returns:
            Logarithms float64 (frames, 27), the blank last, for each image; a frame is two columns.
        """
        return [log_of(softmax(logits)) for logits in self.network.word_logits(images)]

    def read(
        self, image: np.ndarray, *, language_model: bool = True, width: int | None = None
    ) -> tuple[Hypothesis, ...]:
        """Return the best words for an image float32 (16, width, 1), with their shares of the probability."""
        return self.search(self.log_probabilities([image])[0], language_model=language_model, width=width)

    def search(
        self, log_probabilities: np.ndarray, *, language_model: bool = True, width: int | None = None
    ) -> tuple[Hypothesis, ...]:
        """Return the best words for frames, as :meth:`log_probabilities` gives them."""
        with_model = language_model and self.language is not None
        return prefix_beam_search(
            log_probabilities,
            scorer=self.language if with_model else None,
            weight=self.config.lm_weight,
            bonus=self.config.lm_bonus if with_model else 0.0,
            width=width or self.config.beam,
        )


def letter_logits(arrays: Arrays, images: np.ndarray, lengths: Sequence[int]) -> dict[str, np.ndarray]:
    """Return the logits ``alone``, ``context`` and ``chain``, float32 (letters, 26), word behind word."""
    return _Network(arrays, "letters").letter_logits(images, lengths)


def word_logits(arrays: Arrays, images: Sequence[np.ndarray]) -> list[np.ndarray]:
    """Return the logits of the frames of images of words, float32 (frames, 27) each."""
    return _Network(arrays, "words").word_logits(images)


def softmax(logits: np.ndarray) -> np.ndarray:
    """Turn logits into probabilities along the last axis, float64."""
    shifted = logits.astype(np.float64)
    shifted -= shifted.max(axis=-1, keepdims=True)
    shares = np.exp(shifted)
    return shares / shares.sum(axis=-1, keepdims=True)


def log_of(probabilities: np.ndarray) -> np.ndarray:
    """Return logarithms; a probability of 0 counts as one too small to be stored."""
    return np.log(np.maximum(probabilities, np.finfo(np.float64).tiny))


class _Network:
    """Convolutions, BiLSTM and heads, as their arrays say."""

    def __init__(self, arrays: Arrays, reads: Reads) -> None:
        stages = list(takewhile(lambda stage: f"stage{stage}_conv1/kernel" in arrays, count(1)))
        self._filters = tuple(arrays[f"stage{stage}_conv1/kernel"].shape[3] for stage in stages)
        self._convolutions = sum(
            1 for _ in takewhile(lambda at: f"stage1_conv{at}/kernel" in arrays, count(1))
        )
        self._reads = reads
        steps = conv_steps(reads, self._filters, self._convolutions, FRAME_COLUMNS)
        self._weights = folded_weights(steps, arrays)
        self._dense = {
            name: (np.asarray(arrays[f"{name}/kernel"]), np.asarray(arrays[f"{name}/bias"]))
            for name in ("features", *LAYERS[reads])
        }
        names = ("kernel", "recurrent_kernel", "bias")
        self._lstm = PackedBiLSTM(
            *([arrays[f"{way}/lstm_cell/{name}"] for name in names] for way in ("forward", "backward"))
        )

    def letter_logits(self, images: np.ndarray, lengths: Sequence[int]) -> dict[str, np.ndarray]:
        """Answer letters float32 (letters, 16, 8, 1)."""
        images = np.asarray(images, np.float32)
        starts = range(0, max(len(images), 1), _LETTERS_AT_ONCE)
        with one_blas_thread() as threads:
            parts = in_threads(
                lambda at: self._letter_features(images[at : at + _LETTERS_AT_ONCE]), starts, threads
            )
            features = np.concatenate(list(parts))
            found = self._in_context(features, pack(lengths), ("context", "chain"))
            return {"alone": self._head("alone", features), **found}

    def word_logits(self, images: Sequence[np.ndarray]) -> list[np.ndarray]:
        """Answer images float32 (16, width, 1)."""
        with one_blas_thread() as threads:
            features = list(in_threads(self._frame_features, images, threads))
            frames = [len(one) for one in features]
            logits = self._in_context(np.concatenate(features), pack(frames), ("frames",))["frames"]
        return np.split(logits, np.cumsum(frames)[:-1])

    def _in_context(
        self, features: np.ndarray, packing: Packing, heads: tuple[str, ...]
    ) -> dict[str, np.ndarray]:
        hidden = self._lstm(features, packing)
        return {name: self._head(name, hidden) for name in heads}

    def _letter_features(self, images: np.ndarray) -> np.ndarray:
        """Say what letters look like, float32 (letters, features)."""
        maps = self._convolved(images)
        return np.maximum(self._head("features", maps.reshape(len(maps), -1)), np.float32(0))

    def _frame_features(self, image: np.ndarray) -> np.ndarray:
        """Say what the frames of one word look like, float32 (frames, features)."""
        width = image.shape[1]
        columns = bucket_length(width + IMAGE_MARGIN, FRAME_COLUMNS)
        padded = np.zeros((1, image.shape[0], columns, 1), np.float32)
        padded[0, :, :width] = image
        maps = self._convolved(padded)[0, :, : frame_count(width)]  # (rows, frames, channels)
        read = maps.swapaxes(0, 1).reshape(maps.shape[1], -1)
        return np.maximum(self._head("features", read), np.float32(0))

    def _convolved(self, images: np.ndarray) -> np.ndarray:
        for step in conv_steps(self._reads, self._filters, self._convolutions, images.shape[2]):
            if step.operation == "conv":
                step = replace(step, shape=(*images.shape[1:3], step.shape[2]))
                images = convolved(step, self._weights[step.name], images)
                np.maximum(images, np.float32(0), out=images)
            elif step.operation == "max_pool" and step.settings["size"] != (1, 1):
                images = _largest(images, *step.settings["size"])
        return images

    def _head(self, name: str, values: np.ndarray) -> np.ndarray:
        kernel, bias = self._dense[name]
        return values @ kernel + bias


def _largest(images: np.ndarray, rows: int, columns: int) -> np.ndarray:
    """Take the largest of blocks of so many rows and columns; height and width are multiples of them."""
    number, height, width, channels = images.shape
    blocks = images.reshape(number, height // rows, rows, width // columns, columns, channels)
    return blocks.max(axis=(2, 4))

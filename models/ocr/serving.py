"""The reader's networks in NumPy for serving; ``models.ocr.network`` is the same in Keras.

One word costs a millisecond or two and no TensorFlow. The convolutions and their folded batch norm are those of
``models.digit_cnn.serving``, the recurrence that of ``models.serving.bilstm``.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import NamedTuple

import numpy as np

from data_prep.batching import bucket_length
from data_prep.errors import InputError
from data_prep.images.letter_batches import IMAGE_MARGIN, frame_count
from data_prep.images.preparation import FRAME_COLUMNS
from data_prep.text.vocab import Vocabulary
from models.digit_cnn.serving import PackedPlan
from models.layers.cells import layer_weights
from models.ocr.config import LAYERS, OcrConfig, ocr_specs
from models.ocr.letter_lm import LetterLM
from models.ocr.letter_search import Hypothesis, beam_search
from models.presets.kinds import Kind
from models.serving.bilstm import PackedBiLSTM, pack
from models.serving.blas_threads import one_blas_thread
from models.serving.crf import PackedCRF
from models.serving.ctc import prefix_beam_search
from models.serving.operations import softmax

Arrays = Mapping[str, np.ndarray]


class LetterScores(NamedTuple):
    """What some words are, one word after the other.

    ``alone`` from the letter's own picture and ``context`` from the BiLSTM, probabilities float64 (letters, 26), and
    ``best``, the best words by the CRF, int32 (letters,).
    """

    alone: np.ndarray
    context: np.ndarray
    best: np.ndarray


class _Reader:
    """Convolutions, BiLSTM and heads, and the language model."""

    def __init__(self, config: OcrConfig, arrays: Arrays) -> None:
        self.config = config
        self.language = LetterLM.from_arrays(arrays, config.alphabet)
        self._convolved = PackedPlan(config.steps, arrays)
        self._dense = {
            name: (np.asarray(arrays[f"{name}/kernel"]), np.asarray(arrays[f"{name}/bias"]))
            for name in ("features", *LAYERS[config.reads])
        }
        ways = (layer_weights("lstm", way, arrays) for way in ("forward", "backward"))
        self._lstm = PackedBiLSTM(*ways)

    def _features(self, maps: np.ndarray) -> np.ndarray:
        return np.maximum(self._head("features", maps), np.float32(0))

    def _head(self, name: str, values: np.ndarray) -> np.ndarray:
        kernel, bias = self._dense[name]
        return values @ kernel + bias


class LettersReader(_Reader):
    """A trained network that reads words letter by letter, made of config and arrays; threads can share it."""

    def __init__(self, config: OcrConfig, arrays: Arrays) -> None:
        super().__init__(config, arrays)
        self.crf = PackedCRF(*(arrays[f"crf/{name}"] for name in ("transitions", "start", "end")))

    def logits(self, images: np.ndarray, lengths: Sequence[int]) -> dict[str, np.ndarray]:
        """Read words.

        Args:
            images: Float32 (letters, 16, 8, 1), 0 for paper and 1 for ink, word after word.
            lengths: Letters of each word, each 1 or more.

        Returns:
            Logits ``alone``, ``context`` and ``chain``, float32 (letters, 26).
        """
        maps = self._convolved.in_parts(images)
        with one_blas_thread():
            features = self._features(maps.reshape(len(maps), -1))  # (letters, rows * columns * channels)
            hidden = self._lstm(features, pack(lengths))
            context, chain = (self._head(name, hidden) for name in ("context", "chain"))
            return {"alone": self._head("alone", features), "context": context, "chain": chain}

    def scores(self, images: np.ndarray, lengths: Sequence[int]) -> LetterScores:
        """Read words by all networks at once, without search; arguments as for :meth:`logits`."""
        logits = self.logits(images, lengths)
        best = self.crf.viterbi(logits["chain"], pack(lengths))
        return LetterScores(softmax(logits["alone"]), softmax(logits["context"]), best)

    def marginals(self, images: np.ndarray, lengths: Sequence[int]) -> np.ndarray:
        """Return the probability of each letter by the CRF, float64 (letters, 26); arguments as for :meth:`logits`."""
        return self.crf.marginals(self.logits(images, lengths)["chain"], pack(lengths))

    def search(
        self, probabilities: np.ndarray, weight: float | None = None, language: LetterLM | None = None
    ) -> tuple[Hypothesis, ...]:
        """Find the best words for the letters of one word.

        Args:
            probabilities: Of each letter, float (letters, 26).
            weight: Of the language model; None for that of the config.
            language: The language model; None for that of the preset, if it has one.

        Returns:
            Words with their shares of the probability, best first.
        """
        return beam_search(
            log_of(probabilities),
            scorer=language or self.language,
            weight=self.config.lm_weight if weight is None else weight,
            width=self.config.beam,
            alphabet=self.config.alphabet,
            temperature=self.config.temperature,
        )


class WordsReader(_Reader):
    """A trained network that reads whole words, made of config and arrays; threads can share it."""

    def logits(self, images: Sequence[np.ndarray]) -> list[np.ndarray]:
        """Read images float32 (16, width, 1), 0 for paper and 1 for ink: logits of frames, float32 (frames, 27)."""
        with one_blas_thread():
            features = list(map(self._frame_features, images))
            frames = [len(one) for one in features]
            logits = self._head("frames", self._lstm(np.concatenate(features), pack(frames)))
        return np.split(logits, np.cumsum(frames)[:-1])

    def log_probabilities(self, images: Sequence[np.ndarray]) -> list[np.ndarray]:
        """Say what each frame shows, two columns: logarithms float64 (frames, 27) of each image, the blank last."""
        return [log_of(softmax(logits)) for logits in self.logits(images)]

    def search(self, log_probabilities: np.ndarray, *, language_model: bool = True) -> tuple[Hypothesis, ...]:
        """Return the best words for frames, as :meth:`log_probabilities` gives them, with their shares."""
        with_model = language_model and self.language is not None
        return prefix_beam_search(
            log_probabilities,
            scorer=self.language if with_model else None,
            weight=self.config.lm_weight,
            bonus=self.config.lm_bonus if with_model else 0.0,
            width=self.config.beam,
            alphabet=self.config.alphabet,
            temperature=self.config.temperature,
        )

    def _frame_features(self, image: np.ndarray) -> np.ndarray:
        """Say what the frames of one word look like, float32 (frames, features)."""
        height, width, _ = image.shape
        padded = np.zeros((1, height, bucket_length(width + IMAGE_MARGIN, FRAME_COLUMNS), 1), np.float32)
        padded[0, :, :width] = image
        maps = self._convolved(padded)[0, :, : frame_count(width)]  # (rows, frames, channels)
        return self._features(maps.swapaxes(0, 1).reshape(maps.shape[1], -1))  # (frames, rows * channels)


def reader_of(config: OcrConfig, arrays: Arrays) -> LettersReader | WordsReader:
    """Return the network of a config ready to read."""
    return (LettersReader if config.reads == "letters" else WordsReader)(config, arrays)


def log_of(probabilities: np.ndarray) -> np.ndarray:
    """Return logarithms; a probability of 0 counts as one too small to be stored."""
    return np.log(np.maximum(probabilities, np.finfo(np.float64).tiny))


def _answer(config: OcrConfig, arrays: Arrays, inputs: Arrays) -> dict[str, np.ndarray]:
    """Answer a golden input with logits, and with what the language model says of the end of one short word."""
    reader = reader_of(config, arrays)
    if config.reads == "letters":
        answer = reader.logits(inputs["letters"], inputs["lengths"].tolist())
    else:
        answer = {"frames": reader.logits([inputs["image"][0]])[0]}
    if reader.language is not None:
        word = "the" if set("the") <= set(config.alphabet) else ""
        answer["language"] = reader.language.log_probabilities(word).astype(np.float32)
    return answer


def _check(config: OcrConfig, vocabulary: Vocabulary | None, labels: tuple[str, ...] | None) -> None:
    if labels != tuple(config.alphabet):
        raise InputError("The labels are not the letters of the alphabet in their order", received=labels)


OCR = Kind(
    OcrConfig,
    arrays=ocr_specs,
    answer=_answer,
    network="models.ocr.network:ocr_model",
    fills=True,
    needs_labels=True,
    check=_check,
)

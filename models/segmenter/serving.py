"""Sentence and word boundaries in NumPy; ``models.segmenter.network`` is the same network in Keras.

A sentence takes about a millisecond and no TensorFlow, a long text is read window by window: a window with a margin of
``SegmenterConfig.reach`` characters gives the very answer that the whole text would give.
"""

from __future__ import annotations

import numpy as np

from data_prep.errors import InputError
from data_prep.text.segmentation import CHARACTER_IDS, LABELS, character_ids, cut
from data_prep.text.tokenizer import Token
from models.presets.kinds import Arrays, Kind
from models.segmenter.config import SegmenterConfig, convolution_name, segmenter_specs
from models.serving.blas_threads import in_threads, one_blas_thread
from models.serving.workspace import Workspace

_WINDOW = 1024  # characters whose activations a processor core keeps close by

_workspace = Workspace()


class Segmenter:
    """Cuts raw text into sentences of words.

    Args:
        config: Sizes of the network.
        arrays: Its weights by the names of :func:`segmenter_specs`, float32.
    """

    def __init__(self, config: SegmenterConfig, arrays: Arrays) -> None:
        self.config = config
        self._embeddings = arrays["embedding/embeddings"]
        names = [convolution_name(*layer) for layer in enumerate(config.dilations)]
        kernels = [arrays[f"{name}/kernel"].reshape(-1, config.channels) for name in names]
        biases = [arrays[f"{name}/bias"] for name in names]
        self._layers = list(zip(config.dilations, kernels, biases, strict=True))
        self._kernel, self._bias = arrays["labels/kernel"], arrays["labels/bias"]

    def segment(self, text: str) -> list[list[Token]]:
        """Cut a text, any string, into sentences of words.

        A clitic is a word of its own ("do", "n't"), as in Universal Dependencies.

        Returns:
            The words of each sentence, ``text[word.start:word.end] == word.text``. Every character that is
            not white space is in exactly one word. No sentence is empty, none is longer than
            ``data_prep.text.segmentation.LONGEST_SENTENCE`` words.
        """
        ids = character_ids(text)
        with one_blas_thread() as threads:
            labels = in_threads(lambda start: self._window(ids, start).argmax(-1), _starts(ids), threads)
            return cut(text, ids, np.concatenate(list(labels)))

    def logits(self, ids: np.ndarray) -> np.ndarray:
        """Give the logits of the labels of each character id of one text, float32 (time, 3)."""
        return np.concatenate([self._window(ids, start) for start in _starts(ids)])

    def _window(self, ids: np.ndarray, start: int) -> np.ndarray:
        """Give the logits of a window of the text, float32 (at most _WINDOW, 3)."""
        left = max(0, start - self.config.reach)
        seen = ids[left : start + _WINDOW + self.config.reach]
        return self._forward(seen)[start - left : start - left + _WINDOW]

    def _forward(self, ids: np.ndarray) -> np.ndarray:
        time, kernel = len(ids), self.config.kernel
        x, padded, margin = self._padded(self._embeddings[ids])  # (time, embedding)
        new = _workspace.array("new", time, self.config.channels)
        for number, (dilation, weights, bias) in enumerate(self._layers):
            starts = (margin + (tap - kernel // 2) * dilation for tap in range(kernel))
            taps = _workspace.array("taps", time, len(weights))
            np.concatenate([padded[start : start + time] for start in starts], axis=1, out=taps)
            np.matmul(taps, weights, out=new)
            new += bias
            np.maximum(new, 0, out=new)
            if number:
                x += new
            else:
                x, padded, _ = self._padded(new)  # (time, channels)
        return x @ self._kernel + self._bias

    def _padded(self, values: np.ndarray) -> tuple[np.ndarray, np.ndarray, int]:
        """Put zeros before and behind, as many as the widest convolution sees: the values, all, how many."""
        margin = max(self.config.dilations) * (self.config.kernel // 2)
        padded = _workspace.array("padded", len(values) + 2 * margin, values.shape[1])
        padded[:margin] = padded[margin + len(values) :] = 0.0
        inside = padded[margin : margin + len(values)]
        inside[:] = values
        return inside, padded, margin


def _starts(ids: np.ndarray) -> range:
    """Give where the windows of a text start; one for an empty text."""
    return range(0, max(1, len(ids)), _WINDOW)


def _answer(config: SegmenterConfig, arrays: Arrays, inputs: Arrays) -> Arrays:
    """Return the logits of one text's characters: ids (time,) to float32 (time, 3)."""
    return {"logits": Segmenter(config, arrays).logits(inputs["characters"])}


def _check(config: SegmenterConfig, vocabulary: object, labels: tuple[str, ...]) -> None:
    """Refuse a preset that was made for other character ids or labels than this code has."""
    if config.characters != CHARACTER_IDS:
        raise InputError(
            "The segmenter was trained with other character ids",
            allowed=str(CHARACTER_IDS),
            received=config.characters,
        )
    if labels != LABELS:
        raise InputError("The segmenter has other labels", allowed=", ".join(LABELS), received=labels)


SEGMENTER = Kind(
    SegmenterConfig,
    arrays=segmenter_specs,
    answer=_answer,
    network="models.segmenter.network:build_segmenter",
    needs_labels=True,
    check=_check,
)

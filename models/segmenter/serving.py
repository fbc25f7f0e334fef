"""Sentence and word boundaries without Keras; ``models.segmenter.network`` is the same network in Keras.

A long text is read window by window: a window with a margin of ``SegmenterConfig.reach`` characters gives the very
labels that the whole text would give.
"""

from __future__ import annotations

import functools
from collections.abc import Iterator
from typing import TYPE_CHECKING

import numpy as np

from data_prep.errors import InputError
from data_prep.text.segmentation import CHARACTER_IDS, LABELS, character_ids, cut
from data_prep.text.tokenizer import Token
from models.presets.kinds import Arrays, Kind
from models.segmenter.config import SegmenterConfig, convolution_name, segmenter_specs
from models.serving.blas_threads import in_threads, one_blas_thread

if TYPE_CHECKING:
    from models.segmenter.compiled import CompiledSegmenter

_FEW_CHARACTERS = 500  # labelled in NumPy before machine code is loaded, which takes 0.4 s and 100 MiB
_WINDOW = 2048  # characters whose activations a processor core keeps close by
_SEEN = "Dr. Smith didn't pay $3.50 (see http://example.org/a-b?c=1).  She couldn't... \u201cwhy\u201d? \U0001f600\n"


class Segmenter:
    """Cuts raw text into sentences of words.

    Args:
        config: Sizes of the network.
        arrays: Its weights by the names of :func:`segmenter_specs`, float32.
    """

    def __init__(self, config: SegmenterConfig, arrays: Arrays) -> None:
        self.config, self._arrays = config, arrays
        self._asked = 0  # characters

    def segment(self, text: str) -> list[list[Token]]:
        """Cut a text, any string, into sentences of words.

        A clitic is a word of its own ("do", "n't"), as in Universal Dependencies.

        Returns:
            The words of each sentence, ``text[word.start:word.end] == word.text``. Every character that is
            not white space is in exactly one word. No sentence is empty, none is longer than
            ``data_prep.text.segmentation.LONGEST_SENTENCE`` words.
        """
        ids = character_ids(text)
        return cut(text, ids, self.labels(ids))

    def labels(self, ids: np.ndarray) -> np.ndarray:
        """Label each character id of one text, int8 (time,)."""
        self._asked += len(ids)
        if 0 < self._asked <= _FEW_CHARACTERS:
            return self.logits(ids).argmax(1)
        with one_blas_thread() as threads:
            windows = in_threads(functools.partial(self._window, ids), range(0, len(ids), _WINDOW), threads)
            return np.concatenate([np.zeros(0, np.int8), *windows])

    def logits(self, ids: np.ndarray) -> np.ndarray:
        """Give the network's own logits of the labels of each character id of one text, float32 (time, 3)."""
        *_, last = self._activations(ids)
        return last @ self._arrays["labels/kernel"] + self._arrays["labels/bias"]

    def _window(self, ids: np.ndarray, start: int) -> np.ndarray:
        left = max(0, start - self.config.reach)
        seen = ids[left : start + _WINDOW + self.config.reach]
        return self._compiled.labels(seen)[start - left : start - left + _WINDOW]

    @functools.cached_property
    def _compiled(self) -> CompiledSegmenter:
        from models.segmenter.compiled import CompiledSegmenter

        largest = [float(x.max()) for x in self._activations(character_ids(_SEEN))]
        return CompiledSegmenter(self.config, self._arrays, largest)

    def _activations(self, ids: np.ndarray) -> Iterator[np.ndarray]:
        """Give what is behind each layer, float32 (time, channels)."""
        x, taps = self._arrays["embedding/embeddings"][ids], range(self.config.kernel)
        for number, dilation in enumerate(self.config.dilations):
            name, margin = convolution_name(number, dilation), dilation * (self.config.kernel // 2)
            kernel, bias = self._arrays[f"{name}/kernel"], self._arrays[f"{name}/bias"]
            padded = np.pad(x, ((margin, margin), (0, 0)))
            parts = (padded[tap * dilation :][: len(x)] @ kernel[tap] for tap in taps)
            new = np.maximum(sum(parts) + bias, 0)
            x = x + new if number else new
            yield x


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

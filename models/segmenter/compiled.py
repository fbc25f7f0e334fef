"""The segmenter as machine code: activations and weights of its convolutions are 16-bit whole numbers.

``models.segmenter.serving`` has the same network in NumPy. The first layer meets single characters, so its products
are looked up. How large activations are is seen on a text; four times that is kept, and what is larger is cut.
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from data_prep.text.segmentation import PADDING
from models.presets.kinds import Arrays
from models.segmenter.config import SegmenterConfig, convolution_name
from models.serving.whole_products import ONE, PANEL, label_characters, whole

_ROOM = 4.0  # times the largest activation that was seen


class CompiledSegmenter:
    """Labels of characters.

    Args:
        config: Sizes of the network.
        arrays: Its weights.
        largest: The largest activation behind each layer that was seen.
    """

    def __init__(self, config: SegmenterConfig, arrays: Arrays, largest: Sequence[float]) -> None:
        room = -config.channels % PANEL
        names = [convolution_name(*layer) for layer in enumerate(config.dilations)]
        kernels = [np.pad(arrays[f"{name}/kernel"], ((0, 0), (0, 0), (0, room))) for name in names]
        self._biases = np.stack([np.pad(arrays[f"{name}/bias"], (0, room)) for name in names])
        self._tables = arrays["embedding/embeddings"].astype(np.float32) @ kernels[0]
        self._tables[:, PADDING] = 0.0
        self._scales = (ONE / (_ROOM * np.maximum(largest, 1e-3))).astype(np.float32)
        later = [whole(np.pad(kernel, ((0, 0), (0, room), (0, 0)))) for kernel in kernels[1:]]
        width, taps = config.channels + room, config.kernel
        self._weights = np.zeros((len(later), width // PANEL, taps * width * PANEL), np.int16)
        self._steps = np.zeros((len(later), width), np.float32)
        for number, (weights, steps) in enumerate(later):
            self._weights[number] = weights
            self._steps[number] = steps * (ONE / self._scales[number])
        self._taps = np.outer(config.dilations, np.arange(taps) - taps // 2)
        heads = np.pad(arrays["labels/kernel"], ((0, room), (0, 0)))
        self._labels = np.ascontiguousarray(heads.T), arrays["labels/bias"]

    def labels(self, ids: np.ndarray) -> np.ndarray:
        """Label the characters of a text, or of a part of it: ids (time,) to int8 (time,)."""
        layers = self._tables, self._taps, self._weights, self._steps, self._biases, self._scales
        return label_characters(ids, *layers, *self._labels)

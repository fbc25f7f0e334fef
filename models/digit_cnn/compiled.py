"""A digit network for many images: one compiled graph, with batch norm folded into the convolutions before it.

TensorFlow itself, not ``keras.ops``: its graphs join a convolution with its bias and ReLU, and its convolutions are
those of oneDNN, which multiply bfloat16 several times as fast as float32 where the processor has instructions for it.
One image is answered sooner by ``models.digit_cnn.serving``, without TensorFlow.
"""

from __future__ import annotations

import math
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import numpy as np
import tensorflow as tf

from models.digit_cnn.plan import INPUT, LOGITS, SQUASH_AMPLITUDE, SQUASH_SLOPE, Step, plan_of_arrays
from models.digit_cnn.serving import Arrays, folded_weights
from models.layers.fast_lstm import Products, fastest_products
from models.serving.blas_threads import usable_cores

_IMAGES_AT_ONCE = 512
_FEWEST_A_CORE = 128


class CompiledCNN:
    """A trained network.

    Args:
        arrays: Stable path to weight, as ``models.digit_cnn.serving.PackedCNN`` takes them.
        products: What activations and the factors of products are rounded to; None for what this processor multiplies
            fastest. The last layer is float32 either way.
    """

    def __init__(self, arrays: Arrays, products: Products | None = None) -> None:
        self.products: Products = fastest_products() if products is None else products
        self._cores = usable_cores()
        self._pool = ThreadPoolExecutor(self._cores)
        steps = plan_of_arrays(arrays)
        self._classes = steps[-1].shape[0]
        weights = folded_weights(steps, arrays)
        self._answer = tf.function(
            lambda images: _forward(steps, weights, images, self.products),
            input_signature=[tf.TensorSpec((None, 28, 28, 1), tf.float32)],
        )

    def logits(self, images: np.ndarray) -> np.ndarray:
        """Answer images.

        Args:
            images: Float32 (n, 28, 28, 1), 0 for paper and 1 for ink.

        Returns:
            Float32 (n, classes).
        """
        images = np.asarray(images, np.float32)
        if not len(images):  # which the joined convolutions refuse
            return np.zeros((0, self._classes), np.float32)
        # Cores that answer parts of their own are faster than cores that share every operation.
        parts = max(-(-len(images) // _IMAGES_AT_ONCE), min(self._cores, len(images) // _FEWEST_A_CORE))
        if parts == 1:
            return self._part(images)
        return np.concatenate(list(self._pool.map(self._part, np.array_split(images, parts))))

    def _part(self, images: np.ndarray) -> np.ndarray:
        return self._answer(images).numpy()


def _forward(
    steps: tuple[Step, ...], weights: dict[str, dict[str, np.ndarray]], images: tf.Tensor, products: Products
) -> tf.Tensor:
    values = {INPUT: tf.cast(images, products)}
    for step in steps:
        inputs = [values[name] for name in step.inputs]
        dtype = "float32" if step.name == LOGITS else products
        own = {name: tf.constant(array, dtype) for name, array in weights.get(step.name, {}).items()}
        values[step.name] = _OPERATIONS[step.operation](
            step, own, *(tf.cast(value, dtype) for value in inputs)
        )
    return values[LOGITS]


def _conv(step: Step, weights: dict[str, tf.Tensor], images: tf.Tensor) -> tf.Tensor:
    padding = "SAME" if step.settings["same"] else "VALID"
    found = tf.nn.conv2d(images, weights["kernel"], step.settings["stride"], padding)
    return tf.nn.bias_add(found, weights["bias"])


def _pooled(kind: str, step: Step, images: tf.Tensor) -> tf.Tensor:
    size = step.settings["size"]
    if kind == "max":
        return tf.nn.max_pool2d(images, size, size, "VALID")
    return tf.nn.avg_pool2d(images, size, size, "SAME")


def _subsample(step: Step, weights: dict[str, tf.Tensor], images: tf.Tensor) -> tf.Tensor:
    return 4.0 * tf.nn.avg_pool2d(images, 2, 2, "VALID") * weights["coefficient"] + weights["bias"]


def _pad(step: Step, weights: dict[str, tf.Tensor], images: tf.Tensor) -> tf.Tensor:
    border = [step.settings["border"]] * 2
    return tf.pad(images, [[0, 0], border, border, [0, 0]])


def _crop(step: Step, weights: dict[str, tf.Tensor], images: tf.Tensor) -> tf.Tensor:
    border = step.settings["border"]
    return images[:, border:-border, border:-border]


_OPERATIONS: dict[str, Callable[..., Any]] = {
    "crop": _crop,
    "pad": _pad,
    "rescale": lambda step, _, x: x * step.settings["scale"] + step.settings["offset"],
    "conv": _conv,
    "subsample": _subsample,
    "batch_norm": lambda step, _, x: x,  # folded into the convolution
    "relu": lambda step, _, x: tf.nn.relu(x),
    "squash": lambda step, _, x: SQUASH_AMPLITUDE * tf.tanh(SQUASH_SLOPE * x),
    "max_pool": lambda step, _, x: _pooled("max", step, x),
    "mean_pool": lambda step, _, x: _pooled("mean", step, x),
    "mean": lambda step, _, x: tf.reduce_mean(x, (1, 2)),
    "add": lambda step, _, x, y: x + y,
    "flatten": lambda step, _, x: tf.reshape(x, (-1, math.prod(step.shape))),
    "dense": lambda step, weights, x: tf.matmul(x, weights["kernel"]) + weights["bias"],
}

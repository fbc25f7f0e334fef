"""A digit network for many images: one compiled graph, with batch norm folded into the convolutions before it.

TensorFlow itself, not ``keras.ops``: its graphs join a convolution with its bias and ReLU, and its convolutions are
those of oneDNN, which multiply bfloat16 several times as fast as float32 where the processor has instructions for it.
One image is answered sooner by ``models.digit_cnn.serving``, without TensorFlow.
"""

from __future__ import annotations

import numpy as np
import tensorflow as tf

from models.digit_cnn.config import DigitCNNConfig
from models.digit_cnn.plan import LOGITS, Step, run, shared_operations
from models.digit_cnn.serving import Arrays, folded_weights
from models.layers.fast_lstm import Products, chosen_products
from models.serving.blas_threads import in_threads, usable_cores

_IMAGES_AT_ONCE = 512
_FEWEST_A_CORE = 128


class CompiledCNN:
    """A trained network.

    Args:
        config: Of the network.
        arrays: Its weights by path.
        products: What activations and the factors of products are rounded to; None for what this processor multiplies
            fastest. The last layer is float32 either way.
    """

    def __init__(self, config: DigitCNNConfig, arrays: Arrays, products: Products | None = None) -> None:
        self.products: Products = chosen_products(products or "auto")
        self._classes, steps = config.classes, config.steps
        weights = folded_weights(steps, arrays)

        def compute(step: Step, *inputs: tf.Tensor) -> tf.Tensor:
            dtype = "float32" if step.name == LOGITS else self.products
            own = {name: tf.constant(array, dtype) for name, array in weights.get(step.name, {}).items()}
            return _OPERATIONS[step.operation](step, own, *(tf.cast(value, dtype) for value in inputs))

        self._answer = tf.function(
            lambda images: run(steps, images, compute)[LOGITS],
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
        count = max(-(-len(images) // _IMAGES_AT_ONCE), min(usable_cores(), len(images) // _FEWEST_A_CORE))
        parts = np.array_split(images, count)
        return np.concatenate([found.numpy() for found in in_threads(self._answer, parts, count)])


def _conv(step: Step, weights: dict[str, tf.Tensor], images: tf.Tensor) -> tf.Tensor:
    found = tf.nn.conv2d(
        images, weights["kernel"], step.settings["strides"], step.settings["padding"].upper()
    )
    return tf.nn.bias_add(found, weights["bias"])


def _pooled(step: Step, _: dict[str, tf.Tensor], images: tf.Tensor) -> tf.Tensor:
    size, padding = step.settings["pool_size"], step.settings["padding"].upper()
    return (tf.nn.max_pool2d if step.operation == "max_pool" else tf.nn.avg_pool2d)(
        images, size, size, padding
    )


_OPERATIONS = shared_operations(tf) | {
    "conv": _conv,
    "subsample": lambda step, weights, x: (
        4.0 * tf.nn.avg_pool2d(x, 2, 2, "VALID") * weights["coefficient"] + weights["bias"]
    ),
    "relu": lambda step, _, x: tf.nn.relu(x),
    "max_pool": _pooled,
    "mean_pool": _pooled,
    "mean": lambda step, _, x: tf.reduce_mean(x, (1, 2)),
}

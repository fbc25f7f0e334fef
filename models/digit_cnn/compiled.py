"""A digit network for many images: the Keras network without batch norm, as a graph.

A graph of TensorFlow joins a convolution with its bias and ReLU, and oneDNN multiplies bfloat16 several times as fast
as float32 where the processor has instructions for it. One image is answered sooner by ``models.digit_cnn.serving``.
"""

from __future__ import annotations

from functools import partial

import numpy as np
import tensorflow as tf

from models.digit_cnn.config import DigitCNNConfig
from models.digit_cnn.network import build_digit_cnn
from models.digit_cnn.plan import folded
from models.layers.fast_lstm import Products, chosen_products
from models.presets.kinds import Arrays
from models.serving.blas_threads import in_threads, usable_cores
from models.storage.variables import assign_arrays

_IMAGES_AT_ONCE = 512
_FEWEST_A_CORE = 128


class CompiledCNN:
    """A trained network with its weights by path.

    ``products`` is what activations and the factors of products are rounded to; None for what this processor multiplies
    fastest. The last layer is float32 either way.
    """

    def __init__(self, config: DigitCNNConfig, arrays: Arrays, products: Products | None = None) -> None:
        self.products: Products = chosen_products(products or "auto")
        self._classes = config.classes
        steps, weights = folded(config.steps, arrays)
        model = build_digit_cnn(config, products=self.products, steps=steps)
        by_path = {f"{step}/{name}": array for step, own in weights.items() for name, array in own.items()}
        assign_arrays(model.weights, by_path)
        signature = [tf.TensorSpec((None, 28, 28, 1), tf.float32)]
        self._answer = tf.function(partial(model, training=False), input_signature=signature)

    def logits(self, images: np.ndarray) -> np.ndarray:
        """Answer images float32 (n, 28, 28, 1), 0 for paper and 1 for ink, with float32 (n, classes)."""
        images = np.asarray(images, np.float32)
        if not len(images):  # which the joined convolutions refuse
            return np.zeros((0, self._classes), np.float32)
        # Cores that answer parts of their own are faster than cores that share every operation.
        count = max(-(-len(images) // _IMAGES_AT_ONCE), min(usable_cores(), len(images) // _FEWEST_A_CORE))
        parts = np.array_split(images, count)
        return np.concatenate([found.numpy() for found in in_threads(self._answer, parts, count)])

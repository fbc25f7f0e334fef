"""Convolutional networks for digits in Keras; ``models.digit_cnn.plan`` says what each of them is.

Of LeNet-5 everything is as published in 1998 but its last layer: there, each class is a fixed 7x12 bitmap, and the
answer is the distance of the 84 numbers before it to that bitmap. Bitmaps help with characters that look alike; ten
digits do not need them, and a linear layer gives logits as every network here does.
"""

from __future__ import annotations

from typing import Any, Literal

import keras
import numpy as np
from keras import ops

from models.digit_cnn.config import DigitCNNConfig
from models.digit_cnn.plan import BATCH_NORM_EPSILON, INPUT, LOGITS, SQUASH_AMPLITUDE, SQUASH_SLOPE, Step
from models.layers.fast_batch_norm import FastBatchNorm

__all__ = ["DigitCNNConfig", "build_digit_cnn"]

Products = Literal["float32", "bfloat16"]
_NORM_MOMENTUM = 0.9


class ScaledTanh(keras.layers.Layer):
    """LeNet's squashing function 1.7159 tanh(2/3 a): f(1) = 1 and f(-1) = -1."""

    def call(self, inputs: Any) -> Any:
        """Map float of any shape to the same shape."""
        return SQUASH_AMPLITUDE * ops.tanh(SQUASH_SLOPE * inputs)


class Subsampling(keras.layers.Layer):
    """LeNet's pooling: the sum of 2x2 neighbours times a learned coefficient of the map, plus a learned bias."""

    def build(self, input_shape: tuple[int | None, ...]) -> None:
        """Make one coefficient and one bias for each map."""
        bound = 2.4 / 4.0  # four inputs, one shared weight
        uniform = keras.initializers.RandomUniform(-bound, bound)
        self.coefficient = self.add_weight((input_shape[-1],), uniform, name="coefficient")
        self.bias = self.add_weight((input_shape[-1],), "zeros", name="bias")

    def call(self, inputs: Any) -> Any:
        """Map float (batch, height, width, maps) to half the height and width."""
        return 4.0 * ops.average_pool(inputs, 2, 2) * self.coefficient + self.bias

    def compute_output_shape(self, input_shape: tuple[int | None, ...]) -> tuple[int | None, ...]:
        """Halve height and width."""
        batch, height, width, maps = input_shape
        return (batch, height // 2, width // 2, maps)


class TableConv2D(keras.layers.Conv2D):
    """A convolution whose output maps read some of the input maps only.

    Args:
        filters: Number of output maps.
        kernel_size: Height and width.
        maps: For each output map the input maps that it reads.
        **kwargs: As for ``keras.layers.Conv2D``.
    """

    def __init__(
        self, filters: int, kernel_size: int, maps: tuple[tuple[int, ...], ...], **kwargs: Any
    ) -> None:
        super().__init__(filters, kernel_size, **kwargs)
        self.maps = tuple(map(tuple, maps))

    def call(self, inputs: Any) -> Any:
        """Map float (batch, height, width, input maps) to (batch, height, width, output maps)."""
        mask = ops.cast(connections(self.maps, inputs.shape[-1]), self.compute_dtype)
        outputs = ops.conv(inputs, self.kernel * mask, self.strides, self.padding)
        return outputs + self.bias

    def get_config(self) -> dict[str, Any]:
        """Return every argument."""
        return {**super().get_config(), "maps": self.maps}


class ConnectedUniform(keras.initializers.RandomUniform):
    """Draw uniformly from -bound to bound where maps are connected; 0 elsewhere.

    Args:
        bound: The largest value.
        maps: As for :class:`TableConv2D`.
    """

    def __init__(self, bound: float, maps: tuple[tuple[int, ...], ...]) -> None:
        super().__init__(-bound, bound)
        self.bound, self.maps = bound, maps

    def __call__(self, shape: tuple[int, ...], dtype: Any = None) -> Any:
        """Return a kernel (height, width, input maps, output maps)."""
        drawn = super().__call__(shape, dtype)
        return drawn * ops.cast(connections(self.maps, shape[2]), drawn.dtype)

    def get_config(self) -> dict[str, Any]:
        """Return every argument."""
        return {"bound": self.bound, "maps": self.maps}


def connections(maps: tuple[tuple[int, ...], ...], inputs: int) -> np.ndarray:
    """Return 1 where an output map reads an input map, else 0, float32 (1, 1, inputs, outputs)."""
    mask = np.zeros((1, 1, inputs, len(maps)), np.float32)
    for to, read in enumerate(maps):
        mask[0, 0, list(read), to] = 1.0
    return mask


def build_digit_cnn(config: DigitCNNConfig, *, products: Products = "float32") -> keras.Model:
    """Build the network.

    Args:
        config: Its arguments.
        products: What activations and the factors of products are rounded to, in training and outside; weights and
            logits are float32 either way and have the same names.

    Returns:
        Images float32 (batch, 28, 28, 1), 0 for paper and 1 for ink, to logits float32 (batch, classes).
    """
    steps = config.steps
    dtype = "mixed_bfloat16" if products == "bfloat16" else "float32"
    outputs = {INPUT: keras.Input((28, 28, 1), dtype="float32", name=INPUT)}
    for step in steps:
        inputs = [outputs[name] for name in step.inputs]
        layer = _layer(step, config, "float32" if step.name == LOGITS else dtype)
        outputs[step.name] = layer(inputs if len(inputs) > 1 else inputs[0])
    return keras.Model(outputs[INPUT], outputs[LOGITS], name=f"digit_{config.architecture}")


def _layer(step: Step, config: DigitCNNConfig, dtype: str) -> keras.layers.Layer:
    """Make the Keras layer of a step."""
    given = {"name": step.name, "dtype": dtype}
    layers, settings = keras.layers, step.settings
    match step.operation:
        case "crop":
            return layers.Cropping2D(settings["border"], **given)
        case "pad":
            return layers.ZeroPadding2D(settings["border"], **given)
        case "rescale":
            return layers.Rescaling(settings["scale"], settings["offset"], **given)
        case "conv":
            return _conv(step, config, given)
        case "subsample":
            return Subsampling(**given)
        case "batch_norm":
            first = "zeros" if settings["zero"] else "ones"
            return FastBatchNorm(
                momentum=_NORM_MOMENTUM,
                epsilon=BATCH_NORM_EPSILON,
                gamma_initializer=first,
                name=step.name,
            )
        case "relu":
            return layers.ReLU(**given)
        case "squash":
            return ScaledTanh(**given)
        case "max_pool":
            return layers.MaxPooling2D(settings["size"], **given)
        case "mean_pool":
            return layers.AveragePooling2D(settings["size"], padding="same", **given)
        case "mean":
            return layers.GlobalAveragePooling2D(**given)
        case "add":
            return layers.Add(**given)
        case "flatten":
            return layers.Flatten(**given)
        case "dropout":
            return layers.Dropout(settings["rate"], **given)
        case _:
            start = _lenet_start(step) if config.architecture == "lenet5" else "glorot_uniform"
            return layers.Dense(step.shape[0], kernel_initializer=start, **given)


def _conv(step: Step, config: DigitCNNConfig, given: dict[str, str]) -> keras.layers.Layer:
    size, filters = step.arrays["kernel"][0], step.shape[-1]
    lenet = config.architecture == "lenet5"
    given = given | {
        "kernel_initializer": _lenet_start(step) if lenet else "he_normal",
        "padding": "same" if step.settings["same"] else "valid",
    }
    maps = step.settings.get("maps")
    if maps is not None:
        return TableConv2D(filters, size, maps, **given)
    return keras.layers.Conv2D(
        filters, size, strides=step.settings["stride"], use_bias="bias" in step.arrays, **given
    )


def _lenet_start(step: Step) -> keras.initializers.Initializer:
    """Draw from -2.4/F to 2.4/F, where F is the number of inputs of a unit (appendix A of the paper)."""
    bound = 2.4 / (step.connections / step.arrays["kernel"][-1])
    maps = step.settings.get("maps")
    return keras.initializers.RandomUniform(-bound, bound) if maps is None else ConnectedUniform(bound, maps)

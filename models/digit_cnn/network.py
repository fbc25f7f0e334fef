"""Convolutional networks for digits in Keras; ``models.digit_cnn.plan`` says what each of them is.

Of LeNet-5 everything is as published in 1998 but its last layer: there, each class is a fixed 7x12 bitmap, and the
answer is the distance of the 84 numbers before it to that bitmap. Bitmaps help with characters that look alike; ten
digits do not need them, and a linear layer gives logits as every network here does.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, Literal

import keras
from keras import layers, ops

from models.digit_cnn.config import DigitCNNConfig
from models.digit_cnn.plan import INPUT, LOGITS, SQUASH_AMPLITUDE, SQUASH_SLOPE, Step, connections, run
from models.layers.arguments import KeepsArguments, registered
from models.layers.fast_batch_norm import FastBatchNorm

Products = Literal["float32", "bfloat16"]


@registered
class ScaledTanh(layers.Layer):
    """LeNet's squashing function 1.7159 tanh(2/3 a): f(1) = 1 and f(-1) = -1."""

    def call(self, inputs: Any) -> Any:
        """Map float of any shape to the same shape."""
        return SQUASH_AMPLITUDE * ops.tanh(SQUASH_SLOPE * inputs)


@registered
class Subsampling(layers.Layer):
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


@registered
class TableConv2D(KeepsArguments, layers.Conv2D):
    """A convolution whose output maps read some of the input maps only: ``maps`` lists them for each output map."""

    def __init__(
        self, filters: int, kernel_size: int, maps: tuple[tuple[int, ...], ...], **kwargs: Any
    ) -> None:
        super().__init__(filters, kernel_size, **kwargs)
        self.maps = tuple(map(tuple, maps))

    def build(self, input_shape: tuple[int | None, ...]) -> None:
        """Make the weights; those between maps that are not connected are 0."""
        super().build(input_shape)
        self.kernel.assign(self.kernel * connections(self.maps, input_shape[-1]))

    def call(self, inputs: Any) -> Any:
        """Map float (batch, height, width, input maps) to (batch, height, width, output maps)."""
        mask = ops.cast(connections(self.maps, inputs.shape[-1]), self.compute_dtype)
        return ops.conv(inputs, self.kernel * mask, self.strides, self.padding) + self.bias


_LAYERS: dict[str, type[layers.Layer]] = {
    "crop": layers.Cropping2D, "pad": layers.ZeroPadding2D, "rescale": layers.Rescaling,
    "conv": layers.Conv2D, "subsample": Subsampling, "batch_norm": FastBatchNorm, "relu": layers.ReLU,
    "squash": ScaledTanh, "max_pool": layers.MaxPooling2D, "mean_pool": layers.AveragePooling2D,
    "mean": layers.GlobalAveragePooling2D, "add": layers.Add, "flatten": layers.Flatten,
    "dropout": layers.Dropout, "dense": layers.Dense,
}  # fmt: skip


def build_digit_cnn(
    config: DigitCNNConfig, *, products: Products = "float32", steps: Sequence[Step] | None = None
) -> keras.Model:
    """Build the network.

    Args:
        config: Its arguments.
        products: What activations and the factors of products are rounded to, in training and outside; weights and
            logits are float32 either way and have the same names.
        steps: Its plan where that is another one, such as that without batch norms.

    Returns:
        Images float32 (batch, 28, 28, 1), 0 for paper and 1 for ink, to logits float32 (batch, classes).
    """
    image = keras.Input((28, 28, 1), dtype="float32", name=INPUT)

    def layer(step: Step, *inputs: Any) -> Any:
        start = {}
        if step.operation in ("conv", "dense") and config.architecture == "lenet5":
            # Appendix A of the paper: from -2.4/F to 2.4/F, where F is the number of inputs of a unit.
            bound = 2.4 / (step.connections / step.arrays["kernel"][-1])
            start = {"kernel_initializer": keras.initializers.RandomUniform(-bound, bound)}
        return layer_of(step, "float32" if step.name == LOGITS else products, **start)(*inputs)

    return keras.Model(image, run(steps or config.steps, image, layer), name=f"digit_{config.architecture}")


def layer_of(step: Step, products: Products = "float32", **more: Any) -> Any:
    """Make the Keras layer of a step, a function of the tensors that the step reads; ``more`` are its arguments."""
    more = {"name": step.name, **step.settings, **more}
    if step.operation != "batch_norm":  # whose numbers stay float32
        more["dtype"] = "mixed_bfloat16" if products == "bfloat16" else "float32"
    if step.operation == "conv":
        more.setdefault("kernel_initializer", "he_normal")
    layer = (TableConv2D if "maps" in more else _LAYERS[step.operation])(**more)
    return lambda *inputs: layer(inputs[0] if len(inputs) == 1 else list(inputs))

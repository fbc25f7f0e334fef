"""Looking into any Keras image model: activations and weights of every layer, and the gradients of both.

After Karpathy's ConvNetJS (cs.stanford.edu/people/karpathy/convnetjs), whose picture strips the lecture shows. The
gradients are TensorFlow's: Keras itself has none that all its engines share.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any, NamedTuple

import keras
import numpy as np

from data_prep.errors import InputError
from models.inspection.recording import LayerCall, own_weights, recording

_BATCH = 128
_SUMS_TO_ONE = 1e-3  # how near to one the sum of probabilities is


class WeightView(NamedTuple):
    """One weight of a layer: its name, its values, and the gradient of the loss by it, None where it is not trained."""

    name: str
    values: np.ndarray
    gradients: np.ndarray | None


class LayerView(NamedTuple):
    """One call of one layer for one image."""

    name: str
    layer: Any
    activations: np.ndarray  # float32, channels last: (height, width, channels) or (units,)
    gradients: np.ndarray | None  # of the loss by the activations; None where it does not depend on them
    weights: tuple[WeightView, ...]

    @property
    def kind(self) -> str:
        """The layer's class, such as ``Conv2D``."""
        return type(self.layer).__name__

    @property
    def parameters(self) -> int:
        """How many numbers its weights have."""
        return sum(weight.values.size for weight in self.weights)


class Inside(NamedTuple):
    """A model's answer to one image: probabilities float32 (classes,), the loss in nats, and its layers in order."""

    probabilities: np.ndarray
    loss: float
    label: int
    layers: tuple[LayerView, ...]


class HiddenFeatures(NamedTuple):
    """Features of images float32 (images, width), and the name of the layer that they go into."""

    values: np.ndarray
    layer: str


def look_inside(model: keras.Model, image: np.ndarray, label: int | None = None) -> Inside:
    """Send one image forward and the cross entropy of its label back.

    Args:
        model: Any Keras model from images to logits or to probabilities, (batch, classes) with two classes or more.
        image: Float (height, width, channels).
        label: The class whose cross entropy is taken; the model's own answer if not given.

    Returns:
        Activations, weights and gradients of every layer, as at prediction (no dropout, running statistics).

    Raises:
        InputError: The image does not fit the model, the model has no classes, or the label is none of them.
    """
    tf = tensorflow()
    with recording(model) as calls, tf.GradientTape() as tape:
        batch = tf.convert_to_tensor(checked_images(model, image))
        tape.watch(batch)
        output = model(batch, training=False)
        chosen = checked_class(output, label)
        log_probabilities = log_softmax(output)
        loss = -log_probabilities[0, chosen]
    trained = model.trainable_variables
    by_outputs, by_weights = tape.gradient(
        loss, ([call.output for call in calls], [variable.value for variable in trained])
    )
    gradients = {id(variable): found for variable, found in zip(trained, by_weights, strict=True)}
    layers = []
    for call, gradient in zip(calls, by_outputs, strict=True):
        weights = tuple(
            WeightView(weight.name, array(weight.value), _optional(gradients.get(id(weight))))
            for weight in own_weights(call.layer)
        )
        outputs = array(call.output, call.layer)[0]
        by_output = None if gradient is None else array(gradient, call.layer)[0]
        layers.append(LayerView(call.name, call.layer, outputs, by_output, weights))
    return Inside(np.exp(array(log_probabilities)[0]), float(loss), chosen, tuple(layers))


def dead_filters(model: keras.Model, images: np.ndarray) -> dict[str, tuple[int, ...]]:
    """Find the filters and units that answer none of the images: their output is zero everywhere.

    A dead ReLU has no gradient, so training does not bring it back. A channel is counted where it dies and not again
    in the layers behind (pooling, reshaping).

    Args:
        model: Any Keras image model.
        images: Float (images, height, width, channels); a few hundred of the training images say more than one.

    Returns:
        Name of a call, as ``LayerView`` has it, to its dead channels; without those that have none.

    Raises:
        InputError: There is no image, or they do not fit the model.
    """
    peaks: dict[tuple[str, bool], np.ndarray] = {}  # of a call's output, and of its input
    mixing = set()
    for calls in _recorded(model, images):
        for call in calls:
            for output, tensor in ((True, call.output), (False, call.inputs)):
                if keras.ops.is_tensor(tensor):
                    values = np.abs(array(tensor, call.layer))
                    found = values.max(axis=tuple(range(values.ndim - 1)))  # of every channel
                    peaks[call.name, output] = np.maximum(found, peaks.get((call.name, output), found))
            # Whether each channel of the output has weights for all of the input, as in a convolution, not a norm.
            shapes = [weight.shape for weight in own_weights(call.layer)]
            if any(len(shape) > 1 and shape[-1] == peaks[call.name, True].size for shape in shapes):
                mixing.add(call.name)
    dead = {}
    for name in (name for name, output in peaks if output):
        zero, given = peaks[name, True] == 0, peaks.get((name, False))
        if name not in mixing:
            # A reshaped or pooled channel did not die here; neither did one that came in dead.
            zero &= given > 0 if given is not None and given.shape == zero.shape else False
        if zero.any():
            dead[name] = tuple(np.flatnonzero(zero).tolist())
    return dead


def hidden_features(model: keras.Model, images: np.ndarray) -> HiddenFeatures:
    """Compute the last hidden layer, what goes into the last layer with weights, one flat row an image.

    Raises:
        InputError: There is no image, they do not fit the model, or it has no layer with weights.
    """
    rows, name = [], ""
    for calls in _recorded(model, images):
        with_weights = [call for call in calls if own_weights(call.layer)]
        if not with_weights:
            raise InputError("The model has no layer with weights, so it has no hidden layer")
        features, name = array(with_weights[-1].inputs), with_weights[-1].name
        rows.append(features.reshape(len(features), -1))
    return HiddenFeatures(np.concatenate(rows), name)


def tensorflow() -> Any:
    """Import TensorFlow, which takes the gradients, or refuse another engine."""
    engine = keras.backend.backend()
    if engine != "tensorflow":
        raise InputError(
            "Looking into a network needs TensorFlow's gradients",
            allowed="KERAS_BACKEND=tensorflow",
            received=engine,
        )
    import tensorflow as tf

    return tf


def checked_images(model: keras.Model, images: np.ndarray) -> np.ndarray:
    """Return images float (images, height, width, channels), or make a batch of one without the first mode.

    Raises:
        InputError: They are none, not of the model's size, or not finite.
    """
    if isinstance(images, np.ndarray) and images.ndim == 3:
        images = images[None]
    if not isinstance(images, np.ndarray) or images.ndim != 4 or images.dtype.kind != "f" or not images.size:
        received = f"{images.dtype}{list(images.shape)}" if isinstance(images, np.ndarray) else type(images)
        allowed = "float (images, height, width, channels)"
        raise InputError("These are no images", allowed=allowed, received=received)
    wanted = getattr(model, "input_shape", None)  # a subclassed model that was never built has none
    own = images.shape[1:]
    if isinstance(wanted, tuple) and not (
        len(wanted) == 4 and all(size in (None, side) for size, side in zip(wanted[1:], own, strict=True))
    ):
        raise InputError("The image does not fit the network", allowed=str(wanted[1:]), received=own)
    if not np.isfinite(images).all():
        raise InputError("An image has values that are no finite numbers")
    return images


def checked_class(output: Any, label: int | None) -> int:
    """Return the number of a class of the output (batch, classes); None for the answer to the first image."""
    shape = tuple(getattr(output, "shape", ()))
    if len(shape) != 2 or shape[1] < 2:
        raise InputError(
            "The network does not answer with classes", allowed="(batch, 2 or more)", received=shape
        )
    if label is None:
        return int(np.argmax(output[0]))
    if isinstance(label, bool) or not isinstance(label, int | np.integer) or not 0 <= label < shape[1]:
        raise InputError("There is no such class", allowed=f"0 to {shape[1] - 1}", received=label)
    return int(label)


def log_softmax(output: Any) -> Any:
    """Turn logits, or probabilities, which are told by their sums of one, into logarithms, float32 or wider."""
    if keras.backend.standardize_dtype(output.dtype) in ("float16", "bfloat16"):
        output = keras.ops.cast(output, "float32")
    values = array(output)
    if (values >= 0).all() and np.allclose(values.sum(axis=-1), 1.0, rtol=0.0, atol=_SUMS_TO_ONE):
        return keras.ops.log(keras.ops.maximum(output, keras.config.epsilon()))
    return keras.ops.log_softmax(output, axis=-1)


def array(tensor: Any, layer: Any = None) -> np.ndarray:
    """Copy a tensor into a float32 array; float64 stays. That of a layer gets its channels as the last mode."""
    if keras.backend.standardize_dtype(tensor.dtype) not in ("float32", "float64"):
        tensor = keras.ops.cast(tensor, "float32")
    values = np.array(tensor.numpy(), copy=True)
    if values.ndim == 4 and getattr(layer, "data_format", "channels_last") == "channels_first":
        values = np.moveaxis(values, 1, -1)
    return values


def _recorded(model: keras.Model, images: np.ndarray) -> Iterator[list[LayerCall]]:
    """Check images, send them through a model part by part, and give the calls of its layers."""
    images = checked_images(model, images)
    for start in range(0, len(images), _BATCH):
        with recording(model) as calls:
            model(tensorflow().convert_to_tensor(images[start : start + _BATCH]), training=False)
        yield calls


def _optional(tensor: Any) -> np.ndarray | None:
    return None if tensor is None else array(tensor)

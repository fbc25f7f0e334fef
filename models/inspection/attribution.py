"""Which pixels speak for an answer: saliency and occlusion maps of any Keras image model.

Saliency is the gradient of a class's output by the pixels (Simonyan, Vedaldi and Zisserman 2013, "Deep inside
convolutional networks"), TensorFlow's; occlusion covers the image patch by patch and measures what the probability
loses (Zeiler and Fergus 2013, "Visualizing and understanding convolutional networks").
"""

from __future__ import annotations

import keras
import numpy as np

from models.inspection.image_networks import array, checked_class, checked_images, log_softmax, tensorflow
from models.inspection.occlusion import occluded


def saliency(model: keras.Model, image: np.ndarray, label: int) -> np.ndarray:
    """Compute how the output of a class changes with each pixel.

    Args:
        model: Any Keras model from images to classes; for one that ends in logits the gradient is that of the logit,
            else that of the probability.
        image: Float (height, width, channels).
        label: The class.

    Returns:
        The gradient, with its sign, (height, width, channels).

    Raises:
        InputError: The image does not fit, the model has no classes, or the label is none of them.
    """
    tf = tensorflow()
    batch = tf.convert_to_tensor(checked_images(model, image))
    with tf.GradientTape() as tape:
        tape.watch(batch)
        output = model(batch, training=False)
        chosen = output[0, checked_class(output, label)]
    gradient = tape.gradient(chosen, batch)
    return np.zeros_like(image) if gradient is None else array(gradient)[0]


def occlusion_map(
    model: keras.Model, image: np.ndarray, label: int, *, patch: int = 5, stride: int = 1, fill: float = 0.0
) -> np.ndarray:
    """Measure what the probability of a class loses when a patch of the image is covered.

    Args:
        model: Any Keras model from images to classes.
        image: Float (height, width, channels).
        label: The class.
        patch: Side of the covered square in pixels; at the borders as much of it as lies inside.
        stride: Pixels from one patch to the next; every pixel is covered if it is at most ``patch``.
        fill: Value that covers, such as that of the background.

    Returns:
        Float32 (height, width): the mean loss of probability over the patches that cover the pixel; negative where
        covering it helps.

    Raises:
        InputError: The image does not fit, the label is no class, or patch or stride is out of bounds.
    """
    return occluded(
        lambda images: _probabilities(model, images, label),
        checked_images(model, image),
        patch=patch,
        stride=stride,
        fill=fill,
    )


def _probabilities(model: keras.Model, images: np.ndarray, label: int) -> np.ndarray:
    output = model(tensorflow().convert_to_tensor(images), training=False)
    chosen = checked_class(output, label)
    return np.exp(array(log_softmax(output))[:, chosen].astype(np.float64))

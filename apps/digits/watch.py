"""What a digit network shows while it trains: how good it is by now, one image from the inside, and the hardest ones.

All of it is computed in NumPy from the weights of now, on a sample of images that stays the same.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import TYPE_CHECKING, Any

import numpy as np

from apps.digits.strips import packed, strip_of
from apps.shared.measures import confusion_matrix
from data_prep.errors import InputError
from data_prep.images.preparation import LabelledImages, digit_batch
from models.digit_cnn.config import DigitCNNConfig
from models.digit_cnn.inside import OpenNetwork
from models.digit_cnn.serving import PackedCNN
from models.serving.operations import softmax
from models.storage.variables import variable_arrays
from models.training.watching import Seen

if TYPE_CHECKING:
    import keras

# A class or the number of an image of the sample, how many layers of it, and by how many pixels images move as well.
WATCHED = {"image": "#0", "layers": "2", "shift": "0"}
MOST_LAYERS, MOST_SHIFT = 8, 8
_SAMPLE = (100, 300)  # images, fewer for large networks
_MULTIPLY_ADDS = 1_000_000_000  # for the answers to the sample
_HARDEST = 6
_MOST_CLASSES = 26  # of which a confusion matrix is drawn
_SHARES = 10  # classes of which the probability is said
_MOST_CHANNELS, _MOST_NUMBERS = 16, 4_608  # of a layer that is drawn
_MOVED_SAMPLE = 150  # images that are moved, and answered
_MOVED, _MOVED_LAYERS = 16, 4  # images whose activations are followed, in so many layers
_ACTIVE, _POOLED = ("relu", "squash"), ("max_pool", "mean_pool", "subsample")


def seer(
    config: DigitCNNConfig, labels: Sequence[str], images: LabelledImages, *, held_out: bool
) -> Callable[[keras.Model, Mapping[str, str]], Seen]:
    """Make what looks at a network while it trains.

    Args:
        config: Of the network.
        labels: The classes in the order of the logits.
        images: The first of them are the sample.
        held_out: Whether the network does not learn from these.

    Returns:
        A network and what is asked, by the names of ``WATCHED``, to what it shows; an ``InputError`` where that makes
        no sense.
    """
    sample = images.part(slice(int(np.clip(_MULTIPLY_ADDS // config.multiply_adds, *_SAMPLE))))
    batch, prefix = digit_batch(sample.images), "held_out" if held_out else "training_sample"

    def see(model: keras.Model, watch: Mapping[str, str]) -> Seen:
        at, layers, most = _asked({**WATCHED, **watch}, labels, sample.labels)
        arrays = variable_arrays(model.weights)
        network, inside = PackedCNN(config, arrays), OpenNetwork(config, arrays)
        shares = softmax(network.logits(batch))
        if not np.isfinite(shares).all():  # weights that are not: the training is about to be refused
            return Seen({})
        losses, right = _scored(shares, sample.labels)
        numbers = {"loss": losses.mean(), "accuracy": 100 * right.mean()}
        picture = {
            "n": len(losses),
            "held_out": held_out,
            "image": {"number": at, "pixels": sample.images[at], "label": labels[sample.labels[at]]},
            **_look(inside, batch[at], int(sample.labels[at]), labels, layers),
            "hardest": _hardest(sample, shares, losses, labels),
        }
        if len(labels) <= _MOST_CLASSES:
            confusion = confusion_matrix(sample.labels, shares.argmax(axis=1), len(labels))
            picture |= {"labels": list(labels), "confusion": np.array(confusion, np.uint16)}
        if most:
            some = slice(_MOVED_SAMPLE)
            accuracy = _moved_accuracy(network, batch[some], sample.labels[some], most)
            numbers |= {f"accuracy_moved_by_{by}": accuracy[by] for by in range(1, most + 1)}
            followed = _evenly(
                [
                    one.name
                    for one in config.steps
                    if one.operation in _ACTIVE + _POOLED and len(one.shape) == 3
                ],
                _MOVED_LAYERS,
            )
            picture["moved"] = {
                "n": len(batch[some]),
                "accuracy": accuracy,
                **movement(inside, batch[:_MOVED], followed, most),
            }
        return Seen({f"{prefix}_{name}": float(value) for name, value in numbers.items()}, picture)

    return see


def _hardest(
    sample: LabelledImages, shares: np.ndarray, losses: np.ndarray, labels: Sequence[str]
) -> list[dict[str, Any]]:
    """Return the images with the highest loss: what they are, what the network says, and how sure it is."""
    return [
        {
            "pixels": sample.images[at],
            "label": labels[sample.labels[at]],
            "answer": labels[shares[at].argmax()],
            "share": shares[at].max(),
        }
        for at in np.argsort(-losses, kind="stable")[:_HARDEST]
    ]


def moved(images: np.ndarray, down: int, right: int) -> np.ndarray:
    """Move images (n, height, width, ...) by whole pixels; what comes in is 0, what goes out is lost."""
    found = np.zeros_like(images)
    to, of = [], []
    for by, length in zip((down, right), images.shape[1:3], strict=True):
        to.append(slice(max(by, 0), length + min(by, 0)))
        of.append(slice(max(-by, 0), length + min(-by, 0)))
    found[:, to[0], to[1]] = images[:, of[0], of[1]]
    return found


def movement(network: OpenNetwork, images: np.ndarray, layers: Sequence[str], most: int) -> dict[str, Any]:
    """Follow the activations of layers while images move to the right by 1 to ``most`` pixels.

    Returns:
        ``layers``, their names; ``change``, how far activations are from those before: the length of the difference by
        the length of the activations before, 0 for an invariant layer; ``error``, the same after those before have been
        moved by the whole number of places, none or more, that fits best: 0 for an equivariant layer. Both float
        (layers, most). Places that come in or go out are not compared.
    """
    before = network.activations(images)
    change, error = np.zeros((2, len(layers), most))
    for by in range(1, most + 1):
        after = network.activations(moved(images, 0, by))
        for row, name in enumerate(layers):
            old, new = before[name], after[name]
            width = old.shape[2]
            distances = [
                np.linalg.norm(new[:, :, places:] - old[:, :, : width - places])
                / max(np.linalg.norm(old[:, :, : width - places]), 1e-12)
                for places in range(min(by, width - 1) + 1)
            ]
            change[row, by - 1], error[row, by - 1] = distances[0], min(distances)
    return {"layers": list(layers), "change": change, "error": error}


def _moved_accuracy(network: PackedCNN, batch: np.ndarray, labels: np.ndarray, most: int) -> list[float]:
    """Return the share of right answers, percent, to images that moved by 0, 1, ... pixels to four sides by turns."""
    found = []
    for by in range(most + 1):
        images = np.empty_like(batch)
        for turn, (down, right) in enumerate(((0, by), (by, 0), (0, -by), (-by, 0))):
            images[turn::4] = moved(batch[turn::4], down, right)
        found.append(100 * float((network.logits(images).argmax(axis=1) == labels).mean()))
    return found


def _look(
    network: OpenNetwork, image: np.ndarray, label: int, labels: Sequence[str], layers: int
) -> dict[str, Any]:
    """Show one image from the inside: answer, filters of the first layer, and some layers with their gradients."""
    shares, loss, _, views = network.look(image, label)
    best = np.argsort(-shares, kind="stable")[:_SHARES]
    first = next(view for view in views if "kernel" in view.step.arrays)
    (kernel,) = (one for one in first.weights if one[0] == "kernel")
    shown = _evenly([view for view in views if view.step.operation in _ACTIVE], layers)
    return {
        "loss": loss,
        "shares": [(labels[one], shares[one]) for one in best],
        "filters": {"name": first.step.name, "weights": _packed(kernel[1]), "gradients": _packed(kernel[2])},
        "layers": [
            {
                "name": view.step.name,
                "shape": view.step.shape,
                "activations": _packed(view.activations),
                "gradients": _packed(view.gradients),
            }
            for view in shown
        ],
    }


def _packed(values: np.ndarray) -> dict[str, Any]:
    """Turn activations, weights or their gradients into few bytes; of many channels the first."""
    if values.ndim == 3:
        height, width, channels = values.shape
        values = values[..., : max(1, min(channels, _MOST_CHANNELS, _MOST_NUMBERS // (height * width)))]
    return packed(strip_of(np.nan_to_num(values)))


def _scored(shares: np.ndarray, labels: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Return the loss of each answer in nats, and whether it is right."""
    own = np.take_along_axis(shares, labels[:, None], axis=1)[:, 0]
    return -np.log(np.maximum(own, np.finfo(float).tiny)), shares.argmax(axis=1) == labels


def _evenly(items: Sequence[Any], most: int) -> list[Any]:
    """Return at most so many items, the first and the last among them where there are several."""
    places = np.linspace(0, len(items) - 1, min(most, len(items)))
    return [items[place] for place in np.rint(places).astype(int)]


def _asked(watch: Mapping[str, str], labels: Sequence[str], sample: np.ndarray) -> tuple[int, int, int]:
    """Read what is to be looked at: number of an image of the sample, of layers, and of pixels."""
    text, places = watch["image"].strip(), range(len(sample))
    if text in labels:
        found = np.flatnonzero(sample == list(labels).index(text))
        if not len(found):
            raise InputError("No image of the sample shows this class", received=text)
        at = int(found[0])
    elif text[:1] == "#" and text[1:].isdecimal() and int(text[1:]) in places:
        at = int(text[1:])
    else:
        allowed = f"{', '.join(labels[:_MOST_CLASSES])}, or #0 to #{len(sample) - 1}"
        raise InputError("There is no such image to look at", allowed=allowed, received=watch["image"])
    return at, *(
        _number(watch, name, most) for name, most in (("layers", MOST_LAYERS), ("shift", MOST_SHIFT))
    )


def _number(watch: Mapping[str, str], name: str, most: int) -> int:
    text = watch[name].strip()
    if not text.isdecimal() or int(text) > most:
        raise InputError(f"{name} does not fit", allowed=f"0 to {most}", received=watch[name])
    return int(text)

"""Looking into a digit network without Keras: what every layer does for an image, and the gradients of that.

The same for any Keras image model: ``models.inspection``.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, NamedTuple

import numpy as np

from models.digit_cnn.config import DigitCNNConfig
from models.digit_cnn.plan import BATCH_NORM_EPSILON, INPUT, SQUASH_AMPLITUDE, SQUASH_SLOPE, Step, connections
from models.digit_cnn.serving import OPERATIONS, PackedPlan, blocks, cropped, padded
from models.presets.kinds import Arrays
from models.serving.blas_threads import one_blas_thread
from models.serving.operations import softmax

Weights = dict[str, np.ndarray]
Gradients = tuple[tuple[np.ndarray, ...], Weights]  # by what a step reads, and by its weights
_IMAGES_AT_ONCE = 10  # whose layers are all kept
# By operation, the class of the Keras layer.
_KINDS = {
    "crop": "Cropping2D", "pad": "ZeroPadding2D", "rescale": "Rescaling", "conv": "Conv2D",
    "subsample": "Subsampling", "batch_norm": "FastBatchNorm", "relu": "ReLU", "squash": "ScaledTanh",
    "max_pool": "MaxPooling2D", "mean_pool": "AveragePooling2D", "mean": "GlobalAveragePooling2D", "add": "Add",
    "flatten": "Flatten", "dropout": "Dropout", "dense": "Dense",
}  # fmt: skip


class LayerView(NamedTuple):
    """One layer for one image: activations float32 (height, width, channels) or (units,), and gradients of a loss.

    ``weights`` are name, values and gradient of each, None where it is not trained.
    """

    step: Step
    activations: np.ndarray
    gradients: np.ndarray
    weights: tuple[tuple[str, np.ndarray, np.ndarray | None], ...]

    @property
    def kind(self) -> str:
        """The class of the Keras layer, such as ``Conv2D``."""
        return "TableConv2D" if "maps" in self.step.settings else _KINDS[self.step.operation]


class OpenNetwork:
    """A digit network whose layers can be looked at; threads can share it."""

    def __init__(self, config: DigitCNNConfig, arrays: Arrays) -> None:
        self._steps = config.steps
        self._stored = {s.name: {n: arrays[f"{s.name}/{n}"] for n in s.arrays} for s in config.steps}
        self._weights = {step.name: dict(self._stored[step.name]) for step in config.steps}
        for step in config.steps:
            if step.operation == "conv":
                own, shape = self._weights[step.name], step.arrays["kernel"]
                if "maps" in step.settings:
                    own["kernel"] = own["kernel"] * connections(step.settings["maps"], shape[2])
                own["kernel"] = own["kernel"].reshape(-1, shape[-1])
                own.setdefault("bias", np.zeros(shape[-1], np.float32))

    def look(
        self, image: np.ndarray, label: int | None = None
    ) -> tuple[np.ndarray, float, int, list[LayerView]]:
        """Send one image float32 (28, 28, 1) forward and the cross entropy of a label back; its own answer for None.

        Returns:
            Probabilities float64 (classes,), the loss in nats, the label, and the layers in their order.
        """
        values = self.activations(image[None])
        logits = values[self._steps[-1].name]
        shares = softmax(logits)[0]
        label = int(shares.argmax()) if label is None else label
        gradients, by_weights = self._back(values, (shares - np.eye(len(shares))[label])[None])
        layers = []
        for step in self._steps:
            own = self._stored[step.name].items()
            weights = tuple((name, array, by_weights[step.name].get(name)) for name, array in own)
            layers.append(LayerView(step, values[step.name][0], gradients[step.name][0], weights))
        return shares, -float(np.log(max(shares[label], np.finfo(float).tiny))), label, layers

    def saliency(self, image: np.ndarray, label: int) -> np.ndarray:
        """Give the gradient of the logit of a label by the pixels, float32 (28, 28, 1) as the image."""
        values = self.activations(image[None])
        direction = np.zeros_like(values[self._steps[-1].name])
        direction[0, label] = 1.0
        return self._back(values, direction)[0][INPUT][0]

    def hidden(self, images: np.ndarray) -> np.ndarray:
        """Return what goes into the last layer with weights, float32 (images, numbers)."""
        last = [step for step in self._steps if step.arrays][-1]
        before = self._steps[: [step.name for step in self._steps].index(last.inputs[0]) + 1]
        stored = {
            f"{layer}/{name}": array for layer, own in self._stored.items() for name, array in own.items()
        }
        return PackedPlan(before, stored).in_parts(images).reshape(len(images), -1)

    def dead(self, images: np.ndarray) -> dict[str, tuple[int, ...]]:
        """Find the channels and units that are zero for all images, by the layer where they die."""
        peaks: Weights = {}
        for start in range(0, len(images), _IMAGES_AT_ONCE):
            for name, values in self.activations(images[start : start + _IMAGES_AT_ONCE]).items():
                peak = np.abs(values).max(axis=tuple(range(values.ndim - 1)))
                peaks[name] = np.maximum(peak, peaks.get(name, peak))
        found = {}
        for step in self._steps:
            zero, given = peaks[step.name] == 0, peaks[step.inputs[0]]
            if "kernel" not in step.arrays:
                # A reshaped or pooled channel did not die here; neither did one that came in dead.
                same = len(step.inputs) == 1 and given.shape == zero.shape
                zero = zero & (given > 0) if same else np.zeros_like(zero)
            if zero.any():
                found[step.name] = tuple(np.flatnonzero(zero).tolist())
        return found

    def activations(self, images: np.ndarray) -> Weights:
        """Return what every step makes of images float32 (n, 28, 28, 1), by its name, and the images."""
        values = {INPUT: images}
        with one_blas_thread():
            for step in self._steps:
                inputs = (values[name] for name in step.inputs)
                compute = _batch_norm if step.operation == "batch_norm" else OPERATIONS[step.operation]
                values[step.name] = compute(step, self._weights[step.name], *inputs)
        return values

    def _back(
        self, values: dict[str, np.ndarray], gradient: np.ndarray
    ) -> tuple[Weights, dict[str, Weights]]:
        """Give the gradients by every output of a step, and by its weights."""
        gradients, by_weights = {self._steps[-1].name: gradient.astype(np.float32)}, {}
        with one_blas_thread():
            for step in reversed(self._steps):
                inputs = tuple(values[name] for name in step.inputs)
                own = self._weights[step.name]
                back = _BACK[step.operation](step, own, gradients[step.name], values[step.name], *inputs)
                by_inputs, by_weights[step.name] = back if isinstance(back, tuple) else ([back], {})
                for name, one in zip(step.inputs, by_inputs, strict=True):
                    gradients[name] = gradients[name] + one if name in gradients else one
        return gradients, by_weights


def _scale(own: Weights) -> np.ndarray:
    return own["gamma"] / np.sqrt(own["moving_variance"] + np.float32(BATCH_NORM_EPSILON))


def _batch_norm(step: Step, own: Weights, x: np.ndarray) -> np.ndarray:
    return (x - own["moving_mean"]) * _scale(own) + own["beta"]


def _norm_back(step: Step, own: Weights, g: np.ndarray, y: np.ndarray, x: np.ndarray) -> Gradients:
    normal = (x - own["moving_mean"]) / np.sqrt(own["moving_variance"] + np.float32(BATCH_NORM_EPSILON))
    return [g * _scale(own)], {"gamma": (g * normal).sum((0, 1, 2)), "beta": g.sum((0, 1, 2))}


def _conv_back(step: Step, own: Weights, g: np.ndarray, y: np.ndarray, x: np.ndarray) -> Gradients:
    size, stride = step.settings["kernel_size"], step.settings["strides"]
    kernel = own["kernel"].reshape(step.arrays["kernel"])
    wide, (top, left) = padded(step, x)
    by_input, by_kernel = np.zeros_like(wide), np.zeros_like(kernel)
    for row in range(size):
        for column in range(size):
            seen = (
                slice(None),
                slice(row, row + stride * g.shape[1], stride),
                slice(column, column + stride * g.shape[2], stride),
            )
            by_input[seen] += g @ kernel[row, column].T
            by_kernel[row, column] = np.tensordot(wide[seen], g, ((0, 1, 2), (0, 1, 2)))
    if "maps" in step.settings:
        by_kernel *= connections(step.settings["maps"], kernel.shape[2])
    inside = by_input[:, top : top + x.shape[1], left : left + x.shape[2]]
    return [inside], {"kernel": by_kernel, "bias": g.sum((0, 1, 2))}


def _dense_back(step: Step, own: Weights, g: np.ndarray, y: np.ndarray, x: np.ndarray) -> Gradients:
    return [g @ own["kernel"].T], {"kernel": x.T @ g, "bias": g.sum(0)}


def _spread(g: np.ndarray, size: tuple[int, int], like: np.ndarray) -> np.ndarray:
    """Repeat every number over its block, and cut or fill up to the shape of what was pooled."""
    wide = g.repeat(size[0], axis=1).repeat(size[1], axis=2)[:, : like.shape[1], : like.shape[2]]
    lacking = [(0, max(n - m, 0)) for n, m in zip(like.shape, wide.shape, strict=True)]
    return np.pad(wide, lacking)


def _max_back(step: Step, own: Weights, g: np.ndarray, y: np.ndarray, x: np.ndarray) -> np.ndarray:
    """Give a gradient to the first of the largest numbers of a block."""
    cut = blocks(x, step.settings["pool_size"]).transpose(0, 1, 3, 5, 2, 4)  # (..., rows, columns)
    flat = cut.reshape(*cut.shape[:4], -1)
    chosen = np.arange(flat.shape[-1]) == flat.argmax(axis=-1)[..., None]
    back = (chosen * g[..., None]).reshape(cut.shape).transpose(0, 1, 4, 2, 5, 3)
    return _spread(back.reshape(len(x), g.shape[1] * cut.shape[4], -1, g.shape[3]), (1, 1), x)


def _mean_back(step: Step, own: Weights, g: np.ndarray, y: np.ndarray, x: np.ndarray) -> np.ndarray:
    size = step.settings["pool_size"]
    # Blocks at the ends have fewer numbers.
    counts = [np.diff([*range(0, n, s), n]) for n, s in zip(x.shape[1:3], size, strict=True)]
    return _spread(g / np.outer(*counts)[:, :, None].astype(np.float32), size, x)


def _subsample_back(step: Step, own: Weights, g: np.ndarray, y: np.ndarray, x: np.ndarray) -> Gradients:
    sums = blocks(x, (2, 2)).sum(axis=(2, 4))
    by_weights = {"coefficient": (g * sums).sum((0, 1, 2)), "bias": g.sum((0, 1, 2))}
    return [_spread(g * own["coefficient"], (2, 2), x)], by_weights


def _margin(amount: int) -> list[tuple[int, int]]:
    return [(0, 0), (amount, amount), (amount, amount), (0, 0)]


_BACK: dict[str, Callable[..., Any]] = {
    "crop": lambda step, own, g, y, x: np.pad(g, _margin(step.settings["cropping"])),
    "pad": lambda step, own, g, y, x: cropped(g, step.settings["padding"]),
    "rescale": lambda step, own, g, y, x: g * np.float32(step.settings["scale"]),
    "conv": _conv_back,
    "subsample": _subsample_back,
    "batch_norm": _norm_back,
    "relu": lambda step, own, g, y, x: g * (y > 0),
    "squash": lambda step, own, g, y, x: g * (SQUASH_SLOPE * (SQUASH_AMPLITUDE - y * y / SQUASH_AMPLITUDE)),
    "max_pool": _max_back,
    "mean_pool": _mean_back,
    "mean": lambda step, own, g, y, x: np.broadcast_to(g[:, None, None] / x[0, ..., 0].size, x.shape),
    "add": lambda step, own, g, y, *x: ([g] * len(x), {}),
    "flatten": lambda step, own, g, y, x: g.reshape(x.shape),
    "dropout": lambda step, own, g, y, x: g,
    "dense": _dense_back,
}

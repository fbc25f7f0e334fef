"""A digit network in NumPy for serving; ``models.digit_cnn.plan`` says what it computes.

One image costs a few milliseconds and no TensorFlow. Batch norm is folded into the convolution before it, and a
convolution is one matrix product over all positions of some images at once.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping

import numpy as np

from models.digit_cnn.plan import (
    BATCH_NORM_EPSILON,
    INPUT,
    LOGITS,
    SQUASH_AMPLITUDE,
    SQUASH_SLOPE,
    Step,
    plan_of_arrays,
)
from models.serving.blas_threads import in_threads, one_blas_thread
from models.serving.workspace import Workspace

Arrays = Mapping[str, np.ndarray]
_IMAGES_AT_ONCE = 64
_workspace = Workspace()


class PackedCNN:
    """A trained network; threads can share it.

    Args:
        arrays: Stable path to weight, as ``models.storage.variables.variable_arrays`` and presets give them.
    """

    def __init__(self, arrays: Arrays) -> None:
        self.steps = plan_of_arrays(arrays)
        self._weights = folded_weights(self.steps, arrays)
        self._last_use = {name: at for at, step in enumerate(self.steps) for name in step.inputs}

    @property
    def hidden_name(self) -> str:
        """Name of the last hidden layer, which the logits are a linear function of."""
        return self.steps[-1].inputs[0]

    def logits(self, images: np.ndarray) -> np.ndarray:
        """Answer images.

        Args:
            images: Float32 (n, 28, 28, 1), 0 for paper and 1 for ink.

        Returns:
            Float32 (n, classes).
        """
        return self.outputs(images, (LOGITS,))[LOGITS]

    def hidden(self, images: np.ndarray) -> np.ndarray:
        """Return the last hidden layer of images float32 (n, 28, 28, 1), float32 (n, features)."""
        return self.outputs(images, (self.hidden_name,))[self.hidden_name]

    def outputs(self, images: np.ndarray, names: tuple[str, ...]) -> dict[str, np.ndarray]:
        """Compute the outputs of some layers.

        Args:
            images: Float32 (n, 28, 28, 1).
            names: Of layers of the plan; what stands between a convolution and its batch norm has no output of its
                own here, and has that of the batch norm.

        Returns:
            Name to float32 (n, ...).
        """
        images = np.asarray(images, np.float32)
        starts = range(0, max(len(images), 1), _IMAGES_AT_ONCE)
        with one_blas_thread() as threads:
            parts = list(
                in_threads(
                    lambda at: self._forward(images[at : at + _IMAGES_AT_ONCE], names), starts, threads
                )
            )
        return {name: np.concatenate([part[name] for part in parts]) for name in names}

    def _forward(self, images: np.ndarray, names: tuple[str, ...]) -> dict[str, np.ndarray]:
        values: dict[str, np.ndarray] = {INPUT: images}
        for at, step in enumerate(self.steps):
            inputs = [values[name] for name in step.inputs]
            values[step.name] = _OPERATIONS[step.operation](step, self._weights.get(step.name), *inputs)
            for name in step.inputs:
                if self._last_use[name] == at and name not in names:
                    values.pop(name, None)
        return {name: values[name] for name in names}


Weights = dict[str, np.ndarray]


def folded_weights(steps: tuple[Step, ...], arrays: Arrays) -> dict[str, Weights]:
    """Return the weights of each step, with those of batch norm in the convolution before it."""
    weights = {
        step.name: {name: np.asarray(arrays[f"{step.name}/{name}"], np.float32) for name in step.arrays}
        for step in steps
    }
    for step in steps:
        if step.operation == "conv" and (maps := step.settings.get("maps")) is not None:
            weights[step.name]["kernel"] = _connected(weights[step.name]["kernel"], maps)
        if step.operation != "batch_norm":
            continue
        norm, conv = weights.pop(step.name), weights[step.inputs[0]]
        scale = norm["gamma"] / np.sqrt(norm["moving_variance"] + np.float32(BATCH_NORM_EPSILON))
        conv["kernel"] = conv["kernel"] * scale
        conv["bias"] = norm["beta"] + (conv.get("bias", np.float32(0)) - norm["moving_mean"]) * scale
    for step in steps:
        if step.operation == "conv":  # as a matrix: one column for each filter
            kernel = weights[step.name]["kernel"]
            weights[step.name]["matrix"] = np.ascontiguousarray(kernel.reshape(-1, kernel.shape[-1]))
    return weights


def _connected(kernel: np.ndarray, maps: tuple[tuple[int, ...], ...]) -> np.ndarray:
    found = np.zeros_like(kernel)
    for to, read in enumerate(maps):
        found[:, :, list(read), to] = kernel[:, :, list(read), to]
    return found


def convolved(step: Step, weights: Weights | None, images: np.ndarray) -> np.ndarray:
    """Compute a step ``conv`` with weights of :func:`folded_weights`, float32 (n, height, width, channels)."""
    size, stride = step.arrays["kernel"][0], step.settings["stride"]
    height, width, filters = step.shape
    if step.settings["same"] and size > 1:
        images = np.pad(
            images, ((0, 0), *(_same_padding(n, size, stride) for n in images.shape[1:3]), (0, 0))
        )
    count, _, _, channels = images.shape
    columns = _workspace.array("columns", count, height, width, size, size, channels)
    for row in range(size):
        for column in range(size):
            columns[:, :, :, row, column] = images[
                :,
                row : row + stride * (height - 1) + 1 : stride,
                column : column + stride * (width - 1) + 1 : stride,
            ]
    found = columns.reshape(count * height * width, -1) @ weights["matrix"]
    found += weights["bias"]
    return found.reshape(count, height, width, filters)


def _same_padding(length: int, size: int, stride: int) -> tuple[int, int]:
    """Return zeros before and after, the smaller number first, as TensorFlow pads for "same"."""
    total = max((-(-length // stride) - 1) * stride + size - length, 0)
    return total // 2, total - total // 2


def _blocks(step: Step, images: np.ndarray, size: int) -> np.ndarray:
    """Cut into blocks of ``size`` times ``size``; what is left over at the ends is dropped."""
    height, width, channels = step.shape
    cut = images[:, : height * size, : width * size]
    return cut.reshape(len(images), height, size, width, size, channels)


def _subsample(step: Step, weights: Weights | None, images: np.ndarray) -> np.ndarray:
    return _blocks(step, images, 2).sum(axis=(2, 4)) * weights["coefficient"] + weights["bias"]


def _mean_pool(step: Step, weights: Weights | None, images: np.ndarray) -> np.ndarray:
    """Take the mean of blocks; one that reaches over the end has fewer numbers."""
    starts = [range(0, length, step.settings["size"]) for length in images.shape[1:3]]
    sums = np.add.reduceat(np.add.reduceat(images, starts[0], axis=1), starts[1], axis=2)
    counts = [np.diff([*at, length]) for at, length in zip(starts, images.shape[1:3], strict=True)]
    return sums / np.outer(*counts)[:, :, None].astype(np.float32)


def _squash(step: Step, weights: Weights | None, values: np.ndarray) -> np.ndarray:
    return np.float32(SQUASH_AMPLITUDE) * np.tanh(np.float32(SQUASH_SLOPE) * values)


def _pad(step: Step, weights: Weights | None, images: np.ndarray) -> np.ndarray:
    border = step.settings["border"]
    return np.pad(images, ((0, 0), (border, border), (border, border), (0, 0)))


def _crop(step: Step, weights: Weights | None, images: np.ndarray) -> np.ndarray:
    border = step.settings["border"]
    return images[:, border:-border, border:-border]


_OPERATIONS: dict[str, Callable[..., np.ndarray]] = {
    "crop": _crop,
    "pad": _pad,
    "rescale": lambda step, _, x: (
        x * np.float32(step.settings["scale"]) + np.float32(step.settings["offset"])
    ),
    "conv": convolved,
    "subsample": _subsample,
    "batch_norm": lambda step, _, x: x,  # folded into the convolution
    "relu": lambda step, _, x: np.maximum(x, np.float32(0)),
    "squash": _squash,
    "max_pool": lambda step, _, x: _blocks(step, x, step.settings["size"]).max(axis=(2, 4)),
    "mean_pool": _mean_pool,
    "mean": lambda step, _, x: x.mean(axis=(1, 2)),
    "add": lambda step, _, x, y: x + y,
    "flatten": lambda step, _, x: x.reshape(len(x), math.prod(step.shape)),
    "dense": lambda step, weights, x: x @ weights["kernel"] + weights["bias"],
}

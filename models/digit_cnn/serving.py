"""A digit network in NumPy for serving; ``models.digit_cnn.plan`` says what it computes.

One image costs a few milliseconds and no TensorFlow. Batch norm is folded into the convolution before it, and a
convolution is one matrix product over all positions of some images at once.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from itertools import product

import numpy as np

from models.digit_cnn.config import DigitCNNConfig, digit_specs
from models.digit_cnn.plan import (
    BATCH_NORM_EPSILON,
    LOGITS,
    Step,
    connections,
    output_length,
    run,
    shared_operations,
)
from models.presets.kinds import Arrays, Kind
from models.serving.blas_threads import in_threads, one_blas_thread
from models.serving.workspace import Workspace

Weights = dict[str, np.ndarray]
_IMAGES_AT_ONCE = 64
_workspace = Workspace()


class PackedCNN:
    """A trained network; threads can share it.

    Args:
        config: Of the network.
        arrays: Stable path to weight, as ``models.storage.variables.variable_arrays`` and presets give them.
    """

    def __init__(self, config: DigitCNNConfig, arrays: Arrays) -> None:
        self.steps = config.steps
        self._weights = folded_weights(self.steps, arrays)

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

        def part(at: int) -> dict[str, np.ndarray]:
            return forward(self.steps, self._weights, images[at : at + _IMAGES_AT_ONCE], names)

        with one_blas_thread() as threads:
            parts = list(in_threads(part, starts, threads))
        return {name: np.concatenate([part[name] for part in parts]) for name in names}


def forward(
    steps: Sequence[Step], weights: Mapping[str, Weights], images: np.ndarray, names: Sequence[str]
) -> dict[str, np.ndarray]:
    """Compute a plan.

    Args:
        steps: The plan; images may have another size than it says, up to the first flat layer.
        weights: As :func:`folded_weights` gives them.
        images: Float32 (n, height, width, channels).
        names: Of the outputs that are wanted.

    Returns:
        Name to float32 (n, ...).
    """
    return run(
        steps,
        images,
        lambda step, *inputs: _OPERATIONS[step.operation](step, weights.get(step.name), *inputs),
        names,
    )


def folded_weights(steps: Sequence[Step], arrays: Arrays) -> dict[str, Weights]:
    """Return the weights of each step, with those of batch norm in the convolution before it."""
    weights = {
        step.name: {name: np.asarray(arrays[f"{step.name}/{name}"], np.float32) for name in step.arrays}
        for step in steps
    }
    for step in steps:
        own = weights[step.name]
        if "maps" in step.settings:
            own["kernel"] = own["kernel"] * connections(step.settings["maps"], own["kernel"].shape[2])
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


def _convolved(step: Step, weights: Weights, images: np.ndarray) -> np.ndarray:
    size, stride, padding = (step.settings[name] for name in ("kernel_size", "strides", "padding"))
    height, width = (output_length(n, size, stride, padding) for n in images.shape[1:3])
    if padding == "same" and size > 1:
        sides = (_same_padding(n, size, stride) for n in images.shape[1:3])
        images = np.pad(images, ((0, 0), *sides, (0, 0)))
    count, _, _, channels = images.shape
    columns = _workspace.array("columns", count, height, width, size, size, channels)
    for row, column in product(range(size), repeat=2):
        rows = slice(row, row + stride * (height - 1) + 1, stride)
        columns[:, :, :, row, column] = images[:, rows, column : column + stride * (width - 1) + 1 : stride]
    # One row for each position, one column for each number in its window.
    found = columns.reshape(-1, size * size * channels) @ weights["matrix"]
    found += weights["bias"]
    return found.reshape(count, height, width, found.shape[1])


def _same_padding(length: int, size: int, stride: int) -> tuple[int, int]:
    """Return zeros before and after, the smaller number first, as TensorFlow pads for "same"."""
    total = max((-(-length // stride) - 1) * stride + size - length, 0)
    return total // 2, total - total // 2


def _blocks(images: np.ndarray, size: tuple[int, int]) -> np.ndarray:
    """Cut into blocks (n, height, rows, width, columns, channels); what is left over at the ends is dropped."""
    (rows, columns), (count, height, width, channels) = size, images.shape
    height, width = height // rows, width // columns
    cut = images[:, : height * rows, : width * columns]
    return cut.reshape(count, height, rows, width, columns, channels)


def _mean_pool(step: Step, _: Weights, images: np.ndarray) -> np.ndarray:
    """Take the mean of blocks; one that reaches over the end has fewer numbers."""
    sides = images.shape[1:3]
    starts = [range(0, length, size) for length, size in zip(sides, step.settings["pool_size"], strict=True)]
    sums = np.add.reduceat(np.add.reduceat(images, starts[0], axis=1), starts[1], axis=2)
    counts = [np.diff([*at, length]) for at, length in zip(starts, sides, strict=True)]
    return sums / np.outer(*counts)[:, :, None].astype(np.float32)


_OPERATIONS = shared_operations(np) | {
    "conv": _convolved,
    "subsample": lambda step, weights, x: (
        _blocks(x, (2, 2)).sum(axis=(2, 4)) * weights["coefficient"] + weights["bias"]
    ),
    "relu": lambda step, _, x: np.maximum(x, 0),
    "max_pool": lambda step, _, x: _blocks(x, step.settings["pool_size"]).max(axis=(2, 4)),
    "mean_pool": _mean_pool,
    "mean": lambda step, _, x: x.mean(axis=(1, 2)),
}


def _answer(config: DigitCNNConfig, arrays: Arrays, inputs: Arrays) -> Arrays:
    """Answer ``image`` float32 (n, 28, 28, 1) with ``logits`` float32 (n, classes)."""
    return {"logits": PackedCNN(config, arrays).logits(inputs["image"])}


DIGIT_CNN = Kind(
    DigitCNNConfig,
    arrays=digit_specs,
    answer=_answer,
    network="models.digit_cnn.network:digit_model",
    needs_labels=True,
    classes=lambda config: config.classes,
)

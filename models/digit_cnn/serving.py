"""A digit network in NumPy for serving; ``models.digit_cnn.plan`` says what it computes.

One image costs a few milliseconds and no TensorFlow. Batch norm is folded into the convolution before it, and a
convolution is one matrix product over all positions of some images at once.
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from models.digit_cnn.config import DigitCNNConfig, digit_specs
from models.digit_cnn.plan import SQUASH_AMPLITUDE, SQUASH_SLOPE, Step, folded, output_length, run
from models.presets.kinds import Arrays, Kind
from models.serving.blas_threads import in_threads, one_blas_thread
from models.serving.workspace import Workspace

Weights = dict[str, np.ndarray]
_IMAGES_AT_ONCE = 64
_workspace = Workspace()


class PackedPlan:
    """A plan with its weights, batch norm folded; threads can share it.

    Args:
        steps: The plan; images may have another size than it says, up to the first flat layer.
        arrays: Stable path to weight, as ``models.storage.variables.variable_arrays`` and presets give them.
    """

    def __init__(self, steps: Sequence[Step], arrays: Arrays) -> None:
        self.steps, self._weights = folded(steps, arrays)
        for step in self.steps:
            if step.operation == "conv":  # as a matrix: one column for each filter
                own = self._weights[step.name]
                own["kernel"] = np.ascontiguousarray(own["kernel"].reshape(-1, own["kernel"].shape[-1]))

    def __call__(self, images: np.ndarray) -> np.ndarray:
        """Compute the last step for images float32 (n, height, width, channels), float32 (n, ...)."""

        def compute(step: Step, *inputs: np.ndarray) -> np.ndarray:
            return OPERATIONS[step.operation](step, self._weights[step.name], *inputs)

        return run(self.steps, images, compute)

    def in_parts(self, images: np.ndarray) -> np.ndarray:
        """Compute the same for many images, some at a time, on several cores."""
        images = np.asarray(images, np.float32)
        starts = range(0, max(len(images), 1), _IMAGES_AT_ONCE)
        parts = (images[at : at + _IMAGES_AT_ONCE] for at in starts)
        with one_blas_thread() as threads:
            return np.concatenate(list(in_threads(self, parts, threads)))


class PackedCNN:
    """A trained network with its weights by path; threads can share it."""

    def __init__(self, config: DigitCNNConfig, arrays: Arrays) -> None:
        self._plan = PackedPlan(config.steps, arrays)

    def logits(self, images: np.ndarray) -> np.ndarray:
        """Answer images float32 (n, 28, 28, 1), 0 for paper and 1 for ink, with float32 (n, classes)."""
        return self._plan.in_parts(images)


def padded(step: Step, images: np.ndarray) -> tuple[np.ndarray, tuple[int, int]]:
    """Put the zeros of a convolution around images; return also how many are above and at the left of them."""
    size, stride, padding = (step.settings[name] for name in ("kernel_size", "strides", "padding"))
    if padding != "same" or size == 1:
        return images, (0, 0)
    count, height, width, channels = images.shape
    # As TensorFlow does: the smaller number of zeros first.
    ends = ((output_length(n, size, stride, padding), n) for n in (height, width))
    rows, columns = (max((out - 1) * stride + size - into, 0) for out, into in ends)
    top, left = rows // 2, columns // 2
    wide = np.zeros((count, height + rows, width + columns, channels), images.dtype)
    wide[:, top : top + height, left : left + width] = images
    return wide, (top, left)


def _convolved(step: Step, weights: Weights, images: np.ndarray) -> np.ndarray:
    size, stride, padding = (step.settings[name] for name in ("kernel_size", "strides", "padding"))
    height, width = (output_length(n, size, stride, padding) for n in images.shape[1:3])
    images, _ = padded(step, images)
    count, _, _, channels = images.shape
    image, row, column, channel = images.strides
    columns = _workspace.array("columns", count, height, width, size, size, channels)
    windows = (image, row * stride, column * stride, row, column, channel)
    columns[...] = np.lib.stride_tricks.as_strided(images, columns.shape, windows)
    # One row for each position, one column for each number in its window.
    found = columns.reshape(-1, size * size * channels) @ weights["kernel"]
    found += weights["bias"]
    return found.reshape(count, height, width, found.shape[1])


def blocks(images: np.ndarray, size: tuple[int, int]) -> np.ndarray:
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


def cropped(images: np.ndarray, border: int) -> np.ndarray:
    """Take so many pixels off every side."""
    return images[:, border:-border, border:-border]


def _pad(step: Step, _: Weights, images: np.ndarray) -> np.ndarray:
    border = [step.settings["padding"]] * 2
    return np.pad(images, [[0, 0], border, border, [0, 0]])


def _subsample(step: Step, weights: Weights, images: np.ndarray) -> np.ndarray:
    return blocks(images, (2, 2)).sum(axis=(2, 4)) * weights["coefficient"] + weights["bias"]


OPERATIONS = {
    "crop": lambda step, _, x: cropped(x, step.settings["cropping"]),
    "pad": _pad,
    "rescale": lambda step, _, x: x * step.settings["scale"] + step.settings["offset"],
    "conv": _convolved,
    "subsample": _subsample,
    "relu": lambda step, _, x: np.maximum(x, 0),
    "squash": lambda step, _, x: SQUASH_AMPLITUDE * np.tanh(SQUASH_SLOPE * x),
    "max_pool": lambda step, _, x: blocks(x, step.settings["pool_size"]).max(axis=(2, 4)),
    "mean_pool": _mean_pool,
    "mean": lambda step, _, x: x.mean(axis=(1, 2)),
    "add": lambda step, _, x, y: x + y,
    "flatten": lambda step, _, x: x.reshape(-1, *step.shape),
    "dropout": lambda step, _, x: x,  # for training only
    "dense": lambda step, weights, x: x @ weights["kernel"] + weights["bias"],
}


def _answer(config: DigitCNNConfig, arrays: Arrays, inputs: Arrays) -> Arrays:
    """Answer ``image`` float32 (n, 28, 28, 1) with ``logits`` float32 (n, classes)."""
    return {"logits": PackedCNN(config, arrays).logits(inputs["image"])}


DIGIT_CNN = Kind(
    DigitCNNConfig,
    arrays=digit_specs,
    answer=_answer,
    network="models.digit_cnn.network:build_digit_cnn",
    needs_labels=True,
    classes=lambda config: config.classes,
)

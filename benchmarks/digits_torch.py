"""The digit networks in PyTorch, for ``benchmarks.as_used``: the same plans and weights."""

from __future__ import annotations

import importlib
from collections.abc import Callable, Mapping
from typing import Any

import numpy as np

from models.digit_cnn import plan
from models.digit_cnn.plan import Step, connections


def torch_network(
    steps: tuple[Step, ...], arrays: Mapping[str, np.ndarray], threads: int
) -> Callable[[np.ndarray], np.ndarray]:
    """Build a plan with its weights by path.

    Returns:
        Images float32 (n, 28, 28, 1) to logits float32 (n, classes).
    """
    torch = importlib.import_module("torch")  # optional: it is in requirements-bench.txt only
    torch.set_num_threads(threads)
    operations = _operations(torch)
    weights = {
        step.name: {
            name: _laid_out(step, name, torch.tensor(arrays[f"{step.name}/{name}"])) for name in step.arrays
        }
        for step in steps
    }

    def compute(step: Step, *inputs: Any) -> Any:
        return operations[step.operation](step, weights[step.name], *inputs)

    def logits(images: np.ndarray) -> np.ndarray:
        with torch.inference_mode():
            inputs = torch.from_numpy(np.ascontiguousarray(images.transpose(0, 3, 1, 2)))
            return plan.run(steps, inputs, compute).numpy()

    return logits


def _laid_out(step: Step, name: str, tensor: Any) -> Any:
    """Return a weight in PyTorch's order of axes: (filters, channels, height, width), (outputs, inputs)."""
    if name == "kernel" and "maps" in step.settings:
        tensor = tensor * tensor.new_tensor(connections(step.settings["maps"], tensor.shape[2]))
    if name == "kernel":
        return (tensor.permute(3, 2, 0, 1) if step.operation == "conv" else tensor.T).contiguous()
    return tensor[:, None, None] if step.operation == "subsample" else tensor


def _operations(torch: Any) -> dict[str, Callable[..., Any]]:
    """Return what computes a step; (n, channels, height, width) where Keras has (n, height, width, channels)."""
    functional = torch.nn.functional

    def conv(step: Step, weights: dict[str, Any], images: Any) -> Any:
        kernel, stride = weights["kernel"], step.settings["strides"]
        before = [0, 0]
        if step.settings["padding"] == "same":  # as TensorFlow does: the smaller number of zeros first
            sides = zip(step.shape, images.shape[2:], kernel.shape[2:], strict=False)
            height, width = (max((out - 1) * stride + size - into, 0) for out, into, size in sides)
            before = [height // 2, width // 2]
            if height % 2 or width % 2:
                images = functional.pad(images, [before[1], width - before[1], before[0], height - before[0]])
                before = [0, 0]
        return functional.conv2d(images, kernel, weights.get("bias"), stride, before)

    def batch_norm(step: Step, weights: dict[str, Any], images: Any) -> Any:
        gamma, beta, mean, variance = weights.values()
        return functional.batch_norm(images, mean, variance, gamma, beta, eps=step.settings["epsilon"])

    return {
        "conv": conv,
        "batch_norm": batch_norm,
        "subsample": lambda _, own, x: 4.0 * functional.avg_pool2d(x, 2) * own["coefficient"] + own["bias"],
        "mean_pool": lambda step, _, x: functional.avg_pool2d(x, step.settings["pool_size"], ceil_mode=True),
        "dense": lambda _, own, x: functional.linear(x, own["kernel"], own["bias"]),
        "dropout": lambda _, __, x: x,
        "relu": lambda _, __, x: functional.relu(x),
        "max_pool": lambda step, _, x: functional.max_pool2d(x, step.settings["pool_size"]),
        "add": lambda _, __, x, y: x + y,
        "mean": lambda _, __, x: x.mean(dim=(2, 3)),
        "flatten": lambda _, __, x: x.permute(0, 2, 3, 1).flatten(1),  # Keras' order of the numbers
        "crop": lambda step, _, x: functional.pad(x, [-step.settings["cropping"]] * 4),
        "pad": lambda step, _, x: functional.pad(x, [step.settings["padding"]] * 4),
        "rescale": lambda step, _, x: x * step.settings["scale"] + step.settings["offset"],
        "squash": lambda _, __, x: plan.SQUASH_AMPLITUDE * torch.tanh(plan.SQUASH_SLOPE * x),
    }

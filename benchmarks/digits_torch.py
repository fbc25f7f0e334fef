"""The digit networks in PyTorch for ``benchmarks.digits``: the same plans, weights and optimizer."""

from __future__ import annotations

import importlib
from collections.abc import Callable, Mapping
from contextlib import nullcontext
from typing import Any

import numpy as np

from models.digit_cnn import plan
from models.digit_cnn.plan import INPUT, LOGITS, Step, connections

Work = Callable[[int], None]
TYPES = ("float32", "bfloat16")
ORDERS = ("channels first", "channels last")


class TorchSystem:
    """PyTorch's networks, in all ways that it offers on a processor.

    Args:
        steps: The plan.
        arrays: Weights by path.
        threads: Of its products.
    """

    def __init__(self, steps: tuple[Step, ...], arrays: Mapping[str, np.ndarray], threads: int) -> None:
        self._torch = importlib.import_module("torch")  # optional: it is in requirements-bench.txt only
        self._torch.set_num_threads(threads)
        self._steps, self._arrays = steps, arrays

    def logits(self, images: np.ndarray) -> np.ndarray:
        """Answer images float32 (n, 28, 28, 1), float32 (n, classes)."""
        with self._torch.inference_mode():
            return self._network("channels first").eval()(self._images(images, "channels first")).numpy()

    def training(self, images: np.ndarray, labels: np.ndarray) -> dict[str, Work]:
        """Return what makes steps of training, by name of the way."""
        return {
            f"{order}, {kind}": self._training(images, labels, order, kind)
            for order in ORDERS
            for kind in TYPES
        }

    def inference(self, images: np.ndarray) -> dict[str, Work]:
        """Return what answers a batch again and again, by name of the way."""
        return {
            f"{order}, {kind}{', traced' if traced else ''}": self._inference(images, order, kind, traced)
            for order in ORDERS
            for kind in TYPES
            for traced in (False, True)
        }

    def _training(self, images: np.ndarray, labels: np.ndarray, order: str, kind: str) -> Work:
        torch = self._torch
        network = self._network(order).train()
        optimizer = torch.optim.AdamW(network.parameters(), lr=1e-3, fused=True)
        inputs, targets = self._images(images, order), torch.from_numpy(labels.astype(np.int64))
        loss = torch.nn.CrossEntropyLoss()

        def steps(count: int) -> None:
            for _ in range(count):
                optimizer.zero_grad(set_to_none=True)
                with self._types(kind):
                    value = loss(network(inputs), targets)
                value.backward()
                optimizer.step()

        return steps

    def _inference(self, images: np.ndarray, order: str, kind: str, traced: bool) -> Work:
        torch = self._torch
        network, inputs = self._network(order).eval(), self._images(images, order)
        if traced:
            with torch.no_grad(), self._types(kind, cached=False):
                network = torch.jit.freeze(torch.jit.trace(network, inputs, check_trace=False))

        def repeat(count: int) -> None:
            with torch.inference_mode(), nullcontext() if traced else self._types(kind):
                for _ in range(count):
                    network(inputs)

        return repeat

    def _types(self, kind: str, cached: bool = True) -> Any:
        torch = self._torch
        return torch.autocast("cpu", torch.bfloat16, enabled=kind == "bfloat16", cache_enabled=cached)

    def _images(self, images: np.ndarray, order: str) -> Any:
        tensor = self._torch.from_numpy(np.ascontiguousarray(images.transpose(0, 3, 1, 2)))
        return tensor.contiguous(memory_format=self._format(order))

    def _network(self, order: str) -> Any:
        network = build_torch(self._torch, self._steps, self._arrays)
        return network.to(memory_format=self._format(order))

    def _format(self, order: str) -> Any:
        return self._torch.channels_last if order == "channels last" else self._torch.contiguous_format


def build_torch(torch: Any, steps: tuple[Step, ...], arrays: Mapping[str, np.ndarray]) -> Any:
    """Build a plan as a PyTorch module.

    Args:
        torch: The package.
        steps: The plan.
        arrays: Weights by path, as Keras has them.

    Returns:
        Images float32 (n, 1, 28, 28) to logits float32 (n, classes).
    """

    class Network(torch.nn.Module):
        def __init__(self) -> None:
            super().__init__()
            for step in steps:
                for name in step.arrays:
                    tensor = _laid_out(step, name, torch.tensor(arrays[f"{step.name}/{name}"]))
                    if name.startswith("moving"):
                        self.register_buffer(f"{step.name}_{name}", tensor)
                    else:
                        self.register_parameter(f"{step.name}_{name}", torch.nn.Parameter(tensor))
                if (maps := step.settings.get("maps")) is not None:
                    mask = torch.tensor(connections(maps, step.arrays["kernel"][2]))
                    self.register_buffer(f"{step.name}_mask", mask.permute(3, 2, 0, 1))

        def forward(self, images):
            values = {INPUT: images}
            for step in steps:
                names = (*step.arrays, "mask")
                weights = {name: getattr(self, f"{step.name}_{name}", None) for name in names}
                inputs = [values[name] for name in step.inputs]
                values[step.name] = _apply(torch, step, weights, inputs, self.training)
            return values[LOGITS]

    return Network()


def _laid_out(step: Step, name: str, tensor: Any) -> Any:
    """Return a weight in PyTorch's order of axes: (filters, channels, height, width), (outputs, inputs)."""
    if name == "kernel":
        return (tensor.permute(3, 2, 0, 1) if step.operation == "conv" else tensor.T).clone()
    return tensor[:, None, None].clone() if step.operation == "subsample" else tensor


def _apply(torch: Any, step: Step, weights: dict[str, Any], inputs: list[Any], training: bool) -> Any:
    """Compute a step; (n, channels, height, width) where Keras has (n, height, width, channels)."""
    first, settings, functional = inputs[0], step.settings, torch.nn.functional
    match step.operation:
        case "conv":
            return _convolved(functional, step, weights, first)
        case "dense":
            return functional.linear(first, weights["kernel"], weights["bias"])
        case "batch_norm":
            moving = weights["moving_mean"], weights["moving_variance"]
            own = weights["gamma"], weights["beta"]
            return functional.batch_norm(first, *moving, *own, training, 0.1, plan.BATCH_NORM_EPSILON)
        case "dropout":
            return functional.dropout(first, settings["rate"], training)
        case "relu":
            return functional.relu(first)
        case "max_pool":
            return functional.max_pool2d(first, settings["pool_size"])
        case "add":
            return inputs[0] + inputs[1]
        case "mean_pool":
            return functional.avg_pool2d(first, settings["pool_size"], ceil_mode=True)
        case "mean":
            return first.mean(dim=(2, 3))
        case "flatten":
            return first.permute(0, 2, 3, 1).flatten(1)  # Keras' order of the numbers
        case "crop":
            return functional.pad(first, [-settings["cropping"]] * 4)
        case "pad":
            return functional.pad(first, [settings["padding"]] * 4)
        case "rescale":
            return first * settings["scale"] + settings["offset"]
        case "subsample":
            return 4.0 * functional.avg_pool2d(first, 2) * weights["coefficient"] + weights["bias"]
        case "squash":
            return plan.SQUASH_AMPLITUDE * torch.tanh(plan.SQUASH_SLOPE * first)


def _convolved(functional: Any, step: Step, weights: dict[str, Any], images: Any) -> Any:
    """Convolve with zeros around the images as TensorFlow pads for "same"."""
    kernel, stride = weights["kernel"], step.settings["strides"]
    if weights["mask"] is not None:
        kernel = kernel * weights["mask"]
    lacking = [0, 0]
    if step.settings["padding"] == "same":
        sides = zip(step.shape, images.shape[2:], kernel.shape[2:], strict=False)
        lacking = [max((out - 1) * stride + size - into, 0) for out, into, size in sides]
    before = [count // 2 for count in lacking]
    if lacking != [2 * count for count in before]:
        (top, left), (height, width) = before, lacking
        images, before = functional.pad(images, [left, width - left, top, height - top]), 0
    return functional.conv2d(images, kernel, weights.get("bias"), stride, before)

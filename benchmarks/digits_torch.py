"""The digit networks in PyTorch for ``benchmarks.digits``: the same plans, weights and optimizer."""

from __future__ import annotations

import importlib
from collections.abc import Callable, Mapping
from contextlib import nullcontext
from itertools import product
from typing import Any

import numpy as np

from models.digit_cnn import plan
from models.digit_cnn.plan import Step, connections

Work = Callable[[int], None]
TYPES = ("float32", "bfloat16")
ORDERS = {"channels first": "contiguous_format", "channels last": "channels_last"}


class TorchSystem:
    """PyTorch's network of a plan with its weights by path, in all ways that it offers on a processor."""

    def __init__(self, steps: tuple[Step, ...], arrays: Mapping[str, np.ndarray], threads: int) -> None:
        self._torch = importlib.import_module("torch")  # optional: it is in requirements-bench.txt only
        self._torch.set_num_threads(threads)
        self._steps, self._arrays = steps, arrays

    def logits(self, images: np.ndarray) -> np.ndarray:
        """Answer images float32 (n, 28, 28, 1), float32 (n, classes)."""
        network, inputs = self._given("channels first", images)
        with self._torch.inference_mode():
            return network.eval()(inputs).numpy()

    def training(self, images: np.ndarray, labels: np.ndarray) -> dict[str, Work]:
        """Return what makes steps of training, by name of the way."""
        targets = self._torch.from_numpy(labels.astype(np.int64))
        return {
            f"{order}, {kind}": self._training(*self._given(order, images), targets, kind)
            for order, kind in product(ORDERS, TYPES)
        }

    def inference(self, images: np.ndarray) -> dict[str, Work]:
        """Return what answers a batch again and again, by name of the way."""
        return {
            f"{order}, {kind}{way}": self._inference(*self._given(order, images), kind, traced=bool(way))
            for order, kind, way in product(ORDERS, TYPES, ("", ", traced"))
        }

    def _training(self, network: Any, inputs: Any, targets: Any, kind: str) -> Work:
        optimizer = self._torch.optim.AdamW(network.train().parameters(), lr=1e-3, fused=True)
        loss = self._torch.nn.CrossEntropyLoss()

        def steps(count: int) -> None:
            for _ in range(count):
                optimizer.zero_grad(set_to_none=True)
                with self._types(kind):
                    value = loss(network(inputs), targets)
                value.backward()
                optimizer.step()

        return steps

    def _inference(self, network: Any, inputs: Any, kind: str, traced: bool) -> Work:
        torch, network = self._torch, network.eval()
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

    def _given(self, order: str, images: np.ndarray) -> tuple[Any, Any]:
        """Return the network, and images (n, height, width, channels), with their numbers in an order."""
        layout = getattr(self._torch, ORDERS[order])
        inputs = self._torch.from_numpy(np.ascontiguousarray(images.transpose(0, 3, 1, 2)))
        network = build_torch(self._torch, self._steps, self._arrays)
        return network.to(memory_format=layout), inputs.contiguous(memory_format=layout)


def build_torch(torch: Any, steps: tuple[Step, ...], arrays: Mapping[str, np.ndarray]) -> Any:
    """Build a plan as a PyTorch module: images float32 (n, 1, 28, 28) to logits float32 (n, classes)."""

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

        def forward(self, images):
            return plan.run(steps, images, self.compute)

        def compute(self, step, *inputs):
            weights = {name: getattr(self, f"{step.name}_{name}") for name in step.arrays}
            return operations[step.operation](step, weights, self.training, *inputs)

    operations = _operations(torch)
    return Network()


def _laid_out(step: Step, name: str, tensor: Any) -> Any:
    """Return a weight in PyTorch's order of axes: (filters, channels, height, width), (outputs, inputs)."""
    if name == "kernel":
        return (tensor.permute(3, 2, 0, 1) if step.operation == "conv" else tensor.T).clone()
    return tensor[:, None, None].clone() if step.operation == "subsample" else tensor


def _operations(torch: Any) -> dict[str, Callable[..., Any]]:
    """Return what computes a step; (n, channels, height, width) where Keras has (n, height, width, channels)."""
    functional = torch.nn.functional

    def conv(step: Step, weights: dict[str, Any], _: bool, images: Any) -> Any:
        kernel, stride = weights["kernel"], step.settings["strides"]
        if "maps" in step.settings:
            mask = connections(step.settings["maps"], kernel.shape[1])
            kernel = kernel * torch.from_numpy(mask.transpose(3, 2, 0, 1))
        before = [0, 0]
        if step.settings["padding"] == "same":  # as TensorFlow does: the smaller number of zeros first
            sides = zip(step.shape, images.shape[2:], kernel.shape[2:], strict=False)
            height, width = (max((out - 1) * stride + size - into, 0) for out, into, size in sides)
            before = [height // 2, width // 2]
            if height % 2 or width % 2:
                images = functional.pad(images, [before[1], width - before[1], before[0], height - before[0]])
                before = [0, 0]
        return functional.conv2d(images, kernel, weights.get("bias"), stride, before)

    def batch_norm(step: Step, weights: dict[str, Any], training: bool, images: Any) -> Any:
        gamma, beta, mean, variance = weights.values()
        epsilon = step.settings["epsilon"]
        return functional.batch_norm(images, mean, variance, gamma, beta, training, 0.1, epsilon)

    def subsample(step: Step, weights: dict[str, Any], _: bool, images: Any) -> Any:
        return 4.0 * functional.avg_pool2d(images, 2) * weights["coefficient"] + weights["bias"]

    def mean_pool(step: Step, _: Any, __: bool, images: Any) -> Any:
        return functional.avg_pool2d(images, step.settings["pool_size"], ceil_mode=True)

    return {
        "conv": conv,
        "batch_norm": batch_norm,
        "subsample": subsample,
        "mean_pool": mean_pool,
        "dense": lambda step, weights, _, x: functional.linear(x, weights["kernel"], weights["bias"]),
        "dropout": lambda step, _, training, x: functional.dropout(x, step.settings["rate"], training),
        "relu": lambda step, _, __, x: functional.relu(x),
        "max_pool": lambda step, _, __, x: functional.max_pool2d(x, step.settings["pool_size"]),
        "add": lambda step, _, __, x, y: x + y,
        "mean": lambda step, _, __, x: x.mean(dim=(2, 3)),
        "flatten": lambda step, _, __, x: x.permute(0, 2, 3, 1).flatten(1),  # Keras' order of the numbers
        "crop": lambda step, _, __, x: functional.pad(x, [-step.settings["cropping"]] * 4),
        "pad": lambda step, _, __, x: functional.pad(x, [step.settings["padding"]] * 4),
        "rescale": lambda step, _, __, x: x * step.settings["scale"] + step.settings["offset"],
        "squash": lambda step, _, __, x: plan.SQUASH_AMPLITUDE * torch.tanh(plan.SQUASH_SLOPE * x),
    }

"""The digit networks in PyTorch for ``benchmarks.digits``: the same plans, weights and optimizer."""

from __future__ import annotations

import importlib
from collections.abc import Callable, Mapping, Sequence
from contextlib import nullcontext
from typing import Any

import numpy as np

from models.digit_cnn.plan import BATCH_NORM_EPSILON, INPUT, LOGITS, SQUASH_AMPLITUDE, SQUASH_SLOPE, Step

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
            self.parts = torch.nn.ModuleList(_module(torch, step, arrays) for step in steps)

        def forward(self, images):
            values = {INPUT: images}
            for step, part in zip(steps, self.parts, strict=True):
                inputs = [values[name] for name in step.inputs]
                values[step.name] = _apply(torch, step, part, inputs)
            return values[LOGITS]

    return Network()


def _module(torch: Any, step: Step, arrays: Mapping[str, np.ndarray]) -> Any:
    """Return the module of a step, one that does nothing where :func:`_apply` does it all."""
    weights = {name: torch.tensor(arrays[f"{step.name}/{name}"]) for name in step.arrays}
    if step.operation == "conv":
        return _conv(torch, step, weights)
    if step.operation == "dense":
        module = torch.nn.Linear(*step.arrays["kernel"])
        values = {"weight": weights["kernel"].T, "bias": weights["bias"]}
    elif step.operation == "batch_norm":
        module = torch.nn.BatchNorm2d(step.shape[-1], eps=BATCH_NORM_EPSILON, momentum=0.1)
        names = {
            "weight": "gamma",
            "bias": "beta",
            "running_mean": "moving_mean",
            "running_var": "moving_variance",
        }
        values = {name: weights[ours] for name, ours in names.items()}
    elif step.operation == "subsample":
        module = torch.nn.Module()
        values = {}
        for name in ("coefficient", "bias"):
            module.register_parameter(name, torch.nn.Parameter(weights[name][:, None, None].clone()))
    else:
        return torch.nn.Dropout(step.settings["rate"]) if step.operation == "dropout" else torch.nn.Identity()
    with torch.no_grad():
        for name, value in values.items():
            getattr(module, name).copy_(value)
    return module


def _conv(torch: Any, step: Step, weights: Mapping[str, Any]) -> Any:
    height, width, inputs, filters = step.arrays["kernel"]
    module = torch.nn.Conv2d(
        inputs, filters, (height, width), stride=step.settings["strides"], bias="bias" in weights
    )
    kernel = weights["kernel"].permute(3, 2, 0, 1).clone()
    if (maps := step.settings.get("maps")) is not None:
        mask = torch.zeros_like(kernel)
        for to, read in enumerate(maps):
            mask[to, list(read)] = 1.0
        module.register_buffer("mask", mask)
        kernel *= mask
    with torch.no_grad():
        module.weight.copy_(kernel)
        if "bias" in weights:
            module.bias.copy_(weights["bias"])
    return module


def _apply(torch: Any, step: Step, part: Any, inputs: list[Any]) -> Any:
    """Compute a step; (n, channels, height, width) where Keras has (n, height, width, channels)."""
    first, settings, functional = inputs[0], step.settings, torch.nn.functional
    match step.operation:
        case "conv":
            return _convolved(functional, step, part, first)
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
            border = settings["cropping"]
            return first[:, :, border:-border, border:-border]
        case "pad":
            return functional.pad(first, [settings["padding"]] * 4)
        case "rescale":
            return first * settings["scale"] + settings["offset"]
        case "subsample":
            return 4.0 * functional.avg_pool2d(first, 2) * part.coefficient + part.bias
        case "squash":
            return SQUASH_AMPLITUDE * torch.tanh(SQUASH_SLOPE * first)
        case _:
            return part(first)  # batch norm, dense, dropout


def _convolved(functional: Any, step: Step, part: Any, images: Any) -> Any:
    sides = _padding(step, images.shape[2:])
    weight = part.weight * part.mask if hasattr(part, "mask") else part.weight
    if all(before == after for before, after in sides):
        padding = [before for before, _ in sides]
        return functional.conv2d(images, weight, part.bias, step.settings["strides"], padding)
    images = functional.pad(images, [*sides[1], *sides[0]])  # the last axis comes first
    return functional.conv2d(images, weight, part.bias, step.settings["strides"])


def _padding(step: Step, sides: Sequence[int]) -> list[tuple[int, int]]:
    """Return zeros before and after rows and columns, as TensorFlow pads for "same"."""
    size, stride = step.arrays["kernel"][0], step.settings["strides"]
    if step.settings["padding"] == "valid":
        return [(0, 0), (0, 0)]
    totals = [max((out - 1) * stride + size - into, 0) for out, into in zip(step.shape, sides, strict=False)]
    return [(total // 2, total - total // 2) for total in totals]

"""The convolutional networks for digits as plans: a list of steps that Keras builds and NumPy computes alike.

- ``lecture``: two times convolution, ReLU and max-pooling, then one fully connected layer, on the 24x24 pixels in the
  middle (the MNIST demo of ConvNetJS, Karpathy 2014).
- ``lenet5``: LeCun, Bottou, Bengio and Haffner 1998, "Gradient-based learning applied to document recognition".
- ``resnet``: He, Zhang, Ren and Sun 2015, "Deep residual learning for image recognition", with a stride in the first
  convolution, so that twenty layers and more stay cheap on a processor; where a stage begins, its connection takes the
  mean of 2x2 neighbours (He, Zhang, Zhang, Zhang, Xie and Li 2018, "Bag of tricks for image classification").
- ``plain``: the same without its connections.
"""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass, field
from itertools import count, takewhile
from typing import Any, Literal

import numpy as np

from data_prep.images.preparation import DIGIT_SIZE
from models.storage.arrays import ArraySpec

Architecture = Literal["lecture", "lenet5", "resnet", "plain"]
Operation = Literal[
    "crop", "pad", "rescale", "conv", "subsample", "batch_norm", "relu", "squash", "max_pool",
    "mean_pool", "mean", "add",
    "flatten", "dropout", "dense",
]  # fmt: skip
ARCHITECTURES = ("lecture", "lenet5", "resnet", "plain")
INPUT = "image"
LOGITS = "logits"
BATCH_NORM_EPSILON = 1e-3
SQUASH_AMPLITUDE, SQUASH_SLOPE = 1.7159, 2.0 / 3.0  # LeCun et al. 1998, appendix A: f(1) = 1 and f(-1) = -1

# Which of the six maps of S2 each of the sixteen maps of C3 reads: table I of LeCun et al. 1998.
C3_MAPS: tuple[tuple[int, ...], ...] = (
    (0, 1, 2), (1, 2, 3), (2, 3, 4), (3, 4, 5), (0, 4, 5), (0, 1, 5),
    (0, 1, 2, 3), (1, 2, 3, 4), (2, 3, 4, 5), (0, 3, 4, 5), (0, 1, 4, 5), (0, 1, 2, 5),
    (0, 1, 3, 4), (1, 2, 4, 5), (0, 2, 3, 5), (0, 1, 2, 3, 4, 5),
)  # fmt: skip


@dataclass(frozen=True)
class Step:
    """One layer of a plan.

    Args:
        operation: What it does.
        name: Of the layer and of its output.
        inputs: Names of what it reads.
        shape: Of its output without the batch: (height, width, channels), or (numbers,).
        arrays: Shape of each of its weights by name.
        settings: What else the operation needs.
    """

    operation: Operation
    name: str
    inputs: tuple[str, ...]
    shape: tuple[int, ...]
    arrays: dict[str, tuple[int, ...]] = field(default_factory=dict)
    settings: dict[str, Any] = field(default_factory=dict)

    @property
    def connections(self) -> int:
        """Numbers of the kernel that are in use: all, but for a table of connections; 0 without a kernel."""
        if "kernel" not in self.arrays:
            return 0
        if (maps := self.settings.get("maps")) is not None:
            height, width, _, _ = self.arrays["kernel"]
            return height * width * sum(map(len, maps))
        return math.prod(self.arrays["kernel"])

    @property
    def parameters(self) -> int:
        """Numbers that training changes."""
        others = [shape for name, shape in self.arrays.items() if not name.startswith(("moving_", "kernel"))]
        return self.connections + sum(map(math.prod, others))

    @property
    def multiply_adds(self) -> int:
        """Multiplications with a kernel for one image; batch norm is folded into the convolution before it."""
        return math.prod(self.shape[:-1]) * self.connections


class _Plan:
    """Steps so far; each new one reads the last unless told otherwise."""

    def __init__(self) -> None:
        self.steps: list[Step] = []
        self.shapes: dict[str, tuple[int, ...]] = {INPUT: (DIGIT_SIZE, DIGIT_SIZE, 1)}
        self.last = INPUT

    def add(
        self,
        operation: Operation,
        name: str,
        shape: tuple[int, ...] | None = None,
        *,
        inputs: tuple[str, ...] | None = None,
        arrays: dict[str, tuple[int, ...]] | None = None,
        **settings: Any,
    ) -> str:
        inputs = (self.last,) if inputs is None else inputs
        shape = self.shapes[inputs[0]] if shape is None else shape
        self.steps.append(Step(operation, name, inputs, shape, arrays or {}, settings))
        self.shapes[name], self.last = shape, name
        return name

    def conv(
        self,
        name: str,
        filters: int,
        kernel: int,
        *,
        stride: int = 1,
        same: bool = True,
        bias: bool = True,
        inputs: tuple[str, ...] | None = None,
        **settings: Any,
    ) -> str:
        height, width, channels = self.shapes[inputs[0] if inputs else self.last]
        shape = tuple(_output_length(n, kernel, stride, same) for n in (height, width))
        arrays = {"kernel": (kernel, kernel, channels, filters)} | ({"bias": (filters,)} if bias else {})
        return self.add(
            "conv",
            name,
            (*shape, filters),
            inputs=inputs,
            arrays=arrays,
            stride=stride,
            same=same,
            reads=(height, width),
            **settings,
        )

    def batch_norm(self, name: str, *, zero: bool = False) -> str:
        channels = self.shapes[self.last][-1]
        names = ("gamma", "beta", "moving_mean", "moving_variance")
        return self.add("batch_norm", name, arrays=dict.fromkeys(names, (channels,)), zero=zero)

    def max_pool(self, name: str, size: int) -> str:
        height, width, channels = self.shapes[self.last]
        return self.add("max_pool", name, (height // size, width // size, channels), size=size)

    def mean_pool(self, name: str, size: int) -> str:
        height, width, channels = self.shapes[self.last]
        return self.add("mean_pool", name, (-(-height // size), -(-width // size), channels), size=size)

    def flatten(self, name: str) -> str:
        return self.add("flatten", name, (math.prod(self.shapes[self.last]),))

    def dense(self, name: str, units: int) -> str:
        (inputs,) = self.shapes[self.last]
        return self.add("dense", name, (units,), arrays={"kernel": (inputs, units), "bias": (units,)})


def plan_of(
    architecture: Architecture, classes: int, widths: tuple[int, ...], blocks: int, dropout: float
) -> tuple[Step, ...]:
    """Write down a network.

    Args:
        architecture: One of ``ARCHITECTURES``.
        classes: Number of logits.
        widths: Channels of each stage of ``resnet`` and ``plain``.
        blocks: Blocks of two convolutions in each of these stages.
        dropout: Share of the last hidden layer left out in training.

    Returns:
        Its steps in an order in which they can be computed; the last is ``LOGITS``.
    """
    plan = _Plan()
    if architecture == "lecture":
        _lecture(plan)
    elif architecture == "lenet5":
        _lenet5(plan)
    else:
        _stages(plan, widths, blocks, connected=architecture == "resnet")
    if dropout:
        plan.add("dropout", "dropout", rate=dropout)
    plan.dense(LOGITS, classes)
    return tuple(plan.steps)


def plan_of_arrays(arrays: Mapping[str, np.ndarray]) -> tuple[Step, ...]:
    """Write down the network that arrays belong to; their names and shapes say which one it is.

    Args:
        arrays: Weights by path, as ``specs_of_plan`` names them.

    Returns:
        Its steps, without dropout.
    """
    classes = arrays[f"{LOGITS}/bias"].shape[0]
    if "stem_conv/kernel" not in arrays:
        return plan_of("lenet5" if "c1/kernel" in arrays else "lecture", classes, (), 0, 0.0)
    connected = "stage2_block1_shortcut_conv/kernel" in arrays  # every ResNet has a second stage
    first = takewhile(lambda stage: f"stage{stage}_block1_conv1/kernel" in arrays, count(1))
    widths = tuple(arrays[f"stage{stage}_block1_conv1/kernel"].shape[3] for stage in first)
    blocks = sum(1 for _ in takewhile(lambda at: f"stage1_block{at}_conv1/kernel" in arrays, count(1)))
    return plan_of("resnet" if connected else "plain", classes, widths, blocks, 0.0)


def specs_of_plan(steps: tuple[Step, ...]) -> dict[str, ArraySpec]:
    """Return name, shape and dtype of every weight of a plan."""
    return {
        f"{step.name}/{name}": ArraySpec(shape, "float32")
        for step in steps
        for name, shape in step.arrays.items()
    }


def _lecture(plan: _Plan) -> None:
    plan.add("crop", "crop", (24, 24, 1), border=2)
    plan.conv("conv1", 8, 5)
    plan.add("relu", "relu1")
    plan.max_pool("pool1", 2)
    plan.conv("conv2", 16, 5)
    plan.add("relu", "relu2")
    plan.max_pool("pool2", 3)
    plan.flatten("flatten")


def _lenet5(plan: _Plan) -> None:
    plan.add("pad", "frame", (32, 32, 1), border=2)
    # Background -0.1, ink 1.175: the mean of the inputs is roughly 0 and their variance roughly 1.
    plan.add("rescale", "levels", scale=1.275, offset=-0.1)
    plan.conv("c1", 6, 5, same=False)
    plan.add("squash", "c1_squash")
    _subsample(plan, "s2")
    plan.conv("c3", 16, 5, same=False, maps=C3_MAPS)
    plan.add("squash", "c3_squash")
    _subsample(plan, "s4")
    plan.conv("c5", 120, 5, same=False)
    plan.add("squash", "c5_squash")
    plan.flatten("flatten")
    plan.dense("f6", 84)
    plan.add("squash", "f6_squash")


def _subsample(plan: _Plan, name: str) -> None:
    height, width, channels = plan.shapes[plan.last]
    arrays = {"coefficient": (channels,), "bias": (channels,)}
    plan.add("subsample", name, (height // 2, width // 2, channels), arrays=arrays)
    plan.add("squash", f"{name}_squash")


def _stages(plan: _Plan, widths: tuple[int, ...], blocks: int, *, connected: bool) -> None:
    """Stride in the first convolution, then stages; behind the first stage each begins with a stride."""
    plan.conv("stem_conv", widths[0], 5, stride=2, bias=False)
    plan.batch_norm("stem_norm")
    plan.add("relu", "stem_relu")
    for stage, width in enumerate(widths, start=1):
        for block in range(1, blocks + 1):
            _block(plan, f"stage{stage}_block{block}", width, 2 if block == 1 and stage > 1 else 1, connected)
    plan.add("mean", "mean", plan.shapes[plan.last][-1:])


def _block(plan: _Plan, name: str, width: int, stride: int, connected: bool) -> None:
    before = plan.last
    plan.conv(f"{name}_conv1", width, 3, stride=stride, bias=False)
    plan.batch_norm(f"{name}_norm1")
    plan.add("relu", f"{name}_relu1")
    plan.conv(f"{name}_conv2", width, 3, bias=False)
    # A block that adds nothing at first is easy to train (Goyal et al. 2017); without a connection it would be cut.
    branch = plan.batch_norm(f"{name}_norm2", zero=connected)
    if connected:
        if plan.shapes[before] != plan.shapes[branch]:
            plan.last = before
            if stride > 1:  # a convolution with this stride would pass three of four numbers over
                plan.mean_pool(f"{name}_shortcut_pool", stride)
            plan.conv(f"{name}_shortcut_conv", width, 1, bias=False)
            before = plan.batch_norm(f"{name}_shortcut_norm")
        plan.add("add", f"{name}_add", inputs=(branch, before))
    plan.add("relu", f"{name}_relu2")


def _output_length(length: int, kernel: int, stride: int, same: bool) -> int:
    return -(-length // stride) if same else (length - kernel) // stride + 1

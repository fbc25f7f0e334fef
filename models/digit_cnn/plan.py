"""The convolutional networks for digits as plans: a list of steps that Keras builds and NumPy computes alike.

- ``lecture``: two times convolution, ReLU and max-pooling, then one fully connected layer, on the 24x24 pixels in the
  middle (the MNIST demo of ConvNetJS, Karpathy 2014); for experiments with strides in the place of the pooling, or with
  neither, and with other numbers of channels.
- ``lenet5``: LeCun, Bottou, Bengio and Haffner 1998, "Gradient-based learning applied to document recognition".
- ``resnet``: He, Zhang, Ren and Sun 2015, "Deep residual learning for image recognition", with a stride in the first
  convolution, so that twenty layers and more stay cheap on a processor; where a stage begins, its connection takes the
  mean of 2x2 neighbours (He, Zhang, Zhang, Zhang, Xie and Li 2018, "Bag of tricks for image classification").
- ``plain``: the same without its connections.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any, Literal

import numpy as np

from data_prep.array_files import ArraySpec
from data_prep.images.preparation import DIGIT_SIZE

Architecture = Literal["lecture", "lenet5", "resnet", "plain"]
Pooling = Literal["max", "stride", "none"]
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
    """One layer of a plan."""

    operation: str  # such as "conv" or "relu"
    name: str  # of the layer and of its output
    inputs: tuple[str, ...]  # names of what it reads
    shape: tuple[int, ...]  # of its output without the batch: (height, width, channels), or (numbers,)
    arrays: dict[str, tuple[int, ...]]  # shape of each of its weights by name
    settings: dict[str, Any]  # arguments of its Keras layer

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


class Plan:
    """Steps so far; each new one reads the last unless told otherwise.

    Args:
        shape: Of an image: height, width, channels.
        momentum: Of the statistics of batch norm.
    """

    def __init__(self, shape: tuple[int, int, int], momentum: float = 0.9) -> None:
        self.steps: list[Step] = []
        self.shapes: dict[str, tuple[int, ...]] = {INPUT: shape}
        self.last = INPUT
        self.momentum = momentum

    def add(
        self,
        operation: str,
        name: str,
        shape: tuple[int, ...] | None = None,
        *,
        inputs: tuple[str, ...] | None = None,
        arrays: dict[str, tuple[int, ...]] | None = None,
        **settings: Any,
    ) -> str:
        """Add any step; without ``shape`` its output has that of its input. Returns its name, as all others do."""
        inputs = (self.last,) if inputs is None else inputs
        shape = self.shapes[inputs[0]] if shape is None else shape
        self.steps.append(Step(operation, name, inputs, shape, arrays or {}, settings))
        self.shapes[name], self.last = shape, name
        return name

    def conv(
        self, name: str, filters: int, size: int, *, strides: int = 1, padding: str = "same", bias: bool = True,
        **settings: Any,
    ) -> str:  # fmt: skip
        """Add a convolution with square windows."""
        *sides, channels = self.shapes[self.last]
        arrays = {"kernel": (size, size, channels, filters)} | ({"bias": (filters,)} if bias else {})
        settings |= {"filters": filters, "kernel_size": size, "strides": strides, "use_bias": bias}
        shape = (*(output_length(n, size, strides, padding) for n in sides), filters)
        return self.add("conv", name, shape, arrays=arrays, padding=padding, **settings)

    def batch_norm(self, name: str, *, zero: bool = False) -> str:
        """Add a batch norm; ``zero``: what it scales by begins with 0."""
        names = ("gamma", "beta", "moving_mean", "moving_variance")
        arrays = dict.fromkeys(names, self.shapes[self.last][-1:])
        settings = {"momentum": self.momentum, "epsilon": BATCH_NORM_EPSILON}
        settings["gamma_initializer"] = "zeros" if zero else "ones"
        return self.add("batch_norm", name, arrays=arrays, **settings)

    def pool(self, operation: str, name: str, size: tuple[int, int]) -> str:
        """Add a pooling of blocks of ``size`` rows and columns; of means also over cut blocks at the ends."""
        *sides, channels = self.shapes[self.last]
        padding = "same" if operation == "mean_pool" else "valid"
        blocks = (output_length(n, block, block, padding) for n, block in zip(sides, size, strict=True))
        return self.add(operation, name, (*blocks, channels), pool_size=size, padding=padding)

    def flatten(self, name: str) -> str:
        """Add what makes one list of all numbers."""
        return self.add("flatten", name, (math.prod(self.shapes[self.last]),))

    def dense(self, name: str, units: int) -> str:
        """Add a fully connected layer."""
        (inputs,) = self.shapes[self.last]
        arrays = {"kernel": (inputs, units), "bias": (units,)}
        return self.add("dense", name, (units,), arrays=arrays, units=units)


def plan_of(
    architecture: Architecture,
    classes: int,
    *,
    widths: tuple[int, ...],
    blocks: int,
    channels: tuple[int, ...],
    pooling: Pooling,
    dropout: float,
) -> tuple[Step, ...]:
    """Write down a network; arguments as for ``DigitCNNConfig``. The last step is ``LOGITS``."""
    plan = Plan((DIGIT_SIZE, DIGIT_SIZE, 1))
    if architecture == "lecture":
        _lecture(plan, channels, pooling)
    elif architecture == "lenet5":
        _lenet5(plan)
    else:
        _stages(plan, widths, blocks, connected=architecture == "resnet")
    if dropout:
        plan.add("dropout", "dropout", rate=dropout)
    plan.dense(LOGITS, classes)
    return tuple(plan.steps)


def specs_of_plan(steps: Sequence[Step]) -> dict[str, ArraySpec]:
    """Return name, shape and dtype of every weight of a plan."""
    return {
        f"{step.name}/{name}": ArraySpec(shape, "float32")
        for step in steps
        for name, shape in step.arrays.items()
    }


def run(steps: Sequence[Step], image: Any, compute: Callable[..., Any]) -> Any:
    """Compute steps in their order and return the last output; ``compute`` maps a step and its inputs to its output."""
    last_use = {name: at for at, step in enumerate(steps) for name in step.inputs}
    values = {INPUT: image}
    for at, step in enumerate(steps):
        values[step.name] = compute(step, *(values[name] for name in step.inputs))
        for name in step.inputs:
            if last_use[name] == at:  # read no more
                del values[name]
    return values[steps[-1].name]


def folded(
    steps: Sequence[Step], arrays: Mapping[str, np.ndarray]
) -> tuple[tuple[Step, ...], dict[str, dict[str, np.ndarray]]]:
    """Put every batch norm into the convolution before it, which takes its name, with its weights by path.

    Returns:
        The plan without batch norms, and the weights of each of its steps.
    """
    norms = {step.inputs[0]: step for step in steps if step.operation == "batch_norm"}
    found, weights = [], {}
    for step in steps:
        if step.operation == "batch_norm":
            continue
        own = {name: np.asarray(arrays[f"{step.name}/{name}"], np.float32) for name in step.arrays}
        if "maps" in step.settings:
            own["kernel"] = own["kernel"] * connections(step.settings["maps"], own["kernel"].shape[2])
        if step.name in norms:
            norm = norms[step.name]
            gamma, beta, mean, variance = (arrays[f"{norm.name}/{name}"] for name in norm.arrays)
            scale = gamma / np.sqrt(variance + np.float32(BATCH_NORM_EPSILON))
            own = {"kernel": own["kernel"] * scale, "bias": beta + (own.get("bias", 0) - mean) * scale}
            step = replace(step, name=norm.name, settings={**step.settings, "use_bias": True})
        found.append(step)
        weights[step.name] = own
    return tuple(found), weights


def output_length(length: int, size: int, stride: int, padding: str) -> int:
    """Return how many windows of ``size`` fit on a side."""
    return -(-length // stride) if padding == "same" else (length - size) // stride + 1


def connections(maps: Sequence[Sequence[int]], inputs: int) -> np.ndarray:
    """Return 1 where an output map reads an input map, else 0, float32 (1, 1, inputs, outputs)."""
    mask = np.zeros((1, 1, inputs, len(maps)), np.float32)
    for to, read in enumerate(maps):
        mask[0, 0, list(read), to] = 1.0
    return mask


def _lecture(plan: Plan, channels: tuple[int, ...], pooling: Pooling) -> None:
    plan.add("crop", "crop", (24, 24, 1), cropping=2)
    for number, (filters, block) in enumerate(zip(channels, (2, 3), strict=True), start=1):
        plan.conv(f"conv{number}", filters, 5, strides=block if pooling == "stride" else 1)
        plan.add("relu", f"relu{number}")
        if pooling == "max":
            plan.pool("max_pool", f"pool{number}", (block, block))
    plan.flatten("flatten")


def _lenet5(plan: Plan) -> None:
    plan.add("pad", "frame", (32, 32, 1), padding=2)
    # Background -0.1, ink 1.175: the mean of the inputs is roughly 0 and their variance roughly 1.
    plan.add("rescale", "levels", scale=1.275, offset=-0.1)
    plan.conv("c1", 6, 5, padding="valid")
    plan.add("squash", "c1_squash")
    _subsample(plan, "s2")
    plan.conv("c3", 16, 5, padding="valid", maps=C3_MAPS)
    plan.add("squash", "c3_squash")
    _subsample(plan, "s4")
    plan.conv("c5", 120, 5, padding="valid")
    plan.add("squash", "c5_squash")
    plan.flatten("flatten")
    plan.dense("f6", 84)
    plan.add("squash", "f6_squash")


def _subsample(plan: Plan, name: str) -> None:
    height, width, channels = plan.shapes[plan.last]
    arrays = {"coefficient": (channels,), "bias": (channels,)}
    plan.add("subsample", name, (height // 2, width // 2, channels), arrays=arrays)
    plan.add("squash", f"{name}_squash")


def _stages(plan: Plan, widths: tuple[int, ...], blocks: int, *, connected: bool) -> None:
    """Stride in the first convolution, then stages; after the first stage each begins with a stride."""
    plan.conv("stem_conv", widths[0], 5, strides=2, bias=False)
    plan.batch_norm("stem_norm")
    plan.add("relu", "stem_relu")
    for stage, width in enumerate(widths, start=1):
        for block in range(1, blocks + 1):
            _block(plan, f"stage{stage}_block{block}", width, 2 if block == 1 and stage > 1 else 1, connected)
    plan.add("mean", "mean", plan.shapes[plan.last][-1:])


def _block(plan: Plan, name: str, width: int, stride: int, connected: bool) -> None:
    before = plan.last
    plan.conv(f"{name}_conv1", width, 3, strides=stride, bias=False)
    plan.batch_norm(f"{name}_norm1")
    plan.add("relu", f"{name}_relu1")
    plan.conv(f"{name}_conv2", width, 3, bias=False)
    # A block that adds nothing at first is easy to train (Goyal et al. 2017); without a connection it would be cut.
    branch = plan.batch_norm(f"{name}_norm2", zero=connected)
    if connected:
        if plan.shapes[before] != plan.shapes[branch]:
            plan.last = before
            if stride > 1:  # a convolution with this stride would pass three of four numbers over
                plan.pool("mean_pool", f"{name}_shortcut_pool", (stride, stride))
            plan.conv(f"{name}_shortcut_conv", width, 1, bias=False)
            before = plan.batch_norm(f"{name}_shortcut_norm")
        plan.add("add", f"{name}_add", inputs=(branch, before))
    plan.add("relu", f"{name}_relu2")

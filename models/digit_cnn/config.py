"""The config of a digit network, and the names and shapes of its weights."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Annotated, Any, ClassVar

from annotated_types import Ge, Le, Len

from data_prep.array_files import ArraySpec
from data_prep.fields import Checked, Share
from models.digit_cnn.plan import Architecture, Pooling, Step, plan_of, specs_of_plan

KIND = "digit_cnn"
MAX_WIDTH, MAX_BLOCKS, MAX_CLASSES = 1024, 64, 1000
Width = Annotated[int, Ge(1), Le(MAX_WIDTH)]


@dataclass(frozen=True)
class DigitCNNConfig(Checked):
    """Every argument of the network.

    Args:
        architecture: ``"lecture"``, ``"lenet5"``, ``"resnet"`` or ``"plain"``, the ResNet without connections.
        classes: Number of logits.
        widths: Channels of each stage of ``resnet`` and ``plain``; every stage but the first halves the sides.
        blocks: Blocks in each of these stages, two convolutions each.
        dropout: Share of the last hidden layer left out in training.
        channels: Filters of the two convolutions of ``lecture``.
        pooling: What makes the sides smaller in ``lecture``: ``"max"``, the ``"stride"`` of its convolutions, or
            ``"none"``, nothing.

    Raises:
        InputError: A value makes no network.
    """

    architecture: Architecture = "resnet"
    classes: Annotated[int, Ge(2), Le(MAX_CLASSES)] = 10
    widths: Annotated[tuple[Width, ...], Len(2, 4)] = (32, 64, 96)
    blocks: Annotated[int, Ge(1), Le(MAX_BLOCKS)] = 3
    dropout: Share = 0.0
    channels: Annotated[tuple[Width, ...], Len(2, 2)] = (8, 16)
    pooling: Pooling = "max"

    ADDED: ClassVar[Mapping[str, Any]] = {"channels": [8, 16], "pooling": "max"}

    @property
    def steps(self) -> tuple[Step, ...]:
        """The network as a plan."""
        return plan_of(
            self.architecture,
            self.classes,
            widths=self.widths,
            blocks=self.blocks,
            channels=self.channels,
            pooling=self.pooling,
            dropout=self.dropout,
        )

    @property
    def depth(self) -> int:
        """Layers with weights one after the other, shortcuts not counted (20 in "ResNet-20")."""
        return sum(step.operation in ("conv", "dense") and "shortcut" not in step.name for step in self.steps)

    @property
    def parameters(self) -> int:
        """Numbers that training changes."""
        return sum(step.parameters for step in self.steps)

    @property
    def multiply_adds(self) -> int:
        """Multiplications and additions for the answer to one image."""
        return sum(step.multiply_adds for step in self.steps)


def digit_specs(config: DigitCNNConfig) -> dict[str, ArraySpec]:
    """Give names, shapes and dtypes of the arrays of ``models.digit_cnn.network.build_digit_cnn``."""
    return specs_of_plan(config.steps)

"""The preset of a digit network: its config, which arrays it holds and what they answer; opened without Keras."""

from __future__ import annotations

from dataclasses import dataclass

from data_prep.errors import InputError
from data_prep.text.vocab import Vocabulary
from models.digit_cnn.plan import ARCHITECTURES, Architecture, Step, plan_of, specs_of_plan
from models.digit_cnn.serving import Arrays, PackedCNN
from models.presets.kinds import Kind
from models.storage.arrays import ArraySpec

KIND = "digit_cnn"
MAX_WIDTH, MAX_BLOCKS, MAX_CLASSES = 1024, 64, 1000


@dataclass(frozen=True)
class DigitCNNConfig:
    """Every argument of the network.

    Args:
        architecture: ``"lecture"``, ``"lenet5"``, ``"resnet"`` or ``"plain"``, the ResNet without connections.
        classes: Number of logits.
        widths: Channels of each stage of ``resnet`` and ``plain``; every stage but the first halves the sides.
        blocks: Blocks in each of these stages, two convolutions each.
        dropout: Share of the last hidden layer left out in training.
    """

    architecture: Architecture = "resnet"
    classes: int = 10
    widths: tuple[int, ...] = (32, 64, 96)
    blocks: int = 3
    dropout: float = 0.0

    def __post_init__(self) -> None:
        """Refuse values that make no network."""
        if self.architecture not in ARCHITECTURES:
            raise InputError(
                "There is no such architecture", allowed=", ".join(ARCHITECTURES), received=self.architecture
            )
        if not 2 <= self.classes <= MAX_CLASSES:
            raise InputError(
                "The number of classes does not fit", allowed=f"2 to {MAX_CLASSES}", received=self.classes
            )
        if not 2 <= len(self.widths) <= 4 or not all(1 <= width <= MAX_WIDTH for width in self.widths):
            raise InputError(
                "The widths of the stages do not fit",
                allowed=f"2 to 4 numbers from 1 to {MAX_WIDTH}",
                received=self.widths,
            )
        if not 1 <= self.blocks <= MAX_BLOCKS:
            raise InputError(
                "The number of blocks does not fit", allowed=f"1 to {MAX_BLOCKS}", received=self.blocks
            )
        if not 0.0 <= self.dropout < 1.0:
            raise InputError("dropout is no share", allowed="0 to below 1", received=self.dropout)

    @property
    def steps(self) -> tuple[Step, ...]:
        """The network as a plan."""
        return plan_of(self.architecture, self.classes, self.widths, self.blocks, self.dropout)

    @property
    def depth(self) -> int:
        """Layers with weights one behind the other, shortcuts not counted (20 in "ResNet-20")."""
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


def digit_answer(config: DigitCNNConfig, arrays: Arrays, inputs: Arrays) -> Arrays:
    """Answer ``image`` float32 (n, 28, 28, 1) with ``logits`` float32 (n, classes)."""
    return {"logits": PackedCNN(arrays).logits(inputs["image"])}


def _check(config: DigitCNNConfig, vocabulary: Vocabulary | None, labels: tuple[str, ...] | None) -> None:
    if labels is None or len(labels) != config.classes:
        raise InputError(
            "There is not one label for each logit",
            allowed=f"{config.classes} labels",
            received=None if labels is None else len(labels),
        )


DIGIT_CNN = Kind(
    DigitCNNConfig,
    arrays=digit_specs,
    answer=digit_answer,
    network="models.digit_cnn.network:digit_model",
    needs_labels=True,
    check=_check,
)

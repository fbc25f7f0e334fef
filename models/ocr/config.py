"""The config of the reader's networks, and the names and shapes of their weights.

What the classes mean is decided here and nowhere else: they are the characters of the alphabet for letters, tags of the
CRF and frames alike, and the last class of a frame is CTC's blank.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Annotated, Any, ClassVar, Literal

from annotated_types import Ge, Le, Len

from data_prep.array_files import ArraySpec
from data_prep.errors import InputError
from data_prep.fields import Checked, Count, NonNegative, Positive, Share
from data_prep.images.preparation import LETTER_HEIGHT, LETTER_WIDTH
from data_prep.readers.letters import LETTERS
from models.digit_cnn.plan import Plan, Step, specs_of_plan
from models.layers.cells import layer_shapes
from models.ocr.letter_lm import lm_specs

KIND = "ocr"
LAYERS = {"letters": ("alone", "context", "chain"), "words": ("frames",)}  # layers of logits
# Rows and columns that become one behind each stage.
POOLS = {"letters": ((2, 2), (2, 2), (1, 1)), "words": ((2, 2), (2, 1), (2, 1))}

Size = Annotated[int, Ge(1), Le(1024)]


@dataclass(frozen=True)
class OcrConfig(Checked):
    """Every argument of a network that reads, and of the search behind it.

    Args:
        reads: ``"letters"`` are cut apart already, ``"words"`` are read from one image (CTC).
        alphabet: The characters that it tells apart, in the order of the classes.
        filters: Channels of the three stages of the convolutions.
        convolutions: Convolutions in each stage.
        features: Numbers that the convolutions say of a letter, or of a frame of a word.
        units: Units of each direction of the BiLSTM.
        dropout: Share of values left out in training, before and behind the BiLSTM.
        answer: What letters are answered by: ``"bilstm"``, ``"crf"`` or ``"search"``, the beam search with language
            model.
        lm_grams: N-grams of each length in the language model; none for no language model.
        lm_contexts: Contexts of each length.
        lm_weight: Of the language model's logarithms in the search.
        lm_bonus: Added for each letter of a word in the search through frames, where words may become short.
        beam: Hypotheses that the search keeps.
        temperature: What the scores of hypotheses are divided by before they share the probability: no answer changes.

    Raises:
        InputError: A value makes no network.
    """

    reads: Literal["letters", "words"] = "letters"
    alphabet: str = LETTERS
    filters: Annotated[tuple[Size, ...], Len(3, 3)] = (24, 48, 96)
    convolutions: Size = 2
    features: Size = 128
    units: Size = 96
    dropout: Share = 0.3
    answer: Literal["bilstm", "crf", "search"] = "bilstm"
    lm_grams: tuple[Count, ...] = ()
    lm_contexts: tuple[Count, ...] = ()
    lm_weight: NonNegative = 0.5
    lm_bonus: float = 0.0
    beam: Size = 16
    temperature: Positive = 1.0

    ADDED: ClassVar[Mapping[str, Any]] = {"temperature": 1.0}

    def __post_init__(self) -> None:
        """Refuse values that make no network."""
        super().__post_init__()
        if len(self.alphabet) < 2 or list(self.alphabet) != sorted(set(self.alphabet)):
            raise InputError(
                "An alphabet has two different characters or more, in their order", received=self.alphabet
            )
        if len(self.lm_grams) != len(self.lm_contexts):
            raise InputError(
                "The sizes of the language model do not fit", received=(self.lm_grams, self.lm_contexts)
            )
        if self.answer == "search" and not self.lm_grams:
            raise InputError("A search needs a language model", remedy="Choose another answer")

    @property
    def classes(self) -> int:
        """Number of logits: the letters, and for words the blank."""
        return len(self.alphabet) + (self.reads == "words")

    @property
    def steps(self) -> tuple[Step, ...]:
        """The convolutions, for an image as wide as a letter; wider ones go through the same steps."""
        plan = Plan((LETTER_HEIGHT, LETTER_WIDTH, 1), momentum=0.98)
        for stage, (filters, pool) in enumerate(zip(self.filters, POOLS[self.reads], strict=True), start=1):
            for number in range(1, self.convolutions + 1):
                plan.conv(f"stage{stage}_conv{number}", filters, 3, bias=False)
                norm = plan.batch_norm(f"stage{stage}_norm{number}")
                plan.add("relu", f"{norm}_relu")
            if pool != (1, 1):
                plan.pool("max_pool", f"stage{stage}_pool", pool)
        return tuple(plan.steps)


def ocr_specs(config: OcrConfig) -> dict[str, ArraySpec]:
    """Give specs of the arrays of a preset: the network of ``models.ocr.network`` and the language model."""
    rows, columns, channels = config.steps[-1].shape
    read = rows * channels * (columns if config.reads == "letters" else 1)
    shapes = _dense("features", read, config.features)
    for name in ("forward", "backward"):
        shapes |= layer_shapes("lstm", name, config.features, config.units)
    for name in LAYERS[config.reads]:
        shapes |= _dense(name, config.features if name == "alone" else 2 * config.units, config.classes)
    if config.reads == "letters":
        tags = config.classes
        shapes |= {"crf/transitions": (tags, tags), "crf/start": (tags,), "crf/end": (tags,)}
    network = {name: ArraySpec(shape, "float32") for name, shape in shapes.items()}
    return specs_of_plan(config.steps) | network | lm_specs(config.lm_grams, config.lm_contexts)


def _dense(name: str, inputs: int, outputs: int) -> dict[str, tuple[int, ...]]:
    return {f"{name}/kernel": (inputs, outputs), f"{name}/bias": (outputs,)}

"""The presets of the reader: config, which arrays they hold and what they answer; opened without Keras.

What the classes mean is decided here and nowhere else: class 0 to 25 is a to z for letters, tags of the CRF and frames
alike, and the last class of a frame is CTC's blank.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Literal

import numpy as np

from data_prep.errors import InputError
from data_prep.images.preparation import LETTER_HEIGHT, LETTER_WIDTH
from data_prep.readers.letters import LETTERS
from data_prep.text.vocab import Vocabulary
from models.digit_cnn.plan import Step
from models.ocr.letter_lm import lm_specs
from models.presets.kinds import Kind
from models.storage.arrays import ArraySpec

KIND = "ocr"
LABELS = tuple(LETTERS)
BLANK = len(LABELS)
LAYERS = {"letters": ("alone", "context", "chain"), "words": ("frames",)}  # layers of logits
# Rows and columns that become one behind each stage.
POOLS = {"letters": ((2, 2), (2, 2), (1, 1)), "words": ((2, 2), (2, 1), (2, 1))}
_MOST = 1024

Arrays = Mapping[str, np.ndarray]
Reads = Literal["letters", "words"]


@dataclass(frozen=True)
class OcrConfig:
    """Every argument of a network that reads, and of the search behind it.

    Args:
        reads: ``"letters"`` are cut apart already, ``"words"`` are read from one image (CTC).
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
    """

    reads: Reads = "letters"
    filters: tuple[int, ...] = (24, 48, 96)
    convolutions: int = 2
    features: int = 128
    units: int = 96
    dropout: float = 0.3
    answer: Literal["bilstm", "crf", "search"] = "bilstm"
    lm_grams: tuple[int, ...] = ()
    lm_contexts: tuple[int, ...] = ()
    lm_weight: float = 0.5
    lm_bonus: float = 0.0
    beam: int = 16

    def __post_init__(self) -> None:
        """Refuse values that make no network."""
        if self.reads not in POOLS:
            raise InputError("There is no such reader", allowed=", ".join(POOLS), received=self.reads)
        if self.answer not in ("bilstm", "crf", "search"):
            raise InputError("There is no such answer", allowed="bilstm, crf, search", received=self.answer)
        sizes = (*self.filters, self.convolutions, self.features, self.units, self.beam)
        if len(self.filters) != len(POOLS[self.reads]) or not all(1 <= size <= _MOST for size in sizes):
            raise InputError(
                "The sizes of the network do not fit",
                allowed=f"three filters, and numbers from 1 to {_MOST}",
                received=sizes,
            )
        if not 0.0 <= self.dropout < 1.0:
            raise InputError("dropout is no share", allowed="0 to below 1", received=self.dropout)
        if (
            len(self.lm_grams) != len(self.lm_contexts)
            or min((*self.lm_grams, *self.lm_contexts), default=1) < 1
        ):
            raise InputError(
                "The sizes of the language model do not fit", received=(self.lm_grams, self.lm_contexts)
            )
        if self.lm_weight < 0.0:
            raise InputError("lm_weight is not negative", received=self.lm_weight)
        if self.answer == "search" and not self.lm_grams:
            raise InputError("A search needs a language model", remedy="Choose another answer")

    @property
    def classes(self) -> int:
        """Number of logits: the letters, and for words the blank."""
        return len(LABELS) + (self.reads == "words")

    @property
    def steps(self) -> tuple[Step, ...]:
        """The convolutions for an image as wide as a letter."""
        return conv_steps(self.reads, self.filters, self.convolutions, LETTER_WIDTH)


def conv_steps(reads: Reads, filters: tuple[int, ...], convolutions: int, width: int) -> tuple[Step, ...]:
    """Write down the convolutions as steps; each one is followed by a batch norm and ReLU, a stage by max-pooling.

    Args:
        reads: As in the config.
        filters: As in the config.
        convolutions: As in the config.
        width: Columns of the image.

    Returns:
        The steps; those of operation ``max_pool`` have ``size``, rows and columns.
    """
    steps: list[Step] = []
    last, (rows, columns, channels) = "image", (LETTER_HEIGHT, width, 1)
    for stage, (count, pool) in enumerate(zip(filters, POOLS[reads], strict=True), start=1):
        for number in range(1, convolutions + 1):
            name, norm = f"stage{stage}_conv{number}", f"stage{stage}_norm{number}"
            shape = (rows, columns, count)
            kernel = {"kernel": (3, 3, channels, count)}
            steps.append(Step("conv", name, (last,), shape, kernel, {"stride": 1, "same": True}))
            arrays = dict.fromkeys(("gamma", "beta", "moving_mean", "moving_variance"), (count,))
            steps.append(Step("batch_norm", norm, (name,), shape, arrays))
            last, channels = norm, count
        rows, columns = rows // pool[0], -(-columns // pool[1])
        steps.append(
            Step("max_pool", f"stage{stage}_pool", (last,), (rows, columns, count), {}, {"size": pool})
        )
        last = f"stage{stage}_pool"
    return tuple(steps)


def ocr_specs(config: OcrConfig) -> dict[str, ArraySpec]:
    """Give specs of the arrays of a preset: the network of ``models.ocr.network`` and the language model."""
    shapes = {f"{step.name}/{name}": shape for step in config.steps for name, shape in step.arrays.items()}
    rows, columns, channels = config.steps[-1].shape
    read = rows * channels * (columns if config.reads == "letters" else 1)
    shapes |= _dense("features", read, config.features)
    for name in ("forward", "backward"):
        cell = f"{name}/lstm_cell"
        shapes[f"{cell}/kernel"] = (config.features, 4 * config.units)
        shapes[f"{cell}/recurrent_kernel"] = (config.units, 4 * config.units)
        shapes[f"{cell}/bias"] = (4 * config.units,)
    for name in LAYERS[config.reads]:
        inputs = config.features if name == "alone" else 2 * config.units
        shapes |= _dense(name, inputs, config.classes)
    if config.reads == "letters":
        tags = config.classes
        shapes |= {"crf/transitions": (tags, tags), "crf/start": (tags,), "crf/end": (tags,)}
    network = {name: ArraySpec(shape, "float32") for name, shape in shapes.items()}
    return network | lm_specs(config.lm_grams, config.lm_contexts)


def ocr_answer(config: OcrConfig, arrays: Arrays, inputs: Arrays) -> dict[str, np.ndarray]:
    """Answer a golden input as the Keras network does.

    Args:
        arrays: Of a preset.
        inputs: ``letters`` float32 (letters, 16, 8, 1) with ``lengths`` int (words,), or ``image`` float32
            (1, 16, width, 1).

    Returns:
        Logits: ``alone``, ``context`` and ``chain`` float32 (letters, 26), or ``frames`` (frames, 27); and
        ``language``, what the language model says of the end of one short word, where there is one.
    """
    from models.ocr.letter_lm import LetterLM
    from models.ocr.serving import letter_logits, word_logits

    if "letters" in inputs:
        answer = letter_logits(arrays, inputs["letters"], inputs["lengths"].tolist())
    else:
        answer = {"frames": word_logits(arrays, [inputs["image"][0]])[0]}
    language = LetterLM.from_arrays(arrays)
    if language is not None:
        answer["language"] = language.log_probabilities("the").astype(np.float32)
    return answer


def _dense(name: str, inputs: int, outputs: int) -> dict[str, tuple[int, ...]]:
    return {f"{name}/kernel": (inputs, outputs), f"{name}/bias": (outputs,)}


def _check(config: OcrConfig, vocabulary: Vocabulary | None, labels: tuple[str, ...] | None) -> None:
    if labels != LABELS:
        raise InputError("The labels are not the letters a to z in their order", received=labels)


OCR = Kind(
    OcrConfig,
    arrays=ocr_specs,
    answer=ocr_answer,
    network="models.ocr.network:ocr_model",
    needs_labels=True,
    check=_check,
)

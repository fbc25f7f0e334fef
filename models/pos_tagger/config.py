"""The config of a tagger, and names and shapes of its weights."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Annotated, Literal, NamedTuple

import numpy as np
from annotated_types import Len

from data_prep.array_files import ArraySpec
from data_prep.errors import InputError
from data_prep.fields import Checked, Count, Positive, Share
from data_prep.text.tag_inputs import FIRST_CHARACTER
from models.layers.cells import layer_shapes
from models.serving.bilstm import Packing

Counts = Annotated[tuple[Count, ...], Len(1)]
OUTPUTS = ("upos", "xpos")


@dataclass(frozen=True)
class PosTaggerConfig(Checked):
    """Every argument of the network.

    Args:
        word_rows: Rows of the frozen vectors; ids 0 and 1 are PAD and UNK.
        trained_rows: The first so many rows have a trained vector as well; others share that of UNK.
        alphabet: Characters with an id, in their order.
        upos: UPOS tags in the order of the logits.
        xpos: XPOS tags in the order of the logits.
        vector_dimensions: Length of a frozen vector.
        trained_dimensions: Length of a trained vector.
        character_dimensions: Length of a character's vector.
        character_units: Filters of each width.
        character_widths: Widths of the windows, in characters.
        units: Units of each direction, one number for each BiLSTM layer.
        word_dropout: Share of words whose trained vector is replaced by that of UNK in training.
        dropout: Share of values left out in training, before and after each BiLSTM layer.
        output: ``"softmax"`` decides word by word, ``"crf"`` for the whole sentence (UPOS only).
        upos_temperature: UPOS logits are divided by it for probabilities; fitted after training.
        xpos_temperature: The same for XPOS.
    """

    word_rows: int
    trained_rows: int
    alphabet: str
    upos: tuple[str, ...]
    xpos: tuple[str, ...]
    vector_dimensions: Count = 100
    trained_dimensions: Count = 64
    character_dimensions: Count = 32
    character_units: Count = 40
    character_widths: Counts = (2, 3, 4)
    units: Counts = (256, 160)
    word_dropout: Share = 0.1
    dropout: Share = 0.4
    output: Literal["softmax", "crf"] = "softmax"
    upos_temperature: Positive = 1.0
    xpos_temperature: Positive = 1.0

    def __post_init__(self) -> None:
        """Check every field, and what fields say together."""
        super().__post_init__()
        if not 2 <= self.trained_rows <= self.word_rows:
            raise InputError(
                "A tagger's trained rows are some of its word rows",
                allowed=f"2 to {self.word_rows}",
                received=self.trained_rows,
            )
        for name in (*OUTPUTS, "alphabet"):
            values = getattr(self, name)
            if not values or len(set(values)) < len(values):
                raise InputError(f"A tagger's {name} is a list without repetition", received=values)


class Logits(NamedTuple):
    """Logits of words, float32 (words, tags), the packing of their sentences, and which words are unknown."""

    upos: np.ndarray
    xpos: np.ndarray
    packing: Packing
    unknown: np.ndarray


def tagger_specs(config: PosTaggerConfig) -> dict[str, ArraySpec]:
    """Give names, shapes and dtypes of the arrays of ``models.pos_tagger.network.build_pos_tagger``, in its order."""
    rows, dimensions = config.word_rows, config.vector_dimensions
    shapes: dict[str, tuple[int, ...]] = {
        "trained_vectors/embeddings": (config.trained_rows, config.trained_dimensions),
        "character_encoder/table": (len(config.alphabet) + FIRST_CHARACTER, config.character_dimensions),
    }
    for width in config.character_widths:
        name = f"character_encoder/width{width}"
        shapes[f"{name}_kernel"] = (width, config.character_dimensions, config.character_units)
        shapes[f"{name}_bias"] = (config.character_units,)
    inputs = dimensions + config.trained_dimensions + len(config.character_widths) * config.character_units
    for number, units in enumerate(config.units, start=1):
        for name in (f"forward{number}", f"backward{number}"):
            shapes |= layer_shapes("lstm", name, inputs, units)
        inputs = 2 * units
    for name in OUTPUTS:
        tags = len(getattr(config, name))
        shapes[f"{name}_head/kernel"], shapes[f"{name}_head/bias"] = (inputs, tags), (tags,)
    if config.output == "crf":
        tags = len(config.upos)
        shapes |= {"crf/transitions": (tags, tags), "crf/start": (tags,), "crf/end": (tags,)}
    frozen = {
        "frozen_vectors/codes": ArraySpec((rows, dimensions), "int8"),
        "frozen_vectors/scales": ArraySpec((rows,), "float32"),
    }
    return frozen | {name: ArraySpec(shape, "float32") for name, shape in shapes.items()}

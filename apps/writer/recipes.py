"""The recipes of a writer: everything that decides it, and what a person may change."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from typing import Literal

from data_prep.fields import Checked, Count, Natural, NonNegative, Positive, Rate, Share
from data_prep.text.streams import SplitName, TokenKind
from models.layers.cells import CellName
from models.training.teaching import Teaching


@dataclass(frozen=True)
class WriterRecipe(Checked):
    """Everything that decides the writer; the defaults made the shipped preset.

    Args:
        tokens: What a token is.
        vocabulary_size: The most entries of the vocabulary; none keeps all (2,000 word pieces).
        lower: Whether words and word pieces are lower-cased.
        cell: Kind of the recurrent layers.
        layers: How many there are.
        units: Length of the state of each.
        members: Networks that are trained apart, each from a seed of its own, and answer together.
        embedding: Length of a token's vector.
        dropout: Share of values left out after each recurrent layer, one mask a window.
        input_dropout: The same for the tokens' vectors.
        token_dropout: Share of tokens read as unknown.
        weight_dropout: Share of the recurrent kernels left out; of an LSTM only.
        renamed: Share of the speakers of a play that get other names, new ones in every epoch; see
            :mod:`data_prep.text.speaker_names`. A text without speakers stays as it is.
        split: Row of ``data_prep.text.streams.SPLITS``.
        epochs: Passes over the training part.
        batch_size: Rows, each a part of the text of its own.
        length: Tokens of a window, through which the gradient goes back; the state goes on.
        learning_rate: The highest, after ``warmup`` steps; it falls along a cosine to ``final_rate`` of it.
        warmup: Steps.
        final_rate: Share of the learning rate that is left at the end.
        weight_decay: Of AdamW; not for biases.
        clip: The gradient of all weights together is made no longer than this.
        averaging: Momentum of the averaged weights, which are scored and kept; 0 for none.
        calibration: Temperature scaling: what the logits of the trained network are divided by, above 1 where it is
            too sure of itself (Guo et al. 2017).
        teaching: What each network learns from another writer.
        products: What the factors of an LSTM's products are rounded to in training; ``"auto"`` is what this processor
            multiplies fastest.
        seed: Of all draws.
    """

    tokens: TokenKind = "char"
    vocabulary_size: Count | None = None
    lower: bool = False
    cell: CellName = "lstm"
    layers: int = 2
    units: int = 480
    members: int = 2
    embedding: int = 64
    dropout: float = 0.5
    input_dropout: float = 0.1
    token_dropout: float = 0.02
    weight_dropout: float = 0.2
    renamed: Share = 0.8
    split: SplitName = "last_tenth"
    epochs: Count = 24
    batch_size: Count = 64
    length: Count = 64
    learning_rate: Rate = 0.003
    warmup: Natural = 100
    final_rate: Share = 0.0
    weight_decay: NonNegative = 0.01
    clip: Positive = 1.0
    averaging: Share = 0.995
    calibration: Positive = 1.08
    teaching: Teaching = field(default_factory=Teaching)
    products: Literal["auto", "float32", "bfloat16"] = "auto"
    seed: Natural = 1


# To be watched: small, without what makes a long training better.
_LAB = WriterRecipe(
    layers=1,
    units=128,
    members=1,
    embedding=32,
    dropout=0.0,
    input_dropout=0.0,
    token_dropout=0.0,
    weight_dropout=0.0,
    renamed=0.0,
    split="slice",
    epochs=8,
    batch_size=32,
    length=64,
    learning_rate=0.006,
    warmup=50,
    final_rate=0.05,
    weight_decay=0.0,
    averaging=0.99,
    calibration=1.0,
)

RECIPES: Mapping[str, WriterRecipe] = {
    "default": WriterRecipe(),
    "sample": WriterRecipe(
        layers=1,
        units=96,
        members=1,
        embedding=32,
        dropout=0.1,
        token_dropout=0.01,
        weight_dropout=0.0,
        epochs=4,
        batch_size=16,
        length=64,
        learning_rate=0.008,
        warmup=20,
        averaging=0.98,
        calibration=1.0,
    ),
    "lab": _LAB,
    "remember": replace(
        _LAB,
        units=64,
        embedding=16,
        length=128,
        learning_rate=0.004,
        warmup=20,
        final_rate=0.1,
        averaging=0.98,
    ),
}

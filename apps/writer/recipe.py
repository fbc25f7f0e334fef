"""The recipe of a writer: everything that decides it, and what a person may change.

The defaults made the shipped preset. They were chosen inside the training part (``--set split=slice``).
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Literal

from data_prep.errors import InputError


@dataclass(frozen=True)
class WriterRecipe:
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
        dropout: Share of values left out behind each recurrent layer, one mask a window.
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
        calibration: What the logits of the trained network are divided by; above 1 where it is too sure of itself.
        products: What the factors of an LSTM's products are rounded to in training; ``"auto"`` is what this processor
            multiplies fastest.
        seed: Of all draws.
    """

    tokens: Literal["char", "word", "piece"] = "char"
    vocabulary_size: int | None = None
    lower: bool = False
    cell: Literal["rnn", "lstm", "gru", "mgu"] = "lstm"
    layers: int = 2
    units: int = 480
    members: int = 2
    embedding: int = 64
    dropout: float = 0.5
    input_dropout: float = 0.1
    token_dropout: float = 0.02
    weight_dropout: float = 0.2
    renamed: float = 0.8
    split: Literal["last_tenth", "slice", "char_rnn"] = "last_tenth"
    epochs: int = 24
    batch_size: int = 64
    length: int = 64
    learning_rate: float = 0.003
    warmup: int = 100
    final_rate: float = 0.0
    weight_decay: float = 0.01
    clip: float = 1.0
    averaging: float = 0.995
    calibration: float = 1.08
    products: Literal["auto", "float32", "bfloat16"] = "auto"
    seed: int = 1

    def __post_init__(self) -> None:
        """Refuse values that the network's config does not check."""
        for name in ("epochs", "batch_size", "length"):
            if getattr(self, name) < 1:
                raise InputError(f"{name} must be at least 1", received=getattr(self, name))
        for name in ("averaging", "final_rate", "renamed"):
            if not 0.0 <= getattr(self, name) < 1.0:
                raise InputError(f"{name} must be from 0 to below 1", received=getattr(self, name))
        if not 0.0 < self.learning_rate < 1.0:
            raise InputError("learning_rate must lie between 0 and 1", received=self.learning_rate)
        for name in ("clip", "calibration"):
            if getattr(self, name) <= 0.0:
                raise InputError(f"{name} must be above 0", received=getattr(self, name))
        if min(self.warmup, self.weight_decay) < 0:
            raise InputError("warmup and weight_decay are not negative")


SAMPLE_RECIPE = WriterRecipe(
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
)


def chosen_recipe(recipe: WriterRecipe, overrides: Sequence[str]) -> WriterRecipe:
    """Change a recipe as a person asks; cells that leave no weights out get a recipe that does not ask them to.

    Args:
        recipe: What holds where nothing else is asked.
        overrides: ``key=value`` for its fields.

    Raises:
        InputError: An override is wrong.
    """
    from models.training.recipe import with_overrides

    found = with_overrides(recipe, overrides)
    if found.cell == "lstm" or any(override.startswith("weight_dropout=") for override in overrides):
        return found
    return replace(found, weight_dropout=0.0)

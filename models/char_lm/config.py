"""The config of a language model, names and shapes of its weights, and networks made of networks."""

from __future__ import annotations

from bisect import bisect_right
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from math import prod
from typing import Annotated

import numpy as np
from annotated_types import Ge, Gt, Le

from data_prep.array_files import ArraySpec
from data_prep.errors import InputError
from data_prep.fields import Checked, Count, Share
from data_prep.text.streams import TokenKind
from data_prep.text.vocab import UNK
from models.layers.cells import CellName, LayerWeights, layer_shapes, layer_weights, weight_paths

MAX_LAYERS, MAX_MEMBERS = 3, 4

Arrays = Mapping[str, np.ndarray]


@dataclass(frozen=True)
class CharLMConfig(Checked):
    """Every argument of the network.

    Args:
        tokens: Size of the vocabulary, specials included.
        cell: Kind of the recurrent layers.
        layers: How many there are, 1 to 3.
        units: Length of the state of each.
        embedding: Length of a token's vector.
        dropout: Share of values left out in training behind each recurrent layer, the same ones at every step.
        input_dropout: The same for the vectors of the tokens.
        token_dropout: Share of tokens that are read as unknown in training; it makes the unknown one known.
        weight_dropout: Share of the recurrent kernels left out in training, the same for a whole batch; LSTM only.
        tokenizer: What a token is.
        lower: Whether words and word pieces are lower-cased; characters never are.
        start: Id that is read before the first token of a text.
        members: Stacks of ``layers`` side by side, 1 to 4: each has token vectors of its own, all share the logits.
    """

    tokens: Annotated[int, Gt(UNK)]  # <pad>, <unk> and more
    cell: CellName = "lstm"
    layers: Annotated[int, Ge(1), Le(MAX_LAYERS)] = 2
    units: Count = 512
    embedding: Count = 64
    dropout: Share = 0.0
    input_dropout: Share = 0.0
    token_dropout: Share = 0.0
    weight_dropout: Share = 0.0
    tokenizer: TokenKind = "char"
    lower: bool = False
    start: int = UNK
    members: Annotated[int, Ge(1), Le(MAX_MEMBERS)] = 1

    def __post_init__(self) -> None:
        """Check every field, and what fields say together."""
        super().__post_init__()
        if not 0 <= self.start < self.tokens:
            raise InputError(
                "The start is no id of the vocabulary", allowed=f"0 to {self.tokens - 1}", received=self.start
            )
        if self.weight_dropout > 0.0 and self.cell != "lstm":
            raise InputError("Only an LSTM leaves recurrent weights out", allowed="lstm", received=self.cell)


def embedding_name(member: int) -> str:
    """Return the name of the layer that holds the token vectors of a member, from 1."""
    return "embedding" if member == 1 else f"embedding{member}"


def recurrent_name(number: int) -> str:
    """Return the name of the recurrent layer of this number, from 1; those of the first member come first."""
    return f"recurrent{number}"  # without "_": models.storage.variables numbers such names anew


def layer_numbers(config: CharLMConfig, member: int) -> range:
    """Return the numbers of a member's recurrent layers; member and numbers count from 1."""
    return range((member - 1) * config.layers + 1, member * config.layers + 1)


def char_lm_specs(config: CharLMConfig) -> dict[str, ArraySpec]:
    """Give names, shapes and dtypes of the arrays of ``models.char_lm.network.build_char_lm``, in its order."""
    shapes: dict[str, tuple[int, ...]] = {}
    for member in range(1, config.members + 1):
        shapes[f"{embedding_name(member)}/embeddings"] = (config.tokens, config.embedding)
        inputs = config.embedding
        for number in layer_numbers(config, member):
            shapes |= layer_shapes(config.cell, recurrent_name(number), inputs, config.units)
            inputs = config.units
    shapes |= {
        "logits/kernel": (config.members * config.units, config.tokens),
        "logits/bias": (config.tokens,),
    }
    return {name: ArraySpec(shape, "float32") for name, shape in shapes.items()}


def recurrent_weights(config: CharLMConfig, arrays: Arrays) -> list[LayerWeights]:
    """Take the weights of the recurrent layers out of those of a network, the first layer first."""
    numbers = range(1, config.members * config.layers + 1)
    return [layer_weights(config.cell, recurrent_name(number), arrays) for number in numbers]


def parameter_count(config: CharLMConfig) -> int:
    """Return how many numbers a network of this config learns, without building it."""
    return sum(prod(spec.shape) for spec in char_lm_specs(config).values())


def units_for(budget: int, config: CharLMConfig) -> CharLMConfig:
    """Return the config with the most units whose network has at most ``budget`` numbers."""
    units = bisect_right(
        range(1, budget + 1), budget, key=lambda units: parameter_count(replace(config, units=units))
    )
    if units == 0:
        raise InputError("The budget of parameters is too small", received=budget)
    return replace(config, units=units)


def joined(config: CharLMConfig, members: Sequence[Arrays]) -> tuple[CharLMConfig, dict[str, np.ndarray]]:
    """Put networks that were trained apart side by side, so that they answer with the mean of their logits.

    An ensemble (Hansen and Salamon 1990) whose probabilities are the geometric means, set to a sum of 1. ``config`` is
    that of each of them, with one member.
    """
    together: dict[str, np.ndarray] = {}
    for member, arrays in enumerate(members, start=1):
        together |= {name: arrays[own] for own, name in _member_paths(config, member)}
    together["logits/kernel"] = np.concatenate([arrays["logits/kernel"] for arrays in members]) / len(members)
    together["logits/bias"] = np.mean([arrays["logits/bias"] for arrays in members], axis=0)
    return replace(config, members=len(members)), together


def member_arrays(config: CharLMConfig, arrays: Arrays, member: int) -> dict[str, np.ndarray]:
    """Take one of several joined networks out again, from 1; each gets the bias of all, which was their mean."""
    alone = {own: arrays[name] for own, name in _member_paths(config, member)}
    rows = slice((member - 1) * config.units, member * config.units)
    alone["logits/kernel"] = arrays["logits/kernel"][rows] * np.float32(config.members)
    return {**alone, "logits/bias": arrays["logits/bias"]}


def _member_paths(config: CharLMConfig, member: int) -> Iterator[tuple[str, str]]:
    """Yield the path of every array below the logits in a network by itself, and as a member of a joined one."""
    yield "embedding/embeddings", f"{embedding_name(member)}/embeddings"
    for own, number in enumerate(layer_numbers(config, member), start=1):
        names = (recurrent_name(own), recurrent_name(number))
        yield from zip(*(weight_paths(config.cell, name) for name in names), strict=True)

"""The preset of a language model: its config, which arrays it holds, and what they answer; opened without Keras."""

from __future__ import annotations

import re
from bisect import bisect_right
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from math import prod
from typing import Literal

import numpy as np

from data_prep.errors import InputError
from data_prep.text.vocab import UNK, Vocabulary
from models.char_lm.serving import numpy_layer
from models.layers.cells import CELLS, CellName
from models.presets.kinds import Kind
from models.storage.arrays import ArraySpec

TokenKind = Literal["char", "word", "piece"]
MAX_LAYERS, MAX_MEMBERS = 3, 4

_RECURRENT = re.compile(r"recurrent(?P<number>\d+)/(?P<rest>.+)")

Arrays = Mapping[str, np.ndarray]


@dataclass(frozen=True)
class CharLMConfig:
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

    tokens: int
    cell: CellName = "lstm"
    layers: int = 2
    units: int = 512
    embedding: int = 64
    dropout: float = 0.0
    input_dropout: float = 0.0
    token_dropout: float = 0.0
    weight_dropout: float = 0.0
    tokenizer: TokenKind = "char"
    lower: bool = False
    start: int = UNK
    members: int = 1

    def __post_init__(self) -> None:
        """Refuse values that make no network."""
        if min(self.units, self.embedding) < 1:
            raise InputError("A language model's sizes are at least 1", received=(self.units, self.embedding))
        if not 1 <= self.layers <= MAX_LAYERS:
            raise InputError(
                "The number of recurrent layers does not fit",
                allowed=f"1 to {MAX_LAYERS}",
                received=self.layers,
            )
        if not 1 <= self.members <= MAX_MEMBERS:
            raise InputError(
                "The number of members does not fit", allowed=f"1 to {MAX_MEMBERS}", received=self.members
            )
        if self.cell not in CELLS:
            raise InputError("There is no such recurrent cell", allowed=", ".join(CELLS), received=self.cell)
        if self.tokenizer not in ("char", "word", "piece"):
            raise InputError("There is no such token", allowed="char, word, piece", received=self.tokenizer)
        if not self.tokens > UNK:
            raise InputError("A vocabulary holds <pad>, <unk> and more", received=self.tokens)
        if not 0 <= self.start < self.tokens:
            raise InputError(
                "The start is no id of the vocabulary", allowed=f"0 to {self.tokens - 1}", received=self.start
            )
        for name in ("dropout", "input_dropout", "token_dropout", "weight_dropout"):
            if not 0.0 <= getattr(self, name) < 1.0:
                raise InputError(f"{name} is no share", allowed="0 to below 1", received=getattr(self, name))
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
    cell, units = CELLS[config.cell], config.units
    columns = len(cell.blocks) * units
    shapes: dict[str, tuple[int, ...]] = {}
    for member in range(1, config.members + 1):
        shapes[f"{embedding_name(member)}/embeddings"] = (config.tokens, config.embedding)
        inputs = config.embedding
        for number in layer_numbers(config, member):
            folder = f"{recurrent_name(number)}/{cell.path}"
            shapes[f"{folder}/kernel"] = (inputs, columns)
            shapes[f"{folder}/recurrent_kernel"] = (units, columns)
            shapes[f"{folder}/bias"] = (columns,) if cell.biases == 1 else (cell.biases, columns)
            inputs = units
    shapes |= {"logits/kernel": (config.members * units, config.tokens), "logits/bias": (config.tokens,)}
    return {name: ArraySpec(shape, "float32") for name, shape in shapes.items()}


def parameter_count(config: CharLMConfig) -> int:
    """Return how many numbers a network of this config learns, without building it."""
    return sum(prod(spec.shape) for spec in char_lm_specs(config).values())


def units_for(budget: int, config: CharLMConfig) -> CharLMConfig:
    """Return the config with the most units whose network has at most ``budget`` numbers.

    Args:
        budget: How many numbers the network may learn.
        config: All the rest.

    Raises:
        InputError: If not even one unit fits.
    """
    units = bisect_right(
        range(1, budget + 1), budget, key=lambda units: parameter_count(replace(config, units=units))
    )
    if units == 0:
        raise InputError("The budget of parameters is too small", received=budget)
    return replace(config, units=units)


def joined(config: CharLMConfig, members: Sequence[Arrays]) -> tuple[CharLMConfig, dict[str, np.ndarray]]:
    """Put networks that were trained apart side by side, so that they answer with the mean of their logits.

    An ensemble (Hansen and Salamon 1990) whose probabilities are the geometric means, set to a sum of 1.

    Args:
        config: Of each of them, with one member.
        members: Their arrays.

    Returns:
        Config and arrays of the network of them all.
    """
    together: dict[str, np.ndarray] = {}
    for member, arrays in enumerate(members, start=1):
        together[f"{embedding_name(member)}/embeddings"] = arrays["embedding/embeddings"]
        for name, array in arrays.items():
            if match := _RECURRENT.fullmatch(name):
                number = (member - 1) * config.layers + int(match["number"])
                together[f"{recurrent_name(number)}/{match['rest']}"] = array
    together["logits/kernel"] = np.concatenate([arrays["logits/kernel"] for arrays in members]) / len(members)
    together["logits/bias"] = np.mean([arrays["logits/bias"] for arrays in members], axis=0)
    return replace(config, members=len(members)), together


def softened(arrays: Arrays, temperature: float) -> dict[str, np.ndarray]:
    """Divide the logits of a network by a number, so that it is as sure as it is right (Guo et al. 2017).

    Args:
        arrays: Of the network.
        temperature: Above 1 for a network that is too sure of itself.

    Returns:
        The arrays with other weights of the last layer.
    """
    last = {name: arrays[name] / np.float32(temperature) for name in ("logits/kernel", "logits/bias")}
    return {**arrays, **last}


def char_lm_answer(config: CharLMConfig, arrays: Arrays, inputs: Arrays) -> dict[str, np.ndarray]:
    """Read ids from a state of zero: ``ids`` int (batch, time) to ``logits`` float32 (batch, time, tokens)."""
    ids = inputs["ids"].swapaxes(0, 1)
    vectors = [array for name, array in arrays.items() if name.endswith("/embeddings")]
    layers = _recurrent_layers(arrays)
    depth, outputs = len(layers) // len(vectors), []
    for member, table in enumerate(vectors):
        values = table[ids]
        for name, cell in layers[member * depth : (member + 1) * depth]:
            layer = numpy_layer(cell, name, arrays)
            projected = layer.project(values)
            start = layer.zeros(values.shape[1])
            values, _ = layer.run(lambda steps, found=projected: found[steps], len(values), start)
        outputs.append(values.swapaxes(0, 1))
    return {"logits": np.concatenate(outputs, axis=-1) @ arrays["logits/kernel"] + arrays["logits/bias"]}


def _recurrent_layers(arrays: Arrays) -> list[tuple[str, CellName]]:
    """Return name and cell of each recurrent layer, the first one first."""
    cells = {f"{cell.path}/recurrent_kernel": name for name, cell in CELLS.items()}
    found = [match for match in map(_RECURRENT.fullmatch, arrays) if match and match["rest"] in cells]
    found.sort(key=lambda match: int(match["number"]))
    return [(recurrent_name(int(match["number"])), cells[match["rest"]]) for match in found]


def _check(config: CharLMConfig, vocabulary: Vocabulary | None, labels: tuple[str, ...] | None) -> None:
    if vocabulary is None or len(vocabulary) != config.tokens:
        raise InputError(
            "The vocabulary does not have one entry for each logit",
            allowed=f"{config.tokens} entries",
            received=None if vocabulary is None else len(vocabulary),
        )


CHAR_LM = Kind(
    CharLMConfig,
    arrays=char_lm_specs,
    answer=char_lm_answer,
    network="models.char_lm.network:char_lm_model",
    needs_vocabulary=True,
    check=_check,
)

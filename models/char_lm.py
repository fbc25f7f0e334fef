"""The language model of the writer: embedding, one to three recurrent layers, logits of the next token.

After Karpathy 2015, "The unreasonable effectiveness of recurrent neural networks", with dropout that leaves out the
same values at every step of a sequence (Gal and Ghahramani 2016). A token is a character, a word or a word piece.
"""

from __future__ import annotations

from dataclasses import dataclass, fields
from typing import Any, Literal

import keras
from keras import ops

from data_prep.errors import InputError
from data_prep.vocab import UNK, Vocabulary
from models.fast_lstm import Products
from models.kinds import Kind
from models.recurrent import CELLS, CellName, recurrent_layer
from models.variables import assign_arrays, variable_arrays, variable_specs

TokenKind = Literal["char", "word", "piece"]
MAX_LAYERS = 3


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


class UnknownTokens(keras.layers.Layer):
    """Read a share of the tokens as unknown, in training only.

    Args:
        rate: That share.
        **kwargs: As for every layer.
    """

    def __init__(self, rate: float, **kwargs: Any) -> None:
        super().__init__(**kwargs)
        self.rate = rate
        self.seed_generator = keras.random.SeedGenerator()
        self.built = True

    def call(self, ids: Any, training: bool = False) -> Any:
        """Map ids to ids, int32 (batch, time)."""
        if not training or self.rate == 0.0:
            return ids
        chance = keras.random.uniform(ops.shape(ids), seed=self.seed_generator)
        return ops.where(chance < self.rate, ops.full_like(ids, UNK), ids)

    def get_config(self) -> dict[str, Any]:
        """Return every argument."""
        return {**super().get_config(), "rate": self.rate}


def build_char_lm(
    config: CharLMConfig,
    *,
    batch_size: int | None = None,
    stateful: bool = False,
    products: Products | None = None,
) -> keras.Model:
    """Build the network.

    Args:
        config: Its arguments.
        batch_size: Rows of every batch, where that is fixed.
        stateful: Whether the layers carry their state from batch to batch (training by windows);
            ``models.recurrent.reset_states`` sets it to zero. The weights have the same names either way.
        products: As in ``models.recurrent.recurrent_layer``; the weights have the same names again.

    Returns:
        Ids int32 (batch, time) to logits float32 (batch, time, tokens) of the token that comes next.

    Raises:
        InputError: If ``stateful`` is asked for without a batch size.
    """
    if stateful and batch_size is None:
        raise InputError("A network that carries its state needs a batch size", allowed="1 or more")
    ids = keras.Input((None,), batch_size=batch_size, dtype="int32", name="ids")
    hidden = UnknownTokens(config.token_dropout, name="unknown_tokens")(ids)
    hidden = keras.layers.Embedding(config.tokens, config.embedding, name="embedding")(hidden)
    hidden = _dropout(config.input_dropout, "input_dropout")(hidden)
    for number in range(1, config.layers + 1):
        name = recurrent_name(number)
        hidden = recurrent_layer(
            config.cell,
            config.units,
            stateful=stateful,
            name=name,
            weight_dropout=config.weight_dropout,
            products=products,
        )(hidden)
        hidden = _dropout(config.dropout, f"dropout{number}")(hidden)
    logits = keras.layers.Dense(config.tokens, dtype="float32", name="logits")(hidden)
    return keras.Model(ids, logits, name="char_lm")


def recurrent_name(number: int) -> str:
    """Return the name of the recurrent layer of this number, from 1."""
    return f"recurrent{number}"  # without "_": models.variables numbers such names anew


def parameter_count(config: CharLMConfig) -> int:
    """Return how many numbers a network of this config learns, without building it."""
    blocks, units = len(CELLS[config.cell].blocks), config.units
    biases = 2 if config.cell == "gru" else 1  # Keras keeps one bias for each of the two products
    total = config.tokens * config.embedding + (units + 1) * config.tokens
    for number in range(config.layers):
        inputs = config.embedding if number == 0 else units
        total += blocks * units * (inputs + units + biases)
    return total


def units_for(budget: int, config: CharLMConfig) -> CharLMConfig:
    """Return the config with the most units whose network has at most ``budget`` numbers.

    Args:
        budget: How many numbers the network may learn.
        config: All the rest.

    Raises:
        InputError: If not even one unit fits.
    """
    values = {field.name: getattr(config, field.name) for field in fields(config)}

    def sized(units: int) -> CharLMConfig:
        return CharLMConfig(**{**values, "units": units})

    if parameter_count(sized(1)) > budget:
        raise InputError("The budget of parameters is too small", received=budget)
    low, high = 1, budget
    while low < high:
        middle = (low + high + 1) // 2
        low, high = (middle, high) if parameter_count(sized(middle)) <= budget else (low, middle - 1)
    return sized(low)


def without_state(config: CharLMConfig, trained: keras.Model) -> keras.Model:
    """Return a network of any batch size, carrying no state, with the weights of a trained one."""
    model = build_char_lm(config)
    arrays = variable_arrays(trained.weights)
    assign_arrays(model.weights, {name: arrays[name] for name in variable_specs(model.weights)})
    return model


def _dropout(rate: float, name: str) -> keras.layers.Layer:
    """Leave out the same values at every step: one mask a sequence and feature."""
    return keras.layers.Dropout(rate, noise_shape=(None, 1, None), name=name)


def _check(config: CharLMConfig, vocabulary: Vocabulary | None, labels: tuple[str, ...] | None) -> None:
    if vocabulary is None or len(vocabulary) != config.tokens:
        raise InputError(
            "The vocabulary does not have one entry for each logit",
            allowed=f"{config.tokens} entries",
            received=None if vocabulary is None else len(vocabulary),
        )


CHAR_LM = Kind(CharLMConfig, build=build_char_lm, needs_vocabulary=True, check=_check)

"""The language model of the writer: embedding, one to three recurrent layers, logits of the next token.

After Karpathy 2015, "The unreasonable effectiveness of recurrent neural networks", with dropout that leaves out the
same values at every step of a sequence (Gal and Ghahramani 2016). A token is a character, a word or a word piece.
"""

from __future__ import annotations

import keras

from models.char_lm.config import CharLMConfig, embedding_name, layer_numbers, recurrent_name
from models.layers.fast_lstm import Products
from models.layers.recurrent import recurrent_layer
from models.layers.sequences import UnknownTokens


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
        stateful: Whether the layers carry their state from batch to batch (training by windows), which takes a batch
            size; ``models.layers.recurrent.reset_states`` sets it to zero. The weights have the same names either way.
        products: As in ``models.layers.recurrent.recurrent_layer``; the weights have the same names again.

    Returns:
        Ids int32 (batch, time) to logits float32 (batch, time, tokens) of the token that comes next.
    """
    ids = keras.Input((None,), batch_size=batch_size, dtype="int32", name="ids")
    read = UnknownTokens(config.token_dropout, name="unknown_tokens")(ids)
    outputs = []
    for member in range(1, config.members + 1):
        name = embedding_name(member)
        hidden = keras.layers.Embedding(config.tokens, config.embedding, name=name)(read)
        hidden = _dropout(config.input_dropout, f"input_dropout{'' if member == 1 else member}")(hidden)
        for number in layer_numbers(config, member):
            hidden = recurrent_layer(
                config.cell,
                config.units,
                stateful=stateful,
                name=recurrent_name(number),
                weight_dropout=config.weight_dropout,
                products=products,
            )(hidden)
            hidden = _dropout(config.dropout, f"dropout{number}")(hidden)
        outputs.append(hidden)
    hidden = outputs[0] if len(outputs) == 1 else keras.layers.Concatenate(name="members")(outputs)
    logits = keras.layers.Dense(config.tokens, dtype="float32", name="logits")(hidden)
    return keras.Model(ids, logits, name="char_lm")


def _dropout(rate: float, name: str) -> keras.layers.Layer:
    """Leave out the same values at every step: one mask a sequence and feature."""
    return keras.layers.Dropout(rate, noise_shape=(None, 1, None), name=name)

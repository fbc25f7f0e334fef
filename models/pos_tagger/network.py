"""The tagger: word vectors and a character CNN, a BiLSTM over the sentence, two heads (UPOS and XPOS).

After Ma and Hovy 2016, "End-to-end sequence labeling via bi-directional LSTM-CNNs-CRF", and Huang, Xu and Yu
2015. A word is what is known about it before training (vectors that stay as they are), what training adds, and
what its characters say, side by side. Padding comes last and is never read: the backward direction reads each
sentence reversed by its own length, so neither direction needs a mask inside the recurrence.
"""

from __future__ import annotations

from typing import Any

import keras
import numpy as np
from keras import ops

from data_prep.text.tag_inputs import FIRST_CHARACTER
from data_prep.text.vocab import PAD
from models.layers.arguments import KeepsArguments, registered
from models.layers.crf import LinearChainCRF
from models.layers.fast_lstm import Products
from models.layers.recurrent import bidirectional
from models.layers.sequences import MaxOverTime, UnknownTokens
from models.pos_tagger.config import PosTaggerConfig
from models.training.losses import masked_crossentropy


@registered
class FrozenVectors(KeepsArguments, keras.layers.Layer):
    """Word vectors that training leaves alone, kept as 8-bit numbers with one scale a word.

    Args:
        rows: Number of words.
        dimensions: Length of a vector.
        **kwargs: As for every layer.
    """

    def __init__(self, rows: int, dimensions: int, **kwargs: Any) -> None:
        super().__init__(**kwargs)
        self.rows, self.dimensions = rows, dimensions

    def build(self, input_shape: tuple[int | None, ...]) -> None:
        """Make room for the vectors; zeros until :meth:`fill`."""
        shape = (self.rows, self.dimensions)
        self.codes = self.add_weight(shape, "zeros", dtype="int8", trainable=False, name="codes")
        self.scales = self.add_weight((self.rows,), "zeros", trainable=False, name="scales")
        self.built = True

    def fill(self, codes: np.ndarray, scales: np.ndarray) -> None:
        """Set the vectors, as ``data_prep.text.embeddings.quantise`` gives them."""
        self.codes.assign(codes)
        self.scales.assign(scales)

    def call(self, words: Any) -> Any:
        """Look ids up: int (batch, time) to float (batch, time, dimensions)."""
        codes = ops.cast(ops.take(self.codes, words, axis=0), self.compute_dtype)
        return codes * ops.take(self.scales, words, axis=0)[..., None]


@registered
class CharacterCNN(MaxOverTime):
    """Windows over the characters of a word; of each filter the largest value (0 where none is above it).

    Args:
        characters: Number of ids.
        dimensions: Length of a character's vector.
        units: Filters of each width.
        widths: Widths of the windows.
        **kwargs: As for every layer.
    """

    def __init__(
        self, characters: int, dimensions: int, units: int, widths: tuple[int, ...], **kwargs: Any
    ) -> None:
        super().__init__(units, widths, **kwargs)
        self.characters, self.dimensions = characters, dimensions

    def build(self, characters_shape: tuple[int | None, ...]) -> None:
        """Make the table of characters, and one kernel for each width."""
        self.table = self.add_weight((self.characters, self.dimensions), "uniform", name="table")
        super().build((None, None, self.dimensions))

    def call(self, characters: Any) -> Any:
        """Encode words: int (batch, time, characters) to float (batch, time, widths * units)."""
        batch, time, length = ops.shape(characters)
        flat = ops.reshape(characters, (-1, length))  # (words, characters)
        found = super().call(ops.take(self.table, flat, axis=0), flat != PAD)
        return ops.reshape(found, (batch, time, len(self.widths) * self.units))

    def compute_output_shape(self, characters_shape: tuple[int | None, ...]) -> Any:
        """Return the shape of the encoded words."""
        return (*characters_shape[:2], len(self.widths) * self.units)


def build_pos_tagger(config: PosTaggerConfig, *, products: Products = "float32") -> keras.Model:
    """Build the network.

    Args:
        config: Its arguments.
        products: How the recurrent layers multiply in training, as ``models.layers.fast_lstm.FastLSTM`` takes it.

    Returns:
        A network from ``words`` int32 (batch, time), ``characters`` int32 (batch, time, characters) and
        ``mask`` bool (batch, time) to logits ``upos`` and ``xpos``, float (batch, time, tags). With
        ``output="crf"`` the layer ``crf`` holds the transitions of UPOS.
    """
    words = keras.Input((None,), dtype="int32", name="words")
    characters = keras.Input((None, None), dtype="int32", name="characters")
    mask = keras.Input((None,), dtype="bool", name="mask")
    hidden = embedded_words(config, words, characters)
    for number, units in enumerate(config.units, start=1):
        hidden = keras.layers.Dropout(config.dropout, name=f"dropout{number}")(hidden)
        hidden = bidirectional(units, hidden, mask, products=products, number=number)
    hidden = keras.layers.Dropout(config.dropout, name="dropout_heads")(hidden)
    upos = keras.layers.Dense(len(config.upos), name="upos_head")(hidden)
    xpos = keras.layers.Dense(len(config.xpos), name="xpos_head")(hidden)
    if config.output == "crf":
        upos = LinearChainCRF(len(config.upos), name="crf")(upos)
    inputs = {"words": words, "characters": characters, "mask": mask}
    return keras.Model(inputs, {"upos": upos, "xpos": xpos}, name="pos_tagger")


def tagger_losses(
    model: keras.Model, config: PosTaggerConfig, label_smoothing: float = 0.0
) -> dict[str, Any]:
    """Return the loss of each head by the name of its output."""
    smoothed = masked_crossentropy(label_smoothing)
    upos = model.get_layer("crf").loss if config.output == "crf" else smoothed
    losses = {"upos": upos, "xpos": smoothed}
    return {name: loss if len(getattr(config, name)) > 1 else _no_loss for name, loss in losses.items()}


def _no_loss(labels: Any, logits: Any) -> Any:
    """Learn nothing of a column that has one tag only, such as the ``_`` of a treebank without it."""
    return 0.0 * ops.sum(logits)


def embedded_words(config: PosTaggerConfig, words: Any, characters: Any) -> Any:
    """Put frozen vector, trained vector and what the characters say side by side, float (batch, time, values)."""
    frozen = FrozenVectors(config.word_rows, config.vector_dimensions, name="frozen_vectors")(words)
    rows = UnknownTokens(config.word_dropout, PAD + 1, config.trained_rows, name="trained_words")(words)
    trained = keras.layers.Embedding(config.trained_rows, config.trained_dimensions, name="trained_vectors")(
        rows
    )
    encoder = CharacterCNN(
        len(config.alphabet) + FIRST_CHARACTER,
        config.character_dimensions,
        config.character_units,
        config.character_widths,
        name="character_encoder",
    )
    return keras.layers.Concatenate(name="word_embedding")([frozen, trained, encoder(characters)])

"""The tagger: word vectors and a character CNN, a BiLSTM over the sentence, two heads (UPOS and XPOS).

After Ma and Hovy 2016, "End-to-end sequence labeling via bi-directional LSTM-CNNs-CRF", and Huang, Xu and Yu
2015. A word is what is known about it before training (vectors that stay as they are), what training adds, and
what its characters say, side by side. Padding comes last and is never read: the backward direction reads each
sentence reversed by its own length, so neither direction needs a mask inside the recurrence.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, Literal

import keras
import numpy as np
from keras import ops

from data_prep.errors import InputError
from data_prep.tag_inputs import FIRST_CHARACTER
from data_prep.vocab import PAD, UNK, Vocabulary
from models.crf import LinearChainCRF
from models.kinds import Kind

OUTPUTS = ("upos", "xpos")


@dataclass(frozen=True)
class PosTaggerConfig:
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
        layers: Number of BiLSTM layers.
        units: Units of each direction.
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
    vector_dimensions: int = 100
    trained_dimensions: int = 64
    character_dimensions: int = 32
    character_units: int = 40
    character_widths: tuple[int, ...] = (2, 3, 4)
    layers: int = 2
    units: int = 160
    word_dropout: float = 0.1
    dropout: float = 0.4
    output: Literal["softmax", "crf"] = "softmax"
    upos_temperature: float = 1.0
    xpos_temperature: float = 1.0

    def __post_init__(self) -> None:
        """Refuse values that make no network."""
        sizes = (self.vector_dimensions, self.trained_dimensions, self.character_dimensions)
        sizes += (self.character_units, *self.character_widths, self.layers, self.units)
        if min(sizes) < 1 or not self.character_widths:
            raise InputError("A tagger's sizes are at least 1", received=sizes)
        if not 2 <= self.trained_rows <= self.word_rows:
            raise InputError(
                "A tagger's trained rows are some of its word rows",
                allowed=f"2 to {self.word_rows}",
                received=self.trained_rows,
            )
        for name in ("word_dropout", "dropout"):
            if not 0.0 <= getattr(self, name) < 1.0:
                raise InputError(f"{name} is no share", allowed="0 to below 1", received=getattr(self, name))
        if min(self.upos_temperature, self.xpos_temperature) <= 0.0:
            raise InputError(
                "A temperature is above 0", received=(self.upos_temperature, self.xpos_temperature)
            )
        for name in (*OUTPUTS, "alphabet"):
            values = getattr(self, name)
            if not values or len(set(values)) < len(values):
                raise InputError(f"A tagger's {name} is a list without repetition", received=values)


class FrozenVectors(keras.layers.Layer):
    """Word vectors that training leaves alone, kept as 8-bit numbers with one scale a word.

    Args:
        rows: Number of words.
        dimensions: Length of a vector.
        **kwargs: As for every layer.
    """

    def __init__(self, rows: int, dimensions: int, **kwargs: Any) -> None:
        super().__init__(**kwargs)
        self.rows = rows
        self.dimensions = dimensions

    def build(self, input_shape: tuple[int | None, ...]) -> None:
        """Make room for the vectors; zeros until :meth:`fill`."""
        shape = (self.rows, self.dimensions)
        self.codes = self.add_weight(shape, "zeros", dtype="int8", trainable=False, name="codes")
        self.scales = self.add_weight((self.rows,), "zeros", trainable=False, name="scales")
        self.built = True

    def fill(self, codes: np.ndarray, scales: np.ndarray) -> None:
        """Set the vectors, as ``data_prep.embeddings.quantise`` gives them."""
        self.codes.assign(codes)
        self.scales.assign(scales)

    def call(self, words: Any) -> Any:
        """Look ids up: int (batch, time) to float (batch, time, dimensions)."""
        codes = ops.cast(ops.take(self.codes, words, axis=0), self.compute_dtype)
        return codes * ops.take(self.scales, words, axis=0)[..., None]

    def get_config(self) -> dict[str, Any]:
        """Return every argument."""
        return {**super().get_config(), "rows": self.rows, "dimensions": self.dimensions}


class TrainedWords(keras.layers.Layer):
    """Choose the row of a word's trained vector: its own, or that of UNK if it has none or is dropped.

    Args:
        rows: Number of rows.
        rate: Share of words dropped in training.
        **kwargs: As for every layer.
    """

    def __init__(self, rows: int, rate: float, **kwargs: Any) -> None:
        super().__init__(**kwargs)
        self.rows = rows
        self.rate = rate
        self.seed_generator = keras.random.SeedGenerator()
        self.built = True

    def call(self, words: Any, training: bool = False) -> Any:
        """Map ids to rows, int (batch, time)."""
        rows = ops.where(words < self.rows, words, UNK)
        if training and self.rate > 0.0:
            chance = keras.random.uniform(ops.shape(words), seed=self.seed_generator)
            rows = ops.where(ops.logical_and(chance < self.rate, words != PAD), UNK, rows)
        return rows

    def get_config(self) -> dict[str, Any]:
        """Return every argument."""
        return {**super().get_config(), "rows": self.rows, "rate": self.rate}


class CharacterCNN(keras.layers.Layer):
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
        super().__init__(**kwargs)
        self.characters, self.dimensions = characters, dimensions
        self.units, self.widths = units, tuple(widths)

    def build(self, input_shape: tuple[int | None, ...]) -> None:
        """Make the table of characters, and one kernel for each width."""
        self.table = self.add_weight((self.characters, self.dimensions), "uniform", name="table")
        self.kernels, self.biases = [], []
        for width in self.widths:
            shape = (width, self.dimensions, self.units)
            self.kernels.append(self.add_weight(shape, "glorot_uniform", name=f"width{width}_kernel"))
            self.biases.append(self.add_weight((self.units,), "zeros", name=f"width{width}_bias"))
        self.built = True

    def call(self, characters: Any) -> Any:
        """Encode words: int (batch, time, characters) to float (batch, time, widths * units)."""
        batch, time = ops.shape(characters)[0], ops.shape(characters)[1]
        length = ops.shape(characters)[2]
        flat = ops.reshape(characters, (-1, length))  # (words, characters)
        real = ops.cast(flat != PAD, self.compute_dtype)[..., None]
        vectors = ops.take(self.table, flat, axis=0) * real
        # "same" puts zeros around the word, which is what padding is: it changes no window of the word.
        found = []
        for kernel, bias in zip(self.kernels, self.biases, strict=True):
            windows = ops.relu(ops.conv(vectors, kernel, padding="same") + bias) * real
            found.append(ops.max(windows, axis=1))
        return ops.reshape(ops.concatenate(found, axis=-1), (batch, time, len(self.widths) * self.units))

    def get_config(self) -> dict[str, Any]:
        """Return every argument."""
        own = {name: getattr(self, name) for name in ("characters", "dimensions", "units", "widths")}
        return {**super().get_config(), **own}


class ReversedWords(keras.layers.Layer):
    """Turn each sentence round by its own length; padding stays behind it. Twice gives the sentence again."""

    def call(self, values: Any, mask_of_words: Any) -> Any:
        """Reverse float (batch, time, values) where ``mask_of_words``, bool (batch, time), is True."""
        lengths = ops.sum(ops.cast(mask_of_words, "int32"), axis=1, keepdims=True)
        places = ops.arange(ops.shape(values)[1], dtype="int32")[None]
        order = ops.where(places < lengths, lengths - 1 - places, places)
        return ops.take_along_axis(values, order[..., None], axis=1)


def build_pos_tagger(config: PosTaggerConfig) -> keras.Model:
    """Build the network.

    Args:
        config: Its arguments.

    Returns:
        A network from ``words`` int32 (batch, time), ``characters`` int32 (batch, time, characters) and
        ``mask`` bool (batch, time) to logits ``upos`` and ``xpos``, float (batch, time, tags). With
        ``output="crf"`` the layer ``crf`` holds the transitions of UPOS.
    """
    words = keras.Input((None,), dtype="int32", name="words")
    characters = keras.Input((None, None), dtype="int32", name="characters")
    mask = keras.Input((None,), dtype="bool", name="mask")
    hidden = _embedded(config, words, characters)
    for number in range(1, config.layers + 1):
        hidden = keras.layers.Dropout(config.dropout, name=f"dropout{number}")(hidden)
        hidden = _bidirectional(config.units, hidden, mask, number)
    hidden = keras.layers.Dropout(config.dropout, name="dropout_heads")(hidden)
    upos = keras.layers.Dense(len(config.upos), name="upos_head")(hidden)
    xpos = keras.layers.Dense(len(config.xpos), name="xpos_head")(hidden)
    if config.output == "crf":
        upos = LinearChainCRF(len(config.upos), name="crf")(upos)
    inputs = {"words": words, "characters": characters, "mask": mask}
    return keras.Model(inputs, {"upos": upos, "xpos": xpos}, name="pos_tagger")


def masked_crossentropy(label_smoothing: float = 0.0) -> Any:
    """Make the loss of a head without CRF: mean cross-entropy over words, labels -1 left out.

    Args:
        label_smoothing: Share of the probability that is spread over all tags.

    Returns:
        A function of labels int (batch, time) and logits (batch, time, tags).
    """

    def loss(labels: Any, logits: Any) -> Any:
        labels = ops.cast(labels, "int32")
        real = ops.cast(labels >= 0, logits.dtype)
        scores = ops.log_softmax(logits, axis=-1)
        right = ops.take_along_axis(scores, ops.maximum(labels, 0)[..., None], axis=-1)[..., 0]
        wanted = (1.0 - label_smoothing) * right + label_smoothing * ops.mean(scores, axis=-1)
        return -ops.sum(wanted * real) / ops.maximum(ops.sum(real), 1.0)

    return loss


def tagger_losses(
    model: keras.Model, config: PosTaggerConfig, label_smoothing: float = 0.0
) -> dict[str, Any]:
    """Return the loss of each head by the name of its output."""
    smoothed = masked_crossentropy(label_smoothing)
    upos = model.get_layer("crf").loss if config.output == "crf" else smoothed
    return {"upos": upos, "xpos": smoothed}


def _embedded(config: PosTaggerConfig, words: Any, characters: Any) -> Any:
    frozen = FrozenVectors(config.word_rows, config.vector_dimensions, name="frozen_vectors")(words)
    rows = TrainedWords(config.trained_rows, config.word_dropout, name="trained_words")(words)
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


def _bidirectional(units: int, hidden: Any, mask: Any, number: int) -> Any:
    ahead = keras.layers.LSTM(units, return_sequences=True, name=f"forward{number}")(hidden)
    turned = ReversedWords(name=f"reverse{number}")(hidden, mask)
    back = keras.layers.LSTM(units, return_sequences=True, name=f"backward{number}")(turned)
    back = ReversedWords(name=f"restore{number}")(back, mask)
    return keras.layers.Concatenate(name=f"bilstm{number}")([ahead, back])


def _check_tagger(
    config: PosTaggerConfig, vocabulary: Vocabulary | None, labels: tuple[str, ...] | None
) -> None:
    if vocabulary is None or len(vocabulary) < config.word_rows or vocabulary.counts is None:
        raise InputError(
            "The vocabulary does not fit the tagger",
            allowed=f"{config.word_rows} entries or more, with counts",
            received=vocabulary,
        )
    if labels != config.upos:
        raise InputError(
            "The labels are not the tagger's UPOS tags", allowed=str(config.upos), received=labels
        )


POS_TAGGER = Kind(
    PosTaggerConfig,
    build=build_pos_tagger,
    needs_vocabulary=True,
    needs_labels=True,
    check=_check_tagger,
)

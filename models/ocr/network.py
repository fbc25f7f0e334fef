"""Networks that read handwriting: a letter alone, letters in the context of their word, and words that are not cut.

For letters (``reads="letters"``) there is one network with three answers: convolutions for each letter and a linear
layer (``alone``); a BiLSTM over what the convolutions say of the letters of a word (``context``; Graves and Schmidhuber
2005); and beside it scores for a CRF (``chain``; ``models.layers.crf``). The convolutions run over all letters of
a batch at once, padding left out. For words (``reads="words"``) the same convolutions run over the image of a
word, and the BiLSTM over its frames, two columns each; the frames are trained by CTC (``models.serving.ctc``;
Graves et al. 2009, "A novel connectionist system for unconstrained handwriting recognition").
"""

from __future__ import annotations

from typing import Any

import keras
from keras import ops

from data_prep.images.preparation import LETTER_HEIGHT, LETTER_WIDTH
from models.digit_cnn.plan import BATCH_NORM_EPSILON
from models.layers.crf import LinearChainCRF
from models.layers.fast_batch_norm import FastBatchNorm
from models.layers.fast_lstm import FastLSTM, Products
from models.ocr.config import BLANK, OcrConfig
from models.pos_tagger.network import ReversedWords
from models.training.losses import masked_crossentropy

_NORM_MOMENTUM = 0.98
_CERTAIN = 30.0  # logit of the blank in frames behind a word, and minus that of all letters


class PlacedLetters(keras.layers.Layer):
    """Put what is known of letters, laid one word behind the other, into the rows of their words."""

    def call(self, features: Any, places: Any) -> Any:
        """Take float (letters, features) by int (words, places) to (words, places, features); 0 where it is -1."""
        real = ops.cast(places >= 0, features.dtype)
        return ops.take(features, ops.maximum(places, 0), axis=0) * real[..., None]


class RealPlaces(keras.layers.Layer):
    """Say where in the rows of words there is a letter."""

    def call(self, places: Any) -> Any:
        """Map int (words, places) to bool of the same shape."""
        return places >= 0


class Pictures(keras.layers.Layer):
    """Tell the layers behind it the shape of pictures, which batches of several sizes do not.

    Args:
        columns: Of a picture; None where they differ.
        **kwargs: As for every layer.
    """

    def __init__(self, columns: int | None, **kwargs: Any) -> None:
        super().__init__(**kwargs)
        self.columns = columns

    def call(self, images: Any) -> Any:
        """Map float (batch, 16, columns, 1) to the same numbers."""
        columns = ops.shape(images)[2] if self.columns is None else self.columns
        return ops.reshape(images, (-1, LETTER_HEIGHT, columns, 1))

    def compute_output_shape(self, input_shape: tuple[int | None, ...]) -> tuple[int | None, ...]:
        """Return the shape of the pictures."""
        return (input_shape[0], LETTER_HEIGHT, self.columns, 1)

    def get_config(self) -> dict[str, Any]:
        """Return every argument."""
        return {**super().get_config(), "columns": self.columns}


class Columns(keras.layers.Layer):
    """Read an image column by column: float (batch, rows, columns, channels) to (batch, columns, rows * channels)."""

    def call(self, images: Any) -> Any:
        """Turn the image and join its rows."""
        rows, channels = images.shape[1], images.shape[3]
        turned = ops.transpose(images, (0, 2, 1, 3))
        return ops.reshape(turned, (-1, ops.shape(images)[2], rows * channels))

    def compute_output_shape(self, input_shape: tuple[int | None, ...]) -> tuple[int | None, ...]:
        """Return the shape of the columns."""
        batch, rows, columns, channels = input_shape
        return (batch, columns, rows * channels)


class BlankBehind(keras.layers.Layer):
    """Make every frame behind a word a certain blank: paths through them change no probability."""

    def call(self, logits: Any, mask_of_frames: Any) -> Any:
        """Replace float (batch, frames, 27) where ``mask_of_frames``, bool (batch, frames), is False."""
        blank = ops.cast(ops.arange(logits.shape[-1]) == BLANK, logits.dtype)
        return ops.where(mask_of_frames[..., None], logits, _CERTAIN * (2.0 * blank - 1.0))


def build_ocr(config: OcrConfig, *, products: Products = "float32") -> keras.Model:
    """Build the network of a config.

    Args:
        config: Its arguments.
        products: What the factors of products are rounded to; weights and logits are float32 either way.

    Returns:
        For letters: ``letters`` float32 (letters, 16, 8, 1) and ``places`` int32 (words, places) to logits ``alone``
        (letters, 26), ``context`` and ``chain`` (words, places, 26). For words: ``image`` float32 (words, 16, columns,
        1) and ``mask`` bool (words, columns / 2) to logits (words, columns / 2, 27). Inputs are those of
        ``data_prep.images.letter_batches``.
    """
    return _build_letters(config, products) if config.reads == "letters" else _build_words(config, products)


def ocr_losses(model: keras.Model, config: OcrConfig, label_smoothing: float = 0.0) -> Any:
    """Return what trains a network: a loss for each output, or CTC.

    Args:
        model: Of ``build_ocr``.
        config: Its config.
        label_smoothing: Share of the probability spread over all letters (not for CRF and CTC).
    """
    if config.reads == "words":
        return ctc_loss
    smoothed = masked_crossentropy(label_smoothing)
    return {"alone": smoothed, "context": smoothed, "chain": model.get_layer("crf").loss}


def ctc_loss(labels: Any, logits: Any) -> Any:
    """Return the mean of minus the log-probability of words a letter.

    Args:
        labels: Int (words, longest), -1 behind a word.
        logits: Float (words, frames, 27), behind ``BlankBehind``.
    """
    labels = ops.cast(labels, "int32")
    real = labels >= 0
    lengths = ops.sum(ops.cast(real, "int32"), axis=1)
    frames = ops.full((ops.shape(logits)[0],), ops.shape(logits)[1], dtype="int32")
    losses = ops.ctc_loss(ops.where(real, labels, 0), logits, lengths, frames, mask_index=BLANK)
    return ops.sum(losses) / ops.maximum(ops.sum(ops.cast(lengths, losses.dtype)), 1.0)


def _build_letters(config: OcrConfig, products: Products) -> keras.Model:
    letters = keras.Input((LETTER_HEIGHT, LETTER_WIDTH, 1), dtype="float32", name="letters")
    places = keras.Input((None,), dtype="int32", name="places")
    pictures = Pictures(LETTER_WIDTH, name="pictures")(letters)
    maps = keras.layers.Flatten(name="flatten")(_convolved(config, pictures, products))
    features = keras.layers.Dense(config.features, activation="relu", name="features")(maps)
    seen = keras.layers.Dropout(config.dropout, name="dropout_features")(features)
    alone = keras.layers.Dense(config.classes, name="alone")(seen)
    rows = PlacedLetters(name="rows")(seen, places)
    hidden = _bidirectional(config, rows, RealPlaces(name="real")(places), products)
    context = keras.layers.Dense(config.classes, name="context")(hidden)
    chain = LinearChainCRF(config.classes, name="crf")(
        keras.layers.Dense(config.classes, name="chain")(hidden)
    )
    return keras.Model(
        {"letters": letters, "places": places},
        {"alone": alone, "context": context, "chain": chain},
        name="ocr_letters",
    )


def _build_words(config: OcrConfig, products: Products) -> keras.Model:
    image = keras.Input((LETTER_HEIGHT, None, 1), dtype="float32", name="image")
    mask = keras.Input((None,), dtype="bool", name="mask")
    pictures = Pictures(None, name="pictures")(image)
    columns = Columns(name="columns")(_convolved(config, pictures, products))
    features = keras.layers.Dense(config.features, activation="relu", name="features")(columns)
    seen = keras.layers.Dropout(config.dropout, name="dropout_features")(features)
    hidden = _bidirectional(config, seen, mask, products)
    logits = keras.layers.Dense(config.classes, name="frames")(hidden)
    return keras.Model(
        {"image": image, "mask": mask}, BlankBehind(name="blank_behind")(logits, mask), name="ocr_words"
    )


def _convolved(config: OcrConfig, images: Any, products: Products) -> Any:
    """Build the steps of ``models.ocr.config.conv_steps``."""
    dtype = "mixed_bfloat16" if products == "bfloat16" else "float32"
    layers = keras.layers
    for step in config.steps:
        if step.operation == "conv":
            images = layers.Conv2D(
                step.shape[2], 3, padding="same", use_bias=False, kernel_initializer="he_normal",
                name=step.name, dtype=dtype,
            )(images)  # fmt: skip
        elif step.operation == "batch_norm":
            images = FastBatchNorm(momentum=_NORM_MOMENTUM, epsilon=BATCH_NORM_EPSILON, name=step.name)(
                images
            )
            images = layers.ReLU(name=f"{step.name}_relu", dtype=dtype)(images)
        elif step.settings["size"] != (1, 1):
            images = layers.MaxPooling2D(step.settings["size"], name=step.name, dtype=dtype)(images)
    return images


def _bidirectional(config: OcrConfig, values: Any, mask: Any, products: Products) -> Any:
    """Read rows from both ends: float (batch, time, features) to (batch, time, 2 * units)."""
    settings = {"products": products, "return_sequences": True}
    ahead = FastLSTM(config.units, **settings, name="forward")(values)
    turned = ReversedWords(name="reverse")(values, mask)
    back = FastLSTM(config.units, **settings, name="backward")(turned)
    back = ReversedWords(name="restore")(back, mask)
    joined = keras.layers.Concatenate(name="bilstm")([ahead, back])
    return keras.layers.Dropout(config.dropout, name="dropout_hidden")(joined)

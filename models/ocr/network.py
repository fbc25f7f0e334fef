"""Networks that read handwriting: a letter alone, letters in the context of their word, and words that are not cut.

For letters (``reads="letters"``) there is one network with three answers: convolutions for each letter and a linear
layer (``alone``); a BiLSTM over what the convolutions say of the letters of a word (``context``; Graves and Schmidhuber
2005); and beside it scores for a CRF (``chain``; ``models.layers.crf``). The convolutions run over all letters of
a batch at once, padding left out. For words (``reads="words"``) the same convolutions run over the image of a
word, and the BiLSTM over its frames, two columns each; the frames are trained by CTC (``models.serving.ctc``;
Graves et al. 2009, "A novel connectionist system for unconstrained handwriting recognition").
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import keras
import numpy as np
from keras import layers, ops

from data_prep.images.letter_batches import IMAGE_MARGIN
from data_prep.images.preparation import FRAME_COLUMNS, LETTER_HEIGHT, LETTER_WIDTH
from models.digit_cnn.network import layer_of
from models.digit_cnn.plan import run
from models.layers.arguments import registered
from models.layers.crf import LinearChainCRF
from models.layers.fast_lstm import Products
from models.layers.recurrent import bidirectional
from models.ocr.config import OcrConfig
from models.storage.variables import assign_arrays
from models.training.losses import masked_crossentropy

_CERTAIN = 30.0  # logit of the blank in frames behind a word, and minus that of all letters


@registered
class LetterPlaces(layers.Layer):
    """Say where the letters of words stand that are laid one word after the other."""

    def call(self, lengths: Any) -> Any:
        """Map int (words,) to the number of each letter, int (words, longest), -1 after the end of a word."""
        at = ops.arange(ops.max(lengths), dtype=lengths.dtype)[None]
        firsts = ops.cumsum(lengths) - lengths
        return ops.where(at < lengths[:, None], firsts[:, None] + at, -1)


@registered
class LettersInARow(layers.Layer):
    """Lay the rows of words one after the other again, without what is no letter."""

    def call(self, rows: Any, places: Any) -> Any:
        """Take float (words, places, values) where int (words, places) is not -1, (letters, values)."""
        flat = ops.reshape(rows, (-1, rows.shape[-1]))  # (words * places, values)
        (real,) = ops.nonzero(ops.reshape(places, (-1,)) >= 0)
        return ops.take(flat, real, axis=0)


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
    pictures = _pictures(config)
    if config.reads == "letters":
        places = keras.Input((None,), dtype="int32", name="places")
        outputs = _letters(config, pictures, places, products)
        return keras.Model({"letters": pictures, "places": places}, outputs, name="ocr_letters")
    mask = keras.Input((None,), dtype="bool", name="mask")
    logits = _frames(config, _columns(config, pictures, products), mask, products)
    # A certain blank in every frame behind a word: paths through them change no probability.
    blank = np.where(np.arange(config.classes) == config.classes - 1, _CERTAIN, -_CERTAIN).astype(np.float32)
    logits = ops.where(mask[..., None], logits, blank)
    return keras.Model({"image": pictures, "mask": mask}, logits, name="ocr_words")


def ocr_model(config: OcrConfig, arrays: Mapping[str, np.ndarray]) -> keras.Model:
    """Build the network of a preset with its weights, to be given words as they are, without padding.

    The language model of letters that the search uses is no Keras network: its arrays (``lm...``) are left out. There
    are more letters than words, so ``fit`` takes them as batches of a ``tf.data.Dataset``.

    Args:
        config: Of the preset.
        arrays: Of the preset.

    Returns:
        For letters: ``letters`` float32 (letters, 16, 8, 1), word after word, and ``lengths`` int (words,) to logits
        ``alone``, ``context`` and ``chain``, float32 (letters, 26) each; the layer ``crf`` holds the transitions. For
        words: ``image`` float32 (words, 16, width, 1), all of one width, to ``frames`` (words, width / 2, 27).
    """
    pictures = _pictures(config)
    if config.reads == "letters":
        lengths = keras.Input((), dtype="int32", name="lengths")
        inputs, places = {"letters": pictures, "lengths": lengths}, LetterPlaces(name="places")(lengths)
        outputs = _letters(config, pictures, places, "float32")
        for name in ("context", "chain"):
            outputs[name] = LettersInARow(name=f"{name}_letters")(outputs[name], places)
    else:
        inputs = {"image": pictures}
        # Paper behind the word, as in training; an odd last column is in no frame.
        padded = layers.ZeroPadding2D(((0, 0), (0, IMAGE_MARGIN + 1)), name="margin")(pictures)
        columns = _columns(config, padded, "float32")
        columns = layers.Cropping1D((0, IMAGE_MARGIN // FRAME_COLUMNS), name="without_margin")(columns)
        mask = ops.ones_like(columns[..., 0], dtype="bool")
        outputs = {"frames": _frames(config, columns, mask, "float32")}
    model = keras.Model(inputs, outputs, name=f"ocr_{config.reads}")
    assign_arrays(model.weights, {name: array for name, array in arrays.items() if not name.startswith("lm")})
    return model


def ocr_losses(model: keras.Model, config: OcrConfig, label_smoothing: float = 0.0) -> Any:
    """Return what trains a network of ``build_ocr``: a loss for each output, smoothed but for the CRF, or CTC."""
    if config.reads == "words":
        return ctc_loss
    smoothed = masked_crossentropy(label_smoothing)
    return {"alone": smoothed, "context": smoothed, "chain": model.get_layer("crf").loss}


def ctc_loss(labels: Any, logits: Any) -> Any:
    """Return the mean a letter of minus the log-probability of words int (words, longest), -1 behind a word."""
    labels = ops.cast(labels, "int32")
    real = labels >= 0
    lengths = ops.sum(ops.cast(real, "int32"), axis=1)
    frames = ops.full((ops.shape(logits)[0],), ops.shape(logits)[1], dtype="int32")
    losses = ops.ctc_loss(
        ops.where(real, labels, 0), logits, lengths, frames, mask_index=logits.shape[-1] - 1
    )
    return ops.sum(losses) / ops.maximum(ops.sum(ops.cast(lengths, losses.dtype)), 1.0)


def _pictures(config: OcrConfig) -> Any:
    width, name = (LETTER_WIDTH, "letters") if config.reads == "letters" else (None, "image")
    return keras.Input((LETTER_HEIGHT, width, 1), dtype="float32", name=name)


def _letters(config: OcrConfig, letters: Any, places: Any, products: Products) -> dict[str, Any]:
    maps = layers.Flatten(name="flatten")(_convolved(config, letters, LETTER_WIDTH, products))
    seen = _features(config, maps)
    alone = layers.Dense(config.classes, name="alone")(seen)
    real = places >= 0
    rows = ops.take(seen, ops.maximum(places, 0), axis=0)  # (words, places, features)
    rows = rows * ops.cast(real, seen.dtype)[..., None]
    hidden = _hidden(config, rows, real, products)
    context = layers.Dense(config.classes, name="context")(hidden)
    chain = layers.Dense(config.classes, name="chain")(hidden)
    return {"alone": alone, "context": context, "chain": LinearChainCRF(config.classes, name="crf")(chain)}


def _columns(config: OcrConfig, images: Any, products: Products) -> Any:
    """Convolve images and read them column by column: to (words, columns / 2, rows * channels)."""
    maps = _convolved(config, images, -1, products)
    turned = layers.Permute((2, 1, 3), name="columns")(maps)  # (words, columns / 2, rows, channels)
    return layers.Reshape((-1, maps.shape[1] * maps.shape[3]), name="frame_maps")(turned)


def _frames(config: OcrConfig, columns: Any, mask: Any, products: Products) -> Any:
    hidden = _hidden(config, _features(config, columns), mask, products)
    return layers.Dense(config.classes, name="frames")(hidden)


def _convolved(config: OcrConfig, images: Any, width: int, products: Products) -> Any:
    # The layers behind have to know the shape, which batches of several sizes do not tell.
    pictures = layers.Reshape((LETTER_HEIGHT, width, 1), name="pictures")(images)
    return run(config.steps, pictures, lambda step, x: layer_of(step, products)(x))


def _features(config: OcrConfig, maps: Any) -> Any:
    features = layers.Dense(config.features, activation="relu", name="features")(maps)
    return layers.Dropout(config.dropout, name="dropout_features")(features)


def _hidden(config: OcrConfig, values: Any, mask: Any, products: Products) -> Any:
    """Read rows from both ends: float (batch, time, features) to (batch, time, 2 * units)."""
    read = bidirectional(config.units, values, mask, products=products)
    return layers.Dropout(config.dropout, name="dropout_hidden")(read)

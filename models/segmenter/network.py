"""The segmenter: residual dilated convolutions over characters, which see a fixed number of them to each side."""

from __future__ import annotations

import keras
from keras import layers, ops

from data_prep.text.segmentation import LABELS, PADDING
from models.segmenter.config import SegmenterConfig, convolution_name


def build_segmenter(config: SegmenterConfig) -> keras.Model:
    """Build the network.

    Args:
        config: Its sizes.

    Returns:
        A model from character ids, int32 (batch, time) with 0 as padding, to logits of the labels, float32
        (batch, time, 3). Padding changes nothing, as if the text ended there.
    """
    ids = keras.Input((None,), dtype="int32", name="characters")
    mask = ops.expand_dims(ops.cast(ops.not_equal(ids, PADDING), "float32"), -1)
    x = layers.Embedding(config.characters, config.embedding, name="embedding")(ids)
    x = layers.SpatialDropout1D(config.embedding_dropout, name="embedding_dropout")(x)
    x = x * mask  # (batch, time, embedding)
    for number, dilation in enumerate(config.dilations):
        convolution = layers.Conv1D(
            config.channels,
            config.kernel,
            dilation_rate=dilation,
            padding="same",
            activation="relu",
            name=convolution_name(number, dilation),
        )
        new = layers.Dropout(config.dropout, name=f"layer_{number}_dropout")(convolution(x))
        # Masked at every layer: the next one would see bias behind the end of the text.
        x = (x + new if number else new) * mask  # (batch, time, channels)
    return keras.Model(ids, layers.Dense(len(LABELS), name="labels")(x), name="segmenter")

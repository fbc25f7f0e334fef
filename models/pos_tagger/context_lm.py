"""Learning from raw text what a tagger's first layer needs: each direction predicts the word that comes next.

Peters et al. 2017, "Semi-supervised sequence tagging with bidirectional language models", and Peters et al. 2018.
Here the tagger's own embeddings and first BiLSTM are what is trained, so that nothing is added to the tagger.
The softmax over the vocabulary is estimated on drawn words (Jean et al. 2015).
"""

from __future__ import annotations

from typing import Any

import keras
from keras import ops

from models.layers.arguments import KeepsArguments, registered
from models.layers.fast_lstm import FastLSTM, Products
from models.pos_tagger.config import PosTaggerConfig
from models.pos_tagger.network import embedded_words

LAYERS = ("trained_vectors", "character_encoder", "forward1", "backward1")


@registered
class SampledSoftmax(KeepsArguments, keras.layers.Layer):
    """The mean negative log-likelihood of neighbours, added to the model's losses.

    Args:
        targets: Size of the vocabulary that is predicted.
        dimensions: Length of its vectors.
        products: How the scores of drawn words are multiplied.
        **kwargs: As for every layer.
    """

    def __init__(self, targets: int, dimensions: int, products: Products = "float32", **kwargs: Any) -> None:
        super().__init__(**kwargs)
        self.targets, self.dimensions, self.products = targets, dimensions, products

    def build(self, *input_shapes: Any) -> None:
        """Make vectors and biases of the targets, and room for the logarithms of their expected draws."""
        self.vectors = self.add_weight((self.targets, self.dimensions), "random_normal", name="vectors")
        self.biases = self.add_weight((self.targets,), "zeros", name="biases")
        self.log_expected = self.add_weight((self.targets,), "zeros", trainable=False, name="log_expected")
        self.built = True

    def call(self, ahead: Any, back: Any, targets: Any, negatives: Any) -> Any:
        """Return the loss, nats a word, of what was read up to and back to each word, (batch, time, dimensions).

        Negatives below 0 are padding.
        """
        real = ops.maximum(negatives, 0)
        drawn = ops.take(self.vectors, real, axis=0)
        offset = ops.take(self.biases - self.log_expected, real)
        losses = [
            self._loss(state, ops.reshape(wanted, (-1,)), negatives, drawn, offset)
            for state, wanted in ((ahead[:, :-1], targets[:, 1:]), (back[:, 1:], targets[:, :-1]))
        ]
        loss = (losses[0] + losses[1]) / 2.0
        self.add_loss(loss)
        return loss

    def _loss(self, states: Any, wanted: Any, negatives: Any, drawn: Any, offset: Any) -> Any:
        states = ops.reshape(states, (-1, self.dimensions))
        own = ops.sum(states * ops.take(self.vectors, wanted, axis=0), axis=1)
        own = own + ops.take(self.biases - self.log_expected, wanted)
        scores = ops.matmul(ops.cast(states, self.products), ops.transpose(ops.cast(drawn, self.products)))
        scores = ops.cast(scores, "float32") + offset
        # A drawn word that is the wanted one is no wrong word.
        wrong = ops.logical_and(wanted[:, None] != negatives[None], negatives[None] >= 0)
        scores = ops.where(wrong, scores, -1e9)
        scores = ops.concatenate([own[:, None], scores], axis=1)
        return ops.mean(ops.logsumexp(scores, axis=1) - own)


def build_context_lm(
    config: PosTaggerConfig, *, targets: int, dimensions: int, dropout: float, products: Products = "float32"
) -> keras.Model:
    """Build the network whose layers of the names ``LAYERS`` a tagger of the same config can take over.

    It maps batches of ``data_prep.text.context_batches`` to their loss, which is also its only loss; sizes as in
    :class:`SampledSoftmax`, ``dropout`` before and behind the recurrent layers.
    """
    words = keras.Input(batch_shape=(1, None), dtype="int32", name="words")
    characters = keras.Input(batch_shape=(1, None, None), dtype="int32", name="characters")
    places = keras.Input((None,), dtype="int32", name="places")
    wanted = keras.Input((None,), dtype="int32", name="targets")
    negatives = keras.Input(batch_shape=(None,), dtype="int32", name="negatives")
    # From distinct words (1, distinct, values) to where they stand (batch, time, values).
    hidden = ops.take(embedded_words(config, words, characters)[0], places, axis=0)
    hidden = keras.layers.Dropout(dropout, name="dropout1")(hidden)
    settings = {"products": products, "return_sequences": True}
    ahead = FastLSTM(config.units[0], **settings, name="forward1")(hidden)
    back = FastLSTM(config.units[0], **settings, name="backward1")(ops.flip(hidden, axis=1))
    ahead, back = (
        keras.layers.Dense(dimensions, use_bias=False, name=f"{name}_projection")(
            keras.layers.Dropout(dropout, name=f"{name}_dropout")(state)
        )
        for name, state in (("ahead", ahead), ("back", ops.flip(back, axis=1)))
    )
    loss = SampledSoftmax(targets, dimensions, products, name="neighbours")(ahead, back, wanted, negatives)
    inputs = {tensor.name: tensor for tensor in (words, characters, places, wanted, negatives)}
    return keras.Model(inputs, loss, name="context_lm")


def take_over(source: keras.Model, target: keras.Model) -> None:
    """Copy the weights of ``LAYERS`` from one network to another."""
    for name in LAYERS:
        target.get_layer(name).set_weights(source.get_layer(name).get_weights())

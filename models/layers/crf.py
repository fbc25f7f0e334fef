"""Linear-chain conditional random field: the likelihood that trains it; ``models.serving.crf`` finds the best tags.

Lafferty, McCallum and Pereira 2001, "Conditional random fields"; as the output of a BiLSTM: Huang, Xu and
Yu 2015, "Bidirectional LSTM-CRF models for sequence tagging". The score of a tag sequence y of length n is

    start[y_1] + sum_t emissions[t, y_t] + sum_t transitions[y_t, y_t+1] + end[y_n]

Everything is in logarithms and works on a batch at once. The mask is True at words; words come first, so
that a sequence is a prefix. Padding changes no result, and a sequence without words has probability 1.
"""

from __future__ import annotations

from typing import Any, NamedTuple

import keras
from keras import ops

from models.layers.arguments import KeepsArguments, registered


class Potentials(NamedTuple):
    """What was learned: ``transitions`` (tags, tags) from row to column, ``start`` and ``end`` (tags,)."""

    transitions: Any
    start: Any
    end: Any


def sequence_score(emissions: Any, tags: Any, mask: Any, potentials: Potentials) -> Any:
    """Score tags, int (batch, time), by logits, float (batch, time, tags), where the mask is True: float (batch,)."""
    dtype = emissions.dtype
    weight = ops.cast(mask, dtype)
    tags = ops.where(mask, tags, 0)
    emitted = ops.squeeze(ops.take_along_axis(emissions, tags[..., None], axis=2), axis=2)
    count = ops.shape(potentials.transitions)[0]
    pairs = tags[:, :-1] * count + tags[:, 1:]
    moved = ops.take(ops.reshape(potentials.transitions, (-1,)), pairs, axis=0)
    last = _last_of(ops.cast(tags, "int32"), mask)
    ends = ops.take(potentials.start, tags[:, 0], axis=0) + ops.take(potentials.end, last, axis=0)
    return (
        ops.sum(emitted * weight, axis=1)
        + ops.sum(moved * weight[:, 1:], axis=1)  # both words of a pair are real where the second one is
        + ends * weight[:, 0]
    )


def log_partition(emissions: Any, mask: Any, potentials: Potentials) -> Any:
    """Return the logarithm of the sum of the scores of all tag sequences, float (batch,); arguments as above."""
    # Join logits and mask, leave out the first step and add a padded one, so that the scan is never empty. One array,
    # because ``ops.scan`` on TensorFlow refuses several whose length is not known before (Keras 3.15).
    joined = ops.concatenate([emissions, ops.cast(mask[..., None], emissions.dtype)], axis=2)
    after_first = ops.concatenate([joined[:, 1:], ops.zeros_like(joined[:, :1])], axis=1)

    def forward(before: Any, step: Any) -> tuple[Any, Any]:
        emitted, real = step[:, :-1], step[:, -1:] > 0.5
        reached = ops.logsumexp(before[:, :, None] + potentials.transitions[None], axis=1) + emitted
        score = ops.where(real, reached, before)  # after the last word its sums repeat
        return score, score

    steps = ops.transpose(after_first, (1, 0, 2))  # (time, batch, tags + 1)
    last, _ = ops.scan(forward, potentials.start + emissions[:, 0], steps)
    total = ops.logsumexp(last + potentials.end, axis=-1)
    return ops.where(mask[:, 0], total, ops.zeros_like(total))


def negative_log_likelihood(emissions: Any, tags: Any, mask: Any, potentials: Potentials) -> Any:
    """Return minus the log-probability of given tag sequences, float (batch,); arguments as above."""
    score = sequence_score(emissions, tags, mask, potentials)
    return log_partition(emissions, mask, potentials) - score


@registered
class LinearChainCRF(KeepsArguments, keras.layers.Layer):
    """Learned potentials after a network's logits.

    The layer returns the logits as they are: it sits in the network so that its weights are trained, saved
    and loaded with it. ``loss`` trains it; ``models.serving.crf.PackedCRF`` reads best tags and marginals from it.

    Args:
        tags: Number of tags.
        **kwargs: As for every layer.
    """

    def __init__(self, tags: int, **kwargs: Any) -> None:
        super().__init__(**kwargs)
        self.tags = tags

    def build(self, input_shape: tuple[int | None, ...]) -> None:
        """Make the potentials; zeros, so that training begins as a softmax."""
        self.transitions = self.add_weight((self.tags, self.tags), "zeros", name="transitions")
        self.start = self.add_weight((self.tags,), "zeros", name="start")
        self.end = self.add_weight((self.tags,), "zeros", name="end")
        self.built = True

    def call(self, emissions: Any) -> Any:
        """Return the logits."""
        return emissions

    @property
    def potentials(self) -> Potentials:
        """The learned scores."""
        return Potentials(
            ops.convert_to_tensor(self.transitions),
            ops.convert_to_tensor(self.start),
            ops.convert_to_tensor(self.end),
        )

    def loss(self, tags: Any, emissions: Any) -> Any:
        """Return the mean negative log-likelihood a word, for ``compile``; tags int (batch, time) are -1 at padding."""
        tags = ops.cast(tags, "int32")
        mask = tags >= 0
        total = ops.sum(negative_log_likelihood(emissions, tags, mask, self.potentials))
        return total / ops.maximum(ops.sum(ops.cast(mask, total.dtype)), 1.0)


def _last_of(tags: Any, mask: Any) -> Any:
    """Return the tag of the last word of each sequence, int32 (batch,)."""
    at = ops.maximum(ops.sum(ops.cast(mask, "int32"), axis=1) - 1, 0)
    return ops.squeeze(ops.take_along_axis(tags, at[:, None], axis=1), axis=1)

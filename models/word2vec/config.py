"""The config of word2vec."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Annotated, Literal

from annotated_types import Ge

from data_prep.errors import InputError
from data_prep.fields import Checked, Count, NonNegative

Architecture = Literal["skipgram", "cbow"]
Loss = Literal["negative_sampling", "hierarchical_softmax", "full_softmax"]


@dataclass(frozen=True)
class Word2VecConfig(Checked):
    """Every argument of the network.

    Args:
        vocabulary_size: Words, ids from 0 by falling count.
        dimensions: Length of a vector.
        architecture: ``"skipgram"`` predicts each context word from the word, ``"cbow"`` the word from its context.
        combine: CBOW's query: ``"mean"`` or ``"sum"`` of the context vectors.
        tied: One matrix for input and output.
        loss: Of a prediction over the vocabulary.
        negatives: Negatives a pair (skip-gram) or a word (CBOW) stands for; the block's shared ones carry this
            weight together.
        window: Largest distance of a context word; as in the batches.
        context_gradient: CBOW with the mean only: ``"full"`` gives every context word the whole gradient of the
            mean, as word2vec.c and gensim do; ``"exact"`` the share that the mean gives it.
        damping: Most pairs of one step that may pull on one row of a matrix (by expectation); the steps of words
            above it are scaled down. It lets large steps be stable; 0 switches it off. Hand-written step only.
        seed: Of the initial vectors.
    """

    vocabulary_size: Annotated[int, Ge(2)]
    dimensions: Count = 100
    architecture: Architecture = "skipgram"
    combine: Literal["mean", "sum"] = "mean"
    tied: bool = False
    loss: Loss = "negative_sampling"
    negatives: Count = 5
    window: Count = 5
    context_gradient: Literal["full", "exact"] = "full"
    damping: NonNegative = 150.0
    seed: int = 1

    def __post_init__(self) -> None:
        """Check every field, and that the matrices can be one where they are to be."""
        super().__post_init__()
        if self.tied and self.loss == "hierarchical_softmax":
            raise InputError(
                "Hierarchical softmax has vectors of tree nodes, not of words: they cannot be tied",
                allowed="tied=false, or loss negative_sampling or full_softmax",
            )

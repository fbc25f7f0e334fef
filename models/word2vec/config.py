"""The recipe of word vectors: everything that decides them, the arguments of the network among it."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import Annotated, Literal

from annotated_types import Ge

from data_prep.errors import InputError
from data_prep.fields import Count, NonNegative, Rate
from data_prep.text.word2vec_blocks import BlockSettings

_USUAL: dict[str, tuple[float, float]] = {  # skip-gram, CBOW
    "sample": (1e-4, 1e-3),
    "learning_rate": (0.025, 0.05),
    "blocks": (64, 128),
    "damping": (150.0, 10_000.0),
    "shared_negatives": (64, 40),
}
_Pair = Annotated[int, Ge(2)]


@dataclass(frozen=True)
class VectorsRecipe(BlockSettings):
    """Everything that decides word vectors; the defaults made the shipped preset.

    What is None stands for what is usual for the architecture; see also
    :class:`data_prep.text.word2vec_blocks.BlockSettings`.

    Args:
        architecture: ``"skipgram"`` predicts each context word from the word, ``"cbow"`` the word from its context.
        combine: CBOW's query: ``"mean"`` or ``"sum"`` of the context vectors.
        tied: One matrix for input and output, as in the lecture.
        loss: Of a prediction over the vocabulary.
        dimensions: Length of a vector.
        negatives: Negatives a pair (skip-gram) or a word (CBOW) stands for; the block's shared ones carry this
            weight together.
        context_gradient: CBOW with the mean only: ``"full"`` gives every context word the whole gradient of the
            mean, as word2vec.c and gensim do; ``"exact"`` the share that the mean gives it.
        damping: Most pairs of one step that may pull on one row of a matrix (by expectation); the steps of words
            above it are scaled down. It lets large steps be stable; 0 switches it off. Hand-written step only.
        min_count: Rarer words are left out.
        max_vocabulary: Train at most this many words; none for all.
        kept_words: How many of the most frequent words the preset keeps; none for all.
        output_words: Write a second preset ``OUT_output`` with the output vectors of this many words, which
            the page needs to show a prediction; none for no such preset.
        storage: ``"float16"`` or ``"float32"`` in the preset.
        learning_rate: At the start.
        minimum_learning_rate: At the end.
        epochs: Passes over the text.
        threads: Operations side by side.
    """

    architecture: Literal["skipgram", "cbow"] = "skipgram"
    combine: Literal["mean", "sum"] = "mean"
    tied: bool = False
    loss: Literal["negative_sampling", "hierarchical_softmax", "full_softmax"] = "negative_sampling"
    dimensions: Count = 100
    negatives: Count = 5
    context_gradient: Literal["full", "exact"] = "full"
    damping: NonNegative | None = None
    min_count: Count = 5
    max_vocabulary: _Pair | None = None
    kept_words: _Pair | None = 50_000
    output_words: _Pair | None = None
    storage: Literal["float16", "float32"] = "float16"
    sample: NonNegative | None = None
    blocks: Count | None = None
    shared_negatives: Count | None = None
    learning_rate: Rate | None = None
    minimum_learning_rate: float = 1e-4
    epochs: Count = 5
    threads: Count = 2

    def __post_init__(self) -> None:
        """Check every field, and that the matrices can be one where they are to be."""
        super().__post_init__()
        if self.tied and self.loss == "hierarchical_softmax":
            raise InputError(
                "Hierarchical softmax has vectors of tree nodes, not of words: they cannot be tied",
                allowed="tied=false, or loss negative_sampling or full_softmax",
            )

    def settled(self) -> VectorsRecipe:
        """Return the recipe with every ``None`` that stands for "as is usual here" replaced."""
        column = int(self.architecture == "cbow")
        usual = {name: values[column] for name, values in _USUAL.items() if getattr(self, name) is None}
        return replace(self, **usual)

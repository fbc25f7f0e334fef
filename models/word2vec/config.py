"""The recipe of word vectors: everything that decides them, the arguments of the network among it."""

from __future__ import annotations

from dataclasses import dataclass, replace
from math import gcd
from typing import Annotated, Literal

from annotated_types import Ge

from data_prep.errors import InputError
from data_prep.fields import Checked, Count, Natural, NonNegative, Rate

_USUAL: dict[str, tuple[float, float]] = {  # skip-gram, CBOW
    "sample": (1e-4, 1e-3),
    "learning_rate": (0.025, 0.05),
}
_BLOCK_LENGTH, _NEGATIVE_SETS = 1024, 128
_SHORT_BLOCK = 32  # for losses of all pairs of a block at once
_Pair = Annotated[int, Ge(2)]


@dataclass(frozen=True)
class VectorsRecipe(Checked):
    """Everything that decides word vectors.

    What is None stands for what is usual for the architecture or the loss; see also :mod:`models.word2vec.blocks`.

    Args:
        architecture: ``"skipgram"`` predicts the word from each word of its context, ``"cbow"`` from all together.
        combine: CBOW's query: ``"mean"`` or ``"sum"`` of the context vectors.
        tied: One matrix for input and output, as in the lecture.
        loss: Of a prediction over the vocabulary.
        dimensions: Length of a vector.
        window: Largest distance of a context word.
        shrinking: Whether each word draws its window from 1 to ``window``, as word2vec does.
        negatives: Negatives of a word.
        negative_sets: Sets of negatives of a block (R); its words take them in turn.
        context_gradient: CBOW with the mean only: ``"full"`` gives every context word the whole gradient of the
            mean, as word2vec.c and gensim do; ``"exact"`` the share that the mean gives it.
        min_count: Rarer words are left out.
        max_vocabulary: Train at most this many words; none for all.
        kept_words: How many of the most frequent words the preset keeps; none for all.
        output_words: Write a second preset ``OUT_output`` with the output vectors of this many words, which
            the page needs to show a prediction, and ``OUT_input`` with their input vectors as they were trained where
            ``OUT`` holds others; none for no such presets.
        spelling: Weight of what the spelling of words says about them, which is mixed into the input vectors after
            training (:mod:`data_prep.text.spelling`); 0 keeps them as they were trained.
        storage: ``"float16"`` or ``"float32"`` in the preset.
        sample: Subsampling threshold, a share of the text; 0 keeps every word.
        block_length: Words in a block (T).
        blocks: Blocks in a batch (B); the learning rate falls once a batch.
        learning_rate: At the start.
        minimum_learning_rate: At the end; a tenth of the first where it is not given.
        epochs: Passes over the text.
        threads: Blocks side by side.
        seed: Of every draw; with the number of threads it decides the vectors.
    """

    architecture: Literal["skipgram", "cbow"] = "skipgram"
    combine: Literal["mean", "sum"] = "mean"
    tied: bool = False
    loss: Literal["negative_sampling", "hierarchical_softmax", "full_softmax"] = "negative_sampling"
    dimensions: Count = 100
    window: Count = 5
    shrinking: bool = True
    negatives: Count = 5
    negative_sets: Count | None = None
    context_gradient: Literal["full", "exact"] = "full"
    min_count: Count = 5
    max_vocabulary: _Pair | None = None
    kept_words: _Pair | None = 50_000
    output_words: _Pair | None = None
    spelling: NonNegative = 0.0
    storage: Literal["float16", "float32"] = "float16"
    sample: NonNegative | None = None
    block_length: Count | None = None
    blocks: Count = 64
    learning_rate: Rate | None = None
    minimum_learning_rate: Rate | None = None
    epochs: Count = 5
    threads: Count = 2
    seed: Natural = 1

    def __post_init__(self) -> None:
        """Check every field, that blocks fit, and that the matrices can be one where they are to be."""
        super().__post_init__()
        length = self.block_length or self._usual_length
        if length <= self.window:
            raise InputError(
                "A block must be longer than the window", allowed=f"more than {self.window}", received=length
            )
        if self.negative_sets and length % self.negative_sets:
            raise InputError(
                f"negative_sets must divide the {length} words of a block", received=self.negative_sets
            )
        if self.tied and self.loss == "hierarchical_softmax":
            raise InputError(
                "Hierarchical softmax has vectors of tree nodes, not of words: they cannot be tied",
                allowed="tied=false, or loss negative_sampling or full_softmax",
            )

    @property
    def batch_tokens(self) -> int:
        """Words in a batch."""
        return self.blocks * self.block_length

    @property
    def _usual_length(self) -> int:
        return _BLOCK_LENGTH if self.loss == "negative_sampling" else _SHORT_BLOCK

    def settled(self) -> VectorsRecipe:
        """Return the recipe with every ``None`` that stands for "as is usual here" replaced."""
        usual: dict[str, float] = {
            name: values[self.architecture == "cbow"] for name, values in _USUAL.items()
        }
        length = self.block_length or self._usual_length
        usual |= {"block_length": length, "negative_sets": gcd(length, _NEGATIVE_SETS)}
        usual["minimum_learning_rate"] = (self.learning_rate or usual["learning_rate"]) / 10
        return replace(self, **{name: value for name, value in usual.items() if getattr(self, name) is None})

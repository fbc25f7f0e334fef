"""How word2vec is trained on an encoded text: its recipe, and the stage of a task that trains it."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Annotated, Any, Literal

from annotated_types import Ge

from data_prep.errors import InputError
from data_prep.fields import Checked, Count, Natural, Rate
from data_prep.text.word2vec_blocks import BlockSettings, BlockStream
from data_prep.text.word2vec_corpus import EncodedCorpus
from models.training.recipe import fields_of
from models.training.task import Stage

if TYPE_CHECKING:
    import keras

_FEWEST_BATCHES = 100
_USUAL: dict[str, dict[str, Any]] = {
    "skipgram": {
        "sample": 1e-4,
        "learning_rate": 0.025,
        "blocks": 64,
        "damping": 150.0,
        "shared_negatives": 64,
    },
    "cbow": {
        "sample": 1e-3,
        "learning_rate": 0.05,
        "blocks": 128,
        "damping": 10_000.0,
        "shared_negatives": 40,
    },
}
_Pair = Annotated[int, Ge(2)]


@dataclass(frozen=True)
class VectorsRecipe(Checked):
    """Everything that decides word vectors; the defaults made the shipped preset.

    Args:
        architecture: ``"skipgram"`` or ``"cbow"``.
        combine: CBOW's query, ``"mean"`` or ``"sum"`` of the context.
        tied: One matrix for input and output, as in the lecture.
        loss: ``"negative_sampling"``, ``"hierarchical_softmax"`` or ``"full_softmax"``.
        dimensions: Length of a vector.
        window: Largest distance of a context word.
        shrinking: Whether each word draws its window from 1 to ``window``.
        negatives: Negatives a pair.
        min_count: Rarer words are left out.
        max_vocabulary: Train at most this many words; none for all.
        kept_words: How many of the most frequent words the preset keeps; none for all.
        output_words: Write a second preset ``OUT_output`` with the output vectors of this many words, which
            the page needs to show a prediction; none for no such preset.
        storage: ``"float16"`` or ``"float32"`` in the preset.
        sample: Subsampling threshold; none for gensim's usual 1e-4 (skip-gram), 1e-3 (CBOW).
        learning_rate: At the start; none for word2vec.c's 0.025 (skip-gram), 0.05 (CBOW).
        minimum_learning_rate: At the end.
        epochs: Passes over the text.
        seed: Of all draws.
        context_gradient: See :class:`models.word2vec.network.Word2VecConfig`.
        damping: See there; none for 150 (skip-gram), 10,000 (CBOW, whose pairs pull less).
        block_length: Words in a block; see :class:`data_prep.text.word2vec_blocks.BlockSettings`.
        blocks: Blocks in a step; none for 64 (skip-gram), 128 (CBOW), and fewer for a small text.
        blocks_per_group: Blocks that share negatives.
        shared_negatives: Negatives that a group shares; none for 64 (skip-gram), 40 (CBOW).
        steps: Steps in a batch; fewer for a small text.
        threads: Operations side by side.
    """

    architecture: Literal["skipgram", "cbow"] = "skipgram"
    combine: Literal["mean", "sum"] = "mean"
    tied: bool = False
    loss: Literal["negative_sampling", "hierarchical_softmax", "full_softmax"] = "negative_sampling"
    dimensions: int = 100
    window: int = 5
    shrinking: bool = True
    negatives: int = 5
    min_count: Count = 5
    max_vocabulary: _Pair | None = None
    kept_words: _Pair | None = 50_000
    output_words: _Pair | None = None
    storage: Literal["float16", "float32"] = "float16"
    sample: float | None = None
    learning_rate: Rate | None = None
    minimum_learning_rate: float = 1e-4
    epochs: Count = 5
    seed: Natural = 1
    context_gradient: Literal["full", "exact"] = "full"
    damping: float | None = None
    block_length: int = 32
    blocks: int | None = None
    blocks_per_group: Count = 8
    shared_negatives: int | None = None
    steps: int = 32
    threads: Count = 2

    def __post_init__(self) -> None:
        """Refuse values that do not go together."""
        super().__post_init__()
        if self.blocks is not None and self.blocks % self.blocks_per_group:
            raise InputError(
                f"blocks_per_group must divide the {self.blocks} blocks", received=self.blocks_per_group
            )

    def settled(self) -> VectorsRecipe:
        """Return the recipe with every ``None`` that stands for "as is usual here" replaced."""
        usual = _USUAL[self.architecture]
        return replace(self, **{name: value for name, value in usual.items() if getattr(self, name) is None})

    def block_settings(self) -> BlockSettings:
        """Return the block settings of a settled recipe."""
        return fields_of(self, BlockSettings, groups=self.blocks // self.blocks_per_group)


def fitted_to(recipe: VectorsRecipe, corpus: EncodedCorpus) -> VectorsRecipe:
    """Return the settled recipe, with smaller batches where a text is so small that it would give few of them.

    The learning rate falls once a batch, and a step of 2,048 words is much of a text of 20,000.
    """
    recipe = recipe.settled()
    if recipe.loss != "negative_sampling":
        recipe = replace(recipe, steps=1)
    tokens = len(corpus.ids) * recipe.epochs
    while tokens < _FEWEST_BATCHES * recipe.steps * recipe.blocks * recipe.block_length:
        if recipe.steps > 1:
            recipe = replace(recipe, steps=max(1, recipe.steps // 2))
        elif recipe.blocks > recipe.blocks_per_group and recipe.blocks % 2 == 0:
            blocks = recipe.blocks // 2
            recipe = replace(recipe, blocks=blocks, blocks_per_group=min(recipe.blocks_per_group, blocks))
        else:
            break
    return recipe


def word2vec_stage(
    recipe: VectorsRecipe,
    corpus: EncodedCorpus,
    *,
    name: str = "",
    own_processor: bool = False,
    scored: bool = True,
    begin: Callable[[keras.Model], None] | None = None,
) -> Stage:
    """Make the stage that trains word vectors.

    Args:
        recipe: As :func:`fitted_to` gives it.
        corpus: The encoded text.
        name: Of the stage.
        own_processor: Whether TensorFlow may be set up for word2vec alone; it holds for the whole process.
        scored: Whether the loss of a held-out sample is measured after every epoch.
        begin: Called with the network before training, to give it other first vectors.
    """
    stream = BlockStream(corpus, recipe.block_settings())
    held_out = stream.held_out() if scored else None

    def network() -> keras.Model:
        model = compiled_word2vec(recipe, corpus, stream, own_processor=own_processor)
        if begin is not None:
            begin(model)
        return model

    return Stage(
        name,
        network,
        stream.epoch,
        epochs=recipe.epochs,
        seed=recipe.seed,
        recipe=recipe,
        evaluate=None if held_out is None else lambda model: {"held_out_loss": model.mean_loss(held_out)},
        monitor="pair_loss" if held_out is None else "held_out_loss",
        keep="last",
        fixed_shapes=True,
        prefetch=4,
        start=None,
    )


def compiled_word2vec(
    recipe: VectorsRecipe, corpus: EncodedCorpus, stream: BlockStream, *, own_processor: bool = False
) -> keras.Model:
    """Build and compile the network for a text."""
    import keras

    from models.word2vec.network import Word2VecConfig, build_word2vec, linear_decay

    if own_processor and keras.backend.backend() == "tensorflow":
        from models.word2vec.steps import use_processor

        use_processor(recipe.threads)
    words = len(corpus.vocabulary)
    model = build_word2vec(fields_of(recipe, Word2VecConfig, vocabulary_size=words), corpus.vocabulary.counts)
    batches = recipe.epochs * stream.batches_per_epoch
    rates = linear_decay(recipe.learning_rate, recipe.minimum_learning_rate, batches)
    model.compile(keras.optimizers.SGD(rates))
    return model

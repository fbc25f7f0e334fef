"""How word2vec is trained on an encoded text: the stage of a task that trains it."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from typing import TYPE_CHECKING

from data_prep.text.word2vec_blocks import BlockStream
from data_prep.text.word2vec_corpus import EncodedCorpus
from models.training.task import Stage
from models.word2vec.config import VectorsRecipe

if TYPE_CHECKING:
    import keras

_FEWEST_BATCHES = 100


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
    stream = BlockStream(corpus, recipe)
    held_out = stream.held_out() if scored else None

    def network() -> keras.Model:
        import keras

        from models.word2vec.network import Word2Vec, linear_decay

        if own_processor and keras.backend.backend() == "tensorflow":
            from models.word2vec.steps import use_processor

            use_processor(recipe.threads)
        counts = corpus.vocabulary.counts
        model = Word2Vec(recipe, counts)
        batches = recipe.epochs * stream.batches_per_epoch
        rates = linear_decay(recipe.learning_rate, recipe.minimum_learning_rate, batches)
        model.compile(keras.optimizers.SGD(rates))
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

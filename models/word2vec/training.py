"""How word2vec is trained on an encoded text: the stage of a task that trains it."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import replace
from math import gcd
from typing import TYPE_CHECKING

from data_prep.text.word2vec_corpus import EncodedCorpus
from models.training.task import Stage
from models.training.watching import Seen
from models.word2vec.config import VectorsRecipe

if TYPE_CHECKING:
    import keras

_SHORTEST = 32  # block
_FEWEST_BATCHES = 100


def fitted_to(recipe: VectorsRecipe, corpus: EncodedCorpus) -> VectorsRecipe:
    """Return the settled recipe, with smaller batches where a text is so small that it would give few of them.

    The learning rate falls once a batch.
    """
    recipe = recipe.settled()
    while len(corpus.ids) * recipe.epochs < _FEWEST_BATCHES * recipe.batch_tokens:
        length = recipe.block_length // 2
        if recipe.blocks > recipe.threads:
            recipe = replace(recipe, blocks=recipe.blocks // 2)
        elif length >= max(_SHORTEST, recipe.window + 1):
            recipe = replace(recipe, block_length=length, negative_sets=gcd(recipe.negative_sets, length))
        else:
            break
    return recipe


def word2vec_stage(
    recipe: VectorsRecipe,
    corpus: EncodedCorpus,
    *,
    name: str = "",
    scored: bool = True,
    see: Callable[[keras.Model, Mapping[str, str]], Seen] | None = None,
    begin: Callable[[keras.Model], None] | None = None,
) -> Stage:
    """Make the stage that trains word vectors.

    Args:
        recipe: As :func:`fitted_to` gives it.
        corpus: The encoded text.
        name: Of the stage.
        scored: Whether the loss of a held-out sample is measured after every epoch.
        see: What looks at the network while it trains.
        begin: Called with the network before training, to give it other first vectors.
    """
    from models.word2vec.blocks import BlockStream

    stream = BlockStream(corpus, recipe)
    held_out = stream.held_out() if scored else None

    def network() -> keras.Model:
        import keras

        from models.word2vec.network import Word2Vec, linear_decay

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
        see=see,
        examples=len(corpus.ids),
        unit="words",
    )

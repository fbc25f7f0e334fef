"""The first stage of a tagger with raw text: its first layer learns from the text before it sees a tag."""

from __future__ import annotations

from typing import TYPE_CHECKING

from apps.tagger.recipes import TaggerRecipe
from apps.tagger.sources import Treebank
from data_prep.text.context_batches import ContextBatches
from data_prep.text.embeddings import quantise
from data_prep.text.raw_forms import first_words, numbered_forms
from data_prep.text.tag_inputs import TagInputs
from models.pos_tagger.config import PosTaggerConfig
from models.training.recipe import to_dict
from models.training.task import Stage

if TYPE_CHECKING:
    import keras


def pretraining_stage(
    recipe: TaggerRecipe, source: Treebank, config: PosTaggerConfig, inputs: TagInputs
) -> Stage:
    """Return the training of a language model whose layers the tagger takes over.

    Args:
        recipe: Of the tagger.
        source: Raw texts, and the frozen vectors.
        config: Of the tagger's network.
        inputs: Its encoder of words.

    Raises:
        InputError: A raw text cannot be had, or holds no sentence.
    """
    settings, streams, forms = recipe.pretraining, [], []
    for text in source.texts.values():
        stream, forms = numbered_forms(first_words(text(), settings.corpus_words), forms)
        streams.append(stream)
    sizes = {name: getattr(settings, name) for name in ("targets", "negatives", "batch_words")}
    batches = ContextBatches(streams, forms, inputs, **sizes, seed=recipe.seed)

    def network() -> keras.Model:

        from models.layers.fast_lstm import chosen_products
        from models.pos_tagger.context_lm import build_context_lm
        from models.training.optimizers import adamw

        reader = build_context_lm(
            config,
            targets=len(batches.log_expected),
            dimensions=settings.dimensions,
            dropout=settings.dropout,
            products=chosen_products(),
        )
        reader.get_layer("frozen_vectors").fill(*quantise(source.table.matrix))
        reader.get_layer("neighbours").log_expected.assign(batches.log_expected)
        steps = settings.parts * settings.steps
        optimizer = adamw(settings, steps, beta_2=0.98, clipnorm=5.0)
        reader.compile(optimizer, jit_compile=False)
        return reader

    return Stage(
        "pretraining",
        network,
        lambda part: ((inputs,) for inputs in batches.part(part, settings.steps)),
        epochs=settings.parts,
        seed=recipe.seed,
        recipe={**to_dict(recipe), "data": dict(source.checksums)},
        keep="last",
        steps=settings.steps,
        start=None,
    )

"""The first stage of a tagger with raw text: its first layer learns from the text before it sees a tag."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from apps.tagger.recipes import PretrainingSettings
from apps.tagger.word_table import RawTexts
from data_prep.text.context_batches import ContextBatches
from data_prep.text.embeddings import quantise
from data_prep.text.raw_forms import first_words, numbered_forms
from data_prep.text.tag_inputs import TagInputs
from models.pos_tagger.config import PosTaggerConfig
from models.training.task import Stage

if TYPE_CHECKING:
    import keras


def pretraining_stage(
    settings: PretrainingSettings,
    config: PosTaggerConfig,
    matrix: np.ndarray,
    batches: ContextBatches,
    seed: int,
    recipe: object,
) -> Stage:
    """Return the training of a language model whose layers the tagger takes over.

    Args:
        settings: How.
        config: Of the tagger.
        matrix: The tagger's frozen vectors, float32 (rows, dimensions).
        batches: Sentences of raw text.
        seed: Of all draws.
        recipe: All that decides the outcome.
    """

    def network() -> keras.Model:
        import keras

        from models.layers.fast_lstm import fastest_products
        from models.pos_tagger.context_lm import build_context_lm
        from models.training.optimizers import adamw

        keras.utils.set_random_seed(seed)
        reader = build_context_lm(
            config,
            targets=len(batches.log_expected),
            dimensions=settings.dimensions,
            dropout=settings.dropout,
            products=fastest_products(),
        )
        reader.get_layer("frozen_vectors").fill(*quantise(matrix))
        reader.get_layer("neighbours").log_expected.assign(batches.log_expected)
        steps = settings.parts * settings.steps
        optimizer = adamw(settings, steps, beta_2=0.98, warmup=settings.warmup, clipnorm=5.0)
        reader.compile(optimizer, jit_compile=False)
        return reader

    return Stage(
        "pretraining",
        network,
        lambda part: ((inputs,) for inputs in batches.part(part, settings.steps)),
        epochs=settings.parts,
        seed=seed,
        recipe=recipe,
        keep="last",
        steps=settings.steps,
        start=None,
    )


def context_batches(
    settings: PretrainingSettings, inputs: TagInputs, texts: RawTexts, seed: int
) -> ContextBatches:
    """Read raw texts as batches of sentences.

    Raises:
        InputError: A raw text cannot be had, or holds no sentence.
    """
    streams, forms = [], []
    for text in texts.values():
        stream, forms = numbered_forms(first_words(text(), settings.corpus_words), forms)
        streams.append(stream)
    return ContextBatches(
        streams,
        forms,
        inputs,
        targets=settings.targets,
        negatives=settings.negatives,
        batch_words=settings.batch_words,
        seed=seed,
    )

"""Word vectors that a classifier of documents starts from: those of a preset, or learned from its own texts."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING

from data_prep.errors import InputError

if TYPE_CHECKING:
    from apps.reviews.recipes import ReviewsRecipe
    from apps.reviews.sources import ReviewsSource
    from apps.vectors.task import VectorsRecipe
    from data_prep.text.embeddings import WordVectors
    from data_prep.text.word2vec_corpus import EncodedCorpus
    from models.word2vec.network import Word2Vec


def start_vectors(
    recipe: ReviewsRecipe, source: ReviewsSource, run_dir: Path, *, resume: bool
) -> WordVectors | None:
    """Return the word vectors that networks of a recipe start from.

    Args:
        recipe: All settings.
        source: The documents; word2vec reads those of the training part and those without labels.
        run_dir: Where what it learned is kept for a resume.
        resume: Go on with what is there.

    Returns:
        The vectors; None where no network starts from any.

    Raises:
        InputError: There are no such vectors, or too few words to learn from.
    """
    from apps.reviews.recipes import OWN_VECTORS
    from apps.tagger.word_table import open_vectors

    if all(member.start == "random" for member in recipe.members):
        return None
    if recipe.vectors != OWN_VECTORS:
        return open_vectors(recipe.vectors)
    return _learned(recipe, source, run_dir, resume=resume)


def _learned(recipe: ReviewsRecipe, source: ReviewsSource, run_dir: Path, *, resume: bool) -> WordVectors:
    """Learn vectors with word2vec, or take those that this run has learned before."""
    from data_prep.text.embeddings import WordVectors
    from models.storage.atomic import writing_to
    from models.training.recipe import to_dict

    settings = json.dumps([to_dict(recipe.word2vec), dict(source.checksums), source.train.checksum])
    path = run_dir / f"vectors-{hashlib.sha256(settings.encode()).hexdigest()[:12]}.npz"
    if path.is_file():
        if not resume:
            raise InputError(
                f"The folder {run_dir} already holds a run",
                remedy="Go on with --resume, or choose another folder",
            )
        return WordVectors.load(path)
    with writing_to(run_dir):
        run_dir.mkdir(parents=True, exist_ok=True)
    found = learn_vectors(
        recipe, [*source.train.texts, *source.unlabelled], run_dir / "vectors", resume=resume
    )
    found.save(path)
    return found


def learn_vectors(
    recipe: ReviewsRecipe, texts: Sequence[str], run_dir: Path, *, resume: bool = False
) -> WordVectors:
    """Learn word vectors from documents, cut into words as the classifier cuts them.

    Args:
        recipe: Its ``word2vec`` decides.
        texts: Documents, with labels or without.
        run_dir: Where checkpoints go.
        resume: Go on with the run that is there.

    Returns:
        The input vectors, the most frequent word first.

    Raises:
        InputError: There are too few words, or training diverges.
    """
    import numpy as np
    from keras import ops

    from apps.vectors.task import fitted_to
    from data_prep.text.embeddings import WordVectors
    from data_prep.text.text_inputs import keys_of
    from data_prep.text.word2vec_corpus import encode_corpus
    from models.storage.atomic import writing_to

    with writing_to(run_dir):
        run_dir.mkdir(parents=True, exist_ok=True)
    settings = recipe.word2vec
    corpus = encode_corpus(
        texts,
        keys_of,
        run_dir / "corpus.int32",
        min_count=settings.min_count,
        max_vocabulary=settings.max_vocabulary,
    )
    model = _trained(fitted_to(settings, corpus), corpus, run_dir, resume)
    matrix = np.asarray(ops.convert_to_numpy(model.input_vectors))
    return WordVectors(list(corpus.vocabulary), matrix, corpus.vocabulary.counts)


def _trained(settings: VectorsRecipe, corpus: EncodedCorpus, run_dir: Path, resume: bool) -> Word2Vec:
    """Train word2vec with the processor as it is: how TensorFlow is set up would hold for the classifier as well."""
    import keras

    from apps.vectors.task import config_of, epoch_batches, settings_of
    from data_prep.text.word2vec_blocks import BlockStream
    from models.training.fit import fit
    from models.word2vec.network import build_word2vec, linear_decay

    stream = BlockStream(corpus, settings_of(settings))
    model = build_word2vec(config_of(settings, len(corpus.vocabulary)), corpus.vocabulary.counts)
    batches = settings.epochs * stream.batches_per_epoch
    rates = linear_decay(settings.learning_rate, settings.minimum_learning_rate, batches)
    model.compile(keras.optimizers.SGD(rates))
    fit(
        model,
        lambda epoch: epoch_batches(stream, epoch),
        epochs=settings.epochs,
        run_dir=run_dir,
        seed=settings.seed,
        recipe=settings,
        resume=resume,
        monitor="pair_loss",
        keep_best=False,
    )
    return model

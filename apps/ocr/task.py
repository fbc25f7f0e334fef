"""Train the reader's networks: from handwritten letters to a preset.

    python -m apps ocr fit --out models/presets/ocr_letters
    python -m apps ocr fit --reads words --out models/presets/ocr_words

The run (checkpoints) lives in ``OUT.run`` beside the preset until the preset is written. What it took and what it
reached stand in the preset's metadata and metrics. Nothing is chosen by the test fold: ``--set split=choose`` leaves
another fold out, scores that one after every epoch, and does not look at the test fold; the default trains on all folds
but the test fold for a fixed number of epochs and scores it once.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from apps.ocr.recipes import RECIPES, LettersRecipe, Recipe, WordsRecipe, config_of, sample_recipe
from data_prep.errors import InputError

if TYPE_CHECKING:
    import keras
    import numpy as np

    from data_prep.images.letter_batches import ComposedBatches, LetterBatches
    from data_prep.readers.letters import LetterWords
    from models.ocr.config import OcrConfig
    from models.ocr.letter_lm import LetterLM
    from models.ocr.serving import LettersReader, WordsReader
    from models.training.fit import FitResult


@dataclass(frozen=True)
class Trained:
    """A trained network.

    Args:
        config: Of the network and the language model.
        arrays: Both, as a preset stores them (float16).
        result: Epochs, seconds, history.
        learned: How many letters it learned from.
    """

    config: OcrConfig
    arrays: Mapping[str, np.ndarray]
    result: FitResult
    learned: int

    def reader(self) -> LettersReader | WordsReader:
        """Return it ready to read."""
        from models.ocr.serving import LettersReader, WordsReader

        kind = LettersReader if self.config.reads == "letters" else WordsReader
        return kind(self.config, self.arrays)


def fit_ocr(
    out: Path,
    overrides: Sequence[str] = (),
    *,
    reads: str = "letters",
    resume: bool = False,
    sample: bool = False,
) -> dict[str, Any]:
    """Train a network and write it as a preset.

    Args:
        out: Folder of the preset to make.
        overrides: ``key=value`` for fields of the recipe.
        reads: ``"letters"`` or ``"words"``.
        resume: Go on with an interrupted run.
        sample: Train on words that the project draws, where there are no data.

    Returns:
        What was made: preset, epochs, seconds, errors.

    Raises:
        InputError: The letters cannot be had, an override is wrong, ``out`` exists already or cannot be written, or
            training diverges.
    """
    from apps.ocr.evaluation import metrics_of, score
    from apps.ocr.preset import write_preset
    from apps.ocr.sources import CHOICE_FOLD, TEST_FOLD, letters_source, sample_source
    from models.training.recipe import with_overrides
    from models.training.run_folder import remove_run, run_folder_of

    if reads not in RECIPES:
        raise InputError("There is no such reader", allowed=", ".join(RECIPES), received=reads)
    recipe = RECIPES[reads]
    recipe = with_overrides(sample_recipe(recipe) if sample else recipe, overrides)
    run_dir = run_folder_of(out)
    source = sample_source(recipe.seed) if sample else letters_source()
    choosing = recipe.split == "choose"
    learned = source.training(TEST_FOLD, CHOICE_FOLD) if choosing else source.training(TEST_FOLD)
    scored = source.fold(CHOICE_FOLD if choosing else TEST_FOLD)
    language = language_of(recipe, source.texts)
    trained = train(
        recipe,
        learned,
        source.texts,
        language,
        run_dir,
        resume=resume,
        validation=scored if choosing else None,
    )
    errors = score(trained.reader(), scored, recipe)
    summary = write_preset(out, recipe, trained, metrics_of(errors, recipe, source), source)
    remove_run(run_dir)
    return summary


def language_of(recipe: Recipe, texts: Sequence[str]) -> LetterLM | None:
    """Count the n-grams of words and of words without their first letter; None where the recipe wants no model."""
    from data_prep.text.word_list import with_tails
    from models.ocr.letter_lm import fit_letter_lm

    return fit_letter_lm(with_tails(texts), recipe.lm_order) if recipe.lm_order else None


def train(
    recipe: Recipe,
    words: LetterWords,
    texts: Sequence[str],
    language: LetterLM | None,
    run_dir: Path,
    *,
    resume: bool = False,
    validation: LetterWords | None = None,
) -> Trained:
    """Train a network in a run folder, without keeping it.

    Args:
        recipe: All settings.
        words: What it learns from.
        texts: Other words, to spell with the same letters; words and their tails.
        language: The language model that goes with it.
        run_dir: Where checkpoints go.
        resume: Go on with the run that is there.
        validation: Words to score after every epoch; None for none.

    Returns:
        The trained network with its last weights.

    Raises:
        InputError: No word can be spelled, or training diverges.
    """
    from apps.ocr.evaluation import score
    from models.training.fit import fit, training_data

    batches = batches_of(recipe, words, texts)
    config = config_of(recipe, language)
    model = compiled_network(recipe, config, len(batches))

    def stored(result: FitResult | None = None) -> Trained:
        return Trained(config, stored_arrays(model, language), result, len(words.labels))

    def evaluate() -> dict[str, float]:
        if validation is None:
            return {}
        found = score(stored().reader(), validation, recipe)
        return {f"validation_{name}": rate.character_error for name, rate in found.items()}

    result = fit(
        model,
        lambda epoch: training_data(lambda: batches.epoch(epoch)),
        epochs=recipe.epochs,
        run_dir=run_dir,
        seed=recipe.seed,
        recipe=recipe,
        resume=resume,
        evaluate=evaluate,
        keep_best=False,
    )
    return stored(result)


def batches_of(recipe: Recipe, words: LetterWords, texts: Sequence[str]) -> LetterBatches | ComposedBatches:
    """Return what a recipe trains on; other words come whole and without their first letter."""
    from data_prep.images.letter_batches import ComposedBatches, LetterBatches
    from data_prep.images.letter_words import LetterPool
    from data_prep.text.word_list import with_tails

    if isinstance(recipe, WordsRecipe):
        pool = LetterPool(words.images, words.labels)
        return ComposedBatches(
            pool, with_tails(texts), recipe.batch_size, recipe.layout, recipe.epoch_words, seed=recipe.seed
        )
    return LetterBatches(
        words,
        with_tails(texts) if recipe.other_words > 0.0 else (),
        recipe.batch_size,
        recipe.augmentation,
        other_words=recipe.other_words,
        swapped=recipe.swapped,
        passes=recipe.passes,
        seed=recipe.seed,
    )


def compiled_network(recipe: Recipe, config: OcrConfig, steps_per_epoch: int) -> keras.Model:
    """Build and compile the network of a recipe."""
    import keras

    from models.layers.fast_lstm import fastest_products
    from models.ocr.network import build_ocr, ocr_losses
    from models.training.schedules import warmup_then_cosine

    keras.utils.set_random_seed(recipe.seed)
    products = fastest_products() if recipe.products == "auto" else recipe.products
    model = build_ocr(config, products=products)
    steps = recipe.epochs * steps_per_epoch
    optimizer = keras.optimizers.AdamW(
        warmup_then_cosine(recipe.learning_rate, round(recipe.warmup * steps), steps),
        weight_decay=recipe.weight_decay,
        beta_2=0.99,
        clipnorm=5.0,
    )
    optimizer.exclude_from_weight_decay(var_names=["bias", "gamma", "beta"])
    smoothing = recipe.label_smoothing if isinstance(recipe, LettersRecipe) else 0.0
    model.compile(
        optimizer,
        loss=ocr_losses(model, config, smoothing),
        jit_compile=False,  # slower for recurrent networks on a processor
    )
    return model


def stored_arrays(model: keras.Model, language: LetterLM | None) -> dict[str, np.ndarray]:
    """Return network and language model as a preset gives them back, rounded to float16."""
    import numpy as np

    from models.storage.variables import variable_arrays

    arrays = variable_arrays(model.weights) | ({} if language is None else language.arrays())
    return {
        name: array.astype(np.float16).astype(np.float32) if array.dtype == np.float32 else array
        for name, array in arrays.items()
    }

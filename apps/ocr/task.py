"""How the reader's networks are trained: letters or words, the one stage, errors and preset.

    python -m apps ocr fit --out models/presets/ocr_letters                       0.69 % in context, 82 min, one core
    python -m apps ocr fit --recipe words --out models/presets/ocr_words          3.08 %, two hours, one core

Nothing is chosen by the test fold: ``--set split=choose`` leaves another fold out, scores that one after every epoch,
and does not look at the test fold; the default trains on all folds but the test fold for a fixed number of epochs and
scores it once.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any, NamedTuple

import numpy as np

from apps.ocr.application import LETTERS_PRESET, WORDS_PRESET, Reader
from apps.ocr.evaluation import OcrEvaluation, evaluate, metrics_of, reliability_of, score
from apps.ocr.recipes import (
    ALL_RECIPES,
    RECIPES,
    SAMPLE_LETTERS,
    SAMPLE_WORDS,
    LettersRecipe,
    Recipe,
    WordsRecipe,
    config_of,
)
from apps.ocr.sources import OcrSource, letters_source, own_source, sample_source
from apps.ocr.watch import WATCHED, seer
from data_prep.array_files import half_precision
from data_prep.batching import Batches
from data_prep.errors import InputError
from data_prep.images.letter_batches import (
    composed_batches,
    few_shapes,
    letter_batches,
    letter_pictures,
    picture_batches,
)
from data_prep.images.letter_words import PLAIN, compose_word
from data_prep.images.pen_letters import pen_letters
from data_prep.images.preparation import FRAME_COLUMNS
from data_prep.readers.handwriting import WordPictures
from data_prep.readers.letters import LETTERS, LetterWords, encode_word
from data_prep.text.word_list import with_tails
from models.ocr.config import KIND, OcrConfig
from models.ocr.letter_lm import LetterLM, fit_letter_lm
from models.ocr.serving import LettersReader, WordsReader, log_of, reader_of
from models.presets.card import CardText
from models.serving.bilstm import pack
from models.storage.variables import variable_arrays
from models.training.task import Metrics, Option, Options, PresetContent, Run, Stage, Stages, Task
from models.training.teaching import Teacher, in_rows

if TYPE_CHECKING:
    import keras

_GOLDEN_WORDS = 3
_TITLES = {"letters": "Handwritten words, letter by letter", "words": "Handwritten words in one piece"}
_SUMMARIES = {
    "letters": "Reads a word whose letters are cut apart: each letter alone, in the context of its word (BiLSTM, CRF), "
    "and with a language model of letters.",
    "words": "Reads the image of a word whose letters are not cut apart (convolutions, BiLSTM, CTC), with a language "
    "model of letters.",
}
_LIMITS = (
    "It knows single words of the small letters a to z. All folds of the set hold the same 55 different words, so the "
    "error letter by letter is that of a closed lexicon; benchmarks/ocr_protocols.py measures words that were never "
    "learned. Whole words are composed of letters, with the gaps, slants and noise of the recipe: ink that joins "
    "letters is not among them."
)
_OWN_LIMITS = "It knows the characters and the hands of its own data, and reads everything as these."


class _Answers(NamedTuple):
    """The network ready to read, and how many letters it learned from."""

    reader: LettersReader | WordsReader
    arrays: Mapping[str, np.ndarray]
    learned: int


class OcrTask(Task):
    """Networks that read handwriting."""

    name = "ocr"
    kind = KIND
    recipes = ALL_RECIPES
    options = (
        Option(
            "letters",
            "Your own letters, a sub-folder a letter; word03_2.png is the second letter of word03.",
            metavar="FOLDER",
            verbs=("fit", "evaluate"),
            excludes="data",
        ),
        Option(
            "words",
            "Your own words: a CSV file with the columns picture and text.",
            metavar="CSV",
            verbs=("fit", "evaluate"),
            excludes="data",
        ),
        Option(
            "letters_preset", "Preset for letters.", type=str, metavar="NAME_OR_FOLDER", verbs=("evaluate",)
        ),
        Option("words_preset", "Preset for words.", type=str, metavar="NAME_OR_FOLDER", verbs=("evaluate",)),
    )
    sample_help = "words that the project draws by rules"
    watched = WATCHED

    def recipe(self, name: str | None, options: Options, overrides: Sequence[str]) -> Recipe:
        """Choose what suits the data: letters, or words where a CSV file of words is given."""
        known = self.recipes.get(name)
        reads = "words" if isinstance(known, WordsRecipe) else "letters"
        if known is not None and any(options.get(one) for one in RECIPES if one != reads):
            raise InputError(f"The recipe {name} does not suit these data", remedy="Leave --recipe out")
        return super().recipe(name, options, overrides)

    def sample_changes(self, recipe: Recipe) -> Sequence[str]:
        """Make a recipe one for a few hundred words instead of thousands."""
        return SAMPLE_WORDS if isinstance(recipe, WordsRecipe) else SAMPLE_LETTERS

    def source(self, recipe: Recipe, options: Options, run: Run) -> OcrSource:
        """Read the set of handwritten words, your own letters or words, or the sample."""
        for reads in RECIPES:
            if options.get(reads):
                return own_source(options[reads], reads, recipe.seed)
        return sample_source(recipe.seed) if options.get("sample") else letters_source()

    def stages(self, recipe: Recipe, source: OcrSource, run: Run) -> Stages:
        """Train the one network; the language model is counted."""
        learned = source.learned(recipe.split)
        texts = (*dict.fromkeys(learned.texts), *source.texts) if source.own else source.texts
        language = language_of(recipe, texts, source.words.alphabet)
        validation = source.scored(recipe.split) if recipe.split == "choose" else None
        return (yield from trained_reader(recipe, learned, texts, language, validation, run.teacher))

    def score(self, recipe: Recipe, source: OcrSource, answers: _Answers) -> Metrics:
        """Score the test fold, or the fold that was held out while a recipe is chosen."""
        scored = answers.reader, source.scored(recipe.split), recipe
        return metrics_of(score(*scored), reliability_of(*scored), recipe, source)

    def content(self, recipe: Recipe, source: OcrSource, answers: _Answers) -> PresetContent:
        """Keep network and language model, with an example of no one's hand where the alphabet is a to z."""
        config = answers.reader.config
        card = CardText(
            title=_TITLES[config.reads],
            summary=_SUMMARIES[config.reads],
            data=source.data,
            licence=source.licence,
            intended_use="Teaching: what context does for reading, and where it misleads.",
            limits=_OWN_LIMITS if source.own else _LIMITS,
        )
        return PresetContent(
            config,
            answers.arrays,
            golden=_golden(config, source),
            card=card,
            labels=tuple(config.alphabet),
            metadata={"learned_letters": answers.learned},
            summary={"reads": config.reads, "split": recipe.split},
        )

    def open(self, preset: str | Path | None, options: Options) -> Reader:
        """Open one preset of either kind, or both shipped ones; refuse a name that nothing is asked of."""
        for reads, other in (("letters", "words"), ("words", "letters")):
            if options.get(f"{reads}_preset") and (preset is not None or options.get(other)):
                what = f"--{reads}-preset is not used here"
                raise InputError(what, remedy=f"Leave it out, or leave out --preset and --{other}")
        if preset is not None:
            return Reader.from_preset(preset)
        letters = options.get("letters_preset") or LETTERS_PRESET
        words = options.get("words_preset") or WORDS_PRESET
        return Reader.from_preset(
            None if options.get("words") else letters, None if options.get("letters") else words
        )

    def evaluate(self, application: Reader, options: Options) -> OcrEvaluation:
        """Score fold 0, or your own letters or words."""
        return evaluate(application, letters=options["letters"], words=options["words"])


def language_of(recipe: Recipe, texts: Sequence[str], alphabet: str = LETTERS) -> LetterLM | None:
    """Count the n-grams of words and of words without their first letter; None where the recipe wants no model."""
    return fit_letter_lm(with_tails(texts), recipe.lm_order, alphabet) if recipe.lm_order else None


def trained_reader(
    recipe: Recipe,
    words: LetterWords | WordPictures,
    texts: Sequence[str],
    language: LetterLM | None,
    validation: LetterWords | WordPictures | None = None,
    teacher: Teacher | None = None,
) -> Stages:
    """Yield the one stage of a network and return it ready to read.

    Args:
        recipe: All settings.
        words: What it learns from.
        texts: Other words, to spell with the same letters.
        language: The language model that goes with it.
        validation: Words to score after every epoch; None for none.
        teacher: What it learns from besides; None for nothing.

    Raises:
        InputError: The teacher reads something else.
    """
    batches = batches_of(recipe, words, texts)
    config = config_of(recipe, language, words.alphabet)
    epochs = batches.epoch if teacher is None else teacher.epochs(batches.epoch, answers_of(teacher, config))

    def arrays(model: keras.Model) -> dict[str, np.ndarray]:
        more = {} if language is None else language.arrays()
        return half_precision(variable_arrays(model.weights) | more)

    def errors(model: keras.Model) -> dict[str, float]:
        if validation is None:
            return {}
        found = score(reader_of(config, arrays(model)), validation, recipe)
        return {f"validation_{name}": rate.character_error for name, rate in found.items()}

    model = yield Stage(
        "",
        lambda: compiled_network(recipe, config, len(batches)),
        epochs,
        few_shapes=few_shapes,
        epochs=recipe.epochs,
        seed=recipe.seed,
        recipe=recipe,
        evaluate=errors,
        keep="last",
        see=seer(
            recipe,
            config,
            language,
            words if validation is None else validation,
            held_out=validation is not None,
        ),
        examples=batches.count,
        unit="words",
    )
    found = arrays(model)
    return _Answers(reader_of(config, found), found, sum(map(len, words.texts)))


def answers_of(teacher: Teacher, config: OcrConfig) -> Callable[[], Callable[[Any], Any]]:
    """Return what makes a reader answer inputs of batches with logits, of the CRF with logarithms of probabilities."""
    preset = teacher.preset
    teacher.check("inputs", [config.reads], [preset.config.reads])
    teacher.check("letters", config.alphabet, preset.config.alphabet)
    reader = reader_of(preset.config, preset.arrays)

    def letters(inputs: Mapping[str, np.ndarray]) -> dict[str, np.ndarray]:
        mask = inputs["places"] >= 0
        lengths = mask.sum(axis=1).tolist()
        found = reader.logits(inputs["letters"], lengths)
        chain = log_of(reader.crf.marginals(found["chain"], pack(lengths)))
        context, chain = (in_rows(one, mask) for one in (found["context"], chain))
        return {"alone": found["alone"], "context": context, "chain": chain}

    def words(inputs: Mapping[str, np.ndarray]) -> np.ndarray:
        widths = FRAME_COLUMNS * inputs["mask"].sum(axis=1)
        images = [image[:, :width] for image, width in zip(inputs["image"], widths, strict=True)]
        return in_rows(np.concatenate(reader.logits(images)), inputs["mask"])

    return lambda: letters if config.reads == "letters" else words


def batches_of(recipe: Recipe, words: LetterWords | WordPictures, texts: Sequence[str]) -> Batches:
    """Return what a recipe trains on; other words come whole and without their first letter."""
    size, seed = recipe.batch_size, recipe.seed
    if isinstance(words, WordPictures):
        return picture_batches(words, size, seed)
    if isinstance(recipe, WordsRecipe):
        settings = {name: getattr(recipe, name) for name in ("augmentation", "changed", "seed")}
        return composed_batches(words, with_tails(texts), size, recipe.layout, recipe.epoch_words, **settings)
    settings = {name: getattr(recipe, name) for name in ("other_words", "swapped", "passes", "seed")}
    return letter_batches(words, with_tails(texts), size, recipe.augmentation, **settings)


def compiled_network(recipe: Recipe, config: OcrConfig, steps_per_epoch: int) -> keras.Model:
    """Build and compile the network of a recipe."""
    from models.layers.fast_lstm import chosen_products
    from models.ocr.network import build_ocr, ocr_losses
    from models.training.optimizers import adamw

    model = build_ocr(config, products=chosen_products(recipe.products))
    steps = recipe.epochs * steps_per_epoch
    optimizer = adamw(recipe, steps, beta_2=0.99, undecayed=("bias", "gamma", "beta"), clipnorm=5.0)
    smoothing = recipe.label_smoothing if isinstance(recipe, LettersRecipe) else 0.0
    # XLA is slower for recurrent networks on a processor.
    model.compile(optimizer, loss=ocr_losses(model, config, smoothing), jit_compile=False)
    return model


def _golden(config: OcrConfig, source: OcrSource) -> dict[str, np.ndarray]:
    """Return an input whose answer is stored: yours, else of no one's hand, so that a preset holds none of the set."""
    if source.own and config.reads == "words":
        return {"image": letter_pictures(source.words.images[0])[None]}
    if source.own:
        drawn = [source.words.images[source.words.letters_of(at)] for at in range(_GOLDEN_WORDS)]
    else:
        labels = [encode_word(text) for text in source.texts[:_GOLDEN_WORDS]]
        drawn = [pen_letters(word, seed) for seed, word in enumerate(labels)]
    if config.reads == "words":
        return {"image": compose_word(drawn[0], labels[0], PLAIN)[None]}
    lengths = np.array(list(map(len, drawn)), np.int64)
    return {"letters": letter_pictures(np.concatenate(drawn)), "lengths": lengths}

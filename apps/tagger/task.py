"""How a tagger is trained: a segmenter of its own, pretraining on raw text, the tagger; score and preset."""

from __future__ import annotations

import sys
from collections.abc import Callable, Sequence
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from apps.shared.commands import progress_bar
from apps.tagger.application import OWN_SEGMENTER, Segmenter, Tagger
from apps.tagger.evaluation import accuracies, calibrated, confusions, evaluate, metrics_of, score
from apps.tagger.recipes import RECIPES, TaggerRecipe
from apps.tagger.results import TaggerEvaluation
from apps.tagger.segmenter_task import SegmenterTask
from apps.tagger.sources import TAGGER_OPTIONS, Treebank, raw_texts, treebank
from apps.tagger.watch import WATCHED, pretraining_seer, tagger_seer
from apps.tagger.word_table import WordTable, word_table
from data_prep.array_files import half_precision
from data_prep.batching import Batch, Taught, length_buckets, pad, rounded_labels
from data_prep.errors import InputError
from data_prep.readers.conllu import UNTAGGED, Sentence
from data_prep.text import context_batches
from data_prep.text.embeddings import dequantise, quantise
from data_prep.text.raw_forms import first_words, numbered_forms
from data_prep.text.tag_inputs import (
    TIME_STEP,
    EncodedWord,
    TagInputs,
    alphabet_of,
    batch_inputs,
    few_shapes_of,
)
from data_prep.text.worse_texts import with_typos
from models.pos_tagger.config import PosTaggerConfig
from models.pos_tagger.serving import TagPredictor
from models.presets.store import Preset
from models.storage.variables import variable_arrays
from models.training.recipe import fields_of, to_dict
from models.training.task import Metrics, Options, PresetContent, Run, Stage, Stages, Task
from models.training.teaching import Teacher

if TYPE_CHECKING:
    import keras

_SEGMENTER = SegmenterTask()
_SENTENCES_AT_ONCE, _LEAST = 64, 1e-12  # that a teacher answers, and the smallest of its probabilities
_MOST_TYPOS = 0.1  # of a sentence's letters
_GOLDEN = ("Dogs bark .", "She did n't google the 3 new iPhones in Zürich , lol !")


class TaggerTask(Task):
    """Parts of speech."""

    name = "tagger"
    kind = Tagger.kind
    recipes = RECIPES
    options = TAGGER_OPTIONS
    sample_help = "sentences that the project makes"
    watched = WATCHED

    def recipe(self, name: str | None, options: Options, overrides: Sequence[str]) -> TaggerRecipe:
        """Choose and change a recipe, and take your own word vectors."""
        if options.get("vectors") is not None:
            overrides = (f"vectors={options['vectors']}", *overrides)
        return super().recipe(name, options, overrides)

    def sample_changes(self, recipe: TaggerRecipe) -> Sequence[str]:
        """Make a recipe one for a few hundred sentences instead of thousands."""
        made_for_it = recipe.averaging <= RECIPES["sample"].averaging
        return () if made_for_it else ("epochs=12", "batch_size=32", "warmup=10", "averaging=0.9")

    def source(self, recipe: TaggerRecipe, options: Options, run: Run) -> Treebank:
        """Read the treebank and the raw text, and lay out the words."""
        if run.start is not None and (options.get("text") or options.get("vectors")):
            raise InputError("--from has the words of its preset: --text and --vectors do not go with it")
        found = treebank(options, recipe.seed)
        if not found.own:
            Segmenter.from_preset()  # a missing one is told before the training, not after it
        if run.start is not None:
            table, checksums, texts = _table_of(run.start, found.train), {}, {}
            more = ""
        else:
            texts, checksums, said = raw_texts(recipe.raw_text, options.get("text", ()))
            forms = (word.form for sentence in found.train for word in sentence.words)
            table = word_table(recipe, texts, {**found.checksums, **checksums}, run.folder, forms)
            vectors = f"; the word vectors {recipe.vectors}" if recipe.vectors else ""
            more = f" Raw text without tags: {said}{vectors}."
        return replace(
            found,
            texts=texts,
            checksums={**found.checksums, **checksums},
            card=replace(found.card, data=found.card.data + more),
            table=table,
        )

    def stages(self, recipe: TaggerRecipe, source: Treebank, run: Run) -> Stages:
        """Train a segmenter on your own treebank, the first layer on raw text, and then the tagger."""
        segmenter = reader = None
        if source.own:
            inside = replace(run, start=run.start and run.start.parts.get(OWN_SEGMENTER))
            segmenter = yield from _SEGMENTER.stages(recipe.segmenter, source, inside, OWN_SEGMENTER)
        table, config = source.table, config_of(recipe, source, run.start)
        batches = TrainingBatches(source, config, recipe, run.teacher)
        segmenter = segmenter or Segmenter.from_preset()
        if recipe.pretraining.parts and source.texts:
            reader = yield pretraining_stage(recipe, source, config, batches.inputs, segmenter)
        model = yield Stage(
            "tagger",
            lambda: compiled_tagger(recipe, config, table, recipe.epochs * len(batches), reader),
            batches.epoch,
            few_shapes=few_shapes,
            epochs=recipe.epochs,
            seed=recipe.seed,
            recipe={**to_dict(recipe), "data": dict(source.checksums)},
            evaluate=lambda model: accuracies(predictor_of(config, table, model), source.dev),
            monitor="dev_xpos" if config.upos == (UNTAGGED,) else "dev_upos",
            mode="max",
            start=lambda preset: _arrays_for(recipe, config, preset),
            see=tagger_seer(config, table.vocabulary, source.dev, segmenter, recipe.xpos_weight),
            examples=len(source.train),
            unit="sentences",
        )
        predictor = calibrated(predictor_of(config, table, model), source.dev)
        # The predictor has the weights as a preset stores them, the application those of the training.
        arrays = variable_arrays(model.weights)
        return Tagger(predictor, segmenter, arrays=arrays, vocabulary=table.vocabulary)

    def score(self, recipe: TaggerRecipe, source: Treebank, answers: Tagger) -> Metrics:
        """Score once on test, from raw text as well; examples of errors are taken from dev."""
        with progress_bar("sentences", "sentences") as progress:
            test = score(answers, source.test, progress=progress)
        return metrics_of(test, confusions(answers, source.dev), source)

    def content(self, recipe: TaggerRecipe, source: Treebank, answers: Tagger) -> PresetContent:
        """Keep the network, and a segmenter of its own as a preset inside."""
        parts, golden = {}, [sentence.split() for sentence in _GOLDEN]
        if source.own:
            golden = [sentence.forms for sentence in source.train[:2]]
            inside = _SEGMENTER.content(recipe.segmenter, source, answers.segmenter)
            metrics = _SEGMENTER.score(recipe.segmenter, source, answers.segmenter)
            parts[OWN_SEGMENTER] = replace(inside, metrics=metrics)
        return PresetContent(
            answers.config,
            answers.arrays,
            golden=batch_inputs([answers.predictor.inputs.encode(forms) for forms in golden]),
            card=source.card,
            vocabulary=answers.vocabulary,
            labels=answers.labels,
            metadata={"held_out": list(source.held_out)},
            parts=parts,
        )

    def open(self, preset: str | Path | None, options: Options) -> Tagger:
        """Open a tagger and its segmenter."""
        return Tagger.from_preset(preset, options.get("segmenter"))

    def evaluate(self, application: Tagger, options: Options) -> TaggerEvaluation:
        """Score on the test part, or on a file."""
        with progress_bar("sentences", "sentences") as progress:
            return evaluate(application, options["file"], progress=progress)


def config_of(recipe: TaggerRecipe, source: Treebank, start: Preset | None = None) -> PosTaggerConfig:
    """Return the network's config: alphabet and tags come from training alone, or from the preset that it starts from.

    Tags of the preset stay where they hold all those of the treebank; others make a new output.
    """
    table, tags = source.table, source.tags._asdict()
    if start is not None:
        olds = {column: getattr(start.config, column) for column in tags}
        tags = {
            column: olds[column] if set(own) <= set(olds[column]) else own for column, own in tags.items()
        }
        fresh = {name: getattr(recipe, name) for name in ("word_dropout", "dropout", "output")}
        return replace(start.config, **tags, **fresh)
    forms = (word.form for sentence in source.train for word in sentence.words)
    return fields_of(
        recipe,
        PosTaggerConfig,
        word_rows=len(table.matrix),
        trained_rows=table.trained_rows,
        alphabet=alphabet_of(forms, recipe.min_characters),
        vector_dimensions=table.matrix.shape[1],
        **tags,
    )


def pretraining_stage(
    recipe: TaggerRecipe, source: Treebank, config: PosTaggerConfig, inputs: TagInputs, segmenter: Segmenter
) -> Stage:
    """Return the training of a language model on the raw texts, whose layers the tagger takes over.

    Raises:
        InputError: A raw text cannot be had, or holds no sentence.
    """
    settings, streams, forms = recipe.pretraining, [], []
    for text in source.texts.values():
        stream, forms = numbered_forms(first_words(text(), settings.corpus_words), forms)
        streams.append(stream)
    sizes = {name: getattr(settings, name) for name in ("targets", "negatives", "batch_words")}
    batches = context_batches.ContextBatches(streams, forms, inputs, **sizes, seed=recipe.seed)

    def network() -> keras.Model:
        from models.pos_tagger.context_lm import build_context_lm
        from models.training.optimizers import adamw

        sizes = {"targets": len(batches.log_expected), "dimensions": settings.dimensions}
        reader = _built(build_context_lm, config, source.table, **sizes, dropout=settings.dropout)
        reader.get_layer("neighbours").log_expected.assign(batches.log_expected)
        steps = settings.parts * settings.steps
        reader.compile(adamw(settings, steps, beta_2=0.98, clipnorm=5.0), jit_compile=False)
        return reader

    return Stage(
        "pretraining",
        network,
        lambda part: ((inputs,) for inputs in batches.part(part, settings.steps)),
        few_shapes=context_batches.few_shapes,
        epochs=settings.parts,
        seed=recipe.seed,
        recipe={**to_dict(recipe), "data": dict(source.checksums)},
        keep="last",
        steps=settings.steps,
        start=None,
        see=pretraining_seer(config, batches, source.dev, segmenter),
        examples=settings.steps * settings.batch_words,
        unit="words",
    )


def compiled_tagger(
    recipe: TaggerRecipe,
    config: PosTaggerConfig,
    table: WordTable,
    steps: int,
    reader: keras.Model | None = None,
) -> keras.Model:
    """Build and compile the network for so many steps; what has read raw text gives it its first layers."""
    from models.pos_tagger.context_lm import take_over
    from models.pos_tagger.network import build_pos_tagger, tagger_losses
    from models.training.optimizers import adamw

    model = _built(build_pos_tagger, config, table)
    if reader is not None:
        take_over(reader, model)
    for layer in map(model.get_layer, held_layers(recipe, config)):
        layer.set_weights([np.zeros_like(weight) for weight in layer.get_weights()])
        layer.trainable = False
    model.compile(
        adamw(recipe, steps, beta_2=0.98, clipnorm=5.0),
        loss=tagger_losses(model, config, recipe.label_smoothing),
        loss_weights={"upos": 1.0, "xpos": recipe.xpos_weight},
        jit_compile=False,  # slower for recurrent networks on a CPU
    )
    return model


def _built(
    build: Callable[..., keras.Model], config: PosTaggerConfig, table: WordTable, **sizes: Any
) -> keras.Model:
    """Build a network over the frozen vectors."""
    from models.layers.fast_lstm import chosen_products

    model = build(config, products=chosen_products(), **sizes)
    model.get_layer("frozen_vectors").fill(*quantise(table.matrix))
    return model


def predictor_of(config: PosTaggerConfig, table: WordTable, model: keras.Model) -> TagPredictor:
    """Return the fast form of a network, with its weights as a preset stores them."""
    return TagPredictor(config, table.vocabulary, half_precision(variable_arrays(model.weights)))


class TrainingBatches:
    """Encoded sentences with their tags, as batches in an order that seed and epoch alone decide."""

    def __init__(
        self,
        source: Treebank,
        config: PosTaggerConfig,
        recipe: TaggerRecipe,
        teacher: Teacher | None = None,
    ) -> None:
        self.inputs = TagInputs(source.table.vocabulary, config.word_rows, config.alphabet)
        self.forms = [sentence.forms for sentence in source.train]
        self.words = list(map(self.inputs.encode, self.forms))
        self.letters = "".join(filter(str.islower, config.alphabet)) or config.alphabet
        self.tags = {}
        for column in ("upos", "xpos"):
            ids = {tag: at for at, tag in enumerate(getattr(config, column))}
            self.tags[column] = [[ids[getattr(w, column)] for w in s.words] for s in source.train]
        self.recipe = recipe
        self.answers = None if teacher is None else teacher_answers(teacher, config, source.train)

    def __len__(self) -> int:
        return -(-len(self.words) // self.recipe.batch_size)

    def epoch(self, epoch: int) -> Any:
        """Yield inputs and tags (-1 at padding) of each batch of an epoch, with what a teacher answers."""
        lengths, recipe = list(map(len, self.words)), self.recipe
        rng = np.random.default_rng([recipe.seed, epoch])
        for chosen in length_buckets(lengths, recipe.batch_size, seed=recipe.seed, epoch=epoch):
            tags = {name: pad([own[at] for at in chosen], value=-1).values for name, own in self.tags.items()}
            if self.answers is not None:
                filled = {"dtype": np.float32, "value": np.nan}
                answers = ((name, [own[at] for at in chosen]) for name, own in self.answers.items())
                tags = Taught(tags, {name: pad(some, **filled).values for name, some in answers})
            yield batch_inputs([self.read(at, rng) for at in chosen]), tags

    def read(self, at: int, rng: np.random.Generator) -> list[EncodedWord]:
        """Encode a sentence, with typos or in upper case as often as the recipe says."""
        typos, upper = rng.random(2) < (self.recipe.typos, self.recipe.upper_case)
        if not typos and not upper:
            return self.words[at]
        forms = self.forms[at]
        if typos:
            share = rng.uniform(0.0, _MOST_TYPOS)
            forms = [with_typos(form, share, rng, self.letters) for form in forms]
        return self.inputs.encode(form.upper() if upper else form for form in forms)


def teacher_answers(
    teacher: Teacher, config: PosTaggerConfig, sentences: Sequence[Sentence]
) -> dict[str, list[np.ndarray]]:
    """Return the logarithms of a tagger's probabilities by column, float32 (words, tags) of each sentence.

    Raises:
        InputError: It has other tags.
    """
    preset = teacher.preset
    predictor = TagPredictor(preset.config, preset.vocabulary, preset.arrays)
    found: dict[str, list[np.ndarray]] = {"upos": [], "xpos": []}
    for column in found:
        teacher.check(f"{column.upper()} tags", getattr(config, column), getattr(predictor, column))
    for first in range(0, len(sentences), _SENTENCES_AT_ONCE):
        some = [sentence.forms for sentence in sentences[first : first + _SENTENCES_AT_ONCE]]
        logits, ends = predictor.logits(some), np.cumsum(list(map(len, some)))[:-1]
        for column, answers in found.items():
            shares = predictor.probabilities(logits, column, 1.0)
            answers += np.split(np.log(np.maximum(shares, _LEAST)).astype(np.float32), ends)
    return found


def few_shapes(batch: Batch) -> Batch:
    """Pad a batch so that few shapes come."""
    inputs, tags = batch
    return few_shapes_of(inputs), rounded_labels(tags, -1, {1: TIME_STEP})


def _table_of(start: Preset, train: Sequence[Sentence]) -> WordTable:
    """Return the words of a preset and their vectors; say how many words of the training part it lacks."""
    forms = {word.form for sentence in train for word in sentence.words}
    inputs = TagInputs(start.vocabulary, start.config.word_rows, start.config.alphabet)
    unknown = sum(word.unknown for word in inputs.encode(forms))
    print(
        f"{unknown:,} of {len(forms):,} different words are not in the vocabulary of {start.path.name}; "
        "their letters alone tell them apart",
        file=sys.stderr,
    )
    codes, scales = (start.arrays[f"frozen_vectors/{name}"] for name in ("codes", "scales"))
    return WordTable(start.vocabulary, start.config.trained_rows, dequantise(codes, scales))


def held_layers(recipe: TaggerRecipe, config: PosTaggerConfig) -> set[str]:
    """Name the layers whose weights are held at 0."""
    ways = {"forward": "backward", "backward": "forward"}
    numbers = range(1, len(config.units) + 1) if recipe.directions in ways else ()
    return {f"{ways[recipe.directions]}{number}" for number in numbers}


def _arrays_for(recipe: TaggerRecipe, config: PosTaggerConfig, preset: Preset) -> dict[str, np.ndarray]:
    """Leave out the outputs whose tags are others than those of the preset, and put 0 where weights are held."""
    heads = {"upos_head": "upos", "crf": "upos", "xpos_head": "xpos"}
    changed = [head for head, tags in heads.items() if getattr(config, tags) != getattr(preset.config, tags)]
    held = held_layers(recipe, config)
    return {
        name: np.zeros_like(array) if layer in held else array
        for name, array in preset.arrays.items()
        if (layer := name.split("/")[0]) not in changed
    }

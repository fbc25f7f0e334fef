"""How a tagger is trained: a segmenter of its own, pretraining on raw text, the tagger; score and preset."""

from __future__ import annotations

import sys
from collections.abc import Generator, Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from apps.shared.commands import progress_bar
from apps.shared.measures import checksums_of
from apps.tagger.application import OWN_SEGMENTER, Segmenter, Tagger
from apps.tagger.evaluation import confusions, evaluate, metrics_of, score, segmenter_metrics
from apps.tagger.pretraining import context_batches, pretraining_stage
from apps.tagger.recipes import RECIPES, TaggerRecipe
from apps.tagger.results import TaggerEvaluation
from apps.tagger.scores import accuracies, calibrated
from apps.tagger.segmenter_task import segmenter_content, segmenter_stage, trained_segmenter
from apps.tagger.sources import FILE_OPTION, TREEBANK_OPTIONS, Treebank, own_text, raw_texts, treebank
from apps.tagger.word_table import WordTable, word_table
from data_prep.batching import length_buckets, pad
from data_prep.datasets import DATASETS, locate_files
from data_prep.errors import InputError
from data_prep.readers.conllu import UNTAGGED, Sentence
from data_prep.text.embeddings import dequantise, quantise
from data_prep.text.tag_inputs import TagInputs, alphabet_of, batch_inputs
from models.pos_tagger.config import PosTaggerConfig
from models.pos_tagger.predictor import KIND, TagPredictor
from models.presets.store import Preset
from models.storage.arrays import half_precision
from models.storage.variables import variable_arrays
from models.training.recipe import fields_of, to_dict
from models.training.task import Metrics, Option, Options, PresetContent, Run, Stage, StageResult, Task

if TYPE_CHECKING:
    import keras

_GOLDEN = ("Dogs bark .", "She did n't google the 3 new iPhones in Zürich , lol !")


@dataclass(frozen=True)
class _Answers:
    tagger: Tagger
    arrays: Mapping[str, np.ndarray]
    pretraining_seconds: float
    own: Segmenter | None


class TaggerTask(Task):
    """Parts of speech."""

    name = "tagger"
    kind = KIND
    recipes = RECIPES
    options = (
        *TREEBANK_OPTIONS,
        Option(
            "text", "Raw text without tags to learn words from: files or folders.", many=True, metavar="RAW"
        ),
        Option(
            "vectors",
            "Word vectors: a preset, or a file of any usual form.",
            type=str,
            metavar="PRESET_OR_FILE",
        ),
        FILE_OPTION,
        Option(
            "segmenter",
            "Segmenter to use; that of the tagger's preset, or segmenter_en_ewt, if none is named.",
            type=str,
            metavar="NAME_OR_FOLDER",
            verbs=("evaluate",),
        ),
    )
    sample_help = "sentences that the project makes"

    def recipe(self, name: str | None, options: Options, overrides: Sequence[str]) -> TaggerRecipe:
        """Choose and change a recipe; a smaller one for your own treebank, and your own word vectors."""
        if options.get("vectors") is not None:
            overrides = (f"vectors={options['vectors']}", *overrides)
        return super().recipe(name or ("treebank" if options.get("treebank") else None), options, overrides)

    def source(self, recipe: TaggerRecipe, options: Options, run: Run) -> Treebank:
        """Read the treebank and the raw text, and lay out the words."""
        if run.start is not None and (options.get("text") or options.get("vectors")):
            raise InputError("--from has the words of its preset: --text and --vectors do not go with it")
        found = treebank(options, recipe.seed)
        if not found.own:
            Segmenter.from_preset()  # a missing one is told before the training, not after it
        if run.start is not None:
            data = f"{found.card.data} Fine-tuned from {run.start.path.name}."
            return replace(
                found, card=replace(found.card, data=data), table=_table_of(run.start, found.train)
            )
        texts = {name: raw_texts(name) for name in recipe.raw_text}
        checksums = checksums_of(*(path for name in texts for path in locate_files(name).values()))
        if options.get("text"):
            text, more = own_text(options["text"])
            texts, checksums = {**texts, **text}, {**checksums, **more}
        checksums = {**found.checksums, **checksums}
        raw = [f"{name} ({DATASETS[name].licence})" if name in DATASETS else "your own" for name in texts]
        vectors = f"; the word vectors {recipe.vectors}" if recipe.vectors else ""
        data = f"{found.card.data} Raw text without tags: {', '.join(raw) or 'none'}{vectors}."
        forms = (word.form for sentence in found.train for word in sentence.words)
        return replace(
            found,
            texts=texts,
            checksums=checksums,
            card=replace(found.card, data=data),
            table=word_table(recipe, texts, checksums, run.folder, forms),
        )

    def stages(
        self, recipe: TaggerRecipe, source: Treebank, run: Run
    ) -> Generator[Stage, StageResult, _Answers]:
        """Train a segmenter on your own treebank, the first layer on raw text, and then the tagger."""
        said = {**to_dict(recipe), "data": dict(source.checksums)}
        own, reader, seconds = None, None, 0.0
        if source.own:
            start = None if run.start is None else run.start.parts.get(OWN_SEGMENTER)
            done = yield segmenter_stage(recipe.segmenter, source, "segmenter", start)
            own = trained_segmenter(done.model, recipe.segmenter, source, start)
        table, config = source.table, config_of(recipe, source, run.start)
        batches = TrainingBatches(source, config, recipe.batch_size, recipe.seed)
        if recipe.pretraining.parts and source.texts:
            text = context_batches(recipe.pretraining, batches.inputs, source.texts, recipe.seed)
            done = yield pretraining_stage(recipe.pretraining, config, table.matrix, text, recipe.seed, said)
            reader, seconds = done.model, done.result.seconds
        done = yield Stage(
            "tagger",
            lambda: compiled_tagger(recipe, config, table, recipe.epochs * len(batches), reader),
            batches.epoch,
            epochs=recipe.epochs,
            seed=recipe.seed,
            recipe=said,
            evaluate=lambda model: accuracies(predictor_of(config, table, model), source.dev),
            monitor="dev_xpos" if config.upos == (UNTAGGED,) else "dev_upos",
            mode="max",
            start=lambda preset: _arrays_for(config, preset),
        )
        predictor = calibrated(predictor_of(config, table, done.model), source.dev)
        tagger = Tagger(predictor, own or Segmenter.from_preset(), vocabulary=table.vocabulary)
        return _Answers(tagger, variable_arrays(done.model.weights), seconds, own)

    def score(self, recipe: TaggerRecipe, source: Treebank, answers: _Answers) -> Metrics:
        """Score once on test, from raw text as well; examples of errors are taken from dev."""
        with progress_bar("sentences", "sentences") as progress:
            test = score(answers.tagger, source.test, progress=progress)
        return metrics_of(test, confusions(answers.tagger, source.dev), source)

    def content(self, recipe: TaggerRecipe, source: Treebank, answers: _Answers) -> Sequence[PresetContent]:
        """Keep the network, and a segmenter of its own as a preset inside."""
        parts = {}
        if answers.own is not None:
            own = segmenter_content(answers.own, recipe.segmenter, source)
            parts[OWN_SEGMENTER] = replace(own, metrics=segmenter_metrics(answers.own, source))
        predictor = answers.tagger.predictor
        golden = [sentence.forms for sentence in source.train[:2]] if source.own else map(str.split, _GOLDEN)
        return [
            PresetContent(
                predictor.config,
                answers.arrays,
                golden=batch_inputs([predictor.inputs.encode(forms) for forms in golden]),
                card=source.card,
                vocabulary=answers.tagger.vocabulary,
                labels=predictor.upos,
                metadata={
                    "pretraining_seconds": answers.pretraining_seconds,
                    "held_out": list(source.held_out),
                },
                parts=parts,
            )
        ]

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
    table, (upos, xpos) = source.table, source.tags
    if start is not None:
        old = start.config
        return replace(
            old,
            upos=old.upos if set(upos) <= set(old.upos) else upos,
            xpos=old.xpos if set(xpos) <= set(old.xpos) else xpos,
            word_dropout=recipe.word_dropout,
            dropout=recipe.dropout,
            output=recipe.output,
        )
    forms = (word.form for sentence in source.train for word in sentence.words)
    return fields_of(
        recipe,
        PosTaggerConfig,
        word_rows=len(table.matrix),
        trained_rows=table.trained_rows,
        alphabet=alphabet_of(forms, recipe.min_characters),
        upos=upos,
        xpos=xpos,
        vector_dimensions=table.matrix.shape[1],
    )


def compiled_tagger(
    recipe: TaggerRecipe,
    config: PosTaggerConfig,
    table: WordTable,
    steps: int,
    reader: keras.Model | None = None,
) -> keras.Model:
    """Build and compile the network.

    Args:
        recipe: Of the tagger.
        config: Of the network.
        table: Its frozen vectors.
        steps: Of the whole training.
        reader: What has read raw text, whose layers it takes over; None for random weights.
    """
    import keras

    from models.layers.fast_lstm import fastest_products
    from models.pos_tagger.context_lm import take_over
    from models.pos_tagger.network import build_pos_tagger, tagger_losses
    from models.training.optimizers import adamw

    keras.utils.set_random_seed(recipe.seed)
    model = build_pos_tagger(config, products=fastest_products())
    model.get_layer("frozen_vectors").fill(*quantise(table.matrix))
    if reader is not None:
        take_over(reader, model)
    model.compile(
        adamw(recipe, steps, beta_2=0.98, warmup=recipe.warmup, clipnorm=5.0),
        loss=tagger_losses(model, config, recipe.label_smoothing),
        loss_weights={"upos": 1.0, "xpos": recipe.xpos_weight},
        jit_compile=False,  # slower for recurrent networks on a CPU
    )
    return model


def predictor_of(config: PosTaggerConfig, table: WordTable, model: keras.Model) -> TagPredictor:
    """Return the fast form of a network, with its weights as a preset stores them."""
    return TagPredictor(config, table.vocabulary, half_precision(variable_arrays(model.weights)))


class TrainingBatches:
    """Encoded sentences with their tags, as batches in an order that seed and epoch alone decide.

    Args:
        source: Training part and words.
        config: Of the network.
        batch_size: Sentences in a batch.
        seed: Of the order.
    """

    def __init__(self, source: Treebank, config: PosTaggerConfig, batch_size: int, seed: int) -> None:
        self.inputs = TagInputs(source.table.vocabulary, config.word_rows, config.alphabet)
        upos, xpos = ({tag: at for at, tag in enumerate(tags)} for tags in (config.upos, config.xpos))
        self.words = [self.inputs.encode(sentence.forms) for sentence in source.train]
        self.tags = [([upos[w.upos] for w in s.words], [xpos[w.xpos] for w in s.words]) for s in source.train]
        self.lengths = [len(sentence.words) for sentence in source.train]
        self.batch_size, self.seed = batch_size, seed

    def __len__(self) -> int:
        return -(-len(self.lengths) // self.batch_size)

    def epoch(self, epoch: int) -> Any:
        """Yield inputs and tags (-1 at padding) of each batch of an epoch."""
        for chosen in length_buckets(self.lengths, self.batch_size, seed=self.seed, epoch=epoch):
            upos, xpos = (pad([self.tags[at][head] for at in chosen], value=-1).values for head in (0, 1))
            yield batch_inputs([self.words[at] for at in chosen]), {"upos": upos, "xpos": xpos}


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


def _arrays_for(config: PosTaggerConfig, preset: Preset) -> dict[str, np.ndarray]:
    """Leave out the outputs whose tags are others than those of the preset."""
    changed = [
        prefix
        for head, prefixes in (("upos", ("upos_head/", "crf/")), ("xpos", ("xpos_head/",)))
        if getattr(config, head) != getattr(preset.config, head)
        for prefix in prefixes
    ]
    return {n: array for n, array in preset.arrays.items() if not n.startswith(tuple(changed))}

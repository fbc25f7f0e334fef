"""Train the tagger: the recipe of the shipped preset and the path from a treebank to a preset.

    python -m apps tagger fit --out models/presets/tagger_en_ewt

The run (checkpoints, word vectors) lives in ``OUT.run`` beside the preset until the preset is written. What it
took and what it reached stand in the preset's metadata and metrics.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any, Literal

from apps.tagger.pretraining import Pretraining, PretrainingSettings, pretrained
from apps.tagger.scores import accuracies, calibrated
from apps.tagger.sources import TaggerSource, made_source, treebank_source
from apps.tagger.word_table import WordTable, word_table
from data_prep.errors import InputError
from data_prep.text.neighbour_vectors import NeighbourSettings

if TYPE_CHECKING:
    import keras

    from data_prep.readers.conllu import Sentence
    from data_prep.text.vocab import Vocabulary
    from models.pos_tagger.config import PosTaggerConfig
    from models.pos_tagger.predictor import TagPredictor
    from models.training.fit import FitResult

_GOLDEN = ("Dogs bark .", "She did n't google the 3 new iPhones in Zürich , lol !")


@dataclass(frozen=True)
class TaggerRecipe:
    """Everything that decides the tagger; the defaults made the shipped preset.

    Args:
        vectors: Preset or file of word vectors that the network is given; none for no vectors.
        vector_components: How many principal components of them are kept.
        raw_text: Data sets whose text gives the neighbour vectors, of ``wiki`` and ``imdb``; empty for none.
        neighbours: How the neighbour vectors are made.
        word_rows: Words with a row of their own, those of training first.
        min_characters: Rarer characters have no vector of their own.
        trained_dimensions: Length of the vectors that training makes, for words that it sees twice.
        character_dimensions: Length of a character's vector.
        character_units: Filters of each width.
        character_widths: Widths of the windows over a word's characters.
        units: Units of each direction, one number for each BiLSTM layer.
        pretraining: How the first layer learns from the raw text.
        word_dropout: Share of words whose trained vector is taken for unknown.
        dropout: Share of values left out around the BiLSTM layers.
        output: ``"softmax"`` or ``"crf"``.
        epochs: Passes over the training part.
        batch_size: Sentences in a step.
        learning_rate: The highest, after ``warmup`` steps; it falls along a cosine to 0.
        warmup: Steps.
        weight_decay: Of AdamW.
        label_smoothing: Share of the probability spread over all tags in training (not for the CRF).
        xpos_weight: Weight of the XPOS loss beside that of UPOS.
        averaging: Momentum of the averaged weights, which are scored and kept.
        seed: Of all draws.
    """

    vectors: str | None = "vectors_en_wiki"
    vector_components: int = 64
    raw_text: tuple[Literal["wiki", "imdb"], ...] = ("wiki", "imdb")
    neighbours: NeighbourSettings = field(default_factory=NeighbourSettings)
    word_rows: int = 55_000
    min_characters: int = 3
    trained_dimensions: int = 64
    character_dimensions: int = 32
    character_units: int = 40
    character_widths: tuple[int, ...] = (2, 3, 4)
    units: tuple[int, ...] = (256, 160)
    pretraining: PretrainingSettings = field(default_factory=PretrainingSettings)
    word_dropout: float = 0.1
    dropout: float = 0.4
    output: Literal["softmax", "crf"] = "crf"
    epochs: int = 12
    batch_size: int = 64
    learning_rate: float = 0.003
    warmup: int = 200
    weight_decay: float = 0.0005
    label_smoothing: float = 0.0
    xpos_weight: float = 1.0
    averaging: float = 0.998
    seed: int = 1

    def __post_init__(self) -> None:
        """Refuse values that the network's config does not check."""
        for name in ("epochs", "batch_size", "vector_components", "min_characters"):
            if getattr(self, name) < 1:
                raise InputError(f"{name} must be at least 1", received=getattr(self, name))
        for name in ("label_smoothing", "averaging"):
            if not 0.0 <= getattr(self, name) < 1.0:
                raise InputError(f"{name} must be from 0 to below 1", received=getattr(self, name))
        if not 0.0 < self.learning_rate < 1.0:
            raise InputError("learning_rate must lie between 0 and 1", received=self.learning_rate)
        if min(self.warmup, self.weight_decay, self.xpos_weight) < 0:
            raise InputError("warmup, weight_decay and xpos_weight are not negative")


def fit_tagger(
    out: Path, overrides: Sequence[str] = (), *, resume: bool = False, sample: bool = False
) -> dict[str, Any]:
    """Train a tagger on UD English EWT and write it as a preset.

    Args:
        out: Folder of the preset to make.
        overrides: ``key=value`` for fields of :class:`TaggerRecipe`.
        resume: Go on with an interrupted run.
        sample: Train on sentences that the project makes, where there are no data.

    Returns:
        What was made: preset, epochs, seconds, scores.

    Raises:
        InputError: The treebank or the vectors cannot be had, an override is wrong, ``out`` exists already or
            cannot be written, or training diverges.
    """
    from models.storage.atomic import writing_to
    from models.training.recipe import with_overrides
    from models.training.run_folder import remove_run, run_folder_of

    recipe = with_overrides(SAMPLE_RECIPE if sample else TaggerRecipe(), overrides)
    run_dir = run_folder_of(out)
    source = made_source() if sample else treebank_source(recipe)
    train, dev = source.read("train"), source.read("dev")
    with writing_to(run_dir):
        run_dir.mkdir(parents=True, exist_ok=True)
    table = word_table(recipe, run_dir, (word.form for sentence in train for word in sentence.words))
    config = config_of(recipe, table, train)
    model, result, pretraining_seconds = _train(recipe, config, table, train, dev, run_dir, resume)
    predictor = calibrated(predictor_of(config, table.vocabulary, model), dev)
    metrics = _metrics(predictor, dev, source)
    summary = _write_preset(
        out, recipe, table, model, predictor, result, pretraining_seconds, metrics, source
    )
    remove_run(run_dir)
    return summary


SAMPLE_RECIPE = TaggerRecipe(
    vectors=None,
    raw_text=(),
    word_rows=2_000,
    min_characters=1,
    trained_dimensions=16,
    character_dimensions=16,
    character_units=16,
    units=(32,),
    pretraining=PretrainingSettings(parts=0),
    output="softmax",
    epochs=8,
    batch_size=32,
    learning_rate=0.01,
    warmup=10,
    averaging=0.9,
)


def config_of(recipe: TaggerRecipe, table: WordTable, train: Sequence[Sentence]) -> PosTaggerConfig:
    """Return the network's config that a recipe asks for: alphabet and XPOS tags come from training alone."""
    from data_prep.readers.conllu import UPOS_TAGS
    from data_prep.text.tag_inputs import alphabet_of
    from models.pos_tagger.config import PosTaggerConfig

    words = [word for sentence in train for word in sentence.words]
    return PosTaggerConfig(
        word_rows=table.rows,
        trained_rows=table.trained_rows,
        alphabet=alphabet_of((word.form for word in words), recipe.min_characters),
        upos=UPOS_TAGS,
        xpos=tuple(sorted({word.xpos for word in words})),
        vector_dimensions=table.matrix.shape[1],
        trained_dimensions=recipe.trained_dimensions,
        character_dimensions=recipe.character_dimensions,
        character_units=recipe.character_units,
        character_widths=recipe.character_widths,
        units=recipe.units,
        word_dropout=recipe.word_dropout,
        dropout=recipe.dropout,
        output=recipe.output,
    )


def new_tagger(recipe: TaggerRecipe, config: PosTaggerConfig, table: WordTable) -> keras.Model:
    """Build the network with its frozen vectors and random weights."""
    import keras

    from data_prep.text.embeddings import quantise
    from models.layers.fast_lstm import fastest_products
    from models.pos_tagger.network import build_pos_tagger

    keras.utils.set_random_seed(recipe.seed)
    model = build_pos_tagger(config, products=fastest_products())
    model.get_layer("frozen_vectors").fill(*quantise(table.matrix))
    return model


def compile_tagger(model: keras.Model, recipe: TaggerRecipe, config: PosTaggerConfig, steps: int) -> None:
    """Set optimizer and losses; ``steps`` are those of the whole run."""
    import keras

    from models.pos_tagger.network import tagger_losses
    from models.training.schedules import warmup_then_cosine

    optimizer = keras.optimizers.AdamW(
        warmup_then_cosine(recipe.learning_rate, recipe.warmup, steps),
        weight_decay=recipe.weight_decay,
        beta_2=0.98,
        clipnorm=5.0,
        use_ema=recipe.averaging > 0,
        ema_momentum=recipe.averaging,
    )
    model.compile(
        optimizer,
        loss=tagger_losses(model, config, recipe.label_smoothing),
        loss_weights={"upos": 1.0, "xpos": recipe.xpos_weight},
        jit_compile=False,  # slower for recurrent networks on a CPU
    )


class TrainingBatches:
    """Encoded sentences with their tags, as batches in an order that seed and epoch alone decide.

    Args:
        sentences: A tagged treebank.
        config: Of the network.
        vocabulary: Its vocabulary.
        batch_size: Sentences in a batch.
        seed: Of the order.
    """

    def __init__(
        self,
        sentences: Sequence[Sentence],
        config: PosTaggerConfig,
        vocabulary: Vocabulary,
        batch_size: int,
        seed: int,
    ) -> None:
        from data_prep.text.tag_inputs import TagInputs

        inputs = TagInputs(vocabulary, config.word_rows, config.alphabet)
        upos = {tag: at for at, tag in enumerate(config.upos)}
        xpos = {tag: at for at, tag in enumerate(config.xpos)}
        self.words = [inputs.encode(sentence.forms) for sentence in sentences]
        self.tags = [
            ([upos[w.upos] for w in s.words], [xpos.get(w.xpos, -1) for w in s.words]) for s in sentences
        ]
        self.lengths = [len(sentence.words) for sentence in sentences]
        self.batch_size, self.seed = batch_size, seed

    def __len__(self) -> int:
        return -(-len(self.lengths) // self.batch_size)

    def epoch(self, epoch: int) -> Any:
        """Yield inputs and tags (-1 at padding) of each batch of an epoch."""
        from data_prep.batching import length_buckets, pad
        from data_prep.text.tag_inputs import batch_inputs

        for chosen in length_buckets(self.lengths, self.batch_size, seed=self.seed, epoch=epoch):
            upos, xpos = (pad([self.tags[at][head] for at in chosen], value=-1).values for head in (0, 1))
            yield batch_inputs([self.words[at] for at in chosen]), {"upos": upos, "xpos": xpos}


def _train(
    recipe: TaggerRecipe,
    config: PosTaggerConfig,
    table: WordTable,
    train: Sequence[Sentence],
    dev: Sequence[Sentence],
    run_dir: Path,
    resume: bool,
) -> tuple[keras.Model, FitResult, float]:
    from models.training.fit import fit, training_data

    batches = TrainingBatches(train, config, table.vocabulary, recipe.batch_size, recipe.seed)
    model = new_tagger(recipe, config, table)
    seconds = 0.0
    if recipe.pretraining.parts and recipe.raw_text:
        task = Pretraining(recipe.pretraining, config, table.vocabulary, recipe.raw_text, recipe.seed)
        seconds = pretrained(model, task, run_dir, resume=resume)
    compile_tagger(model, recipe, config, recipe.epochs * len(batches))

    result = fit(
        model,
        lambda epoch: training_data(lambda: batches.epoch(epoch)),
        epochs=recipe.epochs,
        run_dir=run_dir,
        seed=recipe.seed,
        recipe=recipe,
        resume=resume,
        evaluate=lambda: accuracies(predictor_of(config, table.vocabulary, model), dev),
        monitor="dev_upos",
        mode="max",
    )
    return model, result, seconds


def predictor_of(config: PosTaggerConfig, vocabulary: Vocabulary, model: keras.Model) -> TagPredictor:
    """Return the fast form of a network, with its weights as a preset stores them (float16)."""
    import numpy as np

    from models.pos_tagger.predictor import TagPredictor
    from models.storage.variables import variable_arrays

    arrays = {
        name: array.astype(np.float16).astype(np.float32) if array.dtype == np.float32 else array
        for name, array in variable_arrays(model.weights).items()
    }
    return TagPredictor(config, vocabulary, arrays)


def _metrics(predictor: TagPredictor, dev: Sequence[Sentence], source: TaggerSource) -> dict[str, Any]:
    """Score once on test, through the application; examples of errors are taken from dev."""
    from apps.shared.commands import progress_bar
    from apps.tagger.application import SEGMENTER_PRESET, Tagger
    from apps.tagger.evaluation import confusions, evaluate, metrics_of, tag_gold_tokens
    from models.segmenter.serving import load_segmenter

    tagger = Tagger(predictor, load_segmenter(SEGMENTER_PRESET))
    with progress_bar("sentences", "sentences") as progress:
        test = evaluate(tagger, source.read("test"), progress=progress)
    mistakes = confusions(dev, tag_gold_tokens(tagger, dev), predictor.upos)
    return metrics_of(test, mistakes, trained_on=source.trained_on, published=source.published)


def _write_preset(
    out: Path,
    recipe: TaggerRecipe,
    table: WordTable,
    model: keras.Model,
    predictor: TagPredictor,
    result: FitResult,
    pretraining_seconds: float,
    metrics: dict[str, Any],
    source: TaggerSource,
) -> dict[str, Any]:
    from data_prep.text.tag_inputs import batch_inputs
    from models.pos_tagger.predictor import KIND
    from models.presets.store import VERIFY_COMMAND, save_preset

    golden = batch_inputs([predictor.inputs.encode(sentence.split()) for sentence in _GOLDEN])
    save_preset(
        out,
        kind=KIND,
        config=predictor.config,
        weights=model,
        golden=golden,
        metrics=metrics,
        metadata={
            "recipe": recipe,
            "seed": recipe.seed,
            "data": source.checksums,
            "seconds": result.seconds + pretraining_seconds,
            "pretraining_seconds": pretraining_seconds,
            "history": list(result.history),
            "best_epoch": result.best_epoch,
        },
        card=source.card,
        vocabulary=table.vocabulary,
        labels=predictor.upos,
        dtype="float16",
        verify_command=VERIFY_COMMAND,
    )
    scores = {
        name: round(measure["score"], 2) for name, measure in metrics.items() if measure["score"] is not None
    }
    return {"preset": str(out), "epochs": result.epochs, "seconds": round(result.seconds), **scores}

"""How a segmenter is trained: the weights are those of the epoch that is best on the dev part; test is read once."""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING, Any, ClassVar

from apps.tagger.application import Segmenter
from apps.tagger.evaluation import evaluate_segmenter, score_segmentation, segmenter_metrics
from apps.tagger.recipes import RECIPES, SegmenterRecipe
from apps.tagger.results import SegmenterEvaluation
from apps.tagger.sources import SEGMENTER_OPTIONS, Treebank, treebank
from data_prep.array_files import half_precision
from data_prep.text.multiword import multiword_tokens
from data_prep.text.segmentation import LABELS, character_ids, raw_text
from data_prep.text.segmentation_batches import documents, epoch_batches
from data_prep.text.vocab import Vocabulary
from models.presets.store import Preset
from models.segmenter.config import SegmenterConfig
from models.storage.variables import variable_arrays
from models.training.recipe import to_dict
from models.training.task import Metrics, Options, PresetContent, Run, Stage, Stages, Task

if TYPE_CHECKING:
    import keras

_GOLDEN_TEXT = "Dr. Smith didn't pay $3.50 (see http://example.org/a-b?c=1).  She couldn't... \U0001f600 OK"
_GOLDEN_CHARACTERS = 300
_LAST_RATE = 0.02  # of the first one


class SegmenterTask(Task):
    """Where sentences and words of raw text end."""

    name = "segmenter"
    kind = Segmenter.kind
    application = Segmenter
    recipes: ClassVar = {
        "default": SegmenterRecipe(),
        "treebank": RECIPES["treebank"].segmenter,
        "sample": RECIPES["treebank"].segmenter,
    }
    options = SEGMENTER_OPTIONS
    sample_help = "sentences that the project makes"

    def source(self, recipe: SegmenterRecipe, options: Options, run: Run) -> Treebank:
        """Read the treebank."""
        return treebank(options, recipe.seed)

    def stages(self, recipe: SegmenterRecipe, source: Treebank, run: Run) -> Stages:
        """Train the network."""
        model = yield segmenter_stage(recipe, source, "", run.start)
        return trained_segmenter(model, recipe, source, run.start)

    def score(self, recipe: SegmenterRecipe, source: Treebank, answers: Segmenter) -> Metrics:
        """Score words and sentences of the raw text of dev and test."""
        return segmenter_metrics(answers, source)

    def content(self, recipe: SegmenterRecipe, source: Treebank, answers: Segmenter) -> PresetContent:
        """Keep the network and its multiword tokens."""
        return segmenter_content(answers, recipe, source)

    def evaluate(self, application: Segmenter, options: Options) -> SegmenterEvaluation:
        """Score on the test part, or on a file."""
        return evaluate_segmenter(application, options["file"])


def segmenter_stage(recipe: SegmenterRecipe, source: Treebank, name: str, start: Preset | None) -> Stage:
    """Return the training of a segmenter.

    Args:
        recipe: What decides the outcome.
        source: Sentences to learn from, and to choose by: mean F1 of words and sentences of their raw text.
        name: Of the stage.
        start: Segmenter that it starts from, whose sizes it has; None for a new one of the recipe's sizes.
    """
    split, config = documents(source.train), _config(recipe, start)

    def batches(epoch: int) -> Iterator[tuple[Any, ...]]:
        arguments = {"window": recipe.window, "batch": recipe.batch, "variations": recipe.variations}
        yield from map(tuple, epoch_batches(split, seed=recipe.seed, epoch=epoch, **arguments))

    def network() -> keras.Model:
        import keras

        from models.segmenter.network import build_segmenter

        model = build_segmenter(config)
        steps = recipe.epochs * sum(1 for _ in batches(0))  # other epochs have a few more or less
        rate = keras.optimizers.schedules.CosineDecay(
            0.0,
            max(1, steps - recipe.warmup),
            alpha=_LAST_RATE,
            warmup_target=recipe.learning_rate,
            warmup_steps=recipe.warmup,
        )
        model.compile(
            keras.optimizers.Adam(rate, clipnorm=1.0, use_ema=True, ema_momentum=recipe.averaging),
            loss=keras.losses.SparseCategoricalCrossentropy(
                from_logits=True, reduction="mean_with_sample_weight"
            ),
            jit_compile=False,
        )
        return model

    def evaluate(model: keras.Model) -> dict[str, float]:
        segmenter = Segmenter(config, variable_arrays(model.weights))
        scores = score_segmentation(segmenter.segment, source.dev)
        found = {"dev_words_f1": scores.words.f1, "dev_sentences_f1": scores.sentences.f1}
        return {**found, "dev_mean_f1": sum(found.values()) / 2}

    return Stage(
        name,
        network,
        batches,
        epochs=recipe.epochs,
        seed=recipe.seed,
        recipe={**to_dict(recipe), "data": dict(source.checksums)},
        evaluate=evaluate,
        monitor="dev_mean_f1",
        mode="max",
        start=None if start is None else lambda preset: start.arrays,
    )


def trained_segmenter(
    model: keras.Model, recipe: SegmenterRecipe, source: Treebank, start: Preset | None
) -> Segmenter:
    """Return the application of a trained network with the multiword tokens of the training part."""
    known = {} if start is None else Segmenter.of(start).multiword
    table = {**known, **(multiword_tokens(source.train) if source.own else {})}
    entries = ["\t".join((form, *words)) for form, words in table.items()]
    vocabulary, arrays = Vocabulary(entries, specials=()) if entries else None, variable_arrays(model.weights)
    stored = half_precision(arrays) if recipe.storage == "float16" else arrays
    segmenter = Segmenter(_config(recipe, start), stored, vocabulary=vocabulary, labels=LABELS)
    segmenter.arrays = arrays  # a preset compares what both forms answer
    return segmenter


def segmenter_content(segmenter: Segmenter, recipe: SegmenterRecipe, source: Treebank) -> PresetContent:
    """Return what a segmenter's preset holds."""
    text = raw_text(source.train[:20])[0][:_GOLDEN_CHARACTERS] if source.own else _GOLDEN_TEXT
    return PresetContent(
        segmenter.config,
        segmenter.arrays,
        golden={"characters": character_ids(text)},
        card=source.segmenter_card,
        vocabulary=segmenter.vocabulary,
        labels=LABELS,
        dtype=recipe.storage,
        kind=Segmenter.kind,
        metadata={"held_out": list(source.held_out)},
    )


def _config(recipe: SegmenterRecipe, start: Preset | None) -> SegmenterConfig:
    return recipe.network if start is None else start.config

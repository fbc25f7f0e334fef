"""How a segmenter is trained: the weights are those of the epoch that is best on the dev part; test is read once."""

from __future__ import annotations

from functools import partial
from typing import TYPE_CHECKING, ClassVar

from apps.tagger.application import Segmenter
from apps.tagger.evaluation import evaluate_segmenter, score_segmentation, segmenter_metrics
from apps.tagger.recipes import RECIPES, SegmenterRecipe
from apps.tagger.results import SegmenterEvaluation
from apps.tagger.sources import SEGMENTER_OPTIONS, Treebank, treebank
from apps.tagger.watch import WATCHED, segmenter_seer
from data_prep.array_files import half_precision
from data_prep.text.segmentation import LABELS, character_ids, multiword_tokens, raw_text
from data_prep.text.segmentation_batches import documents, epoch_batches
from data_prep.text.vocab import Vocabulary
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
    watched = WATCHED

    def source(self, recipe: SegmenterRecipe, options: Options, run: Run) -> Treebank:
        """Read the treebank."""
        return treebank(options, recipe.seed)

    def stages(self, recipe: SegmenterRecipe, source: Treebank, run: Run, name: str = "") -> Stages:
        """Train the network, in a stage of this name."""
        start = run.start
        config = recipe.network if start is None else start.config
        settings = {field: getattr(recipe, field) for field in ("window", "batch", "variations", "seed")}
        batches = partial(epoch_batches, documents(source.train), **settings)

        def evaluate(model: keras.Model) -> dict[str, float]:
            scores = score_segmentation(Segmenter(config, variable_arrays(model.weights)).segment, source.dev)
            found = {"dev_words_f1": scores.words.f1, "dev_sentences_f1": scores.sentences.f1}
            return {**found, "dev_mean_f1": sum(found.values()) / 2}

        model = yield Stage(
            name,
            lambda: _compiled(recipe, config, sum(1 for _ in batches(0))),
            batches,
            epochs=recipe.epochs,
            seed=recipe.seed,
            recipe={**to_dict(recipe), "data": dict(source.checksums)},
            evaluate=evaluate,
            monitor="dev_mean_f1",
            mode="max",
            start=None if start is None else lambda preset: start.arrays,
            see=segmenter_seer(config, source.dev),
            examples=len(source.train),
            unit="sentences",
        )
        table = {} if start is None else Segmenter.of(start).multiword
        table |= multiword_tokens(source.train) if source.own else {}
        entries = ["\t".join((form, *words)) for form, words in table.items()]
        vocabulary = Vocabulary(entries, specials=()) if entries else None
        arrays = variable_arrays(model.weights)
        stored = half_precision(arrays) if recipe.storage == "float16" else arrays
        segmenter = Segmenter(config, stored, vocabulary=vocabulary, labels=LABELS)
        segmenter.arrays = arrays  # a preset compares what both forms answer
        return segmenter

    def score(self, recipe: SegmenterRecipe, source: Treebank, answers: Segmenter) -> Metrics:
        """Score words and sentences of the raw text of dev and test."""
        return segmenter_metrics(answers, source)

    def content(self, recipe: SegmenterRecipe, source: Treebank, answers: Segmenter) -> PresetContent:
        """Keep the network and its multiword tokens."""
        text = raw_text(source.train[:20])[0][:_GOLDEN_CHARACTERS] if source.own else _GOLDEN_TEXT
        return PresetContent(
            answers.config,
            answers.arrays,
            golden={"characters": character_ids(text)},
            card=source.segmenter_card,
            vocabulary=answers.vocabulary,
            labels=LABELS,
            dtype=recipe.storage,
            kind=self.kind,
            metadata={"held_out": list(source.held_out)},
        )

    def evaluate(self, application: Segmenter, options: Options) -> SegmenterEvaluation:
        """Score on the test part, or on a file."""
        return evaluate_segmenter(application, options["file"])


def _compiled(recipe: SegmenterRecipe, config: SegmenterConfig, steps: int) -> keras.Model:
    """Build and compile the network for about so many steps an epoch."""
    import keras

    from models.segmenter.network import build_segmenter
    from models.training.losses import masked_crossentropy

    model = build_segmenter(config)
    rate = keras.optimizers.schedules.CosineDecay(
        0.0,
        max(1, recipe.epochs * steps - recipe.warmup),
        alpha=_LAST_RATE,
        warmup_target=recipe.learning_rate,
        warmup_steps=recipe.warmup,
    )
    model.compile(
        keras.optimizers.Adam(rate, clipnorm=1.0, use_ema=True, ema_momentum=recipe.averaging),
        masked_crossentropy(),
        jit_compile=False,
    )
    return model

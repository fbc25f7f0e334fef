"""Train the segmenter on UD English EWT and write its preset.

    python -m apps tagger fit-segmenter --out models/presets/segmenter_en_ewt     the shipped preset
    python -m apps tagger fit-segmenter --out DIR --set epochs=2 --resume

The weights are those of the best epoch on the dev part. The test part is read once, behind the last epoch.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any, Literal

from data_prep.errors import InputError
from data_prep.text.segmentation_batches import Variations
from models.segmenter.serving import KIND, SegmenterConfig

if TYPE_CHECKING:
    import keras

    from data_prep.readers.conllu import Sentence
    from data_prep.text.conll_score import RawTextScores, Score
    from data_prep.text.tokenizer import Token
    from models.segmenter.serving import Segmenter
    from models.training.fit import FitResult

Segment = Callable[[str], "list[list[Token]]"]

_GOLDEN_TEXT = "Dr. Smith didn't pay $3.50 (see http://example.org/a-b?c=1).  She couldn't... \U0001f600 OK"
_LAST_RATE = 0.02  # of the first one


@dataclass(frozen=True)
class SegmenterRecipe:
    """Everything that decides the segmenter; the defaults made the shipped preset.

    Args:
        network: Sizes of the network.
        variations: How often training text is varied.
        window: Characters that a training example has at most.
        batch: The most characters of a batch, padding included.
        epochs: Passes over the training part.
        learning_rate: Of Adam after its warm-up; it falls along a cosine.
        warmup: Steps of the warm-up.
        averaging: Momentum of the averaged weights that are evaluated and kept.
        storage: How the preset stores its numbers.
        seed: Of all draws.
    """

    network: SegmenterConfig = field(default_factory=SegmenterConfig)
    variations: Variations = field(default_factory=Variations)
    window: int = 600
    batch: int = 8192
    epochs: int = 12
    learning_rate: float = 3e-3
    warmup: int = 50
    averaging: float = 0.99
    storage: Literal["float16", "float32"] = "float16"
    seed: int = 1

    def __post_init__(self) -> None:
        """Refuse values that no other class checks."""
        for name in ("window", "batch", "epochs", "warmup"):
            if getattr(self, name) < 1:
                raise InputError(f"{name} must be at least 1", received=getattr(self, name))
        if not (0 < self.learning_rate < 1 and 0 <= self.averaging < 1):
            raise InputError(
                "learning_rate and averaging lie between 0 and 1",
                received=(self.learning_rate, self.averaging),
            )


def fit_segmenter(out: Path, overrides: Sequence[str] = (), resume: bool = False) -> dict[str, Any]:
    """Train a segmenter and write it as a preset.

    The run lives in ``OUT.run`` beside the preset until the preset is written.

    Args:
        out: Folder of the preset to make.
        overrides: ``key=value`` for fields of :class:`SegmenterRecipe`.
        resume: Go on with an interrupted run.

    Returns:
        What was made: preset, epochs, seconds, F1 of words and sentences on the dev and the test part in percent.

    Raises:
        InputError: An override is wrong, ``out`` exists already or cannot be written, or the treebank cannot
            be had.
    """
    from data_prep.readers.conllu import read_ewt
    from models.training.recipe import with_overrides
    from models.training.run_folder import remove_run, run_folder_of

    recipe = with_overrides(SegmenterRecipe(), overrides)
    run_dir = run_folder_of(out)
    train, dev = read_ewt("train"), read_ewt("dev")
    model, result = train_segmenter(recipe, train, dev, run_dir, resume)
    metrics = {**_metrics(segmenter_of(model, recipe), dev, "dev"), **_test_metrics(model, recipe)}
    _write_preset(out, model, recipe, result, metrics)
    remove_run(run_dir)
    scores = {name: round(measure["score"], 2) for name, measure in metrics.items()}
    return {"preset": str(out), "epochs": result.epochs, "seconds": round(result.seconds), **scores}


def train_segmenter(
    recipe: SegmenterRecipe,
    train: Sequence[Sentence],
    dev: Sequence[Sentence],
    run_dir: Path,
    resume: bool = False,
) -> tuple[keras.Model, FitResult]:
    """Train the network; it holds the weights of the epoch that is best on ``dev``.

    Args:
        recipe: What decides the result.
        train: Sentences to learn from.
        dev: Sentences to choose by: mean F1 of words and sentences of their raw text.
        run_dir: Folder of the run.
        resume: Go on with a run that is there.

    Returns:
        The network and the history.

    Raises:
        InputError: As :func:`models.training.fit.fit`.
    """
    import keras

    from data_prep.batching import as_dataset
    from data_prep.text.segmentation_batches import documents, epoch_batches
    from models.segmenter.serving import build_segmenter
    from models.training.fit import fit

    keras.utils.set_random_seed(recipe.seed)
    model = build_segmenter(recipe.network)
    split = documents(train)

    def batches(epoch: int) -> Iterator[tuple[Any, ...]]:
        arguments = {"window": recipe.window, "batch": recipe.batch, "variations": recipe.variations}
        yield from map(tuple, epoch_batches(split, seed=recipe.seed, epoch=epoch, **arguments))

    steps = recipe.epochs * sum(1 for _ in batches(0))  # other epochs have a few more or less
    model.compile(optimizer=_optimizer(recipe, steps), loss=_loss(), jit_compile=False)

    def evaluate() -> dict[str, float]:
        scores = score_segmentation(segmenter_of(model, recipe).segment, dev)
        words, sentences = scores.words.f1, scores.sentences.f1
        return {
            "dev_words_f1": words,
            "dev_sentences_f1": sentences,
            "dev_mean_f1": (words + sentences) / 2,
        }

    result = fit(
        model,
        lambda epoch: as_dataset(lambda: batches(epoch)),
        epochs=recipe.epochs,
        run_dir=run_dir,
        seed=recipe.seed,
        recipe=recipe,
        resume=resume,
        evaluate=evaluate,
        monitor="dev_mean_f1",
        mode="max",
    )
    return model, result


def score_segmentation(segment: Segment, sentences: Sequence[Sentence]) -> RawTextScores:
    """Score sentences and words that are found in the raw text of a treebank.

    Args:
        segment: Text to words of each sentence.
        sentences: The treebank.

    Returns:
        Scores by the definitions of the CoNLL 2018 evaluation; those of tags are 0.
    """
    from data_prep.text.conll_score import score_raw_text
    from data_prep.text.segmentation import raw_text, untagged_sentences

    text, _ = raw_text(sentences)
    return score_raw_text(sentences, untagged_sentences(text, segment(text)))


def segmenter_of(model: keras.Model, recipe: SegmenterRecipe) -> Segmenter:
    """Make the segmenter of a network with the weights that it has now."""
    from models.segmenter.serving import Segmenter
    from models.storage.variables import variable_arrays

    return Segmenter(recipe.network, variable_arrays(model.weights))


def _optimizer(recipe: SegmenterRecipe, steps: int) -> keras.Optimizer:
    import keras

    rate = keras.optimizers.schedules.CosineDecay(
        0.0,
        max(1, steps - recipe.warmup),
        alpha=_LAST_RATE,
        warmup_target=recipe.learning_rate,
        warmup_steps=recipe.warmup,
    )
    return keras.optimizers.Adam(rate, clipnorm=1.0, use_ema=True, ema_momentum=recipe.averaging)


def _loss() -> keras.losses.Loss:
    import keras

    return keras.losses.SparseCategoricalCrossentropy(from_logits=True, reduction="mean_with_sample_weight")


def _metrics(segmenter: Segmenter, sentences: Sequence[Sentence], part: str) -> dict[str, dict[str, Any]]:
    """Score a segmenter, and rules without any training beside it."""
    from data_prep.text.segmentation_rules import segment_by_rules

    scores = score_segmentation(segmenter.segment, sentences)
    rules = score_segmentation(segment_by_rules, sentences)
    protocol = f"F1, raw text of the {part} part, CoNLL 2018 evaluation; baseline: rules without training"
    return {
        f"{part}_{name}_f1": _measure(getattr(scores, name), getattr(rules, name), protocol)
        for name in ("words", "sentences")
    }


def _measure(score: Score, baseline: Score, protocol: str) -> dict[str, Any]:
    f1 = score.f1
    return {
        "score": f1,
        "unit": "%",
        "n": score.gold,
        "standard_error": (f1 * (100 - f1) / score.gold) ** 0.5,
        "baseline": baseline.f1,
        "protocol": protocol,
        "details": score.to_dict(),
    }


def _test_metrics(model: keras.Model, recipe: SegmenterRecipe) -> dict[str, dict[str, Any]]:
    from data_prep.readers.conllu import read_ewt

    return _metrics(segmenter_of(model, recipe), read_ewt("test"), "test")


def _write_preset(
    out: Path,
    model: keras.Model,
    recipe: SegmenterRecipe,
    result: FitResult,
    metrics: dict[str, dict[str, Any]],
) -> None:
    from data_prep.datasets import locate_files
    from data_prep.text.segmentation import LABELS, character_ids
    from models.presets.card import CardText
    from models.presets.store import VERIFY_COMMAND, save_preset
    from models.storage.atomic import sha256_of
    from models.storage.variables import variable_arrays

    card = CardText(
        title="Sentences and words of English text",
        summary="A small convolutional network over characters that cuts raw English text into sentences "
        "and words as Universal Dependencies does: clitics, punctuation and the parts of hyphenated words are "
        "words.",
        data="Training part of UD English EWT: weblogs, newsgroups, e-mails, reviews and answers. Some "
        "documents are varied in training: one sentence a line, other case, typeset dashes. The dev part chose "
        "the epoch.",
        licence="The treebank and these weights: CC BY-SA 4.0.",
        intended_use="The first step of a tagger or parser for English text of any length.",
        limits="English only; it was trained on the keyboard English of the web before 2012. Where a "
        "sentence ends without any sign, as it often does there, the network guesses.",
    )
    save_preset(
        out,
        kind=KIND,
        config=recipe.network,
        weights=variable_arrays(model.weights),
        golden={"characters": character_ids(_GOLDEN_TEXT)},
        metrics=metrics,
        metadata={
            "recipe": recipe,
            "seed": recipe.seed,
            "data": {
                f"UD English EWT, {part}": f"sha256 {sha256_of(path)}"
                for part, path in locate_files("ud_english_ewt").items()
            },
            "seconds": result.seconds,
        },
        card=card,
        labels=LABELS,
        dtype=recipe.storage,
        verify_command=VERIFY_COMMAND,
    )

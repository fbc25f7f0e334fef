"""The tagger's first layer learns from raw text before it sees a tag: data, run and hand-over."""

from __future__ import annotations

import hashlib
import json
import shutil
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any, NamedTuple

import numpy as np

from apps.tagger.word_table import raw_texts
from data_prep.errors import InputError
from models.storage.arrays import ArraySpec
from models.training.recipe import to_dict

if TYPE_CHECKING:
    import keras

    from data_prep.text.context_batches import ContextBatches
    from data_prep.text.vocab import Vocabulary
    from models.pos_tagger.config import PosTaggerConfig


@dataclass(frozen=True)
class PretrainingSettings:
    """How the first layer learns from raw text.

    Args:
        corpus_words: At most so many words of each raw text are taken.
        parts: Checkpoints on the way; 0 for no pretraining.
        steps: Batches between two checkpoints.
        batch_words: About so many words in a batch.
        targets: Size of the vocabulary that is predicted.
        negatives: Words drawn for the estimate of a batch's softmax.
        dimensions: Length of a predicted word's vector.
        dropout: Share of values left out before and behind the recurrent layers.
        learning_rate: The highest, after ``warmup`` steps; it falls along a cosine to 0.
        warmup: Steps.
        weight_decay: Of AdamW.
    """

    corpus_words: int = 14_000_000
    parts: int = 20
    steps: int = 250
    batch_words: int = 4096
    targets: int = 12_000
    negatives: int = 1000
    dimensions: int = 128
    dropout: float = 0.2
    learning_rate: float = 0.002
    warmup: int = 200
    weight_decay: float = 0.0005

    def __post_init__(self) -> None:
        """Refuse values that train nothing."""
        for name in ("corpus_words", "steps", "batch_words", "targets", "negatives", "dimensions"):
            if getattr(self, name) < 1:
                raise InputError(f"{name} must be at least 1", received=getattr(self, name))
        if min(self.parts, self.warmup, self.weight_decay) < 0:
            raise InputError("parts, warmup and weight_decay are not negative")
        if not 0.0 < self.learning_rate < 1.0:
            raise InputError("learning_rate must lie between 0 and 1", received=self.learning_rate)


class Pretraining(NamedTuple):
    """What decides the weights that come out, besides the frozen vectors of the network.

    ``config`` and ``vocabulary`` are the tagger's, ``raw_text`` names data sets, ``seed`` is that of all draws.
    """

    settings: PretrainingSettings
    config: PosTaggerConfig
    vocabulary: Vocabulary
    raw_text: tuple[str, ...]
    seed: int


def pretrained(model: keras.Model, task: Pretraining, run_dir: Path, *, resume: bool) -> float:
    """Give the tagger's network a first layer that has read raw text.

    Args:
        model: The network, its frozen vectors filled in.
        task: What is to be learned.
        run_dir: Folder of the tagger's run; the outcome is kept there, and not learned again.
        resume: Go on with what is in ``run_dir``.

    Returns:
        Seconds of training.

    Raises:
        InputError: If a raw text cannot be had, or ``run_dir`` holds a training that is not to be resumed.
    """
    from models.pos_tagger.context_lm import LAYERS
    from models.storage.arrays import read_arrays, write_arrays
    from models.storage.atomic import write_file
    from models.storage.variables import assign_arrays, variable_arrays, variable_specs

    weights = [weight for name in LAYERS for weight in model.get_layer(name).weights if weight.trainable]
    kept = run_dir / f"pretrained-{_digest(task, model)}.npz"
    if resume and kept.is_file():
        arrays = read_arrays(kept, {**variable_specs(weights), "seconds": ArraySpec((), "float64")})
        seconds = float(arrays.pop("seconds"))
        assign_arrays(weights, arrays)
        return seconds
    seconds = pretrain(model, task, context_batches(task), run_dir / "pretraining", resume=resume)
    found = {**variable_arrays(weights), "seconds": np.array(seconds)}
    write_file(kept, lambda file: write_arrays(file, found))
    shutil.rmtree(run_dir / "pretraining")
    return seconds


def pretrain(
    model: keras.Model, task: Pretraining, batches: ContextBatches, run_dir: Path, *, resume: bool
) -> float:
    """Train the layers that the tagger takes over, and hand them over.

    Args:
        model: The tagger's network, its frozen vectors filled in.
        task: What is to be learned.
        batches: Sentences of raw text.
        run_dir: Of this training alone.
        resume: Go on with the run in ``run_dir``.

    Returns:
        Seconds of training.
    """
    import keras

    from models.layers.fast_lstm import fastest_products
    from models.pos_tagger.context_lm import build_context_lm, take_over
    from models.training.fit import fit, training_data

    settings = task.settings
    keras.utils.set_random_seed(task.seed)
    reader = build_context_lm(
        task.config,
        targets=len(batches.log_expected),
        dimensions=settings.dimensions,
        dropout=settings.dropout,
        products=fastest_products(),
    )
    take_over(model, reader, ("frozen_vectors",))
    reader.get_layer("neighbours").log_expected.assign(batches.log_expected)
    _compile(reader, settings)

    def part(number: int) -> Iterator[tuple[dict[str, Any]]]:
        return ((inputs,) for inputs in batches.part(number, settings.steps))

    result = fit(
        reader,
        lambda number: training_data(lambda: part(number)),
        epochs=settings.parts,
        run_dir=run_dir,
        seed=task.seed,
        recipe=settings,
        resume=resume,
        keep_best=False,
        steps_per_epoch=settings.steps,
    )
    take_over(reader, model)
    return result.seconds


def context_batches(task: Pretraining) -> ContextBatches:
    """Read the raw texts as batches of sentences.

    Raises:
        InputError: If a raw text cannot be had.
    """
    from data_prep.text.context_batches import ContextBatches
    from data_prep.text.raw_forms import first_words, numbered_forms
    from data_prep.text.tag_inputs import TagInputs

    settings = task.settings
    streams, forms = [], []
    for name in task.raw_text:
        stream, forms = numbered_forms(first_words(raw_texts(name)(), settings.corpus_words), forms)
        streams.append(stream)
    return ContextBatches(
        streams,
        forms,
        TagInputs(task.vocabulary, task.config.word_rows, task.config.alphabet),
        targets=settings.targets,
        negatives=settings.negatives,
        batch_words=settings.batch_words,
        seed=task.seed,
    )


def _digest(task: Pretraining, model: keras.Model) -> str:
    """Name a training by all that decides it."""
    config = task.config
    sizes = (config.trained_rows, config.trained_dimensions, config.character_dimensions)
    sizes += (config.character_units, *config.character_widths, config.units[0])
    said = json.dumps(
        [to_dict(task.settings), task.raw_text, task.seed, sizes, config.alphabet, config.word_dropout]
    )
    vectors = b"".join(np.asarray(weights).tobytes() for weights in model.get_layer("frozen_vectors").weights)
    return hashlib.sha256(said.encode() + vectors).hexdigest()[:12]


def _compile(reader: keras.Model, settings: PretrainingSettings) -> None:
    import keras

    from models.training.schedules import warmup_then_cosine

    rate = warmup_then_cosine(settings.learning_rate, settings.warmup, settings.parts * settings.steps)
    optimizer = keras.optimizers.AdamW(rate, weight_decay=settings.weight_decay, beta_2=0.98, clipnorm=5.0)
    reader.compile(optimizer, jit_compile=False)

"""How a writer is trained: recipe, text, one network after the other, score and preset.

    python -m apps writer fit --out models/presets/writer_shakespeare

The part that is scored is scored once, by the final weights: nothing is chosen on it. To choose a recipe,
``--set split=slice`` trains and scores inside the training part only; the default was chosen so.
"""

from __future__ import annotations

import sys
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np

from apps.writer.application import Writer
from apps.writer.evaluation import evaluate, metrics_of, scored
from apps.writer.recipes import RECIPES, WriterRecipe
from apps.writer.results import WriterEvaluation
from apps.writer.sources import (
    MOST_REMEMBERED,
    WriterSource,
    made_line,
    remembered_source,
    sample_source,
    shakespeare_source,
    text_source,
)
from apps.writer.watch import WATCHED, fixed_sample, seer, watched_texts
from data_prep.array_files import half_precision
from data_prep.errors import InputError
from data_prep.text.speaker_names import SpeakerNames
from data_prep.text.streams import (
    TRAINING_SHARE,
    Parts,
    StreamWindows,
    Tokens,
    learn_tokens,
    split_text,
    tokens_of,
)
from data_prep.text.vocab import UNK
from models.char_lm.config import CharLMConfig, joined, member_arrays
from models.char_lm.generator import Generator
from models.char_lm.serving import KIND, LanguageModel
from models.presets.store import Preset
from models.serving.operations import softened
from models.storage.variables import variable_arrays
from models.training.recipe import fields_of, to_dict
from models.training.task import Metrics, Option, Options, PresetContent, Run, Stage, Stages, Task
from models.training.watching import Seen

if TYPE_CHECKING:
    import keras

_NAMES_STREAM = 1  # of the seed: other draws than those of the windows
_GOLDEN_TOKENS = 48
_SHORTEST_WINDOW = 96  # of made lines


@dataclass(frozen=True)
class WriterData(WriterSource):
    """A text that a recipe can learn from: split, as tokens, with the config of one network.

    ``ids`` int32 (tokens,) are those of the training part.
    """

    parts: Parts
    tokens: Tokens
    config: CharLMConfig
    ids: np.ndarray


class WriterTask(Task):
    """Language models."""

    name = "writer"
    kind = KIND
    recipes = RECIPES
    options = (
        Option(
            "text",
            "Plain or .gz text, a folder of it, or - for standard input; can be repeated; Tiny Shakespeare if not "
            "given.",
            many=True,
            metavar="FILE_OR_FOLDER",
            excludes="data",
        ),
        Option(
            "remember",
            "Learn made lines: each begins with one of two signs, to be told again after so many characters.",
            type=int,
            metavar="STEPS",
            excludes="data",
        ),
        Option("cell", "rnn, lstm, gru or mgu; that of the recipe if not given.", type=str),
        Option("tokens", "char, word or piece; those of the recipe if not given.", type=str),
        Option(
            "text",
            "The text that your own writer learned from, as it was given to fit.",
            many=True,
            metavar="FILE_OR_FOLDER",
            verbs=("evaluate",),
        ),
        Option(
            "split",
            "last_tenth (nanoGPT's), char_rnn or slice; that of the training if not given.",
            type=str,
            verbs=("evaluate",),
        ),
        Option(
            "file",
            "Any text to score instead of the one that it learned from, - for standard input; can be repeated.",
            many=True,
            metavar="FILE",
            verbs=("evaluate",),
        ),
    )
    sample_help = "the news texts that gensim carries"
    watched = WATCHED

    def recipe(self, name: str | None, options: Options, overrides: Sequence[str]) -> WriterRecipe:
        """Choose and change a recipe; cells that leave no weights out get one that does not ask them to.

        The windows of made lines hold two of them or more, if nothing else is said.
        """
        lines = options.get("remember")
        steps = min(max(lines or 1, 1), MOST_REMEMBERED)
        long = (
            [] if lines is None else [f"length={max(2 * len(made_line('+', steps)) + 2, _SHORTEST_WINDOW)}"]
        )
        short = [f"{key}={options[key]}" for key in ("cell", "tokens") if options.get(key) is not None]
        found = super().recipe(name, options, [*long, *short, *overrides])
        if found.cell == "lstm" or any(override.startswith("weight_dropout=") for override in overrides):
            return found
        return replace(found, weight_dropout=0.0)

    def source(self, recipe: WriterRecipe, options: Options, run: Run) -> WriterData:
        """Read Tiny Shakespeare, your own text, or the sample, or make lines."""
        if options["text"]:
            source = text_source(options["text"])
        elif options.get("remember") is not None:
            source = remembered_source(options["remember"])
        else:
            source = sample_source() if options["sample"] else shakespeare_source()
        return prepared(recipe, source, run.start)

    def stages(self, recipe: WriterRecipe, source: WriterData, run: Run) -> Stages:
        """Train the networks one after the other, each from a seed of its own, and put them together."""
        members = []
        for number in range(1, recipe.members + 1):
            model = yield _stage(recipe, source, number, run)
            members.append(variable_arrays(model.weights))
        config, arrays = joined(source.config, members) if len(members) > 1 else (source.config, members[0])
        arrays = half_precision(softened(arrays, recipe.calibration))
        return Writer(config, arrays, vocabulary=source.tokens.vocabulary)

    def score(self, recipe: WriterRecipe, source: WriterData, answers: Writer) -> Metrics:
        """Score the part that was held out."""
        result = scored(answers.language_model, source.parts.validation, recipe.split, source.name)
        return metrics_of(result, source, source.parts, recipe)

    def content(self, recipe: WriterRecipe, source: WriterData, answers: Writer) -> PresetContent:
        """Keep the networks as one, and their vocabulary."""
        return PresetContent(
            answers.config,
            answers.arrays,
            golden={"ids": source.tokens.encode(source.parts.train[0][:2_000])[None, :_GOLDEN_TOKENS]},
            card=source.card,
            vocabulary=source.tokens.vocabulary,
            summary={"split": recipe.split, "n": source.parts.validation_characters},
        )

    def open(self, preset: str | Path | None, options: Options) -> Writer:
        """Open a writer."""
        return Writer.from_preset(preset, text=options["text"])

    def evaluate(self, application: Writer, options: Options) -> WriterEvaluation:
        """Score the part of its text that it did not learn from, or other texts."""
        return evaluate(application, options["split"], options["file"])


def prepared(recipe: WriterRecipe, source: WriterSource, start: Preset | None = None) -> WriterData:
    """Split a text and make its tokens, or read it by those of a preset; what is unknown to it is counted.

    Raises:
        InputError: The text is too short for the recipe, the network cannot be built, or the preset reads other tokens.
    """
    parts = split_text(source.text, recipe.split)
    lower = recipe.lower if start is None else start.config.lower
    if start is None:
        tokens = learn_tokens(parts.train, recipe.tokens, max_size=recipe.vocabulary_size, lower=lower)
    elif recipe.tokens == start.config.tokenizer:
        tokens = tokens_of(recipe.tokens, start.vocabulary, lower=lower)
    else:
        raise InputError(
            f"The preset {start.path.name} reads other tokens",
            allowed=start.config.tokenizer,
            received=recipe.tokens,
            remedy=f"Give --tokens {start.config.tokenizer}, or start without --from",
        )
    config = fields_of(
        recipe,
        CharLMConfig,
        members=1,
        tokens=len(tokens.vocabulary),
        tokenizer=recipe.tokens,
        lower=lower,
        start=tokens.start,
    )
    ids = tokens.encode_all(parts.train)
    if start is not None:
        unknown = int((ids == UNK).sum())
        print(f"{unknown:,} of {len(ids):,} tokens are unknown to {start.path.name}", file=sys.stderr)
    _check_length(recipe, parts, len(ids))
    _check_lines(recipe, source)
    return WriterData(**vars(source), parts=parts, tokens=tokens, config=config, ids=ids)


def _check_length(recipe: WriterRecipe, parts: Parts, tokens: int) -> None:
    """Refuse a text that is too short, and say how long it would have to be."""
    needed = recipe.batch_size * recipe.length + 1
    if tokens >= needed:
        return
    whole = tokens / (parts.train_characters or 1)  # tokens of a character
    share = TRAINING_SHARE**2 if recipe.split == "slice" else TRAINING_SHARE
    raise InputError(
        f"The text is too short: its training part does not hold one window of {recipe.batch_size} rows of "
        f"{recipe.length} tokens",
        allowed=f"{needed:,} tokens or more, about {round(needed / whole / share) + 1:,} characters of text",
        received=f"{tokens:,} tokens",
        remedy="Give more text, or a smaller window with --set batch_size=8 --set length=32",
    )


def _check_lines(recipe: WriterRecipe, source: WriterSource) -> None:
    """Refuse windows in which no line of made ones fits: no gradient would go back to a sign."""
    line = source.text.find("\n") + 1
    if source.asked and recipe.length <= line:
        raise InputError(
            "A window must be longer than a line",
            allowed=f"more than {line} characters",
            received=recipe.length,
            remedy=f"--set length={2 * line}",
        )


def _stage(recipe: WriterRecipe, data: WriterData, member: int, run: Run) -> Stage:
    """Return the training of one network, whose number counts from 1."""
    from models.layers.recurrent import FreshState

    name = "" if recipe.members == 1 else f"member{member}"
    recipe = replace(recipe, members=1, seed=recipe.seed + member - 1)
    plays = [SpeakerNames(text, recipe.renamed) for text in data.parts.train] if recipe.renamed else []

    def renamed(epoch: int) -> np.ndarray:
        """Return the tokens of an epoch, with the speakers' names of that epoch."""
        rng = np.random.default_rng([recipe.seed, epoch, _NAMES_STREAM])
        return data.tokens.encode_all([play.renamed(rng) for play in plays])

    varied = renamed if plays else None
    windows = StreamWindows(data.ids, recipe.batch_size, recipe.length, seed=recipe.seed, varied=varied)

    def stored(model: keras.Model) -> LanguageModel:
        arrays = half_precision(variable_arrays(model.weights))
        return LanguageModel(data.config, data.tokens.vocabulary, arrays)

    def development(model: keras.Model) -> dict[str, float]:
        result = scored(stored(model), data.parts.validation, recipe.split, data.name)
        return {"dev_nats": result.nats_per_character}

    def sample(model: keras.Model) -> str:
        return Generator(stored(model)).opening(length=200, temperature=0.8, seed=recipe.seed)

    def start(preset: Preset) -> Mapping[str, np.ndarray]:
        """Return the network of the member's number in a preset, where it has as many."""
        number = (member - 1) % preset.config.members + 1
        return member_arrays(preset.config, preset.arrays, number)

    # What is done with the trained network does not decide its training.
    decides = {key: value for key, value in to_dict(recipe).items() if key != "calibration"}
    return Stage(
        name,
        partial(compiled_writer, recipe, data.config, recipe.epochs * len(windows)),
        windows.epoch if run.teacher is None else run.teacher.epochs(windows.epoch, _reading(run, data)),
        epochs=recipe.epochs,
        seed=recipe.seed,
        recipe={**decides, "text": dict(data.checksums)},
        # The part that is scored is not looked at while anything can still be chosen.
        evaluate=development if recipe.split == "slice" else None,
        sample=sample,
        keep="last",
        fixed_shapes=True,
        callbacks=lambda: [FreshState()],
        start=start,
        see=None if run.watch is None else _seer(recipe, data, run.watch),
        examples=len(windows) * recipe.batch_size * recipe.length,
        unit="characters" if recipe.tokens == "char" else f"{recipe.tokens}s",
    )


def _reading(run: Run, data: WriterData) -> Callable[[], Callable[[np.ndarray], np.ndarray]]:
    """Return what makes the run's teacher read the windows of an epoch, row by row, with a state that goes on.

    Raises:
        InputError: It has another vocabulary.
    """
    preset = run.teacher.preset
    run.teacher.check("tokens", data.tokens.vocabulary.entries, preset.vocabulary.entries)
    teacher = LanguageModel(preset.config, preset.vocabulary, preset.arrays)

    def begin() -> Callable[[np.ndarray], np.ndarray]:
        state = None

        def answer(ids: np.ndarray) -> np.ndarray:
            nonlocal state
            logits, state = teacher.read_rows(ids, teacher.start(len(ids)) if state is None else state)
            return logits

        return answer

    return begin


def _seer(
    recipe: WriterRecipe, data: WriterData, watch: Mapping[str, str]
) -> Callable[[keras.Model, Mapping[str, str]], Seen]:
    """Make what looks at a network of the recipe."""
    sample = fixed_sample(data.tokens, data.parts, recipe.split, data.asked)
    return seer(data.config, data.tokens, sample, watched_texts(data, watch))


def compiled_writer(recipe: WriterRecipe, config: CharLMConfig, steps: int) -> keras.Model:
    """Build and compile the network that carries its state; ``steps`` are those of the whole run."""
    import keras

    from models.char_lm.network import build_char_lm
    from models.layers.fast_lstm import chosen_products
    from models.training.optimizers import adamw

    products = chosen_products(recipe.products)
    model = build_char_lm(config, batch_size=recipe.batch_size, stateful=True, products=products)
    optimizer = adamw(recipe, steps, beta_2=0.99, undecayed=("bias",), global_clipnorm=recipe.clip)
    loss = keras.losses.SparseCategoricalCrossentropy(from_logits=True)
    model.compile(optimizer, loss=loss, jit_compile=False)  # that is slower for recurrent networks on a CPU
    return model

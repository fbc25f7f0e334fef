"""Train the writer: the path from a text to a preset.

    python -m apps writer fit --out models/presets/writer_shakespeare

The run (checkpoints) lives in ``OUT.run`` beside the preset until the preset is written. What it took and what it
reached stand in the preset's metadata and metrics. The part that is scored is scored once, by the final weights:
nothing is chosen on it. To choose a recipe, ``--set split=slice`` trains and scores inside the training part only.
"""

from __future__ import annotations

import sys
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

from apps.writer.preset import metrics_of, stored_form, validation_score, write_preset
from apps.writer.recipe import SAMPLE_RECIPE, WriterRecipe, chosen_recipe
from apps.writer.sources import WriterSource, file_source, sample_source, shakespeare_source
from data_prep.errors import InputError

if TYPE_CHECKING:
    import keras
    import numpy as np

    from data_prep.text.streams import Parts, StreamWindows, Tokens
    from models.char_lm.config import CharLMConfig
    from models.char_lm.language_model import LanguageModel
    from models.training.fit import FitResult

_SAMPLE_TOKENS = 200
_SAMPLE_TEMPERATURE = 0.8
_NAMES_STREAM = 1  # of the seed: other draws than those of the windows


@dataclass(frozen=True)
class Trained:
    """A trained writer.

    Args:
        arrays: Weights of its network by path.
        language_model: The same for use, with the weights as a preset stores them.
        result: Epochs, seconds, history.
        parts: What it was trained on and what it is to be scored on.
    """

    arrays: dict[str, np.ndarray]
    language_model: LanguageModel
    result: FitResult
    parts: Parts


def fit_writer(
    out: Path,
    overrides: Sequence[str] = (),
    *,
    text: Path | None = None,
    cell: str | None = None,
    tokens: str | None = None,
    resume: bool = False,
    sample: bool = False,
) -> dict[str, Any]:
    """Train a writer and write it as a preset.

    Args:
        out: Folder of the preset to make.
        overrides: ``key=value`` for fields of :class:`WriterRecipe`.
        text: A text file of one's own; None for Tiny Shakespeare.
        cell: Kind of the recurrent layers, instead of that of the recipe.
        tokens: What a token is, instead of that of the recipe.
        resume: Go on with an interrupted run.
        sample: Train on a small text that gensim carries, where there are no data.

    Returns:
        What was made: preset, epochs, seconds, scores.

    Raises:
        InputError: The text cannot be had or is too short, an override is wrong, ``out`` exists already or cannot be
            written, or training diverges.
    """
    from models.training.run_folder import remove_run, run_folder_of

    if text is not None and sample:
        raise InputError("A text and the sample exclude each other", remedy="Give one of them")
    more = [f"{name}={value}" for name, value in (("cell", cell), ("tokens", tokens)) if value is not None]
    recipe = chosen_recipe(SAMPLE_RECIPE if sample else WriterRecipe(), [*more, *overrides])
    run_dir = run_folder_of(out)
    source = _source(text, sample)
    trained = train(recipe, source, run_dir, resume=resume)
    metrics = metrics_of(trained, source, recipe)
    summary = write_preset(out, recipe, trained, metrics, source)
    remove_run(run_dir)
    return summary


def train(
    recipe: WriterRecipe,
    source: WriterSource,
    run_dir: Path,
    *,
    resume: bool = False,
    show_samples: bool = True,
) -> Trained:
    """Train a writer in a run folder, without scoring or keeping it.

    Args:
        recipe: All settings.
        source: The text.
        run_dir: Where checkpoints go.
        resume: Go on with the run that is there.
        show_samples: Print what it writes after every epoch.

    Returns:
        The trained writer.

    Raises:
        InputError: If the text is too short for the recipe, or training diverges.
    """
    from data_prep.text.streams import learn_tokens, split_text
    from models.char_lm.config import softened

    parts = split_text(source.text, recipe.split)
    tokens = learn_tokens(parts.train, recipe.tokens, max_size=recipe.vocabulary_size, lower=recipe.lower)
    work = _train_one if recipe.members == 1 else _train_members
    trained = work(recipe, source, parts, tokens, run_dir, resume=resume, show_samples=show_samples)
    arrays = softened(trained.arrays, recipe.calibration)
    return replace(
        trained,
        arrays=arrays,
        language_model=stored_form(trained.language_model.config, tokens, arrays),
    )


def _train_members(
    recipe: WriterRecipe,
    source: WriterSource,
    parts: Parts,
    tokens: Tokens,
    run_dir: Path,
    **settings: bool,
) -> Trained:
    """Train networks one after the other, each from its own seed, and put them together."""
    from models.char_lm.config import joined

    members = []
    for number in range(recipe.members):
        own = replace(recipe, members=1, seed=recipe.seed + number)
        folder = run_dir / f"member{number + 1}"
        members.append(_train_one(own, source, parts, tokens, folder, **settings))
    config, arrays = joined(members[0].language_model.config, [member.arrays for member in members])
    history = tuple(
        {"member": number, **epoch}
        for number, member in enumerate(members, start=1)
        for epoch in member.result.history
    )
    result = replace(
        members[-1].result,
        epochs=sum(member.result.epochs for member in members),
        seconds=sum(member.result.seconds for member in members),
        history=history,
    )
    return Trained(arrays, stored_form(config, tokens, arrays), result, parts)


def _train_one(
    recipe: WriterRecipe,
    source: WriterSource,
    parts: Parts,
    tokens: Tokens,
    run_dir: Path,
    *,
    resume: bool,
    show_samples: bool,
) -> Trained:
    """Train a single network."""
    from models.char_lm.config import char_lm_specs
    from models.layers.recurrent import FreshState
    from models.storage.variables import variable_arrays
    from models.training.fit import fit

    config = config_of(recipe, tokens)
    windows = _windows(recipe, tokens, parts)
    model = compiled_writer(recipe, config, recipe.epochs * len(windows))

    def weights() -> dict[str, np.ndarray]:
        found = variable_arrays(model.weights)
        return {name: found[name] for name in char_lm_specs(config)}  # not the carried state

    def evaluate() -> dict[str, float]:
        language_model = stored_form(config, tokens, weights())
        if show_samples:
            _show(language_model, recipe.seed)
        if recipe.split != "slice":
            return {}  # the part that is scored is not looked at while anything can still be chosen
        return {"dev_nats": validation_score(language_model, parts)[0]}

    result = fit(
        model,
        lambda epoch: window_data(windows, epoch),
        epochs=recipe.epochs,
        run_dir=run_dir,
        seed=recipe.seed,
        recipe={**_of_the_run(recipe), "text": dict(source.checksums)},
        resume=resume,
        evaluate=evaluate,
        keep_best=False,
        callbacks=[FreshState()],
    )
    arrays = weights()
    return Trained(arrays, stored_form(config, tokens, arrays), result, parts)


def _of_the_run(recipe: WriterRecipe) -> dict[str, Any]:
    """Return what decides a training; what is done with the trained network does not."""
    return {name: value for name, value in vars(recipe).items() if name != "calibration"}


def config_of(recipe: WriterRecipe, tokens: Tokens) -> CharLMConfig:
    """Return the network's config that a recipe asks for."""
    from models.char_lm.config import CharLMConfig

    return CharLMConfig(
        tokens=len(tokens.vocabulary),
        cell=recipe.cell,
        layers=recipe.layers,
        units=recipe.units,
        embedding=recipe.embedding,
        dropout=recipe.dropout,
        input_dropout=recipe.input_dropout,
        token_dropout=recipe.token_dropout,
        weight_dropout=recipe.weight_dropout,
        tokenizer=recipe.tokens,
        lower=recipe.lower,
        start=tokens.start,
    )


def compiled_writer(recipe: WriterRecipe, config: CharLMConfig, steps: int) -> keras.Model:
    """Build and compile the network that carries its state; ``steps`` are those of the whole run."""
    import keras

    from models.char_lm.network import build_char_lm
    from models.layers.fast_lstm import fastest_products
    from models.training.schedules import warmup_then_cosine

    keras.utils.set_random_seed(recipe.seed)
    products = fastest_products() if recipe.products == "auto" else recipe.products
    model = build_char_lm(config, batch_size=recipe.batch_size, stateful=True, products=products)
    optimizer = keras.optimizers.AdamW(
        warmup_then_cosine(recipe.learning_rate, recipe.warmup, steps, recipe.final_rate),
        weight_decay=recipe.weight_decay,
        beta_2=0.99,
        global_clipnorm=recipe.clip,
        use_ema=recipe.averaging > 0,
        ema_momentum=recipe.averaging,
    )
    optimizer.exclude_from_weight_decay(var_names=["bias"])
    model.compile(
        optimizer,
        loss=keras.losses.SparseCategoricalCrossentropy(from_logits=True),
        jit_compile=False,  # slower for recurrent networks on a CPU
    )
    return model


def window_data(windows: StreamWindows, epoch: int) -> Any:
    """Return the windows of an epoch, pairs of inputs and targets, in a form that the backend reads."""
    from models.training.fit import training_data

    return training_data(lambda: map(tuple, windows.epoch(epoch)), fixed_shapes=True)


def _source(text: Path | None, sample: bool) -> WriterSource:
    if sample:
        return sample_source()
    return shakespeare_source() if text is None else file_source(text)


def _windows(recipe: WriterRecipe, tokens: Tokens, parts: Parts) -> StreamWindows:
    """Cut the training part; a text that is too short is told how long it would have to be."""
    from data_prep.text.streams import TRAINING_SHARE, StreamWindows

    ids = tokens.encode_all(parts.train)
    needed = recipe.batch_size * recipe.length + 1
    if len(ids) < needed:
        whole = len(ids) / (parts.train_characters or 1)  # tokens of a character
        share = TRAINING_SHARE**2 if recipe.split == "slice" else TRAINING_SHARE
        raise InputError(
            f"The text is too short: its training part does not hold one window of {recipe.batch_size} rows of "
            f"{recipe.length} tokens",
            allowed=f"{needed:,} tokens or more, about {round(needed / whole / share) + 1:,} characters of text",
            received=f"{len(ids):,} tokens",
            remedy="Give more text, or a smaller window with --set batch_size=8 --set length=32",
        )
    return StreamWindows(
        ids, recipe.batch_size, recipe.length, seed=recipe.seed, varied=_varied(recipe, tokens, parts)
    )


def _varied(recipe: WriterRecipe, tokens: Tokens, parts: Parts) -> Callable[[int], np.ndarray] | None:
    """Return the function from an epoch to its tokens, with the speakers' names of that epoch."""
    import numpy as np

    from data_prep.text.speaker_names import SpeakerNames

    if recipe.renamed == 0.0:
        return None
    plays = [SpeakerNames(text, recipe.renamed) for text in parts.train]

    def ids(epoch: int) -> np.ndarray:
        rng = np.random.default_rng([recipe.seed, epoch, _NAMES_STREAM])
        return tokens.encode_all([play.renamed(rng) for play in plays])

    return ids


def _show(language_model: LanguageModel, seed: int) -> None:
    """Print what the writer writes by now, above the progress bar."""
    from tqdm import tqdm

    from models.char_lm.language_model import written_by_steps

    text = written_by_steps(language_model, _SAMPLE_TOKENS, temperature=_SAMPLE_TEMPERATURE, seed=seed)
    tqdm.write("\n".join(f"    {line}" for line in text.split("\n")), file=sys.stderr)

"""The loss ladder: what each idea is worth, from guessing at random to the shipped model, on the same held-out text.

    python -m benchmarks.loss_ladder                                the table and the samples
    python -m benchmarks.loss_ladder --store                        and results and picture for page and docs
    python -m benchmarks.loss_ladder --runs runs/ladder --store     goes on there after an interruption
    python -m benchmarks.loss_ladder --set split=slice              to choose a recipe: inside the training part

Every rung learns from the first 90 % of Tiny Shakespeare and is scored on the last 10 % (nanoGPT's split), once, by one
scorer: nothing is chosen there. Counting models are smoothed by Kneser and Ney's method. The networks have one
recurrent layer each, as many units as one budget of parameters allows, and one recipe; the shipped model has its own.
Each rung writes a sample at temperature 1 behind the same prompt. For the four networks the lengths of the gradient by
step are kept too, medians over windows of the held-out text.
"""

from __future__ import annotations

import argparse
import time
from dataclasses import asdict, dataclass, replace
from pathlib import Path
from typing import Any

import numpy as np

from apps.shared.reports import Stored, preset_installed
from apps.writer.application import DEFAULT_PRESET, Writer
from apps.writer.evaluation import scored
from apps.writer.recipes import WriterRecipe
from apps.writer.reports import LADDER, NETWORKS, TITLES
from apps.writer.sources import WriterSource, shakespeare_source, text_source
from apps.writer.task import WriterTask, prepared
from benchmarks import harness
from benchmarks.pictures import ladder_picture
from data_prep.fields import Checked, Count
from data_prep.files import write_json
from data_prep.text.streams import Parts, split_text
from models.char_lm.config import parameter_count, units_for
from models.char_lm.gate_gradients import gradient_norms
from models.char_lm.generator import Generator
from models.char_lm.language_model import LanguageModel
from models.char_lm.ngrams import fit_ngrams
from models.training.recipe import with_overrides
from models.training.task import Run

PICTURE = harness.ROOT / "docs" / "images" / "loss-ladder.svg"
COUNTING = {"uniform": 0, "unigram": 1, "bigram": 2, "five_gram": 5}
RECIPE = WriterRecipe(  # chosen for the LSTM on split "slice"
    layers=1,
    members=1,
    dropout=0.1,
    input_dropout=0.0,
    token_dropout=0.0,
    weight_dropout=0.0,
    epochs=10,
    batch_size=32,
    length=64,
    learning_rate=0.004,
    calibration=1.0,
)


@dataclass(frozen=True)
class LadderSettings(Checked):
    """What is not part of the recipe.

    Args:
        budget: How many numbers each of the four networks may learn.
        prompt: What every sample goes on from.
        sample_characters: Length of a sample.
        gradient_steps: Steps that a gradient is followed back.
        gradient_windows: Stretches of held-out text over which its lengths are averaged.
        seed: Of the samples.
    """

    budget: Count = 250_000
    prompt: str = "ROMEO:\n"
    sample_characters: Count = 200
    gradient_steps: Count = 100
    gradient_windows: Count = 20
    seed: int = 1


OPTIONS = {
    "text": harness.Option(None, "another text than Tiny Shakespeare"),
    "runs": harness.RUNS,
    "preset": harness.Option(DEFAULT_PRESET, "the last rung; 'none' leaves it out"),
    "set": harness.SET._replace(help="change the networks' recipe"),
    "budget": harness.Option(LadderSettings().budget, "parameters of a network"),
    "prompt": harness.Option(LadderSettings().prompt, "what every sample goes on from"),
}


def run(
    source: WriterSource,
    runs: Path,
    chosen: LadderSettings,
    recipe: WriterRecipe = RECIPE,
    *,
    preset: str | Path | None = None,
) -> dict[str, Any]:
    """Train and score every rung.

    Args:
        source: The text.
        runs: Folder of the networks' runs; what is finished or begun there is gone on with.
        chosen: Budget, samples and gradients.
        recipe: Of the four networks; cell and units are set here.
        preset: The shipped model, the last rung; None leaves it out.

    Returns:
        Settings, rungs from the bottom to the top, and gradients of the networks, as they are stored.

    Raises:
        InputError: The text is too short, the budget too small, or the preset cannot be opened.
    """
    parts = split_text(source.text, recipe.split)
    rungs = [counting_rung(name, parts, chosen) for name in COUNTING]
    gradients = {}
    for cell in NETWORKS:
        harness.report(f"{TITLES[cell]} ...")
        rung, gradients[cell] = _network_rung(cell, source, parts, runs / cell, chosen, recipe)
        rungs.append(rung)
    if preset is not None:
        harness.report(f"{TITLES['shipped']} ...")
        rungs.append(shipped_rung(preset, parts, chosen))
    kept = {name: value for name, value in asdict(recipe).items() if name not in ("cell", "units")}
    return {
        "settings": harness.settings(
            **asdict(chosen),
            recipe=kept,
            text=source.name,
            data=dict(source.checksums),
            train_characters=parts.train_characters,
            validation_characters=parts.validation_characters,
        ),
        "rungs": rungs,
        "gradients": gradients,
    }


def counting_rung(name: str, parts: Parts, chosen: LadderSettings) -> dict[str, Any]:
    """Fit and score a model that counts; return the rung as it is stored.

    Args:
        name: Key of ``COUNTING``.
        parts: The split text.
        chosen: Length, prompt and seed of the sample.
    """
    begun = time.perf_counter()
    alphabet = "".join(sorted(set().union(*parts.train)))
    model = fit_ngrams("".join(parts.train), COUNTING[name], alphabet=alphabet)
    seconds = time.perf_counter() - begun
    start = "\n" if "\n" in alphabet else ""  # what stands before a text, as for the networks
    nats = np.concatenate([model.score(piece, start) for piece in parts.validation])
    error = float(nats.std(ddof=1) / np.sqrt(len(nats)))
    sample = model.sample(chosen.sample_characters, prompt=chosen.prompt, seed=chosen.seed)
    return _rung(name, float(nats.mean()), error, len(nats), model.parameters, seconds, sample)


def _network_rung(
    cell: str,
    source: WriterSource,
    parts: Parts,
    folder: Path,
    chosen: LadderSettings,
    recipe: WriterRecipe,
) -> tuple[dict[str, Any], dict[str, Any]]:
    """Train and score one of the four networks; return the rung and the lengths of its gradient."""
    from models.training.driver import train

    sized = replace(recipe, cell=cell)
    sized = replace(sized, units=units_for(chosen.budget, prepared(sized, source).config).units)
    trained = train(WriterTask(), sized, prepared(sized, source), Run(folder, resume=True))
    model = trained.answers.writer.language_model
    rung = _scored(cell, model, parts, chosen, trained.seconds)
    ids = model.encode(parts.validation[0], unknown="map")
    return rung | {"units": sized.units}, gradient_lengths(model.config, trained.answers.arrays, ids, chosen)


def shipped_rung(preset: str | Path, parts: Parts, chosen: LadderSettings) -> dict[str, Any]:
    """Score a preset; return the rung as it is stored, without units: its card describes the layers.

    Raises:
        InputError: There is no such preset, or it is damaged.
    """
    writer = Writer.from_preset(preset)
    seconds = float(writer.metadata["seconds"])
    return _scored("shipped", writer.language_model, parts, chosen, seconds) | {"units": None}


def _scored(
    name: str, model: LanguageModel, parts: Parts, chosen: LadderSettings, seconds: float
) -> dict[str, Any]:
    written = Generator(model).generate(
        chosen.prompt, length=chosen.sample_characters, temperature=1.0, seed=chosen.seed
    )
    found = scored(model, parts.validation, "held out", "")
    loss = found.nats_per_character, found.standard_error, found.n
    return _rung(name, *loss, parameter_count(model.config), seconds, written)


def _rung(
    name: str, nats: float, error: float | None, n: int, parameters: int, seconds: float, sample: str
) -> dict[str, Any]:
    return {
        "name": name,
        "nats_per_character": nats,
        "standard_error": error,
        "n": n,
        "parameters": parameters,
        "seconds": seconds,
        "sample": sample,
    }


def gradient_lengths(
    config: Any, arrays: dict[str, np.ndarray], ids: np.ndarray, chosen: LadderSettings
) -> dict[str, list[float]]:
    """Follow the gradient of one prediction back in time, at several places of a text.

    Args:
        config: Of the network, with one recurrent layer.
        arrays: Its weights by path.
        ids: The text, int (tokens,).
        chosen: Steps and windows; a shorter text has shorter windows.

    Returns:
        ``sums`` and ``hidden`` as in ``models.char_lm.gate_gradients.GradientNorms``: medians over the windows,
        step by step, the first one furthest back.
    """
    steps = min(chosen.gradient_steps, len(ids) - 1)
    starts = np.linspace(0, len(ids) - steps - 1, chosen.gradient_windows).astype(int)
    found = [gradient_norms(config, arrays, ids[start : start + steps + 1])[0] for start in starts]
    return {
        name: np.median([getattr(norms, name) for norms in found], axis=0).tolist()
        for name in ("sums", "hidden")
    }


def store(path: Path, results: dict[str, Any]) -> None:
    """Write the results, and the picture of the documentation."""
    write_json(path, results)
    PICTURE.write_text(ladder_picture(LADDER.report(Stored(path.name, results))), encoding="utf-8")


def show(found: Stored) -> None:
    """Print the table and the samples."""
    harness.print_report(LADDER.report(found))
    for _, rung in found.rows("rungs.*"):
        print(f"--- {TITLES[rung['name']]}\n{found['settings.prompt']}{rung['sample']}")


def _chosen_preset(options: argparse.Namespace, split: str) -> str | None:
    """Return the preset of the last rung: none where it has learnt from what is scored, or is not installed."""
    if options.preset == "none" or options.text is not None or split != "last_tenth":
        return None
    if options.preset == DEFAULT_PRESET and not preset_installed(options.preset):
        harness.report(f"The preset {options.preset} is not there: the last rung is left out")
        return None
    return options.preset


def _measured(options: argparse.Namespace) -> dict[str, Any]:
    chosen = LadderSettings(budget=options.budget, prompt=options.prompt)
    recipe = with_overrides(RECIPE, options.set)
    harness.decided_here(recipe, RECIPE, ("cell", "units", "tokens"))
    source = shakespeare_source() if options.text is None else text_source([options.text])
    with harness.folder_of(options.runs) as runs:
        return run(source, runs, chosen, recipe, preset=_chosen_preset(options, recipe.split))


main = harness.command(__name__, __doc__, LADDER, _measured, OPTIONS, show=show, store=store)

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
import sys
import tempfile
import time
from collections.abc import Callable, Sequence
from dataclasses import asdict, dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

from apps.shared.reports import RESULTS_DIR
from apps.writer.ladder_report import NETWORKS, RESULTS_NAME, TITLES
from apps.writer.recipe import WriterRecipe
from benchmarks.command import ROOT, add_output_options, carry_out, write_results
from data_prep.errors import InputError

if TYPE_CHECKING:
    import numpy as np

    from apps.writer.sources import WriterSource
    from data_prep.text.streams import Parts
    from models.char_lm.language_model import LanguageModel

RESULTS = RESULTS_DIR / f"{RESULTS_NAME}.json"
PICTURE = ROOT / "docs" / "images" / "loss-ladder.svg"
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
_LAST_TENTH = "last_tenth"
_SET_HERE = ("cell", "units", "tokens")


@dataclass(frozen=True)
class LadderSettings:
    """What is not part of the recipe.

    Args:
        budget: How many numbers each of the four networks may learn.
        prompt: What every sample goes on from.
        sample_characters: Length of a sample.
        gradient_steps: Steps that a gradient is followed back.
        gradient_windows: Stretches of held-out text over which its lengths are averaged.
        seed: Of the samples.
    """

    budget: int = 250_000
    prompt: str = "ROMEO:\n"
    sample_characters: int = 200
    gradient_steps: int = 100
    gradient_windows: int = 20
    seed: int = 1

    def __post_init__(self) -> None:
        """Refuse values that make no sense."""
        for name in ("budget", "sample_characters", "gradient_steps", "gradient_windows"):
            if getattr(self, name) < 1:
                raise InputError(f"{name} must be at least 1", received=getattr(self, name))


def run(
    source: WriterSource,
    runs: Path,
    settings: LadderSettings,
    recipe: WriterRecipe = RECIPE,
    *,
    preset: str | Path | None = None,
    report: Callable[[str], None] = lambda line: None,
) -> dict[str, Any]:
    """Train and score every rung.

    Args:
        source: The text.
        runs: Folder of the networks' runs; what is finished or begun there is gone on with.
        settings: Budget, samples and gradients.
        recipe: Of the four networks; cell and units are set here.
        preset: The shipped model, the last rung; None leaves it out.
        report: Receives a line before each rung.

    Returns:
        Settings, rungs from the bottom to the top, and gradients of the networks, as they are stored.

    Raises:
        InputError: The text is too short, the budget too small, or the preset cannot be opened.
    """
    from data_prep.text.streams import split_text
    from models.training.run_folder import engine_versions, processor

    parts = split_text(source.text, recipe.split)
    rungs = [counting_rung(name, parts, settings) for name in COUNTING]
    gradients = {}
    for cell in NETWORKS:
        report(f"{TITLES[cell]} ...")
        rung, gradients[cell] = _network_rung(cell, source, parts, runs / cell, settings, recipe)
        rungs.append(rung)
    if preset is not None:
        report(f"{TITLES['shipped']} ...")
        rungs.append(shipped_rung(preset, parts, settings))
    return {
        "settings": {
            **asdict(settings),
            "recipe": {
                name: value for name, value in asdict(recipe).items() if name not in ("cell", "units")
            },
            "text": source.name,
            "data": dict(source.checksums),
            "train_characters": parts.train_characters,
            "validation_characters": parts.validation_characters,
            "processor": processor(),
            "versions": engine_versions(),
        },
        "rungs": rungs,
        "gradients": gradients,
    }


def counting_rung(name: str, parts: Parts, settings: LadderSettings) -> dict[str, Any]:
    """Fit and score a model that counts.

    Args:
        name: Key of ``COUNTING``.
        parts: The split text.
        settings: Length, prompt and seed of the sample.

    Returns:
        The rung as it is stored.
    """
    import numpy as np

    from models.char_lm.ngrams import fit_ngrams

    begun = time.perf_counter()
    alphabet = "".join(sorted(set().union(*parts.train)))
    model = fit_ngrams("".join(parts.train), COUNTING[name], alphabet=alphabet)
    seconds = time.perf_counter() - begun
    start = "\n" if "\n" in alphabet else ""  # what stands before a text, as for the networks
    nats = np.concatenate([model.score(piece, start) for piece in parts.validation])
    return {
        **_figures(name, float(nats.mean()), float(nats.std(ddof=1) / np.sqrt(len(nats))), len(nats)),
        "parameters": model.parameters,
        "seconds": seconds,
        "sample": model.sample(settings.sample_characters, prompt=settings.prompt, seed=settings.seed),
    }


def _network_rung(
    cell: str,
    source: WriterSource,
    parts: Parts,
    folder: Path,
    settings: LadderSettings,
    recipe: WriterRecipe,
) -> tuple[dict[str, Any], dict[str, Any]]:
    """Train and score one of the four networks; return the rung and the lengths of its gradient."""
    from apps.writer.task import config_of, train
    from data_prep.text.streams import learn_tokens
    from models.char_lm.config import parameter_count, units_for

    sized = replace(recipe, cell=cell)
    config = config_of(sized, learn_tokens(parts.train))
    sized = replace(sized, units=units_for(settings.budget, config).units)
    folder.mkdir(parents=True, exist_ok=True)
    trained = train(sized, source, folder, resume=True, show_samples=False)
    model = trained.language_model
    rung = _scored(cell, model, parts, settings)
    rung |= {
        "parameters": parameter_count(model.config),
        "seconds": trained.result.seconds,
        "units": sized.units,
    }
    ids = model.encode(parts.validation[0], unknown="map")
    norms = gradient_lengths(model.config, trained.arrays, ids, settings)
    return rung, norms


def shipped_rung(preset: str | Path, parts: Parts, settings: LadderSettings) -> dict[str, Any]:
    """Score a preset.

    Args:
        preset: Name of a shipped one, or its folder.
        parts: The split text.
        settings: Length, prompt and seed of the sample.

    Returns:
        The rung as it is stored.

    Raises:
        InputError: There is no such preset, or it is damaged.
    """
    from apps.writer.application import Writer
    from models.char_lm.config import parameter_count

    writer = Writer.from_preset(preset)
    model = writer.language_model
    return {
        **_scored("shipped", model, parts, settings),
        "parameters": parameter_count(model.config),
        "seconds": float(writer.metadata["seconds"]),
        "units": None,  # it has several layers; its card describes them
    }


def _scored(name: str, model: LanguageModel, parts: Parts, settings: LadderSettings) -> dict[str, Any]:
    from apps.writer.preset import validation_score
    from models.char_lm.generator import Generator

    nats, error, count = validation_score(model, parts)
    written = Generator(model).generate(
        settings.prompt, length=settings.sample_characters, temperature=1.0, seed=settings.seed
    )
    return {**_figures(name, nats, error, count), "sample": written}


def _figures(name: str, nats: float, error: float | None, count: int) -> dict[str, Any]:
    return {"name": name, "nats_per_character": nats, "standard_error": error, "n": count}


def gradient_lengths(
    config: Any, arrays: dict[str, np.ndarray], ids: np.ndarray, settings: LadderSettings
) -> dict[str, list[float]]:
    """Follow the gradient of one prediction back in time, at several places of a text.

    Args:
        config: Of the network, with one recurrent layer.
        arrays: Its weights by path.
        ids: The text, int (tokens,).
        settings: Steps and windows; a shorter text has shorter windows.

    Returns:
        ``sums`` and ``hidden`` as in ``models.char_lm.gate_gradients.GradientNorms``: medians over the windows,
        step by step, the first one furthest back.
    """
    import numpy as np

    from models.char_lm.gate_gradients import gradient_norms

    steps = min(settings.gradient_steps, len(ids) - 1)
    starts = np.linspace(0, len(ids) - steps - 1, settings.gradient_windows).astype(int)
    found = [gradient_norms(config, arrays, ids[start : start + steps + 1])[0] for start in starts]
    return {
        name: np.median([getattr(norms, name) for norms in found], axis=0).tolist()
        for name in ("sums", "hidden")
    }


def store(results: dict[str, Any]) -> None:
    """Write the results, and the picture of the documentation."""
    from apps.writer.ladder_report import ladder_from
    from benchmarks.ladder_tables import ladder_picture

    write_results(RESULTS, results)
    PICTURE.parent.mkdir(parents=True, exist_ok=True)
    PICTURE.write_text(ladder_picture(ladder_from(results)), encoding="utf-8")


def _arguments(arguments: Sequence[str] | None) -> argparse.Namespace:
    parser = argparse.ArgumentParser(
        prog="python -m benchmarks.loss_ladder", description=__doc__.split("\n")[0]
    )
    parser.add_argument("--text", type=Path, help="another text than Tiny Shakespeare")
    parser.add_argument("--runs", type=Path, help="folder of the networks' runs; kept, and gone on with")
    parser.add_argument("--preset", default="writer_shakespeare", help="the last rung; 'none' leaves it out")
    parser.add_argument(
        "--set", action="append", default=[], metavar="KEY=VALUE", help="change the networks' recipe"
    )
    parser.add_argument("--budget", type=int, default=LadderSettings().budget, help="parameters of a network")
    parser.add_argument("--prompt", default=LadderSettings().prompt, help="what every sample goes on from")
    add_output_options(parser, RESULTS)
    return parser.parse_args(arguments)


def _chosen_preset(options: argparse.Namespace, split: str) -> str | None:
    """Return the preset of the last rung: none where it has learnt from what is scored, or is not installed."""
    from apps.shared.reports import preset_installed

    if options.preset == "none" or options.text is not None or split != _LAST_TENTH:
        return None
    if options.preset == "writer_shakespeare" and not preset_installed(options.preset):
        _report(f"The preset {options.preset} is not there: the last rung is left out")
        return None
    return options.preset


def main(arguments: Sequence[str] | None = None) -> int:
    """Run the benchmark on the arguments of the command line and return the exit code."""
    options = _arguments(arguments)
    return carry_out(options, lambda: _measured(options), store, _print)


def _measured(options: argparse.Namespace) -> dict[str, Any]:
    """Run it as the command line asks for."""
    from apps.writer.sources import file_source, shakespeare_source
    from models.training.recipe import with_overrides

    settings = LadderSettings(budget=options.budget, prompt=options.prompt)
    recipe = with_overrides(RECIPE, options.set)
    changed = [name for name in _SET_HERE if getattr(recipe, name) != getattr(RECIPE, name)]
    if changed:
        raise InputError(f"The ladder itself decides {', '.join(changed)}", remedy="Leave it out")
    source = shakespeare_source() if options.text is None else file_source(options.text)
    with tempfile.TemporaryDirectory() as temporary:
        runs = Path(temporary) if options.runs is None else options.runs
        return run(
            source, runs, settings, recipe, preset=_chosen_preset(options, recipe.split), report=_report
        )


def _print(results: dict[str, Any]) -> None:
    from apps.writer.ladder_report import ladder_from
    from benchmarks.ladder_tables import ladder_text

    print(ladder_text(ladder_from(results)))


def _report(line: str) -> None:
    print(line, file=sys.stderr, flush=True)


if __name__ == "__main__":
    sys.exit(main())

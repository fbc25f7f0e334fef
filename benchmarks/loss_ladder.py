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
from dataclasses import asdict, replace
from html import escape
from pathlib import Path
from typing import Any

import numpy as np

from apps.shared.reports import Stored, preset_installed
from apps.shared.tables import Report
from apps.writer.application import DEFAULT_PRESET, Writer
from apps.writer.recipes import WriterRecipe
from apps.writer.reports import LADDER, NETWORKS, TITLES, samples
from apps.writer.sources import WriterSource, shakespeare_source, text_source
from apps.writer.task import WriterTask, prepared
from benchmarks import harness
from data_prep.errors import InputError
from data_prep.files import write_json
from data_prep.text.streams import Parts, split_text
from models.char_lm.config import parameter_count, units_for
from models.char_lm.gates import gradient_norms
from models.char_lm.ngrams import fit_ngrams
from models.training.recipe import with_overrides
from models.training.task import Run

PICTURE = harness.ROOT / "docs" / "images" / "loss-ladder.svg"
_WIDTH, _NAMES, _BAR, _STEP, _TOP = 720, 250, 22, 32, 44
_COUNTING, _NETWORK, _SHIPPED = "#8a8f98", "#4c78a8", "#d1603d"  # readable on white and on black
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


SETTINGS = {
    "budget": harness.Option(250_000, "parameters of a network"),
    "prompt": harness.Option("ROMEO:\n", "what every sample goes on from"),
    "sample_characters": harness.Option(200, "length of a sample"),
    "gradient_steps": harness.Option(100, "steps that a gradient is followed back"),
    "gradient_windows": harness.Option(20, "stretches of held-out text over which its lengths are averaged"),
    "seed": harness.Option(1, "of the samples"),
}
OPTIONS = {
    "text": harness.Option(None, "another text than Tiny Shakespeare"),
    "runs": harness.RUNS,
    "preset": harness.Option(DEFAULT_PRESET, "the last rung; 'none' leaves it out"),
    "set": harness.SET._replace(help="change the networks' recipe"),
    **SETTINGS,
}


def run(
    source: WriterSource,
    runs: Path,
    chosen: argparse.Namespace,
    recipe: WriterRecipe = RECIPE,
    *,
    preset: str | Path | None = None,
) -> dict[str, Any]:
    """Train and score every rung; what is finished or begun in the folder of runs is gone on with.

    ``chosen`` has the options of ``SETTINGS``. Cell and units of the recipe are set here; without a preset there is no
    last rung. Returns settings, rungs from the bottom to the top, and gradients of the networks, as they are stored.

    Raises:
        InputError: The text is too short, the budget too small, or the preset cannot be opened.
    """
    parts = split_text(source.text, recipe.split)
    rungs = [counting_rung(name, parts, chosen) for name in COUNTING]
    gradients = {}
    for cell in NETWORKS:
        harness.report(f"{TITLES[cell]} ...")
        rung, gradients[cell] = _network_rung(cell, source, runs / cell, chosen, recipe)
        rungs.append(rung)
    if preset is not None:
        harness.report(f"{TITLES['shipped']} ...")
        rungs.append(shipped_rung(preset, parts, chosen))
    kept = {name: value for name, value in asdict(recipe).items() if name not in ("cell", "units")}
    return {
        "settings": harness.settings(
            **{name: getattr(chosen, name) for name in SETTINGS},
            recipe=kept,
            text=source.name,
            data=dict(source.checksums),
            train_characters=parts.train_characters,
            validation_characters=parts.validation_characters,
        ),
        "rungs": rungs,
        "gradients": gradients,
    }


def counting_rung(name: str, parts: Parts, chosen: argparse.Namespace) -> dict[str, Any]:
    """Fit and score a model that counts, by its key of ``COUNTING``; return the rung as it is stored."""
    begun = time.perf_counter()
    alphabet = "".join(sorted(set().union(*parts.train)))
    model = fit_ngrams("".join(parts.train), COUNTING[name], alphabet=alphabet)
    seconds = time.perf_counter() - begun
    start = "\n" if "\n" in alphabet else ""  # what stands before a text, as for the networks
    nats = [model.score(piece, start) for piece in parts.validation]
    sample = model.sample(chosen.sample_characters, prompt=chosen.prompt, seed=chosen.seed)
    return _rung(name, nats, parameters=model.parameters, seconds=seconds, sample=sample)


def _network_rung(
    cell: str, source: WriterSource, folder: Path, chosen: argparse.Namespace, recipe: WriterRecipe
) -> tuple[dict[str, Any], dict[str, Any]]:
    """Train and score one of the four networks; return the rung and the lengths of its gradient."""
    from models.training.driver import train

    sized = replace(recipe, cell=cell)
    sized = replace(sized, units=units_for(chosen.budget, prepared(sized, source).config).units)
    data = prepared(sized, source)
    trained = train(WriterTask(), sized, data, Run(folder, resume=True))
    writer = trained.answers
    rung = _writer_rung(cell, writer, data.parts, chosen, trained.seconds)
    return rung | {"units": sized.units}, _gradients(writer, data.parts.validation[0], chosen)


def shipped_rung(preset: str | Path, parts: Parts, chosen: argparse.Namespace) -> dict[str, Any]:
    """Score a preset; return the rung as it is stored, without units: its card describes the layers."""
    writer = Writer.from_preset(preset)
    return _writer_rung("shipped", writer, parts, chosen, float(writer.metadata["seconds"])) | {"units": None}


def _writer_rung(
    name: str, writer: Writer, parts: Parts, chosen: argparse.Namespace, seconds: float
) -> dict[str, Any]:
    nats = [writer.language_model.score(text, unknown="map").nats for text in parts.validation]
    sample = "".join(
        writer.stream(chosen.prompt, length=chosen.sample_characters, temperature=1.0, seed=chosen.seed)
    )
    parameters = parameter_count(writer.config)
    return _rung(name, nats, parameters=parameters, seconds=seconds, sample=sample)


def _rung(name: str, pieces: list[np.ndarray], **more: Any) -> dict[str, Any]:
    nats = np.concatenate(pieces)  # of every character that is scored
    return {
        "name": name,
        "nats_per_character": float(nats.mean()),
        "standard_error": float(nats.std(ddof=1) / np.sqrt(len(nats))),
        "n": len(nats),
        **more,
    }


def _gradients(writer: Writer, text: str, chosen: argparse.Namespace) -> dict[str, list[float]]:
    """Follow the gradient of one prediction back in time, in windows of a text.

    Returns medians over the windows of ``models.serving.cell_gradients.GradientNorms``, the step furthest back first.
    """
    ids = writer.language_model.encode(text, unknown="map")
    steps = min(chosen.gradient_steps, len(ids) - 1)
    starts = np.linspace(0, len(ids) - steps - 1, chosen.gradient_windows).astype(int)
    found = [gradient_norms(writer.config, writer.arrays, ids[at : at + steps + 1])[0] for at in starts]
    names = ("sums", "hidden")
    return {name: np.median([getattr(one, name) for one in found], axis=0).tolist() for name in names}


def picture(report: Report) -> str:
    """Draw the loss ladder, ``apps.writer.reports.LADDER``, as an SVG picture: one bar a rung."""
    losses = [line.row["nats_per_character"] for line in report.lines]
    shapes = []
    for at, (line, nats) in enumerate(zip(report.lines, losses, strict=True)):
        name = line.row["name"]
        top, width = _TOP + at * _STEP, (_WIDTH - _NAMES - 60) * nats / max(losses)
        middle = top + _BAR / 2 + 5
        counting = name != "shipped" and line.row.get("units") is None
        colour = _SHIPPED if name == "shipped" else _COUNTING if counting else _NETWORK
        shapes += [
            f'<text x="{_NAMES - 8}" y="{middle:g}" text-anchor="end">{escape(TITLES[name])}</text>',
            f'<rect x="{_NAMES}" y="{top}" width="{width:.1f}" height="{_BAR}" rx="3" fill="{colour}"/>',
            f'<text x="{_NAMES + width + 8:.1f}" y="{middle:g}">{nats:.2f}</text>',
        ]
    title = f"Loss on held-out text ({report.found['settings.text']}), nats a character: shorter is better"
    height = _TOP + len(losses) * _STEP + 8
    return (
        f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {_WIDTH} {height}" role="img" '
        f'aria-label="{escape(title)}"><style>text{{font:14px system-ui,sans-serif;fill:#7d828a}}</style>'
        f'<text x="12" y="24">{escape(title)}</text>{"".join(shapes)}</svg>\n'
    )


def store(path: Path, results: dict[str, Any]) -> None:
    """Write the results, and the picture of the documentation."""
    write_json(path, results)
    PICTURE.write_text(picture(LADDER.report(Stored(path.name, results))), encoding="utf-8")


def show(found: Stored) -> None:
    """Print the table and the samples."""
    report = LADDER.report(found)
    harness.print_report(report)
    print(samples(report))


def _measured(options: argparse.Namespace) -> dict[str, Any]:
    recipe = with_overrides(RECIPE, options.set)
    harness.decided_here(recipe, RECIPE, ("cell", "units", "tokens"))
    source = shakespeare_source() if options.text is None else text_source([options.text])
    preset = options.preset
    if options.text is not None and preset not in ("none", DEFAULT_PRESET):
        raise InputError("A preset is not scored on another text", remedy="Leave --preset or --text out")
    if preset == "none" or options.text is not None or recipe.split != "last_tenth":
        preset = None  # it has learnt from what is scored
    elif preset == DEFAULT_PRESET and not preset_installed(preset):
        harness.report(f"The preset {preset} is not there: the last rung is left out")
        preset = None
    return run(source, options.runs, options, recipe, preset=preset)


main = harness.command(__name__, __doc__, LADDER, _measured, OPTIONS, show=show, store=store)

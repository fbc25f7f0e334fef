"""``python -m apps digits``: handwritten digits on the command line."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from apps.digits.inspect_command import inspect
from apps.shared.commands import (
    JsonOption,
    OutFolder,
    ResumeOption,
    SetOption,
    group,
    number,
    print_json,
    print_summary,
    print_table,
    verb,
)

if TYPE_CHECKING:
    from apps.digits.application import Digits
    from apps.digits.results import DigitsEvaluation

app = group("Handwritten digits: train, evaluate, classify images, look inside the network.")

PresetOption = Annotated[
    str | None,
    typer.Option(metavar="NAME_OR_FOLDER", help="Network to use; digits_mnist if none is named."),
]
_LISTED_MISTAKES = 10


@app.command()
@verb
def fit(
    out: OutFolder,
    architecture: Annotated[
        str | None, typer.Option(help="resnet, plain, lecture or lenet5; resnet if not given.")
    ] = None,
    folder: Annotated[
        Path | None,
        typer.Option(metavar="FOLDER", help="One's own images, one sub-folder a class; MNIST if not given."),
    ] = None,
    overrides: SetOption = None,
    resume: ResumeOption = False,
    sample: Annotated[
        bool, typer.Option("--sample", help="Train on the small digits that scikit-learn carries.")
    ] = False,
    as_json: JsonOption = False,
) -> None:
    """Train a network on MNIST or on one's own images and write it as a preset."""
    from apps.digits.task import fit_digits

    summary = fit_digits(
        out, list(overrides or ()), folder=folder, architecture=architecture, resume=resume, sample=sample
    )
    print_summary(summary, as_json)


@app.command()
@verb
def evaluate(
    preset: PresetOption = None,
    folder: Annotated[
        Path | None,
        typer.Option(metavar="FOLDER", help="Score one's own images instead, one sub-folder a class."),
    ] = None,
    as_json: JsonOption = False,
) -> None:
    """Score the official test set, or one's own images."""
    result = _opened(preset).evaluate(folder)
    if as_json:
        print_json(result.to_dict())
        return
    rows = [
        ("accuracy, %", number(result.accuracy, 2)),
        ("standard error", number(result.standard_error, 2)),
        ("images", f"{result.n:,}"),
        ("wrong", f"{result.errors:,}"),
        ("scored", result.split),
    ]
    print_table(("measure", "value>"), rows)
    _print_mistakes(result)


@app.command()
@verb
def classify(
    images: Annotated[list[Path], typer.Argument(metavar="IMAGE...", help="PNG or JPEG files.")],
    preset: PresetOption = None,
    as_json: JsonOption = False,
) -> None:
    """Say what images show; with --json one object an image."""
    digits = _opened(preset)
    rows = []
    for path in images:
        result = digits.classify(path)
        if as_json:
            print_json({"file": str(path), **result.to_dict()})
            continue
        others = sorted(zip(result.probabilities, result.labels, strict=True), reverse=True)[1:3]
        shown = ", ".join(f"{label} {share:.1%}" for share, label in others)
        rows.append((str(path), result.label, f"{result.confidence:.1%}", shown))
    if not as_json:
        print_table(("file", "digit", "probability>", "or"), rows)


app.command()(inspect)


def _opened(preset: str | None) -> Digits:
    from apps.digits.application import DEFAULT_PRESET, Digits

    return Digits.from_preset(preset or DEFAULT_PRESET)


def _print_mistakes(result: DigitsEvaluation) -> None:
    for mistake in result.mistakes[:_LISTED_MISTAKES]:
        print(
            f"image {mistake.index} shows {mistake.label}: {mistake.answer} with {mistake.confidence:.1%}",
            file=sys.stderr,
        )

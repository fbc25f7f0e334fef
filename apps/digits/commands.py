"""``python -m apps digits``: handwritten digits on the command line."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from apps.digits.application import Digits
from apps.digits.explain import DigitInspector
from apps.digits.results import DIGIT_LABELS
from apps.digits.strips import DigitLook, NearDigit, Strip, write_strips
from apps.digits.task import DigitsTask
from apps.shared.commands import (
    JsonOption,
    PresetOption,
    add_evaluate,
    add_fit,
    group,
    print_json,
    print_table,
    verb,
)
from data_prep.errors import InputError
from data_prep.images.preparation import prepare_digit

app = group()
add_fit(app, DigitsTask(), "Train a network on MNIST or on your own images and write it as a preset.")
add_evaluate(app, DigitsTask(), "Score the official test set, or your own images.")
_LAYER_COLUMNS = (
    *("layer", "kind", "output", "parameters>", "least>", "largest>", "least gradient>", "largest gradient>"),
    "dead",
)


@app.command()
@verb
def classify(
    images: Annotated[list[Path], typer.Argument(metavar="IMAGE...", help="PNG or JPEG files.")],
    preset: PresetOption = None,
    as_json: JsonOption = False,
) -> None:
    """Say what images show; with --json one object an image."""
    digits = Digits.from_preset(preset)
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


@app.command()
@verb
def inspect(
    image: Annotated[Path, typer.Argument(metavar="IMAGE", help="PNG or JPEG of one digit.")],
    label: Annotated[
        str | None, typer.Option(help="Digit whose loss is sent back; the network's own answer if not given.")
    ] = None,
    epoch: Annotated[
        int | None, typer.Option(help="Saved epoch of the training; the finished network if not given.")
    ] = None,
    pictures: Annotated[
        Path | None,
        typer.Option(metavar="FOLDER", help="Also write each strip as a PNG, into a new or empty folder."),
    ] = None,
    preset: PresetOption = None,
    as_json: JsonOption = False,
) -> None:
    """Look inside: activations, weights and their gradients layer by layer, dead filters, nearest training digits."""
    if pictures is not None and pictures.exists() and (not pictures.is_dir() or any(pictures.iterdir())):
        raise InputError(f"{pictures} is not an empty folder", remedy="Name a new one")
    prepared = prepare_digit(image)
    inspector = DigitInspector.from_preset(preset)
    if epoch is not None:
        inspector = inspector.at_epoch(epoch)
    look = inspector.look(prepared.image, label)
    near = inspector.neighbours(prepared.image) if inspector.digits.labels == DIGIT_LABELS else ()
    if pictures is not None:
        write_strips(look, pictures)
    if as_json:
        print_json({"file": str(image), **look.to_dict(), "nearest": [one.to_dict() for one in near]})
    else:
        _print(look, near)


def _print(look: DigitLook, near: tuple[NearDigit, ...]) -> None:
    rows = [
        (
            layer.name,
            layer.kind,
            "x".join(map(str, layer.shape)),
            f"{layer.parameters:,}",
            *_ends(layer.activations),
            *_ends(layer.gradients),
            ", ".join(map(str, layer.dead)) or "-",
        )
        for layer in look.layers
    ]
    print_table(_LAYER_COLUMNS, rows, title="Activations and their gradients")
    facts = [
        ("answer", look.answer),
        ("probability", f"{look.probability:.4f}"),
        (f"loss of {look.label}, nats", f"{look.loss:.4g}"),
        *((f"nearest, training image {one.number}", f"{one.label} at {one.distance:.4g}") for one in near),
    ]
    print_table(("measure", "value>"), facts)


def _ends(strip: Strip | None) -> tuple[str, str]:
    return ("-", "-") if strip is None else (f"{strip.low:.4g}", f"{strip.high:.4g}")

"""``python -m apps digits``: handwritten digits on the command line."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from apps.digits.application import Digits
from apps.digits.inspect_command import inspect
from apps.digits.task import DigitsTask
from apps.shared.commands import JsonOption, PresetOption, group, print_json, print_table, verb
from apps.shared.training import add_evaluate, add_fit

app = group("Handwritten digits: train, evaluate, classify images, look inside the network.")
add_fit(app, DigitsTask(), "Train a network on MNIST or on your own images and write it as a preset.")
add_evaluate(app, DigitsTask(), "Score the official test set, or your own images.")
app.command()(inspect)


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

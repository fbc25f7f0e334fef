"""``python -m apps ocr``: handwritten words on the command line."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from apps.ocr.application import LETTERS_PRESET, WORDS_PRESET, Reader
from apps.ocr.task import OcrTask
from apps.shared.commands import JsonOption, add_evaluate, add_fit, group, print_json, print_table, verb

app = group()
add_fit(app, OcrTask(), "Train a network on handwritten words or letters and write it as a preset.")
add_evaluate(app, OcrTask(), "Score the words that the presets did not learn from, or your own.")


@app.command()
@verb
def read(
    images: Annotated[
        list[Path], typer.Argument(metavar="IMAGE...", help="PNG or JPEG files, one word each.")
    ],
    letters: Annotated[
        bool, typer.Option("--letters", help="The images are the letters of one word, from left to right.")
    ] = False,
    preset: Annotated[
        str | None,
        typer.Option(
            metavar="NAME_OR_FOLDER",
            help="Preset to use; ocr_words, or with --letters ocr_letters, if none is named.",
        ),
    ] = None,
    as_json: JsonOption = False,
) -> None:
    """Say what images of words show; with --json one object a word."""
    if letters:
        reader = Reader.from_preset(preset or LETTERS_PRESET)
        results = [(" ".join(map(str, images)), reader.read_letters(images))]
    else:
        reader = Reader.from_preset(None, preset or WORDS_PRESET)
        results = list(zip(map(str, images), reader.read_words(images), strict=True))
    if as_json:
        for name, result in results:
            print_json({"file": name, **result.to_dict()})
        return
    rows = [
        (
            name,
            result.text,
            " ".join(f"{share:.0%}" for share in result.probabilities),
            ", ".join(f"{other.text} {other.probability:.0%}" for other in result.alternatives),
        )
        for name, result in results
    ]
    print_table(("image", "word", "a letter", "or"), rows)

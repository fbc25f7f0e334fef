"""``python -m apps ocr``: handwritten words on the command line."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

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

app = group("Handwritten words: train, evaluate, read images, letter by letter or in one piece.")

LettersPreset = Annotated[
    str | None,
    typer.Option("--letters-preset", metavar="NAME_OR_FOLDER", help="ocr_letters if none is named."),
]
WordsPreset = Annotated[
    str | None,
    typer.Option("--words-preset", metavar="NAME_OR_FOLDER", help="ocr_words if none is named."),
]


@app.command()
@verb
def fit(
    out: OutFolder,
    reads: Annotated[
        str, typer.Option(help="letters (cut apart, in the context of their word) or words (in one piece).")
    ] = "letters",
    overrides: SetOption = None,
    resume: ResumeOption = False,
    sample: Annotated[
        bool, typer.Option("--sample", help="Train on words that the project draws by rules.")
    ] = False,
    as_json: JsonOption = False,
) -> None:
    """Train a network on the handwritten words and write it as a preset."""
    from apps.ocr.task import fit_ocr

    summary = fit_ocr(out, list(overrides or ()), reads=reads, resume=resume, sample=sample)
    print_summary(summary, as_json)


@app.command()
@verb
def evaluate(
    letters_preset: LettersPreset = None, words_preset: WordsPreset = None, as_json: JsonOption = False
) -> None:
    """Score both networks on fold 0, which they did not learn from."""
    from apps.ocr.application import LETTERS_PRESET, WORDS_PRESET
    from apps.ocr.evaluation import evaluate as evaluated

    result = evaluated(letters_preset or LETTERS_PRESET, words_preset or WORDS_PRESET)
    if as_json:
        print_json(result.to_dict())
        return
    rows = [
        (
            name,
            number(rate.character_error, 2),
            number(rate.standard_error, 2),
            number(rate.word_error, 2),
            f"{rate.n:,}",
        )
        for name, rate in result.rates.items()
    ]
    print_table(("answered by", "character error, %>", "standard error>", "word error, %>", "letters>"), rows)


@app.command()
@verb
def read(
    images: Annotated[
        list[Path], typer.Argument(metavar="IMAGE...", help="PNG or JPEG files, one word each.")
    ],
    letters: Annotated[
        bool, typer.Option("--letters", help="The images are the letters of one word, from left to right.")
    ] = False,
    letters_preset: LettersPreset = None,
    words_preset: WordsPreset = None,
    as_json: JsonOption = False,
) -> None:
    """Say what images of words show; with --json one object a word."""
    from apps.ocr.application import LETTERS_PRESET, WORDS_PRESET, Reader

    if letters:
        reader = Reader.from_preset(letters_preset or LETTERS_PRESET, None)
        results = {" ".join(map(str, images)): reader.read_letters(images)}
    else:
        reader = Reader.from_preset(None, words_preset or WORDS_PRESET)
        results = {str(path): reader.read_word(path) for path in images}
    if as_json:
        for name, result in results.items():
            print_json({"file": name, **result.to_dict()})
        return
    rows = [
        (
            name,
            result.text,
            " ".join(f"{share:.0%}" for share in result.probabilities),
            ", ".join(f"{other.text} {other.probability:.0%}" for other in result.alternatives),
        )
        for name, result in results.items()
    ]
    print_table(("image", "word", "a letter", "or"), rows)

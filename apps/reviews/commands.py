"""``python -m apps reviews``: classifiers of documents on the command line."""

from __future__ import annotations

import sys
from collections.abc import Iterable, Iterator
from contextlib import nullcontext
from itertools import chain, count
from pathlib import Path
from typing import Annotated, Any

import typer

from apps.reviews.application import Reviews
from apps.reviews.task import ReviewsTask
from apps.shared.commands import (
    EXIT_INPUT_ERROR,
    FilesOption,
    JsonOption,
    PresetOption,
    TextsArgument,
    add_evaluate,
    add_fit,
    group,
    print_error,
    print_json,
    print_result,
    print_table,
    texts_or_files,
    verb,
)
from data_prep.errors import InputError
from data_prep.readers.documents import document_lines
from data_prep.readers.labelled_texts import Refused
from data_prep.readers.text import STDIN, given_text

app = group()
add_fit(
    app, ReviewsTask(), "Train a classifier on a set of documents or on your own and write it as a preset."
)
add_evaluate(app, ReviewsTask(), "Score documents that the classifier did not learn from, or your own.")


@app.command()
@verb
def classify(
    texts: TextsArgument = None,
    files: FilesOption = None,
    lines: Annotated[
        bool,
        typer.Option(
            "--lines", help="Each line of files or standard input is a document; JSON, one object each."
        ),
    ] = False,
    preset: PresetOption = None,
    as_json: JsonOption = False,
) -> None:
    """Say what documents are; of several, with --json one object each."""
    given = texts_or_files(texts, files)
    if texts and lines:
        raise InputError("A text and --lines exclude each other", remedy="Give one of them")
    reviews = Reviews.from_preset(preset)
    if lines:
        _answer_each(reviews, chain.from_iterable(map(_lines_of, given)), "line", count(1), as_json=True)
    elif len(given) > 1:
        names = ("document", count(1)) if texts else ("file", map(str, given))
        _answer_each(reviews, map(_text_or_refused, given), *names, as_json)
    else:
        print_result(reviews.classify(given_text(given[0])), as_json)


def _answer_each(
    reviews: Reviews, documents: Iterable[str | Refused], kind: str, names: Iterable[Any], as_json: bool
) -> None:
    """Answer one by one; what cannot be answered is named on standard error, and the rest goes on."""
    name, refused, rows = None, 0, []
    for name, answer in zip(names, reviews.classify_many(documents), strict=False):
        if isinstance(answer, Refused):
            refused += 1
            print_error(f"{kind} {name}: {answer.problem}")
        elif as_json:
            print_json({kind: name, **answer.to_dict()})
        else:
            counts = (f"{answer.words:,}", f"{answer.unknown_words:,}")
            rows.append((str(name), answer.label, f"{answer.confidence:.1%}", *counts))
    if name is None:
        raise InputError("There are no documents", allowed="one document a line")
    if rows:
        print_table((kind, "label", "probability>", "words>", "unknown words>"), rows)
    if refused:
        raise typer.Exit(EXIT_INPUT_ERROR)


def _lines_of(path: Path) -> Iterator[str | Refused]:
    try:
        with nullcontext(sys.stdin.buffer) if path == STDIN else path.open("rb") as stream:
            yield from document_lines(stream)
    except OSError as error:
        raise InputError(f"The file {path} cannot be read ({error.strerror})") from error


def _text_or_refused(given: str | Path) -> str | Refused:
    try:
        return given_text(given)
    except InputError as error:
        return Refused(0, error.problem)  # it is numbered where it is answered

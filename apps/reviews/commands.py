"""``python -m apps reviews``: classifiers of documents on the command line."""

from __future__ import annotations

import sys
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from apps.shared.commands import (
    EXIT_INPUT_ERROR,
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
from data_prep.errors import InputError

if TYPE_CHECKING:
    from apps.reviews.application import Reviews
    from apps.reviews.results import Refused, ReviewsEvaluation, Verdict
    from apps.reviews.sources import ReviewsSource

app = group("Documents: train, evaluate, say whether a review is good, or what an article is about.")

PresetOption = Annotated[
    str | None,
    typer.Option(metavar="NAME_OR_FOLDER", help="Classifier to use; reviews_imdb if none is named."),
]
CsvOption = Annotated[
    Path | None,
    typer.Option(
        "--csv", metavar="FILE", help="Labelled documents, plain or gzip, UTF-8, names in the first row."
    ),
]
FolderOption = Annotated[
    Path | None, typer.Option(metavar="FOLDER", help="Labelled documents, one sub-folder a label.")
]
DataOption = Annotated[str | None, typer.Option(help="A set of documents: imdb or bbc.")]
TextColumn = Annotated[str, typer.Option("--text", metavar="COLUMN", help="Column of the documents.")]
LabelColumn = Annotated[str, typer.Option("--label", metavar="COLUMN", help="Column of the labels.")]
NetworkOption = Annotated[
    str | None,
    typer.Option(
        metavar="NAME",
        help="Train one network alone: mean, ngrams, convolution, rnn, lstm, gru, mgu or attention.",
    ),
]
_LISTED = 20  # refused rows that are named one by one


@app.command()
@verb
def fit(
    out: OutFolder,
    csv: CsvOption = None,
    text: TextColumn = "text",
    label: LabelColumn = "label",
    folder: FolderOption = None,
    data: DataOption = None,
    network: NetworkOption = None,
    overrides: SetOption = None,
    resume: ResumeOption = False,
    sample: Annotated[
        bool, typer.Option("--sample", help="Train on reviews that the project makes by rules.")
    ] = False,
    as_json: JsonOption = False,
) -> None:
    """Train a classifier on a set of documents or one's own, and write it as a preset; imdb if nothing is named."""
    from apps.reviews.task import fit_reviews

    named = {"--csv": csv, "--folder": folder, "--data": data, "--sample": sample or None}
    given = [name for name, value in named.items() if value is not None]
    if len(given) > 1:
        raise InputError(f"{' and '.join(given)} exclude each other", remedy="Give one of them")
    recipe, source = _source(csv, text, label, folder, data, sample)
    _print_refused(source.refused, "row" if csv else "file")
    summary = fit_reviews(
        out, list(overrides or ()), source=source, recipe=recipe, network=network, resume=resume
    )
    print_summary(summary, as_json)


@app.command()
@verb
def evaluate(
    csv: CsvOption = None,
    text: TextColumn = "text",
    label: LabelColumn = "label",
    folder: FolderOption = None,
    preset: PresetOption = None,
    data: Annotated[
        str | None, typer.Option(help="imdb or bbc: score that set; with --folds its recipe is trained anew.")
    ] = None,
    folds: Annotated[
        int | None,
        typer.Option(help="Train the recipe of --data anew so many times, each without another part."),
    ] = None,
    as_json: JsonOption = False,
) -> None:
    """Score documents that the classifier did not learn from: the official test half, or one's own."""
    if folds is not None:
        if csv is not None or folder is not None or preset is not None:
            raise InputError("--folds trains anew", allowed="--data imdb or --data bbc beside it")
        result = _cross_validated(data or "bbc", folds)
    elif data is not None:
        if csv is not None or folder is not None:
            raise InputError("--data and one's own documents exclude each other", remedy="Give one of them")
        result = _scored_set(data, preset)
    else:
        result = _opened(preset).evaluate(csv=csv, text=text, label=label, folder=folder)
    _print_refused(result.refused, "row" if csv else "document")
    _print_notes(result)
    if as_json:
        print_json(result.to_dict())
        return
    _print_evaluation(result)


@app.command()
@verb
def classify(
    text: Annotated[
        str | None, typer.Argument(help="The document; standard input if neither it nor --lines is given.")
    ] = None,
    lines: Annotated[
        bool,
        typer.Option("--lines", help="One document a line on standard input, one JSON object a line out."),
    ] = False,
    preset: PresetOption = None,
    as_json: JsonOption = False,
) -> None:
    """Say what a document is."""
    if lines and text is not None:
        raise InputError("A text and --lines exclude each other", remedy="Give one of them")
    if lines:
        _classify_lines(_opened(preset))
        return
    content = _content(text)
    verdict = _opened(preset).classify(content)
    for note in verdict.notes:
        print(f"Note: {note}", file=sys.stderr)
    if as_json:
        print_json(verdict.to_dict())
        return
    _print_verdict(verdict)


def _classify_lines(reviews: Reviews) -> None:
    """Answer line by line; what cannot be answered is named on standard error, and the rest goes on."""
    from apps.reviews.lines import document_lines
    from apps.reviews.results import Refused

    refused = 0
    answers = reviews.classify_many(document_lines(sys.stdin.buffer))
    for at, answer in enumerate(answers, start=1):
        if isinstance(answer, Refused):
            refused += 1
            print(f"Error: line {at}: {answer.problem}", file=sys.stderr)
        else:
            print_json({"line": at, **answer.to_dict()})
    if refused:
        raise typer.Exit(EXIT_INPUT_ERROR)


def _content(text: str | None) -> str:
    """Read the one document."""
    from data_prep.readers.text import MAX_BYTES, decoded

    if text is not None:
        # Bytes of the command line that are no UTF-8 arrive as halves of surrogate pairs.
        return decoded(text.encode("utf-8", "surrogateescape"), "The text")
    if sys.stdin.isatty():
        raise InputError("There is nothing to classify", allowed="a text, or text on standard input")
    return decoded(sys.stdin.buffer.read(MAX_BYTES + 1), "Standard input")


def _opened(preset: str | None) -> Reviews:
    from apps.reviews.application import DEFAULT_PRESET, Reviews

    return Reviews.from_preset(preset or DEFAULT_PRESET)


def _source(
    csv: Path | None, text: str, label: str, folder: Path | None, data: str | None, sample: bool
) -> tuple[str, ReviewsSource]:
    """Return the name of the recipe and the documents."""
    from apps.reviews import sources as reviews_sources
    from data_prep.readers.labelled_texts import read_csv, read_folder

    if sample:
        return "sample", reviews_sources.sample_source()
    if csv is not None:
        return "own", reviews_sources.own_source(read_csv(csv, text, label), csv.name)
    if folder is not None:
        return "own", reviews_sources.own_source(read_folder(folder), folder.resolve().name)
    return data or "imdb", reviews_sources.named_source(data or "imdb")


def _scored_set(data: str, preset: str | None) -> ReviewsEvaluation:
    """Score a preset on a set of documents: the test part, or all of a set that it did not learn from."""
    from apps.reviews.application import DEFAULT_PRESET, TOPICS_PRESET
    from apps.reviews.evaluation import score
    from apps.reviews.sources import named_source, set_of

    source = named_source(data)
    reviews = _opened(preset or (DEFAULT_PRESET if data == "imdb" else TOPICS_PRESET))
    if source.test is not None:
        return score(reviews, source.test, source.protocol)
    if set_of(reviews.metadata.get("data", {})) == data:
        raise InputError(
            f"The classifier learned from all of {source.name}",
            remedy=f"Score folds: --data {data} --folds 5",
        )
    return score(reviews, source.train, f"all of {source.name}")


def _cross_validated(data: str, folds: int) -> ReviewsEvaluation:
    from tempfile import TemporaryDirectory

    from apps.reviews.evaluation import cross_validated
    from apps.reviews.recipes import chosen_recipe
    from apps.reviews.sources import named_source

    recipe, source = chosen_recipe(data, overrides=[f"folds={folds}"]), named_source(data)
    with TemporaryDirectory(prefix="lectern-folds-") as folder:
        return cross_validated(recipe, source, Path(folder))


def _print_refused(refused: Sequence[Refused], what: str) -> None:
    """Name what was refused, by number, on standard error."""
    for one in refused[:_LISTED]:
        print(f"Refused: {what} {one.number}: {one.problem}", file=sys.stderr)
    if len(refused) > _LISTED:
        print(f"Refused: {len(refused) - _LISTED:,} more", file=sys.stderr)


def _print_notes(result: ReviewsEvaluation) -> None:
    for name, label in result.aliases.items():
        print(f"Note: the label {name} is taken for {label}", file=sys.stderr)
    if result.unknown_only:
        shown = ", ".join(map(str, result.unknown_only[:_LISTED]))
        print(
            f"Note: no word of these documents is known, they are scored all the same: {shown}",
            file=sys.stderr,
        )
    if result.left_out_share:
        share = f"{result.left_out_share:.1%} of all words and marks"
        print(f"Note: {share} were not read, in documents longer than the window", file=sys.stderr)


def _print_evaluation(result: ReviewsEvaluation) -> None:
    rows = [
        ("accuracy, %", number(result.accuracy, 2)),
        ("standard error", number(result.standard_error, 2)),
        ("documents", f"{result.n:,}"),
        ("refused", f"{len(result.refused):,}"),
        ("calibration error, %", number(100 * result.calibration_error, 2)),
        ("unknown words, %", number(100 * result.unknown_share, 2)),
        ("not read, %", number(100 * result.left_out_share, 2)),
        *((f"fold {at}, %", number(share, 2)) for at, share in enumerate(result.parts, start=1)),
        ("scored", result.split),
    ]
    print_table(("measure", "value>"), rows)
    answers = [
        (label, *(f"{count:,}" for count in row))
        for label, row in zip(result.labels, result.confusion, strict=True)
    ]
    print_table(("label", *(f"answered {label}>" for label in result.labels)), answers)


def _print_verdict(verdict: Verdict) -> None:
    shares = sorted(verdict.probabilities.items(), key=lambda item: -item[1])
    rows = [(label, f"{share:.1%}") for label, share in shares]
    rows += [("words", f"{verdict.words:,}"), ("unknown words", f"{verdict.unknown_words:,}")]
    print_table(("label", "probability>"), rows)

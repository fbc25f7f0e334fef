"""``python -m apps writer``: the language model on the command line."""

from __future__ import annotations

import sys
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Annotated, Any

import typer

from apps.shared.commands import (
    FilesOption,
    JsonOption,
    PresetOption,
    TextsArgument,
    add_evaluate,
    add_fit,
    group,
    number,
    print_json,
    print_table,
    texts_or_files,
    verb,
)
from apps.writer.application import Writer
from apps.writer.copies import CopyReport, described
from apps.writer.results import ScoredText
from apps.writer.task import WriterTask
from data_prep.readers.text import given_text
from models.char_lm.serving import Unknown

app = group()
add_fit(app, WriterTask(), "Train a writer on Tiny Shakespeare or on your own text and write it as a preset.")
add_evaluate(
    app, WriterTask(), "Score the part of its text that the writer did not learn from, or other texts."
)

LearnedOption = Annotated[
    list[Path] | None,
    typer.Option(
        "--text",
        metavar="FILE_OR_FOLDER",
        help="The text that your own writer learned from, for copies; can be repeated.",
    ),
]
UnknownOption = Annotated[
    Unknown, typer.Option(help="Characters that the writer never saw: refuse them, or map them to unknown.")
]
_QUOTED = 60  # characters of a copied passage in a table
_UNKNOWN_COPIES = "copied: unknown, the training text is not at hand (see --text)"


@app.command()
@verb
def generate(
    prompt: Annotated[
        str | None,
        typer.Option(
            help=r"What to go on from; \n in it is a line break. By default a new line or sentence."
        ),
    ] = None,
    length: Annotated[int, typer.Option(help="Tokens to write, at most 100,000.")] = 300,
    temperature: Annotated[
        float, typer.Option(help="Below 1 is safer, above 1 is wilder; 0 takes the likeliest.")
    ] = 0.8,
    top_k: Annotated[int | None, typer.Option(help="Draw among this number of likeliest tokens.")] = None,
    top_p: Annotated[
        float | None, typer.Option(help="Draw among the likeliest tokens of this probability.")
    ] = None,
    seed: Annotated[int, typer.Option(help="The same seed gives the same text.")] = 0,
    stop: Annotated[
        str | None, typer.Option(metavar="TEXT", help=r"End after this text; \n in it is a line break.")
    ] = None,
    samples: Annotated[int, typer.Option(help="How many texts.")] = 1,
    unknown: UnknownOption = "refuse",
    preset: PresetOption = None,
    learned: LearnedOption = None,
    as_json: JsonOption = False,
) -> None:
    """Go on from a prompt; without --json the text appears as it is written."""
    settings: dict[str, Any] = {
        "length": length,
        "temperature": temperature,
        "top_k": top_k,
        "top_p": top_p,
        "seed": seed,
        "stop": None if stop is None else _with_breaks(stop),
        "unknown": unknown,
    }
    writer = Writer.from_preset(preset, text=learned or ())
    if learned:
        _ = writer.learned.meter  # a wrong text is refused before anything is written
    if prompt is None:
        prompt = "\n" if writer.config.tokenizer == "char" else "."
    prompt = _with_breaks(prompt)
    if samples == 1 and not as_json:
        _stream(writer, prompt, settings)
        return
    texts = writer.generate_batch(prompt, samples, **settings)
    for at, written in enumerate(texts, start=1):
        if as_json:
            print_json(written.to_dict())
        else:
            print(f"--- {at}\n{_printable(written.prompt + written.text)}")
    if as_json and texts[0].text and texts[0].copied is None:
        print(_UNKNOWN_COPIES, file=sys.stderr)


@app.command()
@verb
def score(
    texts: TextsArgument = None,
    files: FilesOption = None,
    each: Annotated[
        bool, typer.Option("--each", help="Also list every token with its five likeliest alternatives.")
    ] = False,
    unknown: UnknownOption = "refuse",
    preset: PresetOption = None,
    as_json: JsonOption = False,
) -> None:
    """Say how surprising texts are to the writer; of several, with --json one object each."""
    documents = _documents(texts, files)
    writer = Writer.from_preset(preset)
    for name, result in [(name, writer.score(content, unknown)) for name, content in documents]:
        if as_json:
            print_json({**name, **(result.to_dict() if each else result.totals())})
            continue
        _print_name(name)
        if each:
            print_table(("position>", "token", "nats>", "likeliest"), _token_rows(result))
        print_table(result.table_columns, result.table_rows())


@app.command()
@verb
def copies(
    texts: TextsArgument = None,
    files: FilesOption = None,
    k: Annotated[int, typer.Option("--k", help="Shortest passage that counts, in characters.")] = 20,
    preset: PresetOption = None,
    learned: LearnedOption = None,
    as_json: JsonOption = False,
) -> None:
    """Find every passage of texts that the writer learned from; of several, with --json one object each."""
    documents = _documents(texts, files)
    writer = Writer.from_preset(preset, text=learned or ())
    for name, content, report in [(name, text, writer.copies(text, k)) for name, text in documents]:
        if as_json:
            print_json({**name, **report.to_dict()})
            continue
        _print_name(name)
        print_table(
            ("position>", "characters>", "first source", "places>", "passage"), _passage_rows(content, report)
        )
        for note in report.notes():
            print(note, file=sys.stderr)


def _documents(texts: list[str] | None, files: list[Path] | None) -> list[tuple[dict[str, Any], str]]:
    r"""Read what is to be looked at, each with its name where there are several; a given text may hold \n."""
    given = texts_or_files(texts, files)
    contents = [_with_breaks(given_text(one)) if texts else given_text(one) for one in given]
    names = [{"text": at} if texts else {"file": str(one)} for at, one in enumerate(given, start=1)]
    return list(zip(names if len(given) > 1 else [{}], contents, strict=True))


def _with_breaks(text: str) -> str:
    return text.replace("\\n", "\n")


def _stream(writer: Writer, prompt: str, settings: dict[str, Any]) -> None:
    begun = time.perf_counter()
    pieces = writer.stream(prompt, **settings)
    text = next(pieces)  # compiled by now
    print(_printable(prompt + text), end="", flush=True)
    for piece in pieces:
        print(_printable(piece), end="", flush=True)
        text += piece
    print()
    seconds = time.perf_counter() - begun
    found, copied = writer.copied(text), _UNKNOWN_COPIES
    if found is not None:
        share = f"{100 * found.fraction:.1f} %"
        copied = f"copied: {share} in passages of 20 characters or more, longest {found.longest}"
    print(f"{len(text):,} characters in {seconds:.2f} s; {copied}", file=sys.stderr)


def _printable(text: str) -> str:
    """Write control characters but line breaks and tabs as escapes: a text must not steer the terminal."""
    return "".join(
        c if c.isprintable() or c in "\n\t" else c.encode("unicode_escape").decode("ascii") for c in text
    )


def _print_name(name: dict[str, Any]) -> None:
    for kind, called in name.items():
        print(f"{kind} {called}:")


def _token_rows(result: ScoredText) -> Iterator[tuple[str, ...]]:
    for token in result.tokens:
        best = " ".join(f"{other.token!r} {other.probability:.3f}" for other in token.alternatives)
        yield (str(token.start), repr(token.text), number(token.nats, 3), best)


def _passage_rows(content: str, report: CopyReport) -> Iterator[tuple[str, ...]]:
    for span in report.spans:
        passage = content[span.start : span.end]
        shown = repr(passage if len(passage) <= _QUOTED else passage[: _QUOTED - 1] + "…")
        places = str(span.source.occurrences)
        yield (str(span.start), str(span.length), described(span.source), places, shown)

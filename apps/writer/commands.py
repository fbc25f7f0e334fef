"""``python -m apps writer``: the character language model on the command line."""

from __future__ import annotations

import sys
import time
from collections.abc import Iterable
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any, Literal

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
from data_prep.errors import InputError

if TYPE_CHECKING:
    from apps.writer.application import Writer
    from apps.writer.copies import CopyReport
    from apps.writer.results import ScoredText, Written

app = group("A character language model: train, evaluate, write, score texts, find copies.")

PresetOption = Annotated[
    str | None,
    typer.Option(metavar="NAME_OR_FOLDER", help="Writer to use; writer_shakespeare if none is named."),
]
LearnedOption = Annotated[
    Path | None,
    typer.Option("--text", metavar="FILE", help="The text that one's own writer learned from, for copies."),
]
UnknownOption = Annotated[
    Literal["refuse", "map"],
    typer.Option(help="Characters that the writer never saw: refuse them, or map them to unknown."),
]
TextArgument = Annotated[
    str | None, typer.Argument(help="The text; standard input if neither it nor --file is given.")
]
FileOption = Annotated[Path | None, typer.Option(metavar="FILE", help="Text file, plain or gzip, in UTF-8.")]
_QUOTED = 60  # characters of a copied passage in a table


@app.command()
@verb
def fit(
    out: OutFolder,
    text: Annotated[
        Path | None,
        typer.Option(metavar="FILE", help="Plain or gzip text in UTF-8; Tiny Shakespeare if not given."),
    ] = None,
    cell: Annotated[
        str | None, typer.Option(help="rnn, lstm, gru or mgu; the recipe's if not given.")
    ] = None,
    tokens: Annotated[
        str | None, typer.Option(help="char, word or piece; the recipe's if not given.")
    ] = None,
    overrides: SetOption = None,
    resume: ResumeOption = False,
    sample: Annotated[
        bool, typer.Option("--sample", help="Train on the news texts that gensim carries.")
    ] = False,
    as_json: JsonOption = False,
) -> None:
    """Train a writer on a text and write it as a preset; a sample is shown after every epoch."""
    from apps.writer.task import fit_writer

    summary = fit_writer(
        out, list(overrides or ()), text=text, cell=cell, tokens=tokens, resume=resume, sample=sample
    )
    print_summary(summary, as_json)


@app.command()
@verb
def evaluate(
    split: Annotated[
        str | None,
        typer.Option(help="last_tenth (nanoGPT's), char_rnn or slice; that of the training if not given."),
    ] = None,
    preset: PresetOption = None,
    learned: LearnedOption = None,
    as_json: JsonOption = False,
) -> None:
    """Score the part of its text that the writer did not learn from."""
    result = _opened(preset, learned).evaluate(split)
    if as_json:
        print_json(result.to_dict())
        return
    rows = [
        ("nats per character", number(result.nats_per_character)),
        ("standard error", number(result.standard_error)),
        ("bits per character", number(result.bits_per_character)),
        ("characters", f"{result.n:,}"),
        ("split", result.split),
        ("text", result.text),
    ]
    print_table(("measure", "value>"), rows)


@app.command()
@verb
def generate(
    prompt: Annotated[str, typer.Option(help=r"What to go on from; \n in it is a line break.")],
    length: Annotated[int, typer.Option(help="Tokens to write, at most 100,000.")] = 300,
    temperature: Annotated[
        float, typer.Option(help="Below 1 is safer, above 1 is wilder; 0 takes the likeliest.")
    ] = 0.8,
    top_k: Annotated[int | None, typer.Option(help="Draw among so many likeliest tokens.")] = None,
    top_p: Annotated[
        float | None, typer.Option(help="Draw among the likeliest tokens of this probability.")
    ] = None,
    seed: Annotated[int, typer.Option(help="The same seed gives the same text.")] = 0,
    stop: Annotated[
        str | None, typer.Option(metavar="TEXT", help=r"End behind this text; \n in it is a line break.")
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
    writer = _opened(preset, learned)
    prompt = _with_breaks(prompt)
    if samples != 1:
        _print_samples(writer.generate_batch(prompt, samples, **settings), as_json)
    elif as_json:
        written = writer.generate(prompt, **settings)
        _admit(written)
        print_json(written.to_dict())
    else:
        _stream(writer, prompt, settings)


@app.command()
@verb
def score(
    text: TextArgument = None,
    file: FileOption = None,
    each: Annotated[
        bool, typer.Option("--each", help="Also list every token with its five likeliest alternatives.")
    ] = False,
    unknown: UnknownOption = "refuse",
    preset: PresetOption = None,
    as_json: JsonOption = False,
) -> None:
    """Say how surprising a text is to the writer."""
    content = _content(text, file)
    result = _opened(preset, None).score(content, unknown=unknown)
    if as_json:
        print_json(result.to_dict() if each else result.totals())
        return
    if each:
        print_table(("position>", "token", "nats>", "likeliest"), _token_rows(result))
    rows = [(name.replace("_", " "), number(value)) for name, value in result.totals().items() if name != "n"]
    print_table(("measure", "value>"), [*rows, ("characters", f"{result.n:,}")])


@app.command()
@verb
def copies(
    text: TextArgument = None,
    file: FileOption = None,
    k: Annotated[int, typer.Option("--k", help="Shortest passage that counts, in characters.")] = 20,
    preset: PresetOption = None,
    learned: LearnedOption = None,
    as_json: JsonOption = False,
) -> None:
    """Find every passage of a text that stands in the writer's training text, and where."""
    content = _content(text, file)
    report = _opened(preset, learned).copies(content, k)
    if as_json:
        print_json(report.to_dict())
    else:
        _print_copies(report, content)


def _opened(preset: str | None, learned: Path | None) -> Writer:
    from apps.writer.application import DEFAULT_PRESET, Writer

    return Writer.from_preset(preset or DEFAULT_PRESET, text=learned)


def _content(text: str | None, file: Path | None) -> str:
    r"""Read what is to be looked at; a text of the command line may hold \n."""
    from data_prep.readers.text import MAX_BYTES, decoded, read_text

    if text is not None and file is not None:
        raise InputError("A text and --file exclude each other", remedy="Give one of them")
    if text is not None:
        # Bytes of the command line that are no UTF-8 arrive as halves of surrogate pairs.
        return _with_breaks(decoded(text.encode("utf-8", "surrogateescape"), "The text"))
    if file is not None:
        return read_text(file)
    if sys.stdin.isatty():
        raise InputError("There is no text", allowed="a text, --file FILE, or text on standard input")
    return decoded(sys.stdin.buffer.read(MAX_BYTES + 1), "Standard input")


def _with_breaks(text: str) -> str:
    return text.replace("\\n", "\n")


def _stream(writer: Writer, prompt: str, settings: dict[str, Any]) -> None:
    begun = time.perf_counter()
    pieces = []
    for piece in writer.stream(prompt, **settings):
        if not pieces:
            _write(prompt)
        _write(piece)
        pieces.append(piece)
    text = "".join(pieces)
    print()
    seconds = time.perf_counter() - begun
    found = writer.copied(text)
    copied = (
        "copied: unknown, the training text is not at hand"
        if found is None
        else f"copied: {100 * found.fraction:.1f} % in passages of 20 characters or more, longest {found.longest}"
    )
    print(f"{len(text):,} characters in {seconds:.2f} s; {copied}", file=sys.stderr)


def _write(text: str) -> None:
    sys.stdout.write(_printable(text))
    sys.stdout.flush()


def _printable(text: str) -> str:
    """Write control characters but line breaks and tabs as escapes: a text must not steer the terminal."""
    return "".join(
        c if c.isprintable() or c in "\n\t" else c.encode("unicode_escape").decode("ascii") for c in text
    )


def _admit(written: Written) -> None:
    if written.copied is None and written.text:
        print("copied: unknown, the training text is not at hand (see --text)", file=sys.stderr)


def _print_samples(samples: list[Written], as_json: bool) -> None:
    if as_json:
        for written in samples:
            print_json(written.to_dict())
        return
    for at, written in enumerate(samples, start=1):
        print(f"--- {at}\n{_printable(written.prompt + written.text)}")


def _token_rows(result: ScoredText) -> Iterable[tuple[str, ...]]:
    for token in result.tokens:
        best = " ".join(f"{other.token!r} {other.probability:.3f}" for other in token.alternatives)
        yield (str(token.start), repr(token.text), number(token.nats, 3), best)


def _print_copies(report: CopyReport, content: str) -> None:
    rows = []
    for span in report.spans:
        source = span.source
        place = ", ".join(part for part in (source.play, source.speaker, f"line {source.line:,}") if part)
        passage = content[span.start : span.end]
        shown = repr(passage if len(passage) <= _QUOTED else passage[: _QUOTED - 1] + "…")
        rows.append((str(span.start), str(span.length), place, str(source.occurrences), shown))
    print_table(("position>", "characters>", "first source", "places>", "passage"), rows)
    print(
        f"{100 * report.fraction:.1f} % of {report.characters:,} characters stand in the training text in passages of "
        f"{report.k} or more; the longest match has {report.longest}.",
        file=sys.stderr,
    )
    if report.held_out is not None:
        true = report.held_out
        print(
            f"True text that was held out, as long as this: {100 * true.fraction:.1f} %; the longest match has "
            f"{true.mean_longest:.1f} on average, {true.max_longest} at most.",
            file=sys.stderr,
        )

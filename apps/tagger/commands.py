"""``python -m apps tagger``: parts of speech on the command line."""

from __future__ import annotations

import re
import sys
import unicodedata
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Literal

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
    progress_bar,
    verb,
)
from data_prep.errors import InputError

if TYPE_CHECKING:
    from apps.tagger.application import Tagger
    from apps.tagger.results import TaggedSentence, TaggedToken, TaggerEvaluation

app = group("Parts of speech: train, evaluate, tag text.")

PresetOption = Annotated[
    str | None,
    typer.Option(metavar="NAME_OR_FOLDER", help="Tagger to use; tagger_en_ewt if none is named."),
]
SegmenterOption = Annotated[
    str | None,
    typer.Option(metavar="NAME_OR_FOLDER", help="Segmenter to use; segmenter_en_ewt if none is named."),
]
Input = Literal["auto", "text", "conllu"]
Output = Literal["text", "conllu", "json", "csv"]
# Colours of a terminal's own palette, so that they suit its ground.
_COLOURS = {
    "names": "bright_blue",
    "verbs": "bright_red",
    "modifiers": "green",
    "function words": "magenta",
    "numbers": "cyan",
    "other": "bright_black",
}


@app.command()
@verb
def fit(
    out: OutFolder,
    overrides: SetOption = None,
    resume: ResumeOption = False,
    sample: Annotated[
        bool, typer.Option("--sample", help="Train on a few sentences that the project carries.")
    ] = False,
    as_json: JsonOption = False,
) -> None:
    """Train a tagger on UD English EWT and write it as a preset."""
    from apps.tagger.task import fit_tagger

    summary = fit_tagger(out, list(overrides or ()), resume=resume, sample=sample)
    print_summary(summary, as_json)


@app.command("fit-segmenter")
@verb
def fit_segmenter(
    out: OutFolder,
    overrides: SetOption = None,
    resume: ResumeOption = False,
    as_json: JsonOption = False,
) -> None:
    """Train what cuts text into sentences and words, on UD English EWT, and write it as a preset."""
    from apps.tagger import segmenter_task as segmenter_training

    print_summary(segmenter_training.fit_segmenter(out, list(overrides or ()), resume), as_json)


@app.command()
@verb
def evaluate(
    file: Annotated[
        Path | None,
        typer.Option(metavar="FILE", help="CoNLL-U file; the test part of UD English EWT if not given."),
    ] = None,
    preset: PresetOption = None,
    segmenter: SegmenterOption = None,
    as_json: JsonOption = False,
) -> None:
    """Score on a treebank: on its own tokens, and from its raw text."""
    application = _opened(preset, segmenter)
    with progress_bar("sentences", "sentences") as progress:
        result = application.evaluate(file, progress=progress)
    if as_json:
        print_json(result.to_dict())
    else:
        _print_evaluation(result)


@app.command()
@verb
def tag(
    text: Annotated[
        str | None, typer.Argument(help="The text; standard input if neither it nor --file is given.")
    ] = None,
    file: Annotated[
        Path | None, typer.Option(metavar="FILE", help="Text or CoNLL-U file, plain or gzip.")
    ] = None,
    input_format: Annotated[
        Input, typer.Option("--input", help="What is read; auto looks at the name and the first lines.")
    ] = "auto",
    output_format: Annotated[Output, typer.Option("--format", help="What is written.")] = "text",
    preset: PresetOption = None,
    segmenter: SegmenterOption = None,
    as_json: JsonOption = False,
) -> None:
    """Tag a text, a file or standard input."""
    if text is not None and file is not None:
        raise InputError("A text and --file exclude each other", remedy="Give one of them")
    if as_json and output_format not in ("text", "json"):
        raise InputError("--json and --format exclude each other", remedy="Give one of them")
    content, name = _content(text, file)
    wanted: Output = "json" if as_json else output_format
    from apps.tagger.files import is_conllu

    given_tokens = input_format == "conllu" or (
        input_format == "auto" and text is None and is_conllu(content, name)
    )
    if given_tokens:
        pieces = _tag_conllu(content, name or "standard input", wanted, preset, segmenter)
    else:
        pieces = _tag_text(content, wanted, preset, segmenter)
    for piece in pieces:
        sys.stdout.write(piece)


def _content(text: str | None, file: Path | None) -> tuple[str, str]:
    """Read what is to be tagged; give it with the name of its file."""
    from data_prep.readers.text import MAX_BYTES, decoded, read_text

    if text is not None:
        # Bytes of the command line that are no UTF-8 arrive as halves of surrogate pairs.
        return decoded(text.encode("utf-8", "surrogateescape"), "The text"), ""
    if file is not None:
        return read_text(file), str(file)
    if sys.stdin.isatty():
        raise InputError("There is nothing to tag", allowed="a text, --file FILE, or text on standard input")
    return decoded(sys.stdin.buffer.read(MAX_BYTES + 1), "Standard input"), ""


def _tag_text(content: str, wanted: Output, preset: str | None, segmenter: str | None) -> Iterable[str]:
    from apps.tagger.files import conllu_pieces

    sentences = _opened(preset, segmenter).stream(content)
    return conllu_pieces(content, sentences) if wanted == "conllu" else _written(sentences, wanted)


def _tag_conllu(
    content: str, name: str, wanted: Output, preset: str | None, segmenter: str | None
) -> Iterable[str]:
    from data_prep.readers.conllu import format_conllu, parse_conllu, with_tags

    sentences = list(parse_conllu(re.split(r"\r?\n", content), name))
    tagged = _opened(preset, segmenter).tag_sentences(sentences)
    if wanted != "conllu":
        return _written(tagged, wanted)
    return (
        format_conllu(with_tags(sentence, [(token.upos, token.xpos) for token in result.tokens]))
        for sentence, result in zip(sentences, tagged, strict=True)
    )


def _written(sentences: Iterable[TaggedSentence], wanted: Output) -> Iterator[str]:
    from apps.tagger.files import csv_pieces, json_pieces

    if wanted == "json":
        return json_pieces(sentences)
    return csv_pieces(sentences) if wanted == "csv" else _text_pieces(sentences)


def _text_pieces(sentences: Iterable[TaggedSentence]) -> Iterator[str]:
    """Write one sentence a line: words in the colour of their tags, or ``word/TAG`` where there is none."""
    if not sys.stdout.isatty():
        for sentence in sentences:
            yield " ".join(f"{_printable(token.text)}/{token.upos}" for token in sentence.tokens) + "\n"
        return
    from rich.console import Console

    console = Console(markup=False, highlight=False, soft_wrap=True)
    for sentence in sentences:
        with console.capture() as written:
            console.print(_coloured(sentence.tokens))
        yield written.get()


def _coloured(tokens: Iterable[TaggedToken]):
    from rich.text import Text

    from apps.tagger.tagset import family

    line = Text()
    for token in tokens:
        colour = _COLOURS[family(token.upos)]
        doubt = " underline" if token.ambiguous else ""
        line.append(_printable(token.text), style=f"bold {colour}{doubt}")
        line.append(f" {token.upos}  ", style=f"dim {colour}")
    return line


def _printable(text: str) -> str:
    """Write control characters as escapes: a text must not steer the terminal."""
    if text.isprintable():
        return text
    controls = {
        c: c.encode("unicode_escape").decode("ascii") for c in text if unicodedata.category(c) == "Cc"
    }
    return text.translate(str.maketrans(controls))


def _opened(preset: str | None, segmenter: str | None) -> Tagger:
    from apps.tagger.application import DEFAULT_PRESET, SEGMENTER_PRESET, Tagger

    return Tagger.from_preset(preset or DEFAULT_PRESET, segmenter or SEGMENTER_PRESET)


def _print_evaluation(result: TaggerEvaluation) -> None:
    accuracies = {
        "UPOS, gold tokens": result.upos,
        "XPOS, gold tokens": result.xpos,
        "UPOS, words never seen in training": result.unknown_words,
    }
    rows = [
        (name, number(score.percent, 2, " %"), number(score.standard_error, 2), str(score.n))
        for name, score in accuracies.items()
    ]
    raw = result.raw_text
    for name, value in (
        ("words, raw text (F1)", raw.words_f1),
        ("sentences, raw text (F1)", raw.sentences_f1),
        ("UPOS, raw text (F1)", raw.upos_f1),
        ("XPOS, raw text (F1)", raw.xpos_f1),
    ):
        rows.append((name, number(value, 2, " %"), "-", str(raw.words)))
    error = number(100 * result.calibration_error, 2, " %")
    rows.append(("expected calibration error", error, "-", str(result.upos.n)))
    print_table(("measure", "score>", "standard error>", "words>"), rows)

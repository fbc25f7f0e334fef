"""``python -m apps tagger``: parts of speech on the command line."""

from __future__ import annotations

import re
import sys
from collections.abc import Iterable, Iterator, Sequence
from itertools import chain, count
from pathlib import Path
from typing import Annotated, Literal

import typer
from rich.console import Console
from rich.text import Text

from apps.shared.commands import (
    FilesOption,
    JsonOption,
    PresetOption,
    TextsArgument,
    add_evaluate,
    add_fit,
    group,
    texts_or_files,
    verb,
    without_controls,
)
from apps.tagger.application import Tagger
from apps.tagger.files import csv_pieces, is_conllu, json_pieces
from apps.tagger.results import TaggedSentence
from apps.tagger.segmenter_task import SegmenterTask
from apps.tagger.sources import SEGMENTER_HELP
from apps.tagger.tagset import terminal_colour
from apps.tagger.task import TaggerTask
from data_prep.errors import InputError
from data_prep.readers.conllu import UNTAGGED, Sentence, format_conllu, parse_conllu, with_tags
from data_prep.readers.text import STDIN, given_text

app = group()
add_fit(
    app, TaggerTask(), "Train a tagger on UD English EWT, or on your own treebank, and write it as a preset."
)
add_fit(
    app, SegmenterTask(), "Train what finds sentences and words, and write it as a preset.", "fit-segmenter"
)
add_evaluate(app, TaggerTask(), "Score on a treebank: on its own tokens, and from its raw text.")
add_evaluate(app, SegmenterTask(), "Score what finds sentences and words.", "evaluate-segmenter")

Input = Literal["auto", "text", "conllu"]
Output = Literal["text", "conllu", "json", "csv"]


@app.command()
@verb
def tag(
    texts: TextsArgument = None,
    files: FilesOption = None,
    input_format: Annotated[
        Input, typer.Option("--input", help="What is read; auto looks at the name and the first lines.")
    ] = "auto",
    output_format: Annotated[Output, typer.Option("--format", help="What is written.")] = "text",
    preset: PresetOption = None,
    segmenter: Annotated[str | None, typer.Option(metavar="NAME_OR_FOLDER", help=SEGMENTER_HELP)] = None,
    as_json: JsonOption = False,
) -> None:
    """Tag texts, files or standard input; with --json one object each."""
    given = texts_or_files(texts, files)
    if as_json and output_format not in ("text", "json"):
        raise InputError("--json and --format exclude each other", remedy="Give one of them")
    wanted: Output = "json" if as_json else output_format
    contents = [(given_text(one), one if isinstance(one, Path) else None) for one in given]
    documents = [(content, _parsed(content, path, input_format)) for content, path in contents]
    tagger = Tagger.from_preset(preset, segmenter)
    tagged = [
        tagger.stream(content) if parsed is None else tagger.tag_sentences(parsed)
        for content, parsed in documents
    ]
    for piece in _pieces(tagger, documents, tagged, wanted):
        sys.stdout.write(piece)


def _parsed(content: str, path: Path | None, input_format: Input) -> list[Sentence] | None:
    """Read a document that is CoNLL-U; None for text."""
    name = "the text" if path is None else "standard input" if path == STDIN else str(path)
    if input_format == "auto":
        input_format = "conllu" if path is not None and is_conllu(content, name) else "text"
    if input_format != "conllu":
        return None
    return list(parse_conllu(re.split(r"\r?\n", content), name, any_tags=True))  # its tags are not looked at


def _pieces(
    tagger: Tagger,
    documents: Sequence[tuple[str, list[Sentence] | None]],
    tagged: Sequence[Iterator[TaggedSentence]],
    wanted: Output,
) -> Iterator[str]:
    """Write documents: JSON one object each, everything else as if they were one."""
    if wanted == "json":
        yield from chain.from_iterable(map(json_pieces, tagged))
    elif wanted != "conllu":
        yield from (csv_pieces if wanted == "csv" else _text_pieces)(chain.from_iterable(tagged))
    else:
        numbers = count(1)
        for (content, parsed), results in zip(documents, tagged, strict=True):
            if parsed is None:
                yield from tagger.stream_conllu(content, numbers)
            else:
                yield from map(_retagged, parsed, results)


def _retagged(sentence: Sentence, result: TaggedSentence) -> str:
    """Write a sentence with other tags; a column that the tagger has not learned stays."""
    tags = []
    for word, token in zip(sentence.words, result.tokens, strict=True):
        pairs = ((word.upos, token.upos), (word.xpos, token.xpos))
        tags.append(tuple(old if new == UNTAGGED else new for old, new in pairs))
    return format_conllu(with_tags(sentence, tags))


def _text_pieces(sentences: Iterable[TaggedSentence]) -> Iterator[str]:
    """Write one sentence a line: words in the colour of their tags, or ``word/TAG`` where there is none.

    Control characters become escapes: a text must not steer the terminal.
    """
    coloured, console = sys.stdout.isatty(), Console(markup=False, highlight=False, soft_wrap=True)
    for sentence in sentences:
        words = [(without_controls(token.text), token) for token in sentence.tokens]
        if not coloured:
            yield " ".join(f"{word}/{without_controls(token.tag)}" for word, token in words) + "\n"
            continue
        line = Text()
        for word, token in words:
            colour = terminal_colour(token.tag)
            line.append(word, style=f"bold {colour}{' underline' if token.ambiguous else ''}")
            line.append(f" {without_controls(token.tag)}  ", style=f"dim {colour}")
        with console.capture() as written:
            console.print(line)
        yield written.get()

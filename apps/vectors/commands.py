"""``python -m apps vectors``: word vectors on the command line."""

from __future__ import annotations

import time
from pathlib import Path
from typing import Annotated, Literal

import typer

from apps.shared.cards import card
from apps.shared.commands import (
    JsonOption,
    OutFolder,
    PresetOption,
    add_evaluate,
    add_fit,
    group,
    number,
    print_json,
    print_table,
    progress_bar,
    verb,
)
from apps.shared.measures import checksums_of
from apps.vectors.application import Vectors
from apps.vectors.evaluation import evaluate, metrics_of
from apps.vectors.task import VectorsTask, opened, save_vectors_preset, vectors_content
from data_prep.errors import InputError
from models.presets.store import check_replaceable

app = group()

FileOption = Annotated[
    Path | None,
    typer.Option("--vectors", metavar="FILE", help="Vectors file (npz, word2vec text or binary) to use."),
]
TopnOption = Annotated[int, typer.Option(help="How many answers.")]
# An expression may start with a minus: what is no option of ours is an argument.
_ASKING = {"ignore_unknown_options": True}


add_fit(app, VectorsTask(), "Train word vectors on a text and write them as a preset.")
add_evaluate(app, VectorsTask(), "Score on Google's analogies, WordSim-353 and SimLex-999.")


@app.command(context_settings=_ASKING)
@verb
def neighbours(
    word: Annotated[str, typer.Argument(help="A word.")],
    topn: TopnOption = 10,
    preset: PresetOption = None,
    vectors: FileOption = None,
    as_json: JsonOption = False,
) -> None:
    """Find the words closest to a word."""
    results = opened(preset, vectors).neighbours(word, topn)
    if as_json:
        print_json({"query": word, "results": [result.to_dict() for result in results], "unknown": []})
    else:
        rows = [(result.word, number(result.score)) for result in results]
        print_table(("word", "cosine>"), rows, title=word)


@app.command(context_settings=_ASKING)
@verb
def analogy(
    expression: Annotated[
        str, typer.Argument(help='Such as "paris - france + spain" or "2*king - 1.5*man".')
    ],
    topn: TopnOption = 10,
    method: Annotated[str, typer.Option(help="add (3CosAdd) or multiply (3CosMul).")] = "add",
    allow_query_words: Annotated[
        bool, typer.Option("--allow-query-words", help="Words of the expression may be answers.")
    ] = False,
    expect: Annotated[
        str | None, typer.Option(metavar="WORD", help="Also give the rank of this word.")
    ] = None,
    explain: Annotated[
        bool, typer.Option("--explain", help="Also give what each term adds to each score.")
    ] = False,
    ignore_unknown: Annotated[
        bool, typer.Option("--ignore-unknown", help="Answer from the known words, and list the others.")
    ] = False,
    preset: PresetOption = None,
    vectors: FileOption = None,
    as_json: JsonOption = False,
) -> None:
    """Answer an expression over words."""
    result = opened(preset, vectors).analogy(
        expression,
        topn=topn,
        method=method,
        allow_query_words=allow_query_words,
        expected=expect,
        ignore_unknown=ignore_unknown,
    )
    if as_json:
        fields = ["query", "results", "unknown"]
        fields += ["expected", "expected_rank", "expected_score"] if expect is not None else []
        fields += ["method", "terms", "contributions"] if explain else []
        values = result.to_dict()
        print_json({field: values[field] for field in fields})
        return
    columns, rows = ["word", "score>"], [[found.word, number(found.score)] for found in result.results]
    if explain:
        columns += [f"{term.weight:+g} {term.word}>" for term in result.terms]
        for row, contributions in zip(rows, result.contributions, strict=True):
            row += [number(value) for value in contributions]
    print_table(columns, rows, title=expression)
    if expect is not None:
        rank = result.expected_rank or "none, it is a word of the expression"
        typer.echo(f"rank of {result.expected}: {rank}", err=True)
    if result.unknown:
        typer.echo(f"left out, unknown: {', '.join(result.unknown)}", err=True)


@app.command("odd-one-out")
@verb
def odd_one_out(
    words: Annotated[list[str], typer.Argument(help="Three or more words.")],
    preset: PresetOption = None,
    vectors: FileOption = None,
    as_json: JsonOption = False,
) -> None:
    """Find the word that fits least among some words."""
    result = opened(preset, vectors).odd_one_out(words)
    if as_json:
        print_json(result.to_dict())
    else:
        rows = [(score.word, number(score.score)) for score in result.scores]
        print_table(("word", "cosine with the mean>"), rows, title=f"odd one out: {result.word}")


@app.command("export")
@verb
def export_vectors(
    out: Annotated[Path, typer.Option(metavar="FILE", help="File to write.")],
    file_format: Annotated[str, typer.Option("--format", help="npz, text or binary (word2vec).")] = "npz",
    storage: Annotated[
        str, typer.Option(help="Numbers in an npz file: float32, float16 or int8.")
    ] = "float32",
    force: Annotated[bool, typer.Option("--force", help="Replace an existing file.")] = False,
    preset: PresetOption = None,
    vectors: FileOption = None,
    as_json: JsonOption = False,
) -> None:
    """Write the vectors to a file that gensim and others read."""
    application = opened(preset, vectors)
    application.export(out, file_format, storage=storage, overwrite=force)
    _report(application, out, file_format, as_json)


@app.command("import")
@verb
def import_vectors(
    file: Annotated[Path, typer.Argument(help="npz, word2vec text or word2vec binary.")],
    out: OutFolder,
    storage: Annotated[
        Literal["float32", "float16"], typer.Option(help="Numbers in the preset.")
    ] = "float32",
    licence: Annotated[str, typer.Option(help="Licence of the vectors, for the model card.")] = "not stated",
    force: Annotated[bool, typer.Option("--force", help="Replace an existing preset.")] = False,
    as_json: JsonOption = False,
) -> None:
    """Turn a vectors file into a preset folder, scored like all others."""
    if out.exists() and not force:
        raise InputError(f"{out} exists already", remedy="Choose another name or allow overwriting (--force)")
    check_replaceable(out)
    began = time.monotonic()
    application = Vectors.from_file(file)
    with progress_bar("scoring analogies", "questions") as progress:
        metrics = metrics_of(evaluate(application, progress=progress))
    said = card(__file__, "imported", source=file.name, licence=licence.strip() or "not stated")
    metadata = {
        "recipe": {"imported_from": file.name, "storage": storage},
        "seed": 0,
        "data": checksums_of(file),
        "seconds": time.monotonic() - began,
    }
    content = vectors_content(application.word_vectors, said, storage, metrics=metrics)
    save_vectors_preset(out, content, metadata)
    _report(application, out, "preset", as_json)


def _report(application: Vectors, out: Path, file_format: str, as_json: bool) -> None:
    words, dimensions = len(application.word_vectors), application.word_vectors.dimensions
    if as_json:
        print_json({"out": str(out), "format": file_format, "words": words, "dimensions": dimensions})
    else:
        print(f"{words} words of {dimensions} dimensions written to {out} ({file_format})")

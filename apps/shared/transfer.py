"""What word vectors from unlabelled text are worth to another task: tables that tagger and reviews both show."""

from __future__ import annotations

from dataclasses import replace
from math import hypot
from typing import Any

from apps.shared.language import N_
from apps.shared.reports import Stored
from apps.shared.tables import Column, Report, Rows, Table

EMBEDDINGS = {
    "random": N_("random"),
    "frozen": N_("word2vec, frozen"),
    "fine_tuned": N_("word2vec, fine-tuned"),
}
_COMMAND = "python -m benchmarks.embedding_transfer --task {} --store"
_ROWS = (Rows("cells.*", lambda row, _: EMBEDDINGS.get(row["embedding"], row["embedding"])),)
_SHARE = Column("% of labels", "share", "g")


def _difference(row: Stored) -> str | None:
    """Write the difference from random vectors of the same share; None for these themselves."""
    if row["embedding"] == "random":
        return None
    cells = [cell for _, cell in row.root.rows("cells.*")]
    start = next(cell for cell in cells if cell["embedding"] == "random" and cell["share"] == row["share"])
    found, deviation = row["mean"] - start["mean"], hypot(row["deviation"], start["deviation"])
    return f"{'≈ ' if abs(found) < 2 * deviation else ''}{found:+.2f}"


_SCORES = (
    Column("% right", "mean", ".2f", "% right"),
    Column("± s.d.", "deviation", ".2f"),
    Column("against random", _difference),
)
TAGS = Table(
    "embedding_transfer_tags",
    _COMMAND.format("tags"),
    "embeddings",
    (
        _SHARE,
        Column("sentences", "sentences", ","),
        *_SCORES,
        Column(
            "% right, new words", "unknown_mean", ".2f", "% right, words not among the training sentences"
        ),
    ),
    _ROWS,
    "A small BiLSTM without characters, trained {cells.0.seeds} times on a part of the treebank's sentences and "
    "scored on its dev part; the standard deviation is that over the seeds. ≈ stands before a difference of less than "
    "two standard deviations: it tells nothing apart.",
)
REVIEWS = Table(
    "embedding_transfer_reviews",
    _COMMAND.format("reviews"),
    "embeddings",
    (_SHARE, Column("reviews", "documents", ","), *_SCORES),
    _ROWS,
    "Percent right of {cells.0.n:,} reviews, mean and standard deviation of {cells.0.seeds} seeds. ≈ stands "
    "before a difference of less than two standard deviations: it tells nothing apart.",
)


def by_share(report: Report) -> str:
    """Write a transfer table with a row for each start of the embeddings and columns for each share of the labels.

    Raises:
        InputError: The file of results is damaged.
    """
    table, count = report.table, report.table.columns[1]
    shares = sorted({line.row["share"] for line in report.lines})
    cells: dict[str, dict[str, Any]] = {}
    columns = []
    for line in report.lines:
        at = shares.index(line.row["share"])
        difference = _difference(line.row)
        told = line.row.values | {"difference": f" ({difference})" if difference else ""}
        cells.setdefault(line.label, {})[str(at)] = told
        if line.row["embedding"] == "random":
            header = f"{shares[at]:g} % ({count.cell(line.row)} {count.header})"
            columns.append(Column(header, f"{{{at}.mean:.2f}} ± {{{at}.deviation:.2f}}{{{at}.difference}}"))
            if table is TAGS:
                columns.append(Column("new words", f"{at}.unknown_mean", ".2f"))
    pivot = replace(table, columns=tuple(columns), rows=(Rows("*"),), facts=report.facts())
    return pivot.report(Stored(report.found.file, cells)).markdown()

"""What the benchmark of the laboratory measured and stored, beside what was asked for."""

from __future__ import annotations

from apps.shared.tables import Column, Rows, Table


def _amount(path: str) -> Column:
    return Column(path.replace("_", " "), lambda row: f"{row[path]:.3g} {row['unit']}")


BARS = Table(
    "laboratory",
    "python -m benchmarks.laboratory --store",
    "what",
    (_amount("measured"), _amount("bar"), _amount("goal"), Column("n", "n", ",")),
    (Rows("bars.*", lambda row, key: row["what"]),),
    "Medians of n runs of the laboratory, read from their events; of pages the 95th percentile of n. "
    "Threads: {settings.threads}; {settings.processor}.",
)

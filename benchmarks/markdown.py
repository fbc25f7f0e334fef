"""Tables and numbers in Markdown."""

from __future__ import annotations

from collections.abc import Sequence


def table(header: Sequence[str], rows: Sequence[Sequence[str]]) -> str:
    """Write a Markdown table, the first column to the left and the others to the right.

    Args:
        header: Names of the columns.
        rows: Cells of each row.

    Returns:
        The table without a final newline.
    """
    lines = [header, ["---", *["---:"] * (len(header) - 1)], *rows]
    return "\n".join(f"| {' | '.join(line)} |" for line in lines)


def number(value: float | None, form: str) -> str:
    """Write a number.

    Args:
        value: The number, or None where there is none.
        form: As ``format`` takes it.

    Returns:
        The number; a dash for None.
    """
    return "–" if value is None else format(value, form)

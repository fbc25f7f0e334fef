"""Tables of what commands stored, described as data: one description for README and docs, the page and the terminal."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from html import escape
from typing import Any, NamedTuple

from apps.shared.language import _
from apps.shared.reports import DASH, Escape, Stored, preset_installed, preset_scores, stored


@dataclass(frozen=True)
class Column:
    """One column of a table.

    Args:
        header: Name and unit.
        path: Of its values in a row, or a template of several, or a function of the row.
        form: Format of a number, or a function that writes it.
        title: Name and unit at the axis of its picture on the page; without one it has no picture.
        optional: Whether rows may lack it.
        readme: Whether README and docs show it; the page and the terminal always do.
    """

    header: str
    path: str | Callable[[Stored], Any]
    form: str | Callable[[float], str] = ""
    title: str = ""
    optional: bool = False
    readme: bool = True

    def value(self, row: Stored) -> Any:
        """Return the value in a row, None where there is none."""
        if callable(self.path):
            try:
                return self.path(row)
            except (LookupError, TypeError, AttributeError, ZeroDivisionError):
                raise row.damaged(self.header) from None
        if "{" in self.path:
            return row.text(self.path)
        return row.get(self.path) if self.optional else row[self.path]

    def cell(self, row: Stored) -> str:
        """Write the value in a row; a dash for None."""
        value = self.value(row)
        if value is None:
            return DASH
        try:
            return self.form(value) if callable(self.form) else format(value, self.form)
        except (TypeError, ValueError):
            raise row.damaged(str(self.path)) from None


BLANK = Column("", lambda row: None)


@dataclass(frozen=True)
class Rows:
    """Rows of a table.

    Args:
        pattern: Path with stars, as :meth:`Stored.rows` takes it.
        label: Template of the first cell with the names of the keys by number, or a function of row and keys.
        names: For each star what its keys are called, as :meth:`Stored.rows` takes it; in a table of presets the
            first ones are those of the presets.
        columns: Instead of those of the table; what is missing at the end is a dash.
        source: Other results that these rows come from, where they were stored.
        optional: Whether there may be none.
    """

    pattern: str
    label: str | Callable[..., str] = "{0}"
    names: tuple[Mapping[str, str], ...] = ()
    columns: tuple[Column, ...] = ()
    source: str = ""
    optional: bool = False


class Line(NamedTuple):
    """One row: the names of its keys, its first cell, what it is made of, and value and text of each further cell."""

    names: tuple[str, ...]
    label: str
    row: Stored
    values: tuple[Any, ...]
    cells: tuple[str, ...]


@dataclass(frozen=True)
class Table:
    """A table of what a command stored, for README and docs, the page, and the terminal.

    Args:
        name: Of the benchmark's results, or the kind of the presets.
        command: Measures it.
        header: Of the first column.
        columns: The others.
        rows: Where the rows come from.
        facts: How it was measured: a template, or a function of the values and of what is applied to texts in it.
        presets: Whose scores it shows; none for a benchmark.
        best_first: Whether the largest value of the first column comes first.
    """

    name: str
    command: str
    header: str
    columns: tuple[Column, ...]
    rows: tuple[Rows, ...]
    facts: str | Callable[[Stored, Escape], str] = ""
    presets: tuple[str, ...] = ()
    best_first: bool = False

    def of(self, preset: str) -> Report:
        """Read the scores of one preset.

        Raises:
            InputError: There is no such preset, or it is damaged or of another kind.
        """
        return replace(self, presets=(preset,)).report(preset_scores(preset, self.name))

    def read(self) -> Report | None:
        """Read what was stored; None where nothing was.

        Raises:
            InputError: It is damaged.
        """
        if self.presets:
            sources = [preset_scores(name, self.name) for name in self.presets if preset_installed(name)]
        else:
            sources = list(filter(None, [stored(self.name)]))
        return self.report(*sources) if sources else None

    def report(self, *sources: Stored) -> Report:
        """Fill the table.

        Raises:
            InputError: A value is missing or does not fit its format.
        """
        lines = [line for source in sources for part in self.rows for line in self._lines(part, source)]
        if self.best_first:
            lines.sort(key=lambda line: -line.values[0])
        return Report(self, sources[0], tuple(lines))

    def markdown(self, write: Callable[[Report], str] | None = None) -> str:
        """Write the table for README and docs, in another form by ``write``, or say which command measures it.

        Raises:
            InputError: What was stored is damaged.
        """
        report = self.read()
        if report is None:
            return f"_Not measured yet: run `{self.command}`._"
        return report.markdown() if write is None else write(report)

    def _lines(self, part: Rows, source: Stored) -> Iterable[Line]:
        own = (str(source.values["preset"]),) if self.presets else ()
        if part.source:
            source, own = stored(part.source), ()
        before = part.pattern.partition("*")[0].strip(".")
        if source is None or (part.optional and source.get(before) is None):
            return
        columns = part.columns or self.columns
        columns += (BLANK,) * (len(self.columns) - len(columns))
        for keys, row in source.rows(part.pattern, part.names[len(own) :]):
            keys = (*own, *keys)
            called = (*part.names, *({} for _ in keys))
            names = tuple(known.get(key, key) for key, known in zip(keys, called, strict=False))
            label = row.text(part.label, *names) if isinstance(part.label, str) else part.label(row, *names)
            values = tuple(column.value(row) for column in columns)
            yield Line(names, label, row, values, tuple(column.cell(row) for column in columns))


@dataclass(frozen=True)
class Report:
    """A filled table.

    Args:
        table: The table.
        found: The values, of the first preset where there are several.
        lines: The rows.
    """

    table: Table
    found: Stored
    lines: tuple[Line, ...]

    def facts(self, escape: Escape = str) -> str:
        """Write how it was measured, with texts escaped."""
        facts = self.table.facts
        return facts(self.found, escape) if callable(facts) else self.found.text(_(facts), escape=escape)

    def markdown(self) -> str:
        """Write the columns for README and docs, and how it was measured."""
        shown = [at for at, column in enumerate(self.table.columns) if column.readme]
        rows = [
            (self.table.header, *(self.table.columns[at].header for at in shown)),
            ("---", *("---:" for _ in shown)),
            *((line.label, *(line.cells[at] for at in shown)) for line in self.lines),
        ]
        facts = self.facts()
        return "\n".join(f"| {' | '.join(row)} |" for row in rows) + (f"\n\n{facts}" if facts else "")


def numbers(rows: Iterable[Sequence[object]]) -> str:
    """Write the numbers of a drawing as an attribute of its HTML, from where the picture's corner saves them."""
    return f'data-numbers="{escape(json.dumps([list(row) for row in rows]))}"'

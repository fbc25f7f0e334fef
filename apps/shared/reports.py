"""What commands measured and stored: one reader for the results of every benchmark and the scores of every preset."""

from __future__ import annotations

import json
import re
import string
from collections.abc import Callable, Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

from data_prep.errors import InputError
from models.presets.manifest import check_files, read_manifest
from models.presets.search import in_reach, resolve_preset
from models.presets.store import CONFIG, METRICS

RESULTS_DIR = Path(__file__).resolve().parents[2] / "benchmarks" / "results"
DASH = "–"
Escape = Callable[[str], str]  # of a text that Markdown could read as signs
_PATH = re.compile(r"(?P<keys>[^*/]*)(?:(?P<sign>[*/])(?P<number>[\d.]+))?")


class Stored:
    """Values of a JSON file by their path, such as ``"systems.lectern.words_per_second"``.

    A path has the keys with points between them, -1 for the last of a list; it can end in a factor
    (``"seconds/60"``, ``"share*100"``), and one that begins with a point begins at the root of the file.

    Args:
        file: What the values are called in messages.
        values: As JSON gave them.
        remedy: What to do where they are damaged.
        path: Of the values in the file.
        parent: What they stand in; None for the whole file.
    """

    def __init__(
        self,
        file: str,
        values: Any,
        remedy: str = "Run it again",
        path: str = "",
        parent: Stored | None = None,
    ) -> None:
        self.file, self.values, self.remedy, self.path = file, values, remedy, path
        self.parent, self.root = parent or self, self if parent is None else parent.root

    def __getitem__(self, path: str) -> Any:
        """Return a value.

        Raises:
            InputError: There is none.
        """
        if path.startswith("."):
            return self.root[path[1:]]
        keys, sign, number = _PATH.fullmatch(path).groups()
        value = self.values
        try:
            for key in filter(None, keys.split(".")):
                value = value[int(key) if isinstance(value, list) else key]
            if sign is None or value is None:
                return value
            return value / float(number) if sign == "/" else value * float(number)
        except (KeyError, IndexError, TypeError, ValueError):
            raise self.damaged(keys) from None

    def get(self, path: str, default: Any = None) -> Any:
        """Return a value, or the default where there is none."""
        try:
            return self[path]
        except InputError:
            return default

    def numbers(self, path: str) -> list[float]:
        """Return a list of numbers, or the values of a mapping.

        Raises:
            InputError: There is none, or something in it is no number.
        """
        found = self[path]
        values = list(found.values()) if isinstance(found, Mapping) else found
        if not isinstance(values, list) or not all(isinstance(value, int | float) for value in values):
            raise self.damaged(path)
        return values

    def rows(
        self, pattern: str, names: Sequence[Mapping[str, str]] = ()
    ) -> Iterator[tuple[tuple[str, ...], Stored]]:
        """Yield what a path with stars leads to, with the keys that the stars stand for.

        Args:
            pattern: Such as ``"networks.*.*"``.
            names: For each star, what its keys are called: others are left out, and their order counts. An empty
                mapping takes all.

        Raises:
            InputError: Before a star there is neither mapping nor list.
        """
        before, star, after = pattern.partition("*")
        at = self._inside(before.strip("."), self[before.strip(".")]) if before else self
        if not star:
            yield (), at
            return
        if not isinstance(at.values, dict | list):
            raise at.damaged("")
        there = at.values if isinstance(at.values, dict) else dict(enumerate(at.values))
        chosen = [key for key in names[0] if key in there] if names and names[0] else there
        for key in chosen:
            for keys, row in at._inside(str(key), there[key]).rows(after.strip("."), names[1:]):
                yield (str(key), *keys), row

    def text(self, template: str, *names: str, escape: Escape = str) -> str:
        """Fill a template such as ``"{0}: {seconds/60:.1f} minutes on {.settings.processor}"``, with names by number.

        ``escape`` is applied to texts; None is a dash.

        Raises:
            InputError: A value is missing or does not fit its format.
        """
        return _Filler(self, escape).vformat(template, names, {})

    def damaged(self, path: str) -> InputError:
        """Return the error of a value that is missing or does not fit."""
        where = ".".join(filter(None, (self.path, path)))
        return InputError(f"The results {self.file} lack {where or 'all values'}", remedy=self.remedy)

    def _inside(self, path: str, values: Any) -> Stored:
        return Stored(self.file, values, self.remedy, ".".join(filter(None, (self.path, path))), self)


class _Filler(string.Formatter):
    """Fills a template from stored values."""

    def __init__(self, stored: Stored, escape: Escape) -> None:
        self.stored, self.escape, self.last = stored, escape, ""

    def get_field(self, field_name: str, args: Sequence[Any], kwargs: Mapping[str, Any]) -> tuple[Any, str]:
        """Look a path or a number up."""
        self.last = field_name
        value = args[int(field_name)] if field_name.isdigit() else self.stored[field_name]
        return self.escape(value) if isinstance(value, str) else value, field_name

    def format_field(self, value: Any, form: str) -> str:
        """Format a value."""
        try:
            return DASH if value is None else format(value, form)
        except (TypeError, ValueError):
            raise self.stored.damaged(self.last) from None


def stored(name: str) -> Stored | None:
    """Read what a benchmark stored, such as ``"word2vec_vs_gensim"``; None where it has not run yet.

    Raises:
        InputError: The file is no JSON object.
    """
    path = RESULTS_DIR / f"{name}.json"
    if not path.is_file():
        return None
    try:
        results = json.loads(path.read_text(encoding="utf-8"))
        if not isinstance(results, dict):
            raise ValueError("no object")
    except ValueError as error:
        raise InputError(f"The results {path.name} are not JSON ({error})", remedy="Run it again") from error
    return Stored(path.name, results)


def preset_installed(preset: str) -> bool:
    """Say whether a preset of this name is in reach, whole or damaged, so that a page can do without it."""
    return preset in in_reach()


def preset_scores(preset: str, kind: str) -> Stored:
    """Read what a preset, by name or folder, says of itself; its weights are not opened.

    Returns:
        ``preset``, its name, and ``metadata``, ``metrics`` and ``config``, checked against the manifest.

    Raises:
        InputError: There is no such preset, it is damaged, or it is another kind of preset.
    """
    folder = resolve_preset(preset)
    metadata = read_manifest(folder)
    if metadata["kind"] != kind:
        raise InputError(f"The preset {folder} is of another kind", allowed=kind, received=metadata["kind"])
    check_files(folder, metadata, frozenset({CONFIG, METRICS}))
    metrics, config = (json.loads((folder / name).read_text(encoding="utf-8")) for name in (METRICS, CONFIG))
    values = {"preset": folder.name, "metadata": metadata, "metrics": metrics, "config": config}
    return Stored(f"of {folder}", values, "Make the preset again")

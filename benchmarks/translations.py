"""Gather the texts of pages, and keep their translations complete: one file a language, ``apps/shared/locale/de.po``.

    python -m benchmarks.translations                       takes new and changed texts over, compiles the .mo file
    python -m benchmarks.translations --check               changes nothing; exits with 1 where something is missing
    python -m benchmarks.translations --export FILE --of lesson_tensors exercises_tensors
    python -m benchmarks.translations --import FILE

A changed text keeps its old translation, marked as fuzzy: pages show English until the mark is removed in the .po
file, or the text is imported. FILE is JSON, text to translation, with both forms of a plural as a list; ``--of`` takes
parts of names of files, ``--todo`` leaves out what is translated. Texts are the arguments of ``_``, ``N_`` and
``ngettext``, headers and titles of tables, and what ``_TOML`` names.
"""

from __future__ import annotations

import argparse
import ast
import difflib
import io
import json
import re
import sys
import tomllib
from collections.abc import Collection, Iterator, Mapping, Sequence
from datetime import UTC, datetime
from pathlib import Path
from string import Formatter
from typing import Any

from babel.messages.catalog import Catalog, Message
from babel.messages.mofile import write_mo
from babel.messages.pofile import read_po, write_po

from apps.course.texts import NO_TEXTS as OF_LESSONS
from apps.lecture.topics import ROOT
from apps.shared.language import ENGLISH, LANGUAGES, LOCALE, each_text
from data_prep.files import write_bytes

Key = str | tuple[str, str]  # a text, or both forms of a text with a number
_CALLS = {"_": ((0,), ()), "N_": ((0,), ()), "ngettext": ((0, 1), ())}
_CALLS |= {"Column": ((0, 3), ("title",)), "Table": ((2, 5), ("header", "facts"))}
_EXAMPLES = frozenset({"try", "write", "read"})
# Of which files: names whose values are no texts; and names of tables whose own names are texts, or of more texts.
_TOML: Mapping[str, tuple[frozenset[str], frozenset[str]]] = {
    "apps/*/page.toml": (_EXAMPLES | {"text"}, _EXAMPLES),
    "apps/course/lesson_*.toml": (OF_LESSONS, frozenset()),
    "apps/course/exercises_*.toml": (frozenset(), frozenset()),
    "apps/course/answers.toml": (frozenset(), frozenset()),
    "apps/convolution/examples.toml": (frozenset({"values"}), frozenset()),
    "apps/laboratory/experiments.toml": (
        frozenset({"curve", "axis", "task", "recipe", "overrides", "options", "watch"}),
        frozenset(),
    ),
    "apps/laboratory/tasks.toml": (
        frozenset({"options", "recipe", "key", "option", "files", "set", "network_option"}),
        frozenset(),
    ),
    "apps/shared/leaderboard.toml": (frozenset({"command", "peers"}), frozenset()),
    "apps/tagger/tagset.toml": (frozenset({"families", "family", "example", "colour"}), frozenset()),
    "apps/reviews/examples.toml": (
        frozenset({"lines", "text", "meant", "reviews_imdb", "topics_bbc"}),
        frozenset({"reviews_imdb", "topics_bbc", "why"}),
    ),
    "apps/tagger/explain.toml": (frozenset({"key"}), frozenset()),
    "apps/tagger/page_text.toml": (frozenset({"default", "examples"}), frozenset({"examples"})),
    "apps/lecture/topics.toml": (
        frozenset({"key", "icon", "presets", "code", "tests", "query", "page"}),
        frozenset(),
    ),
}
_PLACES = re.compile(r"\$\$[^$]+\$\$|\$[^$]+\$|%?\{[^{}]*\}|<[A-Za-z][a-z_0-9]*>|`[^`]+`")
_WORDS_OF_FORMULAS = re.compile(r"\\(text|mathrm|operatorname)\{[^}]*\}")
_CLOSE = 0.75  # how much of a text may have changed until it counts as new
_DAY = datetime(2026, 1, 1, tzinfo=UTC)  # files do not tell when they were made: nothing changes by itself


def gathered() -> dict[Key, list[str]]:
    """Find all texts in the order of files; each with the files that have it, relative to the project."""
    found: dict[Key, list[str]] = {}
    files = [(path, _of_python(path)) for path in (*ROOT.glob("apps/**/*.py"), ROOT / "streamlit_app.py")]
    files += [(path, _of_toml(path, *told)) for pattern, told in _TOML.items() for path in ROOT.glob(pattern)]
    for path, keys in sorted(files, key=lambda one: one[0]):
        name = path.relative_to(ROOT).as_posix()
        for key in keys:
            places = found.setdefault(key, [])
            places += [] if name in places else [name]
    return found


def _of_python(path: Path) -> Iterator[Key]:
    """Texts of a module; a text that is put together before it is translated is an error."""
    for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
        if not isinstance(node, ast.Call) or getattr(node.func, "id", "") not in _CALLS:
            continue
        at, names = _CALLS[node.func.id]
        given = [node.args[place] for place in at if place < len(node.args)]
        given += [keyword.value for keyword in node.keywords if keyword.arg in names]
        texts = [one.value for one in given if isinstance(one, ast.Constant) and one.value]
        if node.func.id == "_" and any(isinstance(one, ast.JoinedStr) for one in given):
            raise SystemExit(f"{path}:{node.lineno}: an f-string cannot be translated; give values by name")
        counted = node.func.id == "ngettext"
        values = {keyword.arg for keyword in node.keywords} | ({"n"} if counted else set())
        named = {part[1].partition(".")[0] for text in texts for part in Formatter().parse(text) if part[1]}
        if node.func.id in ("_", "ngettext") and texts and values and None not in values and named != values:
            raise SystemExit(f"{path}:{node.lineno}: places {sorted(named)}, but values {sorted(values)}")
        yield from [tuple(texts)] if counted else texts


def _of_toml(path: Path, no_texts: frozenset[str], named: frozenset[str]) -> Iterator[Key]:
    content = tomllib.loads(path.read_text(encoding="utf-8"))
    found: list[str] = []
    each_text(content, lambda text: found.append(text) or text, no_texts)
    found += _names(content, named)
    yield from (text for text in found if re.search(r"[^\W\d_]", text))


def _names(found: Any, of: Collection[str]) -> Iterator[str]:
    """Names within the tables of these names, wherever they are."""
    for key, value in (
        found.items() if isinstance(found, dict) else enumerate(found if isinstance(found, list) else ())
    ):
        if key in of and isinstance(value, str | dict):
            yield from [value] if isinstance(value, str) else value
        yield from _names(value, of)


def updated(before: Catalog, texts: Mapping[Key, list[str]], language: str) -> Catalog:
    """Make a catalogue of these texts that keeps translations; those of changed texts become fuzzy."""
    after = Catalog(
        language,
        header_comment=f"# Texts of Lectern's pages: {LANGUAGES[language]}. See benchmarks/translations.py.",
        project="Lectern",
        msgid_bugs_address="none",
        version="1",
        creation_date=_DAY,
        revision_date=_DAY,
        last_translator="Lectern",
        language_team="Lectern",
        fuzzy=False,
    )
    known = {message.id: message for message in before if message.id and message.string}
    vanished = {_first(key): message for key, message in known.items() if key not in texts}
    for key, files in texts.items():
        message = known.get(key)
        flags = set(message.flags) & {"fuzzy"} if message else set()
        if message is None and (close := difflib.get_close_matches(_first(key), vanished, 1, _CLOSE)):
            message, flags = vanished[close[0]], {"fuzzy"}
        if message is not None and isinstance(message.id, str) != isinstance(key, str):
            message, flags = None, set()
        string = message.string if message else ("" if isinstance(key, str) else ("", ""))
        after.add(key, string, [(name, None) for name in files], flags=flags)
    return after


def _first(key: Key) -> str:
    return key if isinstance(key, str) else key[0]


def problems(catalog: Catalog, texts: Mapping[Key, list[str]]) -> list[str]:
    """Say what is missing, left over, fuzzy, or has other places or formulas than the English text."""
    found = {message.id: message for message in catalog if message.id}
    said = [f"missing: {_first(key)!r} of {texts[key][0]}" for key in texts if not _complete(found.get(key))]
    said += [f"no text of a page any more: {_first(key)!r}" for key in found if key not in texts]
    said += [f"fuzzy: {_first(key)!r}" for key, message in found.items() if message.fuzzy]
    for message in filter(_complete, found.values()):
        said += [
            f"other places or formulas: {key!r} and {string!r}"
            for key, string in zip(_forms(message.id), _forms(message.string), strict=False)
            if _places(key) != _places(string)
        ]
    return said


def _complete(message: Message | None) -> bool:
    return message is not None and all(_forms(message.string))


def _forms(text: Any) -> tuple[str, ...]:
    return (text,) if isinstance(text, str) else tuple(text)


def _places(text: str) -> set[str]:
    return {_WORDS_OF_FORMULAS.sub("", place) for place in _PLACES.findall(text)}


def compiled(catalog: Catalog) -> bytes:
    """The .mo file of a catalogue: without what is fuzzy."""
    file = io.BytesIO()
    write_mo(file, catalog)
    return file.getvalue()


def written(catalog: Catalog) -> bytes:
    """The .po file of a catalogue."""
    file = io.BytesIO()
    write_po(file, catalog, width=110, include_lineno=False)
    return file.getvalue()


def read(language: str) -> Catalog:
    """Read the .po file of a language; an empty catalogue where there is none."""
    path = LOCALE / f"{language}.po"
    if not path.is_file():
        return Catalog(language)
    with path.open("rb") as file:
        return read_po(file, language)


def exported(catalog: Catalog, of: Sequence[str], todo: bool) -> dict[str, str | list[str]]:
    """Texts of files, by parts of their names (none for all), to their translations so far."""
    return {
        _first(message.id): message.string if isinstance(message.id, str) else list(message.string)
        for message in catalog
        if message.id
        and (not of or any(name in place for name in of for place, _ in message.locations))
        and not (todo and _complete(message) and not message.fuzzy)
    }


def taken_over(catalog: Catalog, translations: Mapping[str, Any]) -> list[str]:
    """Put translations into a catalogue; say which were left out and why. Empty ones change nothing."""
    found, refused = {_first(message.id): message for message in catalog if message.id}, []
    for text, string in translations.items():
        message, forms = found.get(text), _forms(string)
        if not all(forms):
            continue
        if message is None:
            refused.append(f"no text of a page: {text!r}")
        elif len(forms) != len(_forms(message.string)) or any(_places(text) != _places(one) for one in forms):
            refused.append(f"other places or formulas: {text!r} and {string!r}")
        else:
            message.string = forms[0] if isinstance(message.id, str) else forms
            message.flags.discard("fuzzy")
    return refused


def main(arguments: Sequence[str] | None = None) -> int:
    """Run the command; see the top of the file."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument(
        "--check", action="store_true", help="change nothing, exit with 1 where something is missing"
    )
    parser.add_argument("--export", type=Path, metavar="FILE", help="write texts and translations as JSON")
    parser.add_argument(
        "--import", type=Path, metavar="FILE", dest="taken", help="take translations from JSON"
    )
    parser.add_argument(
        "--of", nargs="*", default=[], help="parts of names of files whose texts are exported"
    )
    parser.add_argument("--todo", action="store_true", help="export only what is not translated")
    parser.add_argument("--language", default="de", choices=[one for one in LANGUAGES if one != ENGLISH])
    asked = parser.parse_args(arguments)
    before, texts = read(asked.language), gathered()
    mo, po = (LOCALE / f"{asked.language}.{kind}" for kind in ("mo", "po"))
    if asked.check:
        said = problems(before, texts)
        said += [] if mo.is_file() and mo.read_bytes() == compiled(before) else [f"out of date: {mo.name}"]
        print("\n".join([*said, f"{len(texts)} texts, {len(said)} problems"]))
        return 1 if said else 0
    catalog = updated(before, texts, asked.language)
    refused = taken_over(catalog, json.loads(asked.taken.read_text(encoding="utf-8"))) if asked.taken else []
    write_bytes(po, written(catalog))
    write_bytes(mo, compiled(catalog))
    if asked.export:
        content = exported(catalog, asked.of, asked.todo)
        write_bytes(asked.export, json.dumps(content, ensure_ascii=False, indent=1).encode() + b"\n")
        print(f"{len(content)} texts in {asked.export}")
    said = problems(catalog, texts)
    print(
        "\n".join([*refused, f"{len(texts)} texts, {len(said)} are still missing, fuzzy or wrong (--check)"])
    )
    return 1 if refused else 0


if __name__ == "__main__":
    sys.exit(main())

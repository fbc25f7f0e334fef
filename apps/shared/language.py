"""The language of pages: their English texts are the keys, ``locale/<language>.po`` holds those of another language.

``python -m benchmarks.translations`` gathers the texts and compiles what is read here. Where no page asks (commands,
Python, notebooks) the language is English.
"""

from __future__ import annotations

import gettext
from collections.abc import Callable, Collection, Mapping
from functools import cache
from pathlib import Path
from string import Formatter
from typing import Any

ENGLISH = "en"
LANGUAGES = {ENGLISH: "English", "de": "Deutsch"}  # by key, as they call themselves
LOCALE = Path(__file__).with_name("locale")


class _Asked:
    """Tells the language of whoever looks now; pages set it, everything else stays English."""

    language: Callable[[], str] = staticmethod(lambda: ENGLISH)


def found_by(language: Callable[[], str]) -> None:
    """Let a function tell the language of whoever looks at a page now."""
    _Asked.language = staticmethod(language)


def language() -> str:
    """The language of whoever looks at a page now; English elsewhere."""
    return _Asked.language()


@cache
def _catalogue(of: str) -> gettext.NullTranslations:
    if of == ENGLISH:
        return gettext.NullTranslations()
    with (LOCALE / f"{of}.mo").open("rb") as file:
        return gettext.GNUTranslations(file)


def translated(text: str, to: str) -> str:
    """Translate a text; English where nobody has translated it."""
    return _catalogue(to).gettext(text) if text else text


def _(text: str, /, **values: Any) -> str:
    """Translate a text for whoever looks, and put values, where there are any, into its places ``{name}``."""
    text = translated(text, language())
    return _filled(text, values) if values else text


def ngettext(one: str, many: str, n: int, /, **values: Any) -> str:
    """Translate a text with the form that its number takes; the number is the value of ``{n}``."""
    return _filled(_catalogue(language()).ngettext(one, many, n), {"n": n, **values})


def grouped(value: Any, to: str, form: str = ",") -> str:
    """Write a number; outside of English a narrow space is between thousands: a comma would be that of decimals."""
    written = format(value, form)
    return written if to == ENGLISH or "," not in form else written.replace(",", "\u202f")


class _Thousands(Formatter):
    def format_field(self, value: Any, format_spec: str) -> Any:
        return grouped(value, language(), format_spec)


def _filled(text: str, values: Mapping[str, Any]) -> str:
    return _Thousands().vformat(text, (), values)


def N_(text: str) -> str:
    """Mark a text that is translated where it is shown, such as a constant."""
    return text


def each_text(found: Any, change: Callable[[str], str], but: Collection[str] = ()) -> Any:
    """Apply a function to every text of what a TOML file holds; values of the names ``but`` stay as they are."""
    if isinstance(found, str):
        return change(found)
    if isinstance(found, list):
        return [each_text(one, change, but) for one in found]
    if isinstance(found, dict):
        return {key: one if key in but else each_text(one, change, but) for key, one in found.items()}
    return found

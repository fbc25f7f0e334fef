"""The texts of the course by language, and how drawn values are put into them.

The texts of a module lie beside it in ``<module>.toml``, in English; ``apps.shared.language`` has the other languages.
``<name>`` in a text is the place of a value.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from functools import cache
from typing import Any

import numpy as np

from apps.shared.language import ENGLISH, LANGUAGES, each_text, grouped, translated
from data_prep.errors import InputError
from data_prep.files import toml_beside

# Of lessons: what is no text.
NO_TEXTS = frozenset({"key", "topics", "page", "values", "before", "kind", "answer", "allowed"})
_PLACE = re.compile(r"<([A-Za-z][a-z_0-9]*)>")


@cache
def texts_of(module: str, language: str = ENGLISH) -> Mapping[str, Any]:
    """The texts of a module of the course, such as ``"answers"``; an InputError where there is no such language."""
    if language not in LANGUAGES:
        raise InputError("There is no such language", allowed=", ".join(LANGUAGES), received=language)
    found = toml_beside(__file__, f"{module}.toml")
    no_texts = NO_TEXTS if module.startswith("lesson_") else ()
    return each_text(found, lambda text: translated(text, language), no_texts)


class Thousands(int):
    """A whole number that is written with its thousands apart, outside of formulas."""


def filled(template: str, values: Mapping[str, Any], language: str = ENGLISH) -> str:
    """Put values into the places of a text; every place has to have one. Plus and a negative number become minus."""

    def written(match: re.Match[str]) -> str:
        value = values[match[1]]
        return grouped(value, language) if isinstance(value, Thousands) else shown(value)

    text = _PLACE.sub(written, template).strip()
    return re.sub(r"([+-]) -(?=\d)", lambda match: {"+": "- ", "-": "+ "}[match[1]], text)


def shown(value: Any) -> str:
    """Write a value for people: numbers short, sizes with ×, arrays in LaTeX, words with spaces between them."""
    if isinstance(value, str):
        return value
    if isinstance(value, int | float | np.integer | np.floating):
        return _number(float(value))
    if isinstance(value, np.ndarray) and value.ndim == 2:
        rows = r" \\ ".join(" & ".join(map(shown, row)) for row in value)
        return rf"\begin{{pmatrix}} {rows} \end{{pmatrix}}"
    if isinstance(value, np.ndarray):
        return f"({', '.join(map(shown, value))})"
    if isinstance(value, tuple) and value and all(isinstance(one, int | np.integer) for one in value):
        return "×".join(map(str, value))
    if isinstance(value, tuple | list) and all(isinstance(one, str) for one in value):
        return " ".join(value)
    return str(value)


def _number(value: float) -> str:
    """Write a number with four digits; in LaTeX where it is very small."""
    if abs(value - round(value)) < 1e-9 * max(1.0, abs(value)) and (value == 0 or abs(value) > 0.5):
        return str(round(value))
    if abs(value) >= 1000:
        return f"{value:.1f}"
    mantissa, _, exponent = f"{value:.3g}".partition("e")
    return rf"{mantissa} \cdot 10^{{{int(exponent)}}}" if exponent else f"{value:.4g}"

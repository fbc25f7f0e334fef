"""The settings of a recipe as widgets: those that matter, with bounds and units, and all others."""

from __future__ import annotations

from math import floor, log10
from typing import Any

import streamlit as st

from apps.laboratory.offers import Main, Offer, checked_text
from apps.laboratory.settings import Setting, as_text, settings_of
from apps.shared.language import _
from apps.shared.page import plain

_COLUMNS = 3


def changes(offer: Offer, base: Any, where: str) -> tuple[str, ...]:
    """Draw the settings of a recipe; return what was changed, as ``key=value``.

    Raises:
        InputError: A text names a file that a visitor may not read.
    """
    settings = settings_of(base)
    main = [one for one in offer.settings if one.key in settings]
    found = {}
    for place, one in zip(_places(len(main)), main, strict=True):
        found[one.key] = _main(place, one, settings[one.key], where)
    others = [setting for key, setting in settings.items() if key not in found]
    with st.expander(_("All settings ({n} more)", n=len(others))):
        for place, setting in zip(_places(len(others)), others, strict=True):
            found[setting.key] = _other(place, setting, where)
    changed = []
    for key, text in found.items():
        if text != as_text(settings[key].value):
            changed.append(f"{key}={checked_text(text) if settings[key].free_text else text}")
    return tuple(changed)


def _places(count: int) -> list[Any]:
    """Return a place for each widget, row by row, so that they stand in order on a narrow screen too."""
    rows = [st.columns(_COLUMNS) for at in range(0, count, _COLUMNS)]
    return [place for row in rows for place in row][:count]


def _main(place: Any, main: Main, setting: Setting, where: str) -> str:
    """Draw one that matters; return its text."""
    label = f"{_(main.title)} ({_(main.unit)})" if main.unit else _(main.title)
    looks = {"key": f"{main.key} {where}", "help": plain(setting.help), "bind": "query-params"}
    if setting.choices or main.low is None or main.high is None:
        return _choice_or_text(place, label, setting, looks)
    kind = int if setting.whole else float
    value = None if setting.value is None else kind(setting.value)
    ends = [main.low, main.high, *([] if value is None else [value])]
    number = place.number_input(
        label, kind(min(ends)), kind(max(ends)), value, step=kind(main.step or _step(setting)),
        format="%d" if setting.whole else "%g", placeholder=_("usual"), **looks,
    )  # fmt: skip
    return as_text(number)


def _other(place: Any, setting: Setting, where: str) -> str:
    """Draw one of the others; return its text."""
    help_text = plain(_("{about} Allowed: {allowed}.", about=setting.help, allowed=setting.allowed).strip())
    looks = {"key": f"all {setting.key} {where}", "help": help_text}
    return _choice_or_text(place, setting.key, setting, looks)


def _choice_or_text(place: Any, label: str, setting: Setting, looks: dict[str, Any]) -> str:
    text = as_text(setting.value)
    if setting.choices:
        return place.selectbox(label, setting.choices, setting.choices.index(text), **looks)
    return place.text_input(label, text, max_chars=300, **looks).strip()


def _step(setting: Setting) -> float:
    """Return how far one press goes: 1, or one digit of the value."""
    if setting.whole:
        return 1
    return 10.0 ** floor(log10(setting.value)) if setting.value else 0.01

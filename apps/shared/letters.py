"""A text whose tokens have colours, cards and clicks: a small component of the page.

What it sends back is a number from the visitor's browser: it counts only if it is the number of a token.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import streamlit as st

from apps.shared.language import _
from apps.shared.page import component
from apps.shared.style import palette

_letters = component("lectern_letters", __file__)


@dataclass(frozen=True)
class Letter:
    """A token on the page.

    Args:
        text: What is shown.
        colour: Of its ground, CSS; empty for none.
        note: Shown on a card when the mouse is on it; empty for none.
        marked: Whether it is underlined.
        against: Whether it has a dotted line below: what a colour of two sides says without colour.
    """

    text: str
    colour: str = ""
    note: str = ""
    marked: bool = False
    against: bool = False


def letters(
    tokens: Sequence[Letter],
    *,
    key: str,
    label: str,
    choice: str | None = None,
    quiet: int = 0,
    breaks: bool = True,
) -> None:
    """Draw a text, token by token.

    Args:
        tokens: Of the text.
        key: Its unique name on the page.
        label: What a screen reader says.
        choice: Name in the session's state that receives the number of a clicked token; None for a text that is only
            looked at.
        quiet: So many tokens at the start are shown pale and cannot be clicked.
        breaks: Whether line ends have a sign of their own.
    """
    notes = list(dict.fromkeys(token.note for token in tokens))
    number = {note: at for at, note in enumerate(notes)}

    def take() -> None:
        clicked = (st.session_state.get(key) or {}).get("click")
        if type(clicked) is int and quiet <= clicked < len(tokens) and choice is not None:
            st.session_state[choice] = clicked

    chosen = None if choice is None else st.session_state.get(choice)
    _letters(
        key=key,
        data={
            "tokens": [
                [token.text, token.colour, number[token.note], token.marked, token.against]
                for token in tokens
            ],
            "notes": notes,
            "label": label,
            "mark": palette().ours,
            "clicks": choice is not None,
            "chosen": -1 if chosen is None else chosen,
            "quiet": quiet,
            "breaks": breaks,
        },
        on_click_change=take,
    )


def shown(token: str) -> str:
    """Write a token so that it can be seen, for axes and buttons: white space and what has no glyph by name."""
    names = {" ": _("␣ space"), "\n": _("↵ line end"), "\t": _("⇥ tab"), "": _("∅ nothing")}
    return names.get(token) or (token if token.isprintable() else ascii(token)[1:-1])

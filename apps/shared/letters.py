"""A text whose tokens have colours, cards and clicks: a small component of the page.

What it sends back is a number from the visitor's browser: it counts only if it is the number of a token.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import streamlit as st

from apps.shared.style import palette

_HTML = '<div class="letters" tabindex="0" role="listbox"></div><div class="card" role="tooltip"></div>'
_CSS = """
:host { display: block; }
.letters { font-family: var(--st-code-font, monospace); font-size: .92rem; line-height: 1.55; white-space: pre-wrap;
  overflow-wrap: anywhere; color: var(--st-text-color); outline-offset: 4px; padding: .1rem .2rem; }
.letters span { cursor: pointer; border-radius: 2px; padding: .08em 0; }
.letters span:hover { outline: 1px solid var(--st-text-color); }
.letters .quiet { cursor: default; opacity: .75; }
.letters .quiet:hover { outline: none; }
.letters .marked { border-bottom: 2px solid var(--mark); }
.letters .chosen { outline: 2px solid var(--mark); }
.letters .break { opacity: .35; }
.card { display: none; position: fixed; z-index: 100; max-width: min(22rem, 90vw); pointer-events: none;
  background: var(--st-background-color); color: var(--st-text-color); border: 1px solid var(--st-border-color);
  border-radius: .4rem; padding: .4rem .6rem; font: .82rem var(--st-font, sans-serif); white-space: pre-line;
  box-shadow: 0 4px 14px rgba(0,0,0,.18); }
"""
_JS = """
export default function ({ data, parentElement, setTriggerValue }) {
  const box = parentElement.querySelector('.letters');
  const card = parentElement.querySelector('.card');
  card.style.display = 'none';
  box.style.setProperty('--mark', data.mark);
  box.setAttribute('aria-label', data.label);
  const spans = data.tokens.map(([text, colour, note, marked], at) => {
    const span = document.createElement('span');
    const lines = text === '\\n' && data.breaks;
    span.textContent = lines ? '\\u21b5\\n' : text;
    if (colour) span.style.background = colour;
    if (lines) span.classList.add('break');
    if (marked) span.classList.add('marked');
    if (at < data.quiet) span.className = 'quiet';
    if (at === data.chosen) span.classList.add('chosen');
    span.dataset.at = at;
    span.dataset.note = note;
    return span;
  });
  box.replaceChildren(...spans);
  const of = (event) => event.target.closest && event.target.closest('span[data-at]');
  const choose = (at) => {
    if (!data.clicks || at < data.quiet || at >= spans.length) return;
    spans.forEach((span, number) => span.classList.toggle('chosen', number === at));
    setTriggerValue('click', at);
  };
  box.onclick = (event) => { const span = of(event); if (span) choose(Number(span.dataset.at)); };
  box.onkeydown = (event) => {
    const step = { ArrowRight: 1, ArrowLeft: -1 }[event.key];
    if (!step) return;
    event.preventDefault();
    const now = spans.findIndex((span) => span.classList.contains('chosen'));
    choose(now < 0 ? data.quiet : now + step);
  };
  box.onmouseover = (event) => {
    const span = of(event);
    const note = span && data.notes[Number(span.dataset.note)];
    card.style.display = note ? 'block' : 'none';
    if (!note) return;
    card.textContent = note;
    const place = span.getBoundingClientRect();
    const left = Math.min(place.left, window.innerWidth - card.offsetWidth - 8);
    const below = place.bottom + 6;
    const fits = below + card.offsetHeight < window.innerHeight;
    card.style.left = Math.max(8, left) + 'px';
    card.style.top = (fits ? below : place.top - card.offsetHeight - 6) + 'px';
  };
  box.onmouseleave = () => { card.style.display = 'none'; };
}
"""
_letters = st.components.v2.component("lectern_letters", html=_HTML, css=_CSS, js=_JS)


@dataclass(frozen=True)
class Letter:
    """A token on the page.

    Args:
        text: What is shown.
        colour: Of its ground, CSS; empty for none.
        note: Shown on a card when the mouse is on it; empty for none.
        marked: Whether it is underlined.
    """

    text: str
    colour: str = ""
    note: str = ""
    marked: bool = False


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

    chosen = st.session_state.get(choice) if choice is not None else None
    _letters(
        key=key,
        data={
            "tokens": [[token.text, token.colour, number[token.note], token.marked] for token in tokens],
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


def tint(colour: str, strength: float) -> str:
    """Make a colour see-through.

    Args:
        colour: ``#rrggbb``.
        strength: 0 to 1.

    Returns:
        A CSS colour; empty where nothing would be seen.
    """
    if strength < 0.02:
        return ""
    red, green, blue = (int(colour[at : at + 2], 16) for at in (1, 3, 5))
    return f"rgba({red},{green},{blue},{min(strength, 1.0):.2f})"


def shown(token: str) -> str:
    """Write a token so that it can be seen: white space and what has no glyph by name.

    Args:
        token: Its text.

    Returns:
        A name for axes and buttons.
    """
    names = {" ": "␣ space", "\n": "↵ line end", "\t": "⇥ tab", "": "∅ nothing"}
    return names.get(token) or (token if token.isprintable() else ascii(token)[1:-1])

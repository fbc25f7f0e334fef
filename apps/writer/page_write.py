"""Section "Write": text as it is written, what it copied, and every choice that was made on the way."""

from __future__ import annotations

import time
from dataclasses import dataclass, field
from html import escape
from typing import Any

import streamlit as st

from apps.shared import charts
from apps.shared.letters import Letter, letters, shown
from apps.shared.page import heavy_work, input_errors, plain, remembered
from apps.shared.style import palette
from apps.writer.application import Writer
from apps.writer.page_pieces import (
    SAID,
    before_and_after,
    copied_letters,
    example_buttons,
    linked,
    text_box,
    training_text_problem,
    unknown_choice,
)
from data_prep.errors import InputError

DEFAULT = "ROMEO:"
MOST_CHARACTERS, MOST_WRITTEN = 5_000, 20_000
_CHUNK = 16
_SECONDS_BETWEEN_DRAWINGS = 0.06  # the whole text is sent each time
_STATE, _CHOICE, _PROMPT = "writing", "chosen letter", "prompt to write from"
_GO_ON = 5  # alternatives that have a button


@dataclass
class Writing:
    """A text that is being written for one visitor.

    Args:
        prompt: The visitor's prompt.
        settings: As ``Writer.stream`` takes them.
        kept: What stands between the prompt and what is written now, after a letter was exchanged.
        text: What has been written so far, ``kept`` included.
        waiting: Whether writing has yet to begin; any click while it goes on ends it.
        whole: Whether it was written to its end.
        problem: Why it cannot be written; empty where it can.
        seconds: How long that took.
    """

    prompt: str
    settings: dict[str, Any]
    kept: str = ""
    text: str = field(default="", init=False)
    waiting: bool = field(default=True, init=False)
    whole: bool = field(default=False, init=False)
    problem: str = field(default="", init=False)
    seconds: float = field(default=0.0, init=False)


def show(writer: Writer, preset: str) -> None:
    """Draw the section."""
    _form()
    writing: Writing | None = st.session_state.get(_STATE)
    if writing is None:
        st.caption(
            "Choose a prompt and write. The text appears letter by letter and can be stopped at any time."
        )
        return
    if writing.waiting:
        _write(writer, writing)
    if writing.problem:
        st.error(plain(writing.problem), icon=":material/error:")
        return
    with input_errors():
        _result(writer, preset, writing)


def _form() -> None:
    with st.form("writing_form"):
        prompt = text_box("Prompt", _PROMPT, "prompt", DEFAULT, most=MOST_CHARACTERS, height=80)
        columns = st.columns([2, 3, 2], vertical_alignment="bottom")
        length = columns[0].number_input("Characters", 1, MOST_WRITTEN, 400, 50, **linked("length"))
        temperature = columns[1].slider("Temperature", 0.0, 2.0, 0.8, 0.05, **linked("temperature"))
        with st.expander("Options"):
            options = _options()
        pressed = columns[2].form_submit_button("Write", type="primary", width="stretch")
    example_buttons(SAID["write"], "take", _PROMPT)
    if pressed:
        settings = {"length": int(length), "temperature": float(temperature), **options}
        _begin(Writing(prompt, settings))


def _options() -> dict[str, Any]:
    columns = st.columns(4, vertical_alignment="bottom")
    top_k = columns[0].number_input("top-k", 0, 1000, 0, **linked("top_k"))
    top_p = columns[1].slider("top-p", 0.05, 1.0, 1.0, 0.05, **linked("top_p"))
    seed = columns[2].number_input("Seed", 0, 2**31 - 1, 1, **linked("seed"))
    stop = columns[3].text_input("Stop after", max_chars=100, **linked("stop"))
    return {
        "top_k": int(top_k) or None,
        "top_p": None if top_p >= 1.0 else float(top_p),
        "seed": int(seed),
        "stop": stop.replace("\\n", "\n") or None,
        "unknown": unknown_choice(),
    }


def _begin(writing: Writing) -> None:
    st.session_state.update({_STATE: writing, _CHOICE: None})


def _go_on(writing: Writing, at: int, token: str) -> None:
    """Write anew from a letter that was exchanged for another one."""
    _begin(Writing(writing.prompt, writing.settings, kept=writing.text[:at] + token))


def _go_on_writing(writing: Writing) -> None:
    """Write what was left when the visitor stopped."""
    left = writing.settings["length"] - (len(writing.text) - len(writing.kept))
    _begin(Writing(writing.prompt, {**writing.settings, "length": max(1, left)}, kept=writing.text))


def _write(writer: Writer, writing: Writing) -> None:
    """Write until the end, or until the visitor clicks: Streamlit then leaves this loop by itself."""
    writing.waiting = False
    controls, place = st.empty(), st.empty()
    controls.button("Stop writing", icon=":material/stop_circle:", key="stop writing")
    writing.text = writing.kept
    try:
        with heavy_work():
            begun = drawn = time.perf_counter()
            pieces = writer.stream(writing.prompt + writing.kept, chunk=_CHUNK, **writing.settings)
            for piece in pieces:
                writing.text += piece
                now = time.perf_counter()
                writing.seconds = now - begun
                if now - drawn > _SECONDS_BETWEEN_DRAWINGS:
                    place.html(_running(writing))
                    drawn = now
        writing.whole = True
    except InputError as error:
        writing.problem = str(error)
    controls.empty()
    place.empty()


def _running(writing: Writing) -> str:
    colours = palette()
    return (
        f'<div style="font-family:monospace;font-size:.92rem;line-height:1.55;white-space:pre-wrap;'
        f'overflow-wrap:anywhere;color:{colours.text}"><span style="opacity:.6">{escape(writing.prompt)}</span>'
        f'{escape(writing.text)}<span style="color:{colours.ours}">▌</span></div>'
    )


def _result(writer: Writer, preset: str, writing: Writing) -> None:
    left, right = st.columns([3, 2], gap="medium")
    with left:
        if writing.text or writing.whole:
            _written(writer, preset, writing)
        else:
            st.info("Stopped before the first character. Prompt and settings are as you left them.")
        if not writing.whole:
            st.button("Go on writing", on_click=_go_on_writing, args=(writing,), key="continue writing")
    with right, input_errors():
        _choice(writer, preset, writing)


def _written(writer: Writer, preset: str, writing: Writing) -> None:
    problem = training_text_problem(writer, preset)
    with st.container(border=True):
        if problem is None:
            report = writer.copies(writing.text)
            drawn = copied_letters(writing.text, report)
        else:
            drawn = [Letter(character) for character in writing.text]
        before = [Letter(character) for character in writing.prompt]
        label = "The text that was written"
        letters(before + drawn, key="written", label=label, choice=_CHOICE, quiet=len(before))
    if problem is None:
        st.markdown(" ".join(report.notes()))
    else:
        st.info(f"What is copied cannot be shown. {plain(problem)}")
    ended = "" if writing.whole else " Stopped."
    written = len(writing.text) - len(writing.kept)
    st.caption(
        f"{written:,} characters in {writing.seconds:.2f} s.{ended} Underlaid: copied from the training text; "
        "point at it for the source. Click a letter to see what else could have come there."
    )


def _choice(writer: Writer, preset: str, writing: Writing) -> None:
    """Draw the distribution at the chosen letter, or after the text."""
    chosen = st.session_state.get(_CHOICE)
    at = len(writing.text) if chosen is None else chosen - len(writing.prompt)
    actual = writing.text[at] if 0 <= at < len(writing.text) else None
    settings = writing.settings
    drawn_by = (settings[name] for name in ("temperature", "top_k", "top_p", "unknown"))
    following = remembered(preset, writer, "next_tokens", writing.prompt + writing.text[:at], *drawn_by)
    where = (
        "after the text" if actual is None else f"at letter {at + 1:,}, where “{plain(shown(actual))}” stands"
    )
    st.markdown(f"**What can come** {where}")
    charts.show(
        before_and_after(following, actual),
        "next letter",
        "Likeliest next characters, before and after temperature",
    )
    st.caption(
        f"Entropy: {following.bits:.2f} bits as the model says, {following.sampling_bits:.2f} bits as it is drawn at "
        f"temperature {settings['temperature']:g}."
    )
    st.markdown("**Go on from there with**")
    with st.container(horizontal=True, gap="xsmall"):
        for number, token in enumerate(following.tokens[:_GO_ON]):
            st.button(
                plain(shown(token.token)),
                key=f"go on {at} {number}",  # a late click must not go on from another letter
                on_click=_go_on,
                args=(writing, at, token.token),
                disabled=token.token == actual,
            )

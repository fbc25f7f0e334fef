"""Section "Write": text as it is written, what it copied, and every choice that was made on the way."""

from __future__ import annotations

import time
from dataclasses import dataclass
from html import escape
from typing import Any

import streamlit as st

from apps.shared import charts
from apps.shared.language import _
from apps.shared.letters import Letter, letters, shown
from apps.shared.page import example_buttons, heavy_work, input_errors, plain, remembered
from apps.shared.style import palette
from apps.writer.application import MAX_PROMPT, Writer
from apps.writer.page_pieces import (
    SAID,
    before_and_after,
    copied_letters,
    linked,
    linked_text,
    training_text_problem,
    unknown_choice,
)
from data_prep.errors import InputError

DEFAULT = "ROMEO:"
MOST_CHARACTERS, MOST_WRITTEN = 5_000, 20_000
_CHUNK = 16
_SECONDS_BETWEEN_DRAWINGS = 0.06  # the whole text is sent each time
_STATE, _ASKED, _CHOICE = "writing", "asked to write", "chosen letter"
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
    text: str = ""
    waiting: bool = True
    whole: bool = False
    problem: str = ""
    seconds: float = 0.0

    def before(self, end: int | None = None) -> str:
        """Return what is read before a place of the text, or before its end: as much as a writer reads at once."""
        return (self.prompt + self.text[:end])[-MAX_PROMPT:]


def opened(preset: str) -> Writer:
    """Open a writer that has written already: the first visitor does not wait for what is compiled once."""
    writer = Writer.from_preset(preset)
    writer.generator.opening(length=2)
    return writer


def show(writer: Writer, preset: str) -> None:
    """Draw the section."""
    _form()
    writing: Writing = st.session_state[_STATE]
    if writing.waiting:
        _write(writer, writing)
    if writing.problem:
        st.error(plain(writing.problem), icon=":material/error:")
        return
    left, right = st.columns([3, 2], gap="medium")
    with left, input_errors():
        _result(writer, preset, writing)
    with right, input_errors():
        _choice(writer, preset, writing)


def _form() -> None:
    with st.form("writing_form"):
        prompt = linked_text(_("Prompt"), "prompt", DEFAULT, most=MOST_CHARACTERS, height=80)
        columns = st.columns([2, 3, 2], vertical_alignment="bottom")
        length = columns[0].number_input(_("Characters"), 1, MOST_WRITTEN, 400, 50, **linked("length"))
        temperature = columns[1].slider(_("Temperature"), 0.0, 2.0, 0.8, 0.05, **linked("temperature"))
        with st.expander(_("Options")):
            options = _options()
        pressed = columns[2].form_submit_button(_("Write"), type="primary", width="stretch")
    example_buttons({name: {"prompt": text, _CHOICE: None} for name, text in SAID["write"].items()})
    asked = (prompt, {"length": length, "temperature": temperature, **options})
    if (
        pressed or st.session_state.get(_ASKED) != asked
    ):  # by the button, or by a link, an example or a lesson
        st.session_state.update({_ASKED: asked, _STATE: Writing(*asked)})
    if pressed:
        st.session_state[_CHOICE] = None


def _options() -> dict[str, Any]:
    columns = st.columns(4, vertical_alignment="bottom")
    top_k = columns[0].number_input(_("top-k"), 0, 1000, 0, **linked("top_k"))
    top_p = columns[1].slider(_("top-p"), 0.05, 1.0, 1.0, 0.05, **linked("top_p"))
    seed = columns[2].number_input(_("Seed"), 0, 2**31 - 1, 1, **linked("seed"))
    stop = columns[3].text_input(_("Stop after"), max_chars=100, **linked("stop"))
    return {
        "top_k": top_k or None,
        "top_p": None if top_p >= 1.0 else top_p,
        "seed": seed,
        "stop": stop.replace("\\n", "\n") or None,
        "unknown": unknown_choice(),
    }


def _begin(prompt: str, settings: dict[str, Any], kept: str = "") -> None:
    st.session_state.update({_STATE: Writing(prompt, settings, kept), _CHOICE: None})


def _write(writer: Writer, writing: Writing) -> None:
    """Write until the end, or until the visitor clicks: Streamlit then leaves this loop by itself."""
    writing.waiting = False
    controls, place = st.empty(), st.empty()
    controls.button(_("Stop writing"), icon=":material/stop_circle:", key="stop writing")
    writing.text = writing.kept
    try:
        with heavy_work():
            begun = drawn = time.perf_counter()
            for piece in writer.stream(writing.before(), chunk=_CHUNK, **writing.settings):
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
        f'overflow-wrap:anywhere;color:{colours.text}"><span style="opacity:.75">{escape(writing.prompt)}</span>'
        f'{escape(writing.text)}<span style="color:{colours.ours}">▌</span></div>'
    )


def _result(writer: Writer, preset: str, writing: Writing) -> None:
    written = len(writing.text) - len(writing.kept)
    if writing.text or writing.whole:
        _copied(writer, preset, writing)
        ended, letter = "" if writing.whole else " " + _("Stopped."), _by_letter(writer)
        st.caption(
            _(
                "{written:,} characters in {seconds:.2f} s.{ended} Underlaid: copied from the training "
                "text; point at it for the source.{click}",
                written=written,
                seconds=writing.seconds,
                ended=ended,
                click=" " + _("Click a letter to see what else could have come there.") if letter else "",
            )
        )
    else:
        st.info(_("Stopped before the first character. Prompt and settings are as you left them."))
    if not writing.whole:
        left = {**writing.settings, "length": max(1, writing.settings["length"] - written)}
        goes_on = (writing.prompt, left, writing.text)
        st.button(_("Go on writing"), on_click=_begin, args=goes_on, key="continue writing")


def _copied(writer: Writer, preset: str, writing: Writing) -> None:
    """Draw the text with its copied passages."""
    problem = training_text_problem(writer, preset)
    box = st.container(border=True)
    drawn = [Letter(character) for character in writing.text]
    if problem is None:
        report = writer.copies(writing.text)
        drawn = copied_letters(writing.text, report)
        st.markdown(" ".join(report.notes()))
    else:
        st.info(_("What is copied cannot be shown. {problem}", problem=plain(problem)))
    before = [Letter(character) for character in writing.prompt]
    label, choice = _("The text that was written"), _CHOICE if _by_letter(writer) else None
    with box:
        letters(before + drawn, key="written", label=label, choice=choice, quiet=len(before))


def _by_letter(writer: Writer) -> bool:
    """Whether writing can go on from any letter; within a word it cannot."""
    return writer.config.tokenizer == "char"


def _choice(writer: Writer, preset: str, writing: Writing) -> None:
    """Draw the distribution at the chosen letter, or after the text."""
    chosen = st.session_state.get(_CHOICE) if _by_letter(writer) else None
    at = len(writing.text) if chosen is None else max(0, chosen - len(writing.prompt))
    actual = writing.text[at] if 0 <= at < len(writing.text) else None
    settings = writing.settings
    drawn_by = (settings[name] for name in ("temperature", "top_k", "top_p", "unknown"))
    following = remembered(preset, writer, "next_tokens", writing.before(at), *drawn_by)
    where = (
        _("after the text")
        if actual is None
        else _("at letter {at:,}, where “{actual}” stands", at=at + 1, actual=plain(shown(actual)))
    )
    st.markdown(_("**What can come** {where}", where=where))
    charts.show(
        before_and_after(following, actual),
        "next letter",
        _("Likeliest next characters, before and after temperature"),
    )
    st.caption(
        _(
            "Entropy: {bits:.2f} bits as the model says, {sampling_bits:.2f} bits as it is drawn "
            "at temperature {temperature:g}.",
            bits=following.bits,
            sampling_bits=following.sampling_bits,
            temperature=settings["temperature"],
        )
    )
    if not _by_letter(writer):
        return
    st.markdown(_("**Go on from there with**"))
    with st.container(horizontal=True, gap="xsmall"):
        for number, token in enumerate(following.tokens[:_GO_ON]):
            st.button(
                plain(shown(token.token)),
                key=f"go on {at} {number}",  # a late click must not go on from another letter
                on_click=_begin,
                args=(writing.prompt, settings, writing.text[:at] + token.token),
                disabled=token.token == actual,
            )

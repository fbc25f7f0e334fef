"""Section "Quiz": the lecture's question, with the answer: is it a sample, held-out text, or the training text?"""

from __future__ import annotations

import secrets

import streamlit as st

from apps.shared.language import N_, _
from apps.shared.letters import Letter, letters
from apps.shared.page import heavy_work, input_errors, plain
from apps.shared.style import palette
from apps.writer.application import Writer
from apps.writer.page_pieces import SAID, training_text_problem
from apps.writer.quiz import KINDS, question
from apps.writer.results import Question

_BUTTONS = dict(zip(KINDS, (N_("Sample"), N_("Held-out text"), N_("Training text")), strict=True))
_SEED, _ANSWER, _SCORE = "quiz seed", "quiz answer", "quiz score"


def show(writer: Writer, preset: str) -> None:
    """Draw the section."""
    problem = training_text_problem(writer, preset)
    if problem is not None:
        st.info(_("The quiz needs the training text. {problem}", problem=plain(problem)))
        return
    st.markdown(_(SAID["quiz"]["about"]))
    with input_errors():
        seed = st.session_state.setdefault(_SEED, secrets.randbelow(2**31))
        with heavy_work():
            asked = _question(writer, preset, seed)
        with st.container(border=True):
            passage = [Letter(character) for character in asked.text]
            letters(passage, key="passage", label=_("The passage"), breaks=False)
        answer = st.session_state.get(_ANSWER) or None  # a lesson empties it
        with st.container(horizontal=True, gap="small"):
            for kind, label in _BUTTONS.items():
                st.button(
                    _(label),
                    key=f"quiz {kind}",
                    on_click=_answer,
                    args=(kind, asked.kind),
                    disabled=answer is not None,
                    type="primary" if answer == kind else "secondary",
                )
            if answer is not None:
                st.button(_("Next"), key="quiz next", on_click=_next, icon=":material/arrow_forward:")
        if answer is not None:
            _reveal(asked, answer)
    right, asked_so_far = st.session_state.get(_SCORE, (0, 0))
    if asked_so_far:
        st.caption(
            _(
                "{right} of {asked_so_far} right; guessing gets a third.",
                right=right,
                asked_so_far=asked_so_far,
            )
        )


@st.cache_data(show_spinner="Choosing a passage …", max_entries=64)
def _question(_writer: Writer, preset: str, seed: int) -> Question:
    return question(_writer, seed)


def _answer(given: str, true: str) -> None:
    right, asked = st.session_state.get(_SCORE, (0, 0))
    st.session_state.update({_ANSWER: given, _SCORE: (right + (given == true), asked + 1)})


def _next() -> None:
    st.session_state.update({_SEED: secrets.randbelow(2**31), _ANSWER: None})


def _reveal(asked: Question, answer: str) -> None:
    colours = palette()
    right = answer == asked.kind
    colour, verdict = (colours.positive, _("Right")) if right else (colours.negative, _("No"))
    st.html(
        f'<div style="font-size:1.1rem;color:{colours.text}"><b style="color:{colour}">{verdict}:</b> '
        f"{_('this is {what}.', what=_(SAID['quiz'][asked.kind]))}</div>"
    )
    origin = "" if asked.origin is None else " " + _("It stands at: {origin}.", origin=plain(asked.origin))
    st.markdown(
        _(
            "The longest passage that the training text holds too has **{longest}** characters; in "
            "held-out text of this length it has {usual:.0f} on average. Surprise to the writer: "
            "**{nats_per_character:.2f}** nats a character.{origin}",
            longest=asked.longest,
            usual=asked.usual,
            nats_per_character=asked.nats_per_character,
            origin=origin,
        )
    )

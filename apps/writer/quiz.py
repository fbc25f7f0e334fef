"""The quiz of the lecture: is a passage a sample, true text that was held out, or the training text?"""

from __future__ import annotations

import numpy as np

from apps.writer.application import Writer
from apps.writer.copies import described
from apps.writer.results import Question
from data_prep.errors import InputError

KINDS = ("sample", "held-out", "training")
_PASSAGE, _SHORTEST = 320, 120  # characters
_CONTEXT = 400  # true text that a sample goes on from
_TEMPERATURE = 0.8
_BORDERS = ("\n\n", "\n", " ")  # of speeches, or else of lines, or else of words


def question(writer: Writer, seed: int) -> Question:
    """Draw a passage of whole speeches or lines, with its answer; the same seed gives the same one.

    Raises:
        InputError: The text that the writer learned from cannot be had, or is too short for passages.
    """
    rng = np.random.default_rng(seed)
    kind = KINDS[int(rng.integers(len(KINDS)))]
    learned = writer.learned
    if len(learned.held_out) < 4 * _PASSAGE:
        raise InputError(
            "The text is too short for a quiz",
            allowed=f"{4 * _PASSAGE:,} characters or more that were held out",
            received=len(learned.held_out),
        )
    whole = learned.train if kind == "training" else learned.held_out
    start = _beginning(whole, int(rng.integers(_CONTEXT, len(whole) - 2 * _PASSAGE)))
    if kind == "sample":
        # It goes on after true text, so that it begins as the others do.
        context = whole[max(0, start - _CONTEXT) : start]
        written = writer.stream(context, length=_PASSAGE, temperature=_TEMPERATURE, seed=seed, unknown="map")
        text, origin = _ended("".join(written).lstrip()[:_PASSAGE]), None
    else:
        place = learned.training_place if kind == "training" else learned.held_out_place
        text, origin = _ended(whole[start : start + _PASSAGE]), described(place(start))
    copied = writer.copies(text)
    nats = writer.score(text, unknown="map").nats_per_character
    return Question(text, kind, nats, copied.longest, copied.held_out.mean_longest, origin)


def _beginning(text: str, position: int) -> int:
    """Return where the next speech begins, or the next line, or else the position itself."""
    for mark in _BORDERS:
        found = text.find(mark, position, position + _PASSAGE)
        if found >= 0:
            return found + len(mark)
    return position


def _ended(text: str) -> str:
    """Cut a passage after its last whole line, if that leaves enough."""
    for mark in _BORDERS:
        end = text.rfind(mark, _SHORTEST)
        if end >= 0:
            return text[:end]
    return text

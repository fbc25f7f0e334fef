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
_BREAK = "\n\n"


def question(writer: Writer, seed: int, *, temperature: float = 0.8) -> Question:
    """Draw a passage.

    Args:
        writer: It writes the samples.
        seed: The same seed gives the same passage.
        temperature: Of the samples.

    Returns:
        A passage of whole speeches or lines, with its answer.

    Raises:
        InputError: The text that the writer learned from cannot be had, or is too short for passages.
    """
    rng = np.random.default_rng(seed)
    kind = KINDS[int(rng.integers(len(KINDS)))]
    learned = writer.learned
    whole = learned.train if kind == "training" else learned.held_out
    if len(whole) < 4 * _PASSAGE:
        raise InputError(
            "The text is too short for a quiz",
            allowed=f"{4 * _PASSAGE:,} characters or more",
            received=len(whole),
        )
    start = _beginning(whole, int(rng.integers(_CONTEXT, len(whole) - 2 * _PASSAGE)))
    if kind == "sample":
        # It goes on after true text, so that it begins as the others do.
        context = whole[max(0, start - _CONTEXT) : start]
        text = "".join(
            writer.stream(context, length=_PASSAGE, temperature=temperature, seed=seed, unknown="map")
        )
        text, origin = _ended(text.lstrip("\n")), None
    else:
        text = _ended(whole[start : start + _PASSAGE])
        place = learned.training_place if kind == "training" else learned.held_out_place
        origin = described(place(start))
    longest = learned.meter.longest(text)
    usual = learned.baseline.compare(len(text), longest).mean_longest
    return Question(text, kind, writer.score(text, unknown="map").nats_per_character, longest, usual, origin)


def _beginning(text: str, position: int) -> int:
    """Return where the next speech begins, or the next line, or else the position itself."""
    for mark in (_BREAK, "\n", " "):
        found = text.find(mark, position, position + _PASSAGE)
        if found >= 0:
            return found + len(mark)
    return position


def _ended(text: str) -> str:
    """Cut a passage after its last whole line, if that leaves enough."""
    for mark in (_BREAK, "\n", " "):
        end = text.rfind(mark, _SHORTEST)
        if end >= 0:
            return text[:end]
    return text

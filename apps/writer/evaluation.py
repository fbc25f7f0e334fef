"""How good a writer is: its loss on text that it did not learn from, and what is stored of that."""

from __future__ import annotations

from typing import TYPE_CHECKING

from apps.writer.results import WriterEvaluation
from data_prep.errors import InputError

if TYPE_CHECKING:
    from apps.writer.texts import LearnedText
    from models.char_lm.language_model import LanguageModel

# A writer that learned inside the first 90 % only has not seen the last tenth either.
_UNSEEN = {"slice": ("slice", "last_tenth")}


def evaluate(model: LanguageModel, learned: LearnedText, split: str | None = None) -> WriterEvaluation:
    """Score the part that a split holds out, every character once, the state carried through.

    Args:
        model: The language model.
        learned: The text that it learned from.
        split: Row of ``data_prep.text.streams.SPLITS``; None takes that of the training.

    Returns:
        The loss.

    Raises:
        InputError: There is no such split, or the model learned from characters that it would score.
    """
    from apps.writer.preset import validation_score
    from data_prep.text.streams import SPLITS, split_text

    wanted = split or learned.split
    if wanted not in SPLITS:
        raise InputError("There is no such split", allowed=", ".join(SPLITS), received=wanted)
    allowed = _UNSEEN.get(learned.split, (learned.split,))
    if wanted not in allowed:
        raise InputError(
            f"The writer learned from text that the split {wanted} scores, so its loss there would flatter it",
            allowed=", ".join(allowed),
            received=wanted,
            remedy=f"Train one for that split: python -m apps writer fit --set split={wanted} --out FOLDER",
        )
    score, error, count = validation_score(model, split_text(learned.text, wanted))
    return WriterEvaluation(score, count, wanted, error, learned.name)

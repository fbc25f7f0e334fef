"""Other names for the speakers of a play."""

from __future__ import annotations

import numpy as np
import pytest

from data_prep.readers.plays import PlayText
from data_prep.text.speaker_names import SpeakerNames

PLAY = "".join(
    f"ROMEO:\nGood morrow, Juliet, on day {day}. Romeos are many.\n\n"
    f"JULIET:\nGood morrow, Romeo.\n\nFirst Citizen:\nHail to them, Romeo!\n\n"
    for day in range(40)
)


def renamed(text: str = PLAY, share: float = 1.0, seed: int = 0) -> str:
    return SpeakerNames(text, share).renamed(np.random.default_rng(seed))


def test_nothing_but_names_changes() -> None:
    text = renamed(share=0.5)
    assert text != PLAY
    old, new = PlayText(PLAY).speeches, PlayText(text).speeches
    assert len(old) == len(new)
    for one, other in zip(old, new, strict=True):
        before, after = PLAY[one.words_start : one.end].split(), text[other.words_start : other.end].split()
        kept = [word for word in before if not word.startswith(("Romeo", "Juliet"))]
        assert [word for word in kept if word not in after] == []
        assert "Romeos" in after or "Romeos" not in before, "only whole names are replaced"


def test_a_name_in_the_words_is_that_of_the_headings_of_its_stretch() -> None:
    text = renamed()
    speeches = PlayText(text).speeches
    found = 0
    for romeo, juliet in zip(speeches[::3], speeches[1::3], strict=True):
        words = text[juliet.words_start : juliet.end]
        found += romeo.speaker.title() in words
    assert found >= len(speeches) // 3 - 10, "a stretch can end between the two"


def test_new_names_are_speakers_and_words() -> None:
    names = {speech.speaker for seed in range(10) for speech in PlayText(renamed(seed=seed)).speeches}
    assert names == {"ROMEO", "JULIET", "First Citizen", "THEM"}, (
        "of no other word all capitals are in the text"
    )


def test_draws_decide_the_names() -> None:
    assert renamed(seed=1) == renamed(seed=1) != renamed(seed=2)


@pytest.mark.parametrize(("text", "share"), [(PLAY, 0.0), ("No speaker here.\n", 1.0), ("", 1.0)])
def test_what_has_no_speakers_to_rename_stays(text: str, share: float) -> None:
    assert renamed(text, share) == text


def test_new_names_have_no_new_characters() -> None:
    assert set(renamed()) <= set(PLAY)

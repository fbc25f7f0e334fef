"""Texts made worse: how many letters are hit, what stays, and that a seed decides all."""

from __future__ import annotations

import numpy as np
import pytest
from rapidfuzz.distance import Levenshtein

from data_prep.text.contrasts import KINDS, contrasts
from data_prep.text.worse_texts import with_typos, without_punctuation

TEXT = "The Quick brown fox, 42 times, jumps over the lazy dog. " * 200


def typos(share: float, seed: int = 1) -> str:
    return with_typos(TEXT, share, np.random.default_rng(seed))


@pytest.mark.parametrize("share", [0.01, 0.03, 0.05])
def test_as_many_letters_are_hit_as_asked_for(share: float) -> None:
    letters = sum(map(str.isalpha, TEXT))
    edits = Levenshtein.distance(TEXT, typos(share))
    assert 0.85 * share < edits / letters < 1.45 * share  # an exchange counts as two edits


def test_a_seed_decides_and_none_asked_for_changes_nothing() -> None:
    assert typos(0.0) == TEXT
    assert typos(0.05) == typos(0.05) != typos(0.05, seed=2)


def test_words_stay_words_and_signs_stay() -> None:
    for seed in range(20):
        worse = typos(0.5, seed)
        assert len(worse.split()) == len(TEXT.split())
        assert [one for one in worse if not one.isalpha()] == [one for one in TEXT if not one.isalpha()]
    for seed in range(30):  # a word of one letter does not vanish
        assert with_typos("I", 1.0, np.random.default_rng(seed)).isupper()
    assert with_typos("", 1.0, np.random.default_rng(1)) == ""


def test_punctuation_is_left_out_and_apostrophes_stay() -> None:
    assert without_punctuation("“It's well-made,” she said: 7.5!") == "It's well-made she said 75"
    assert without_punctuation("...") == ""


def test_contrasts_are_sixty_templates_balanced_and_the_same_every_time() -> None:
    made = contrasts()
    assert made == contrasts() and len({one.template for one in made}) == 60
    assert len({one.text for one in made}) == len(made) == 3_600
    for kind in KINDS:
        labels = [one.label for one in made if one.kind == kind]
        assert len(labels) == 1_200 and labels.count("pos") == 600
    for template in range(60):
        assert [one.label for one in made if one.template == template].count("pos") == 30
    texts = {one.text: one.label for one in made}
    assert texts["It is not bad at all."] == "pos" and texts["It is not good at all."] == "neg"
    assert texts["I expected to love it."] == "neg" and texts["I expected to hate it."] == "pos"
    assert not any(set("{}") & set(text) for text in texts)

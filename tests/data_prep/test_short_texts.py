"""Short texts to learn from: pieces, adjectives that tell, sentences that share nothing with those of the scores."""

from __future__ import annotations

import re

import numpy as np
import pytest

from data_prep.errors import InputError
from data_prep.files import toml_beside
from data_prep.text import contrasts
from data_prep.text.short_texts import (
    KINDS,
    TEMPLATES,
    pieces,
    sentences,
    telling_adjectives,
)
from data_prep.text.text_inputs import EOS, SPECIALS, encode, learn_vocabulary
from data_prep.text.vocab import Vocabulary

ADJECTIVES = (
    ["lame", "trite", "wooden", "stale", "flat", "crude"],
    ["witty", "tender", "subtle", "moody", "sweet", "rich"],
)


def test_pieces_are_whole_sentences_in_their_order() -> None:
    vocabulary = Vocabulary(("a", "b", "c", ".", "!", "?"), specials=SPECIALS)
    text = "a b . a !?! b c a b c a b c . c c"
    document, rng = encode(text, vocabulary), np.random.default_rng(0)
    found = [pieces(document, vocabulary, 9, 6, rng) for _ in range(30)]
    words = {" ".join(vocabulary.decode(piece[:-1])) for some in found for piece in some}
    assert all(piece[-1] == EOS and piece.dtype == document.dtype for some in found for piece in some)
    # The sentence of eight words is too long, alone or in front of another one.
    assert words == {"a b .", "a ! ? !", "c c"} and max(map(len, found)) == 3
    assert "a b . a ! ? !" in {
        " ".join(vocabulary.decode(piece[:-1]))
        for _ in range(30)
        for piece in pieces(document, vocabulary, 9, 7, rng)
    }
    assert pieces(encode("a", vocabulary), vocabulary, 3, 9, rng) == []
    assert len(pieces(encode("a b", vocabulary), vocabulary, 3, 9, rng)) == 1


def test_adjectives_are_those_that_tell_labels_apart_without_the_words_of_the_scores() -> None:
    texts = ["It is very lame . So dull ! A very long film ."] * 6 + [
        "It is so witty . Very good . A very long film ."
    ] * 6
    vocabulary = learn_vocabulary(texts)
    documents = [encode(text, vocabulary) for text in texts]
    assert {"dull", "good"} <= contrasts.words()
    assert telling_adjectives(documents, np.repeat([0, 1], 6), vocabulary) == (["lame"], ["witty"])


def test_sentences_are_balanced_and_the_same_every_time() -> None:
    made = sentences(ADJECTIVES, 80, 1)
    assert made == sentences(ADJECTIVES, 80, 1) != sentences(ADJECTIVES, 80, 2)
    for kind in KINDS:
        assert [one.label for one in made if one.kind == kind] == [0, 1] * 10
    assert all("{" not in one.text and not one.text[0].islower() for one in made)
    plain = [
        one
        for one in sentences(ADJECTIVES, 4_000, 1)
        if one.kind == "plain" and re.fullmatch(r"\w+\.", one.text)
    ]
    assert plain and all(one.text[:-1].lower() in ADJECTIVES[one.label] for one in plain)
    words = [
        set(" ".join(one.text for one in sentences(ADJECTIVES, 400, 1, part)).lower().split())
        for part in ("train", "held_out")
    ]
    assert "subtle" not in " ".join(words[0]) and "witty" not in " ".join(words[1])
    with pytest.raises(InputError, match=r"too few adjectives.*two of each label.*\[1, 6\]"):
        sentences((ADJECTIVES[0][:1], ADJECTIVES[1]), 8, 1)


def test_an_stands_before_a_vowel() -> None:
    words = (["awful", "ugly", "useless"], ["artful", "even", "honest"])
    made = " ".join(one.text for one in sentences(words, 2_000, 1))
    assert " an awful " in made and " an ugly " in made and " a useless " in made
    assert not re.search(r"\ba (?:awful|ugly|artful)\b", made)


def _frame(template: str) -> list[str]:
    """The words of a template, whatever the adjective, and "it" or what stands for it."""
    template = re.sub(r"\{(?:very|end)\} ?", "", template.lower()).replace("{is}", "is")
    template = re.sub(r"\{(?:[ab]2?|[ab]v|word|other)\}", "*", template)
    return re.findall(r"\{\w+\}|\*|[\w']+", re.sub(r"\bit\b(?!\})", "{it}", template))


def _shared(one: list[str], other: list[str]) -> int:
    """The longest run of words of both."""
    runs, longest = [0] * (len(other) + 1), 0
    for word in one:
        runs = [0, *(before + 1 if word == own else 0 for before, own in zip(runs, other, strict=False))]
        longest = max(longest, *runs)
    return longest


def test_templates_and_words_are_not_those_that_classifiers_are_scored_by() -> None:
    scored = [_frame(one) for some in toml_beside(contrasts.__file__)["templates"].values() for one in some]
    assert _shared(["a", "b", "c", "x"], ["b", "c", "x", "y"]) == 3
    for template in (template for some in TEMPLATES.values() for template in some):
        frame = _frame(template)
        for other in scored:
            assert _shared(frame, other) < min(6, len(other)), f"{template}: {' '.join(other)}"
    made = {one.text.lower() for one in sentences(ADJECTIVES, 20_000, 3)}
    assert not made & {one.text.lower() for one in contrasts.contrasts()}
    words = set(re.findall(r"\w+", " ".join(made)))
    verbs_and_adjectives = contrasts.words() - {"like", "bad", "great", "good"}
    assert not words & verbs_and_adjectives

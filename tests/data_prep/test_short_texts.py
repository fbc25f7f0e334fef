"""Short texts to learn from: pieces, and sentences that share no template with those of the scores."""

from __future__ import annotations

import re

import numpy as np

from data_prep.files import toml_beside
from data_prep.text import contrasts, short_texts
from data_prep.text.short_texts import KINDS, LABELS, pieces, sentences, templates
from data_prep.text.text_inputs import EOS, SPECIALS, encode
from data_prep.text.vocab import Vocabulary

WORDS = {
    kind: {label: said.split() for label, said in some.items()}
    for kind, some in toml_beside(short_texts.__file__).items()
    if kind in ("adjectives", "verbs")
}


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


def test_words_are_of_one_label() -> None:
    for some in WORDS.values():
        assert sorted(some) == sorted(LABELS)
        words = [word for own in some.values() for word in own]
        assert len(words) == len(set(words)) > 30


def test_sentences_are_balanced_and_the_same_every_time() -> None:
    made = sentences(120, 1)
    assert made == sentences(120, 1) != sentences(120, 2)
    for kind in KINDS:
        times = 2 if kind == "saying" else 1
        assert [one.label for one in made if one.kind == kind] == [*[0] * times, *[1] * times] * 10
    assert all("{" not in one.text and not one.text[0].islower() for one in made)
    many = sentences(4_000, 1)
    plain = [one for one in many if one.kind == "plain" and re.fullmatch(r"\w+\.", one.text)]
    assert plain
    assert all(one.text[:-1].lower() in WORDS["adjectives"][LABELS[one.label]] for one in plain)


def test_an_stands_before_a_vowel() -> None:
    made = " ".join(one.text for one in sentences(20_000, 1))
    assert " an awful " in made and " an ugly " in made and " a useless " in made
    assert not re.search(r"\ba (?:awful|ugly|amazing)\b", made)


def test_what_is_held_out_is_not_in_what_is_learned() -> None:
    third = {word for own in WORDS["adjectives"].values() for word in own[2::3]}
    found = [
        {
            word
            for one in sentences(3_000, 1, part)
            if one.kind != "saying"
            for word in re.findall(r"\w+", one.text.lower())
        }
        for part in ("train", "held_out")
    ]
    assert third - {"nice"} <= found[1] and len(third & found[0]) < len(third) / 10


def test_sentences_of_other_origin_are_not_learned() -> None:
    learned = {one.lower() for label in LABELS for one in templates()[label]}
    scored = contrasts.other_origins()
    assert not {one.text.lower() for one in scored} & learned
    for origin in contrasts.ORIGINS:
        assert [one.label for one in scored if one.kind == origin].count("pos") == 150
    assert len(scored) == len({one.text for one in scored}) == 1_200


def test_a_saying_praises_or_blames() -> None:
    assert len({one for label in LABELS for one in templates()[label]}) == sum(
        len(templates()[label]) for label in LABELS
    )
    neg, pos = (len(templates()[label]) for label in LABELS)
    assert abs(neg - pos) < 0.03 * pos
    said = {one.text for one in sentences(6_000, 1) if one.kind == "saying"}
    assert len(said) > 1_700 and not any("{" in one for one in said)


_SCORED_WORDS = re.compile(rf"\b(?:{'|'.join(contrasts.words())})\b")


def _frame(template: str) -> list[str]:
    """The words of a template, whatever the word of praise or blame, and "it" or what stands for it."""
    template = re.sub(r"\{(?:very|end)\} ?", "", template.lower()).replace("{is}", "is")
    template = _SCORED_WORDS.sub("*", re.sub(r"\{(?:[ab]2?|[ab]v|word|other)\}", "*", template))
    return re.findall(r"\{\w+\}|\*|[\w']+", re.sub(r"\bit\b(?!\})", "{it}", template))


def _runs(frame: list[str], length: int) -> set[tuple[str, ...]]:
    return {tuple(frame[at : at + length]) for at in range(len(frame) - length + 1)}


def test_templates_are_not_those_that_classifiers_are_scored_by() -> None:
    scored = [_frame(one) for some in toml_beside(contrasts.__file__)["templates"].values() for one in some]
    assert _runs(["a", "b", "c"], 2) == {("a", "b"), ("b", "c")}
    forbidden = {run for frame in scored for run in _runs(frame, min(6, len(frame)))}
    lengths = {len(run) for run in forbidden}
    for template in (template for some in templates().values() for template in some):
        frame = _frame(template)
        assert not any(_runs(frame, length) & forbidden for length in lengths), template
    made = {one.text.lower() for one in sentences(20_000, 3)}
    assert not made & {one.text.lower() for one in contrasts.contrasts()}
    unseen = " ".join(one.text.lower() for one in sentences(20_000, 3, unseen=contrasts.words()))
    # Some of these stand in templates with another meaning: "like" as a preposition, "too good to be true".
    assert not set(re.findall(r"\w+", unseen)) & contrasts.words() - {"like", "bad", "great", "good"}

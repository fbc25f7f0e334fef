from __future__ import annotations

import itertools
import random

import pytest

from data_prep.errors import InputError
from data_prep.readers.conllu import Sentence, SurfaceToken, Word, read_ewt
from data_prep.text.conll_score import Score, score_raw_text


def sentence(*tokens, tag="X"):
    """Make a sentence of tokens: a string is a word, a tuple a multiword token's form and its words."""
    words, surface, at = [], [], 0
    for token in tokens:
        form, parts = token if isinstance(token, tuple) else (token, [token])
        first = len(words)
        words += [Word(part, tag, f"{tag}x", at, at + len(form)) for part in parts]
        surface.append(SurfaceToken(form, at, at + len(form), first, len(words) - 1, True))
        at += len(form) + 1
    return Sentence(" ".join(token.form for token in surface), tuple(words), tuple(surface))


def counts(score: Score) -> tuple[int, int, int]:
    return score.correct, score.gold, score.system


def test_a_treebank_against_itself_is_all_right():
    gold = [sentence("Dogs", ("don't", ["do", "n't"]), "bark", "."), sentence("No", ".")]
    scores = score_raw_text(gold, gold)
    assert {name: score.f1 for name, score in scores._asdict().items()} == dict.fromkeys(
        ("tokens", "sentences", "words", "upos", "xpos"), 100.0
    )
    assert counts(scores.words) == (7, 7, 7)
    assert counts(scores.tokens) == (6, 6, 6)


def test_precision_recall_and_f1():
    score = Score(correct=3, gold=4, system=6)
    found = score.to_dict()
    assert (found["precision"], found["recall"], found["f1"], score.f1) == (50.0, 75.0, 60.0, 60.0)
    assert Score(0, 0, 0).f1 == 0.0


def test_white_space_does_not_count():
    gold, system = [sentence("New", "York")], [sentence("New York")]
    scores = score_raw_text(gold, system)
    assert counts(scores.words) == (0, 2, 1)
    assert counts(scores.sentences) == (1, 1, 1)


def test_a_word_is_right_where_its_span_is():
    scores = score_raw_text([sentence("a", "bc", "d", "ef")], [sentence("a", "b", "c", "d", "e", "f")])
    assert counts(scores.words) == (2, 4, 6)


def test_a_sentence_is_right_with_both_ends():
    gold = [sentence("a", "."), sentence("b", "."), sentence("c", ".")]
    system = [sentence("a", "."), sentence("b", ".", "c", ".")]
    assert counts(score_raw_text(gold, system).sentences) == (1, 3, 2)


def test_words_of_a_multiword_token_align_by_form():
    gold = [sentence("I", ("don't", ["do", "n't"]), "know")]
    assert counts(score_raw_text(gold, [sentence("I", "do", "n't", "know")]).words) == (4, 4, 4)
    assert counts(score_raw_text(gold, [sentence("I", "don", "'t", "know")]).words) == (2, 4, 4)
    assert counts(score_raw_text(gold, [sentence("I", "don't", "know")]).words) == (2, 4, 3)


def test_forms_are_compared_in_lower_case():
    gold = [sentence(("DON'T", ["Do", "n't"]))]
    assert counts(score_raw_text(gold, [sentence("DO", "N'T")]).words) == (2, 2, 2)


def test_forms_that_are_not_pieces_of_their_token_align_too():
    gold = [sentence("vai", ("al", ["a", "il"]), "mare")]
    system = [sentence("vai", ("al", ["a", "lo"]), "mare")]
    scores = score_raw_text(gold, system)
    assert counts(scores.words) == (3, 4, 4)
    assert counts(scores.tokens) == (3, 3, 3)


def test_the_longest_common_subsequence_is_taken():
    gold = [sentence(("abcabc", ["a", "b", "c", "a", "b", "c"]))]
    system = [sentence(("abcabc", ["x", "c", "a", "b", "y"]))]
    assert counts(score_raw_text(gold, system).words) == (3, 6, 5)


def test_overlapping_multiword_tokens_are_one_region():
    gold = [sentence(("abc", ["a", "bc"]), "de", "f")]
    system = [sentence("a", ("bcd", ["bc", "d"]), "ef")]
    # The region is "abcd": a and bc are common to both; "ef" and "f" differ.
    assert counts(score_raw_text(gold, system).words) == (2, 4, 4)


def test_tags_count_on_aligned_words():
    gold = [sentence("a", "b", "c", tag="X")]
    system = [
        Sentence(
            "a bc",
            (Word("a", "X", "other", 0, 1), Word("bc", "X", "Xx", 2, 4)),
            (SurfaceToken("a", 0, 1, 0, 0, True), SurfaceToken("bc", 2, 4, 1, 1, True)),
        )
    ]
    scores = score_raw_text(gold, system)
    assert counts(scores.upos) == (1, 3, 2)
    assert counts(scores.xpos) == (0, 3, 2)


def test_another_text_is_refused():
    with pytest.raises(InputError, match="not the same text: they differ at character 2 ") as caught:
        score_raw_text([sentence("ab", "c")], [sentence("ab", "d")])
    assert caught.value.received == "d"


def brute_force_words(gold: list[Sentence], system: list[Sentence]) -> int:
    """Count aligned words where there are no multiword tokens: common spans."""

    def spans(sentences):
        found, at = set(), 0
        for one in sentences:
            for word in one.words:
                found.add((at, at + len(word.form)))
                at += len(word.form)
        return found

    return len(spans(gold) & spans(system))


@pytest.mark.parametrize("seed", range(20))
def test_without_multiword_tokens_alignment_is_equality_of_spans(seed):
    draw = random.Random(seed)
    text = "".join(draw.choice("abc") for _ in range(60))

    def cut():
        borders = sorted({0, len(text), *draw.sample(range(len(text)), 25)})
        pieces = [text[a:b] for a, b in itertools.pairwise(borders)]
        middle = draw.randrange(1, len(pieces))
        return [sentence(*pieces[:middle]), sentence(*pieces[middle:])]

    gold, system = cut(), cut()
    assert score_raw_text(gold, system).words.correct == brute_force_words(gold, system)


@pytest.mark.realdata
def test_the_treebank_against_itself(data_dir):
    dev = read_ewt("dev")
    scores = score_raw_text(dev, dev)
    assert counts(scores.words) == (25_147,) * 3
    assert counts(scores.sentences) == (2_001,) * 3
    assert scores.upos.f1 == scores.xpos.f1 == scores.tokens.f1 == 100.0

from __future__ import annotations

import textwrap
import time

import numpy as np
import pytest
import regex
from hypothesis import given, settings
from hypothesis import strategies as st

from data_prep.readers.conllu import parse_conllu, read_ewt
from data_prep.text.conll_score import score_raw_text
from data_prep.text.segmentation import (
    _CHARACTER,
    CHARACTER_IDS,
    INSIDE,
    LINE,
    LONGEST_SENTENCE,
    PADDING,
    SENTENCE_END,
    WORD_END,
    boundary_labels,
    character_ids,
    cut,
    is_space,
    raw_text,
    untagged_sentences,
)
from data_prep.text.segmentation_rules import segment_by_rules

AWKWARD = [
    "don't",
    "a\u0301",
    "\u0301",
    "👩‍👩‍👧",
    "🇺🇸",
    "\0",
    "\n\n",
    "\r\n",
    "\u2029",
    "שלום",
    "\ud800",
    "...",
    "\u200d",
]
TEXTS = st.lists(st.one_of(st.sampled_from(AWKWARD), st.text(max_size=5)), max_size=30).map("".join)

CONLLU = """\
# newdoc id = d
# text = I don't.
1\tI\t_\tPRON\tPRP\t_\t3\tnsubj\t_\t_
2-3\tdon't\t_\t_\t_\t_\t_\t_\t_\tSpaceAfter=No
2\tdo\t_\tVERB\tVBP\t_\t0\troot\t_\t_
3\tn't\t_\tPART\tRB\t_\t2\tadvmod\t_\t_
4\t.\t_\tPUNCT\t.\t_\t2\tpunct\t_\tSpaceAfter=No

# text = He al mare
1\tHe\t_\tPRON\tPRP\t_\t0\troot\t_\t_
2-3\tal\t_\t_\t_\t_\t_\t_\t_\t_
2\ta\t_\tADP\tIN\t_\t1\tcase\t_\t_
3\til\t_\tDET\tDT\t_\t1\tdet\t_\t_
4\tmare\t_\tNOUN\tNN\t_\t1\tobl\t_\t_

# newpar
# text = Yes
1\tYes\t_\tINTJ\tUH\t_\t0\troot\t_\t_
"""


def assert_covers(text, sentences):
    """Every visible character is in exactly one word, in order; nothing is empty."""
    assert all(sentences)
    words = [word for sentence in sentences for word in sentence]
    at = 0
    for word in words:
        assert not text[at : word.start].strip()
        assert word.start < word.end
        assert text[word.start : word.end] == word.text
        at = word.end
    assert not text[at:].strip()
    assert max(map(len, sentences), default=0) <= LONGEST_SENTENCE


def texts_of(sentences):
    return [[word.text for word in sentence] for sentence in sentences]


def labelled(text, labels):
    """Cut by a string of labels: "." inside, "w" word end, "s" sentence end."""
    assert len(text) == len(labels)
    return texts_of(cut(text, character_ids(text), np.array([".ws".index(label) for label in labels])))


def test_ids_are_one_a_character_and_never_padding():
    text = "Añ “x”\t\0😀\ud800\u2fff\u3000\u3001"
    ids = character_ids(text)
    assert ids.shape == (len(text),)
    assert ids.min() > PADDING
    assert ids.max() < CHARACTER_IDS
    assert is_space(ids).tolist() == [c.isspace() for c in text]


@pytest.mark.parametrize(
    ("typeset", "typed"), [("’", "'"), ("“", '"'), ("é", "e"), ("É", "E"), ("£", "$"), ("•", "*")]
)
def test_typeset_signs_count_as_those_of_the_keyboard(typeset, typed):
    assert character_ids(typeset) == character_ids(typed)


def test_signs_that_differ_have_their_own_ids():
    assert len(set(character_ids("aA1.,'\"-–—…\0жЖ中½§☺ ").tolist())) == 19


def test_a_wrapped_line_is_a_space_and_other_breaks_are_not():
    long = "word " * 15 + "word"  # 79 characters
    space, line, paragraph = (int(character_ids(text)[1]) for text in ("a b", "a\nb", "a\n\nb"))
    assert line == LINE
    assert len({space, line, paragraph}) == 3
    assert character_ids(f"{long}\nnext")[79] == space
    assert character_ids(f"{long[:59]}\nnext")[59] == line
    assert character_ids(f"{long[:60]}\nb")[60] == line  # "b" would have found a place
    assert character_ids(f"{'word ' * 30}\nnext")[150] == line
    assert (character_ids("a \r\n \t\nb")[1:-1] == paragraph).all()


@pytest.mark.parametrize("width", [72, 80, 100])
def test_ids_do_not_depend_on_wrapping(width):
    text = "One two three four five six seven eight nine ten, eleven twelve. " * 20
    lines = textwrap.fill(text, width)
    assert lines.count("\n") > 10
    assert (character_ids(lines) == character_ids(lines.replace("\n", " "))).all()


def test_cut_at_labels():
    assert labelled("ab c.", ".w.ws") == [["ab", "c", "."]]
    assert labelled("don't", ".w..s") == [["do", "n't"]]
    assert labelled("a.b.", "wsws") == [["a", "."], ["b", "."]]


def test_what_needs_no_labels():
    assert labelled("ab c\n\nd e", ".........") == [["ab", "c"], ["d", "e"]]
    assert labelled("a  b", "ssss") == [["a"], ["b"]]  # labels at spaces do not count


@pytest.mark.parametrize("character", ["e\u0301", "👍🏽", "👩‍👩‍👧", "🇺🇸", "☺️"])
def test_no_cut_inside_a_character(character):
    text = f"a{character}b"
    everywhere = "w" * (len(text) - 1) + "s"
    assert labelled(text, everywhere) == [["a", character, "b"]]
    assert labelled(text, "." * len(text)) == [[text]]


def test_a_mark_behind_a_space_stands_alone():
    assert labelled("a \u0301 b", "wwwws") == [["a", "\u0301", "b"]]


def test_endless_sentences_are_cut():
    text = "a " * 2500
    sentences = cut(text, character_ids(text), np.full(len(text), INSIDE))
    assert [len(sentence) for sentence in sentences] == [1000, 1000, 500]


@pytest.mark.parametrize("text", ["", " ", "\n \t\n", "\u2003"])
def test_nothing_to_cut(text):
    assert cut(text, character_ids(text), np.zeros(len(text), np.int8)) == []
    assert segment_by_rules(text) == []


@settings(max_examples=300, deadline=None)
@given(text=TEXTS, seed=st.integers(0, 2**32 - 1))
def test_any_labels_of_any_text_give_words_that_rebuild_it(text, seed):
    labels = np.random.default_rng(seed).integers(0, 3, len(text))
    assert_covers(text, cut(text, character_ids(text), labels))


@settings(max_examples=200, deadline=None)
@given(text=TEXTS)
def test_rules_rebuild_any_text(text):
    assert_covers(text, segment_by_rules(text))


@pytest.mark.parametrize("text", ["a" * 10**6, " " * 10**6, "\n" * 10**6, "a." * 500_000, "\u0301" * 10**6])
def test_a_megabyte_without_words_takes_linear_time(text):
    began = time.perf_counter()
    sentences = cut(text, character_ids(text), np.full(len(text), WORD_END))
    assert time.perf_counter() - began < 30
    assert sum(len(word.text) for sentence in sentences for word in sentence) == len("".join(text.split()))


def test_raw_text_of_a_treebank():
    gold = list(parse_conllu(CONLLU.splitlines()))
    text, words = raw_text(gold)
    assert text == "I don't.He al mare\n\nYes\n"
    assert texts_of(words) == [["I", "do", "n't", "."], ["He", "al", "al", "mare"], ["Yes"]]
    assert all(text[word.start : word.end] == word.text for sentence in words for word in sentence)
    labels = boundary_labels(len(text), words)
    assert "".join(".ws"[label] for label in labels) == "w..w..ws.w..w....s....s."
    assert labels[7] == SENTENCE_END


def test_raw_text_is_wrapped_at_spaces():
    gold = list(parse_conllu(CONLLU.splitlines())) * 20
    text, words = raw_text(gold, wrap=12)
    plain, same_words = raw_text(gold, wrap=None)
    assert max(map(len, text.split("\n"))) <= 12
    assert text.split() == plain.split()
    assert words == same_words
    assert text != plain


def test_cut_text_can_be_scored():
    gold = list(parse_conllu(CONLLU.splitlines()))
    text, words = raw_text(gold)
    found = untagged_sentences(text, cut(text, character_ids(text), boundary_labels(len(text), words)))
    assert [sentence.text for sentence in found] == ["I don't.", "He al mare", "Yes"]
    assert [sentence.space_after for sentence in found] == [False, True, True]
    scores = score_raw_text(gold, found)
    assert scores.sentences.f1 == 100.0
    assert (scores.words.correct, scores.words.gold, scores.words.system) == (7, 9, 8)


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("I don't. You can't!", [["I", "do", "n't", "."], ["You", "ca", "n't", "!"]]),
        ("I cannot, they’ll", [["I", "can", "not", ",", "they", "’ll"]]),
        ("Mr. Smith's e-mail", [["Mr.", "Smith", "'s", "e-mail"]]),
        ("a well-known U.S. firm", [["a", "well", "-", "known", "U.S.", "firm"]]),
        ("See http://a.org/x-y?z=1. Yes", [["See", "http://a.org/x-y?z=1", "."], ["Yes"]]),
        ("me@x.org paid $3.50 ... :-)", [["me@x.org", "paid", "$", "3.50", "...", ":-)"]]),
        (
            '"Go!" he said. (Now.) So',
            [['"', "Go", "!", '"', "he", "said", "."], ["(", "Now", ".", ")"], ["So"]],
        ),
    ],
)
def test_rules(text, words):
    assert texts_of(segment_by_rules(text)) == words


@pytest.mark.realdata
def test_gold_boundaries_of_the_treebank_give_its_words_and_sentences(data_dir):
    dev = read_ewt("dev")
    text, words = raw_text(dev)
    found = cut(text, character_ids(text), boundary_labels(len(text), words))
    assert found == words
    scores = score_raw_text(dev, untagged_sentences(text, found))
    assert scores.words.f1 == scores.sentences.f1 == 100.0


@pytest.mark.realdata
def test_rules_on_the_treebank(data_dir):
    dev = read_ewt("dev")
    text, _ = raw_text(dev)
    scores = score_raw_text(dev, untagged_sentences(text, segment_by_rules(text)))
    assert scores.words.f1 > 98
    assert scores.sentences.f1 > 78


def test_a_row_of_regional_indicators_takes_no_time_of_its_square() -> None:
    text = "\U0001f1e6" * 20_000
    begun = time.perf_counter()
    pairs = [match.span() for match in _CHARACTER.finditer(text)]
    assert time.perf_counter() - begun < 1.0 and pairs == [(at, at + 2) for at in range(0, 20_000, 2)]


@given(st.text("\U0001f1e6\U0001f1e9\u200d\u0301\ufe0f\U0001f468a \r\n", max_size=12))
def test_characters_are_those_of_the_standard(text: str) -> None:
    assert _CHARACTER.findall(text) == regex.findall(r"\X", text)

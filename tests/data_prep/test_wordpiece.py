from __future__ import annotations

from collections import Counter

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from data_prep.errors import InputError
from data_prep.readers.text import iter_lines
from data_prep.text.tokenizer import Token, WordTokenizer
from data_prep.text.vocab import Vocabulary
from data_prep.text.wordpiece import WordPieceTokenizer, learn_word_pieces
from tests.data_prep.tensorflow_text_paths import piece_keys

PIECES = [
    "un",
    "##aff",
    "##able",
    "##a",
    "a",
    "##ff",
    "e",
    "##e",
    "é",
    "##é",
    "i",
    "##\u0307",
    "##s",
    "t",
    ".",
    "s",
]


@pytest.fixture(scope="module")
def small() -> WordPieceTokenizer:
    return WordPieceTokenizer(Vocabulary(PIECES))


@pytest.fixture(scope="module")
def learned() -> WordPieceTokenizer:
    from gensim.test.utils import datapath

    counts = Counter(WordTokenizer().keys("\n".join(iter_lines(datapath("head500.noblanks.cor")))))
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr("data_prep.text.wordpiece._LEARNED_WORDS", 1500)
        return WordPieceTokenizer(learn_word_pieces(counts, 800))


def test_greedy_longest_match_with_spans(small):
    assert small.keys("Unaffable.") == ["un", "##aff", "##able", "."]
    assert small.tokenize("an Unaffable")[1:] == [Token("Un", 3, 5), Token("aff", 5, 8), Token("able", 8, 12)]


def test_unknown_word_is_one_piece_with_its_whole_span(small):
    assert small.keys("a axe") == ["a", "<unk>"]
    assert small.tokenize("a axe") == [Token("a", 0, 1), Token("axe", 2, 5)]
    assert small.keys("a" * 100 + " " + "a" * 101) == ["a"] + ["##a"] * 99 + ["<unk>"]
    assert small.keys("éa" + "a" * 98) == ["<unk>"]  # 101 bytes


def test_spans_where_the_key_has_another_length(small):
    # e + accent is one character of the key; İ is two.
    assert small.tokenize("ae\u0301s") == [Token("a", 0, 1), Token("e\u0301", 1, 3), Token("s", 3, 4)]
    assert small.tokenize("İs") == [Token("İ", 0, 1), Token("İ", 0, 1), Token("s", 1, 2)]
    assert small.keys("İs") == ["i", "##\u0307", "##s"]


@settings(max_examples=25, deadline=None)
@given(
    st.lists(
        st.text(st.one_of(st.sampled_from("unafbles.\u0301éİ t\0#🙂"), st.characters()), max_size=30),
        min_size=1,
        max_size=40,
    )
)
def test_tensorflow_text_agrees_on_arbitrary_unicode(small, texts):
    assert [small.keys(text) for text in texts] == piece_keys(texts, small.vocabulary)
    for text in texts:
        tokens = small.tokenize(text)
        assert all(text[token.start : token.end] == token.text for token in tokens)
        assert len(small.keys(text)) == len(tokens)


def test_tensorflow_text_agrees_on_bundled_text(learned):
    from gensim.test.utils import datapath

    lines = list(iter_lines(datapath("lee_background.cor")))
    ours = [learned.keys(line) for line in lines]
    assert ours == piece_keys(lines, learned.vocabulary)
    assert [len(learned.tokenize(line)) for line in lines] == list(map(len, ours))
    assert sum(map(len, ours)) > 50_000


@pytest.mark.realdata
@pytest.mark.slow
def test_tensorflow_text_agrees_on_a_hundred_thousand_lines(data_dir, learned):
    lines, seen = [], 0
    for line in iter_lines(data_dir / "wiki"):
        lines.append(line)
        if len(lines) == 10_000:
            assert [learned.keys(line) for line in lines] == piece_keys(lines, learned.vocabulary)
            seen, lines = seen + len(lines), []
        if seen == 100_000:
            return
    pytest.fail(f"only {seen} lines were compared")


def test_learned_vocabulary_cuts_new_words_and_keeps_its_size(learned):
    vocabulary = learned.vocabulary
    assert 600 < len(vocabulary) <= 800
    assert any(entry.startswith("##") and len(entry) > 3 for entry in vocabulary.entries)
    assert "<unk>" not in learned.keys("remarkableness")
    assert learned.decode(learned.keys("Remarkableness of\ntheories")) == "remarkableness of theories"


def test_decode():
    assert WordPieceTokenizer.decode(["un", "##aff", "##able", ",", "##s", "#", "##"]) == "unaffable ,s # ##"
    assert WordPieceTokenizer.decode(["##able"]) == "able"
    assert WordPieceTokenizer.decode([]) == ""


def test_case_is_an_option():
    vocabulary = Vocabulary(PIECES, specials=("<pad>", "<unk>", "<eos>"))
    assert WordPieceTokenizer(vocabulary, lower=False).keys("Una una") == ["<unk>", "un", "##a"]


@pytest.mark.parametrize(
    ("make", "message"),
    [
        (
            lambda: WordPieceTokenizer(Vocabulary(["a"], specials=())),
            "need a vocabulary with <pad> and <unk>",
        ),
        (lambda: WordPieceTokenizer(Vocabulary(["##"])), "piece that is empty"),
        (lambda: learn_word_pieces({}, 100), "no words to learn"),
        (lambda: learn_word_pieces({"low": 5, "newest": 6}, 4), "size is too small"),
    ],
)
def test_errors(make, message):
    with pytest.raises(InputError, match=message):
        make()

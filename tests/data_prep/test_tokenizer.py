from __future__ import annotations

import subprocess
import sys

import pytest
import regex
from hypothesis import given, settings
from hypothesis import strategies as st

from data_prep.readers.text import iter_lines
from data_prep.text.tokenizer import CharacterTokenizer, Token, WordTokenizer
from tests.data_prep import tensorflow_text_paths

HARD = [
    "",
    " \t\r\n",
    "Dogs bark.",
    "don't B2B 3.14 x²",
    "cafe\u0301 nai\u0308ve",
    "\u0301 mark first",
    "🙂👩‍👩‍👧 🇫🇷",
    "שלום עולם مَرْحَبًا",
    "a\0b\0\0",
    "İstanbul ΑΣ'Α ΟΔΟΣ ẞ ﬁ",
    "lone \ud800 surrogate",
    "日本語 テキスト ｶﾞ",
    "a\u2028b\u00a0c\u3000d\x1ce",
    "\U00032000 \U0001e5d0 \U0010ffff",  # assigned after Unicode 15, or not at all
]
# Letters, marks, digits and spaces of many scripts, more often than arbitrary code points.
unicode_text = st.text(
    st.one_of(
        st.characters(),
        st.characters(categories=("L", "M", "N", "Z")),
        st.sampled_from("aZ09 \n\0.'\u0301\u0308ΣςİI\ud800"),
    ),
    max_size=40,
)
word_tokenizers = [
    WordTokenizer(punctuation, lower) for punctuation in (True, False) for lower in (True, False)
]
all_tokenizers = [*word_tokenizers, CharacterTokenizer()]


def by_tensorflow_text(tokenizer: CharacterTokenizer | WordTokenizer, texts: list[str]) -> list[list[Token]]:
    if isinstance(tokenizer, WordTokenizer):
        return tensorflow_text_paths.words(texts, tokenizer.punctuation)
    return tensorflow_text_paths.characters(texts)


def assert_spans(text, tokens):
    assert all(text[token.start : token.end] == token.text != "" for token in tokens)
    borders = [border for token in tokens for border in (token.start, token.end)]
    assert borders == sorted(borders)


def keys_one_by_one(tokenizer, tokens):
    is_words = isinstance(tokenizer, WordTokenizer)
    return [tokenizer.key(token.text) if is_words else token.text for token in tokens]


def test_words_numbers_and_punctuation():
    assert WordTokenizer().tokenize("Dogs can't, 42!") == [
        Token("Dogs", 0, 4),
        Token("can", 5, 8),
        Token("'", 8, 9),
        Token("t", 9, 10),
        Token(",", 10, 11),
        Token("42", 12, 14),
        Token("!", 14, 15),
    ]
    assert WordTokenizer(punctuation=False).keys("Dogs can't, 42a!") == ["dogs", "can", "t", "42", "a"]


def test_decomposed_accent_stays_in_its_word_and_is_composed_in_the_key():
    tokenizer = WordTokenizer()
    assert tokenizer.tokenize("cafe\u0301s") == [Token("cafe\u0301s", 0, 6)]
    assert tokenizer.keys("CAFE\u0301S") == ["caf\u00e9s"]
    assert tokenizer.key("T\u0308") == "\u1e97"


def test_lower_is_an_option():
    assert WordTokenizer(lower=False).keys("The É") == ["The", "É"]
    assert CharacterTokenizer().keys("A\u212b") == ["A", "\u212b"]


@pytest.mark.parametrize("tokenizer", all_tokenizers, ids=lambda tokenizer: str(vars(tokenizer))[:40])
def test_tensorflow_text_agrees_on_hard_texts(tokenizer):
    light = [tokenizer.tokenize(text) for text in HARD]
    assert by_tensorflow_text(tokenizer, HARD) == light
    for text, tokens in zip(HARD, light, strict=True):
        assert_spans(text, tokens)
        assert tokenizer.keys(text) == keys_one_by_one(tokenizer, tokens)


@settings(max_examples=25, deadline=None)
@given(st.lists(unicode_text, min_size=1, max_size=40))
def test_tensorflow_text_agrees_on_arbitrary_unicode(texts):
    for tokenizer in (word_tokenizers[0], word_tokenizers[2], all_tokenizers[4]):
        light = [tokenizer.tokenize(text) for text in texts]
        assert by_tensorflow_text(tokenizer, texts) == light


@settings(max_examples=300, deadline=None)
@given(unicode_text)
def test_spans_and_keys_of_arbitrary_unicode(text):
    for tokenizer in all_tokenizers:
        tokens = tokenizer.tokenize(text)
        assert_spans(text, tokens)
        assert tokenizer.keys(text) == keys_one_by_one(tokenizer, tokens)
    assert "".join(token.text for token in CharacterTokenizer().tokenize(text)) == text
    covered = "".join(token.text for token in WordTokenizer().tokenize(text))
    assert covered == "".join(character for character in text if WordTokenizer().tokenize(character))


def test_every_class_of_code_points_has_the_same_borders_in_tensorflow_text():
    everything = "".join(map(chr, range(0x110000)))
    runs = regex.finditer(r"\p{L}+|\p{M}+|\p{N}+|\s+|\p{Cs}+|[^\p{L}\p{M}\p{N}\s\p{Cs}]+", everything)
    characters = [everything[at] for run in runs for at in (run.start(), run.end() - 1)]
    assert len(characters) > 3000
    # A letter before each: a mark joins it, so does a letter; the rest is a token of its own or none.
    texts = ["a" + character for character in characters]
    for tokenizer in (WordTokenizer(), WordTokenizer(punctuation=False)):
        assert by_tensorflow_text(tokenizer, texts) == [tokenizer.tokenize(text) for text in texts]


def bundled_lines():
    from gensim.test.utils import datapath

    return list(iter_lines(datapath("head500.noblanks.cor"))) + list(
        iter_lines(datapath("lee_background.cor"))
    )


@pytest.mark.parametrize("punctuation", [True, False])
def test_tensorflow_text_agrees_on_bundled_text(punctuation):
    lines = bundled_lines()
    tokenizer = WordTokenizer(punctuation=punctuation)
    light = [tokenizer.tokenize(line) for line in lines]
    assert sum(map(len, light)) > 50_000
    assert by_tensorflow_text(tokenizer, lines) == light


@pytest.mark.realdata
@pytest.mark.slow
@pytest.mark.parametrize(
    "tokenizer", [WordTokenizer(), WordTokenizer(punctuation=False)], ids=["all", "words"]
)
def test_tensorflow_text_agrees_on_a_hundred_thousand_lines(data_dir, tokenizer):
    lines, seen = [], 0
    for line in iter_lines(data_dir / "wiki"):
        lines.append(line)
        if len(lines) == 10_000:
            light = [tokenizer.tokenize(line) for line in lines]
            assert by_tensorflow_text(tokenizer, lines) == light
            assert [tokenizer.keys(line) for line in lines] == [
                [tokenizer.key(t.text) for t in row] for row in light
            ]
            seen += len(lines)
            lines = []
        if seen == 100_000:
            return
    pytest.fail(f"only {seen} lines were compared")


def test_tokenizers_do_not_load_tensorflow():
    code = (
        "import sys; from data_prep.text.tokenizer import WordTokenizer; WordTokenizer().tokenize('a b');"
        "import data_prep.batching, data_prep.datasets, data_prep.text.wordpiece;"
        "sys.exit('tensorflow' in sys.modules or 'pooch' in sys.modules)"
    )
    assert subprocess.run([sys.executable, "-c", code], check=False).returncode == 0

"""Words of ASCII texts, found by machine code, are those of all other texts."""

from __future__ import annotations

import numpy as np

from data_prep.text.text_inputs import SPECIALS, encode, keys_of
from data_prep.text.vocab import UNK, Vocabulary
from models.text_classifier.ascii_words import AsciiWords


def test_texts_in_ascii_are_encoded_as_all_others() -> None:
    words = ("good", "film", "3", "10", "!", "don", "'", "t", "a", "ab", "b", "été")
    vocabulary = Vocabulary(words, specials=SPECIALS)
    compiled = AsciiWords(vocabulary)
    rng = np.random.default_rng(0)
    texts = ["", "a", "Good FILM!! don't 10 3 103\t\x0bb\x1cab\x00", "<pad> <unk> goodfilm good3film"]
    texts += ["".join(map(chr, rng.integers(0, 128, 60))) for _ in range(20)]
    for text in texts:
        ids, known_words, unknown = compiled.read(text)
        np.testing.assert_array_equal(ids, encode(text, vocabulary))
        is_word = np.array([key[0].isalnum() for key in keys_of(text)], bool)
        assert (known_words, unknown) == (is_word.sum(), (is_word & (ids[:-1] == UNK)).sum())
        assert ids.dtype == np.int32

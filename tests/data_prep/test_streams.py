"""Splits, token streams and their windows."""

from __future__ import annotations

from itertools import pairwise

import numpy as np
import pytest

from data_prep.errors import InputError
from data_prep.text.streams import SPLITS, StreamWindows, learn_tokens, split_text, tokens_of
from data_prep.text.vocab import UNK

TEXT = "ROMEO:\nBut soft, what light?\n\nJULIET:\nAy me.\n" * 40


def test_an_epoch_can_have_a_form_of_its_own() -> None:
    ids = np.arange(40)
    windows = StreamWindows(ids, 2, 5, seed=3, varied=lambda epoch: 100 * epoch + np.arange(30 + 20 * epoch))
    plain = StreamWindows(ids, 2, 5, seed=3)
    for epoch in (1, 2):
        own, other = (np.concatenate([inputs for inputs, _ in w.epoch(epoch)]) for w in (windows, plain))
        assert own.shape == other.shape, "as many windows as the stream itself has"
        np.testing.assert_array_equal(own, 100 * epoch + other)


def test_last_tenth_is_nanogpts() -> None:
    parts = split_text(TEXT)
    border = int(0.9 * len(TEXT))
    assert parts.train == (TEXT[:border],)
    assert parts.validation == (TEXT[border:],)
    assert (parts.train_characters, parts.validation_characters) == (border, len(TEXT) - border)


def test_slice_leaves_the_last_tenth_out() -> None:
    text = "".join(chr(at) for at in range(1000, 3000))
    parts = split_text(text, "slice")
    assert "".join([*parts.train, *parts.validation]) == text[:1800]
    assert parts.validation_characters == 180


def test_char_rnn_takes_the_end_of_every_stream() -> None:
    text = "".join(map(chr, range(50 * 50 * 20 + 7)))
    parts = split_text(text, "char_rnn")
    assert [len(piece) for piece in parts.train] == [19 * 50] * 50
    assert [len(piece) for piece in parts.validation] == [50] * 50
    rows = [train + held_out for train, held_out in zip(*parts, strict=True)]
    assert "".join(rows) == text[: 50 * 50 * 20]


@pytest.mark.realdata
def test_parts_of_tiny_shakespeare(data_dir) -> None:
    text = (data_dir / "tinyshakespeare" / "input.txt").read_text(encoding="utf-8")
    assert split_text(text).validation_characters == 111_540
    char_rnn = split_text(text, "char_rnn")
    assert (char_rnn.train_characters, char_rnn.validation_characters) == (1_057_500, 57_500)
    assert len(learn_tokens(split_text(text).train).vocabulary) == 65 + 2


@pytest.mark.parametrize("split", SPLITS)
def test_parts_are_disjoint_and_in_order(split: str) -> None:
    text = "".join(chr(0x4E00 + at % 20_000) for at in range(6_000))
    parts = split_text(text, split)
    assert all(piece in text for part in parts for piece in part)
    assert parts.train_characters + parts.validation_characters <= len(text)
    assert min(parts.train_characters, parts.validation_characters) > 0


@pytest.mark.parametrize(
    ("text", "split", "message"),
    [
        ("a", "last_tenth", "too short to be split"),
        ("ab", "slice", r"too short to be split\. Allowed: 3 characters or more\. Received: 2"),
        ("a" * 2499, "char_rnn", "too short for char-rnn's split"),
        (TEXT, "random", "There is no such split"),
    ],
)
def test_texts_that_cannot_be_split(text: str, split: str, message: str) -> None:
    with pytest.raises(InputError, match=message):
        split_text(text, split)


def test_characters_come_back_exactly() -> None:
    tokens = learn_tokens([TEXT])
    ids = tokens.encode(TEXT)
    assert "".join(tokens.vocabulary.decode(ids)) == TEXT
    assert tokens.vocabulary.decode([tokens.start]) == ["\n"]
    assert tokens.encode("Ω")[0] == UNK


def test_words_and_pieces() -> None:
    words = learn_tokens([TEXT], "word", max_size=8)
    assert len(words.vocabulary) == 8 + 2
    assert words.vocabulary.decode([words.start]) == ["."]
    assert UNK in words.encode(TEXT)
    pieces = learn_tokens([TEXT], "piece", max_size=60, lower=True)
    ids = pieces.encode(TEXT)
    assert (ids != UNK).all()
    assert pieces.tokenizer.decode(pieces.vocabulary.decode(ids[:5])) == "romeo : but soft ,"


@pytest.mark.parametrize("kind", ["char", "word", "piece"])
def test_tokens_are_made_again_of_their_vocabulary(kind: str) -> None:
    tokens = learn_tokens([TEXT], kind, max_size=60)
    again = tokens_of(kind, tokens.vocabulary)
    np.testing.assert_array_equal(again.encode(TEXT), tokens.encode(TEXT))
    assert again.start == tokens.start


def test_a_text_without_a_line_break_starts_with_the_unknown_token() -> None:
    assert learn_tokens(["abc"]).start == UNK


def test_windows_carry_on_and_targets_are_one_later() -> None:
    ids = np.arange(100, 163, dtype=np.int32)
    windows = StreamWindows(ids, rows=3, length=4, seed=5)
    assert len(windows) == 5
    batches = list(windows.epoch(0))
    assert len(batches) == 5
    following = dict(zip(ids.tolist(), np.roll(ids, -1).tolist(), strict=True))
    for inputs, targets in batches:
        assert inputs.shape == targets.shape == (3, 4)
        for token, target in zip(inputs.flat, targets.flat, strict=True):
            assert following[int(token)] == target
    for (_, targets), (inputs, _) in pairwise(batches):
        np.testing.assert_array_equal(targets[:, -1], inputs[:, 0])
    read = np.concatenate([inputs for inputs, _ in batches], axis=1)
    np.testing.assert_array_equal(read[:-1, -1] + 1, read[1:, 0])
    assert len(set(read.flat)) == 60, "no token is read twice"


def test_epochs_begin_elsewhere_and_again_at_the_same_place() -> None:
    ids = np.arange(500)

    def first(seed: int, epoch: int) -> int:
        return int(next(iter(StreamWindows(ids, 2, 8, seed=seed).epoch(epoch)))[0][0, 0])

    assert first(1, 0) == first(1, 0)
    assert len({first(1, 0), first(1, 1), first(2, 0)}) == 3


def test_one_window_is_the_least() -> None:
    assert len(StreamWindows(np.arange(13), 3, 4)) == 1

from __future__ import annotations

from typing import NamedTuple

import numpy as np
import pytest

from data_prep.errors import InputError
from data_prep.readers.conllu import Word, plain_sentence
from data_prep.text.segmentation import CHARACTER_IDS, LINE, PADDING, SENTENCE_END, character_ids, is_space
from data_prep.text.segmentation_batches import Variations, documents, epoch_batches

AS_WRITTEN = Variations(0, 0, 0, 0, 0, 0, 0)


def sentence(text, **more):
    words, at = [], 0
    for form in text.split():
        start = text.index(form, at)
        at = start + len(form)
        words.append(Word(form, "X", "X", start, at))
    return plain_sentence(text, words, **more)


def treebank(count=30):
    return [sentence(f"Dogs -- number {number} -- bark ... loudly .") for number in range(count)]


class Batch(NamedTuple):
    ids: np.ndarray
    labels: np.ndarray

    @property
    def counts(self):
        return self.labels != -1


def batches(sentences, variations=AS_WRITTEN, *, window=100, batch=512, seed=1, epoch=0):
    settings = {"window": window, "batch": batch, "seed": seed, "epoch": epoch, "variations": variations}
    return [Batch(*one) for one in epoch_batches(documents(sentences), **settings)]


def rows(found):
    """Every window's ids without padding, as sorted tuples."""
    return sorted(tuple(row[row != PADDING].tolist()) for batch in found for row in batch.ids)


def test_documents_keep_text_space_and_labels():
    found = documents([sentence("A b .", space_after=False), sentence("C")])
    assert [[(piece.text, piece.space) for piece in document] for document in found] == [
        [("A b .", ""), ("C", "\n")]
    ]
    assert found[0][0].labels.tolist() == [1, 0, 1, 0, SENTENCE_END]


def test_every_sentence_comes_once_an_epoch():
    sentences = treebank()
    found = batches(sentences)
    assert sum(int((batch.labels == SENTENCE_END).sum()) for batch in found) == len(sentences)
    text = "".join(f"{one.text} " for one in sentences)
    characters = np.concatenate([np.array(row) for row in rows(found)])
    assert (
        np.bincount(characters, minlength=CHARACTER_IDS)
        - np.bincount(character_ids(text[:-1] + "\n"), minlength=CHARACTER_IDS)
        == 0
    ).all()


def test_shapes_masks_and_bounds():
    for batch in batches(treebank(), batch=512):
        assert batch.ids.shape == batch.labels.shape
        assert batch.ids.dtype == batch.labels.dtype == np.int32
        assert batch.ids.size <= 512
        assert batch.ids.shape[1] % 64 == 0
        np.testing.assert_array_equal(~batch.counts, (batch.ids == PADDING) | is_space(batch.ids))


def test_the_order_is_that_of_seed_and_epoch():
    one, same = batches(treebank(), Variations(), epoch=3), batches(treebank(), Variations(), epoch=3)
    assert all((a.ids == b.ids).all() for a, b in zip(one, same, strict=True))
    assert rows(one) != rows(batches(treebank(), Variations(), epoch=4))


def test_a_sentence_longer_than_the_window_stays_whole():
    found = batches([sentence("x " * 299 + "x"), sentence("y .")], window=50, batch=64)
    assert max(map(len, rows(found))) == 600


@pytest.mark.parametrize(
    ("share", "expected"),
    [
        ("lines", [*character_ids("A b .").tolist(), LINE]),
        ("lower", character_ids("a b . ").tolist()),
        ("stray_line", [*(LINE if i == 2 else i for i in character_ids("A b .").tolist()), 2]),
    ],
)
def test_variations(share, expected):
    found = batches([sentence("A b ."), sentence("C d .")], Variations(**{**vars(AS_WRITTEN), share: 1}))
    assert list(rows(found)[0][:6]) == expected


def test_capitals():
    found = batches([sentence("a b .")], Variations(**{**vars(AS_WRITTEN), "upper": 1}))
    assert list(rows(found)[0]) == character_ids("A B .\n").tolist()


def test_typeset_signs_take_the_place_of_typed_words():
    plain, varied = (batches(treebank(1), Variations(**{**vars(AS_WRITTEN), "typeset": s})) for s in (0, 1))
    before, after = (batch[0].labels[batch[0].counts] for batch in (plain, varied))
    assert len(before) - len(after) == 2 * 1 + 2  # two dashes and an ellipsis are one character each
    assert (before > 0).sum() == (after > 0).sum()
    ids = set(rows(varied)[0])
    assert int(character_ids("-")[0]) not in ids
    assert int(character_ids("…")[0]) in ids


def test_a_share_above_one_is_refused():
    with pytest.raises(InputError, match=r"lines does not fit. Allowed: less than or equal to 1"):
        Variations(lines=1.5)

from __future__ import annotations

import subprocess
import sys

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from data_prep.batching import (
    Taught,
    as_dataset,
    bucket_length,
    length_buckets,
    pad,
    pad_characters,
    rounded_labels,
)
from data_prep.errors import InputError
from data_prep.text.streams import StreamWindows


def test_pad_makes_values_and_mask():
    batch = pad([[5, 6], [], [7]])
    assert batch.values.tolist() == [[5, 6], [0, 0], [7, 0]] and batch.values.dtype == np.int32
    assert batch.mask.tolist() == [[True, True], [False, False], [True, False]]


def test_mask_comes_from_lengths_not_from_ids():
    assert pad([[0, 3], [0]], length=3).mask.tolist() == [[True, True, False], [True, False, False]]


def test_pad_images():
    images = [np.ones((2, 16, 8)), np.ones((3, 16, 8))]
    batch = pad(images, dtype=np.float32)
    assert batch.values.shape == (2, 3, 16, 8) and batch.values.dtype == np.float32
    assert batch.values[0, 2].sum() == 0 and batch.mask.sum() == 5


def test_pad_characters():
    sentences = [[[1, 2], [3]], [[4, 5, 6]], []]
    values = pad_characters(sentences, pad([[0] * len(sentence) for sentence in sentences]).mask)
    assert values.shape == (3, 2, 3) and values.dtype == np.int32
    assert values.tolist() == [[[1, 2, 0], [3, 0, 0]], [[4, 5, 6], [0, 0, 0]], [[0, 0, 0], [0, 0, 0]]]
    assert pad_characters([[]], pad([[]]).mask).tolist() == [[[0]]]


@pytest.mark.parametrize(("length", "padded"), [(0, 16), (1, 16), (16, 16), (17, 32)])
def test_bucket_length(length, padded):
    assert bucket_length(length) == padded


@settings(deadline=None)
@given(
    st.lists(st.integers(0, 50), max_size=300),
    st.integers(1, 20),
    st.none() | st.integers(1, 200),
)
def test_every_example_comes_once(lengths, batch_size, max_padded):
    batches = list(length_buckets(lengths, batch_size, max_padded=max_padded))
    assert sorted(at for batch in batches for at in batch) == list(range(len(lengths)))
    assert all(1 <= len(batch) <= batch_size for batch in batches)
    if max_padded is not None:
        padded = [len(batch) * max(lengths[at] for at in batch) for batch in batches]
        assert all(size <= max_padded or len(batch) == 1 for size, batch in zip(padded, batches, strict=True))


def test_buckets_depend_on_seed_and_epoch_alone_and_save_padding():
    lengths = np.random.default_rng(0).integers(1, 200, 5000)

    def order(**settings):
        return np.concatenate(list(length_buckets(lengths, 32, **settings))).tolist()

    assert order(seed=1, epoch=2) == order(seed=1, epoch=2)
    assert order(seed=1, epoch=2) != order(seed=1, epoch=3)
    assert order(seed=1, epoch=2) != order(seed=2, epoch=2)
    padded = sum(len(batch) * lengths[batch].max() for batch in length_buckets(lengths, 32))
    assert padded < 1.1 * lengths.sum()


# As an interrupted training leaves it: kept alive by a cycle, while its thread makes the next batch.
_HALF_READ = """
import time
import numpy as np
from data_prep.batching import as_dataset

def batches():
    while True:
        time.sleep(0.05)
        yield np.zeros(3, np.float32)

class Kept:
    def __init__(self):
        self.batches, self.itself = iter(as_dataset(batches)), self

next(Kept().batches)
"""


def test_a_program_ends_that_has_not_read_all_batches():
    done = subprocess.run([sys.executable, "-c", _HALF_READ], capture_output=True, text=True, timeout=120)
    assert done.returncode == 0, done.stderr


def test_as_dataset_gives_the_same_batches():
    sequences = [[1, 2, 3], [4], [5, 6]]

    def batches():
        for indices in length_buckets([3, 1, 2], 2):
            yield pad([sequences[at] for at in indices])

    dataset = as_dataset(batches)
    assert dataset.element_spec.values.shape.as_list() == [None, None]
    for _ in range(2):
        for ours, theirs in zip(batches(), dataset.as_numpy_iterator(), strict=True):
            assert np.array_equal(ours.values, theirs.values) and np.array_equal(ours.mask, theirs.mask)
    windows = StreamWindows(np.arange(31), 2, 5)
    fixed = as_dataset(lambda: windows.epoch(0), fixed_shapes=True)
    assert fixed.element_spec[0].shape.as_list() == [2, 5]
    assert len(list(fixed)) == len(windows)


@pytest.mark.parametrize(
    ("make", "message"),
    [
        (lambda: pad([]), "nothing to pad"),
        (lambda: pad([[1, 2, 3]], length=2), "longer than the batch"),
        (lambda: as_dataset(list), "no batches"),
    ],
)
def test_errors(make, message):
    with pytest.raises(InputError, match=message):
        make()


def test_labels_are_rounded_up_with_what_a_teacher_answers():
    labels = {"alone": np.arange(3), "chain": np.ones((2, 3), int)}
    answers = {name: np.zeros((*one.shape, 5)) for name, one in labels.items()}
    found = rounded_labels(Taught(labels, answers), -1, {1: 4}, alone={0: 8})
    assert found.labels["alone"].tolist() == [0, 1, 2, -1, -1, -1, -1, -1]
    assert found.labels["chain"].tolist() == [[1, 1, 1, -1]] * 2
    assert [found.answers[name].shape for name in ("alone", "chain")] == [(8, 5), (2, 4, 5)]
    assert np.isnan(found.answers["alone"][3:]).all() and not np.isnan(found.answers["alone"][:3]).any()

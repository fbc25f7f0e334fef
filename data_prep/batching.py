"""Sequences to batches: padding with the one mask, length buckets, batches prepared ahead.

Everything is NumPy and plain generators; ``as_dataset`` wraps a generator in ``tf.data``, which every Keras backend
reads, as the last step. The mask of a batch is made here, from lengths, and nowhere else.
"""

from __future__ import annotations

import atexit
import gc
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from itertools import chain
from typing import Any, NamedTuple

import numpy as np

from data_prep.errors import InputError
from data_prep.text.vocab import PAD

# Batches are sorted by length only within this many batches, so that every epoch mixes them anew.
_BATCHES_SORTED_TOGETHER = 64

Batch = tuple[dict[str, np.ndarray], Any]  # inputs and labels


class Padded(NamedTuple):
    """A padded batch: ``values`` (batch, time, ...) and ``mask`` (batch, time), True at real values."""

    values: np.ndarray
    mask: np.ndarray


class Taught(NamedTuple):
    """What a batch is to be learned by: its ``labels``, and the ``answers`` of a teacher as logits, NaN for none."""

    labels: Any
    answers: Any


def bucket_length(length: int, step: int = 16) -> int:
    """Round a length up to a multiple of ``step``, so that a compiled function meets few different shapes."""
    return max(step, -(-length // step) * step)


def pad(
    sequences: Sequence[Any], *, length: int | None = None, dtype: Any = np.int32, value: float = PAD
) -> Padded:
    """Pad sequences at their ends to one length and make their mask.

    Args:
        sequences: Arrays (time, ...) of any times, also 0, and one shape after the time: ids, or images of
            letters.
        length: The padded time; None takes the longest of the batch (at least 1).
        dtype: Type of the values.
        value: What stands after the end.

    Returns:
        Values (batch, time, ...) and mask (batch, time).

    Raises:
        InputError: If there are no sequences, or one is longer than ``length`` (nothing is cut).
    """
    arrays = [np.asarray(sequence, dtype) for sequence in sequences]
    if not arrays:
        raise InputError("There is nothing to pad", allowed="one sequence or more", received="none")
    lengths = np.array([len(array) for array in arrays])
    time = max(1, int(lengths.max())) if length is None else length
    if lengths.max() > time:
        raise InputError(
            "A sequence is longer than the batch", allowed=f"at most {time}", received=int(lengths.max())
        )
    # An empty list has no inner shape of its own.
    shape = next((array.shape[1:] for array in arrays if array.size), arrays[0].shape[1:])
    values = np.full((len(arrays), time, *shape), value, dtype)
    for row, array in enumerate(arrays):
        if array.size:
            values[row, : len(array)] = array
    return Padded(values, np.arange(time) < lengths[:, None])


def rounded_up(array: np.ndarray, steps: Mapping[int, int], value: float = PAD) -> np.ndarray:
    """Pad axes at their ends to multiples: ``{1: 16}`` makes the second one 16, 32, 48 ... long."""
    sizes = enumerate(array.shape)
    return np.pad(array, [(0, -size % steps.get(axis, 1)) for axis, size in sizes], constant_values=value)


def rounded_labels(labels: Any, value: float, steps: Mapping[int, int], **own: Mapping[int, int]) -> Any:
    """Pad labels, an array or arrays by name (``own`` steps), as :func:`rounded_up`; a teacher's answers with NaN."""
    if isinstance(labels, Taught):
        answers = rounded_labels(labels.answers, np.nan, steps, **own)
        return Taught(rounded_labels(labels.labels, value, steps, **own), answers)
    if isinstance(labels, Mapping):
        return {name: rounded_up(one, own.get(name, steps), value) for name, one in labels.items()}
    return rounded_up(labels, steps, value)


def pad_characters(sentences: Sequence[Sequence[Sequence[int]]], mask: np.ndarray) -> np.ndarray:
    """Pad the characters of words: int32 (batch, time, characters); ``mask`` is that of the words."""
    flat = pad([word for sentence in sentences for word in sentence] or [[]]).values
    values = np.full((*mask.shape, flat.shape[1]), PAD, np.int32)
    values[mask] = flat
    return values


def length_buckets(
    lengths: Sequence[int], batch_size: int, *, seed: int = 0, epoch: int = 0, max_padded: int | None = None
) -> Iterator[np.ndarray]:
    """Group examples of similar length; every example comes exactly once an epoch.

    Args:
        lengths: Length of each example.
        batch_size: The most examples in a batch.
        seed: With the epoch the only source of order: ``default_rng([seed, epoch])``.
        epoch: Number of the epoch; another one gives another order.
        max_padded: The most time steps of a batch, padding included; one longer example is a batch of its
            own.

    Yields:
        Indices of the examples of a batch, int64 (at most batch_size,).
    """
    sizes = np.asarray(lengths, np.int64)
    order, rng = np.arange(len(sizes)), np.random.default_rng([seed, epoch])
    rng.shuffle(order)
    together = batch_size * _BATCHES_SORTED_TOGETHER
    batches: list[np.ndarray] = []
    for start in range(0, len(order), together):
        part = order[start : start + together]
        batches.extend(_cut(part[np.argsort(sizes[part], kind="stable")], sizes, batch_size, max_padded))
    yield from (batches[at] for at in rng.permutation(len(batches)))


@dataclass(frozen=True, eq=False)
class Batches:
    """Examples in batches of similar length; without ``max_padded`` it has as many batches as its length says.

    Args:
        count: Examples in an epoch.
        batch_size: The most examples in a batch.
        seed: With the epoch the only source of all draws.
        draw: Gives the examples of an epoch, and the lengths that similar ones are put together by.
        batch: Makes a batch of some of these examples.
        max_padded: As for :func:`length_buckets`.
    """

    count: int
    batch_size: int
    seed: int
    draw: Callable[[np.random.Generator], tuple[Sequence[Any], Sequence[int]]]
    batch: Callable[[list[Any], np.random.Generator], Batch]
    max_padded: int | None = None

    def __len__(self) -> int:
        return -(-self.count // self.batch_size)

    def epoch(self, epoch: int) -> Iterator[Batch]:
        """Yield the inputs and labels of every batch of an epoch."""
        rng = np.random.default_rng([self.seed, epoch])
        examples, lengths = self.draw(rng)
        for chosen in self._buckets(lengths, epoch):
            yield self.batch([examples[at] for at in chosen], rng)

    def steps(self, epoch: int) -> int:
        """Return how many batches an epoch has."""
        _, lengths = self.draw(np.random.default_rng([self.seed, epoch]))
        return sum(1 for _ in self._buckets(lengths, epoch))

    def _buckets(self, lengths: Sequence[int], epoch: int) -> Iterator[np.ndarray]:
        size, most = self.batch_size, self.max_padded
        return length_buckets(lengths, size, seed=self.seed, epoch=epoch, max_padded=most)


def as_tuples(make_batches: Callable[[], Iterable[Any]]) -> Iterator[tuple[Any, ...]]:
    """Give batches as Keras reads them from a generator.

    Raises:
        InputError: If there is no batch.
    """
    found = iter(make_batches())
    if (first := next(found, None)) is None:
        raise _no_batches()
    return (batch if isinstance(batch, tuple) else (batch,) for batch in chain([first], found))


def _no_batches() -> InputError:
    return InputError("There are no batches to train on", remedy="Give more data")


def as_dataset(
    make_batches: Callable[[], Iterable[Any]], *, fixed_shapes: bool = False, prefetch: int = 2
) -> Any:
    """Wrap a generator of NumPy batches in ``tf.data`` with prefetch.

    Args:
        make_batches: Gives a fresh iterable of arrays, tuples or dicts of arrays, all of one structure.
        fixed_shapes: Whether all batches have the shape of the first; else only the number of axes is fixed.
        prefetch: Batches prepared ahead.

    Returns:
        A ``tf.data.Dataset``; a NamedTuple comes out as one.

    Raises:
        InputError: If there is no batch.
    """
    # Imported here: batches are used without TensorFlow too (one request).
    import tensorflow as tf

    first = next(iter(make_batches()), None)
    if first is None:
        raise _no_batches()

    def spec(array: Any) -> Any:
        array = np.asarray(array)
        return tf.TensorSpec(array.shape if fixed_shapes else [None] * array.ndim, array.dtype)

    signature = tf.nest.map_structure(spec, first)
    options = tf.data.Options()
    # There is nothing to tune, and an iterator that is dropped waits up to a minute for the thread that would.
    options.autotune.enabled = False
    # An iterator waits for its thread, which cannot come back once the interpreter has begun to end.
    atexit.unregister(gc.collect)
    atexit.register(gc.collect)
    dataset = tf.data.Dataset.from_generator(make_batches, output_signature=signature).prefetch(prefetch)
    return dataset.with_options(options)


def _cut(
    ordered: np.ndarray, sizes: np.ndarray, batch_size: int, max_padded: int | None
) -> Iterator[np.ndarray]:
    """Cut indices in order of length into batches of bounded number and bounded padded size."""
    start, most = 0, np.inf if max_padded is None else max_padded
    for end, size in enumerate(sizes[ordered[1:]].tolist(), start=1):
        if end - start == batch_size or (end - start + 1) * size > most:
            yield ordered[start:end]
            start = end
    yield ordered[start:]

"""Documents of all lengths to batches, and what share of a batch is padding with and without buckets of length."""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple

import numpy as np

from data_prep.batching import Batch, Batches, Taught, bucket_length, length_buckets, pad
from data_prep.errors import InputError

_LENGTH_STEP = 32  # lengths are rounded up to it, so that a compiled function meets few shapes
_SHORT_STEP = 8  # those up to one long step, of which padding would be most


class PaddedBatches(NamedTuple):
    """The length of each document of each batch, and the share of all places that is padding, 0 to 1."""

    batches: list[list[int]]
    share: float


def document_inputs(documents: Sequence[np.ndarray]) -> dict[str, np.ndarray]:
    """Pad what ``data_prep.text.text_inputs.Reading.inputs_of`` gives of documents to one batch.

    Returns:
        ``ids`` int32 (documents, steps) and ``mask`` bool of the same shape; steps are a multiple of 32, or of 8 up to
        there.

    Raises:
        InputError: There are no documents.
    """
    longest = max(map(len, documents), default=0)
    step = _LENGTH_STEP if longest > _LENGTH_STEP else _SHORT_STEP
    padded = pad(documents, length=bucket_length(longest, step))
    return {"ids": padded.values, "mask": padded.mask}


def document_batches(
    documents: Sequence[np.ndarray],
    labels: np.ndarray | Taught,
    batch_size: int,
    *,
    max_padded: int | None = None,
    seed: int = 0,
) -> Batches:
    """Give documents as batches to learn from, every one once an epoch; seed and epoch alone decide the order.

    Args:
        documents: What ``Reading.inputs_of`` gives of each.
        labels: Int (n,), or the probability of every label, float (n, labels); or ``Taught``, with logits of a teacher.
        batch_size: The most documents of a batch.
        max_padded: The most places of a batch, padding included; None for no limit.
        seed: With the epoch the only source of the order.

    Returns:
        Batches of inputs as :func:`document_inputs` gives them, and labels.

    Raises:
        InputError: There are no documents, or not as many labels.
    """
    count, lengths = len(documents), list(map(len, documents))
    labels, answers = labels if isinstance(labels, Taught) else (labels, None)
    if not count or count != len(labels):
        raise InputError("There is not one label for each document", allowed=str(count), received=len(labels))
    labels = np.asarray(labels, np.float32 if np.ndim(labels) == 2 else np.int32)

    def batch(rows: list[int], _: np.random.Generator) -> Batch:
        own = labels[rows] if answers is None else Taught(labels[rows], answers[rows])
        return document_inputs([documents[at] for at in rows]), own

    return Batches(count, batch_size, seed, lambda _: (range(count), lengths), batch, max_padded)


def padded_batches(lengths: Sequence[int], batch_size: int, seed: int = 0) -> dict[str, PaddedBatches]:
    """Put documents of these lengths into batches, ``"shuffled"`` in random order and ``"bucketed"`` by length.

    Raises:
        InputError: There are no documents.
    """
    sizes = np.asarray(lengths, np.int64)
    if not sizes.size:
        raise InputError("There are no documents", allowed="one or more")
    drawn = np.random.default_rng(seed).permutation(len(sizes))
    orders = {
        "shuffled": np.split(drawn, range(batch_size, len(drawn), batch_size)),
        "bucketed": length_buckets(lengths, batch_size, seed=seed),
    }
    found = {}
    for name, order in orders.items():
        batches = [sizes[rows].tolist() for rows in order]
        places = sum(len(batch) * max(batch) for batch in batches)
        found[name] = PaddedBatches(batches, 1.0 - float(sizes.sum()) / max(1, places))
    return found

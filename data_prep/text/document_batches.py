"""Documents of all lengths to batches, and what share of a batch is padding with and without buckets of length."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import KW_ONLY, dataclass
from typing import NamedTuple

import numpy as np

from data_prep.batching import bucket_length, length_buckets, pad
from data_prep.errors import InputError

_LENGTH_STEP = 32  # lengths are rounded up to it, so that a compiled function meets few shapes

Inputs = dict[str, np.ndarray]


class PaddedBatches(NamedTuple):
    """The length of each document of each batch, and the share of all places that is padding, 0 to 1."""

    batches: list[list[int]]
    share: float


def document_inputs(documents: Sequence[np.ndarray]) -> Inputs:
    """Pad what ``data_prep.text.text_inputs.Reading.inputs_of`` gives of documents to one batch.

    Returns:
        ``ids`` int32 (documents, steps) and ``mask`` bool of the same shape; steps are a multiple of 32.

    Raises:
        InputError: There are no documents.
    """
    longest = max(map(len, documents), default=0)
    padded = pad(documents, length=bucket_length(longest, _LENGTH_STEP))
    return {"ids": padded.values, "mask": padded.mask}


@dataclass(eq=False)
class DocumentBatches:
    """Batches to learn from; seed and epoch alone decide the order.

    Args:
        documents: What ``Reading.inputs_of`` gives of each.
        labels: Int (n,), or the probability of every label, float (n, labels).
        batch_size: The most documents of a batch.
        max_padded: The most places of a batch, padding included; None for no limit.
        seed: With the epoch the only source of the order.

    Raises:
        InputError: There are no documents, or not as many labels.
    """

    documents: Sequence[np.ndarray]
    labels: np.ndarray
    batch_size: int
    _: KW_ONLY
    max_padded: int | None = None
    seed: int = 0

    def __post_init__(self) -> None:
        """Refuse documents without labels."""
        count = len(self.documents)
        if not count or count != len(self.labels):
            raise InputError(
                "There is not one label for each document", allowed=str(count), received=len(self.labels)
            )
        self.labels = np.asarray(self.labels, np.float32 if np.ndim(self.labels) == 2 else np.int32)

    def epoch(self, epoch: int) -> Iterator[tuple[Inputs, np.ndarray]]:
        """Yield every document once: inputs as ``document_inputs`` gives them, and its labels."""
        for rows in self._batches(epoch):
            yield document_inputs([self.documents[at] for at in rows]), self.labels[rows]

    def steps(self, epoch: int) -> int:
        """Return how many batches an epoch has."""
        return sum(1 for _ in self._batches(epoch))

    def _batches(self, epoch: int) -> Iterator[np.ndarray]:
        lengths = list(map(len, self.documents))
        return length_buckets(
            lengths, self.batch_size, seed=self.seed, epoch=epoch, max_padded=self.max_padded
        )


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

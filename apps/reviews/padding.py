"""What share of a batch of documents is padding, document by document, with and without buckets of length."""

from __future__ import annotations

import dataclasses
from collections.abc import Sequence

import numpy as np

from apps.shared.results import Result
from data_prep.batching import length_buckets
from data_prep.text.document_batches import padding_of


@dataclasses.dataclass(frozen=True, slots=True)
class PaddedBatches(Result):
    """Documents as batches meet them.

    Attributes:
        batches: Length of each document of each batch, the end of sequence included; all the rest up to the longest of
            its batch is padding, which the mask hides from every network.
        share: Of all places, the share that is padding, 0 to 1.
    """

    batches: tuple[tuple[int, ...], ...]
    share: float


def padded_batches(lengths: Sequence[int], batch_size: int, seed: int = 0) -> dict[str, PaddedBatches]:
    """Put documents into batches in random order and in buckets of length.

    Args:
        lengths: Of the documents, the end of sequence included.
        batch_size: Documents of a batch.
        seed: Of the order.

    Returns:
        ``"shuffled"`` and ``"bucketed"``; the shares are those of :func:`data_prep.text.document_batches.padding_of`.

    Raises:
        InputError: There are no documents.
    """
    padding = padding_of(lengths, batch_size, seed)
    sizes = np.asarray(lengths, np.int64)
    drawn = np.random.default_rng(seed).permutation(len(sizes))
    shuffled = np.split(drawn, range(batch_size, len(drawn), batch_size))
    bucketed = length_buckets(lengths, batch_size, seed=seed)
    return {
        name: PaddedBatches(tuple(tuple(sizes[rows].tolist()) for rows in batches), share)
        for name, batches, share in (
            ("shuffled", shuffled, padding.shuffled),
            ("bucketed", list(bucketed), padding.bucketed),
        )
    }

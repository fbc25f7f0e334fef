"""What word vectors from unlabelled text are worth to another task: random, frozen and fine-tuned embeddings.

python -m benchmarks.embedding_transfer --task tags      some minutes on two cores; ``benchmarks.transfer_tags``
python -m benchmarks.embedding_transfer --task reviews   half an hour; ``benchmarks.transfer_reviews``
"""

from __future__ import annotations

import argparse
from typing import Any

from apps.shared import transfer
from apps.shared.tables import Table
from apps.vectors.application import DEFAULT_PRESET
from benchmarks import transfer_reviews, transfer_tags
from benchmarks.harness import SET, THREADS, Option, command

OPTIONS = {
    "task": Option("tags", "what is learned", choices=("tags", "reviews")),
    "preset": Option(DEFAULT_PRESET, "word vectors to start from"),
    "vectors": Option(None, "a file of word vectors instead of a preset"),
    "set": SET,
    "threads": THREADS,
}


def run(options: argparse.Namespace) -> dict[str, Any]:
    """Run the task that the options name."""
    return (transfer_tags if options.task == "tags" else transfer_reviews).measured(options)


def _table(options: argparse.Namespace) -> Table:
    return transfer.TAGS if options.task == "tags" else transfer.REVIEWS


main = command(__name__, __doc__, _table, run, OPTIONS)

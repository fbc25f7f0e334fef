"""What word vectors from unlabelled text are worth to another task: random, frozen and fine-tuned embeddings.

python -m benchmarks.embedding_transfer --task tags      some minutes on two cores; ``benchmarks.transfer_tags``
python -m benchmarks.embedding_transfer --task reviews   an hour on one core; ``benchmarks.transfer_reviews``
"""

from __future__ import annotations

import argparse
from typing import Any

from apps.shared.transfer import REVIEWS, TAGS
from apps.vectors.application import DEFAULT_PRESET
from benchmarks import transfer_reviews, transfer_tags
from benchmarks.harness import SET, THREADS, Option, command

TABLES = {"tags": TAGS, "reviews": REVIEWS}
OPTIONS = {
    "task": Option("tags", "what is learned", choices=tuple(TABLES)),
    "preset": Option(DEFAULT_PRESET, "word vectors to start from"),
    "vectors": Option(None, "a file of word vectors instead of a preset"),
    "set": SET,
    "threads": THREADS,
}


def run(options: argparse.Namespace) -> dict[str, Any]:
    """Run the task that the options name."""
    return (transfer_tags if options.task == "tags" else transfer_reviews).measured(options)


main = command(__name__, __doc__, lambda parsed: TABLES[parsed.task], run, OPTIONS)

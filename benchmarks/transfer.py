"""What both tasks of ``benchmarks.embedding_transfer`` share: the parts that are drawn, and the cells of the table."""

from __future__ import annotations

import argparse
import statistics
import time
from collections.abc import Callable, Sequence
from dataclasses import asdict
from typing import Any, TypeVar

import numpy as np

from apps.shared.transfer import EMBEDDINGS
from apps.vectors.application import Vectors
from benchmarks.harness import report, settings
from data_prep.errors import InputError
from data_prep.text.embeddings import WordVectors
from models.training.recipe import with_overrides

Example = TypeVar("Example")
Settings = TypeVar("Settings")


def chosen_settings(base: Settings, overrides: Sequence[str]) -> Settings:
    """Return settings with ``key=value`` overrides; there is one number of epochs for each share."""
    found = with_overrides(base, overrides)
    if len(found.shares) != len(found.epochs):
        raise InputError("There is one number of epochs for each share", received=list(overrides))
    return found


def opened(options: argparse.Namespace) -> tuple[WordVectors, str]:
    """Open the word vectors of the command line; return them and what they are called."""
    if options.vectors:
        return Vectors.from_file(options.vectors).word_vectors, options.vectors.name
    return Vectors.from_preset(options.preset).word_vectors, options.preset


def draw(examples: Sequence[Example], share: float, seed: int) -> list[Example]:
    """Draw percent of the examples, at least one; with the same seed a larger share holds the smaller ones."""
    order = np.random.default_rng(seed).permutation(len(examples))
    return [examples[at] for at in order[: max(1, round(len(examples) * share / 100))]]


def random_start(vectors: WordVectors, rows: int, seed: int) -> np.ndarray:
    """Draw first vectors float64 (rows, dimensions) with the spread of word vectors: all starts have one scale."""
    spread = float(vectors.vectors.std())
    return np.random.default_rng(seed).normal(0.0, spread, (rows, vectors.dimensions))


def transfer(
    chosen: Any,
    examples: Sequence[Example],
    score: Callable[[list[Example], str, int, int], dict[str, float]],
    unit: str,
    **facts: Any,
) -> dict[str, Any]:
    """Train and score every cell of the table; return settings and cells, as ``apps.shared.transfer`` reads them.

    Args:
        chosen: Settings with ``shares``, ``epochs`` and ``seeds``.
        examples: All to learn from.
        score: (examples, start of the embeddings, epochs, seed) to percentages; the first one is the cell's own.
        unit: What the examples are called.
        facts: More settings.
    """
    began, cells = time.perf_counter(), []
    for share, epochs in zip(chosen.shares, chosen.epochs, strict=True):
        for embedding in EMBEDDINGS:
            runs = []
            for seed in range(1, chosen.seeds + 1):
                drawn = draw(examples, share, seed)
                runs.append(score(drawn, embedding, epochs, seed))
                report(f"{share:g} %, {embedding}, seed {seed}: {next(iter(runs[-1].values())):.2f} %")
            (own, scores), *others = ((name, [run[name] for run in runs]) for name in runs[0])
            cells.append(
                {
                    "embedding": embedding,
                    "share": share,
                    unit: len(drawn),
                    own: statistics.mean(scores),
                    "deviation": statistics.stdev(scores) if len(scores) > 1 else 0.0,
                    **{name: statistics.mean(values) for name, values in others},
                    "seeds": len(scores),
                    "runs": scores,
                }
            )
    seconds = time.perf_counter() - began
    return {"settings": settings(**asdict(chosen), **facts, seconds=seconds), "cells": cells}

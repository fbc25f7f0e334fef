"""Presets of word vectors: what they hold, and one that is made of a vectors file."""

from __future__ import annotations

import time
from collections.abc import Callable
from pathlib import Path
from typing import Any, Literal

import numpy as np

from apps.shared.cards import card
from apps.shared.measures import checksums_of
from apps.vectors.application import Vectors
from apps.vectors.evaluation import evaluate, metrics_of
from data_prep.errors import InputError
from data_prep.text.embeddings import WordVectors
from data_prep.text.vocab import Vocabulary
from models.presets.card import CardText
from models.presets.kinds import kind_named
from models.presets.store import save_preset
from models.training.task import PresetContent

STORAGES = ("float32", "float16")
_GOLDEN_ROWS = 16


def vectors_content(vectors: WordVectors, said: CardText, storage: str, **more: Any) -> PresetContent:
    """Say what a preset of word vectors holds.

    Args:
        vectors: The vectors.
        said: Text of the model card.
        storage: ``"float32"`` or ``"float16"``.
        more: Other fields of the content.

    Raises:
        InputError: The storage is unknown or too coarse for these vectors.
    """
    if storage not in STORAGES:
        raise InputError(
            "Unknown storage of word vectors in a preset", allowed=", ".join(STORAGES), received=storage
        )
    vectors.to_arrays(storage, with_keys=False)  # refuses numbers that do not fit
    rows = np.linspace(0, len(vectors) - 1, min(_GOLDEN_ROWS, len(vectors))).astype(np.int32)
    return PresetContent(
        kind_named(Vectors.kind).config_class(len(vectors), vectors.dimensions),
        {"vectors": vectors.vectors},
        golden={"rows": rows},
        card=said,
        vocabulary=Vocabulary(vectors.keys, vectors.counts, specials=()),
        dtype=storage,
        **more,
    )


def save_vectors_preset(target: Path, content: PresetContent, metadata: dict[str, Any]) -> Path:
    """Write a preset of word vectors that were not trained by the driver.

    Args:
        target: The folder to make, or a preset to replace.
        content: As :func:`vectors_content` gives it, with metrics.
        metadata: ``recipe``, ``seed``, ``data``, ``seconds``; see :func:`models.presets.store.save_preset`.

    Raises:
        InputError: The storage is too coarse for these vectors, or the target cannot be written.
    """
    names = ("config", "weights", "golden", "metrics", "card", "vocabulary", "dtype")
    try:
        held = {name: getattr(content, name) for name in names}
        return save_preset(target, kind=Vectors.kind, metadata=metadata, **held)
    except InputError:
        raise
    except ValueError as error:
        raise InputError(
            f"These vectors cannot be stored as {content.dtype} ({error})", remedy="Store them as float32"
        ) from error


def import_vectors_preset(
    vectors: WordVectors,
    source: Path,
    target: Path,
    *,
    storage: Literal["float32", "float16"] = "float32",
    licence: str = "not stated",
    overwrite: bool = False,
    progress: Callable[[int, int], None] | None = None,
) -> Path:
    """Make a preset of vectors that were read from a file, scored like all others.

    Args:
        vectors: What the file holds.
        source: The file, for name and checksum.
        target: The folder to make.
        storage: How numbers are stored.
        licence: Licence of the vectors.
        overwrite: Whether an existing preset may be replaced.
        progress: Called with analogy questions done and in all.

    Raises:
        InputError: The target exists and may not be replaced or written, or the storage does not do.
    """
    if target.exists() and not overwrite:
        raise InputError(
            f"{target} exists already", remedy="Choose another name or allow overwriting (--force)"
        )
    began = time.monotonic()
    metrics = metrics_of(evaluate(vectors, progress=progress))
    said = card(__file__, "imported", source=source.name, licence=licence.strip() or "not stated")
    content = vectors_content(vectors, said, storage, metrics=metrics)
    metadata = {
        "recipe": {"imported_from": source.name, "storage": storage},
        "seed": 0,
        "data": checksums_of(source),
        "seconds": time.monotonic() - began,
    }
    return save_vectors_preset(target, content, metadata)

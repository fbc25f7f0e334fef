"""Presets of word vectors: open one, write one, make one of a vectors file."""

from __future__ import annotations

import hashlib
import time
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from apps.vectors.evaluation import evaluate
from apps.vectors.results import VectorsEvaluation
from data_prep.errors import InputError
from data_prep.text.embeddings import WordVectors

if TYPE_CHECKING:
    from models.presets.card import CardText

KIND = "word_vectors"
PRESET_STORAGES = ("float32", "float16")
_GOLDEN_ROWS = 16


def load_vectors_preset(name_or_path: str | Path) -> WordVectors:
    """Open a preset of word vectors.

    Args:
        name_or_path: Name of a shipped preset, or a folder.

    Returns:
        Its vectors with keys and counts.

    Raises:
        InputError: There is no such preset, it is damaged, or it holds something else.
    """
    from models.presets.store import load_preset

    preset = load_preset(name_or_path, kind=KIND)
    assert preset.vocabulary is not None  # the kind needs one
    return WordVectors.from_arrays(preset.arrays, preset.vocabulary, preset.vocabulary.counts)


def save_vectors_preset(
    vectors: WordVectors,
    target: str | Path,
    *,
    metrics: Mapping[str, Any],
    metadata: Mapping[str, Any],
    card: CardText,
    storage: str = "float16",
) -> Path:
    """Write a preset of word vectors.

    Args:
        vectors: The vectors.
        target: The folder to make, or a preset to replace.
        metrics: As :func:`metrics_of` gives them.
        metadata: ``recipe``, ``seed``, ``data``, ``seconds``; see :func:`models.presets.store.save_preset`.
        card: Text of the model card.
        storage: ``"float32"`` or ``"float16"``.

    Returns:
        ``target``.

    Raises:
        InputError: The storage is unknown or too coarse for these vectors, or the target cannot be written.
    """
    from data_prep.text.vocab import Vocabulary
    from models.presets.kinds import WordVectorsConfig
    from models.presets.store import save_preset

    if storage not in PRESET_STORAGES:
        raise InputError(
            "Unknown storage of word vectors in a preset",
            allowed=", ".join(PRESET_STORAGES),
            received=storage,
        )
    vectors.to_arrays(storage, with_keys=False)  # refuses numbers that do not fit
    rows = np.linspace(0, len(vectors) - 1, min(_GOLDEN_ROWS, len(vectors))).astype(np.int32)
    try:
        return save_preset(
            target,
            kind=KIND,
            config=WordVectorsConfig(len(vectors), vectors.dimensions),
            weights={"vectors": vectors.vectors},
            golden={"rows": rows},
            metrics=metrics,
            metadata=metadata,
            card=card,
            vocabulary=Vocabulary(vectors.keys, vectors.counts, specials=()),
            dtype=storage,
        )
    except InputError:
        raise
    except ValueError as error:
        raise InputError(
            f"These vectors cannot be stored as {storage} ({error})", remedy="Store them as float32"
        ) from error


def metrics_of(evaluation: VectorsEvaluation) -> dict[str, dict[str, Any]]:
    """Turn an evaluation into the metrics of a preset.

    Args:
        evaluation: Scores on the three sets.

    Returns:
        Measure to score, protocol, number of examples, standard error and more.
    """
    total = evaluation.analogies.total
    error = None
    if total.accuracy is not None:
        error = (total.accuracy * (100.0 - total.accuracy) / total.answered) ** 0.5
    metrics: dict[str, dict[str, Any]] = {
        "google_analogies": {
            "score": total.accuracy,
            "unit": "%",
            "n": total.answered,
            "of": total.of,
            "standard_error": error,
            "protocol": f"3CosAdd, query words excluded, first {evaluation.analogies.restrict_vocab} words, "
            f"upper case, {total.answered} of {total.of} questions answerable",
            "sections": {name: score.to_dict() for name, score in evaluation.analogies.sections.items()},
        }
    }
    for name, pairs in (("wordsim353", evaluation.wordsim353), ("simlex999", evaluation.simlex999)):
        metrics[name] = {
            "score": pairs.spearman,
            "n": pairs.n,
            "of": pairs.of,
            "protocol": f"Spearman with people's judgements, {pairs.n} of {pairs.of} pairs known",
        }
    return metrics


def import_vectors_preset(
    vectors: WordVectors,
    source: Path,
    target: Path,
    *,
    storage: str = "float32",
    licence: str = "not stated",
    overwrite: bool = False,
    progress: Callable[[int, int], None] | None = None,
) -> Path:
    """Make a preset of vectors that were read from a file, scored like all others.

    Args:
        vectors: What the file holds.
        source: The file, for name and checksum.
        target: The folder to make.
        storage: ``"float32"`` or ``"float16"``.
        licence: Licence of the vectors.
        overwrite: Whether an existing preset may be replaced.
        progress: Called with analogy questions done and in all.

    Returns:
        ``target``.

    Raises:
        InputError: The target exists and may not be replaced or written, or the storage does not do.
    """
    from models.presets.card import CardText

    if target.exists() and not overwrite:
        raise InputError(
            f"{target} exists already", remedy="Choose another name or allow overwriting (--force)"
        )
    began = time.monotonic()
    metrics = metrics_of(evaluate(vectors, progress=progress))
    card = CardText(
        title=f"Word vectors from {source.name}",
        summary="Word vectors that were trained elsewhere and imported from a file.",
        data=f"Unknown to this project; the vectors come from the file {source.name}.",
        licence=licence.strip() or "not stated",
        intended_use="Neighbours, analogies and similarities of words; the first layer of other networks.",
        limits="One vector a word, whatever its sense; they carry the prejudices of their corpus.",
    )
    metadata = {
        "recipe": {"imported_from": source.name, "storage": storage},
        "seed": 0,
        "data": {source.name: f"sha256 {_sha256(source)}"},
        "seconds": time.monotonic() - began,
    }
    return save_vectors_preset(
        vectors, target, metrics=metrics, metadata=metadata, card=card, storage=storage
    )


def _sha256(path: Path) -> str:
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()

"""Presets that tests write: word vectors, and a small network of their own kind."""

from __future__ import annotations

import json
from dataclasses import dataclass
from pathlib import Path

import keras
import numpy as np

from data_prep.array_files import ArraySpec
from data_prep.text.vocab import Vocabulary
from models.presets.kinds import Kind
from models.presets.manifest import MANIFEST, write_manifest
from models.presets.store import save_preset
from models.storage.variables import assign_arrays
from models.word2vec.serving import WordVectorsConfig
from tests.models import contract

WORDS = ["paris", "france", "a word", "\n", "é"]


@dataclass(frozen=True)
class NetworkConfig:
    vocabulary_size: int = 6
    units: int = 4
    bidirectional: bool = False


def build_network(config: NetworkConfig) -> keras.Model:
    ids = keras.Input((None,), dtype="int32", name="ids")
    hidden = keras.layers.Embedding(config.vocabulary_size, config.units, mask_zero=True)(ids)
    layer = keras.layers.LSTM(config.units, return_sequences=True, dropout=0.2)
    hidden = (keras.layers.Bidirectional(layer) if config.bidirectional else layer)(hidden)
    hidden = keras.layers.BatchNormalization()(keras.layers.Dense(config.units, activation="relu")(hidden))
    hidden = keras.layers.Dense(config.units, activation="relu")(hidden)
    return keras.Model(ids, keras.layers.Dense(3)(hidden))


def network_arrays(config: NetworkConfig) -> dict[str, ArraySpec]:
    if config.units < 1:
        raise ValueError("no units")
    units, width = config.units, config.units * (2 if config.bidirectional else 1)
    cells = [f"bidirectional/{way}_lstm/lstm_cell" for way in ("forward", "backward")]
    shapes = {"embedding/embeddings": (config.vocabulary_size, units)}
    for cell in cells if config.bidirectional else ["lstm/lstm_cell"]:
        shapes |= {f"{cell}/kernel": (units, 4 * units), f"{cell}/recurrent_kernel": (units, 4 * units)}
        shapes[f"{cell}/bias"] = (4 * units,)
    shapes |= {"dense/kernel": (width, units), "dense/bias": (units,)}
    shapes |= {
        f"batch_normalization/{name}": (units,)
        for name in ("gamma", "beta", "moving_mean", "moving_variance")
    }
    shapes |= {"dense_1/kernel": (units, units), "dense_1/bias": (units,)}
    shapes |= {"dense_2/kernel": (units, 3), "dense_2/bias": (3,)}
    return {name: ArraySpec(shape, "float32") for name, shape in shapes.items()}


def network_answer(config: NetworkConfig, arrays, inputs) -> dict[str, np.ndarray]:
    model = build_network(config)
    assign_arrays(model.weights, arrays)
    return {"logits": contract.answers(model, inputs["ids"])[0]}


NETWORK = Kind(
    NetworkConfig,
    arrays=network_arrays,
    answer=network_answer,
    network=f"{__name__}:build_network",
    needs_labels=True,
)
GOLDEN = {"ids": np.array([[2, 3, 4, 0], [5, 2, 0, 0]], np.int32)}
VECTORS = np.random.default_rng(1).normal(size=(5, 3)).astype(np.float32)


def save_vectors(target: Path, **changes) -> Path:
    parts = {
        "kind": "word_vectors",
        "config": WordVectorsConfig(5, 3),
        "weights": {"vectors": VECTORS},
        "golden": {"rows": np.arange(2, dtype=np.int32)},
        "metrics": contract.METRICS,
        "metadata": contract.METADATA,
        "card": contract.CARD,
        "vocabulary": Vocabulary(WORDS, [9, 8, 7, 6, 5], specials=()),
    }
    return save_preset(target, **{**parts, **changes})


def rewrite(folder: Path, name: str, data: bytes) -> None:
    """Change a file and write a manifest that agrees with it, as somebody with bad intent would."""
    (folder / name).write_bytes(data)
    metadata = json.loads((folder / MANIFEST).read_text())
    write_manifest(folder, {k: v for k, v in metadata.items() if k not in ("format", "files", "sha256")})


def rewrite_manifest(folder: Path, **changes) -> None:
    metadata = json.loads((folder / MANIFEST).read_text())
    for key in ("files", "sha256"):
        del metadata[key]
    write_manifest(folder, {**metadata, **changes})


def cut(path):
    path.write_bytes(path.read_bytes()[:-1])


def flip(path):
    data = bytearray(path.read_bytes())
    data[len(data) // 2] ^= 4
    path.write_bytes(bytes(data))

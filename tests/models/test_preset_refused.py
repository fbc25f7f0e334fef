from __future__ import annotations

import json
import shutil
import zipfile
from pathlib import Path

import numpy as np
import pytest

from data_prep.array_files import read_arrays, read_specs, write_arrays
from data_prep.errors import InputError
from data_prep.text.vocab import Vocabulary
from models.presets.manifest import MANIFEST
from models.presets.store import (
    load_preset,
)
from models.storage.folders import write_signed
from tests.models.preset_files import (
    VECTORS,
    WORDS,
    NetworkConfig,
    build_network,
    cut,
    flip,
    rewrite,
    rewrite_manifest,
)

FILES = [
    "README.md",
    "config.json",
    "golden.npz",
    "metadata.json",
    "metrics.json",
    "vocab.json",
    "weights.npz",
]


@pytest.mark.parametrize("name", FILES)
@pytest.mark.parametrize(
    ("damage", "message"),
    [
        (Path.unlink, "is missing"),
        (cut, "bytes instead of|no complete JSON|SHA-256"),
        (flip, "was altered|no complete JSON|lacks|unknown format"),
    ],
)
def test_a_damaged_file_is_refused_by_name(vectors, name, damage, message):
    if (name, damage) == ("metadata.json", cut):
        (vectors / name).write_bytes((vectors / name).read_bytes()[:-3])  # the last byte is only a newline
    else:
        damage(vectors / name)
    with pytest.raises(InputError, match=f"{name}.*({message})"):
        load_preset(vectors)


def test_a_surplus_file_a_folder_and_a_link_are_refused(vectors):
    (vectors / "more.txt").write_text("?")
    with pytest.raises(InputError, match=r"more\.txt does not belong to the preset"):
        load_preset(vectors)
    (vectors / "more.txt").unlink()
    (vectors / "README.md").rename(vectors.parent / "elsewhere")
    (vectors / "README.md").symlink_to(vectors.parent / "elsewhere")
    with pytest.raises(InputError, match=r"README\.md is not a plain file"):
        load_preset(vectors)


def test_an_unknown_format_version_is_refused(vectors):
    content = json.loads((vectors / MANIFEST).read_text())
    del content["sha256"]
    write_signed(vectors / MANIFEST, {**content, "format": 2})
    with pytest.raises(InputError, match=r"unknown format version. Allowed: 1. Received: 2"):
        load_preset(vectors)


def test_a_manifest_that_leads_out_of_the_folder_is_refused(vectors, monkeypatch):
    real = json.loads((vectors / MANIFEST).read_text())["files"]
    content = {**json.loads((vectors / MANIFEST).read_text()), "files": {**real, "../vocab.json": {}}}
    del content["sha256"]
    write_signed(vectors / MANIFEST, content)
    with pytest.raises(InputError, match=r"lists a name that is not allowed. Received: '\.\./vocab\.json'"):
        load_preset(vectors)


def test_presets_inside_of_presets_end_at_the_first(vectors, monkeypatch):
    plain = shutil.copytree(vectors, vectors.parent / "plain")
    shutil.copytree(plain, vectors / "inner")
    rewrite_manifest(vectors)
    assert load_preset(vectors).parts["inner"].parts == {}
    monkeypatch.chdir(vectors)
    assert load_preset(".").path.name == vectors.name and "inner" in load_preset(".").parts
    shutil.copytree(plain, vectors / "inner" / "more")
    rewrite_manifest(vectors / "inner")
    rewrite_manifest(vectors)
    with pytest.raises(InputError, match=r"inner lies in another one and holds more presets"):
        load_preset(vectors)


@pytest.mark.parametrize(
    ("name", "content", "message"),
    [
        (
            "config.json",
            '{"vocabulary_size": 5, "dimensions": 3, "depth": 1}',
            r"config\.json: .*'depth' is unknown",
        ),
        ("config.json", '{"vocabulary_size": 5}', r"config\.json: .*'dimensions' is missing"),
        (
            "config.json",
            '{"vocabulary_size": 5, "dimensions": "3"}',
            r"config\.json: .*dimensions does not fit",
        ),
        (
            "config.json",
            '{"vocabulary_size": 5, "dimensions": 4}',
            r"'vectors' is float32\[5, 3\] instead of float32\[5, 4\]",
        ),
        ("config.json", "{", r"config\.json is not JSON"),
        ("vocab.json", '{"a": 1}', r"vocab\.json: "),
        ("golden.npz", "PK", r"golden\.npz is not usable"),
    ],
)
def test_files_that_do_not_fit_are_refused_although_the_manifest_agrees(vectors, name, content, message):
    rewrite(vectors, name, content.encode())
    with pytest.raises(InputError, match=message):
        load_preset(vectors)


def test_a_vocabulary_of_another_size_is_refused(vectors):
    rewrite(vectors, "vocab.json", Vocabulary(WORDS[:4], specials=()).to_json().encode())
    with pytest.raises(
        InputError, match=r"one entry for each row of the network. Allowed: 5 entries. Received: 4"
    ):
        load_preset(vectors)


def test_an_unknown_or_another_kind_is_refused(vectors):
    with pytest.raises(InputError, match=r"another kind. Allowed: test_network. Received: 'word_vectors'"):
        load_preset(vectors, kind="test_network")
    rewrite_manifest(vectors, kind="word_vector")
    with pytest.raises(InputError, match=r"kind of preset is unknown.*Did you mean 'word_vectors'"):
        load_preset(vectors)


def weights_bytes(tmp_path, arrays) -> bytes:
    write_arrays(tmp_path / "made.npz", arrays)
    return (tmp_path / "made.npz").read_bytes()


@pytest.mark.parametrize(
    ("arrays", "message"),
    [
        ({}, "'vectors' is missing"),
        ({"vectors": VECTORS, "more": VECTORS}, "'more' is not expected"),
        ({"vectors": VECTORS.T}, r"'vectors' is float32\[3, 5\] instead of float32\[5, 3\]"),
        ({"vectors": VECTORS.astype(np.float64)}, r"float64\[5, 3\] instead of float32"),
        ({"vectors": VECTORS.astype(np.float16)}, r"float16\[5, 3\] instead of float32"),
        ({"vectors": np.full((5, 3), np.nan, np.float32)}, "'vectors' holds NaN or infinite"),
        ({"vectors": -VECTORS[::-1].copy()}, "do not give the stored answer"),
    ],
)
def test_wrong_weights_are_refused_although_the_manifest_agrees(vectors, tmp_path, arrays, message):
    rewrite(vectors, "weights.npz", weights_bytes(tmp_path, arrays))
    with pytest.raises(InputError, match=message):
        load_preset(vectors)


def test_two_swapped_layers_of_one_shape_are_refused(preset_network, tmp_path):
    specs = read_specs(preset_network / "weights.npz")
    arrays = read_arrays(preset_network / "weights.npz", specs)
    a, b = "bidirectional/forward_lstm/lstm_cell/kernel", "bidirectional/backward_lstm/lstm_cell/kernel"
    assert specs[a] == specs[b]
    arrays[a], arrays[b] = arrays[b], arrays[a]
    rewrite(preset_network, "weights.npz", weights_bytes(tmp_path, arrays))
    with pytest.raises(InputError, match=r"do not give the stored answer"):
        load_preset(preset_network)


def bomb(tmp_path, shape, *, compressed=False) -> bytes:
    """An array file whose header claims ``shape`` and whose data are a few bytes, or zeros packed small."""
    path = tmp_path / "bomb.npz"
    header = b"\x93NUMPY\x01\x00"
    text = f"{{'descr': '<f4', 'fortran_order': False, 'shape': {shape}, }}".ljust(117).encode() + b"\n"
    data = header + len(text).to_bytes(2, "little") + text + bytes(40 << 20 if compressed else 60)
    with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED if compressed else zipfile.ZIP_STORED) as archive:
        archive.writestr("vectors.npy", data)
    return path.read_bytes()


def peak_of(action) -> int:
    import tracemalloc

    tracemalloc.start()
    try:
        action()
        return tracemalloc.get_traced_memory()[1]
    finally:
        tracemalloc.stop()


@pytest.mark.parametrize("compressed", [False, True])
def test_a_shape_bomb_costs_no_memory(vectors, tmp_path, compressed):
    shape = (10 << 20, 1) if compressed else (1 << 30, 1 << 20)
    rewrite(vectors, "weights.npz", bomb(tmp_path, shape, compressed=compressed))
    config = {"vocabulary_size": shape[0], "dimensions": shape[1]}
    rewrite(vectors, "config.json", json.dumps(config).encode())

    def load():
        with pytest.raises(InputError, match=r"would unpack to|does not fit its size|one entry for each"):
            load_preset(vectors)
        with pytest.raises(InputError, match=r"would unpack to|does not fit its size"):
            read_specs(vectors / "weights.npz")

    assert peak_of(load) < 8 << 20


def test_a_config_that_asks_for_a_huge_network_costs_no_memory(preset_network):
    config = {"vocabulary_size": 1 << 40, "units": 1 << 20, "bidirectional": True}
    rewrite(preset_network, "config.json", json.dumps(config).encode())
    with pytest.raises(
        InputError, match=r"'embedding/embeddings' is float32\[6, 4\] instead of float32\[1099511627776,"
    ):
        load_preset(preset_network)
    build_network(NetworkConfig())  # nothing is left behind that Keras would now allocate


def test_a_config_that_describes_no_network_is_refused(preset_network):
    config = {"vocabulary_size": 6, "units": -4, "bidirectional": True}
    rewrite(preset_network, "config.json", json.dumps(config).encode())
    with pytest.raises(InputError, match=r"config\.json does not describe a network"):
        load_preset(preset_network)


def test_pickled_objects_are_refused(vectors, tmp_path):
    np.savez(tmp_path / "objects.npz", vectors=np.array([[object()]], dtype=object))
    rewrite(vectors, "weights.npz", (tmp_path / "objects.npz").read_bytes())
    with pytest.raises(InputError, match=r"dtype object, which is not read"):
        load_preset(vectors)

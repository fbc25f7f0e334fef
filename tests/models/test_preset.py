from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
import zipfile
from dataclasses import dataclass
from pathlib import Path

import keras
import numpy as np
import pytest

from data_prep.errors import InputError
from data_prep.text.vocab import Vocabulary
from models.presets import kinds
from models.presets.card import CardText
from models.presets.kinds import Kind
from models.presets.manifest import MANIFEST, write_manifest
from models.presets.search import find_presets, list_presets, resolve_preset
from models.presets.store import (
    VERIFY_COMMAND,
    load_preset,
    main,
    save_preset,
    verify_preset,
)
from models.storage import atomic
from models.storage.arrays import ArraySpec, read_arrays, read_specs, write_arrays
from models.storage.variables import assign_arrays
from models.word2vec.serving import WordVectorsConfig
from tests.models import contract

ROOT = Path(__file__).resolve().parents[2]
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


def network_model(config: NetworkConfig, arrays) -> keras.Model:
    model = build_network(config)
    assign_arrays(model.weights, arrays)
    return model


def network_answer(config: NetworkConfig, arrays, inputs) -> dict[str, np.ndarray]:
    return {"logits": contract.answers(network_model(config, arrays), inputs["ids"])[0]}


NETWORK = Kind(
    NetworkConfig,
    arrays=network_arrays,
    answer=network_answer,
    network=f"{__name__}:network_model",
    needs_labels=True,
)
GOLDEN = {"ids": np.array([[2, 3, 4, 0], [5, 2, 0, 0]], np.int32)}
VECTORS = np.random.default_rng(1).normal(size=(5, 3)).astype(np.float32)


@pytest.fixture(autouse=True)
def network_kind(monkeypatch):
    module = sys.modules[__name__]
    monkeypatch.setitem(kinds.KINDS, "test_network", f"{module.__name__}:NETWORK")


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


@pytest.fixture
def vectors(tmp_path):
    return save_vectors(tmp_path / "vectors")


@pytest.fixture(scope="module")
def saved_network(tmp_path_factory):
    keras.utils.set_random_seed(1)
    config = NetworkConfig(bidirectional=True)
    with pytest.MonkeyPatch.context() as patch:
        patch.setitem(kinds.KINDS, "test_network", f"{__name__}:NETWORK")
        folder = tmp_path_factory.mktemp("network")
        preset = contract.check_save_load_equal(
            "test_network", config, build_network(config), GOLDEN, folder, labels=["a", "b", "c"]
        )
    return preset.path


@pytest.fixture
def network(saved_network, tmp_path):
    return Path(shutil.copytree(saved_network, tmp_path / "network"))


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


# --- what a preset gives back


def test_word_vectors_come_back_read_only(vectors):
    preset = load_preset(vectors, kind="word_vectors")
    np.testing.assert_array_equal(preset.arrays["vectors"], VECTORS)
    assert not preset.arrays["vectors"].flags.writeable
    assert preset.vocabulary.decode(range(5)) == WORDS
    assert preset.vocabulary.counts.tolist() == [9, 8, 7, 6, 5]
    assert preset.config == WordVectorsConfig(5, 3)
    assert preset.labels is None
    np.testing.assert_array_equal(contract.answers(preset.model, np.array([[3, 0]]))[0][0], VECTORS[[3, 0]])
    assert preset.metrics == contract.METRICS
    assert preset.metadata["recipe"] == {"epochs": 1}
    assert preset.metadata["versions"]["keras"] == keras.__version__
    names = {path.name for path in vectors.iterdir()}
    assert names == {*preset.metadata["files"], MANIFEST}


def test_half_precision_is_widened_and_smaller(tmp_path):
    table = np.random.default_rng(2).normal(size=(500, 16)).astype(np.float32)
    words = Vocabulary([f"w{i}" for i in range(500)], specials=())
    changes = {"config": WordVectorsConfig(500, 16), "weights": {"vectors": table}, "vocabulary": words}
    path = save_vectors(tmp_path / "half", dtype="float16", **changes)
    loaded = load_preset(path).arrays["vectors"]
    assert loaded.dtype == np.float32
    np.testing.assert_array_equal(loaded, table.astype(np.float16).astype(np.float32))
    assert (path / "weights.npz").stat().st_size < 0.6 * table.nbytes


def test_a_network_comes_back_with_the_same_answers(network):
    preset = load_preset(network)
    assert preset.labels == ("a", "b", "c")
    specs = network_arrays(preset.config)
    assert list(specs) == list(preset.arrays) == list(contract.variable_arrays(preset.model.weights))
    assert specs == contract.specs_of(preset.arrays)
    assert preset.config.bidirectional
    names = set(read_specs(network / "weights.npz"))
    assert "embedding/embeddings" in names
    assert "bidirectional/forward_lstm/lstm_cell/kernel" in names
    assert {"dense/kernel", "dense_1/kernel", "dense_2/kernel"} <= names
    assert not any("seed_generator" in name for name in names)


def test_equal_presets_have_equal_bytes(tmp_path):
    first, second = save_vectors(tmp_path / "first"), save_vectors(tmp_path / "second")
    for path in first.iterdir():
        assert path.read_bytes() == (second / path.name).read_bytes(), path.name


def test_contract_checks_hold_for_a_network_and_see_a_bad_one():
    config = NetworkConfig()
    contract.check_config_round_trip(NetworkConfig, {"vocabulary_size": 9, "units": 3, "bidirectional": True})
    contract.check_stable_names(build_network, config)
    model = build_network(config)
    contract.check_single_equals_batch(model, GOLDEN["ids"])
    contract.check_output_shapes(model, [(GOLDEN["ids"], (2, 4, 3)), (GOLDEN["ids"][:1, :2], (1, 2, 3))])
    padded = np.pad(GOLDEN["ids"], ((0, 0), (0, 3)))
    contract.check_padding_changes_nothing(model, GOLDEN["ids"], padded, lambda output: output[:, :4])
    with pytest.raises(AssertionError):
        wrong = np.pad(GOLDEN["ids"], ((0, 0), (3, 0)), constant_values=5)
        contract.check_padding_changes_nothing(model, GOLDEN["ids"], wrong, lambda output: output[:, 3:])
    with pytest.raises(AssertionError, match=r"every field"):
        contract.check_config_round_trip(NetworkConfig, {"units": 3})
    with pytest.raises(AssertionError, match=r"units is set to its default"):
        contract.check_config_round_trip(
            NetworkConfig, {"vocabulary_size": 9, "units": 4, "bidirectional": True}
        )


def test_contract_overfits_two_examples():
    model = build_network(NetworkConfig())
    loss = keras.losses.SparseCategoricalCrossentropy(from_logits=True)
    model.compile(keras.optimizers.Adam(0.05), loss)
    targets = np.array([[0, 1, 2, 0], [2, 1, 0, 0]])
    contract.check_overfits(model, GOLDEN["ids"], targets, steps=150, loss_below=0.2)
    with pytest.raises(AssertionError, match=r"after 1 steps"):
        contract.check_overfits(model, GOLDEN["ids"], 2 - targets, steps=1)


# --- what is refused


def cut(path):
    path.write_bytes(path.read_bytes()[:-1])


def flip(path):
    data = bytearray(path.read_bytes())
    data[len(data) // 2] ^= 4
    path.write_bytes(bytes(data))


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
        (cut, "bytes instead of|no complete manifest|SHA-256"),
        (flip, "was altered|no complete manifest|lacks|unknown format"),
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
    path = vectors / MANIFEST
    path.write_text(path.read_text().replace('"format": 1', '"format": 2', 1))
    with pytest.raises(InputError, match=r"unknown format version. Allowed: 1. Received: 2"):
        load_preset(vectors)


def test_a_manifest_that_leads_out_of_the_folder_is_refused(vectors, monkeypatch):
    real = json.loads((vectors / MANIFEST).read_text())["files"]
    from models.presets import manifest

    content = {**json.loads((vectors / MANIFEST).read_text()), "files": {**real, "../vocab.json": {}}}
    del content["sha256"]
    (vectors / MANIFEST).write_text(json.dumps({**content, "sha256": manifest._digest(content)}))
    with pytest.raises(InputError, match=r"lists a name that is not allowed. Received: '\.\./vocab\.json'"):
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
            r"'vectors' has shape \(5, 3\) instead of \(5, 4\)",
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
        ({"vectors": VECTORS.T}, "shape"),
        ({"vectors": VECTORS.astype(np.float64)}, "dtype float64 instead of float32"),
        ({"vectors": VECTORS.astype(np.float16)}, "dtype float16 instead of float32"),
        ({"vectors": np.full((5, 3), np.nan, np.float32)}, "'vectors' holds NaN or infinite"),
        ({"vectors": -VECTORS[::-1].copy()}, "do not give the stored answer"),
    ],
)
def test_wrong_weights_are_refused_although_the_manifest_agrees(vectors, tmp_path, arrays, message):
    rewrite(vectors, "weights.npz", weights_bytes(tmp_path, arrays))
    with pytest.raises(InputError, match=message):
        load_preset(vectors)


def test_two_swapped_layers_of_one_shape_are_refused(network, tmp_path):
    specs = read_specs(network / "weights.npz")
    arrays = read_arrays(network / "weights.npz", specs)
    a, b = "bidirectional/forward_lstm/lstm_cell/kernel", "bidirectional/backward_lstm/lstm_cell/kernel"
    assert specs[a] == specs[b]
    arrays[a], arrays[b] = arrays[b], arrays[a]
    rewrite(network, "weights.npz", weights_bytes(tmp_path, arrays))
    with pytest.raises(InputError, match=r"do not give the stored answer"):
        load_preset(network)


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
        with pytest.raises(
            InputError, match=r"compressed or larger|does not fit its size|one entry for each"
        ):
            load_preset(vectors)
        with pytest.raises(InputError, match=r"compressed or larger|does not fit its size"):
            read_specs(vectors / "weights.npz")

    assert peak_of(load) < 8 << 20


def test_a_config_that_asks_for_a_huge_network_costs_no_memory(network):
    config = {"vocabulary_size": 1 << 40, "units": 1 << 20, "bidirectional": True}
    rewrite(network, "config.json", json.dumps(config).encode())
    with pytest.raises(
        InputError, match=r"'embedding/embeddings' has shape \(6, 4\) instead of \(1099511627776,"
    ):
        load_preset(network)
    build_network(NetworkConfig())  # nothing is left behind that Keras would now allocate


def test_a_config_that_describes_no_network_is_refused(network):
    config = {"vocabulary_size": 6, "units": -4, "bidirectional": True}
    rewrite(network, "config.json", json.dumps(config).encode())
    with pytest.raises(InputError, match=r"config\.json does not describe a network"):
        load_preset(network)


def test_pickled_objects_are_refused(vectors, tmp_path):
    np.savez(tmp_path / "objects.npz", vectors=np.array([[object()]], dtype=object))
    rewrite(vectors, "weights.npz", (tmp_path / "objects.npz").read_bytes())
    with pytest.raises(InputError, match=r"dtype object, which is not read"):
        load_preset(vectors)


# --- saving


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"weights": {"vectors": VECTORS[:4]}}, r"do not fit the config: vectors is float32\[4, 3\]"),
        ({"weights": {"vectors": VECTORS * np.inf}}, "'vectors' is not finite as float32"),
        ({"weights": {"vectors": VECTORS * 1e6}, "dtype": "float16"}, "'vectors' is not finite as float16"),
        (
            {"weights": {"vectors": VECTORS * 1e-8}, "dtype": "float16"},
            "Stored as float16, the golden output",
        ),
        ({"dtype": "int8"}, "float32 or float16. Received: 'int8'"),
        ({"metrics": {}}, "at least one measure"),
        ({"metrics": {"accuracy": {"score": 1}}}, "'accuracy' lacks protocol, n"),
        ({"metadata": {"recipe": {}, "seed": 1}}, "lack data, seconds"),
        ({"vocabulary": None}, "needs a vocabulary"),
        ({"config": NetworkConfig()}, "must be a WordVectorsConfig"),
    ],
)
def test_a_preset_that_would_be_wrong_is_not_written(tmp_path, changes, message):
    with pytest.raises(ValueError, match=message):
        save_vectors(tmp_path / "vectors", **changes)
    assert list(tmp_path.iterdir()) == []


class Crash(BaseException):
    pass


@pytest.mark.parametrize("function", ["replace", "fsync", "rename"])
def test_a_crash_while_saving_leaves_the_old_preset(tmp_path, monkeypatch, function):
    target = save_vectors(tmp_path / "vectors")
    before = {path.name: path.read_bytes() for path in target.iterdir()}
    real, nth, done = getattr(os, function), 0, False
    monkeypatch.setattr(atomic, "_exchange", lambda first, second: False)  # the way of other systems
    while not done and nth < 40:
        nth += 1
        calls = iter(range(1, 1000))

        def failing(*arguments, calls=calls, nth=nth):
            if next(calls) == nth:
                raise Crash
            return real(*arguments)

        with monkeypatch.context() as patch:
            patch.setattr(atomic.os, function, failing)
            try:
                save_vectors(target, metadata={**contract.METADATA, "seed": 2})
                done = True
            except Crash:
                pass
        whole = target if target.exists() else tmp_path / ".vectors.previous"
        seed = load_preset(whole).metadata["seed"]
        if seed == 1:
            assert {path.name: path.read_bytes() for path in whole.iterdir()} == before
    assert done and nth > 2
    assert load_preset(target).metadata["seed"] == 2
    save_vectors(target)
    assert [path.name for path in tmp_path.iterdir()] == ["vectors"]


def test_the_swap_is_one_step_where_the_system_can(tmp_path):
    (tmp_path / "a").mkdir()
    (tmp_path / "b").mkdir()
    (tmp_path / "a" / "old").touch()
    if not atomic._exchange(tmp_path / "a", tmp_path / "b"):
        pytest.skip("this file system cannot exchange two names in one step")
    assert (tmp_path / "b" / "old").exists()


def test_what_a_killed_save_left_is_removed(tmp_path):
    dead = subprocess.run(
        [sys.executable, "-c", "import os; print(os.getpid())"], capture_output=True, text=True
    )
    (tmp_path / f".vectors.writing-{dead.stdout.strip()}-abc").mkdir()
    (tmp_path / f".vectors.writing-{os.getpid()}-abc").mkdir()
    save_vectors(tmp_path / "vectors")
    assert sorted(path.name for path in tmp_path.iterdir()) == [
        f".vectors.writing-{os.getpid()}-abc",
        "vectors",
    ]


def test_a_folder_that_holds_something_else_is_never_replaced(tmp_path, vectors):
    (tmp_path / "thesis").mkdir()
    (tmp_path / "thesis" / "chapter.txt").write_text("years of work")
    with pytest.raises(InputError, match=r"not empty and holds no preset"):
        save_vectors(tmp_path / "thesis")
    (vectors / "notes.txt").write_text("mine")
    with pytest.raises(InputError, match=r"holds more than a preset. Received: \['notes.txt'\]"):
        save_vectors(vectors)
    (tmp_path / "file").write_text("?")
    with pytest.raises(InputError, match=r"in the way of the preset"):
        save_vectors(tmp_path / "file")
    assert (tmp_path / "thesis" / "chapter.txt").read_text() == "years of work"


def test_a_target_that_cannot_be_written_is_refused(tmp_path):
    (tmp_path / "file").write_text("in the way")
    with pytest.raises(InputError, match=r"Cannot write .*file/vectors.*Choose a folder"):
        save_vectors(tmp_path / "file" / "vectors")


def test_a_fresh_process_verifies_before_the_swap(tmp_path, in_a_fresh_process):
    save_vectors(tmp_path / "vectors", verify_command=VERIFY_COMMAND)
    refuse = (sys.executable, "-c", "import sys; sys.exit('refused by the test')")
    with pytest.raises(InputError, match=r"does not load in a fresh process: refused by the test"):
        save_vectors(tmp_path / "other", verify_command=refuse)
    assert [path.name for path in tmp_path.iterdir()] == ["vectors"]


# --- names, command line, card


def test_presets_are_listed_and_found_by_name_or_path(tmp_path, vectors, monkeypatch):
    save_vectors(tmp_path / "other")
    (tmp_path / "empty").mkdir()
    (tmp_path / ".hidden").mkdir()
    shutil.copy(vectors / MANIFEST, tmp_path / ".hidden")
    assert list_presets(tmp_path) == ("other", "vectors")
    assert list_presets(tmp_path / "nowhere") == ()
    monkeypatch.setenv("LECTERN_PRESETS", str(tmp_path))
    assert resolve_preset("vectors") == vectors
    assert resolve_preset(vectors) == vectors


def test_presets_are_looked_for_in_one_order_and_damaged_ones_left_out(tmp_path, vectors, monkeypatch):
    shipped, own, more = (tmp_path / name for name in ("shipped", "own", "more"))
    for folder, name in (
        (shipped, "a"), (tmp_path / "runs", "a"), (tmp_path / "runs", "b"), (own, "b"), (own, "c"), (more, "d"),
    ):  # fmt: skip
        shutil.copytree(vectors, folder / name)
    flip(own / "c" / MANIFEST)
    (tmp_path / "runs" / "e.run").mkdir()
    monkeypatch.setattr("models.presets.search.PRESETS_DIR", shipped)
    monkeypatch.setenv("LECTERN_PRESETS", os.pathsep.join([str(own), str(tmp_path / "none"), str(more)]))
    monkeypatch.chdir(tmp_path)
    found = find_presets("word_vectors")
    assert [(preset.name, preset.where) for preset in found] == [
        ("a", "shipped"),
        ("b", "runs"),
        ("d", str(more)),
    ]
    assert found[2].size == sum(path.stat().st_size for path in vectors.iterdir())
    assert found[2].metrics == contract.METRICS and found[2].learned_from == "Made up"
    assert find_presets("char_lm") == []
    assert resolve_preset("b") == Path("runs/b")
    assert load_preset("d").path == more / "d"


@pytest.mark.parametrize(
    ("name", "message"),
    [
        ("vector", "no preset of this name. Received: 'vector'. Did you mean 'vectors'"),
        ("zzz", "no preset of this name.*Choose one of: vectors"),
        ("", "no preset of this name"),
        ("no/where", "no preset folder no/where"),
    ],
)
def test_an_unknown_preset_is_refused_with_close_names(vectors, name, message, monkeypatch):
    monkeypatch.setattr("models.presets.search.PRESETS_DIR", vectors.parent)
    with pytest.raises(InputError, match=message):
        resolve_preset(name)


def test_a_folder_without_a_manifest_is_refused(tmp_path):
    with pytest.raises(InputError, match=r"metadata\.json is missing"):
        load_preset(tmp_path)


def test_the_verify_command_answers_with_its_exit_code(vectors, capsys):
    assert main([str(vectors)]) == 0
    assert "word_vectors, 15 float32 numbers" in capsys.readouterr().out
    assert verify_preset(vectors).startswith(str(vectors))
    flip(vectors / "weights.npz")
    assert main([str(vectors)]) == 2
    assert "weights.npz was altered" in capsys.readouterr().err
    assert main([]) == 2


def test_word_vectors_open_without_keras(vectors):
    code = (
        "import sys; from models.presets.store import load_preset; load_preset(sys.argv[1]);"
        "print([name for name in ('keras', 'tensorflow') if name in sys.modules])"
    )
    command = [sys.executable, "-c", code, str(vectors)]
    done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "[]"


def test_the_card_takes_its_numbers_from_metrics_and_metadata(tmp_path):
    metrics = {
        "analogies": {"score": 41.625, "unit": "%", "protocol": "3CosAdd | first 50,000", "n": 16101,
                      "standard_error": 0.388, "baseline": 40.0},
        "wordsim353": {"score": 0.63, "protocol": "Spearman", "n": 353},
    }  # fmt: skip
    metadata = {**contract.METADATA, "seconds": 125.0, "data": {"wiki": {"lines": 3}}}
    text = (save_vectors(tmp_path / "v", metrics=metrics, metadata=metadata) / "README.md").read_text()
    assert "| analogies | 41.62 % | 0.388 | 16,101 | 40 | 3CosAdd \\| first 50,000 |" in text
    assert "| wordsim353 | 0.63 | - | 353 | - | Spearman |" in text
    assert "- training time: 2 min 5 s" in text
    assert "- seed: 1" in text and '- wiki: {"lines": 3}' in text
    assert "15 numbers, stored as float32" in text
    for part in ("# A test", "## Licence", "## Intended use", "## Limits", "Everything else."):
        assert part in text


def test_an_empty_part_of_a_card_is_refused():
    with pytest.raises(ValueError, match=r"licence does not fit"):
        CardText("a", "b", "c", " ", "e", "f")

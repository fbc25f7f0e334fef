from __future__ import annotations

import os
import shutil
import subprocess
import sys
import time
from pathlib import Path

import keras
import numpy as np
import pytest

from data_prep.array_files import read_specs
from data_prep.errors import InputError
from data_prep.text.vocab import Vocabulary
from models.presets.card import CardText
from models.presets.manifest import MANIFEST
from models.presets.search import FoundPreset, find_presets, list_presets, resolve_preset
from models.presets.store import (
    VERIFY_COMMAND,
    load_preset,
    main,
)
from models.storage import folders
from models.word2vec.serving import WordVectorsConfig
from tests.models import contract
from tests.models.preset_files import (
    GOLDEN,
    VECTORS,
    WORDS,
    NetworkConfig,
    build_network,
    flip,
    network_arrays,
    rewrite_manifest,
    save_vectors,
)

ROOT = Path(__file__).resolve().parents[2]


def test_word_vectors_come_back_read_only(vectors):
    preset = load_preset(vectors, kind="word_vectors")
    np.testing.assert_array_equal(preset.arrays["vectors"], VECTORS)
    assert not preset.arrays["vectors"].flags.writeable
    assert preset.vocabulary.decode(range(5)) == WORDS
    assert preset.vocabulary.counts.tolist() == [9, 8, 7, 6, 5]
    assert preset.config == WordVectorsConfig(5, 3)
    assert preset.labels is None
    model = contract.keras_model(preset)
    np.testing.assert_array_equal(contract.answers(model, np.array([[3, 0]]))[0][0], VECTORS[[3, 0]])
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


def test_a_network_comes_back_with_the_same_answers(preset_network):
    preset = load_preset(preset_network)
    assert preset.labels == ("a", "b", "c")
    specs = network_arrays(preset.config)
    assert list(specs) == list(preset.arrays)
    assert list(specs) == list(contract.variable_arrays(contract.keras_model(preset).weights))
    assert specs == contract.specs_of(preset.arrays)
    assert preset.config.bidirectional
    names = set(read_specs(preset_network / "weights.npz"))
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


# --- saving


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"weights": {"vectors": VECTORS[:4]}}, r"do not fit the config: 'vectors' is float32\[4, 3\]"),
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
    monkeypatch.setattr(folders, "_exchange", lambda first, second: False)  # the way of other systems
    while not done and nth < 40:
        nth += 1
        calls = iter(range(1, 1000))

        def failing(*arguments, calls=calls, nth=nth):
            if next(calls) == nth:
                raise Crash
            return real(*arguments)

        with monkeypatch.context() as patch:
            patch.setattr(folders.os, function, failing)
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
    if not folders._exchange(tmp_path / "a", tmp_path / "b"):
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
    monkeypatch.chdir(vectors)
    assert resolve_preset(".") == vectors.resolve()


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
    with pytest.raises(TypeError):
        found[0].metadata["kind"] = "char_lm"  # all who ask share it
    assert resolve_preset("b") == Path("runs/b")
    assert load_preset("d").path == more / "d"


def test_a_manifest_is_read_anew_when_it_changes(tmp_path, vectors, monkeypatch):
    monkeypatch.setenv("LECTERN_PRESETS", str(vectors.parent))

    def seed() -> int:
        return next(one for one in find_presets() if one.path == vectors).metadata["seed"]

    before = seed()
    rewrite_manifest(vectors, seed=before + 1)
    assert seed() == before + 1


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
    assert f"{vectors}: word_vectors, 15 float32 numbers" in capsys.readouterr().out
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
    first = {"seconds": 5.0, "card": {"data": "First text."}}
    before = {"seconds": 55.0, "card": {"data": "Second."}, "from": "one", "kept_networks": first}
    twice = {"seconds": 65.0, "from": "two", "kept_networks": before}
    metadata = {**contract.METADATA, **twice, "data": {"wiki": {"lines": 3}}}
    text = (save_vectors(tmp_path / "v", metrics=metrics, metadata=metadata) / "README.md").read_text()
    assert "| analogies | 41.62 % | 0.388 | 16,101 | 40 | 3CosAdd \\| first 50,000 |" in text
    assert "| wordsim353 | 0.63 | - | 353 | - | Spearman |" in text
    assert "- training time: 2 min 5 s" in text
    told = "Fine-tuned from two, whose data were: Second. Fine-tuned from one, whose data were: First text."
    assert f"{contract.CARD.data} {told}\n" in text
    assert "- seed: 1" in text and '- wiki: {"lines": 3}' in text
    assert "15 numbers, stored as float32" in text
    for part in ("# A test", "## Licence", "## Intended use", "## Limits", "Everything else."):
        assert part in text


def test_an_empty_part_of_a_card_is_refused():
    with pytest.raises(ValueError, match=r"licence does not fit"):
        CardText("a", "b", "c", " ", "e", "f")


@pytest.mark.parametrize("said", [b"[" * 100_000, b" " * (5 << 20), b"[1]"])
def test_measures_that_are_none_are_left_out(tmp_path, said):
    folder = save_vectors(tmp_path / "v")
    (folder / "metrics.json").write_bytes(said)
    begun = time.perf_counter()
    for card in ({"data": "(" * 50_000}, {"data": " " * 50_000}, [], {}):
        found = FoundPreset("v", folder, "runs", {"kind": "word_vectors", "card": card})
        assert found.metrics == {} and isinstance(found.learned_from, str)
    assert time.perf_counter() - begun < 1.0

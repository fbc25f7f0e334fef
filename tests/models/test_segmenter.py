from __future__ import annotations

import subprocess
import sys
import threading
import time
from pathlib import Path

import keras
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from data_prep.array_files import specs_of
from data_prep.errors import InputError
from data_prep.text.segmentation import CHARACTER_IDS, LABELS, LONGEST_SENTENCE, character_ids
from models.presets.search import list_presets
from models.presets.store import load_preset, save_preset
from models.segmenter import serving as module
from models.segmenter.config import KIND, SegmenterConfig, segmenter_specs
from models.segmenter.network import build_segmenter
from models.segmenter.serving import Segmenter
from models.storage.variables import variable_arrays
from tests.data_prep.test_segmentation import TEXTS, assert_covers
from tests.models.contract import (
    CARD,
    METADATA,
    METRICS,
    check_config_round_trip,
    check_output_shapes,
    check_overfits,
    check_padding_changes_nothing,
    check_single_equals_batch,
    check_stable_names,
)

ROOT = Path(__file__).resolve().parents[2]
PRESET = "segmenter_en_ewt"
TINY = SegmenterConfig(
    embedding=4, channels=6, kernel=3, dilations=(1, 2), dropout=0.1, embedding_dropout=0.1
)
NEEDS_PRESET = pytest.mark.skipif(PRESET not in list_presets(), reason="the segmenter's preset is not there")


@pytest.fixture(scope="module")
def network():
    keras.utils.set_random_seed(3)
    model = build_segmenter(TINY)
    for variable in model.weights:  # biases begin with zeros and would hide a forgotten one
        variable.assign(keras.random.normal(variable.shape, stddev=0.5, seed=len(variable.path)))
    return model


@pytest.fixture(scope="module")
def tiny(network):
    return Segmenter(TINY, variable_arrays(network.weights))


def opened(preset):
    loaded = load_preset(preset, kind=KIND)
    return Segmenter(loaded.config, loaded.arrays)


@pytest.fixture(scope="module")
def shipped():
    return opened(PRESET)


@pytest.fixture(autouse=True)
def machine_code(monkeypatch):
    """Short texts do not go another way."""
    monkeypatch.setattr(module, "_FEW_CHARACTERS", 0)


def ids_of(*shape, seed=0):
    return np.random.default_rng(seed).integers(1, CHARACTER_IDS, shape).astype(np.int32)


def test_config_survives_json():
    values = {
        "characters": 7, "embedding": 3, "channels": 5, "kernel": 3,
        "dilations": (2, 1), "dropout": 0.5, "embedding_dropout": 0.25,
    }  # fmt: skip
    check_config_round_trip(SegmenterConfig, values)


@pytest.mark.parametrize(
    ("values", "message"),
    [
        ({"channels": 0}, "channels does not fit. Allowed: greater than or equal to 1"),
        ({"dilations": ()}, "dilations does not fit. Allowed: .* at least 1"),
        ({"dilations": (1, 0)}, "dilations does not fit. Allowed: greater than or equal to 1"),
        ({"kernel": 4}, "odd kernel"),
        ({"dropout": 1.0}, "dropout does not fit. Allowed: less than 1"),
    ],
)
def test_impossible_sizes_are_refused(values, message):
    with pytest.raises(InputError, match=message):
        SegmenterConfig(**values)


def test_network(network):
    ids = ids_of(3, 20)
    check_stable_names(build_segmenter, TINY)
    check_output_shapes(network, [(ids, (3, 20, 3)), (ids_of(1, 7), (1, 7, 3))])
    check_single_equals_batch(network, ids)
    padded = np.pad(ids, [(0, 0), (0, 9)])
    check_padding_changes_nothing(network, ids, padded, lambda output: output[:, :20])


def test_network_learns_two_examples():
    keras.utils.set_random_seed(1)
    model = build_segmenter(
        SegmenterConfig(embedding=8, channels=16, kernel=3, dilations=(1, 2), dropout=0.0)
    )
    model.compile(keras.optimizers.Adam(0.01), keras.losses.SparseCategoricalCrossentropy(from_logits=True))
    check_overfits(model, ids_of(2, 12), np.random.default_rng(1).integers(0, 3, (2, 12)))


def test_specs_are_those_of_the_network(network):
    assert segmenter_specs(TINY) == specs_of(variable_arrays(network.weights))


@pytest.mark.parametrize("length", [1, 2, 3, 50])
def test_numpy_gives_the_logits_of_the_network(network, tiny, length):
    ids = ids_of(length, seed=length)
    expected = keras.ops.convert_to_numpy(network(ids[None], training=False))[0]
    np.testing.assert_allclose(tiny.logits(ids), expected, rtol=1e-4, atol=1e-4)


def test_windows_change_nothing(tiny, monkeypatch):
    ids = ids_of(200)
    whole = tiny.labels(ids)
    assert set(whole) == {0, 1, 2}
    for window in (1, 7, 64):
        monkeypatch.setattr(module, "_WINDOW", window)
        np.testing.assert_array_equal(tiny.labels(ids), whole)


def test_whole_numbers_change_no_label_that_is_sure(tiny):
    ids = ids_of(2000)
    logits = tiny.logits(ids)
    least, most = np.sort(logits)[:, -2:].T
    sure = most - least > 0.02
    assert sure.mean() > 0.9
    np.testing.assert_array_equal(tiny.labels(ids)[sure], logits.argmax(1)[sure])
    assert len(tiny.labels(ids[:0])) == 0


def test_reach_is_exact(tiny):
    ids = ids_of(40)
    changed = ids.copy()
    changed[20] = ids[20] % (CHARACTER_IDS - 1) + 1
    moved = np.flatnonzero(np.abs(tiny.logits(ids) - tiny.logits(changed)).max(-1) > 1e-7)
    assert TINY.reach == 3
    assert (moved.min(), moved.max()) == (20 - TINY.reach, 20 + TINY.reach)


def save(network, folder, **changes):
    weights = variable_arrays(network.weights) if network is not None else None
    parts = {
        "kind": KIND, "config": TINY, "weights": weights, "labels": LABELS,
        "golden": {"characters": character_ids("I don't know. Yes")},
        "metrics": METRICS, "metadata": METADATA, "card": CARD,
    }  # fmt: skip
    return save_preset(folder / "preset", **(parts | changes))


def test_preset_round_trip(network, tiny, tmp_path):
    path = save(network, tmp_path)
    again = opened(path)
    assert again.config == TINY
    np.testing.assert_array_equal(again.logits(ids_of(30)), tiny.logits(ids_of(30)))
    text = "I don't know. Yes! No?"
    assert again.segment(text) == tiny.segment(text)


def test_arrays_of_another_config_are_refused(network, tmp_path):
    with pytest.raises(ValueError, match="do not fit the config"):
        save(network, tmp_path, config=SegmenterConfig())


def test_preset_with_other_labels_is_refused(network, tmp_path):
    with pytest.raises(InputError, match="other labels"):
        save(network, tmp_path, labels=("a", "b", "c"))


def test_preset_with_other_character_ids_is_refused(tmp_path):
    config = SegmenterConfig(characters=CHARACTER_IDS + 1, embedding=2, channels=2, dilations=(1,))
    weights = {name: np.zeros(spec.shape, spec.dtype) for name, spec in segmenter_specs(config).items()}
    with pytest.raises(InputError, match="other character ids"):
        save(None, tmp_path, config=config, weights=weights)


@settings(max_examples=150, deadline=None)
@given(text=TEXTS)
def test_any_text_is_rebuilt_by_an_untrained_network(tiny, text):
    assert_covers(text, tiny.segment(text))


@NEEDS_PRESET
@settings(max_examples=100, deadline=None)
@given(text=st.one_of(TEXTS, st.text()))
def test_any_text_is_rebuilt(shipped, text):
    assert_covers(text, shipped.segment(text))


@NEEDS_PRESET
@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("", []),
        (" \n ", []),
        ("Dogs bark. Cats don't!", [["Dogs", "bark", "."], ["Cats", "do", "n't", "!"]]),
        ("I cannot, they’ll", [["I", "can", "not", ",", "they", "’ll"]]),
        ("Mr. Smith's well-known house.", [["Mr.", "Smith", "'s", "well", "-", "known", "house", "."]]),
        ("It costs $3.50 (or 5%)...", [["It", "costs", "$", "3.50", "(", "or", "5", "%", ")", "..."]]),
        ("Write to me@example.org now", [["Write", "to", "me@example.org", "now"]]),
        ("First one.\n\nsecond one", [["First", "one", "."], ["second", "one"]]),
    ],
)
def test_shipped_segmenter(shipped, text, words):
    assert [[word.text for word in sentence] for sentence in shipped.segment(text)] == words


@NEEDS_PRESET
def test_wrapped_text_is_cut_as_if_it_were_not(shipped):
    line = "The quick brown fox jumps over the lazy dog, and nobody in the village minds it."
    text = f"{line} {line} {line}"
    wrapped = f"{line}\n{line}\n{line}"
    assert shipped.segment(text) == shipped.segment(wrapped)


@NEEDS_PRESET
def test_a_megabyte_takes_seconds_and_bounded_sentences(shipped):
    text = "Mr. Smith didn't go to Washington on Tuesday; he stayed at home. " * 16_000
    began = time.perf_counter()
    sentences = shipped.segment(text)
    assert time.perf_counter() - began < 60
    assert len(sentences) == 16_000
    assert max(map(len, shipped.segment("a," * 10_000))) <= LONGEST_SENTENCE


@NEEDS_PRESET
def test_threads_share_a_segmenter(shipped):
    text = "He didn't. She did! " * 20
    expected, found = shipped.segment(text), []
    threads = [threading.Thread(target=lambda: found.append(shipped.segment(text))) for _ in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert found == [expected] * 8


@NEEDS_PRESET
def test_preset_is_small_and_scored_above_the_rules():
    preset = load_preset(PRESET)
    assert sum(path.stat().st_size for path in preset.path.iterdir()) <= 1.5 * 2**20
    assert preset.metrics["test_words_f1"]["score"] >= 98.5
    for name, measure in preset.metrics.items():
        assert measure["score"] > measure["baseline"], name


@NEEDS_PRESET
def test_serving_needs_no_tensorflow():
    code = (
        "import sys; from models.presets.store import load_preset; from models.segmenter.serving import Segmenter; "
        f"p = load_preset({PRESET!r}); print(len(Segmenter(p.config, p.arrays).segment('Dogs bark. Cats do not.'))); "
        "print({'tensorflow', 'keras'} & set(sys.modules))"
    )
    command = [sys.executable, "-c", code]
    done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, timeout=120, check=True)
    assert done.stdout.split() == ["2", "set()"]

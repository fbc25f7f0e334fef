"""The tagger's network in NumPy against the one in Keras, and what it remembers of words."""

from __future__ import annotations

import subprocess
import sys
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from pathlib import Path

import keras
import numpy as np
import pytest

from data_prep.array_files import specs_of
from models.pos_tagger.config import tagger_specs
from models.pos_tagger.network import PosTaggerConfig
from models.pos_tagger.serving import TagPredictor, tagger_answer
from models.serving import blas_threads
from models.serving.bilstm import PackedBiLSTM, pack
from models.storage.variables import variable_arrays
from tests.models import contract
from tests.models.test_pos_tagger import CONFIG, SENTENCES, VOCABULARY, build, inputs

ROOT = Path(__file__).resolve().parents[2]
CONFIGS = [
    CONFIG,
    replace(CONFIG, output="crf", units=(6, 3, 4)),
    replace(CONFIG, character_widths=(4, 1, 3), units=(5,)),
]


@pytest.fixture(autouse=True)
def machine_code(monkeypatch: pytest.MonkeyPatch) -> None:
    """Few words do not go another way."""
    monkeypatch.setattr("models.pos_tagger.serving._FEW_WORDS", 0)


@pytest.mark.parametrize("config", CONFIGS)
def test_specs_are_those_of_the_network(config: PosTaggerConfig) -> None:
    built = specs_of(variable_arrays(build(config).weights))
    assert tagger_specs(config) == built
    assert [name for name in tagger_specs(config) if "width" in name] == [
        name for name in built if "width" in name
    ]


@pytest.mark.parametrize("config", CONFIGS)
def test_the_answer_to_a_batch_is_the_networks(config: PosTaggerConfig) -> None:
    model, batch = build(config), inputs([*SENTENCES, ["Q" * 30, "naïve"], ["x", "cat", "tree"]])
    expected = model(batch, training=False)
    answer = tagger_answer(config, variable_arrays(model.weights), batch)
    assert answer.keys() == expected.keys()
    for name, logits in answer.items():
        wanted = np.asarray(keras.ops.convert_to_numpy(expected[name]))
        np.testing.assert_allclose(logits[batch["mask"]], wanted[batch["mask"]], rtol=1e-4, atol=1e-4)
        assert logits.shape == wanted.shape and not logits[~batch["mask"]].any()


def test_a_layer_is_two_of_keras_and_reads_every_length() -> None:
    rng = np.random.default_rng(5)
    layers = [keras.layers.LSTM(6, return_sequences=True, go_backwards=back) for back in (False, True)]
    for layer in layers:
        layer.build((None, None, 4))
        for weight in layer.weights:
            weight.assign(rng.normal(scale=0.7, size=weight.shape))
    packed = PackedBiLSTM(*([weight.numpy() for weight in layer.weights] for layer in layers))
    lengths = [1, 5, 3, 5, 2]
    values = [rng.normal(size=(length, 4)).astype(np.float32) for length in lengths]
    found = packed(np.concatenate(values), pack(lengths))
    projected = packed.projected(np.concatenate(values))
    packing = pack(lengths)
    again = packed.read(np.stack([projected[0][packing.ahead], projected[1][packing.back]]), packing)
    np.testing.assert_allclose(again, found, atol=1e-6)
    start = 0
    for value in values:
        ahead, back = (np.asarray(layer(value[None])[0]) for layer in layers)
        expected = np.concatenate([ahead, back[::-1]], axis=1)
        np.testing.assert_allclose(found[start : start + len(value)], expected, atol=1e-5)
        start += len(value)


@pytest.mark.parametrize("config", CONFIGS)
def test_whole_numbers_move_logits_little(config: PosTaggerConfig) -> None:
    words = predictor(config)
    sentences = [*SENTENCES, ["Q" * 30, "naïve"], ["x"] * 40, *([["cats", "run"]] * 9)]
    forms = [form for sentence in sentences for form in sentence]
    expected, compiled = words.logits(sentences), words._compiled
    found = compiled.logits(compiled.remembered(forms), sentences)
    np.testing.assert_allclose(found.upos, expected.upos, atol=1e-2)
    np.testing.assert_allclose(found.xpos, expected.xpos, atol=1e-2)
    np.testing.assert_array_equal(found.unknown, expected.unknown)


def predictor(config: PosTaggerConfig = CONFIG) -> TagPredictor:
    return TagPredictor(config, VOCABULARY, variable_arrays(build(config).weights))


def test_words_are_computed_once_and_forgotten_when_there_is_no_room(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("models.pos_tagger.serving._REMEMBERED_WORDS", 3)
    words = predictor()
    network = words._network
    asked = []
    monkeypatch.setattr(
        network, "vectors", lambda rows, characters: asked.append(len(rows)) or real(rows, characters)
    )
    real = type(network).vectors.__get__(network)

    def values(*forms: str) -> np.ndarray:
        return words.predict([forms]).probabilities

    first = values("Dogs", "bark", "Dogs")
    assert asked == [2]
    np.testing.assert_array_equal(values("Dogs", "bark", "Dogs"), first)
    assert asked == [2], "both were remembered"
    values("cats", "run")
    assert asked == [2, 2], "no room for four: a fresh memory"
    np.testing.assert_allclose(values("Dogs", "bark", "Dogs"), first, atol=1e-5)
    assert asked == [2, 2, 2]
    assert values("a", "b", "c", "d").shape == (4, 17), "more words than are remembered"


def test_threads_share_a_tagger(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(blas_threads, "usable_cores", lambda: 4)
    monkeypatch.setattr("models.pos_tagger.serving._REMEMBERED_WORDS", 12)
    serving = predictor()
    texts = [[f"w{number % 40}", "dogs", "." * (number % 3 + 1)] * (number % 4 + 1) for number in range(120)]
    expected = [predictor().predict([text]).probabilities for text in texts[:8]]
    with ThreadPoolExecutor(8) as pool:
        found = list(pool.map(lambda text: serving.predict([text]).probabilities, texts * 3))
    for number, probabilities in enumerate(found):
        np.testing.assert_allclose(probabilities, found[number % 120], atol=1e-6)
    for one, other in zip(expected, found, strict=False):
        np.testing.assert_allclose(one, other, atol=1e-6)


def test_chunks_in_threads_give_the_same(monkeypatch: pytest.MonkeyPatch) -> None:
    serving = predictor()
    many = [["Dogs", "bark", "quietly", "."][: number % 5] for number in range(50)]
    alone = [serving.predict([sentence]).probabilities for sentence in many]
    monkeypatch.setattr("models.pos_tagger.serving._WORDS_AT_ONCE", 7)
    monkeypatch.setattr(blas_threads, "usable_cores", lambda: 4)
    with blas_threads._libraries().limit(limits=4, user_api="blas"):
        together = serving.predict(many)
    np.testing.assert_allclose(np.concatenate(alone), together.probabilities, atol=1e-6)


def test_a_preset_opens_without_tensorflow(tmp_path: Path) -> None:
    preset = contract.check_save_load_equal(
        "pos_tagger", CONFIG, build(), inputs(), tmp_path, vocabulary=VOCABULARY, labels=CONFIG.upos
    )
    code = (
        "import sys; from models.presets.store import load_preset; "
        "from models.pos_tagger.serving import TagPredictor; "
        f"p = load_preset({str(preset.path)!r}); "
        "print(len(TagPredictor(p.config, p.vocabulary, p.arrays).predict([['Dogs', 'bark']]).upos)); "
        "print({'tensorflow', 'keras'} & set(sys.modules))"
    )
    done = subprocess.run([sys.executable, "-c", code], cwd=ROOT, capture_output=True, text=True, check=True)
    assert done.stdout.split() == ["2", "set()"]

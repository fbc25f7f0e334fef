from __future__ import annotations

import subprocess
import sys
from dataclasses import replace
from pathlib import Path

import keras
import numpy as np
import pytest

from data_prep.array_files import specs_of
from data_prep.errors import InputError
from data_prep.images.letter_batches import few_shapes, image_inputs
from data_prep.readers.letters import LETTERS
from models.ocr.config import KIND, OcrConfig, ocr_specs
from models.ocr.letter_search import letter_shares
from models.ocr.network import build_ocr, ctc_loss, ocr_losses, ocr_model
from models.ocr.serving import OCR, LettersReader, WordsReader, log_of
from models.presets.store import load_preset, save_preset
from models.serving.ctc import log_likelihoods
from models.serving.operations import softmax
from models.storage.variables import assign_arrays, variable_arrays
from tests.models.contract import (
    CARD,
    METADATA,
    METRICS,
    answers,
    check_config_round_trip,
    check_output_shapes,
    check_overfits,
    check_padding_changes_nothing,
    check_save_load_equal,
    check_stable_names,
)
from tests.models.ocr_arrays import TINY, TINY_WORDS, letter_batch, random_arrays, with_language

CONFIGS = pytest.mark.parametrize("config", [TINY, TINY_WORDS], ids=["letters", "words"])


def built(config: OcrConfig) -> tuple[keras.Model, dict[str, np.ndarray]]:
    model, arrays = build_ocr(config), random_arrays(config)
    assign_arrays(model.weights, arrays)
    return model, arrays


def images(widths: tuple[int, ...], seed: int = 0) -> list[np.ndarray]:
    rng = np.random.default_rng(seed)
    return [rng.random((16, width, 1), np.float32) for width in widths]


def named_answers(model: keras.Model, inputs: dict[str, np.ndarray]) -> dict[str, np.ndarray]:
    found = model(
        {name: keras.ops.convert_to_tensor(array) for name, array in inputs.items()}, training=False
    )
    return {name: keras.ops.convert_to_numpy(values) for name, values in found.items()}


def test_every_argument_survives() -> None:
    values = {
        "reads": "words", "alphabet": "xyz", "filters": (2, 3, 4),
        "convolutions": 1, "features": 7, "units": 5, "dropout": 0.1,
        "answer": "crf", "lm_grams": (3, 4), "lm_contexts": (1, 2), "lm_weight": 0.25, "lm_bonus": 0.5, "beam": 3,
        "temperature": 1.5,
    }  # fmt: skip
    check_config_round_trip(OcrConfig, values)


@pytest.mark.parametrize(
    ("values", "message"),
    [
        ({"reads": "lines"}, "reads does not fit.*'letters' or 'words'"),
        ({"answer": "guess"}, "answer does not fit.*'bilstm', 'crf' or 'search'"),
        ({"filters": (8, 8)}, "filters does not fit"),
        ({"units": 0}, "units does not fit.*greater than or equal to 1"),
        ({"dropout": 1.0}, "dropout does not fit.*less than 1"),
        ({"lm_grams": (3,)}, "sizes of the language model"),
        ({"lm_weight": -1.0}, "lm_weight does not fit"),
        ({"temperature": 0.0}, "temperature does not fit"),
        ({"answer": "search"}, "needs a language model"),
    ],
)
def test_a_config_that_makes_no_network_is_refused(values: dict, message: str) -> None:
    with pytest.raises(InputError, match=message):
        OcrConfig(**values)


@CONFIGS
def test_names_are_stable_and_those_of_the_preset(config: OcrConfig) -> None:
    check_stable_names(build_ocr, config)
    assert specs_of(variable_arrays(build_ocr(config).weights)) == ocr_specs(config)


def test_letters_have_logits_at_any_size() -> None:
    model, _ = built(TINY)
    check_output_shapes(model, [(letter_batch((2, 3)), (5, 26)), (letter_batch((1,)), (1, 26))])
    found = named_answers(model, letter_batch((2, 3)))
    assert {name: values.shape for name, values in found.items()} == {
        "alone": (5, 26), "context": (2, 3, 26), "chain": (2, 3, 26),
    }  # fmt: skip


def test_words_have_a_frame_for_two_columns() -> None:
    model, _ = built(TINY_WORDS)
    cases = [(image_inputs(images((20, 31))), (2, 24, 27)), (image_inputs(images((60,))), (1, 40, 27))]
    check_output_shapes(model, cases)


def test_numpy_answers_letters_as_keras_does() -> None:
    model, arrays = built(TINY)
    batch = letter_batch((3, 1, 4))
    found = named_answers(model, batch)
    packed = LettersReader(TINY, arrays).logits(batch["letters"], (3, 1, 4))
    real = batch["places"] >= 0
    np.testing.assert_allclose(packed["alone"], found["alone"], atol=1e-5)
    for name in ("context", "chain"):
        np.testing.assert_allclose(packed[name], found[name][real], atol=1e-5)


def test_numpy_answers_words_as_keras_does() -> None:
    model, arrays = built(TINY_WORDS)
    some = images((21, 40, 33))
    inputs = image_inputs(some)
    (found,) = answers(model, inputs)
    for row, packed in enumerate(WordsReader(TINY_WORDS, arrays).logits(some)):
        np.testing.assert_allclose(packed, found[row][inputs["mask"][row]], atol=1e-5)
        assert (found[row][~inputs["mask"][row]].argmax(axis=1) == len(LETTERS)).all()


def test_a_word_alone_has_the_answer_that_it_has_in_a_batch() -> None:
    model, _ = built(TINY)
    lengths = (3, 1, 4)
    batch = letter_batch(lengths)
    together = named_answers(model, batch)
    for row, places in enumerate(batch["places"]):
        word = batch["letters"][places[places >= 0]]
        alone = named_answers(model, {"letters": word, "places": np.arange(len(word), dtype=np.int32)[None]})
        for name in ("context", "chain"):
            np.testing.assert_allclose(alone[name][0], together[name][row, : len(word)], atol=1e-5)


def test_padding_changes_nothing() -> None:
    model, _ = built(TINY)
    batch = letter_batch((3, 2))
    wider = {**batch, "places": np.pad(batch["places"], ((0, 0), (0, 3)), constant_values=-1)}
    plain, padded = named_answers(model, batch), named_answers(model, wider)
    real = batch["places"] >= 0
    for name in ("context", "chain"):
        np.testing.assert_allclose(padded[name][:, :3][real], plain[name][real], atol=1e-5)
    model, _ = built(TINY_WORDS)
    inputs = image_inputs(images((20, 29)))
    frames = inputs["mask"].shape[1]
    more = {
        "image": np.pad(inputs["image"], ((0, 0), (0, 0), (0, 16), (0, 0))),
        "mask": np.pad(inputs["mask"], ((0, 0), (0, 8))),
    }
    check_padding_changes_nothing(model, inputs, more, lambda found: found[:, :frames])


def test_letters_are_learned_by_heart_by_every_head() -> None:
    keras.utils.set_random_seed(1)
    config = replace(TINY, dropout=0.0)
    model = build_ocr(config)
    model.compile(keras.optimizers.Adam(0.02), loss=ocr_losses(model, config))
    labels = np.array([7, 4, 11, 15, 14, 3], np.int32)
    rows = np.array([[7, 4, 11, 15], [14, 3, -1, -1]], np.int32)
    check_overfits(
        model, letter_batch((4, 2)), {"alone": labels, "context": rows, "chain": rows}, loss_below=0.2
    )


def test_words_are_learned_by_heart() -> None:
    keras.utils.set_random_seed(1)
    config = replace(TINY_WORDS, features=24, units=16, dropout=0.0)
    model = build_ocr(config)
    model.compile(keras.optimizers.Adam(0.02), loss=ocr_losses(model, config))
    labels = np.array([[7, 4, 11, 11], [14, 3, -1, -1]], np.int32)
    check_overfits(model, image_inputs(images((40, 21))), labels, steps=300, loss_below=0.1)


def test_the_loss_is_the_sum_over_paths() -> None:
    rng = np.random.default_rng(3)
    logits = rng.normal(size=(3, 9, 27)).astype(np.float32)
    labels = np.array([[0, 0, 25], [4, -1, -1], [2, 3, -1]], np.int32)
    wanted = [
        log_likelihoods(log_of(softmax(rows)), row[None, row >= 0])[0]
        for rows, row in zip(logits, labels, strict=True)
    ]
    found = float(keras.ops.convert_to_numpy(ctc_loss(labels, keras.ops.convert_to_tensor(logits))))
    assert found == pytest.approx(-sum(wanted) / 6, rel=1e-5)


@CONFIGS
def test_a_preset_gives_the_same_answer(config: OcrConfig, tmp_path: Path) -> None:
    config, language = with_language(config)
    arrays = {**random_arrays(config), **language}
    batch = letter_batch((2, 3))
    golden = (
        {"letters": batch["letters"], "lengths": np.array([2, 3])}
        if config.reads == "letters"
        else {"image": images((24,))[0][None]}
    )
    path = save_preset(
        tmp_path / "preset", kind=KIND, config=config, weights=arrays, golden=golden, metrics=METRICS,
        metadata=METADATA, card=CARD, labels=tuple(LETTERS), dtype="float16",
    )  # fmt: skip
    preset = load_preset(path, kind=KIND)
    assert preset.config == config
    before, after = (OCR.answer(config, given, golden) for given in (arrays, preset.arrays))
    for name, values in before.items():
        np.testing.assert_allclose(after[name], values, atol=2e-2, err_msg=name)


def test_labels_of_a_preset_are_the_letters(tmp_path: Path) -> None:
    with pytest.raises(InputError, match="not the letters of the alphabet"):
        check_save_load_equal(
            KIND, TINY, build_ocr(TINY), {}, tmp_path, labels=tuple(reversed(tuple(LETTERS)))
        )


def test_words_of_letters_are_searched_and_decoded() -> None:
    config, language = with_language(TINY)
    reader = LettersReader(replace(config, beam=8), {**random_arrays(config), **language})
    batch = letter_batch((4, 3))
    scores = reader.scores(batch["letters"], (4, 3))
    np.testing.assert_allclose(reader.marginals(batch["letters"], (4, 3)).sum(axis=1), 1.0)
    best = reader.search(scores.context[:4])
    np.testing.assert_allclose(letter_shares(best).sum(axis=1), 1.0)
    assert len(best) == 8 and sum(one.probability for one in best) == pytest.approx(1.0)
    assert len(scores.best) == 7


@pytest.mark.parametrize("reads", ["letters", "words"])
def test_the_network_of_a_preset_answers_words_as_they_are_and_is_saved(reads: str, tmp_path: Path) -> None:
    config, language = with_language(replace(TINY, reads=reads))
    arrays = {**random_arrays(config), **language}
    model = ocr_model(config, arrays)
    for size in (3, 8):
        if reads == "letters":
            lengths = np.array([size, 1, 4])
            inputs = {"letters": letter_batch((size, 1, 4))["letters"], "lengths": lengths}
            expected = LettersReader(config, arrays).logits(inputs["letters"], lengths.tolist())
        else:
            both = images((20 + size, 20 + size))
            inputs = {"image": np.stack(both)}
            expected = {"frames": np.stack(WordsReader(config, arrays).logits(both))}
        for name, values in named_answers(model, inputs).items():
            np.testing.assert_allclose(values, expected[name], atol=1e-5)
    model.save(tmp_path / "network.keras")
    loaded = named_answers(keras.models.load_model(tmp_path / "network.keras"), inputs)
    for name, values in named_answers(model, inputs).items():
        np.testing.assert_array_equal(loaded[name], values)


def test_the_language_model_can_be_left_out_of_a_word() -> None:
    config, language = with_language(replace(TINY_WORDS, lm_weight=5.0))
    reader = WordsReader(config, {**random_arrays(config), **language})
    image = images((30,))[0]
    (frames,) = reader.log_probabilities([image])
    plain, helped = reader.search(frames, language_model=False), reader.search(frames)
    without = WordsReader(TINY_WORDS, random_arrays(TINY_WORDS))
    assert plain[0].text == without.search(*without.log_probabilities([image]))[0].text
    assert reader.language.score(helped[0].text) >= reader.language.score(plain[0].text)


def test_serving_needs_no_tensorflow() -> None:
    code = (
        "import sys\n"
        "from tests.models.ocr_arrays import *\n"
        "from models.ocr.serving import LettersReader\n"
        "LettersReader(TINY, random_arrays(TINY)).scores(letter_batch((2,))['letters'], [2])\n"
        "assert not {'tensorflow', 'keras'} & set(sys.modules)\n"
    )
    subprocess.run([sys.executable, "-c", code], check=True, timeout=120, cwd=Path(__file__).parents[2])


def test_batches_of_few_shapes_have_the_same_loss() -> None:
    model, _ = built(TINY)
    rows = np.array([[1, 2, 3], [4, -1, -1]], np.int32)
    batch = letter_batch((3, 1)), {"alone": rows[rows >= 0], "context": rows, "chain": rows}
    padded = few_shapes(batch)
    assert padded[0]["letters"].shape == (64, 16, 8, 1)
    assert padded[0]["places"].shape == padded[1]["chain"].shape == (2, 4)
    for name, loss in ocr_losses(model, TINY, 0.1).items():
        found, expected = (float(loss(y[name], named_answers(model, x)[name])) for x, y in (padded, batch))
        assert found == pytest.approx(expected, rel=1e-6)
    words = image_inputs(images((30, 20))), np.array([[1, 2, 3, 4, 5], [6, 7, 8, -1, -1]], np.int32)
    inputs, labels = few_shapes(words)
    assert inputs is words[0]
    logits = np.random.default_rng(0).normal(size=(2, 20, 27)).astype(np.float32)
    assert labels.shape == (2, 8)
    assert float(ctc_loss(labels, logits)) == pytest.approx(float(ctc_loss(words[1], logits)), rel=1e-6)

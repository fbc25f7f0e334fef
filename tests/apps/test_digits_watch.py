"""What a digit network shows while it trains: true numbers, an unchanged training, and a page that draws it."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from streamlit.testing.v1 import AppTest

from apps.digits.application import Digits
from apps.digits.evaluation import score
from apps.digits.examples import examples
from apps.digits.sources import DigitsSource, sample_source
from apps.digits.strips import opened, packed, strip_of
from apps.digits.task import RECIPES, DigitsTask
from apps.digits.watch import WATCHED, moved, movement, seer
from data_prep.errors import InputError
from data_prep.images.augmentation import NO_AUGMENTATION
from data_prep.images.preparation import LabelledImages, digit_batch
from models.digit_cnn.config import DigitCNNConfig
from models.digit_cnn.inside import OpenNetwork
from models.digit_cnn.network import build_digit_cnn
from models.storage.variables import variable_arrays
from models.training.driver import train
from models.training.task import Run
from models.training.watching import Seen
from tests.apps.watched_run import pictures_of, watched_and_not

LABELS = tuple("0123456789")
TASK = DigitsTask()
TINY = replace(
    RECIPES["lab"], epochs=2, batch_size=32, channels=(2, 3), dropout=0.2, augmentation=NO_AUGMENTATION
)


@pytest.fixture(scope="module")
def source() -> DigitsSource:
    return sample_source(1)


def sample() -> LabelledImages:
    images, labels, _ = examples()
    return LabelledImages(images, labels)


def seen(config: DigitCNNConfig, **watch: str) -> Seen:
    return seer(config, LABELS, sample(), held_out=True)(build_digit_cnn(config), watch)


def test_numbers_are_those_of_the_evaluation() -> None:
    config = DigitCNNConfig("lecture")
    model = build_digit_cnn(config)
    found = seer(config, LABELS, sample(), held_out=True)(model, {})
    digits = Digits(config, variable_arrays(model.weights), labels=LABELS)
    count = found.picture["n"]
    some = sample().part(slice(count))
    expected = score(digits, some, "validation")
    assert count == 300
    assert set(found.numbers) == {"held_out_loss", "held_out_accuracy"}
    assert found.numbers["held_out_accuracy"] == pytest.approx(expected.accuracy)
    shares = digits.probabilities(digit_batch(some.images))[np.arange(count), some.labels]
    assert found.numbers["held_out_loss"] == pytest.approx(-np.log(shares).mean())
    np.testing.assert_array_equal(found.picture["confusion"], expected.confusion)
    hardest = np.argsort(shares, kind="stable")[:6]
    for one, at in zip(found.picture["hardest"], hardest, strict=True):
        np.testing.assert_array_equal(one["pixels"], some.images[at])
        assert one["label"] == LABELS[some.labels[at]]


def test_large_networks_have_a_small_sample() -> None:
    found = seen(DigitCNNConfig(), layers="3")
    assert found.picture["n"] == 100
    assert [layer["name"] for layer in found.picture["layers"]][::2] == ["stem_relu", "stage3_block3_relu2"]


def test_what_is_looked_at() -> None:
    config = DigitCNNConfig("lecture")
    found = seen(config, image="7", layers="1").picture
    assert found["image"]["label"] == "7" and dict(found["shares"]).keys() == set(LABELS)
    assert [layer["name"] for layer in found["layers"]] == ["relu1"]
    assert found["filters"]["weights"]["steps"].shape == (1, 8, 5, 5)
    assert seen(config, image="#12").picture["image"]["number"] == 12
    assert seen(config, layers="0").picture["layers"] == []
    assert "moved" not in found


@pytest.mark.parametrize(
    ("watch", "message"),
    [
        ({"image": "x"}, "no such image to look at. Allowed: 0, 1, .*or #0 to #299. Received: 'x'"),
        ({"image": "#300"}, "no such image"),
        ({"layers": "9"}, "layers does not fit. Allowed: 0 to 8"),
        ({"layers": "-1"}, "layers does not fit"),
        ({"shift": "two"}, "shift does not fit"),
    ],
)
def test_what_cannot_be_looked_at_is_refused(watch: dict[str, str], message: str) -> None:
    with pytest.raises(InputError, match=message):
        seen(DigitCNNConfig("lecture"), **watch)


def test_images_move_by_whole_pixels() -> None:
    images = np.arange(12, dtype=np.float32).reshape(1, 3, 4)
    assert moved(images, 0, 1)[0].tolist() == [[0, 0, 1, 2], [0, 4, 5, 6], [0, 8, 9, 10]]
    assert moved(images, -1, -2)[0].tolist() == [[6, 7, 0, 0], [10, 11, 0, 0], [0, 0, 0, 0]]
    np.testing.assert_array_equal(moved(images, 0, 0), images)


def test_convolutions_are_equivariant_and_strides_only_to_their_own_steps() -> None:
    images = np.zeros((2, 28, 28, 1), np.float32)
    images[:, 11:17, 10:15] = np.random.default_rng(1).random((2, 6, 5, 1))
    for pooling, layer in (("none", "relu1"), ("max", "pool1"), ("stride", "relu1")):
        config = DigitCNNConfig("lecture", pooling=pooling)
        network = OpenNetwork(config, variable_arrays(build_digit_cnn(config).weights))
        found = movement(network, images, [layer], 2)
        assert (found["change"] > 0.3).all(), pooling
        by_one, by_two = found["error"][0]
        assert by_two < 1e-5
        assert by_one < 1e-5 if pooling == "none" else by_one > 0.05, pooling


def test_moved_images_are_counted() -> None:
    found = seen(DigitCNNConfig("lecture"), shift="2")
    accuracy = found.picture["moved"]["accuracy"]
    assert len(accuracy) == 3 and found.picture["moved"]["n"] == 150
    assert accuracy[1:] == [found.numbers[f"held_out_accuracy_moved_by_{by}"] for by in (1, 2)]
    assert found.picture["moved"]["layers"] == ["relu1", "pool1", "relu2", "pool2"]


def test_strips_lose_little_in_a_picture() -> None:
    values = np.random.default_rng(1).normal(size=(5, 5, 20)).astype(np.float32)
    strip = strip_of(values)
    again = opened(packed(strip))
    assert (again.count, again.low, again.high, again.left_out) == (20, strip.low, strip.high, 0)
    assert np.abs(again.tiles - strip.tiles).max() <= np.abs(values).max() / 30 + 1e-6


def test_looking_changes_no_bit(
    source: DigitsSource, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    watch = {**WATCHED, "shift": "1"}
    seen, unseen, story = watched_and_not(TASK, TINY, source, tmp_path, watch, monkeypatch)
    for name, array in unseen.arrays.items():
        np.testing.assert_array_equal(seen.arrays[name], array, err_msg=name)
    curve = story.curves["watch", "held_out_accuracy"]
    assert curve.steps[0] == 0 and len(curve.values) > 4 and curve.values[-1] > curve.values[0]
    assert (story.unit, story.examples) == ("images", len(source.train.labels) // 32 * 32)
    assert set(story.norms) == {"conv1", "conv2", "logits"}
    pictures = pictures_of(tmp_path)
    assert len(pictures) == len(curve.values)
    assert all(picture["confusion"].sum() == picture["n"] == 179 for picture in pictures)


def test_what_is_learned_from_is_not_called_held_out(source: DigitsSource, tmp_path: Path) -> None:
    few = {name: getattr(source, name).part(slice(64)) for name in ("train", "validation", "test")}
    ends_at_rate_0 = replace(TINY, train_images=32, optimizer="sgd")
    for recipe in (replace(TINY, split="final"), ends_at_rate_0):
        folder = tmp_path / recipe.split
        train(TASK, replace(recipe, epochs=1), replace(source, **few), Run(folder, watch={}))
        events = (folder / "events.jsonl").read_text(encoding="utf-8")
        assert ('"training_sample_loss"' in events) is (recipe.split == "final")
        assert ('"held_out_loss"' in events) is (recipe.split == "choose")


def test_more_images_than_there_are(source: DigitsSource, tmp_path: Path) -> None:
    with pytest.raises(InputError, match="train_images is more than there are"):
        train(TASK, replace(TINY, train_images=len(source.train.labels) + 1), source, Run(tmp_path))


def test_the_page_draws_a_picture() -> None:
    def script() -> None:
        from apps.digits.examples import examples
        from apps.digits.page_watch import show
        from apps.digits.watch import seer
        from data_prep.images.preparation import LabelledImages
        from models.digit_cnn.config import DigitCNNConfig
        from models.digit_cnn.network import build_digit_cnn
        from models.training.watching import _packed, unpacked

        config = DigitCNNConfig("lecture")
        images, labels, _ = examples()
        see = seer(config, tuple("0123456789"), LabelledImages(images, labels), held_out=True)
        picture = see(build_digit_cnn(config), {"image": "3", "shift": "1"}).picture
        show(unpacked(_packed(picture)), "a run")

    app = AppTest.from_function(script).run(timeout=60)
    assert not app.exception
    drawn = " ".join(html.body for html in app.get("html"))
    for said in ("a 3", "conv1: filters", "relu2 (12×12×16): gradient", "300 images held out", "The hardest"):
        assert said in drawn
    assert len(app.get("plotly_chart")) == 3

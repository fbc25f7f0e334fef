"""Digits: from any picture to an answer, without TensorFlow; scores and their errors."""

from __future__ import annotations

import io
import json
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from apps.digits.application import Digits
from apps.digits.evaluation import evaluate, metrics_of, score
from apps.digits.results import DIGIT_LABELS
from apps.digits.sources import DigitsSource, sample_source
from data_prep.errors import InputError
from data_prep.images.preparation import LabelledImages, digit_batch, prepare_digit
from models.digit_cnn.config import KIND, DigitCNNConfig, digit_specs
from models.presets.card import CardText
from models.presets.store import save_preset

ROOT = Path(__file__).resolve().parents[2]
CONFIG = DigitCNNConfig("lecture")
CARD = CardText("Tiny", "For tests.", "Made up.", "None.", "Tests.", "Everything else.")


def drawn_arrays(config: DigitCNNConfig = CONFIG, seed: int = 1) -> dict[str, np.ndarray]:
    rng = np.random.default_rng(seed)
    return {
        name: rng.normal(0.0, 0.2, spec.shape).astype(np.float32)
        for name, spec in digit_specs(config).items()
    }


def save_digits(target: Path, data: dict[str, str] | None = None, labels=DIGIT_LABELS, seed: int = 1) -> Path:
    config = DigitCNNConfig("lecture", classes=len(labels))
    metrics = {
        "accuracy": {"score": 50.0, "n": 4, "standard_error": 25.0, "protocol": "made up", "unit": "%"}
    }
    return save_preset(
        target,
        kind=KIND,
        config=config,
        weights=drawn_arrays(config),
        golden={"image": np.zeros((1, 28, 28, 1), np.float32)},
        metrics=metrics,
        metadata={"recipe": {"seed": seed}, "seed": seed, "data": data or {}, "seconds": 1.0},
        card=CARD,
        labels=labels,
    )


@pytest.fixture(scope="module")
def digits() -> Digits:
    return Digits(CONFIG, drawn_arrays(), labels=DIGIT_LABELS)


def stroke(dark: bool = True) -> np.ndarray:
    image = np.zeros((200, 150), np.uint8)
    image[40:160, 60:90] = 255
    return 255 - image if dark else image


def test_an_answer_has_probabilities_and_steps(digits: Digits) -> None:
    result = digits.classify(stroke())
    assert len(result.probabilities) == 10 and sum(result.probabilities) == pytest.approx(1.0)
    assert result.label == DIGIT_LABELS[int(np.argmax(result.probabilities))]
    assert result.digit == int(result.label) and result.confidence == max(result.probabilities)
    assert [step.name for step in result.prepared.steps][-1] == "centred"
    found = json.loads(json.dumps(result.to_dict()))
    assert found == {"digit": result.digit, "probabilities": list(result.probabilities)}


def test_picture_and_prepared_image_agree(digits: Digits) -> None:
    prepared = prepare_digit(stroke())
    expected = digits.probabilities(prepared.image[None])[0]
    for result in (digits.classify(stroke()), digits.classify(stroke(False))):
        np.testing.assert_allclose(result.probabilities, expected, atol=1e-5)


def test_other_classes_have_names() -> None:
    labels = ("dash", "one")
    config = DigitCNNConfig("lecture", classes=2)
    result = Digits(config, drawn_arrays(config), labels=labels).classify(stroke())
    assert result.digit == result.label in labels
    assert result.to_dict()["labels"] == ["dash", "one"]


@pytest.mark.parametrize("shape", [(28, 28, 1), (2, 28, 28), (2, 24, 24, 1), (2, 28, 28, 3)])
def test_wrong_shapes_are_refused(digits: Digits, shape: tuple[int, ...]) -> None:
    with pytest.raises(InputError, match="wrong shape"):
        digits.probabilities(np.zeros(shape, np.float32))


@pytest.mark.parametrize("wrong", [np.full(1, 255.0), np.full(1, np.nan), np.full(1, -1.0), np.ones(1, np.uint8)])
def test_images_that_are_not_prepared_are_refused(digits: Digits, wrong: np.ndarray) -> None:
    with pytest.raises(InputError, match="not prepared"):
        digits.probabilities(np.broadcast_to(wrong, (2, 28, 28, 1)))


def test_large_logits_make_no_infinity() -> None:
    arrays = drawn_arrays()
    arrays["logits/bias"] = np.linspace(-3e4, 3e4, 10, dtype=np.float32)
    found = Digits(CONFIG, arrays, labels=DIGIT_LABELS).probabilities(np.zeros((1, 28, 28, 1), np.float32))
    assert np.isfinite(found).all() and found.sum() == pytest.approx(1.0)


def test_keras_answers_alike(digits: Digits) -> None:
    images = np.random.default_rng(1).random((3, 28, 28, 1), np.float32)
    np.testing.assert_allclose(digits.keras_model()(images), digits.network.logits(images), atol=1e-4)


def test_a_preset_opens_and_answers_without_tensorflow(tmp_path: Path) -> None:
    preset = save_digits(tmp_path / "digits")
    Image.fromarray(stroke()).save(tmp_path / "stroke.png")
    code = (
        "import sys\nfrom apps.digits.application import Digits\n"
        "digits = Digits.from_preset(sys.argv[1])\n"
        "print(digits.classify(sys.argv[2]).label, sorted({'keras', 'tensorflow'} & set(sys.modules)))\n"
    )
    done = subprocess.run(
        [sys.executable, "-c", code, str(preset), str(tmp_path / "stroke.png")],
        cwd=ROOT, capture_output=True, text=True, check=True, timeout=60,
    )  # fmt: skip
    assert done.stdout.strip().endswith("[]")


def test_a_missing_preset_is_told() -> None:
    with pytest.raises(InputError, match="no preset of this name"):
        Digits.from_preset("digits_nowhere")


class Fixed(Digits):
    """Answers what it is told to."""

    def __init__(self, answers: list[int], confidences: list[float]) -> None:
        super().__init__(CONFIG, drawn_arrays(), labels=DIGIT_LABELS)
        self.fixed = np.full((len(answers), 10), 0.0)
        for row, (answer, confidence) in enumerate(zip(answers, confidences, strict=True)):
            self.fixed[row] = (1.0 - confidence) / 9.0
            self.fixed[row, answer] = confidence

    def probabilities(self, images: np.ndarray) -> np.ndarray:
        return self.fixed[: len(images)]


def test_a_score_counts_each_image_once() -> None:
    images = LabelledImages(np.zeros((5, 28, 28), np.uint8), np.array([3, 3, 4, 5, 6]))
    result = score(Fixed([3, 8, 4, 9, 6], [0.9, 0.5, 0.8, 0.7, 0.9]), images, "test")
    assert result.accuracy == pytest.approx(60.0) and result.n == 5 and result.errors == 2
    assert result.standard_error == pytest.approx(100.0 * np.sqrt(0.6 * 0.4 / 5))
    assert result.to_dict() == {"accuracy": 60.0, "n": 5, "standard_error": result.standard_error}
    assert [(one.index, one.label, one.answer) for one in result.mistakes] == [(3, "5", "9"), (1, "3", "8")]
    assert result.mistakes[0].confidence == pytest.approx(0.7)
    assert np.array(result.confusion).sum() == 5 and result.confusion[5][9] == 1


def made_source(**changes: object) -> DigitsSource:
    part = LabelledImages(np.zeros((4, 28, 28), np.uint8), np.arange(4))
    values = {
        "name": "made up", "labels": DIGIT_LABELS, "train": part, "validation": part, "test": part,
        "protocol": "official", "checksums": {}, "card": CARD, "published": {"other": 99.0},
    }  # fmt: skip
    return DigitsSource(**(values | changes))


def test_metrics_say_what_was_scored() -> None:
    result = score(Fixed([0, 1, 2, 9], [0.9] * 4), made_source().test, "test")
    measured = metrics_of(result, made_source(), 8)["accuracy"]
    assert (measured["score"], measured["n"], measured["baseline"], measured["errors"]) == (75.0, 4, 99.0, 1)
    assert measured["protocol"].startswith("official; learned from 8 images")
    assert measured["mistakes"][0]["answer"] == "9"
    validation = score(Fixed([0, 1, 2, 9], [0.9] * 4), made_source().test, "validation")
    assert metrics_of(validation, made_source(), 8)["accuracy"]["baseline"] is None


def test_the_sample_is_split_once_and_for_all() -> None:
    source, again = sample_source(1), sample_source(1)
    sizes = [len(part.labels) for part in (source.train, source.validation, source.test)]
    assert sum(sizes) == 1797 and sizes[2] == pytest.approx(180, abs=1)
    np.testing.assert_array_equal(source.test.images, again.test.images)
    assert len(source.all_training.labels) == sizes[0] + sizes[1]


def test_evaluate_scores_what_the_network_did_not_see(tmp_path: Path) -> None:
    found = Digits.from_preset(save_digits(tmp_path / "digits", {"sklearn digits": "sha256 x"})).evaluate()
    assert found.n == len(sample_source(1).test.labels) and found.split == "test"


def test_evaluate_needs_to_know_where_the_images_are(tmp_path: Path) -> None:
    digits = Digits.from_preset(save_digits(tmp_path / "digits"))
    with pytest.raises(InputError, match="not known where the images are"):
        digits.evaluate()


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    rng = np.random.default_rng(1)
    for name in ("3", "7"):
        (tmp_path / "own" / name).mkdir(parents=True)
        for number in range(12):
            image = np.zeros((60, 60), np.uint8)
            image[10:50, 20 : 24 + int(rng.integers(1, 20))] = 255
            Image.fromarray(image).save(tmp_path / "own" / name / f"{number}.png")
    return tmp_path / "own"


def test_another_folder_is_scored_whole(folder: Path, tmp_path: Path) -> None:
    digits = Digits.from_preset(save_digits(tmp_path / "digits"))
    found = evaluate(digits, folder)
    assert found.n == 24 and found.split == "all of the folder own"
    assert [sum(row) for row in found.confusion] == [0, 0, 0, 12, 0, 0, 0, 12, 0, 0]
    for path in folder.rglob("*.png"):
        if path.stem != "0":
            path.unlink()
    assert evaluate(digits, str(folder)).n == 2, "too few to be split, and nothing is to be split"


def test_of_the_own_folder_only_what_was_held_out(folder: Path, tmp_path: Path) -> None:
    from data_prep.images.folders import read_image_folder

    data = {"own": f"sha256 {read_image_folder(folder).checksum}"}
    digits = Digits.from_preset(save_digits(tmp_path / "digits", data, ("3", "7")))
    assert evaluate(digits, folder).n == 2


def test_unknown_classes_are_named(folder: Path, tmp_path: Path) -> None:
    (folder / "7").rename(folder / "seven")
    with pytest.raises(InputError, match="does not know some of these classes"):
        evaluate(Digits.from_preset(save_digits(tmp_path / "digits")), folder)


def test_bytes_of_an_upload_are_answered(digits: Digits) -> None:
    file = io.BytesIO()
    Image.fromarray(stroke()).save(file, "PNG")
    assert digits.classify(file.getvalue()).probabilities == digits.classify(stroke()).probabilities


@pytest.mark.realdata
def test_preparing_mnist_anew_changes_no_answer_much(digits: Digits, data_dir: Path) -> None:
    from data_prep.readers.mnist import read_mnist

    images = read_mnist("test").images[:50]
    direct = digits.probabilities(digit_batch(images))
    anew = np.array([digits.classify(one).probabilities for one in images])
    assert np.abs(direct - anew).mean() < 0.02


@pytest.mark.realdata
@pytest.mark.parametrize(
    ("preset", "least"),
    [pytest.param("digits_mnist", 99.6, marks=pytest.mark.slow), ("digits_lecture", 99.3)],
)
def test_shipped_presets_keep_their_scores(preset: str, least: float, data_dir: Path) -> None:
    from apps.shared.reports import preset_installed

    if not preset_installed(preset):
        pytest.skip(f"there is no preset {preset} yet")
    shipped = Digits.from_preset(preset)
    found = shipped.evaluate()
    assert found.n == 10_000 and found.accuracy >= least
    assert found.accuracy == pytest.approx(shipped.metrics["accuracy"]["score"], abs=0.02)
    assert shipped.config.parameters <= 1_000_000

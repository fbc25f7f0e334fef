"""Lectern's estimators as scikit-learn uses them: its own checks, pipelines, clones, pickles, and wrong input."""

from __future__ import annotations

import pickle
import random
import warnings
from functools import cache
from types import SimpleNamespace

import numpy as np
import pandas as pd
import pytest
from sklearn.base import clone
from sklearn.datasets import load_digits
from sklearn.exceptions import NotFittedError
from sklearn.linear_model import LogisticRegression
from sklearn.model_selection import ParameterGrid, cross_val_predict
from sklearn.pipeline import make_pipeline
from sklearn.utils.estimator_checks import check_estimator

from apps.digits.task import DigitsTask
from apps.reviews.application import Reviews
from data_prep.errors import InputError
from data_prep.text.made_texts import made_reviews
from lectern.sklearn import DigitClassifier, ReviewClassifier, WordVectorizer, _trained

MADE = made_reviews(80, 1)
TEXTS, LABELS = MADE.texts, [MADE.classes[label] for label in MADE.labels]
VECTORS = "vectors_en_wiki_output"
ESTIMATORS = (ReviewClassifier(), DigitClassifier(), WordVectorizer(VECTORS))


def pictures(count: int) -> tuple[np.ndarray, np.ndarray]:
    found = load_digits(n_class=3)
    return found.images[:count] / 16.0, found.target[:count]


@cache
def reviews() -> ReviewClassifier:
    return ReviewClassifier(settings=("epochs=3",)).fit(TEXTS, LABELS)


@cache
def digits() -> DigitClassifier:
    return DigitClassifier(settings=("epochs=6", "batch_size=16", "averaging=0.9")).fit(*pictures(120))


@pytest.mark.parametrize("estimator", ESTIMATORS, ids=lambda one: type(one).__name__)
def test_scikit_learn_checks_what_needs_no_table(estimator) -> None:
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # it says that it cannot test what reads no tables of numbers
        found = check_estimator(estimator, on_fail="raise")
    assert {one["status"] for one in found} == {"passed"}
    assert not estimator.__sklearn_tags__().input_tags.two_d_array


@pytest.mark.parametrize("estimator", ESTIMATORS, ids=lambda one: type(one).__name__)
def test_parameters_are_read_set_and_cloned(estimator) -> None:
    for name, value in estimator.get_params().items():
        other = clone(estimator).set_params(**{name: "other"})
        assert other.get_params()[name] == "other"
        assert estimator.get_params()[name] == value
    with pytest.raises(ValueError, match="Invalid parameter"):
        estimator.set_params(depth=3)


def test_reviews_are_learned(tmp_path) -> None:
    fitted = reviews()
    assert fitted.classes_.tolist() == ["neg", "pos"]
    shares = fitted.predict_proba(TEXTS)
    assert shares.shape == (len(TEXTS), 2)
    np.testing.assert_allclose(shares.sum(axis=1), 1.0)
    assert fitted.score(pd.Series(TEXTS), LABELS) > 0.8
    again = pickle.loads(pickle.dumps(fitted))
    np.testing.assert_array_equal(again.predict_proba(TEXTS[:5]), shares[:5])


def test_a_copy_answers_by_one_network_alone_where_the_original_does() -> None:
    fitted = ReviewClassifier()
    fitted.classes_, fitted.application_ = np.array(["neg", "pos"]), Reviews.from_preset()
    again = pickle.loads(pickle.dumps(fitted))
    assert fitted.application_.sure is not None and again.application_.sure == fitted.application_.sure
    np.testing.assert_array_equal(again.predict_proba(TEXTS[:20]), fitted.predict_proba(TEXTS[:20]))


def test_what_the_caller_draws_does_not_depend_on_a_training(monkeypatch: pytest.MonkeyPatch) -> None:
    def seeded(*_):
        random.seed(7)
        np.random.seed(7)
        return SimpleNamespace(answers="trained")

    monkeypatch.setattr("models.training.driver.train", seeded)
    random.seed(1)
    np.random.seed(1)
    known = [(random.random(), np.random.random()) for _ in range(2)]
    random.seed(1)
    np.random.seed(1)
    first = random.random(), np.random.random()
    assert _trained(DigitsTask(), None, None, None) == "trained"
    assert [first, (random.random(), np.random.random())] == known


@pytest.mark.parametrize(
    ("estimator", "message"),
    [
        (WordVectorizer(settings=("dimensions=8",)), "taken as it is"),
        (WordVectorizer(recipe="other"), "taken as it is"),
        (ReviewClassifier(recipe="imdb", settings=("short.only=true",)), "short.only"),
    ],
)
def test_settings_that_would_do_nothing_are_refused(estimator, message: str) -> None:
    with pytest.raises(InputError, match=message):
        estimator.fit(TEXTS, LABELS)


def test_digits_are_learned() -> None:
    images, labels = pictures(120)
    fitted = digits()
    assert fitted.classes_.tolist() == [0, 1, 2]
    assert fitted.score(images, labels) > 0.9
    again = pickle.loads(pickle.dumps(fitted))
    np.testing.assert_array_equal(again.predict_proba(images[:5]), fitted.predict_proba(images[:5]))


def test_word_vectors_stand_in_a_pipeline() -> None:
    both = make_pipeline(WordVectorizer(VECTORS), LogisticRegression())
    assert set(cross_val_predict(both, TEXTS, LABELS, cv=3)) == {"neg", "pos"}
    assert both.fit(TEXTS, LABELS).score(TEXTS, LABELS) > 0.55
    vectorizer = pickle.loads(pickle.dumps(both[0]))
    values = vectorizer.transform([TEXTS[0], "?"])
    assert values.shape == (2, 100)
    assert not values[1].any()
    assert vectorizer.get_feature_names_out()[0] == "wordvectorizer0"
    mean = vectorizer.application_.word_vectors.vectors[vectorizer.application_.word_vectors.index("film")]
    np.testing.assert_allclose(vectorizer.transform(["Film"])[0], mean)


def test_word_vectors_are_learned_from_the_texts() -> None:
    settings = ("dimensions=8", "epochs=1", "min_count=1")
    fitted = WordVectorizer(preset=None, settings=settings).fit(TEXTS)
    assert fitted.transform(TEXTS[:3]).shape == (3, 8)


@pytest.mark.slow
def test_training_starts_from_a_preset() -> None:
    images, labels = load_digits(return_X_y=True)
    images = images.reshape(-1, 8, 8)[:200] / 16.0
    scores = [
        DigitClassifier(preset=preset, settings=("epochs=1",))
        .fit(images, labels[:200])
        .score(images, labels[:200])
        for preset in ("digits_lecture", None)
    ]
    assert scores[0] > scores[1] + 0.2, "four steps are few without one"


@pytest.mark.slow
def test_parameters_are_searched() -> None:
    for parameters in ParameterGrid({"settings": [("epochs=1",), ("epochs=3", "seed=2")]}):
        assert ReviewClassifier(**parameters).fit(TEXTS, LABELS).score(TEXTS, LABELS) >= 0.5


@pytest.mark.parametrize(("estimator", "given"), [(0, TEXTS), (1, pictures(3)[0]), (2, TEXTS)])
def test_before_fit_there_is_no_answer(estimator: int, given) -> None:
    fresh = clone(ESTIMATORS[estimator])
    with pytest.raises(NotFittedError, match="is not fitted yet"):
        (fresh.transform if estimator == 2 else fresh.predict)(given)


@pytest.mark.parametrize("wrong", [float("nan"), 3, None, b"bytes", ["a", "b"]])
@pytest.mark.parametrize("estimator", [ReviewClassifier(), WordVectorizer(VECTORS)])
def test_texts_are_strings(estimator, wrong: object) -> None:
    with pytest.raises(InputError) as caught:
        estimator.fit([*TEXTS[:1], wrong, *TEXTS[2:]], LABELS)
    assert str(caught.value) == (
        f"Text 2 is no text. Allowed: strings. Received: {'None' if wrong is None else wrong!r}. "
        "Leave out what is missing, and write numbers as strings."
    )


@pytest.mark.parametrize("wrong", ["one text", np.zeros((2, 3))])
def test_texts_are_a_list(wrong: object) -> None:
    with pytest.raises(InputError, match="Texts are a list of strings"):
        reviews().predict(wrong)


def test_a_text_without_a_word_is_named() -> None:
    with pytest.raises(InputError, match="Text 2 cannot be classified: The text is empty"):
        reviews().predict([TEXTS[0], " "])


@pytest.mark.parametrize(
    "wrong", [np.zeros((2, 8)), np.full((2, 8, 8), 2.0), np.full((2, 8, 8), np.nan), np.zeros((2, 8, 8), int)]
)
def test_pictures_are_arrays_of_ink(wrong: np.ndarray) -> None:
    with pytest.raises(InputError, match=r"These are no pictures. Allowed: uint8 \(n, height, width\)"):
        DigitClassifier().fit(wrong, [0, 1])


def test_pictures_that_are_not_prepared_have_one_size() -> None:
    with pytest.raises(InputError, match="The pictures have a wrong size"):
        DigitClassifier(prepare=False).fit(np.zeros((2, 8, 8), np.uint8), [0, 1])


def test_one_class_is_refused() -> None:
    with pytest.raises(InputError, match="There is one class only"):
        ReviewClassifier().fit(TEXTS, ["pos"] * len(TEXTS))

"""Lectern's models as estimators of scikit-learn: in pipelines, cross-validation and grid search.

>>> from lectern.sklearn import ReviewClassifier
>>> ReviewClassifier().fit(texts, labels).predict(["A wonderful film."])  # doctest: +SKIP

They are trained by the tasks of the applications, as ``fit`` on the command line does. Texts are lists of strings and
pictures are arrays of them, so that the checks of scikit-learn that give tables of numbers do not apply; those that do
not look at the data pass, and ``tests/test_sklearn.py`` does the others' work.
"""

from __future__ import annotations

import random
from collections.abc import Sequence
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any, Self

import numpy as np
from sklearn.base import BaseEstimator, ClassifierMixin, ClassNamePrefixFeaturesOutMixin, TransformerMixin
from sklearn.utils import column_or_1d
from sklearn.utils.multiclass import check_classification_targets
from sklearn.utils.validation import check_consistent_length, check_is_fitted

from apps.digits.application import Digits
from apps.digits.sources import DigitsSource
from apps.digits.task import DigitsTask
from apps.reviews.application import Reviews
from apps.reviews.sources import ReviewsSource
from apps.reviews.task import ReviewsTask, check_trainable
from apps.vectors.application import Vectors
from apps.vectors.task import VectorsSource, VectorsTask
from data_prep.errors import InputError
from data_prep.images.preparation import DIGIT_SIZE, LabelledImages, digit_batch, image_bytes, prepare_digit
from data_prep.readers.labelled_texts import LabelledTexts, Refused
from data_prep.text.tokenizer import WordTokenizer
from data_prep.text.word2vec_corpus import encode_corpus
from models.presets.card import CardText
from models.presets.store import load_preset
from models.training.task import Run, Task

_CARD = CardText(*["Trained through scikit-learn's interface"] * 6)
_KEYS = WordTokenizer(punctuation=False, lower=True).keys


class ReviewClassifier(ClassifierMixin, BaseEstimator):
    """A classifier of documents (``python -m apps reviews``).

    Args:
        recipe: Name of a recipe of ``apps.reviews.recipes.RECIPES``.
        settings: ``"key=value"`` for its fields.
        preset: Preset whose weights training starts from, those of the labels where they are named the same; None for
            none.

    Attributes:
        classes_: The labels, sorted.
        application_: The trained ``lectern.Reviews``.
    """

    def __init__(self, recipe: str = "own", settings: Sequence[str] = (), preset: str | None = None) -> None:
        self.recipe, self.settings, self.preset = recipe, settings, preset

    def fit(self, X: Sequence[str], y: Any) -> Self:
        """Train on texts and their labels.

        Raises:
            InputError: A text is no string, or there are too few texts or labels, or the recipe makes no network.
        """
        texts = _texts(X)
        classes, numbers = _classes(texts, y)
        task = ReviewsTask()
        # Nothing is left out of training for a score: that is for whoever calls.
        recipe = task.recipe(self.recipe, {}, (*self.settings, "split=choose"))
        documents = LabelledTexts(texts, numbers, tuple(map(str, classes)))
        source = ReviewsSource("given texts", documents, None, "none", {}, _CARD)
        if recipe.short.only and self.preset is None:
            raise InputError("short.only keeps the networks of a preset", remedy="Name it with preset")
        check_trainable(recipe, source)
        self.classes_, self.application_ = classes, _trained(task, recipe, source, self.preset).reviews
        return self

    def predict_proba(self, X: Sequence[str]) -> np.ndarray:
        """Return the probability of each class, float64 (texts, classes), columns as ``classes_``.

        Raises:
            NotFittedError: Before ``fit``.
            InputError: A text is no string, or holds no word.
        """
        check_is_fitted(self)
        rows = []
        for verdict in self.application_.classify_many(_texts(X), unknown="answer"):
            if isinstance(verdict, Refused):
                raise InputError(f"Text {verdict.number} cannot be classified: {verdict.problem}")
            rows.append(list(verdict.probabilities.values()))
        return np.array(rows).reshape(-1, len(self.classes_))

    def predict(self, X: Sequence[str]) -> np.ndarray:
        """Return the most probable class of each text; errors as of :meth:`predict_proba`."""
        found = self.predict_proba(X)
        return self.classes_[found.argmax(axis=1)]

    def __sklearn_tags__(self) -> Any:
        return _tagged(super().__sklearn_tags__(), string=True)

    def __getstate__(self) -> dict[str, Any]:
        return _packed(super().__getstate__())

    def __setstate__(self, state: dict[str, Any]) -> None:
        super().__setstate__(_unpacked(state, Reviews))


class DigitClassifier(ClassifierMixin, BaseEstimator):
    """A classifier of small pictures (``python -m apps digits``).

    Args:
        recipe: Name of a recipe of ``apps.digits.task.RECIPES``.
        settings: ``"key=value"`` for its fields.
        preset: Preset whose weights training starts from; None for none.
        prepare: Whether each picture is prepared as an upload is: any size, dark on light or light on dark. Else
            pictures are 28 x 28, 0 for paper.

    Attributes:
        classes_: The classes, sorted.
        application_: The trained ``lectern.Digits``.
    """

    def __init__(
        self,
        recipe: str = "lecture",
        settings: Sequence[str] = (),
        preset: str | None = None,
        prepare: bool = True,
    ) -> None:
        self.recipe, self.settings, self.preset, self.prepare = recipe, settings, preset, prepare

    def fit(self, X: np.ndarray, y: Any) -> Self:
        """Train on pictures, uint8 (n, height, width) or float of 0 to 1, and their classes.

        Raises:
            InputError: These are no such pictures, one of them shows nothing, or the recipe makes no network.
        """
        images = self._images(X)
        classes, numbers = _classes(images, y)
        task, none = DigitsTask(), LabelledImages(images[:0], numbers[:0])
        recipe = task.recipe(self.recipe, {}, (*self.settings, "split=final", "keep_epochs="))
        source = DigitsSource(
            name="given pictures",
            labels=tuple(map(str, classes)),
            train=LabelledImages(images, numbers),
            validation=none,
            test=none,
            protocol="none",
            checksums={},
            card=_CARD,
            published={},
        )
        self.classes_, self.application_ = classes, _trained(task, recipe, source, self.preset).digits
        return self

    def predict_proba(self, X: np.ndarray) -> np.ndarray:
        """Return the probability of each class, float64 (pictures, classes), columns as ``classes_``.

        Raises:
            NotFittedError: Before ``fit``.
            InputError: As of :meth:`fit`.
        """
        check_is_fitted(self)
        return self.application_.probabilities(digit_batch(self._images(X)))

    def predict(self, X: np.ndarray) -> np.ndarray:
        """Return the most probable class of each picture; errors as of :meth:`predict_proba`."""
        found = self.predict_proba(X)
        return self.classes_[found.argmax(axis=1)]

    def __sklearn_tags__(self) -> Any:
        return _tagged(super().__sklearn_tags__(), three_d_array=True)

    def __getstate__(self) -> dict[str, Any]:
        return _packed(super().__getstate__())

    def __setstate__(self, state: dict[str, Any]) -> None:
        super().__setstate__(_unpacked(state, Digits))

    def _images(self, pictures: Any) -> np.ndarray:
        """Turn pictures into what is learned from, uint8 (n, 28, 28)."""
        array = np.asarray(pictures)
        floats = array.dtype.kind == "f" and np.isfinite(array).all() and array.min(initial=0.0) >= 0.0
        if array.ndim != 3 or not (array.dtype == np.uint8 or (floats and array.max(initial=0.0) <= 1.0)):
            raise InputError(
                "These are no pictures",
                allowed="uint8 (n, height, width), or float of 0 to 1",
                received=(array.dtype.name, *array.shape),
            )
        if not len(array):
            return np.zeros((0, DIGIT_SIZE, DIGIT_SIZE), np.uint8)
        if self.prepare:
            return np.stack([image_bytes(prepare_digit(one)) for one in array])
        if array.shape[1:] != (DIGIT_SIZE, DIGIT_SIZE):
            raise InputError(
                "The pictures have a wrong size",
                allowed=f"{DIGIT_SIZE} x {DIGIT_SIZE}, or prepare=True",
                received=array.shape[1:],
            )
        return array if array.dtype == np.uint8 else np.rint(255 * array).astype(np.uint8)


class WordVectorizer(ClassNamePrefixFeaturesOutMixin, TransformerMixin, BaseEstimator):
    """Texts as the mean of the vectors of their words (``python -m apps vectors``).

    Args:
        preset: Preset of word vectors that is taken as it is; None learns them from the texts given to ``fit``.
        recipe: Name of a recipe of ``apps.vectors.task.VectorsTask``, where they are learned.
        settings: ``"key=value"`` for its fields.

    Attributes:
        application_: ``lectern.Vectors``.
    """

    def __init__(
        self,
        preset: str | None = Vectors.default_preset,
        recipe: str = "default",
        settings: Sequence[str] = (),
    ) -> None:
        self.preset, self.recipe, self.settings = preset, recipe, settings

    def fit(self, X: Sequence[str], y: Any = None) -> Self:
        """Open the preset, or learn vectors from texts.

        Raises:
            InputError: A text is no string, there is no such preset, there are settings for it, or there are too few
                words to learn from.
        """
        texts = _texts(X)
        if self.preset is not None:
            if self.settings or self.recipe != "default":
                raise InputError(
                    "A preset is taken as it is", remedy="Give preset=None, or no recipe and settings"
                )
            self.application_ = Vectors.from_preset(self.preset)
            return self
        task = VectorsTask()
        recipe = task.recipe(self.recipe, {}, self.settings)
        with TemporaryDirectory(prefix="lectern-words-") as folder:
            corpus = encode_corpus(
                texts,
                _KEYS,
                Path(folder) / "corpus",
                min_count=recipe.min_count,
                max_vocabulary=recipe.max_vocabulary,
            )
            answers = _trained(task, recipe, VectorsSource(corpus, "given texts", {}), None)
        self.application_ = Vectors(answers.vectors)
        return self

    def transform(self, X: Sequence[str]) -> np.ndarray:
        """Return float32 (texts, dimensions); zeros for a text without a known word.

        Raises:
            NotFittedError: Before ``fit``.
            InputError: A text is no string.
        """
        check_is_fitted(self)
        return self.application_.embed(_texts(X))

    @property
    def _n_features_out(self) -> int:
        return self.application_.word_vectors.dimensions

    def __sklearn_tags__(self) -> Any:
        return _tagged(super().__sklearn_tags__(), string=True)


def _texts(given: Any) -> list[str]:
    """Return texts as a list; refuse everything else, with the first that is none."""
    if isinstance(given, str) or getattr(given, "ndim", 1) > 1:
        raise InputError("Texts are a list of strings", received=given)
    texts = list(given)
    for number, text in enumerate(texts, start=1):
        if not isinstance(text, str):
            raise InputError(
                f"Text {number} is no text",
                allowed="strings",
                received="None" if text is None else text,
                remedy="Leave out what is missing, and write numbers as strings",
            )
    return texts


def _classes(given: Sequence[Any], y: Any) -> tuple[np.ndarray, np.ndarray]:
    """Return the classes, sorted, and the number of each example's, int64."""
    labels = column_or_1d(y)
    check_classification_targets(labels)
    check_consistent_length(given, labels)
    classes, numbers = np.unique(labels, return_inverse=True)
    if len(classes) < 2:
        raise InputError("There is one class only", allowed="two classes or more", received=classes.tolist())
    return classes, numbers.astype(np.int64)


def _trained(task: Task, recipe: Any, source: Any, preset: str | None) -> Any:
    """Run the stages of a task in a temporary folder; what the caller draws next does not depend on it."""
    from models.training.driver import train

    start = None if preset is None else load_preset(preset, kind=task.kind)
    drawn = random.getstate(), np.random.get_state()
    try:
        with TemporaryDirectory(prefix="lectern-fit-") as folder:
            return train(task, recipe, source, Run(Path(folder), start=start)).answers
    finally:
        random.setstate(drawn[0])
        np.random.set_state(drawn[1])


def _tagged(tags: Any, **kinds: bool) -> Any:
    """Say that an estimator reads no tables of numbers."""
    tags.input_tags.two_d_array = False
    for name, value in kinds.items():
        setattr(tags.input_tags, name, value)
    return tags


def _packed(state: dict[str, Any]) -> dict[str, Any]:
    """Keep what an application is made of in its place."""
    if (made := state.get("application_")) is not None:
        more = {name: getattr(made, name) for name in ("vocabulary", "labels", "metadata", "metrics")}
        state = {**state, "application_": (made.config, dict(made.arrays), more)}
    return state


def _unpacked(state: dict[str, Any], kind: Any) -> dict[str, Any]:
    if (parts := state.get("application_")) is not None:
        config, arrays, more = parts
        state = {**state, "application_": kind(config, arrays, **more)}
    return state

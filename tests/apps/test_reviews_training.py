"""Training of classifiers of documents: recipes, sources, resuming, folds, self-training, one's own documents."""

from __future__ import annotations

import json
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from apps.reviews.application import Reviews
from apps.reviews.evaluation import cross_validated, evaluate, score
from apps.reviews.recipes import MEMBERS, RECIPES, MemberRecipe, ReviewsRecipe, SelfTraining, chosen_recipe
from apps.reviews.sources import ReviewsSource, bbc_source, own_source, sample_source
from apps.reviews.start_vectors import start_vectors
from apps.reviews.task import fit_reviews, inverse_document_frequency, surest, train
from apps.vectors.task import VectorsRecipe
from data_prep.errors import InputError
from data_prep.readers.labelled_texts import labelled, read_csv
from data_prep.text.made_texts import made_reviews
from data_prep.text.text_inputs import plain
from models.training.recipe import from_dict, to_dict

_TINY = MemberRecipe(network="mean", dimensions=4, epochs=2, batch_size=16, learning_rate=0.1)


@pytest.fixture(scope="module")
def source() -> ReviewsSource:
    """What can be learned in a moment: one word of each document tells its label."""
    rng = np.random.default_rng(0)
    words = {"neg": ["dull", "weak", "poor"], "pos": ["warm", "fresh", "funny"]}
    rows = [
        (f"film {at} was {rng.choice(words[label])} .", label, f"made {at}")
        for at, label in enumerate(("neg", "pos") * 60)
    ]
    texts = labelled(rows)
    return replace(sample_source(), train=texts.chosen(range(80)), test=texts.chosen(range(80, 120)))


def test_recipes_survive_json_and_overrides_reach_their_network() -> None:
    for recipe in RECIPES.values():
        assert from_dict(ReviewsRecipe, json.loads(json.dumps(to_dict(recipe)))) == recipe
    for name, member in MEMBERS.items():
        assert member.config(500, 3).network == name and member.config(500, 3).vocabulary_size <= 500
    changed = chosen_recipe("imdb", None, ["epochs=3", "member2.units=7", "seed=4", "self_training.rounds=1"])
    assert [member.epochs for member in changed.members] == [3, 3] and changed.members[1].units == 7
    assert changed.seed == 4 and changed.self_training.rounds == 1 and changed.members[0].units != 7
    alone = chosen_recipe("imdb", "gru", ["vectors=none", "keep_best=true"])
    assert [member.network for member in alone.members] == ["gru"] and alone.vectors is None


@pytest.mark.parametrize(
    ("overrides", "message"),
    [
        (["epoch=3"], "The key 'epoch' is unknown"),
        (["member3.epochs=3"], "There is no such member"),
        (["members=1"], "The networks are set one by one"),
        (["epochs=0"], "epochs must be at least 1"),
        (["learning_rate=0"], "learning_rate must be above 0"),
        (["warmup=0.9"], "warmup is a share"),
        (["vectors=none"], "there are none"),
        (["refit=true", "keep_best=true"], "keep_best needs"),
        (["validation=0"], "validation is a share"),
        (["self_training.confident=0"], "Self-training does not fit"),
    ],
)
def test_recipes_that_make_no_sense_are_refused(overrides: list[str], message: str) -> None:
    with pytest.raises(InputError, match=message):
        chosen_recipe("imdb", None, overrides)


def test_held_out_documents_and_folds_share_no_text(source: ReviewsSource) -> None:
    texts = source.train
    rows = zip(texts.texts, [texts.classes[label] for label in texts.labels], texts.names, strict=True)
    twice = replace(source, train=labelled([*rows] * 2))
    learned, held = twice.held_out(0.2, 1)
    assert not {twice.train.texts[at] for at in learned} & {twice.train.texts[at] for at in held}
    assert len(learned) + len(held) == 160 and 20 <= len(held) <= 44
    folds = twice.folds(4, 1)
    assert sum(len(fold.test) for fold in folds) == 160
    for fold in folds:
        assert not set(fold.train.texts) & set(fold.test.texts)


def test_rare_words_have_a_large_inverse_document_frequency() -> None:
    found = inverse_document_frequency([np.array([1, 1, 2]), np.array([1])], 4)
    np.testing.assert_allclose(found, np.log([3.0, 1.0, 1.5, 3.0]) + 1.0, rtol=1e-6)


def test_the_surest_answers_of_each_label_are_chosen() -> None:
    shares = np.array([[0.9, 0.1], [0.6, 0.4], [0.3, 0.7], [0.2, 0.8], [0.55, 0.45], [0.7, 0.3]])
    assert surest(shares, 0.5).tolist() == [0, 3, 5]
    assert surest(shares, 1.0).tolist() == list(range(6))


@pytest.mark.parametrize(
    ("rows", "message"),
    [
        ([("good", "pos")] * 20, "All documents have one label"),
        ([("good", "pos"), ("fine", "pos"), ("bad", "neg")], "The label neg has too few documents"),
    ],
)
def test_documents_that_teach_nothing_are_refused(rows: list, message: str) -> None:
    with pytest.raises(InputError, match=message):
        own_source(labelled((*row, "made") for row in rows), "made")


def test_self_training_needs_texts(source: ReviewsSource, tmp_path: Path) -> None:
    recipe = ReviewsRecipe(members=(_TINY,), self_training=SelfTraining(rounds=1))
    with pytest.raises(InputError, match="needs texts without labels"):
        train(recipe, source, tmp_path)


def test_one_network_learns_the_sample_and_is_scored_as_stored(source: ReviewsSource, tmp_path: Path) -> None:
    trained = train(ReviewsRecipe(members=(replace(_TINY, epochs=6),)), source, tmp_path / "run")
    found = score(trained.reviews, source.test, "test")
    assert found.accuracy > 90.0 and found.n == 40
    assert {line["training"] for line in trained.history} == {"round0-member1"}
    assert trained.learned + len(trained.validation) == 80
    for array in trained.reviews.arrays.values():
        np.testing.assert_array_equal(array, array.astype(np.float16))


@pytest.mark.slow
def test_a_stopped_training_ends_as_an_undisturbed_one(
    source: ReviewsSource, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    import apps.reviews.task as training

    members = (replace(_TINY, start="fine_tuned", dimensions=8), replace(_TINY, network="lstm", units=4))
    word2vec = VectorsRecipe(dimensions=8, epochs=1, min_count=1, kept_words=None)
    recipe = ReviewsRecipe(
        members, vectors="own", word2vec=word2vec, refit=True, self_training=SelfTraining(1)
    )
    whole_source = replace(source, unlabelled=tuple(made_reviews(30, 9).texts))
    whole = train(recipe, whole_source, tmp_path / "whole")
    assert [line["training"] for line in whole.history[::2]] == [
        f"{name}-member{number}" for name in ("round0", "round1", "refit") for number in (1, 2)
    ]

    class Stopped(Exception):
        pass

    real, calls = training._Run._validation, []

    def stop(self, member, arrays):
        calls.append(member.network)
        if len(calls) == 3:  # within the second network
            raise Stopped
        return real(self, member, arrays)

    monkeypatch.setattr(training._Run, "_validation", stop)
    with pytest.raises(Stopped):
        train(recipe, whole_source, tmp_path / "half")
    monkeypatch.setattr(training._Run, "_validation", real)
    with pytest.raises(InputError, match="already holds a run"):
        train(recipe, whole_source, tmp_path / "half")
    again = train(recipe, whole_source, tmp_path / "half", resume=True)
    assert again.reviews.config == whole.reviews.config
    for name, array in whole.reviews.arrays.items():
        np.testing.assert_array_equal(array, again.reviews.arrays[name], err_msg=name)
    assert start_vectors(recipe, whole_source, tmp_path / "half", resume=True).dimensions == 8


@pytest.mark.slow
def test_folds_score_every_document_once_and_one_s_own_file_keeps_its_test_part(
    source: ReviewsSource, tmp_path: Path
) -> None:
    recipe = ReviewsRecipe(members=(_TINY,), folds=2)
    found = cross_validated(recipe, replace(source, test=None), tmp_path / "folds")
    assert (
        found.n == 80
        and len(found.parts) == 2
        and found.accuracy == pytest.approx(np.mean(found.parts), abs=5)
    )
    path = tmp_path / "own.csv"
    texts = source.train
    rows = [f'"{text}",{texts.classes[label]}' for text, label in zip(texts.texts, texts.labels, strict=True)]
    path.write_text("\n".join(["text,label", *rows, ",pos"]) + "\n", encoding="utf-8")
    own = own_source(read_csv(path, "text", "label"), path.name)
    assert len(own.refused) == 1
    summary = fit_reviews(tmp_path / "own", ["epochs=1"], source=own, network="mean")
    assert summary["refused documents"] == 1 and not (tmp_path / "own.run").exists()
    opened = Reviews.from_preset(tmp_path / "own")
    again = evaluate(opened, csv=path)
    assert again.n == len(own.test) and again.accuracy == pytest.approx(opened.metrics["accuracy"]["score"])
    other = tmp_path / "other.csv"
    other.write_text("\n".join(["text,label", *rows[:30]]) + "\n", encoding="utf-8")
    assert evaluate(opened, csv=other).n == 30


def test_made_reviews_are_the_same_each_time_and_half_of_them_good() -> None:
    found = made_reviews(40, 3)
    assert found.checksum == made_reviews(40, 3).checksum != made_reviews(40, 4).checksum
    assert found.classes == ("neg", "pos") and found.labels.sum() == 20


@pytest.mark.realdata
def test_no_article_of_the_bbc_is_in_two_folds(data_dir: Path) -> None:
    folds = bbc_source().folds(5, 1)
    assert sum(len(fold.test) for fold in folds) == 2_225
    for fold in folds:
        assert not {plain(text).strip() for text in fold.train.texts} & {
            plain(text).strip() for text in fold.test.texts
        }

"""Training of classifiers of documents: recipes, resuming, folds, self-training, documents of your own."""

from __future__ import annotations

import json
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from apps.reviews.application import Reviews
from apps.reviews.evaluation import evaluate, score
from apps.reviews.recipes import (
    MEMBERS,
    RECIPES,
    MemberRecipe,
    ReviewsRecipe,
    SelfTraining,
    ShortTexts,
    chosen_recipe,
)
from apps.reviews.short import to_learn
from apps.reviews.sources import ReviewsSource, own_source, sample_source
from apps.reviews.stages import Networks, inverse_document_frequency, surest
from apps.reviews.task import ReviewsTask, check_trainable
from data_prep.errors import InputError
from data_prep.readers.labelled_texts import labelled, read_csv
from data_prep.text.made_texts import made_reviews
from models.text_classifier.config import member_arrays
from models.training import driver
from models.training.driver import Trained, fit_task
from models.training.recipe import from_dict, to_dict
from models.training.task import Run
from models.word2vec.training import VectorsRecipe
from tests.apps.reviews_presets import drawn, save_reviews, weighing

TASK = ReviewsTask()
_TINY = MemberRecipe(network="mean", dimensions=4, epochs=2, batch_size=16, learning_rate=0.1)


@pytest.fixture(scope="module")
def source() -> ReviewsSource:
    """What can be learned in a moment: one word of each document tells its label."""
    rng = np.random.default_rng(0)
    words = {"neg": ["dull", "weak", "poor"], "pos": ["warm", "fresh", "funny"]}
    rows = [
        (f"film {at} was {rng.choice(words[label])} .", label) for at, label in enumerate(("neg", "pos") * 60)
    ]
    texts = labelled(rows)
    return replace(sample_source(), train=texts.chosen(range(80)), test=texts.chosen(range(80, 120)))


def trained_in(folder: Path, recipe: ReviewsRecipe, source: ReviewsSource, resume: bool = False) -> Trained:
    return driver.train(TASK, recipe, source, Run(folder, resume))


def own_csv(path: Path, texts, *more: str) -> Path:
    """Write labelled documents, and further lines."""
    rows = [f'"{text}",{texts.classes[label]}' for text, label in zip(texts.texts, texts.labels, strict=True)]
    path.write_text("\n".join(["text,label", *rows, *more]) + "\n", encoding="utf-8")
    return path


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
        (["epochs=0"], "epochs does not fit. Allowed: greater than or equal to 1"),
        (["batch_size=0"], "batch_size does not fit"),
        (["learning_rate=0"], "learning_rate does not fit. Allowed: greater than 0"),
        (["warmup=0.9"], "warmup does not fit. Allowed: less than or equal to 0.5"),
        (["label_smoothing=1"], "label_smoothing does not fit"),
        (["clip=0"], "clip does not fit"),
        (["weight_decay=-1"], "weight_decay does not fit"),
        (["member1.seed=-1"], "seed does not fit"),
        (["folds=1"], "folds does not fit"),
        (["min_count=0"], "min_count does not fit"),
        (["member2.idf=true"], "idf is for vectors that begin at random"),
        (["vectors=none"], "there are none"),
        (["validation=0"], "validation does not fit. Allowed: greater than 0"),
        (["self_training.confident=0"], "confident does not fit"),
        (["self_training.texts=0"], "texts does not fit"),
        (["short.label=1.5"], "short.label does not fit|label does not fit.*less than or equal to 1"),
        (["short.pieces=0"], "pieces does not fit"),
        (["short.sure=0.4"], "sure does not fit.*greater than or equal to 0.5"),
        (["short.member.max_words=9"], "network of short texts reads all words"),
        (
            ["short.member.network=ngrams", "short.member.ngrams=2", "short.member.buckets=9"],
            "reads all words",
        ),
        (["short.words=0", "refit=true", "keep_best=true"], "keep_best needs"),
        (["refit=true"], "network of short texts needs what refit does not hold out"),
    ],
)
def test_recipes_that_make_no_sense_are_refused(overrides: list[str], message: str) -> None:
    with pytest.raises(InputError, match=message):
        chosen_recipe("imdb", None, overrides)


def test_held_out_documents_and_folds_share_no_text(source: ReviewsSource) -> None:
    texts = source.train
    rows = zip(texts.texts, [texts.classes[label] for label in texts.labels], strict=True)
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


def test_self_training_needs_texts_and_ten_documents(source: ReviewsSource, tmp_path: Path) -> None:
    recipe = ReviewsRecipe(members=(_TINY,), self_training=SelfTraining(rounds=1))
    with pytest.raises(InputError, match="needs texts without labels"):
        check_trainable(recipe, source)
    with pytest.raises(InputError, match="needs texts without labels"):
        fit_task(TASK, tmp_path / "out", options={"sample": True}, overrides=["self_training.rounds=1"])
    with pytest.raises(InputError, match="too few documents to learn from"):
        check_trainable(ReviewsRecipe(), replace(source, train=source.train.chosen(range(8))))
    assert not list(tmp_path.iterdir())


def test_one_network_learns_the_sample_and_is_scored_as_stored(source: ReviewsSource, tmp_path: Path) -> None:
    trained = trained_in(tmp_path / "run", ReviewsRecipe(members=(replace(_TINY, epochs=6),)), source)
    answers = trained.answers
    found = score(answers.reviews, source.test, "test")
    assert found.accuracy > 90.0 and found.n == 40
    assert {line["stage"] for line in trained.history} == {"round0-member1"}
    assert answers.learned + len(answers.validation) == 80
    for array in answers.reviews.arrays.values():
        np.testing.assert_array_equal(array, array.astype(np.float16))


def test_choosing_leaves_the_test_part_alone(source: ReviewsSource, tmp_path: Path) -> None:
    class Closed:
        def __getattr__(self, name: str):
            raise AssertionError("the test part was opened")

    recipe = ReviewsRecipe(members=(_TINY,), split="choose")
    closed = replace(source, test=Closed())
    answers = trained_in(tmp_path / "run", recipe, closed).answers
    metrics = TASK.score(recipe, closed, answers)
    assert metrics["accuracy"]["n"] == len(answers.validation)
    assert "held out of the training part" in metrics["accuracy"]["protocol"]
    assert metrics["accuracy"]["published"] == {}


def test_a_network_of_short_texts_is_one_more_and_can_be_all_that_is_trained(tmp_path: Path) -> None:
    rows = [
        (f"Film {at} is very {word}. It has scenes. It is so {other}.", label)
        for at in range(20)
        for label, word, other in (("neg", "lame", "trite"), ("pos", "witty", "subtle"))
    ]
    texts = labelled(rows)
    source = replace(sample_source(), train=texts.chosen(range(30)), test=texts.chosen(range(30, 40)))
    member = MemberRecipe(
        network="gru", dimensions=4, units=3, epochs=1, table="int8", words=20, start="frozen"
    )
    short = ShortTexts(words=8, sure=0.6, pieces=2, sentences=16, member=member)
    recipe = ReviewsRecipe(members=(_TINY,), short=short, validation=0.2)
    trained = trained_in(tmp_path / "run", recipe, source)
    assert list(trained.results) == ["round0-member1", "short"]
    reviews, config = trained.answers.reviews, trained.answers.reviews.config
    said = map(json.loads, (tmp_path / "run" / "events.jsonl").read_text(encoding="utf-8").splitlines())
    begun = [one["parameters"] for one in said if one["event"] == "begin"]
    sizes = [array.size for array in member_arrays(reviews.arrays, 2).values()]
    assert begun[-1] == sum(sizes), "no network to start as, so its vectors are learned"
    assert [one.network for one in config.members] == ["mean", "gru"] and config.weights == (1.0, 0.0)
    assert config.short == 8 and config.members[1].vocabulary_size == 20
    documents = [np.arange(3, length, dtype=np.int32) for length in (12, 13)]
    single = [member.logits(documents) for member in reviews.network.members]
    others, found = single[0] / config.temperature, reviews.network.logits(documents)
    sure = np.abs(np.diff(single[1][0]))[0] > config.short_margin
    assert config.short_margin == pytest.approx(np.log(1.5))
    np.testing.assert_allclose(
        found[0], single[1][0] / config.short_temperature if sure else others[0], rtol=1e-5
    )
    np.testing.assert_allclose(found[1], others[1], rtol=1e-5)
    content = TASK.content(recipe, source, trained.answers)
    metrics = TASK.score(recipe, source, trained.answers)
    assert metrics["accuracy"]["n"] == 10 and content.config == config
    networks = Networks(recipe, source, Run(tmp_path / "other"))
    learned, wanted = to_learn(networks, trained.answers)
    assert len(learned) == len(wanted) > 16 and (wanted[-16:].max(axis=1) == 1.0).all()
    np.testing.assert_allclose(wanted.sum(axis=1), 1.0, rtol=1e-5)
    with pytest.raises(
        InputError, match=r"praise or blame\. Allowed: the labels neg and pos\. Received: 'sad"
    ):
        check_trainable(recipe, replace(source, train=replace(source.train, classes=("sad", "glad"))))


def test_the_network_of_short_texts_alone_is_trained_beside_those_of_a_preset(
    source: ReviewsSource, tmp_path: Path
) -> None:
    members = [drawn("ngrams", ngrams=2, buckets=8, table="int8"), drawn("gru")]
    start = save_reviews(tmp_path / "start", members)
    options = {"csv": (own_csv(tmp_path / "own.csv", source.train),)}
    overrides = ["short.words=8", "short.only=true", "short.member.units=3", "short.member.epochs=1"]
    overrides += ["short.member.dimensions=3", "short.member.start=frozen"]
    with pytest.raises(InputError, match=r"keeps the networks of a preset\. Name it with --from"):
        fit_task(TASK, tmp_path / "none", options=options, overrides=overrides)
    foreign = replace(source.train, classes=("a", "b"))
    with pytest.raises(InputError, match=r"with other labels\. Allowed: neg, pos\. Received: 'a, b'"):
        named = {"csv": (own_csv(tmp_path / "foreign.csv", foreign),)}
        fit_task(TASK, tmp_path / "none", options=named, overrides=overrides, start=start)
    fit_task(TASK, tmp_path / "more", options=options, overrides=overrides, start=start)
    before, after = Reviews.from_preset(start), Reviews.from_preset(tmp_path / "more")
    assert after.config.without_short() == before.config and len(after.config.members) == 3
    # A network of another kind and size starts with the vectors of that one, which stay.
    np.testing.assert_allclose(
        after.arrays["member3/embedding/embeddings"], before.arrays["member2/embedding/embeddings"], rtol=1e-3
    )
    for name, array in before.arrays.items():
        np.testing.assert_allclose(after.arrays[name], array, rtol=1e-3, err_msg=name)
    kept = after.metadata["kept_networks"]
    assert kept["weights"] == before.metadata["files"]["weights.npz"]["sha256"]
    assert kept["recipe"] == before.metadata["recipe"] and kept["seconds"] == before.metadata["seconds"]
    assert after.metadata["from"] == "start" and [line["stage"] for line in after.metadata["history"]]


@pytest.mark.slow
def test_a_stopped_training_ends_as_an_undisturbed_one(
    source: ReviewsSource, tmp_path: Path, stopped_after
) -> None:
    members = (replace(_TINY, start="fine_tuned", dimensions=8), replace(_TINY, network="lstm", units=4))
    word2vec = VectorsRecipe(dimensions=8, epochs=1, min_count=1, kept_words=None)
    recipe = ReviewsRecipe(
        members, vectors="own", word2vec=word2vec, refit=True, self_training=SelfTraining(1)
    )
    whole_source = replace(source, unlabelled=tuple(made_reviews(30, 9).texts))
    whole = trained_in(tmp_path / "whole", recipe, whole_source)
    assert list(whole.results) == ["vectors"] + [
        f"{name}-member{number}" for name in ("round0", "round1", "refit") for number in (1, 2)
    ]
    with stopped_after(3):
        trained_in(tmp_path / "half", recipe, whole_source)
    with pytest.raises(InputError, match="already holds a run"):
        trained_in(tmp_path / "half", recipe, whole_source)
    again = trained_in(tmp_path / "half", recipe, whole_source, resume=True)
    assert again.answers.reviews.config == whole.answers.reviews.config
    for name, array in whole.answers.reviews.arrays.items():
        np.testing.assert_array_equal(array, again.answers.reviews.arrays[name], err_msg=name)


@pytest.mark.slow
def test_folds_score_every_document_once(
    source: ReviewsSource, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    recipe, untested = ReviewsRecipe(members=(replace(_TINY, epochs=1),), folds=2), replace(source, test=None)
    trained = trained_in(tmp_path / "whole", recipe, untested)
    assert list(trained.results) == ["fold1/round0-member1", "fold2/round0-member1", "round0-member1"]
    found = trained.answers.folds
    assert found.n == 80 and len(found.parts) == 2
    assert found.accuracy == pytest.approx(np.mean(found.parts), abs=5)
    metrics = TASK.score(recipe, untested, trained.answers)
    assert metrics["accuracy"]["score"] == found.accuracy and metrics["accuracy"]["folds"] == list(
        found.parts
    )
    monkeypatch.setattr("apps.reviews.task.named_source", lambda name: untested)
    monkeypatch.setattr("apps.reviews.task.chosen_recipe", lambda *asked: recipe)
    anew = TASK.evaluate(None, TASK.given("evaluate", {"folds": 2}))
    assert anew.accuracy == found.accuracy and ("fold 2, %", f"{found.parts[1]:.2f}") in anew.table_rows()


@pytest.mark.slow
def test_your_own_files_keep_their_test_part(source: ReviewsSource, tmp_path: Path, capsys) -> None:
    path = own_csv(tmp_path / "own.csv", source.train, ",pos")
    own = own_source(read_csv(path, "text", "label"), path.name)
    assert len(own.refused) == 1
    options = {"csv": (path,), "network": "mean"}
    summary = fit_task(TASK, tmp_path / "own", options=options, overrides=["epochs=1"])
    assert summary["refused documents"] == 1 and not (tmp_path / "own.run").exists()
    assert "Refused: row 81: line 82: its text is empty" in capsys.readouterr().err
    opened = Reviews.from_preset(tmp_path / "own")
    again = evaluate(opened, path)
    assert again.n == len(own.test) and again.accuracy == pytest.approx(opened.metrics["accuracy"]["score"])
    other = own_csv(tmp_path / "other.csv", source.train.chosen(range(30)))
    assert evaluate(opened, other).n == 30
    both = evaluate(opened, (other, own_csv(tmp_path / "third.csv", source.test, "x,joy")))
    assert both.n == 70 and both.split == "all of other.csv, third.csv"
    assert both.refused[0].problem.startswith("third.csv: its label 'joy'")


@pytest.mark.parametrize(
    ("table", "fitting"), [("float", "labels/bias"), ("int8", "labels/bias")], ids=["float", "int8"]
)
@pytest.mark.usefixtures("in_a_fresh_process")
def test_fine_tuning_starts_from_the_weights_of_a_preset(
    table: str, fitting: str, source: ReviewsSource, tmp_path: Path, capsys
) -> None:
    start = save_reviews(tmp_path / "start", [drawn("ngrams", ngrams=2, buckets=8, table=table)])
    renamed = replace(source.train, classes=("negative", "positive"))
    path = own_csv(tmp_path / "own.csv", renamed)
    small = ["epochs=1", "learning_rate=1e-9", "dimensions=3", "buckets=8", f"table={table}", "dropout=0"]
    options = {"csv": (path,)}
    fit_task(TASK, tmp_path / "tuned", options=options, overrides=small, start=start)
    said = capsys.readouterr().err
    assert "From start: 3 of 3 arrays taken over" in said
    assert "The vocabulary of start is kept: " in said and "% of the words and marks are unknown" in said
    before, after = Reviews.from_preset(start), Reviews.from_preset(tmp_path / "tuned")
    assert after.labels == before.labels == ("neg", "pos") and after.vocabulary == before.vocabulary
    for name, array in before.arrays.items():
        np.testing.assert_allclose(after.arrays[name], array, atol=1e-3, err_msg=name)
    assert after.metadata["from"] == "start"


def test_fine_tuning_to_other_labels_starts_them_at_random(
    source: ReviewsSource, tmp_path: Path, capsys
) -> None:
    start = save_reviews(tmp_path / "start")
    path = own_csv(tmp_path / "own.csv", replace(source.train, classes=("sad", "glad")))
    small = ["epochs=1", "dimensions=2", "learning_rate=1e-9", "idf=true"]
    options = {"csv": (path,), "network": "mean"}
    with pytest.raises(InputError, match="The preset start has no weights that fit this network"):
        fit_task(TASK, tmp_path / "wrong", options=options, overrides=["dimensions=5"], start=start)
    fit_task(TASK, tmp_path / "tuned", options=options, overrides=small, start=start)
    said = capsys.readouterr().err
    assert "Not taken over, started at random: labels/kernel" in said
    tuned = Reviews.from_preset(tmp_path / "tuned")
    assert tuned.labels == ("glad", "sad")
    before = weighing()[1]["embedding/embeddings"]
    np.testing.assert_allclose(tuned.arrays["member1/embedding/embeddings"], before, atol=1e-3)


@pytest.mark.parametrize(
    ("content", "message"),
    [
        ("", "is empty"),
        ("text,label\ngood,pos\nwarm,pos\n", "All documents have one label"),
        ("text,label\n" + "good,pos\nbad,neg\n" * 2, "The part test would be empty"),
        ("text,mood\ngood,pos\n", "has no column label"),
        ("text,label\n,pos\n", "holds no document that can be used"),
    ],
)
def test_wrong_documents_leave_nothing_on_disk(content: str, message: str, tmp_path: Path) -> None:
    path = tmp_path / "own.csv"
    path.write_text(content, encoding="utf-8")
    with pytest.raises(InputError, match=message):
        fit_task(TASK, tmp_path / "out", options={"csv": (path,)})
    assert [one.name for one in tmp_path.iterdir()] == ["own.csv"]

"""What classifiers of documents show while they train, that looking changes nothing, and shares of labels."""

from __future__ import annotations

import json
from dataclasses import replace
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import numpy as np
import pytest

from apps.reviews.recipes import MemberRecipe, ReviewsRecipe, chosen_recipe
from apps.reviews.sources import ReviewsSource, sample_source
from apps.reviews.stages import Networks, with_labels
from apps.reviews.task import ReviewsTask
from apps.reviews.watch import MOST_CHARACTERS, WATCHED, alone, network_seer, own_text
from data_prep.errors import InputError
from models.serving.operations import softmax
from models.training.driver import train
from models.training.task import Run
from models.training.watching import Looks, picture_steps, read_picture
from models.word2vec.training import VectorsRecipe
from tests.apps.reviews_presets import VOCABULARY, drawn
from tests.apps.watched_run import drawn_picture

TASK = ReviewsTask()
TEXT = "Not a boring film at all! The qwzx was warm."
_MEAN = MemberRecipe(
    network="mean", dimensions=4, epochs=1, batch_size=64, learning_rate=0.1, start="fine_tuned"
)
RECIPE = ReviewsRecipe(
    (_MEAN, replace(_MEAN, network="lstm", units=4, start="random")),
    vectors="own",
    word2vec=VectorsRecipe(dimensions=4, epochs=1, min_count=1, kept_words=None),
    refit=True,
)


@pytest.fixture(scope="module")
def source() -> ReviewsSource:
    return sample_source()


def trained(folder: Path, source: ReviewsSource, watch: dict[str, str] | None) -> Any:
    folder.mkdir()
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(Looks, "due", lambda self, seconds: True)
        return train(TASK, RECIPE, source, Run(folder, watch=watch))


@pytest.fixture(scope="module")
def watched(tmp_path_factory: pytest.TempPathFactory, source: ReviewsSource) -> SimpleNamespace:
    """Trainings of word vectors, two networks and their refit that are looked at after every step."""
    folder = tmp_path_factory.mktemp("watched") / "run"
    found, looks, pictures = trained(folder, source, {"document": TEXT}), {}, {}
    for line in map(json.loads, (folder / "events.jsonl").read_text().splitlines()):
        if line["event"] == "watch":
            looks.setdefault(line["stage"], []).append(line)
    for steps in picture_steps(folder):
        one = read_picture(folder, steps)
        pictures.setdefault(one["stage"], []).append(one["picture"])
    return SimpleNamespace(folder=folder, answers=found.answers, looks=looks, pictures=pictures)


@pytest.mark.slow
def test_looking_changes_no_bit_of_the_training(
    watched: SimpleNamespace, source: ReviewsSource, tmp_path: Path
) -> None:
    unseen = trained(tmp_path / "unseen", source, None).answers.reviews
    for name, array in watched.answers.reviews.arrays.items():
        np.testing.assert_array_equal(array, unseen.arrays[name], err_msg=name)
    assert not (tmp_path / "unseen" / "pictures").exists()


def test_numbers_say_what_their_sample_is(watched: SimpleNamespace) -> None:
    stages = ("round0-member1", "round0-member2", "refit-member1", "refit-member2")
    assert list(watched.looks) == ["vectors", *stages]
    for name in stages:
        kind = "training_sample" if name.startswith("refit") else "held_out"
        assert all(
            look["numbers"].keys() == {f"{kind}_accuracy", f"{kind}_loss"} for look in watched.looks[name]
        )


def test_the_picture_is_the_answer_of_the_network_of_that_moment(watched: SimpleNamespace) -> None:
    reviews = watched.answers.reviews
    last = watched.pictures["refit-member2"][-1]
    assert [name for name, _ in last["networks"]] == ["mean", "lstm"]
    ids = reviews.read(TEXT).ids
    for (_, shares), member in zip(last["networks"], reviews.network.members, strict=True):
        np.testing.assert_allclose(shares, softmax(member.logits([ids])[0]), atol=2e-3)
    assert [text for text, _, _, known in last["words"] if not known] == ["qwzx"]
    assert len(last["added"]) == len(ids) == len(last["words"]) + 1
    assert (last["label"], last["against"]) == ("pos", "neg")
    assert all(len(path.read_bytes()) < 4_000 for path in (watched.folder / "pictures").iterdir())


def test_word_vectors_show_neighbours_of_the_rarest_words(watched: SimpleNamespace) -> None:
    found = dict(watched.pictures["vectors"][-1]["neighbours"])
    assert "boring" in found and "qwzx" not in found and len(found) == 8
    assert all(len(near) == 6 and word not in near for word, near in found.items())
    drawn = drawn_picture("reviews", watched.pictures["vectors"][-1])
    assert len(drawn.dataframe) == 1


def test_what_words_add_is_the_difference_of_a_linear_network() -> None:
    config, arrays = drawn("mean", labels=3)
    documents = [np.array([3, 4, 2], np.int32), np.array([5, 2], np.int32)]
    look = network_seer(config, VOCABULARY, ("a", "b", "c"), (documents, np.array([0, 2])), "held_out")
    model = SimpleNamespace(
        weights=[SimpleNamespace(path=name, value=array) for name, array in arrays.items()]
    )
    picture = look(model, {"document": "a good film"}).picture
    (logits,) = alone(config, arrays).logits(
        [np.append(VOCABULARY.encode(["a", "good", "film"]), np.int32(2))]
    )
    best, second = np.argsort(-logits)[:2]
    assert (picture["label"], picture["against"]) == ("abc"[best], "abc"[second])
    constant = arrays["labels/bias"][best] - arrays["labels/bias"][second]
    assert picture["added"].sum() + constant == pytest.approx(logits[best] - logits[second], abs=1e-5)


@pytest.mark.parametrize("text", ["", "  \n"])
def test_no_text_of_ones_own_is_that_of_the_task(text: str) -> None:
    assert own_text({"document": text}) == own_text({}) == WATCHED["document"]
    assert len(own_text({"document": "good film " * 1000})) == MOST_CHARACTERS


def test_a_picture_is_drawn(watched: SimpleNamespace) -> None:
    app = drawn_picture("reviews", watched.pictures["round0-member2"][-1])
    assert len(app.get("plotly_chart")) == 1 and "held out of the training part" in app.caption[0].value
    assert "nothing is held out" in drawn_picture("reviews", watched.pictures["refit-member1"][0]).caption[0].value


@pytest.mark.parametrize(("share", "each"), [(1.0, 40), (0.1, 4), (0.01, 1)])
def test_a_share_of_the_labels_is_the_same_of_each(share: float, each: int) -> None:
    places, labels = np.arange(3, 83), np.arange(80) % 2
    found = with_labels(places, labels, share, 1)
    assert np.bincount(labels[found - 3]).tolist() == [each, each] and (np.diff(found) > 0).all()


def test_fewer_labels_change_neither_vocabulary_nor_what_is_held_out(
    source: ReviewsSource, tmp_path: Path
) -> None:
    whole, part = (
        Networks(chosen_recipe("sample", None, [f"label_share={share}"]), source, Run(tmp_path))
        for share in (1, 0.1)
    )
    assert part.vocabulary == whole.vocabulary and part.held_out.tolist() == whole.held_out.tolist()
    assert set(part.learned) < set(whole.learned) and len(part.learned) == pytest.approx(
        len(whole.learned) / 10, abs=1
    )
    for wrong in (0, 1.5):
        with pytest.raises(InputError, match="label_share does not fit"):
            chosen_recipe("sample", None, [f"label_share={wrong}"])


@pytest.mark.slow
def test_the_recipe_for_the_laboratory_learns_the_sample(source: ReviewsSource, tmp_path: Path) -> None:
    found = train(TASK, chosen_recipe("lab"), source, Run(tmp_path, watch={}))
    assert found.history[-1]["validation_loss"] < found.history[0]["validation_loss"] < 0.75

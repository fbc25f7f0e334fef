"""Explanations of verdicts: sums, prefixes, attention, states, labels among words."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from apps.reviews.application import Reviews
from apps.reviews.explain import (
    MAX_READ,
    attention,
    contributions,
    label_embeddings,
    label_map,
    methods,
    running,
    states,
    word_scores,
)
from apps.reviews.files import csv_verdicts, verdicts_file
from data_prep.errors import InputError
from data_prep.text.embeddings import WordVectors
from data_prep.text.text_inputs import SPECIALS
from data_prep.text.vocab import Vocabulary
from models.text_classifier.config import TextClassifierConfig, TextPresetConfig, preset_arrays
from tests.apps.reviews_presets import LABELS, VOCABULARY, drawn, preset_of, small_reviews, weighing

TEXT = "The film<br />was not dull, was zzz &amp; good!"


def logit_difference(reviews: Reviews, text: str, label: str, against: str) -> float:
    shares = reviews.classify(text).probabilities
    return float(np.log(shares[label] / shares[against]))


@pytest.mark.parametrize("network", ["mean", "lstm", "attention", "convolution"])
def test_the_verdict_after_a_word_is_that_of_the_text_up_to_it(network: str) -> None:
    reviews = small_reviews(drawn(network), weighing())
    found = running(reviews, TEXT)
    assert [TEXT[word.start : word.end] for word in found.words] == [word.text for word in found.words]
    for word, shares in zip(found.words, found.probabilities, strict=True):
        whole = TEXT if not word.text else TEXT[: word.end]
        document = reviews.read(whole, unknown="answer")
        if document.words > document.unknown:
            np.testing.assert_allclose(
                shares, list(reviews.classify(whole).probabilities.values()), atol=1e-5
            )


def test_a_long_document_has_so_many_verdicts_and_ends_with_its_own() -> None:
    reviews = small_reviews()
    text = "good film, bad film. " * MAX_READ
    found = running(reviews, text)
    assert len(found.words) == MAX_READ + 1
    assert found.probabilities[-1] == pytest.approx(list(reviews.classify(text).probabilities.values()))


def test_a_long_document_costs_no_more_than_seconds(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("apps.reviews.explain._READ_IDS", 6_000)
    text = "good film " * 50
    assert len(running(small_reviews(drawn("attention")), text).words) == 61
    assert len(running(small_reviews(), text).words) == 101
    left_out = contributions(small_reviews(drawn("lstm")), text, "leave_out").values
    assert all(left_out[at] == left_out[at + 1] for at in range(0, 100, 2))
    monkeypatch.setattr("apps.reviews.explain._READ_IDS", 60_000)
    every = contributions(small_reviews(drawn("lstm")), text, "leave_out").values
    assert any(every[at] != every[at + 1] for at in range(0, 100, 2))


@pytest.mark.parametrize("method", ["linear", "gradient"])
def test_what_words_add_sums_to_the_difference_where_that_is_promised(method: str) -> None:
    reviews = small_reviews(drawn("mean"), weighing())
    found = contributions(reviews, TEXT, method)
    assert methods(reviews) == ("linear", "leave_out") and found.exact
    assert sum(found.values) + found.constant == pytest.approx(found.difference, abs=1e-5)
    assert found.difference == pytest.approx(
        logit_difference(reviews, TEXT, found.label, found.against), abs=1e-5
    )
    assert found.label == reviews.classify(TEXT).label and found.difference > 0
    assert [word.known for word in found.words if word.text == "zzz"] == [False]
    assert found.words[-1].text == ""


def test_leaving_a_word_out_is_the_difference_without_it() -> None:
    reviews = small_reviews(drawn("lstm"))
    text = "the film was good"
    found = contributions(reviews, text, "leave_out", label="pos")
    without = logit_difference(reviews, "the film was", "pos", "neg")
    assert found.values[3] == pytest.approx(found.difference - without, abs=1e-5)
    assert not found.exact and found.values[-1] == 0.0


def test_a_document_without_a_word_is_answered_by_the_networks_that_answer_it() -> None:
    members = (drawn("mean"), weighing())
    config, arrays = preset_of(*members)
    config = replace(config, weights=(1.0, 0.0), short=4)
    mixed = Reviews(config, arrays, vocabulary=VOCABULARY, labels=LABELS)
    for text, network in (("a film was good !", members[0]), ("a film was good", members[1])):
        found, alone = (contributions(one, text, "leave_out", "pos") for one in (mixed, small_reviews(network)))
        np.testing.assert_allclose(found.values, alone.values, atol=1e-5)
        assert found.constant == pytest.approx(alone.constant, abs=1e-5)


def test_a_long_document_is_left_out_in_runs_that_share() -> None:
    reviews = small_reviews()
    words = 2 * MAX_READ
    found = contributions(reviews, " ".join(["good", "film"] * MAX_READ), "leave_out")
    assert len(found.values) == words + 1
    assert found.values[0] == found.values[1] != 0.0


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"method": "linear"}, "cannot be explained that way"),
        ({"label": "great"}, "no such label"),
        ({"label": "pos", "against": "pos"}, "two labels are one"),
    ],
)
def test_wrong_questions_are_refused(change: dict[str, str], message: str) -> None:
    with pytest.raises(InputError, match=message):
        contributions(small_reviews(drawn("lstm")), "a good film", **change)


def test_attention_and_states_stand_at_the_words_that_are_read() -> None:
    reviews = small_reviews(drawn("attention", max_words=4, head_words=1))
    text = "good film was not a dull film"
    weights, along = attention(reviews, text), states(reviews, text)
    assert [word.text for word in weights.words] == ["good", "a", "dull", "film", ""]
    assert sum(weights.weights) == pytest.approx(1.0, abs=1e-5)
    assert along.words == weights.words and len(along.values) == 5 and len(along.values[0]) == 8
    assert along.network == "attention"
    for asked in (attention, states):
        with pytest.raises(InputError, match="No network of this classifier"):
            asked(small_reviews(), text)


def test_the_words_nearest_to_a_label_speak_for_it() -> None:
    negative, positive = label_embeddings(small_reviews(), topn=4)
    assert {word for word, _ in positive.nearest} == {"good", "warm", "funny", "moving"}
    assert {word for word, _ in negative.nearest} == {"bad", "dull", "weak", "boring"}
    assert positive.vector == (0.0, 4.0) and positive.cosines == pytest.approx((-1.0, 1.0))
    _, scores = word_scores(small_reviews(), 0)
    np.testing.assert_allclose(scores.sum(axis=1), 0.0, atol=1e-6)


def test_labels_lie_among_words_where_words_speak_for_them() -> None:
    rng = np.random.default_rng(0)
    words = tuple(f"word{chr(97 + at // 26)}{chr(97 + at % 26)}" for at in range(400))
    vectors = rng.standard_normal((len(words), 6)).astype(np.float32)
    vectors /= np.linalg.norm(vectors, axis=1, keepdims=True)
    vocabulary = Vocabulary(words, specials=SPECIALS)
    member = TextClassifierConfig("mean", 2, vocabulary_size=len(vocabulary), dimensions=6, units=1, widths=(1,))
    row = np.array([3.0, 0.0, 0.0, 0.0, 0.0, 0.0])
    arrays = {
        "embedding/embeddings": np.concatenate([np.zeros((len(SPECIALS), 6), np.float32), vectors]),
        "labels/kernel": np.stack([-row, row], axis=1).astype(np.float32),
        "labels/bias": np.zeros(2, np.float32),
    }
    config = TextPresetConfig((member,))
    reviews = Reviews(config, preset_arrays(config, [arrays]), vocabulary=vocabulary, labels=LABELS)
    found = label_map(reviews, WordVectors(words, vectors), words=5, others=10)
    assert found.map.words[:2] == ("«neg»", "«pos»") and found.labels == 2
    assert min(found.fit) > 0.9
    by_word = dict(zip(found.map.words, found.belongs, strict=True))
    furthest = words[int(vectors[:, 0].argmax())]
    assert by_word[furthest] == "pos" and list(by_word.values()).count(None) == 10
    with pytest.raises(InputError, match="Too few words"):
        label_map(reviews, WordVectors(words[:5], vectors[:5]))


def test_a_file_of_verdicts_has_every_row(tmp_path) -> None:
    path = tmp_path / "films.csv"
    path.write_text('text,more\n"a good, warm film",1\n,2\nzzz yyy,3\ndull!,4\nbroken\n', encoding="utf-8")
    found = csv_verdicts(small_reviews(), path, "text", most=10)
    assert found["row"].tolist() == [1, 2, 3, 4, 5]
    assert found["label"].fillna("").tolist() == ["pos", "", "", "neg", ""]
    problems = found["problem"].tolist()
    assert "text is empty" in problems[1] and "known" in problems[2] and "fields" in problems[4]
    lines = verdicts_file(found).splitlines()
    assert lines[0] == "row,label,p_neg,p_pos,words,unknown_words,problem"
    assert lines[1].startswith("1,pos,0.") and lines[1].endswith(",4,0,") and len(lines) == 6
    assert lines[2].startswith("2,,,,,,") and lines[2].endswith("text is empty")
    with pytest.raises(InputError, match="too many rows"):
        csv_verdicts(small_reviews(), path, "text", most=3)

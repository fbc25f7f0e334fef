"""Classifiers of documents: answers, bounded streams, refusals, and how they are scored."""

from __future__ import annotations

import csv
import gzip
import io
import subprocess
import sys
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from apps.reviews import application
from apps.reviews.application import ALONE, Reviews
from apps.reviews.evaluation import (
    chosen_sure,
    chosen_weights,
    evaluate,
    mean_loss,
    score,
    unsure_temperature,
)
from apps.reviews.results import Verdict
from data_prep.errors import InputError
from data_prep.readers.documents import MAX_LINE_BYTES, document_lines
from data_prep.readers.labelled_texts import Refused, labelled
from models.serving.operations import softmax
from models.text_classifier.serving import Sure
from tests.apps.reviews_presets import (
    LABELS,
    VOCABULARY,
    drawn,
    preset_of,
    save_reviews,
    small_reviews,
    weighing,
)


@pytest.fixture(scope="module")
def reviews() -> Reviews:
    return small_reviews()


def test_a_verdict_counts_words_and_not_marks(reviews: Reviews) -> None:
    found = reviews.classify("The film was GOOD, funny &amp; splendid!<br />")
    assert found.label == "pos" and found.confidence > 0.5
    assert (found.words, found.unknown_words, found.left_out) == (6, 1, 0)
    assert list(found.to_dict()) == ["label", "probabilities", "unknown_words", "words"]
    assert sum(found.probabilities.values()) == pytest.approx(1.0) and not found.notes()


def test_what_is_not_read_is_counted_and_said() -> None:
    short = small_reviews(weighing(max_words=4, head_words=2))
    found = short.classify("good film " + "bad " * 20 + "warm film")
    assert found.label == "pos" and found.left_out == 20 and found.to_dict()["left_out"] == 20
    assert "20 of its 24 words and marks (83%)" in found.notes()[0]
    window = weighing(max_words=4, head_words=2)
    both = small_reviews(window, weighing())
    assert both.classify("good film " + "bad " * 20 + "warm film").left_out == 0
    config, arrays = preset_of(window, drawn("lstm"))
    config = replace(config, weights=(1.0, 0.0), short=10)  # the network of short texts is not asked about long ones
    found = Reviews(config, arrays, vocabulary=VOCABULARY, labels=LABELS)
    assert [found.classify("good film " * n).left_out for n in (5, 6)] == [0, 8]


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("", "The text is empty"),
        (" \n\t", "The text is empty"),
        ("?! ...", "The text holds no word"),
        ("это хороший фильм", "None of the 3 words of the text is known"),
        ("x" * (application.MAX_CHARACTERS + 1), "The text is too long"),
    ],
)
def test_texts_that_cannot_be_answered_are_refused(reviews: Reviews, text: str, message: str) -> None:
    with pytest.raises(InputError, match=message):
        reviews.classify(text)
    assert [type(one) for one in reviews.classify_many(["good", text, "bad"])] == [Verdict, Refused, Verdict]


def test_a_text_in_another_language_is_answered_with_a_note(reviews: Reviews) -> None:
    found = reviews.classify("le film que nous avons vu était moving")
    assert found.unknown_words == 6 and "6 of the 8 words are unknown" in found.notes()[0]


def test_a_megabyte_in_one_line_is_read_whole(reviews: Reviews) -> None:
    found = reviews.classify("good film " * 100_000)
    assert found.words == 200_000 and found.label == "pos" and not found.left_out


def test_many_documents_get_the_answers_of_single_ones() -> None:
    mixed = small_reviews(drawn("attention"), drawn("ngrams", 1, ngrams=2, buckets=8))
    texts = ["good film", "the film was bad , not funny !" * 9, "a", "warm"] * 5
    alone = [mixed.classify(text) for text in texts]
    for batch_size in (1, 7, 512):
        together = list(mixed.classify_many(texts, batch_size=batch_size))
        for one, other in zip(alone, together, strict=True):
            assert one.words == other.words
            assert one.probabilities["pos"] == pytest.approx(other.probabilities["pos"], abs=1e-6)


def test_a_stream_is_answered_while_it_is_read(reviews: Reviews) -> None:
    taken = 0

    def endless() -> Iterator[str]:
        nonlocal taken
        while True:
            taken += 1
            yield "good film"

    answers = reviews.classify_many(endless(), batch_size=8)
    assert next(answers).label == "pos" and taken == 8
    refused = list(reviews.classify_many(["good", "", "bad", "?"], batch_size=3))
    assert [one.number for one in refused if isinstance(one, Refused)] == [2, 4]


def test_lines_of_a_stream_are_refused_one_by_one() -> None:
    long = b"x" * (MAX_LINE_BYTES + 5)
    stream = io.BytesIO(b"\xef\xbb\xbfgood\r\n" + long + b"\nb\xff\n\na\0b\nlast")
    found = list(document_lines(stream))
    assert [one if isinstance(one, str) else one.number for one in found] == ["good", 2, 3, "", 5, "last"]
    assert "longer than 16 MiB" in found[1].problem and "byte 1 of the line is 0xff" in found[2].problem
    assert "NUL" in found[4].problem


def texts_of(*rows: tuple[str, str]):
    return labelled(rows)


def test_a_score_counts_each_document_once(reviews: Reviews) -> None:
    texts = texts_of(
        ("good", "pos"), ("funny film", "pos"), ("dull", "neg"), ("warm", "neg"), ("unheard", "pos")
    )
    found = score(reviews, texts, "made")
    assert found.n == 5 and found.confusion[0] == (1, 1) and sum(found.confusion[1]) == 3
    share = found.accuracy / 100
    assert found.standard_error == pytest.approx(100 * np.sqrt(share * (1 - share) / 5))
    assert found.unknown_only == (5,) and found.unknown_share == pytest.approx(1 / 6)
    assert list(found.to_dict()) == ["accuracy", "n", "standard_error"]


def test_labels_that_differ_only_in_case_are_two_labels() -> None:
    config, arrays = preset_of(weighing())
    two = Reviews(replace(config, aliases=()), arrays, vocabulary=VOCABULARY, labels=("it", "IT"))
    texts = labelled([("dull", "it"), ("good", "IT"), ("warm", "IT"), ("weak", "it")])
    found = score(two, texts, "made")
    assert found.confusion == ((2, 0), (0, 2)) and not found.aliases


def write(path: Path, *rows: tuple[str, ...]) -> Path:
    with path.open("w", newline="", encoding="utf-8") as file:
        csv.writer(file).writerows(rows)
    return path


def test_bad_rows_are_named_and_the_rest_goes_on(reviews: Reviews, tmp_path: Path) -> None:
    path = write(
        tmp_path / "mixed.csv",
        ("body", "verdict"),
        *(
            ("good film", "positive"),
            ("dull", "0"),
            ("", "pos"),
            ("warm", "great"),
            ("?", "pos"),
            ("bad", "Neg"),
        ),
    )
    found = evaluate(reviews, csv=path, text="body", label="verdict")
    assert found.n == 3 and found.accuracy == 100.0
    assert found.aliases == {"positive": "pos", "0": "neg", "Neg": "neg"}
    assert [one.number for one in found.refused] == [3, 4, 5]
    assert "none of neg, pos" in found.refused[1].problem and "body is empty" in found.refused[0].problem


def test_one_label_is_enough_to_score_and_none_is_refused(reviews: Reviews, tmp_path: Path) -> None:
    one = write(tmp_path / "one.csv", ("text", "label"), ("good", "pos"), ("bad", "pos"))
    assert evaluate(reviews, csv=one).accuracy == 50.0
    (tmp_path / "films" / "pos").mkdir(parents=True)
    (tmp_path / "films" / "pos" / "1.txt").write_text("good", encoding="utf-8")
    found = evaluate(reviews, folder=str(tmp_path / "films" / "pos" / ".."))  # a string, which does not end in a name
    assert (found.n, found.split) == (1, "all of films")
    foreign = write(tmp_path / "foreign.csv", ("text", "label"), ("good", "happy"), ("bad", "sad"))
    with pytest.raises(
        InputError, match=r"No document has a label .* Allowed: neg, pos. Received: 'happy, sad'"
    ):
        evaluate(reviews, csv=foreign)
    empty = write(tmp_path / "empty.csv", ("text", "label"), (" ", "pos"))
    with pytest.raises(InputError, match=r"No document can be scored .1 were refused; the first, row 1"):
        evaluate(reviews, csv=empty)


@pytest.mark.parametrize(
    ("content", "message"),
    [
        (b"", "The text is empty"),
        (b"text,mood\ngood,pos\n", "has no column label. Allowed: text, mood"),
        ("text,label\ncafé,pos\n".encode("latin-1"), "is not UTF-8 at byte"),
        ("text,label\ngood,pos\n".encode("utf-16"), "is UTF-16"),
        (
            b'text,label\n"good,pos\n"bad"x,neg\n',
            "No document can be scored .2 were refused; the first, row 1: line 2",
        ),
        (gzip.compress(b"text,label\ngood,pos\n" * 50, mtime=0)[:-9], "gzip"),
    ],
)
def test_files_that_are_no_csv_are_refused(
    reviews: Reviews, tmp_path: Path, content: bytes, message: str
) -> None:
    path = tmp_path / "file.csv"
    path.write_bytes(content)
    with pytest.raises(InputError, match=message):
        evaluate(reviews, csv=path)


def test_a_classifier_whose_documents_are_not_known_needs_a_file(reviews: Reviews) -> None:
    with pytest.raises(InputError, match="no documents left"):
        evaluate(reviews)


def test_weights_and_temperature_make_answers_as_sure_as_they_are_right() -> None:
    rng = np.random.default_rng(0)
    right = rng.integers(0, 2, 4000)
    signs = np.where(np.arange(2) == right[:, None], 1.0, -1.0)
    # One network is three times too sure of itself, one knows nothing.
    truth = rng.normal(0.8, 1.0, (4000, 1)) * signs
    noise = rng.normal(0.0, 2.0, (4000, 2))
    weights, temperature = chosen_weights([3.0 * truth, noise], right)
    assert sum(weights) == pytest.approx(1.0) and weights[1] < 0.05 < weights[0]
    # Gaussian scores of distance 0.8 and deviation 1: the logits of the posterior are 0.8 times the truth.
    assert weights[0] / temperature * 3.0 == pytest.approx(0.8, abs=0.05)
    assert chosen_weights([0.0 * truth], right) == ((1.0,), 50.0)
    assert mean_loss(np.array([[1.0, 0.0]]), np.array([1])) < 30.0  # finite


def test_the_first_network_is_alone_where_all_agreed_on_what_was_held_out() -> None:
    rng = np.random.default_rng(1)
    right = rng.integers(0, 2, 3000)
    signs = np.where(np.arange(2) == right[:, None], 1.0, -1.0)
    first = rng.normal(0.7, 1.0, (3000, 1)) * signs
    together = first + rng.normal(0.3, 0.3, (3000, 1)) * signs
    sure = chosen_sure(first, together, right)
    ahead = np.abs(first[:, 0] - first[:, 1])
    other = first.argmax(axis=1) != together.argmax(axis=1)
    assert sure.margin == ahead[other].max() and 0.5 < sure.temperature < 2.0
    assert chosen_sure(first[:500], together[:500], right[:500]) is None  # too few to tell
    assert chosen_sure(first, -first, right) is None  # they never agree


def test_all_networks_have_the_temperature_of_what_they_answer() -> None:
    rng = np.random.default_rng(2)
    first = rng.normal(0.0, 2.0, (20_000, 1)) * np.array([1.0, -1.0])
    sure = Sure(3.0, 1.0)
    unsure = np.abs(first[:, 0] - first[:, 1]) <= sure.margin
    logits = np.where(unsure[:, None], first, 9.0 * first)  # surer than they are right where nobody asks them
    right = (rng.random(20_000) > 1.0 / (1.0 + np.exp(first[:, 1] - first[:, 0]))).astype(int)
    assert unsure_temperature(first, 2.0 * logits, right, sure) == pytest.approx(2.0, rel=0.1)
    assert unsure_temperature(first, logits, right, Sure(-1.0, 1.0)) == 1.0


def test_how_sure_it_has_to_be_is_in_the_metadata() -> None:
    both = small_reviews(weighing(), drawn("lstm"))
    known = {"vocabulary": both.vocabulary, "labels": both.labels}
    alone = Reviews(both.config, both.arrays, **known, metadata={ALONE: {"margin": 0.0, "temperature": 1.0}})
    assert both.sure is None and alone.sure.margin == 0.0
    text = "good film"
    ids = [both.read(text).ids]
    np.testing.assert_allclose(
        list(alone.classify(text).probabilities.values()),
        softmax(both.network.members[0].logits(ids))[0],
        atol=1e-6,
    )


def test_many_documents_are_read_as_one_by_one(reviews: Reviews, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(application, "_MANY", 4)
    texts = [
        "good film",
        "bad &amp; warm film 3",
        "&eacute;t&eacute; good",
        "été good",
        "good &lt;film&gt;",
    ] * 3
    alone = [reviews.classify(text) for text in texts]
    for _ in range(2):  # the second time with the compiled reader of ASCII
        for one, other in zip(reviews.classify_many(texts, batch_size=4), alone, strict=True):
            assert (one.label, one.words, one.unknown_words, one.tokens) == (
                other.label, other.words, other.unknown_words, other.tokens,
            )  # fmt: skip


def test_a_preset_is_opened_without_tensorflow(tmp_path: Path) -> None:
    folder = save_reviews(tmp_path / "tiny", [weighing(), drawn("lstm")])
    code = (
        "import sys; from apps.reviews.application import Reviews; "
        "found = Reviews.from_preset(sys.argv[1]).classify('good film');"
        "print(found.label, 'tensorflow' in sys.modules, 'keras' in sys.modules)"
    )
    done = subprocess.run(
        [sys.executable, "-c", code, str(folder)], capture_output=True, text=True, check=True
    )
    assert done.stdout.split()[1:] == ["False", "False"]

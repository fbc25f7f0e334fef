"""Presets with worse input, and what they answer wrong: what the benchmarks count and keep, on small networks."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pytest

import apps.shared.reports
from apps.digits.examples import examples
from apps.ocr.reports import KINDS
from apps.ocr.sources import TEST_FOLD, OcrSource, spell
from apps.reviews.application import Reviews
from apps.shared.reports import Stored, stored
from apps.shared.robustness import (
    CONDITIONS,
    MEASURES,
    NEGATIONS,
    ORIGINS,
    OTHER_ORIGINS,
    ROBUSTNESS,
    robustness_of,
)
from apps.tagger.application import Tagger
from apps.tagger.evaluation import confusions
from apps.tagger.reports import errors_of
from apps.writer.application import DEFAULT_PRESET as WRITER
from apps.writer.application import Writer
from apps.writer.sources import text_source
from benchmarks import errors, robustness
from data_prep.readers.labelled_texts import labelled
from data_prep.readers.letters import LetterWords, encode_word
from data_prep.text.made_texts import made_sentences
from tests.apps.digit_presets import digits_of
from tests.apps.ocr_presets import WORDS, small_reader
from tests.apps.pages import shipping
from tests.apps.reviews_presets import small_reviews


@pytest.fixture(autouse=True)
def of_any_weights(monkeypatch: pytest.MonkeyPatch) -> None:
    """Errors of networks that are no presets."""
    monkeypatch.setattr("apps.shared.errors.weights_of", lambda preset: "none")


@pytest.fixture(scope="module")
def reviews() -> Reviews:
    return small_reviews()


def pen_source(count: int) -> OcrSource:
    """Words of the pen, all in the test fold."""
    texts = (WORDS * 2)[:count]
    images = [spell(text, "pen", at) for at, text in enumerate(texts)]
    words = LetterWords.of(np.concatenate(images), [encode_word(text) for text in texts])
    folds = np.full(count, TEST_FOLD)
    return OcrSource("pen", words._replace(folds=folds), WORDS, {}, "none", "none")


def test_pictures_are_worse_in_every_way_and_a_seed_decides() -> None:
    digits, (images, labels, _) = digits_of("lecture"), examples()
    rows = robustness.digits_rows(digits, images[:40], labels[:40], 1)
    assert list(rows) == list(robustness.WORSE_PICTURES) and set(rows) < CONDITIONS.keys()
    assert all(row["n"] == 40 for row in rows.values())
    answers = digits.probabilities(images[:40, ..., None] / np.float32(255)).argmax(axis=1)
    assert rows["clean"]["score"] == pytest.approx(100 * float((answers == labels[:40]).mean()))
    assert rows == robustness.digits_rows(digits, images[:40], labels[:40], 1)


def test_words_are_read_from_worse_letters(monkeypatch: pytest.MonkeyPatch) -> None:
    few = ("clean", "shift_1", "thinner", "shift_4")
    monkeypatch.setattr(robustness, "WORSE_PICTURES", {name: robustness.WORSE_PICTURES[name] for name in few})
    reader, words = small_reader(), pen_source(3).words
    for network, way in ((reader.letters, "bilstm"), (reader.words, "words")):
        rows = robustness.ocr_rows(network, words, way, 1)
        assert list(rows) == ["clean", "shift_1", "thinner"]  # letters of 8 columns are not shifted by 4
        assert all(row["n"] == len(words.labels) for row in rows.values())


def test_words_keep_their_gold_tags_and_missing_punctuation_is_not_scored(random_tagger: Tagger) -> None:
    sentences = made_sentences("test")[:10]
    rows = robustness.tagger_rows(random_tagger, sentences, 1)
    words = [word for sentence in sentences for word in sentence.words]
    assert rows["clean"]["n"] == rows["typos_5"]["n"] == rows["upper"]["n"] == len(words)
    assert rows["unpunctuated"]["n"] == sum(word.upos != "PUNCT" for word in words)
    right = [
        token.upos == word.upos
        for sentence, one in zip(sentences, random_tagger.tag_sentences(sentences), strict=True)
        for word, token in zip(sentence.words, one.tokens, strict=True)
    ]
    assert rows["clean"]["score"] == pytest.approx(100 * np.mean(right))


def test_reviews_are_worse_texts_and_negations_mislead_who_counts_words(reviews: Reviews) -> None:
    texts = labelled([("the film was good", "pos"), ("a <br />bad film", "neg"), ("not dull!", "pos")])
    rows = robustness.reviews_rows(reviews, texts, 1)
    assert rows["clean"]["score"] == pytest.approx(200 / 3) and rows["clean"]["n"] == 3
    assert rows["upper"]["score"] == rows["clean"]["score"] == rows["unpunctuated"]["score"]
    found = robustness.contrast_rows(reviews)
    assert found["negation"]["score"] < 50.0 and found["all"]["templates"] == 60
    assert found["all"]["n"] == 3_600 and found["negation"]["n"] == 1_200
    origins = robustness.origin_rows(reviews)
    assert list(origins) == list(ORIGINS)
    assert origins["all"]["score"] == pytest.approx(
        np.mean([row["score"] for kind, row in origins.items() if kind != "all"])
    )


def test_the_tables_read_what_is_stored(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    clean = {"score": 96.5, "standard_error": 0.125, "n": 25_000}
    found = {
        "settings": {"seed": 1, "processor": "one"},
        "presets": {"tagger_en_ewt": {"clean": clean, "upper": {**clean, "score": 80.25}}},
        "contrasts": {"all": {**clean, "score": 61.0, "templates": 60}},
        "origins": {"news": {**clean, "score": 71.0, "n": 300}},
    }
    monkeypatch.setattr(apps.shared.reports, "RESULTS_DIR", tmp_path)
    assert "benchmarks.robustness" in ROBUSTNESS.markdown()
    (tmp_path / "robustness.json").write_text(json.dumps(found))
    written = ROBUSTNESS.markdown()
    assert "| `tagger_en_ewt`: as it is | 96.50 | +0.00 | 0.12 | 25,000 |" in written
    assert "| `tagger_en_ewt`: upper case | 80.25 | -16.25 | 0.12 | 25,000 |" in written
    assert "| all | 61.00 | 0.12 | 25,000 | 60 |" in NEGATIONS.markdown()
    assert f"| {ORIGINS['news']} | 71.00 | 0.12 | 300 |" in OTHER_ORIGINS.markdown()
    assert len(robustness_of("tagger_en_ewt").report(Stored("robustness.json", found)).lines) == 2


def test_every_preset_was_measured_in_every_way_of_its_task() -> None:
    found = {name: list(rows.values) for (name,), rows in stored(ROBUSTNESS.name).rows("presets.*")}
    assert found.keys() == MEASURES.keys()
    assert found["tagger_en_ewt"] == found["reviews_imdb"] == list(robustness.WORSE_TEXTS)
    assert found["digits_mnist"] == found["digits_lecture"] == list(robustness.WORSE_PICTURES)
    assert found["writer_shakespeare"] == [*robustness.WORSE_TEXTS, "wikipedia", "reviews", "web"]


def test_a_task_alone_keeps_what_was_stored_of_the_others(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    row = {"score": 1.0, "standard_error": 0.0, "n": 1}
    monkeypatch.setattr(apps.shared.reports, "RESULTS_DIR", tmp_path)
    monkeypatch.setattr("benchmarks.harness.limit_cores", lambda threads: None)
    monkeypatch.setattr(robustness, "measured", lambda task, options: {task: {"clean": row}})
    for task in ("tagger", "writer"):
        assert robustness.main(["--tasks", task, "--store"]) == 0
    capsys.readouterr()
    found = json.loads((tmp_path / "robustness.json").read_text())
    assert found["presets"] == {"tagger": {"clean": row}, "writer": {"clean": row}}


def test_misread_words_have_a_kind_and_the_probability_of_the_wrong_letter(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    reader, source = small_reader(), pen_source(12)
    found = errors.ocr("small", reader, source)
    rows = [dict(zip(found["columns"], row, strict=True)) for row in found["rows"]]
    fold = source.fold(TEST_FOLD)
    assert found["n"] == len(fold.texts) + len(WORDS) - 3 and found["wrong"] <= len(rows)
    assert {row["kind"] for row in rows} <= set(KINDS.values()) and rows
    for row in rows[:20]:
        assert row["label"] != row["answer"] and len(row["label"]) == len(row["answer"]) == row["length"]
        assert 0.0 < row["confidence"] <= 1.0
    assert rows[0]["bank"] in ("set", "pen")


def test_a_wrong_review_is_quoted_by_its_most_misleading_sentence(reviews: Reviews) -> None:
    text = "The film was good. A bad, dull, boring film!\nNot moving."
    found = errors.reviews(
        "small",
        reviews,
        labelled([(text, "pos"), ("a good film", "pos"), ("bad zzz", "pos"), ("bad", "neg")]),
    )
    rows = [dict(zip(found["columns"], row, strict=True)) for row in found["rows"]]
    assert (found["n"], found["wrong"]) == (4, 2)
    assert {row["before"] for row in rows} == {"A bad, dull, boring film!", "bad zzz"}
    assert {row["before"]: row["seen"] for row in rows}["bad zzz"] is False
    assert all((row["label"], row["answer"]) == ("pos", "neg") for row in rows)


def test_tags_are_wrong_where_the_confusions_say_so(random_tagger: Tagger) -> None:
    counted = confusions(random_tagger, made_sentences("test")[:20], None)
    found = errors_of(counted)
    counts = np.array(counted["counts"])
    assert found.n == counts.sum() and found.wrong == len(found.errors) == counts.sum() - counts.trace()
    assert [error.confidence for error in found.errors] == sorted(
        (e.confidence for e in found.errors), reverse=True
    )
    assert all(error.length and error.marked and error.label != error.answer for error in found.errors)
    counted["examples"] = {kind.replace("\t", ">"): some for kind, some in counted["examples"].items()}
    assert errors_of(counted) == found, "as presets have it"
    few = errors_of(confusions(random_tagger, made_sentences("test")[:20]))
    assert few.wrong == found.wrong and len(few.errors) <= len(found.errors)


def test_lines_of_the_held_out_text_by_their_surprise(
    writer_presets: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    text = Path((writer_presets / "text.path").read_text(encoding="utf-8"))
    monkeypatch.setattr("apps.writer.sources._known_source", lambda data: text_source([text]))
    with shipping(writer_presets):
        writer = Writer.from_preset(WRITER)
    found = errors.writer(WRITER, writer)
    rows = [dict(zip(found["columns"], row, strict=True)) for row in found["rows"]]
    assert rows and found["wrong"] == len(rows) <= errors._LINES
    assert [row["nats"] for row in rows] == sorted((row["nats"] for row in rows), reverse=True)
    for row in rows[:10]:
        line = row["before"] + row["marked"] + row["after"]
        assert line in writer.learned.held_out and len(line) == row["length"]
        assert row["speaker"] in ("ANNA", "BEN", "Second Miller", "OMAR")
    few = {name: robustness.WORSE_TEXTS[name] for name in ("clean", "upper")}
    monkeypatch.setattr(robustness, "WORSE_TEXTS", few)
    rows = robustness.writer_rows(writer, writer.learned.held_out, {"web": "a king of\n"}, 1)
    assert rows["clean"]["n"] == len(writer.learned.held_out) and rows["web"]["n"] == 10
    nats = writer.score(writer.learned.held_out, unknown="map").nats_per_character
    assert (
        rows["clean"]["score"] == pytest.approx(nats, rel=1e-4)
        and rows["upper"]["score"] != rows["clean"]["score"]
    )

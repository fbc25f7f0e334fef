"""The benchmarks of classifiers of documents, on made reviews, and the tables made of their results."""

from __future__ import annotations

import importlib.util
import json
from pathlib import Path
from types import SimpleNamespace

import numpy as np
import pytest

import apps.shared.reports
from apps.reviews.reports import NETWORKS, PEERS, SCORES
from apps.reviews.sources import sample_source
from apps.reviews.stages import ReviewsAnswers
from apps.shared.reports import Stored
from apps.shared.transfer import EMBEDDINGS, REVIEWS, by_share
from benchmarks import harness, reviews_networks, transfer_reviews
from benchmarks.peers import compared, fasttext, fasttext_line, labels_of, tfidf
from benchmarks.transfer_reviews import ReviewsTransferSettings, documents_of
from data_prep.errors import InputError
from data_prep.text.embeddings import WordVectors
from models.training.driver import Trained
from tests.apps.reviews_presets import save_reviews, small_reviews


@pytest.fixture(autouse=True)
def results(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setattr(apps.shared.reports, "RESULTS_DIR", tmp_path)
    monkeypatch.setattr("models.presets.search.PRESETS_DIR", tmp_path / "presets")
    return tmp_path


@pytest.fixture(scope="module")
def source():
    return sample_source()


@pytest.fixture
def trainings(monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """Networks are not trained: each is the small one; the runs are listed."""
    runs: list[str] = []

    def train(task, recipe, source, run):  # type: ignore[no-untyped-def]
        runs.append(f"{run.folder.name} {recipe.members[0].epochs}")
        validation = np.arange(0, len(source.train), 9)
        return Trained(ReviewsAnswers(small_reviews(), 400, validation), {"": SimpleNamespace(seconds=60.0)})

    monkeypatch.setattr("models.training.driver.train", train)
    return runs


def test_networks_are_trained_once_and_reported(trainings, source, results: Path, capsys) -> None:
    recipes = reviews_networks.recipes_of(
        ["mean", "lstm"], ["epochs=1", "mean.dimensions=4", "lstm.epochs=3"], sample=True
    )
    assert recipes["mean"].members[0].dimensions == 4 != recipes["lstm"].members[0].dimensions
    runs = results / "runs"
    found = reviews_networks.run(source, runs, recipes)
    found["settings"]["threads"] = 1
    one = found["networks"]["mean"]
    assert one["n"] == len(source.test) and 0 <= one["accuracy"] <= 100 and one["parameters"] > 0
    assert reviews_networks.run(source, runs, recipes)["networks"] == found["networks"]
    assert trainings == ["mean 1", "lstm 3"] and not (runs / "mean").exists()
    with pytest.raises(InputError, match="another recipe"):
        changed = reviews_networks.recipes_of(["mean"], ["epochs=2"], sample=True)
        reviews_networks.run(source, runs, changed)
    assert "Not measured" in NETWORKS.markdown()
    (results / "reviews_networks.json").write_text(json.dumps(found))
    assert NETWORKS.read().lines[0].label == "Mean of vectors"
    assert f"| {one['accuracy']:.2f} |" in NETWORKS.markdown()
    harness.print_report(NETWORKS.report(Stored("reviews_networks.json", found)))
    assert "Mean of vectors" in capsys.readouterr().out


def test_word_vectors_are_compared_on_the_same_documents(source, results: Path) -> None:
    documents = documents_of(source.train, 100)
    assert len(documents.scored) == 100 and not set(documents.scored) & set(documents.learned)
    settings = ReviewsTransferSettings(shares=(50.0,), epochs=(2,), seeds=1, network="mean", batch_size=64)
    names = documents.vocabulary.entries[:40]
    vectors = WordVectors(names, np.random.default_rng(0).standard_normal((40, 4)).astype(np.float32))
    found = transfer_reviews.run(settings, documents, vectors, "drawn")
    assert [cell["embedding"] for cell in found["cells"]] == list(EMBEDDINGS)
    assert {cell["documents"] for cell in found["cells"]} == {round(len(documents.learned) / 2)}
    assert "Not measured" in REVIEWS.markdown(by_share)
    (results / "embedding_transfer_reviews.json").write_text(json.dumps(found))
    assert REVIEWS.read().lines[0].row["n"] == 100 and "word2vec, frozen" in REVIEWS.markdown(by_share)
    with pytest.raises(InputError, match="scored does not fit"):
        documents_of(source.train, len(source.train))


def test_only_words_with_evidence_have_a_row_of_their_own(source) -> None:
    documents = documents_of(source.train, 100)
    chosen = documents.learned.tolist()[:20]
    met = np.concatenate([documents.ids[at] for at in chosen])
    unmet = next(at for at in range(3, len(documents.vocabulary)) if at not in met)
    name = documents.vocabulary.decode([unmet])[0]
    vectors = WordVectors([name, "zzz"], np.eye(2, dtype=np.float32))
    for embedding, own in (("random", False), ("frozen", True)):
        rows, entries = transfer_reviews._rows(documents, chosen, vectors, embedding)
        assert (rows[unmet] != 1, name in entries) == (own, own)
        assert entries[rows[unmet]] == (name if own else "<unk>")
    start = transfer_reviews._start(["<pad>", "<unk>", name], vectors, "frozen", 1)
    np.testing.assert_array_equal(start[2], [1.0, 0.0])


def test_systems_are_scored_on_the_same_documents(results: Path) -> None:
    texts = ["a good film", "a dull film", "good, warm", "zzz"] * 10
    labels = np.array([1, 0, 1, 0] * 10)

    def score(found) -> dict[str, float]:
        return {"accuracy": 100.0 * float((np.asarray(found) == labels).mean())}

    own = labels_of(small_reviews(), texts)
    assert own[:4] == [1, 0, 1, -1] and score(own) == {"accuracy": 75.0}
    found = compared({"scikit-learn": tfidf}, (texts, labels), texts, score)
    assert found["scikit-learn"]["accuracy"] == 100.0
    assert fasttext_line("Well,<br />it's GOOD.") == "well , it ' s good .\n"
    systems = {"lectern": score(own) | {"training_seconds": 1.0}, **found}
    assert "Not measured" in PEERS.markdown()
    measured = {"settings": {"threads": 1, "processor": "one"}, "systems": systems}
    (results / "reviews_peers.json").write_text(json.dumps(measured))
    assert "| Lectern | 75.00 | 1 |" in PEERS.markdown()
    assert "| TF-IDF + logistic regression | 100.00 |" in PEERS.markdown()


@pytest.mark.skipif(importlib.util.find_spec("fasttext") is None, reason="fastText is not installed")
def test_fasttext_learns() -> None:
    texts, labels = ["a good film", "a dull film"] * 20, np.array([1, 0] * 20)
    assert fasttext(texts, labels, threads=1)(texts[:2]).shape == (2,)


def test_shipped_presets_have_a_table(results: Path) -> None:
    assert "Not measured" in SCORES.markdown()
    score = {
        "score": 92.345,
        "standard_error": 0.17,
        "n": 25000,
        "protocol": "test half; x",
        "published": {"y": 9.0},
    }
    calibration = {"score": 1.2, "protocol": "ece", "n": 25000}
    save_reviews(
        results / "presets" / "reviews_imdb", metrics={"accuracy": score, "calibration_error": calibration}
    )
    assert "| `reviews_imdb`: test half | 92.34 | 0.17 | 25,000 | 1.20 % | y 9.00 |" in SCORES.markdown()


def test_what_is_not_trained_now_stays_stored(
    trainings, source, results: Path, monkeypatch: pytest.MonkeyPatch, capsys
) -> None:
    monkeypatch.setattr(reviews_networks, "named_source", lambda name: source)
    options = ["--set", "epochs=1", "--runs", str(results / "runs"), "--store"]
    for network in ("mean", "lstm"):
        assert reviews_networks.main(["--networks", network, *options]) == 0
    assert list(json.loads((results / "reviews_networks.json").read_text())["networks"]) == ["mean", "lstm"]
    assert reviews_networks.main(["--networks", "lstm", "--sample", *options]) == 2
    assert "made-up data are not stored" in capsys.readouterr().err

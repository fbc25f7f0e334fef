"""The tagger's benchmarks: what they feed and count, and the tables made of their results."""

from __future__ import annotations

import json
from functools import partial
from pathlib import Path

import numpy as np
import pytest

import apps.shared.reports
from apps.shared.reports import Stored
from apps.shared.transfer import TAGS, by_share
from apps.tagger.reports import PEERS, SCORES
from benchmarks import peers
from benchmarks.peers import accuracy, compared, crfsuite, perceptron, spacy_tagger, word_features
from benchmarks.transfer import draw
from benchmarks.transfer_tags import TransferSettings, one_run
from data_prep.errors import InputError
from data_prep.text.embeddings import WordVectors
from data_prep.text.made_texts import made_sentences

GOLD = [(["Dogs", "bark", "."], ["NOUN", "VERB", "PUNCT"]), (["Cats", "sleep"], ["NOUN", "VERB"])] * 8


def test_accuracy_counts_words_not_sentences() -> None:
    assert accuracy([["A", "B", "C"], ["A"]], [["A", "B", "X"], ["A"]]) == 75.0


def test_crf_features_name_the_word_and_its_neighbours() -> None:
    first, second = word_features(["Dogs", "bark"])
    assert {"bias", "w=dogs", "s2=gs", "title=True", "BOS", "+1:w=bark"} <= set(first)
    assert {"w=bark", "-1:w=dogs", "EOS"} <= set(second)
    assert word_features([]) == []


def test_every_peer_learns_and_is_scored(capsys: pytest.CaptureFixture[str]) -> None:
    words, tags = map(list, zip(*GOLD, strict=True))
    learn = {
        "spacy": partial(spacy_tagger, dev=(words, tags), epochs=6),
        "python-crfsuite": partial(crfsuite, describe=word_features, iterations=20),
        "nltk": perceptron,
        "no-such-package": perceptron,
    }
    found = compared(learn, (words, tags), words, lambda answers: {"upos_accuracy": accuracy(tags, answers)})
    assert list(found) == ["spacy", "python-crfsuite", "nltk"]
    assert all(one["upos_accuracy"] > 60.0 and one["training_seconds"] > 0 and one["version"] for one in found.values())
    assert found["nltk"]["upos_accuracy"] == 100.0
    assert "no-such-package is not installed: left out" in capsys.readouterr().err


def test_spacy_keeps_the_epoch_that_is_best_on_dev(monkeypatch: pytest.MonkeyPatch) -> None:
    words, tags = map(list, zip(*GOLD, strict=True))
    scores, answers = iter([50.0, 90.0, 10.0]), []

    def score(gold: object, found: list[list[str]]) -> float:
        answers.append(found)
        return next(scores)

    monkeypatch.setattr(peers, "accuracy", score)
    dev = ([["bark", "Cats"], ["sleep", ".", "Dogs"]], [])
    answer = spacy_tagger(words, tags, dev=dev, epochs=3)
    assert answer(dev[0]) == answers[1]


def test_draws_are_seeded_and_nested() -> None:
    sentences = list(range(1000))
    assert draw(sentences, 1.0, 1) == draw(sentences, 10.0, 1)[:10]
    assert draw(sentences, 10.0, 1) != draw(sentences, 10.0, 2)
    assert sorted(draw(sentences, 100.0, 1)) == sentences
    assert len(draw(sentences, 0.001, 1)) == 1


@pytest.mark.slow
@pytest.mark.parametrize("embedding", ["random", "frozen", "fine_tuned"])
def test_every_start_of_the_embeddings_learns(embedding: str) -> None:
    train, dev = made_sentences("train"), made_sentences("dev")
    keys = sorted({form.lower() for sentence in train for form in sentence.forms})[::2]
    vectors = WordVectors(keys, np.random.default_rng(1).normal(size=(len(keys), 8)).astype(np.float32))
    found = one_run(train, dev, vectors, embedding, 8, 1, TransferSettings(units=16, learning_rate=0.02))
    assert found["mean"] > 80.0


def test_tables_say_what_to_run_and_then_what_was_measured(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.setattr(apps.shared.reports, "RESULTS_DIR", tmp_path)
    monkeypatch.setattr("models.presets.search.PRESETS_DIR", tmp_path)
    for written in (SCORES.markdown(), PEERS.markdown(), TAGS.markdown(by_share)):
        assert written.startswith("_Not measured yet: ")
    one = {"upos_accuracy": 97.0, "training_seconds": 1600}
    values = {"settings": {"threads": 1, "processor": "a processor"}, "systems": {"lectern": one, "spacy": one}}
    (tmp_path / "tagger_peers.json").write_text(json.dumps(values))
    assert "| Lectern | 97.00 | 1,600 |" in PEERS.markdown() and "| spaCy CNN | 97.00 |" in PEERS.markdown()
    assert "threads: 1; a processor." in PEERS.markdown()
    cell = {"sentences": 125, "mean": 80.5, "deviation": 1.25, "unknown_mean": 60.0, "seeds": 3}
    means = {"random": 80.5, "frozen": 84.03, "fine_tuned": 84.04}  # two deviations of a difference are 3.5355
    cells = [
        {"embedding": name, "share": share, **cell, "mean": mean}
        for name, mean in means.items()
        for share in (1.0, 100.0)
    ]
    (tmp_path / "embedding_transfer_tags.json").write_text(json.dumps({"cells": cells}))
    table = TAGS.markdown(by_share)
    assert "| embeddings | 1 % (125 sentences) | new words | 100 % (125 sentences) | new words |" in table
    assert "| random | 80.50 ± 1.25 | 60.00 | 80.50 ± 1.25 | 60.00 |" in table
    within, beyond = "84.03 ± 1.25 (≈ +3.53) | 60.00", "84.04 ± 1.25 (+3.54) | 60.00"
    assert f"| word2vec, frozen | {within} | {within} |" in table
    assert f"| word2vec, fine-tuned | {beyond} | {beyond} |" in table


def test_scores_of_the_preset_make_a_table(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    published = {"Stanza 1.0": 96.35, "Stanza 1.5": 97.25}
    upos = {"score": 97.125, "standard_error": 0.1, "n": 25094, "published": published}
    metrics = {"upos": upos, "xpos": {"score": None, "n": 0}}
    values = {"preset": "tagger_en_ewt", "metrics": metrics, "config": {"output": "softmax"}}
    values["metadata"] = {"seconds": 90.0, "processor": "a processor"}
    stored = Stored("of tagger_en_ewt", values)
    monkeypatch.setattr(apps.shared.reports, "RESULTS_DIR", tmp_path)
    table = SCORES.report(stored).markdown()
    others = "Stanza 1.0 96.35 (published), Stanza 1.5 97.25 (published)"
    assert f"| universal tags, gold tokens | 97.12 | 0.10 | 25,094 | {others} |" in table
    assert "| XPOS tags, gold tokens | – | – | 0 | – |" in table
    one = {"upos_accuracy": 94.5, "training_seconds": 600}
    values = {"settings": {"threads": 1, "processor": "a processor"}, "systems": {"lectern": one, "spacy": one}}
    (tmp_path / "tagger_peers.json").write_text(json.dumps(values))
    assert f"| 25,094 | {others}, spaCy CNN 94.50 |" in SCORES.report(stored).markdown()
    upos["published"] = {}  # of another treebank, whose words they did not tag
    assert "| 25,094 | – |" in SCORES.report(stored).markdown()
    assert table.endswith("Trained in 1.5 minutes on a processor; output: softmax.")


@pytest.mark.parametrize("name", ["tagger_peers", "embedding_transfer_tags"])
def test_damaged_results_are_named(name: str, monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setattr(apps.shared.reports, "RESULTS_DIR", tmp_path)
    (tmp_path / f"{name}.json").write_text("{}")
    with pytest.raises(InputError, match=rf"{name}.json lack (systems|cells).*Run it again"):
        (PEERS if name == "tagger_peers" else TAGS).read()

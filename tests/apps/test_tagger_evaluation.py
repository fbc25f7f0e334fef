from __future__ import annotations

import json
from dataclasses import replace
from types import SimpleNamespace

import numpy as np
import pytest

from apps.shared.measures import checksums_of
from apps.tagger.application import Segmenter, Tagger
from apps.tagger.evaluation import confusions, metrics_of, score
from apps.tagger.results import Accuracy
from apps.tagger.sources import scored_sentences
from data_prep.errors import InputError
from data_prep.readers.conllu import Word, plain_sentence
from models.presets.card import check_metrics
from tests.treebanks import write_conllu

LABELS = ("NOUN", "VERB", "PUNCT", "X")


class Oracle:
    """Knows the tag of every word by heart, and is as sure as it is told to be."""

    upos, xpos, config = LABELS, ("NN", "."), None
    column, tags = "upos", LABELS

    def __init__(self, tags: dict[str, str], probability: float) -> None:
        self.known, self.probability = tags, probability

    def predict(self, sentences):
        words = [word for sentence in sentences for word in sentence]
        ids = np.array([LABELS.index(self.known.get(word, "X")) for word in words])
        probabilities = np.full((len(words), len(LABELS)), (1 - self.probability) / (len(LABELS) - 1))
        probabilities[np.arange(len(words)), ids] = self.probability
        return SimpleNamespace(
            probabilities=probabilities,
            upos=ids,
            xpos=np.array([int(word == ".") for word in words]),
            unknown=np.array([word not in self.known for word in words], bool),
        )


def sentence(text: str, *tags: str):
    words, at = [], 0
    for form, tag in zip(text.split(), tags, strict=True):
        start = text.index(form, at)
        at = start + len(form)
        words.append(Word(form, tag, "." if tag == "PUNCT" else "NN", start, at))
    return plain_sentence(text, words)


@pytest.fixture
def treebank():
    return [
        sentence("Dogs bark .", "NOUN", "VERB", "PUNCT"),
        sentence("Cats bark loudly .", "NOUN", "NOUN", "X", "PUNCT"),
    ]


@pytest.fixture
def oracle() -> Tagger:
    from data_prep.text.segmentation_rules import segment_by_rules

    tags = {"Dogs": "NOUN", "Cats": "NOUN", "bark": "VERB", ".": "PUNCT"}
    rules = object.__new__(Segmenter)
    rules.segment, rules.metadata = segment_by_rules, {}
    return Tagger(Oracle(tags, 0.8), rules)


def test_scores_on_gold_tokens_and_from_raw_text(oracle: Tagger, treebank) -> None:
    seen = []
    found = score(oracle, treebank, progress=lambda done, total: seen.append((done, total)))
    assert found.upos == Accuracy(6, 7)
    assert found.xpos == Accuracy(7, 7)
    assert found.unknown_words == Accuracy(1, 1)
    assert found.calibration_error == pytest.approx(abs(0.8 - 6 / 7))
    raw = found.raw_text
    assert (raw.words_f1, raw.sentences_f1) == (100.0, 100.0)
    assert raw.upos_f1 == pytest.approx(100 * 6 / 7)
    assert seen[-1] == (4, 4) and seen == sorted(seen)
    values = found.to_dict()
    assert list(values) == ["gold_tokens", "raw_text"]
    assert values["gold_tokens"]["unknown_words"] == {"accuracy": 100.0, "n": 1}
    assert list(values["gold_tokens"]) == ["upos", "xpos", "unknown_words"]
    assert list(values["raw_text"]) == ["words_f1", "sentences_f1", "upos_f1", "xpos_f1"]


def test_a_tagger_without_universal_tags_is_scored_by_its_own(oracle: Tagger, treebank) -> None:
    found = score(oracle, treebank)
    bare = replace(found, raw_text=replace(found.raw_text, upos_f1=None))
    assert [row[0] for row in bare.table_rows()][2] == "XPOS, words never seen in training"
    assert [row[0] for row in found.table_rows()][2] == "UPOS, words never seen in training"


def test_words_without_penn_tags_do_not_count(oracle: Tagger, treebank) -> None:
    words = tuple(replace(word, xpos="_") for word in treebank[0].words)
    assert score(oracle, [replace(treebank[0], words=words)]).xpos == Accuracy(0, 0)
    assert Accuracy(0, 0).to_dict() == {"accuracy": None, "n": 0}


def test_a_file_is_scored_and_an_untagged_one_refused(oracle: Tagger, treebank, tmp_path) -> None:
    write_conllu(treebank, tmp_path / "gold.conllu")
    assert oracle.evaluate(tmp_path / "gold.conllu").upos == Accuracy(6, 7)
    whole = oracle.segmenter.evaluate(tmp_path / "gold.conllu")
    assert (whole.words, whole.words_f1) == (7, 100.0)
    untagged = [[("_", "_") for _ in one.words] for one in treebank]
    write_conllu(treebank, tmp_path / "bare.conllu", untagged)
    with pytest.raises(InputError, match="unknown UPOS tag"):
        oracle.evaluate(tmp_path / "bare.conllu")


def test_a_part_that_nothing_was_held_out_of_is_scored_whole(tmp_path) -> None:
    learned, dev = tmp_path / "tb.conllu", tmp_path / "dev" / "tb.conllu"
    dev.parent.mkdir()
    write_conllu([sentence(f"Dogs{at} bark .", "NOUN", "VERB", "PUNCT") for at in range(40)], learned)
    write_conllu([sentence(f"Cats{at} bark .", "NOUN", "VERB", "PUNCT") for at in range(40)], dev)
    data = checksums_of(learned, dev)
    assert list(data) == ["tb.conllu", "tb.conllu (2)"]
    metadata = {"data": data, "held_out": ["test"], "seed": 1}
    assert len(scored_sentences(dev, metadata, True)) == 40 > 8 > len(scored_sentences(learned, metadata, True))


def test_confusions_count_and_quote(oracle: Tagger, treebank) -> None:
    found = confusions(oracle, treebank)
    assert found["labels"] == list(LABELS)
    assert found["counts"][LABELS.index("NOUN")] == [2, 1, 0, 0]
    assert list(found["examples"]) == ["NOUN\tVERB"]
    (example,) = found["examples"]["NOUN\tVERB"]
    assert (example["before"], example["word"], example["after"]) == ("Cats ", "bark", " loudly .")
    assert (example["probability"], example["unknown"]) == (0.8, False)
    assert (np.trace(found["counts"]), np.sum(found["counts"])) == (6, 7)
    assert found["followers"][0][LABELS.index("NOUN")] == 2  # both sentences begin with a noun
    assert found["followers"][1 + LABELS.index("PUNCT")][len(LABELS)] == 2  # and end with a full stop


def test_long_sentences_are_quoted_in_part(oracle: Tagger) -> None:
    long = sentence(" ".join(["Dogs"] * 50), *["NOUN"] * 24, "VERB", *["NOUN"] * 25)
    (example,) = confusions(oracle, [long])["examples"]["VERB\tNOUN"]
    assert example["before"] == "…" + "Dogs " * 20
    assert example["after"] == " Dogs" * 20 + "…"


def test_metrics_of_a_preset_have_score_protocol_and_number(oracle: Tagger, treebank) -> None:
    tagged = confusions(oracle, treebank)
    published = {"one": 90.0, "other": 95.0}
    result = score(oracle, treebank)
    source = SimpleNamespace(trained_on="the training part", published=published)
    metrics = metrics_of(result, tagged, source)
    check_metrics(metrics)
    assert metrics["upos"]["baseline"] == 95.0 and metrics["upos"]["published"] == published
    source.published = {}
    assert metrics_of(result, tagged, source)["upos"]["baseline"] is None
    assert metrics["upos"]["score"] == pytest.approx(100 * 6 / 7)
    assert metrics["upos"]["standard_error"] == pytest.approx(100 * (6 / 49 / 7) ** 0.5)
    assert len(metrics["calibration_error"]["bins"]) == 15
    assert metrics["upos_dev"]["confusions"] == tagged
    assert metrics["upos_dev"]["score"] == pytest.approx(100 * 6 / 7)
    assert json.loads(json.dumps(metrics)) == metrics

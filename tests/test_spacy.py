"""The tagger in a pipeline of spaCy: sentences and tags on spaCy's own tokens, in batches, saved and loaded."""

from __future__ import annotations

import pickle
import subprocess
import sys
from pathlib import Path

import pytest
import spacy

import lectern.spacy  # noqa: F401  (where Lectern is installed, its entry point does this)
from apps.tagger.application import Tagger
from data_prep.errors import InputError

ROOT = Path(__file__).resolve().parents[1]
TEXT = "Dogs bark.  They can't sleep (really)!\n\nMr. Smith doesn't mind."


@pytest.fixture(scope="module")
def nlp() -> spacy.language.Language:
    pipeline = spacy.blank("en")
    pipeline.add_pipe("lectern_tagger")
    return pipeline


def test_words_and_sentences_are_tagged(nlp) -> None:
    doc = nlp(TEXT)
    assert [(token.text, token.pos_, token.tag_) for token in doc][:5] == [
        ("Dogs", "NOUN", "NNS"), ("bark", "VERB", "VBP"), (".", "PUNCT", "."), (" ", "SPACE", "_SP"),
        ("They", "PRON", "PRP"),
    ]  # fmt: skip
    assert [str(sentence).strip() for sentence in doc.sents] == [
        "Dogs bark.", "They can't sleep (really)!", "Mr. Smith doesn't mind.",
    ]  # fmt: skip
    assert doc.has_annotation("SENT_START")
    assert [token.is_sent_start for token in nlp("  Hello there.")] == [True, False, False, False]
    assert all(token.pos_ and token.tag_ for token in doc)


def test_spacy_keeps_its_own_tokens(nlp) -> None:
    doc = nlp(TEXT)
    assert [token.text for token in doc] == [token.text for token in spacy.blank("en")(TEXT)]
    (first, *_) = Tagger.from_preset().tag_tokens([["Dogs", "bark", "."]])
    assert [token.pos_ for token in doc[:3]] == [token.upos for token in first.tokens]


def test_many_documents_are_tagged_as_one_by_one(nlp) -> None:
    texts = [TEXT, "", " \n", "One word", *[f"Sentence {number} is short." for number in range(5)]]
    together = list(nlp.pipe(texts, batch_size=4))
    for text, doc in zip(texts, together, strict=True):
        assert doc.text == text
        assert [token.pos_ for token in doc] == [token.pos_ for token in nlp(text)]


def test_given_sentences_are_kept() -> None:
    pipeline = spacy.blank("en")
    pipeline.add_pipe("sentencizer")
    pipeline.add_pipe("lectern_tagger", config={"sentences": False})
    doc = pipeline("Mr. Smith sleeps.")
    assert len(list(doc.sents)) == len(list(spacy_sentences("Mr. Smith sleeps.")))
    assert doc[1].pos_ == "PROPN"


def spacy_sentences(text: str):
    pipeline = spacy.blank("en")
    pipeline.add_pipe("sentencizer")
    return pipeline(text).sents


def test_a_pipeline_is_saved_and_loaded(nlp, tmp_path: Path) -> None:
    nlp.to_disk(tmp_path / "pipeline")
    wanted = [token.pos_ for token in nlp(TEXT)]
    copy = pickle.loads(pickle.dumps(nlp.get_pipe("lectern_tagger")))
    for loaded in (spacy.load(tmp_path / "pipeline"), spacy.blank("en").from_config(nlp.config)):
        loaded.from_bytes(nlp.to_bytes())
        assert [token.pos_ for token in loaded(TEXT)] == wanted
    assert [token.pos_ for token in copy(spacy.blank("en")(TEXT))] == wanted


def test_a_preset_that_is_not_there_is_named() -> None:
    with pytest.raises(InputError, match="There is no preset of this name"):
        spacy.blank("en").add_pipe("lectern_tagger", config={"preset": "tagger_de"})


def test_the_missing_extra_is_named() -> None:
    code = "import sys; sys.modules['spacy'] = None; import lectern.spacy"
    done = subprocess.run([sys.executable, "-c", code], cwd=ROOT, capture_output=True, text=True, check=False)
    assert done.stderr.endswith("ImportError: lectern.spacy needs spaCy; in the checkout: pip install '.[spacy]'\n")

"""What commands measured and stored about taggers: scores of a preset, and speed beside other taggers."""

from __future__ import annotations

from apps.shared.reports import DASH, Stored
from apps.shared.tables import BLANK, Column, Rows, Table

SYSTEMS = {
    "lectern": "Lectern",
    "spacy": "spaCy CNN",
    "python-crfsuite": "CRFsuite",
    "nltk": "NLTK perceptron",
}
MEASURES = {
    "upos": "universal tags, gold tokens",
    "upos_unknown_words": "the same, words never seen in training",
    "xpos": "Penn tags, gold tokens",
    "raw_words_f1": "words from raw text, F1",
    "raw_sentences_f1": "sentences from raw text, F1",
    "raw_upos_f1": "universal tags from raw text, F1",
    "raw_xpos_f1": "Penn tags from raw text, F1",
    "calibration_error": "expected calibration error",
}
_WORDS, _SENTENCE = Column("words/s", "words_per_second", ",.0f"), Column("", "one_sentence_ms", ".2f")


def _spacy_ratio(row: Stored) -> float | None:
    spacy = row.get(".systems.spacy.words_per_second")
    return row["words_per_second"] / spacy if spacy else None


SPEED = Table(
    "tagger_speed",
    "python -m benchmarks.tagger_speed --store",
    "tagger",
    (
        Column("words/s", "words_per_second", ",.0f", "words a second, in a batch"),
        Column("speed / spaCy", _spacy_ratio, ".2f"),
        Column("one sentence, ms", "one_sentence_ms", ".2f", "milliseconds for one sentence"),
        Column("UPOS, %", "upos_accuracy", ".2f", "% of the test part's words right"),
        Column("training, s", "training_seconds", ",.0f"),
    ),
    (
        Rows("systems.*", names=(SYSTEMS,)),
        Rows("systems.lectern.raw_text", "Lectern, from raw text", columns=(_WORDS, BLANK, _SENTENCE)),
    ),
    "All trained on the same sentences and held to {settings.cores} core(s) of {settings.processor}; spaCy, CRFsuite "
    "and NLTK use one of them. The first row gives tags and their probabilities for given words, the last one is the "
    "whole application, segmentation included.",
)


def _others(row: Stored) -> str:
    """Name what other systems reach: published, and for universal tags by the last run of the speed benchmark."""
    found = [f"{system} {value:.2f} (published)" for system, value in row.get("published", {}).items()]
    speed = SPEED.read() if row.path == "metrics.upos" else None
    for line in speed.lines if speed else ():
        if line.label in SYSTEMS.values() and line.label != SYSTEMS["lectern"]:
            found.append(line.row.text("{0} {upos_accuracy:.2f}", line.label))
    return ", ".join(found) or DASH


SCORES = Table(
    "pos_tagger",
    "python -m apps tagger fit",
    "test part of UD English EWT",
    (
        Column("%", "score", ".2f"),
        Column("standard error", "standard_error", ".2f", optional=True),
        Column("words", "n", ","),
        Column("others, %", _others),
    ),
    (Rows("metrics.*", "{1}", ({}, MEASURES)),),
    "Trained in {metadata.seconds/60:.1f} minutes on {metadata.processor}; output: {config.output}.",
    presets=("tagger_en_ewt",),
)

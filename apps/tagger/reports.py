"""What commands measured and stored about taggers: scores of a preset, and those of other taggers."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np

from apps.shared.errors import Error, Errors
from apps.shared.language import N_
from apps.shared.reports import DASH, Stored
from apps.shared.tables import Column, Rows, Table

SYSTEMS = {
    "lectern": "Lectern",
    "spacy": "spaCy CNN",
    "python-crfsuite": "CRFsuite",
    "nltk": "NLTK perceptron",
}
MEASURES = {
    "upos": N_("universal tags, gold tokens"),
    "upos_unknown_words": N_("the same, words never seen in training"),
    "xpos": N_("XPOS tags, gold tokens"),
    "raw_words_f1": N_("words from raw text, F1"),
    "raw_sentences_f1": N_("sentences from raw text, F1"),
    "raw_upos_f1": N_("universal tags from raw text, F1"),
    "raw_xpos_f1": N_("XPOS tags from raw text, F1"),
    "calibration_error": N_("expected calibration error"),
}
PEERS = Table(
    "tagger_peers",
    "python -m benchmarks.peers --task tagger --store",
    "tagger",
    (
        Column("UPOS, %", "upos_accuracy", ".2f", "% of the test part's words right"),
        Column("training, s", "training_seconds", ",.0f", "seconds of training"),
    ),
    (Rows("systems.*", names=(SYSTEMS,)),),
    "All trained on the same sentences; threads: {settings.threads}; {settings.processor}. Lectern's seconds are "
    "those of its preset.",
)


def _others(row: Stored) -> str:
    """Name what other systems reach on the same words: published, and in the last run of ``benchmarks.peers``."""
    found = [f"{system} {value:.2f} (published)" for system, value in row.get("published", {}).items()]
    peers = PEERS.read() if row.path == "metrics.upos" and row.get("published") else None
    for line in peers.lines if peers else ():
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


def pair_of(kind: str) -> tuple[str, str]:
    """Return gold tag and answer of a kind of error; shipped presets have ">" between the two, which tags can hold."""
    gold, answer = kind.split("\t" if "\t" in kind else ">")
    return gold, answer


def errors_of(confusions: Mapping[str, Any]) -> Errors:
    """Turn what ``apps.tagger.evaluation.confusions`` counted and kept into errors, the most confident first."""
    counts = np.array(confusions["counts"])
    found = [
        Error(
            *pair_of(kind),
            one["probability"],
            length=one.get("words"),
            seen=not one["unknown"],
            before=one["before"],
            marked=one["word"],
            after=one["after"],
        )
        for kind, examples in confusions["examples"].items()
        for one in examples
    ]
    found.sort(key=lambda error: -error.confidence)
    return Errors(int(counts.sum()), int(counts.sum() - counts.trace()), tuple(found))

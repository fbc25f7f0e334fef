"""What commands measured and stored about taggers: a preset's scores, the speed table, the transfer table."""

from __future__ import annotations

import dataclasses
from collections.abc import Mapping
from typing import Any

from apps.shared.calibration import ReliabilityBin
from apps.shared.reports import benchmark_results, stored_facts
from apps.shared.results import Result
from apps.tagger.evaluation import confusions_from
from apps.tagger.results import Confusions
from data_prep.errors import InputError

KIND = "pos_tagger"
SCORES = {
    "upos": "universal tags, gold tokens",
    "upos_unknown_words": "the same, words never seen in training",
    "xpos": "Penn tags, gold tokens",
    "raw_words_f1": "words from raw text, F1",
    "raw_sentences_f1": "sentences from raw text, F1",
    "raw_upos_f1": "universal tags from raw text, F1",
    "raw_xpos_f1": "Penn tags from raw text, F1",
    "calibration_error": "expected calibration error",
}
SYSTEMS = {
    "lectern": "Lectern",
    "spacy": "spaCy CNN",
    "python-crfsuite": "CRFsuite",
    "nltk": "NLTK perceptron",
}
EMBEDDINGS = {
    "random": "random",
    "frozen": "word2vec, frozen",
    "fine_tuned": "word2vec, fine-tuned",
}


@dataclasses.dataclass(frozen=True, slots=True)
class TaggerScore(Result):
    """One measure in percent, its standard error, and over how many words; None where there is none.

    ``published`` is what the authors of other systems give for the same measure, percent.
    """

    score: float | None
    standard_error: float | None
    n: int
    published: dict[str, float] = dataclasses.field(default_factory=dict)


@dataclasses.dataclass(frozen=True, slots=True)
class TaggerScores(Result):
    """Scores of a preset, as its metrics.json holds them.

    Attributes:
        preset: Name of the preset.
        scores: Name of a measure of ``SCORES`` to its value, on the test part.
        bins: Reliability on the test part.
        confusions: On the dev part.
        seconds: How long training took.
        processor: What it ran on.
        output: ``"softmax"`` or ``"crf"``.
    """

    preset: str
    scores: dict[str, TaggerScore]
    bins: tuple[ReliabilityBin, ...]
    confusions: Confusions
    seconds: float
    processor: str
    output: str


def tagger_scores(preset: str) -> TaggerScores:
    """Read the stored scores of a tagger; its weights are checked but not opened.

    Args:
        preset: Name of a shipped preset, or a folder.

    Returns:
        The scores, as measured when the preset was made.

    Raises:
        InputError: There is no such preset, it is damaged, or it is another kind of preset.
    """
    path, metadata, metrics, config = stored_facts(preset, KIND)
    try:
        return TaggerScores(
            preset=preset,
            scores={name: _score(metrics[name]) for name in SCORES if name in metrics},
            bins=tuple(ReliabilityBin(**one) for one in metrics["calibration_error"]["bins"]),
            confusions=confusions_from(metrics["upos_dev"]["confusions"]),
            seconds=float(metadata["seconds"]),
            processor=str(metadata["processor"]),
            output=str(config["output"]),
        )
    except (KeyError, TypeError) as error:
        raise InputError(f"{path} does not hold the scores of a tagger ({error!r})") from error


@dataclasses.dataclass(frozen=True, slots=True)
class TaggerSpeed(Result):
    """One system of the speed benchmark.

    Attributes:
        system: Key of ``SYSTEMS``.
        words_per_second: In a batch.
        one_sentence_ms: Milliseconds for a sentence alone, median.
        upos_accuracy: On gold tokens of the test part, percent.
        training_seconds: How long training took.
    """

    system: str
    words_per_second: float
    one_sentence_ms: float
    upos_accuracy: float
    training_seconds: float


@dataclasses.dataclass(frozen=True, slots=True)
class SpeedReport(Result):
    """The last run of the speed benchmark.

    Attributes:
        systems: Ours first.
        cores: That every system was held to.
        processor: What it ran on.
        first_sentence_ms: Ours for the very first sentence: nothing is compiled for it.
        raw_words_per_second: Ours from raw text, segmentation included.
        raw_sentence_ms: Ours for a sentence of raw text.
    """

    systems: tuple[TaggerSpeed, ...]
    cores: int
    processor: str
    first_sentence_ms: float
    raw_words_per_second: float
    raw_sentence_ms: float


def speed_report() -> SpeedReport | None:
    """Read the speed benchmark.

    Returns:
        Its last run, or None where it has not run.

    Raises:
        InputError: The file of results is damaged.
    """
    found = benchmark_results("tagger_speed")
    if found is None:
        return None
    names = [field.name for field in dataclasses.fields(TaggerSpeed)][1:]
    try:
        systems = found["systems"]
        return SpeedReport(
            systems=tuple(
                TaggerSpeed(system, *(float(systems[system][name]) for name in names))
                for system in SYSTEMS
                if system in systems
            ),
            cores=int(found["settings"]["cores"]),
            processor=str(found["settings"]["processor"]),
            first_sentence_ms=float(systems["lectern"]["first_sentence_ms"]),
            raw_words_per_second=float(systems["lectern"]["raw_text"]["words_per_second"]),
            raw_sentence_ms=float(systems["lectern"]["raw_text"]["one_sentence_ms"]),
        )
    except (KeyError, TypeError) as error:
        raise InputError(
            f"The results of the speed benchmark lack {error!r}", remedy="Run it again"
        ) from error


@dataclasses.dataclass(frozen=True, slots=True)
class TransferCell(Result):
    """Accuracy of one start of the embeddings at one size of the training data, over the seeds.

    Attributes:
        embedding: Key of ``EMBEDDINGS``.
        share: Percent of the training sentences.
        sentences: How many those are.
        mean: Percent of the words tagged right, mean of the seeds.
        deviation: Sample standard deviation of the seeds.
        unknown_mean: Mean on words that are not in the training sentences used.
        seeds: How many.
    """

    embedding: str
    share: float
    sentences: int
    mean: float
    deviation: float
    unknown_mean: float
    seeds: int


def transfer_report() -> tuple[TransferCell, ...]:
    """Read the transfer benchmark for tags.

    Returns:
        Every cell of its table; nothing where it has not run.

    Raises:
        InputError: The file of results is damaged.
    """
    found = benchmark_results("embedding_transfer_tags")
    if found is None:
        return ()
    try:
        return tuple(TransferCell(**_cell(cell)) for cell in found["cells"])
    except (KeyError, TypeError) as error:
        raise InputError(
            f"The results of the transfer benchmark lack {error!r}", remedy="Run it again"
        ) from error


def _score(values: Mapping[str, Any]) -> TaggerScore:
    return TaggerScore(
        values["score"], values.get("standard_error"), int(values["n"]), dict(values.get("published", {}))
    )


def _cell(values: Mapping[str, Any]) -> dict[str, Any]:
    return {field.name: values[field.name] for field in dataclasses.fields(TransferCell)}

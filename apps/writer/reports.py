"""What commands measured and stored about the writer: the scores of a preset, and how fast it writes."""

from __future__ import annotations

import dataclasses
import math
from typing import Any

from apps.shared.reports import benchmark_results, stored_facts
from apps.shared.results import Result
from apps.writer.results import WriterEvaluation
from data_prep.errors import InputError

KIND = "char_lm"
CHAR_RNN_RESULTS = "writer_char_rnn"
_TOKENS = {"char": "characters", "word": "words", "piece": "word pieces"}


@dataclasses.dataclass(frozen=True, slots=True)
class WriterScores(Result):
    """Scores of a preset, as its metrics.json holds them.

    Attributes:
        preset: Name of the preset.
        nats: Loss on text that it did not learn from, nats a character.
        standard_error: Of it, as if characters were independent; None if it is not known.
        n: Characters that were scored.
        split: Row of ``data_prep.text.streams.SPLITS``.
        protocol: How it was scored, in a sentence.
        published: Other systems' nats on the same characters.
        shape: Layers, cell and units in words.
        parameters: Numbers that it learned.
        seconds: How long training took.
        processor: What it ran on.
    """

    preset: str
    nats: float
    standard_error: float | None
    n: int
    split: str
    protocol: str
    published: dict[str, float]
    shape: str
    parameters: int
    seconds: float
    processor: str

    @property
    def bits(self) -> float:
        """Loss in bits a character."""
        return self.nats / math.log(2.0)


def writer_scores(preset: str) -> WriterScores:
    """Read the stored scores of a writer; its weights are checked but not opened.

    Args:
        preset: Name of a shipped preset, or a folder.

    Returns:
        The scores, as measured when the preset was made.

    Raises:
        InputError: There is no such preset, it is damaged, or it is another kind of preset.
    """
    path, metadata, metrics, config = stored_facts(preset, KIND)
    try:
        loss = metrics["nats_per_character"]
        return WriterScores(
            preset=str(preset),
            nats=float(loss["score"]),
            standard_error=loss["standard_error"],
            n=int(loss["n"]),
            split=str(loss["split"]),
            protocol=str(loss["protocol"]),
            published=dict(loss.get("published", {})),
            shape=_shape(config),
            parameters=int(metadata["weights"]["parameters"]),
            seconds=float(metadata["seconds"]),
            processor=str(metadata["processor"]),
        )
    except (KeyError, TypeError) as error:
        raise InputError(f"{path} does not hold the scores of a writer ({error!r})") from error


@dataclasses.dataclass(frozen=True, slots=True)
class WritingSpeed(Result):
    """One loop of the generation benchmark: what it is called, and characters a second."""

    name: str
    characters_per_second: float


@dataclasses.dataclass(frozen=True, slots=True)
class GenerationReport(Result):
    """The last run of the generation benchmark.

    Attributes:
        systems: The fastest first.
        units: Of the one LSTM layer.
        cores: That every system was held to.
        processor: What it ran on.
        ratio: Our speed by PyTorch's best loop; None where PyTorch was not installed.
    """

    systems: tuple[WritingSpeed, ...]
    units: int
    cores: int
    processor: str
    ratio: float | None


def generation_report() -> GenerationReport | None:
    """Read the generation benchmark.

    Returns:
        Its last stored run, or None where it has not run.

    Raises:
        InputError: The file of results is damaged.
    """
    found = benchmark_results("generation")
    if found is None:
        return None
    try:
        settings = found["settings"]
        systems = [
            WritingSpeed(name, float(one["characters_per_second"])) for name, one in found["systems"].items()
        ]
        return GenerationReport(
            systems=tuple(sorted(systems, key=lambda one: -one.characters_per_second)),
            units=int(settings["units"]),
            cores=int(settings["cores"]),
            processor=str(settings["processor"]),
            ratio=found["ratio"],
        )
    except (KeyError, TypeError, AttributeError) as error:
        raise InputError(
            f"The results of the generation benchmark lack {error!r}", remedy="Run it again"
        ) from error


def char_rnn_score() -> WriterEvaluation | None:
    """Read the loss by char-rnn's split, of a writer that was trained for it.

    Returns:
        What ``python -m apps writer evaluate --json`` printed for that writer, or None where it is not stored.

    Raises:
        InputError: The file of results is damaged, or is that of another split.
    """
    found = benchmark_results(CHAR_RNN_RESULTS)
    if found is None:
        return None
    try:
        score = WriterEvaluation(
            float(found["nats_per_character"]), int(found["n"]), found["split"], None, ""
        )
    except (KeyError, TypeError) as error:
        raise InputError(
            f"The results {CHAR_RNN_RESULTS}.json lack {error!r}", remedy="Score it again"
        ) from error
    if score.split != "char_rnn":
        raise InputError(
            f"The results {CHAR_RNN_RESULTS}.json are those of another split",
            allowed="char_rnn",
            received=score.split,
        )
    return score


def _shape(config: dict[str, Any]) -> str:
    layers = "one layer" if config["layers"] == 1 else f"{config['layers']} layers"
    members = f"{config['members']} networks of " if config["members"] > 1 else ""
    return (
        f"{members}{layers} of {config['units']} {config['cell'].upper()} units, "
        f"reads {_TOKENS[config['tokenizer']]}"
    )

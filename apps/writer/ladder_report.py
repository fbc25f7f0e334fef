"""The loss ladder as the benchmark stored it, ready to show."""

from __future__ import annotations

import dataclasses
import math
from collections.abc import Mapping
from typing import Any

from apps.shared.reports import benchmark_results
from apps.shared.results import Result
from data_prep.errors import InputError

RESULTS_NAME = "loss_ladder"
NETWORKS = ("rnn", "mgu", "gru", "lstm")
TITLES = {
    "uniform": "every character equally likely",
    "unigram": "unigram",
    "bigram": "bigram, Kneser-Ney",
    "five_gram": "5-gram, Kneser-Ney",
    "rnn": "simple recurrent network",
    "mgu": "MGU",
    "gru": "GRU",
    "lstm": "LSTM",
    "shipped": "the shipped model",
}


@dataclasses.dataclass(frozen=True, slots=True)
class Rung(Result):
    """One model of the ladder.

    Attributes:
        name: Key of ``TITLES``.
        nats: Loss on the held-out text, nats a character.
        standard_error: Of it, as if characters were independent; None if it is not known.
        n: Characters that were scored.
        parameters: Numbers that the model keeps.
        seconds: How long counting or training took.
        units: Of a recurrent layer; None for models that count.
        sample: Text that it wrote behind the prompt.
    """

    name: str
    nats: float
    standard_error: float | None
    n: int
    parameters: int
    seconds: float
    units: int | None
    sample: str

    @property
    def title(self) -> str:
        """Its name for people."""
        return TITLES[self.name]

    @property
    def bits(self) -> float:
        """Loss in bits a character."""
        return self.nats / math.log(2.0)


@dataclasses.dataclass(frozen=True, slots=True)
class Gradient(Result):
    """How long the gradient of one prediction is at the steps before it, medians; the last step comes last.

    Attributes:
        cell: One of ``NETWORKS``.
        sums: By the weighted sums of the cell.
        hidden: By its output.
    """

    cell: str
    sums: tuple[float, ...]
    hidden: tuple[float, ...]


@dataclasses.dataclass(frozen=True, slots=True)
class Ladder(Result):
    """The last run of the benchmark.

    Attributes:
        rungs: From the bottom to the top.
        gradients: Of the four networks.
        text: What was learnt and scored.
        prompt: What the samples go on from.
        budget: Parameters that each of the four networks may have.
        epochs: Of their training.
        train_characters: How many were learnt from.
        processor: What it ran on.
    """

    rungs: tuple[Rung, ...]
    gradients: tuple[Gradient, ...]
    text: str
    prompt: str
    budget: int
    epochs: int
    train_characters: int
    processor: str


def ladder_report() -> Ladder | None:
    """Read the ladder.

    Returns:
        Its last stored run, or None where it has not run.

    Raises:
        InputError: The file of results is damaged.
    """
    found = benchmark_results(RESULTS_NAME)
    return None if found is None else ladder_from(found)


def ladder_from(results: Mapping[str, Any]) -> Ladder:
    """Read results as the benchmark made them.

    Args:
        results: Settings, rungs and gradients.

    Returns:
        The ladder.

    Raises:
        InputError: If they lack something.
    """
    try:
        settings = results["settings"]
        return Ladder(
            rungs=tuple(_rung(values) for values in results["rungs"]),
            gradients=tuple(
                Gradient(
                    cell,
                    tuple(results["gradients"][cell]["sums"]),
                    tuple(results["gradients"][cell]["hidden"]),
                )
                for cell in NETWORKS
            ),
            text=str(settings["text"]),
            prompt=str(settings["prompt"]),
            budget=int(settings["budget"]),
            epochs=int(settings["recipe"]["epochs"]),
            train_characters=int(settings["train_characters"]),
            processor=str(settings["processor"]),
        )
    except (KeyError, TypeError) as error:
        raise InputError(f"The results of the loss ladder lack {error!r}", remedy="Run it again") from error


def _rung(values: Mapping[str, Any]) -> Rung:
    if values["name"] not in TITLES:
        raise InputError(
            "The loss ladder has an unknown rung", allowed=", ".join(TITLES), received=values["name"]
        )
    return Rung(
        name=values["name"],
        nats=float(values["nats_per_character"]),
        standard_error=values["standard_error"],
        n=int(values["n"]),
        parameters=int(values["parameters"]),
        seconds=float(values["seconds"]),
        units=values.get("units"),
        sample=str(values["sample"]),
    )

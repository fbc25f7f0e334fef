"""What commands measured and stored about classifiers of documents: presets, every network, word vectors, speed."""

from __future__ import annotations

import dataclasses
from collections.abc import Callable, Mapping
from typing import Any, TypeVar

from apps.shared.reports import benchmark_results
from apps.shared.results import Result
from data_prep.errors import InputError

SYSTEMS = {
    "lectern": "Lectern",
    "scikit-learn": "TF-IDF + logistic regression",
    "fasttext": "fastText",
}

Report = TypeVar("Report")


@dataclasses.dataclass(frozen=True, slots=True)
class NetworkScore(Result):
    """One network on the official test half of IMDB.

    Attributes:
        name: Its key.
        text: What it is.
        accuracy: Percent.
        standard_error: Of the accuracy, in percentage points.
        n: Reviews.
        validation: Accuracy on the held-out part of the train half, percent.
        seconds: Of training.
        parameters: Numbers that training sets.
        left_out_share: Words that it does not read, 0 to 1.
    """

    name: str
    text: str
    accuracy: float
    standard_error: float
    n: int
    validation: float
    seconds: float
    parameters: int
    left_out_share: float


@dataclasses.dataclass(frozen=True, slots=True)
class NetworksReport(Result):
    """Every network, trained and scored by one command.

    Attributes:
        networks: In their order.
        published: Accuracy of other systems, percent, as their authors give it.
        learned: Reviews that each network learned from.
        duplicates: Reviews of the test half that stand in the train half too.
        shuffled: Share of padding of batches in random order, 0 to 1.
        bucketed: The same in buckets of length.
        batch_size: Of those batches.
        lengths: Of some reviews drawn at random, the end of sequence included.
        threads: Processor cores.
        processor: What it ran on.
    """

    networks: tuple[NetworkScore, ...]
    published: dict[str, float]
    learned: int
    duplicates: int
    shuffled: float
    bucketed: float
    batch_size: int
    lengths: tuple[int, ...]
    threads: int
    processor: str


@dataclasses.dataclass(frozen=True, slots=True)
class ReviewsTransferCell(Result):
    """Accuracy of one start of the embeddings at one share of the labels, over the seeds.

    Attributes:
        embedding: Key of ``apps.tagger.reports.EMBEDDINGS``.
        share: Percent of the labels.
        documents: How many those are.
        mean: Percent right, mean of the seeds.
        deviation: Sample standard deviation of the seeds.
        n: Documents that were scored.
        seeds: How many.
    """

    embedding: str
    share: float
    documents: int
    mean: float
    deviation: float
    n: int
    seeds: int


@dataclasses.dataclass(frozen=True, slots=True)
class ClassifierSpeed(Result):
    """One system of the speed benchmark.

    Attributes:
        system: Key of ``SYSTEMS``.
        documents_per_second: In batches, from raw text.
        one_document_ms: One document alone, median.
        accuracy: On the test half of IMDB, percent.
        training_seconds: How long training took.
    """

    system: str
    documents_per_second: float
    one_document_ms: float
    accuracy: float
    training_seconds: float


@dataclasses.dataclass(frozen=True, slots=True)
class ClassifierSpeedReport(Result):
    """The last run of the speed benchmark.

    Attributes:
        systems: Ours first.
        threads: Processor cores that every system was held to.
        processor: What it ran on.
        documents: That were classified in batches.
        lines: Of the longest stream of lines; 0 where none was measured.
        lines_per_second: Of that stream.
        memory_mib: Peak memory at a stream, MiB, by its number of lines.
    """

    systems: tuple[ClassifierSpeed, ...]
    threads: int
    processor: str
    documents: int
    lines: int
    lines_per_second: float
    memory_mib: dict[int, float]


def networks_report() -> NetworksReport | None:
    """Read the table of all networks.

    Returns:
        Its last stored run, or None where it has not run.

    Raises:
        InputError: The file of results is damaged.
    """
    return _read("reviews_networks", _networks)


def transfer_report() -> tuple[ReviewsTransferCell, ...]:
    """Read what word vectors are worth; nothing where it has not run. Raises as :func:`networks_report`."""
    return _read("embedding_transfer_reviews", _transfer) or ()


def speed_report() -> ClassifierSpeedReport | None:
    """Read the speed benchmark; None where it has not run. Raises as :func:`networks_report`."""
    return _read("reviews_speed", _speed)


def _read(name: str, make: Callable[[dict[str, Any]], Report]) -> Report | None:
    found = benchmark_results(name)
    if found is None:
        return None
    try:
        return make(found)
    except (AttributeError, KeyError, TypeError, ValueError) as error:
        raise InputError(
            f"The results {name}.json lack {error!r}", remedy="Run the benchmark again"
        ) from error


def _networks(found: dict[str, Any]) -> NetworksReport:
    settings, padding = found["settings"], found["padding"]
    return NetworksReport(
        networks=tuple(
            NetworkScore(**{"name": name} | _fields(NetworkScore, values, skip=("name",)))
            for name, values in found["networks"].items()
        ),
        published={name: float(value) for name, value in found["published"].items()},
        learned=int(settings["learned"]),
        duplicates=int(settings["duplicates"]),
        shuffled=float(padding["shuffled"]),
        bucketed=float(padding["bucketed"]),
        batch_size=int(padding["batch_size"]),
        lengths=tuple(map(int, padding["lengths"])),
        threads=int(settings["threads"]),
        processor=str(settings["processor"]),
    )


def _transfer(found: dict[str, Any]) -> tuple[ReviewsTransferCell, ...]:
    return tuple(ReviewsTransferCell(**_fields(ReviewsTransferCell, cell)) for cell in found["cells"])


def _speed(found: dict[str, Any]) -> ClassifierSpeedReport:
    settings, systems, stream = found["settings"], found["systems"], found.get("stream", {})
    return ClassifierSpeedReport(
        systems=tuple(
            ClassifierSpeed(**{"system": name} | _fields(ClassifierSpeed, systems[name], skip=("system",)))
            for name in SYSTEMS
            if name in systems
        ),
        threads=int(settings["threads"]),
        processor=str(settings["processor"]),
        documents=int(settings["documents"]),
        lines=max((int(lines) for lines in stream), default=0),
        lines_per_second=float(stream[max(stream, key=int)]["lines_per_second"]) if stream else 0.0,
        memory_mib={int(lines): float(one["peak_memory_mib"]) for lines, one in stream.items()},
    )


def _fields(kind: type, values: Mapping[str, Any], skip: tuple[str, ...] = ()) -> dict[str, Any]:
    return {field.name: values[field.name] for field in dataclasses.fields(kind) if field.name not in skip}

"""What commands measured and stored about digits: errors of the test set, scores, speed, depth."""

from __future__ import annotations

import dataclasses
from typing import Any

import numpy as np

from apps.shared.drawn_pictures import from_base64
from apps.shared.reports import benchmark_results, stored_facts
from apps.shared.results import Result
from data_prep.errors import InputError

ERRORS_RESULTS, DEPTH_RESULTS, SPEED_RESULTS = "digit_errors", "digits_depth", "digits"
ACCURACY = "accuracy"  # of metrics.json
_SIZE = 28


@dataclasses.dataclass(frozen=True, slots=True, eq=False)
class DigitError(Result):
    """A test image that a network takes for another digit.

    Attributes:
        number: Its position in the test set.
        label: What it shows.
        answer: What the network says.
        confidence: Probability of the answer, 0 to 1.
        label_probability: Probability of the right class.
        image: Uint8 (28, 28).
    """

    number: int
    label: str
    answer: str
    confidence: float
    label_probability: float
    image: np.ndarray


@dataclasses.dataclass(frozen=True, slots=True, eq=False)
class DigitErrors(Result):
    """All errors of a network on the official test set.

    Attributes:
        n: Images of the test set.
        errors: The most confident first.
    """

    n: int
    errors: tuple[DigitError, ...]

    @property
    def confusions(self) -> tuple[tuple[str, str, int], ...]:
        """What was taken for what and how often, the most frequent first."""
        counts: dict[tuple[str, str], int] = {}
        for error in self.errors:
            counts[error.label, error.answer] = counts.get((error.label, error.answer), 0) + 1
        return tuple(
            (label, answer, count)
            for (label, answer), count in sorted(counts.items(), key=lambda item: (-item[1], item[0]))
        )


def digit_errors(preset: str) -> DigitErrors | None:
    """Read the errors of a network on the official test set.

    Args:
        preset: Name of its preset.

    Returns:
        The errors, or None where ``python -m benchmarks.digit_errors --store`` has not kept their pictures.

    Raises:
        InputError: There is no such preset, it was not scored on the test set, or the stored results are damaged.
    """
    results = benchmark_results(ERRORS_RESULTS)
    if results is None or preset not in results.get("errors", {}):
        return None
    n, stored = mistakes(preset)
    try:
        errors = tuple(_error(error, results["images"]) for error in stored)
    except (KeyError, TypeError, ValueError) as error:
        raise InputError(
            f"The stored errors of {preset} are damaged or those of another network ({error})",
            remedy="Run python -m benchmarks.digit_errors --store again",
        ) from error
    return DigitErrors(n, tuple(sorted(errors, key=lambda e: (-e.confidence, e.number))))


def mistakes(preset: str) -> tuple[int, list[dict[str, Any]]]:
    """Read which test images a preset gets wrong, as they were found when it was made.

    Args:
        preset: Name of a shipped preset, or a folder.

    Returns:
        How many images were scored, and ``apps.digits.results.Mistake`` as dictionaries.

    Raises:
        InputError: There is no such preset, it is damaged or of another kind, or it was not scored on the test set.
    """
    from models.digit_cnn.config import KIND

    facts = stored_facts(preset, KIND)
    measured = facts.metrics.get(ACCURACY, {})
    if measured.get("split") != "test" or "mistakes" not in measured:
        raise InputError(
            f"{facts.metrics_path} does not list the errors of the test set",
            remedy="Make the preset with split=final",
        )
    return int(measured["n"]), list(measured["mistakes"])


def _error(stored: dict[str, Any], images: dict[str, str]) -> DigitError:
    return DigitError(
        number=int(stored["index"]),
        label=str(stored["label"]),
        answer=str(stored["answer"]),
        confidence=float(stored["confidence"]),
        label_probability=float(stored["label_probability"]),
        image=from_base64(images[str(stored["index"])], _SIZE, _SIZE),
    )


@dataclasses.dataclass(frozen=True, slots=True)
class DepthRun(Result):
    """One network of the comparison of depth.

    Attributes:
        name: ``"resnet"`` or ``"plain"``.
        parameters: Numbers that it learned.
        train_loss: Nats, by epoch.
        validation_accuracy: Percent, by epoch.
        first_norms: Layer to length of the loss's gradient by its weights before training, in the order of the layers.
        last_norms: The same behind training.
    """

    name: str
    parameters: int
    train_loss: tuple[float, ...]
    validation_accuracy: tuple[float, ...]
    first_norms: dict[str, float]
    last_norms: dict[str, float]


@dataclasses.dataclass(frozen=True, slots=True)
class DepthReport(Result):
    """The same deep network with and without residual connections.

    Attributes:
        runs: Residual first.
        layers: Layers with weights, one behind the other.
        images: That they learned from.
        processor: What they ran on.
    """

    runs: tuple[DepthRun, ...]
    layers: int
    images: int
    processor: str


def depth_report() -> DepthReport | None:
    """Read the comparison of a deep network with and without residual connections.

    Returns:
        The last stored run of ``python -m benchmarks.digits_depth``, or None where it has not run yet.

    Raises:
        InputError: The stored results are damaged.
    """
    results = benchmark_results(DEPTH_RESULTS)
    if results is None:
        return None
    try:
        settings = results["settings"]
        runs = tuple(_depth_run(name, results["runs"][name]) for name in ("resnet", "plain"))
        return DepthReport(runs, int(settings["layers"]), int(settings["images"]), str(settings["processor"]))
    except (KeyError, TypeError, ValueError) as error:
        raise InputError(
            f"The results of the comparison of depth lack {error}", remedy="Run it again"
        ) from error


def _depth_run(name: str, stored: dict[str, Any]) -> DepthRun:
    norms = stored["gradient_norms"]
    return DepthRun(
        name,
        int(stored["parameters"]),
        tuple(map(float, stored["train_loss"])),
        tuple(map(float, stored["validation_accuracy"])),
        {layer: float(norm) for layer, norm in norms["first"].items()},
        {layer: float(norm) for layer, norm in norms["last"].items()},
    )


@dataclasses.dataclass(frozen=True, slots=True)
class DigitsSpeed(Result):
    """How fast one system runs one network; None for what was not measured.

    Attributes:
        network: Its architecture.
        system: ``"lectern"`` or ``"torch"``.
        training_images_per_second: While it learns.
        inference_images_per_second: In batches.
        one_digit_ms: From one prepared image to its answer.
    """

    network: str
    system: str
    training_images_per_second: float | None
    inference_images_per_second: float | None
    one_digit_ms: float | None


@dataclasses.dataclass(frozen=True, slots=True)
class DigitsSpeedReport(Result):
    """The stored run of the benchmark against PyTorch.

    Attributes:
        systems: Every network with every system.
        threads: Of each system.
        processor: What they ran on.
    """

    systems: tuple[DigitsSpeed, ...]
    threads: int
    processor: str


def speed_report() -> DigitsSpeedReport | None:
    """Read the benchmark of the digit networks against PyTorch.

    Returns:
        The last stored run of ``python -m benchmarks.digits``, or None where it has not run yet.

    Raises:
        InputError: The stored results are damaged.
    """
    results = benchmark_results(SPEED_RESULTS)
    if results is None:
        return None
    measures = ("training_images_per_second", "inference_images_per_second", "one_digit_ms")
    try:
        settings = results["settings"]
        systems = tuple(
            DigitsSpeed(network, system, *(measured.get(name) for name in measures))
            for network, measured_systems in results["networks"].items()
            for system, measured in measured_systems.items()
        )
        return DigitsSpeedReport(systems, int(settings["threads"]), str(settings["processor"]))
    except (KeyError, TypeError, ValueError, AttributeError) as error:
        raise InputError(
            f"The results of the digits' benchmark are damaged ({error})", remedy="Run it again"
        ) from error


@dataclasses.dataclass(frozen=True, slots=True)
class DigitsScores(Result):
    """The stored score of a preset.

    Attributes:
        preset: Its name.
        accuracy: Right answers on the official test set, percent.
        standard_error: Of it, in percentage points.
        n: Images of the test set.
        parameters: Numbers that it learned.
        seconds: How long training took.
        processor: What it ran on.
    """

    preset: str
    accuracy: float
    standard_error: float | None
    n: int
    parameters: int
    seconds: float
    processor: str


def digits_scores(preset: str) -> DigitsScores:
    """Read the stored score of a preset; its weights are not opened.

    Args:
        preset: Name of a shipped preset, or a folder.

    Returns:
        The score, as measured when the preset was made.

    Raises:
        InputError: There is no such preset, it is damaged, or it is another kind of preset.
    """
    from models.digit_cnn.config import KIND, DigitCNNConfig
    from models.training.recipe import from_dict

    facts = stored_facts(preset, KIND)
    try:
        measured = facts.metrics[ACCURACY]
        return DigitsScores(
            preset=facts.metrics_path.parent.name,
            accuracy=float(measured["score"]),
            standard_error=measured.get("standard_error"),
            n=int(measured["n"]),
            parameters=from_dict(DigitCNNConfig, facts.config).parameters,
            seconds=float(facts.metadata["seconds"]),
            processor=str(facts.metadata["processor"]),
        )
    except (KeyError, TypeError, ValueError) as error:
        raise InputError(f"{facts.metrics_path} lacks {error}", remedy="Make the preset again") from error

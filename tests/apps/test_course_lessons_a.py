"""The lessons of the first five parts: what each step claims, computed by the suite's own code from its exhibit."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from functools import cache
from itertools import chain
from typing import Any

import numpy as np
import pytest

from apps.convolution.application import (
    batched,
    contract,
    convolution_sizes,
    convolve_digit,
    derivative,
    digit_image,
    free_tensors,
    learn_detector,
    read_layers,
    read_numbers,
    read_program,
    read_rules,
    read_tensor,
    run_kind,
    run_signal,
    stack_sizes,
    trained_kernels,
)
from apps.convolution.contraction import Contracted, Derivative
from apps.convolution.kinds import KINDS, KindResult
from apps.convolution.learned import STARTS, Learned
from apps.convolution.signals import SignalResult
from apps.convolution.stack import Stack, StackLayer
from apps.course.lessons import Step, lessons
from apps.digits.application import DEFAULT_PRESET, LECTURE_PRESET
from apps.digits.examples import examples
from apps.digits.explain import DigitInspector
from apps.digits.page_depth import WHEN
from apps.digits.reports import DEPTH, SCORES, digit_errors
from apps.digits.strips import GRADIENTS, WEIGHTS
from apps.shared.reports import preset_installed
from data_prep.images.preparation import digit_batch
from models.digit_cnn.config import DigitCNNConfig

PARTS = ("tensors", "convolution", "pooling", "shapes", "network")
STEPS = {name: step for part in PARTS for name, step in lessons()[part].steps.items()}
Values = Mapping[str, Any]


def tensors(values: Values) -> dict[str, np.ndarray]:
    return {name: read_tensor(values[f"t_{name}"], name) for name in free_tensors(read_program(values["e"]))}


def contracted(values: Values) -> Contracted:
    return contract(read_program(values["e"]), tensors(values))


def batch(values: Values) -> np.ndarray:
    """The result for a batch of three, as the exhibit draws it."""
    given = tensors(values)
    several = {**given, values["batch"]: np.stack([given[values["batch"]]] * 3, axis=-1)}
    return contract(batched(read_program(values["e"]), values["batch"]), several).output


def derived(values: Values) -> Derivative:
    return derivative(read_program(values["e"]), tensors(values), values["by"])


def signal(values: Values) -> SignalResult:
    return run_signal(read_numbers(values["x"], "The signal"), read_layers(values["layers"]))


def explained(values: Values) -> float:
    """The number that the exhibit explains."""
    return signal(values).stages[values["layer"] - 1].values[values["at"]]


def grouped(values: Values) -> tuple[float, ...]:
    """The kernel of the exhibit, once it gives the same as the two before for many signals."""
    two = STEPS["convolution/grouped"].before
    assert two is not None
    for x in np.random.default_rng(0).normal(size=(20, 10)).tolist():
        one, both = (run_signal(x, read_layers(each["layers"])).output for each in (values, two.values))
        np.testing.assert_allclose(one, both, atol=1e-9)
    return read_layers(values["layers"])[0].weights


@cache
def learned() -> Learned:
    values = STEPS["convolution/starts"].exhibit.values
    return learn_detector(values["task"].lower(), values["seed"])


def few_starts(_: Values) -> str:
    return "few" if learned().starts_right < STARTS / 2 else "most"


def first_weight(values: Values) -> float:
    found = next(each for each in learned().snapshots if each.step == values["after"])
    return found.detector.scaled.first[0]


def kind(values: Values) -> KindResult:
    names = {title: name for name, title in KINDS.items()}
    return run_kind(
        names[values["kind"]],
        values["input"],
        values["filter"],
        heads=values["heads"],
        boundary=values["boundary"],
        stride=values["step"],
        dilation=values["spread"],
    )


def walked(values: Values) -> int:
    image = digit_image(values["digit"], values["picture"])
    options = {"padding": values["zeros"], "stride": values["hop"], "dilation": values["gaps"]}
    return len(convolve_digit(image, *trained_kernels()[values["kernel"]], **options).output)


def sizes(values: Values) -> tuple[int, ...]:
    rules = read_rules(*(values[name] for name in ("n", "k", "pad", "stride", "dilation")))
    return convolution_sizes(rules, values["filters"]).output


def stack(values: Values) -> Stack:
    return stack_sizes(values["stack_input"], values["stack"])


def second_field(values: Values) -> int:
    return [layer for layer in stack(values).layers if layer.kind == "conv"][1].receptive_field[0]


def largest_layer(values: Values) -> str:
    names: list[tuple[str, Callable[[StackLayer], bool]]] = [
        ("first", lambda layer: layer.text == "conv 5x5x6"),
        ("second", lambda layer: layer.text == "conv 5x5x16"),
        ("third", lambda layer: layer.text == "conv 5x5x120"),
        ("plain", lambda layer: layer.text == "dense 84"),
    ]
    found = stack(values)
    largest = max(found.layers, key=lambda layer: layer.parameters)
    assert 2 * largest.parameters > found.parameters  # more than in all other layers together
    return next(name for name, fits in names if fits(largest))


def gradient_after_training(values: Values) -> str:
    shown = STEPS["network/inside"].before
    assert shown is not None
    inspector = DigitInspector.from_preset(values["preset"])
    at = int(np.flatnonzero(examples().labels == values["digit"])[values["number"] - 1])
    image = digit_batch(examples().images[at])
    lengths = []
    for opened in (inspector.at_epoch(int(shown.values["epoch"])), inspector):
        look = opened.look(image, str(values["digit"]))
        strips = chain.from_iterable(layer.strips() for layer in look.layers)
        lengths.append(max(strip.high - strip.low for name, _, strip in strips if name == GRADIENTS[WEIGHTS]))
    assert look.answer == str(values["digit"])
    return "smaller" if lengths[1] < 0.01 * lengths[0] else "same"


def wrong_digits(values: Values) -> str:
    errors, large = digit_errors(values["preset"]), digit_errors(DEFAULT_PRESET)
    assert errors is not None and large is not None and errors.n == 10_000
    assert 0.4 < len(large.errors) / len(errors.errors) < 0.6  # "about half of the errors"
    parameters = {
        line.row["config"]["architecture"]: line.values[3] for line in SCORES.read().lines if line.values[3]
    }
    assert parameters["resnet"] > 100 * parameters["lecture"]
    return "below" if len(errors.errors) < 100 else "some"


def gradients(network: str, when: str = "first") -> list[float]:
    line = next(line for line in DEPTH.read().lines if line.label == network)
    return line.row.numbers(f"gradient_norms.{when}")


def first_epoch(_: Values) -> str:
    report = DEPTH.read()
    assert report.found["settings.layers"] == 38
    first = {line.label: line.row.numbers("train_loss") for line in report.lines}
    assert all(one < other for one, other in zip(first["residual"], first["plain"], strict=True))
    accuracy = {line.label: line.row.numbers("validation_accuracy") for line in report.lines}
    assert accuracy["residual"][0] > accuracy["plain"][0] and accuracy["plain"][-1] > 99
    return "residual"


def gradient_before_training(values: Values) -> str:
    found = {network: gradients(network, WHEN[values["when"]])[:-1] for network in ("plain", "residual")}
    grown = {network: lengths[0] / lengths[-1] for network, lengths in found.items()}
    assert max(found["residual"]) < 4 * min(found["residual"])  # it keeps its size
    blocks = [step for step in DigitCNNConfig().steps if step.settings.get("gamma_initializer") == "zeros"]
    assert (
        len(blocks) == len(DigitCNNConfig().widths) * DigitCNNConfig().blocks
    )  # they begin by adding nothing
    return "grows" if grown["plain"] > 10 else "stays"


def confident(values: Values) -> str:
    errors = digit_errors(DEFAULT_PRESET)
    assert errors is not None
    error = errors.errors[values["error"] - 1]
    assert error.confidence == max(each.confidence for each in errors.errors)
    at = int(np.flatnonzero(examples().labels == values["digit"])[values["number"] - 1])
    right = DigitInspector.from_preset(DEFAULT_PRESET).digits.probabilities(
        digit_batch(examples().images[at])[None]
    )
    assert (
        right.argmax() == values["digit"] and abs(right.max() - error.confidence) < 0.01
    )  # as sure as before
    return "sure" if error.confidence > 0.9 else "half"


PROOFS: dict[str, Callable[[Values], Any]] = {
    "tensors/modes": lambda values: contracted(values).output.size,
    "tensors/outer": lambda values: contracted(values).output.shape,
    "tensors/sum": lambda values: float(contracted(values).output),
    "tensors/rows": lambda values: contracted(values).output,
    "tensors/columns": lambda values: contracted(values).output,
    "tensors/three": lambda values: contracted(values).output.shape,
    "tensors/batch": lambda values: batch(values).shape,
    "tensors/derivative": lambda values: derived(values).tensor.ndim,
    "tensors/relu": lambda values: derived(values).tensor[1],
    "convolution/slide": explained,
    "convolution/end": explained,
    "convolution/flip": lambda values: signal(values).output,
    "convolution/layer": lambda values: signal(values).output,
    "convolution/detector": lambda values: max(signal(values).output),
    "convolution/threshold": lambda values: max(signal(values).output),
    "convolution/grouped": grouped,
    "convolution/starts": few_starts,
    "convolution/found": first_weight,
    "pooling/moves": lambda values: signal(values).output.index(1.0),
    "pooling/max": explained,
    "pooling/sum": explained,
    "pooling/blocks": lambda values: signal(values).output,
    "pooling/window": lambda values: len(signal(values).output),
    "pooling/shift": lambda values: {3: "moves", 2: "stays"}[signal(values).output.index(1.0)],
    "pooling/flexible": lambda values: max(signal(values).output),
    "pooling/grid": lambda values: max(signal(values).output),
    "pooling/image": lambda values: stack(values).output,
    "shapes/full": lambda values: kind(values).output.shape,
    "shapes/valid": lambda values: kind(values).output.shape,
    "shapes/depth": lambda values: kind(values).output.shape,
    "shapes/heads": lambda values: kind(values).output.shape,
    "shapes/pointwise": lambda values: float(kind(values).output[0, 0, 0]),
    "shapes/same": lambda values: kind(values).kernel.size,
    "shapes/layerwise": lambda values: kind(values).kernel.size,
    "shapes/stride": walked,
    "shapes/sizes": sizes,
    "network/parameters": lambda values: stack(values).parameters,
    "network/flatten": lambda values: stack(values).layers[-2].output[0],
    "network/field": second_field,
    "network/inside": gradient_after_training,
    "network/score": wrong_digits,
    "network/lenet": largest_layer,
    "network/residual": first_epoch,
    "network/start": gradient_before_training,
    "network/sure": confident,
}
NEEDED = {"shapes/stride": LECTURE_PRESET, "network/inside": LECTURE_PRESET, "network/score": LECTURE_PRESET}


@pytest.mark.parametrize("step", STEPS.values(), ids=list(STEPS))
def test_the_exhibit_shows_what_the_step_claims(step: Step) -> None:
    if (preset := NEEDED.get(step.name)) and not preset_installed(preset):
        pytest.skip(f"not shipped: {preset}")
    shown = PROOFS[step.name](step.exhibit.values)
    if isinstance(step.question.right, np.ndarray):
        shown = np.asarray(shown, np.float64)
    assert step.question.kind.same(shown, step.question.right), shown


def test_every_step_is_proved() -> None:
    assert set(PROOFS) == set(STEPS)
    assert all(step.tries for step in STEPS.values())


def test_numbers_in_the_texts_are_those_of_the_software() -> None:
    def says(name: str, *numbers: Any) -> None:
        said = f"{STEPS[name].text} {STEPS[name].reveal}"
        assert all(str(number) in said for number in numbers), (name, numbers)

    says("network/flatten", f"{stack(STEPS['network/flatten'].exhibit.values).parameters:,}")
    says("network/residual", DEPTH.read().found["settings.layers"])
    says("convolution/starts", STARTS)
    pixel = kind(STEPS["shapes/pointwise"].exhibit.values)
    channels = ", ".join(f"{value:g}" for value in pixel.tensor[0, 0])
    weights = ", ".join(f"{value:g}" for value in pixel.kernel[:, 0])
    question = STEPS["shapes/pointwise"].question.text
    assert f"${channels}$" in question and f"${weights}$" in question
    before = STEPS["pooling/flexible"].before
    assert before is not None and max(signal(before.values).output) == 2
    before = STEPS["pooling/shift"].before
    assert before is not None and signal(before.values).output == (0, 0, 1, 0, 0)


def test_lengths_that_the_flexible_detector_takes_depend_on_the_place() -> None:
    layers = read_layers(STEPS["pooling/grid"].exhibit.values["layers"])

    def lengths(begin: int) -> list[int]:
        signals = {n: [float(begin <= at < begin + n) for at in range(12)] for n in (1, 2, 3, 4)}
        return [n for n, x in signals.items() if max(run_signal(x, layers).output) == 2]

    assert lengths(5) == [2, 3] and lengths(4) == [1, 2]

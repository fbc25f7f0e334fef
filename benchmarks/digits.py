"""Training and inference images a second of the digit networks: ours beside the same networks in PyTorch, in one run.

    python -m benchmarks.digits            the lecture's network and the ResNet
    python -m benchmarks.digits --store    keeps the result for README and page

Both systems have the same layers, weights, images, batch size, optimizer (AdamW) and number of cores, and take turns.
What they answer is compared first. Ours trains as ``python -m apps digits fit`` does, and answers in NumPy or by a
compiled graph; PyTorch is measured in float32 and bfloat16, channels first and last, for inference also traced and
frozen, if it is installed (``pip install -r requirements-bench.txt``). The best way of each counts.
"""

from __future__ import annotations

import argparse
from collections.abc import Callable
from dataclasses import replace
from functools import partial
from typing import Any

import numpy as np

from apps.digits.application import Digits
from apps.digits.reports import SPEED
from apps.digits.task import RECIPES, compiled_network
from apps.shared.reports import Stored
from benchmarks import harness
from benchmarks.digits_torch import TorchSystem
from benchmarks.harness import Option, in_turn
from data_prep.errors import InputError
from models.digit_cnn.config import DigitCNNConfig, digit_specs
from models.storage.variables import assign_arrays
from models.training.recipe import fields_of

NETWORKS = ("lecture", "lenet5", "resnet")
OURS, PEER = "lectern", "torch"
OPTIONS = {
    "networks": Option(("lecture", "resnet"), "architectures", choices=NETWORKS),
    "batch_size": Option(128, "images of a training step"),
    "inference_batch": Option(1024, "images of a batch that is answered"),
    "milliseconds": Option(300, "length of a pass at least"),
    "repeats": Option(9, "passes"),
    "threads": harness.THREADS,
}
_SEED = 1
_GROUP = 8  # steps, as many as ours makes together
_PAUSE = 0.3  # seconds between passes
_ONE = "one_digit_ms"

# Number of steps (training) or repetitions (inference): to do.
Work = Callable[[int], None]


def made_batch(size: int) -> tuple[np.ndarray, np.ndarray]:
    """Make images float32 (size, 28, 28, 1) and labels int32 (size,): speed does not depend on what they show."""
    rng = np.random.default_rng(_SEED)
    images = rng.random((size, 28, 28, 1), np.float32) * (rng.random((size, 28, 28, 1)) < 0.2)
    return images.astype(np.float32), rng.integers(10, size=size).astype(np.int32)


def random_arrays(config: DigitCNNConfig) -> dict[str, np.ndarray]:
    """Draw weights by path, with variances of batch norm above 0."""
    rng = np.random.default_rng(_SEED)
    found = {}
    for name, spec in digit_specs(config).items():
        scale = np.sqrt(2.0 / max(1, int(np.prod(spec.shape[:-1]))))
        values = rng.normal(scale=scale, size=spec.shape)
        positive = name.endswith(("variance", "gamma"))
        found[name] = (np.abs(values) + 0.5 if positive else values).astype(np.float32)
    return found


class OurSystem:
    """Our networks: Keras learns by the recipe of an architecture, NumPy or a compiled graph answers."""

    def __init__(self, architecture: str, config: DigitCNNConfig, arrays: dict[str, np.ndarray]) -> None:
        # PyTorch averages no weights either.
        recipe = replace(RECIPES[architecture], averaging=0.0, products="auto")
        self.model = compiled_network(recipe, config, 1000)
        assign_arrays(self.model.weights, arrays)
        self.digits = Digits(config, arrays)

    def logits(self, images: np.ndarray) -> np.ndarray:
        """Answer images."""
        return self.digits.network.logits(images)

    def training(self, images: np.ndarray, labels: np.ndarray) -> dict[str, Work]:
        """Return what makes steps of training."""
        import tensorflow as tf

        data = tf.data.Dataset.from_tensors((images, labels)).repeat()
        return {"": lambda count: self.model.fit(data, steps_per_epoch=count, shuffle=False, verbose=0)}

    def inference(self, images: np.ndarray) -> dict[str, Work]:
        """Return what answers a batch again and again."""

        def repeat(answer: Callable[[np.ndarray], np.ndarray], count: int) -> None:
            for _ in range(count):
                answer(images)

        compiled = self.digits.compiled()
        return {"NumPy": partial(repeat, self.logits), "compiled graph": partial(repeat, compiled.logits)}


def measured(
    systems: dict[str, OurSystem | TorchSystem], options: argparse.Namespace
) -> dict[str, dict[str, Any]]:
    """Time all systems on one network, in turn, with options ``batch_size``, ``inference_batch`` and so on.

    Returns:
        For each system images a second in training and inference and milliseconds for one image: the fastest pass of
        its best way, and that of every way.
    """
    images, labels = made_batch(options.batch_size)
    many, one = made_batch(options.inference_batch)[0], made_batch(1)[0]
    found: dict[str, dict[str, Any]] = {name: {"ways": {}} for name in systems}
    rounds = (
        ("training_images_per_second", lambda system: system.training(images, labels), len(images)),
        ("inference_images_per_second", lambda system: system.inference(many), len(many)),
        (_ONE, lambda system: system.inference(one), 1),
    )
    for measure, ways, size in rounds:
        works = {(name, way): work for name, system in systems.items() for way, work in ways(system).items()}
        seconds = _in_turn(works, options.milliseconds / 1000.0, options.repeats)
        for (name, way), passes in seconds.items():
            value = 1000.0 * min(passes) if measure == _ONE else size / min(passes)
            found[name]["ways"].setdefault(way, {})[measure] = value
            best = min if measure == _ONE else max
            found[name][measure] = best(value, found[name].get(measure, value))
    return found


def _in_turn(works: dict[Any, Work], least: float, repeats: int) -> dict[Any, list[float]]:
    """Return the seconds that one step of each work takes, pass by pass.

    A pass is at least ``least`` seconds long, and begins after a moment in which the threads of the system before it,
    which wait for more work with a busy loop, fall asleep.
    """
    counts = {key: _count_for(work, least) for key, work in works.items()}
    calls = {key: partial(work, counts[key]) for key, work in works.items()}
    passes = in_turn(calls, repeats, _PAUSE)
    return {key: [seconds / counts[key] for seconds in taken] for key, taken in passes.items()}


def _count_for(work: Work, least: float) -> int:
    """Return how many steps last ``least`` seconds; the first ones, which compile, are not timed."""
    count = _GROUP
    work(count)
    while harness.seconds_of(partial(work, count)) < least:
        count *= 2
    return count


def run(options: argparse.Namespace) -> dict[str, Any]:
    """Measure all networks; settings, the numbers of each network and system, and our speeds by PyTorch's."""
    networks: dict[str, Any] = {}
    for architecture in options.networks:
        harness.report(f"{architecture} ...")
        networks[architecture] = measured(_systems(architecture, options), options)
    ratios = {name: _ratios(systems) for name, systems in networks.items() if PEER in systems}
    return {"settings": harness.settings(options, (PEER,)), "networks": networks, "ratios": ratios}


def _systems(architecture: str, options: argparse.Namespace) -> dict[str, OurSystem | TorchSystem]:
    """Return the systems with one network, after comparing what they answer."""
    config = fields_of(RECIPES[architecture], DigitCNNConfig, classes=10)
    arrays = random_arrays(config)
    systems: dict[str, Any] = {OURS: OurSystem(architecture, config, arrays)}
    if harness.version_of(PEER) is not None:
        systems[PEER] = TorchSystem(config.steps, arrays, options.threads)
        images = made_batch(16)[0]
        ours, others = (system.logits(images) for system in systems.values())
        if not np.allclose(ours, others, rtol=1e-3, atol=1e-3 * float(np.abs(ours).max())):
            raise InputError(f"The two networks {architecture} do not answer alike")
    return systems


def _ratios(systems: dict[str, dict[str, Any]]) -> dict[str, float]:
    ours, peer = systems[OURS], systems[PEER]
    speeds = ("training", "inference")
    ratios = {name: ours[f"{name}_images_per_second"] / peer[f"{name}_images_per_second"] for name in speeds}
    return {**ratios, "one_digit": peer[_ONE] / ours[_ONE]}


def _show(found: Stored) -> None:
    harness.print_report(SPEED.report(found))
    for (network,), ratios in found.rows("ratios.*"):
        shown = "training {training:.2f}, inference {inference:.2f}, one digit {one_digit:.2f}"
        print(ratios.text(f"ours / PyTorch's best, {{0}}: {shown}", network))
    if not found["ratios"]:
        print("PyTorch is not installed: pip install -r requirements-bench.txt")


main = harness.command(__name__, __doc__, SPEED, run, OPTIONS, show=_show)

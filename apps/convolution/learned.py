"""The lecture's detector of a block of three ones, its weights learned by SGD from random numbers.

Two cyclic convolutions of one channel (two and four weights), a bias and a ReLU localise the block: the output is 1
where the hand-made detector has its 1, one place before the block. A max over all positions turns that into detecting.
Signals are made: blocks of one to six ones, at least two zeros apart. Gradients are written out by hand, and several
random starts learn side by side, because behind a ReLU that is never positive nothing can be learned.
"""

from __future__ import annotations

import dataclasses

import numpy as np

from apps.convolution.numbers import check_whole
from apps.shared.results import Result
from data_prep.errors import InputError

TASKS = ("localise", "detect")
LENGTH, WANTED = 20, 3  # of a signal; of the block that is looked for
MAX_STEPS, MAX_SEED = 6_000, 9_999
STARTS, STEPS = 16, 2_000
_SIGNALS, _HELD_OUT, _WATCHED, _BATCH = 4_096, 2_000, 512, 64
_RATE, _MOMENTUM, _SPREAD = 0.05, 0.9, 0.7
_SNAPSHOTS = 40
_GROUPED = 5  # weights of both kernels together
_LIMIT = 1.0  # length of the gradient that is stepped along


@dataclasses.dataclass(frozen=True, slots=True, eq=False)
class Weights:
    """Networks side by side, one a row.

    Attributes:
        first: float64 (starts, 2), the kernel of the first convolution.
        second: float64 (starts, 4), the kernel of the second.
        bias: float64 (starts,), added before the ReLU.
    """

    first: np.ndarray
    second: np.ndarray
    bias: np.ndarray

    @property
    def grouped(self) -> np.ndarray:
        """Both convolutions as one, (starts, 5): nothing but a linear map stands between them."""
        kernels = np.zeros((len(self.first), _GROUPED))
        for k in range(self.first.shape[1]):
            kernels[:, k : k + self.second.shape[1]] += self.first[:, k : k + 1] * self.second
        return kernels

    def row(self, at: int) -> Weights:
        """Take one of the networks."""
        return Weights(self.first[at : at + 1], self.second[at : at + 1], self.bias[at : at + 1])


@dataclasses.dataclass(frozen=True, slots=True)
class Detector(Result):
    """One network.

    Attributes:
        first: Kernel of the first convolution.
        second: Kernel of the second.
        bias: Added before the ReLU.
    """

    first: tuple[float, ...]
    second: tuple[float, ...]
    bias: float

    @property
    def grouped(self) -> tuple[float, ...]:
        """Both kernels as one."""
        return tuple(np.convolve(self.first, self.second).tolist())

    @property
    def scaled(self) -> Detector:
        """The same network with a first kernel that ends in 1: only the product of the scales counts."""
        scale = self.first[-1]
        if scale == 0:
            return self
        return Detector(
            tuple(value / scale for value in self.first),
            tuple(value * scale for value in self.second),
            self.bias,
        )


@dataclasses.dataclass(frozen=True, slots=True)
class Snapshot(Result):
    """The networks after some steps.

    Attributes:
        step: Steps of SGD so far.
        losses: Mean squared error of each start on some of the training signals.
        detector: The start that was best in the end.
    """

    step: int
    losses: tuple[float, ...]
    detector: Detector


@dataclasses.dataclass(frozen=True, slots=True)
class Learned(Result):
    """A detector that was learned, beside the hand-made one.

    Attributes:
        task: ``"localise"`` or ``"detect"``.
        seed: Of the random weights.
        best: Number of the start with the lowest loss on all training signals.
        snapshots: Before the first step, on the way, and at the end.
        accuracy: Share of the held-out signals that the best start has all right, by a threshold of one half.
        hand_made_accuracy: The same for the hand-made detector.
        starts_right: How many starts have at least 99 % right.
        n: Held-out signals.
        example: A held-out signal with a block of three, 0s and 1s.
        outputs: What the learned detector gives for it: one number, or one a position.
        hand_made_outputs: The same of the hand-made one.
    """

    task: str
    seed: int
    best: int
    snapshots: tuple[Snapshot, ...]
    accuracy: float
    hand_made_accuracy: float
    starts_right: int
    n: int
    example: tuple[float, ...]
    outputs: tuple[float, ...]
    hand_made_outputs: tuple[float, ...]

    @property
    def detector(self) -> Detector:
        """The best start at the end."""
        return self.snapshots[-1].detector


HAND_MADE = Detector((-1.0, 1.0), (1.0, 0.0, 0.0, -1.0), -1.0)


def learn_detector(task: str = "localise", seed: int = 1, steps: int = STEPS) -> Learned:
    """Learn the detector from random weights.

    Args:
        task: ``"localise"`` (one target a position) or ``"detect"`` (one a signal, behind a max-pool).
        seed: Of weights and order, 0 to 9,999.
        steps: Of SGD with momentum on 64 signals each, 1 to 6,000.

    Returns:
        The learned kernels on their way, and how both detectors do on held-out signals.

    Raises:
        InputError: The task is unknown or a number is out of range.
    """
    if task not in TASKS:
        raise InputError("Unknown task", allowed=", ".join(TASKS), received=task)
    check_whole(seed, "The seed", 0, MAX_SEED)
    check_whole(steps, "The number of steps", 1, MAX_STEPS)
    signals = made_signals(_SIGNALS, 1)
    wanted = targets(signals, task)
    random = np.random.default_rng(seed)
    weights = random_weights(random)
    speed = Weights(*(np.zeros_like(value) for value in _parts(weights)))
    every = max(steps // _SNAPSHOTS, 1)
    kept = [(0, weights)]
    for step in range(1, steps + 1):
        rows = random.integers(0, len(signals), _BATCH)
        slope = gradient(weights, signals[rows], wanted[rows], task)
        weights, speed = _stepped(weights, speed, slope, _RATE * (1.0 - (step - 1) / steps))
        if step % every == 0 or step == steps:
            kept.append((step, weights))
    best = int(np.argmin(errors(weights, signals, wanted, task)))
    snapshots = tuple(
        Snapshot(
            step,
            tuple(errors(found, signals[:_WATCHED], wanted[:_WATCHED], task).tolist()),
            _detector(found, best),
        )
        for step, found in kept
    )
    return _compared(task, seed, best, weights, snapshots)


def made_signals(count: int, seed: int) -> np.ndarray:
    """Make signals with blocks of ones.

    Args:
        count: How many.
        seed: Chooses them.

    Returns:
        float64 (count, 20) of 0s and 1s: blocks of one to six ones, at least two zeros apart, also around the end.
        About half of the signals hold a block of three.
    """
    random = np.random.default_rng([seed, count])
    signals = np.zeros((count, LENGTH))
    gaps = 1 + random.geometric(0.35, (count, LENGTH))
    sizes = random.choice((1, 2, 3, 4, 5, 6), (count, LENGTH), p=(0.2, 0.2, 0.25, 0.15, 0.1, 0.1))
    for row, row_gaps, row_sizes in zip(signals, gaps.tolist(), sizes.tolist(), strict=True):
        at = 0
        for gap, size in zip(row_gaps, row_sizes, strict=True):
            at += gap
            if at + size > LENGTH:
                break
            row[at : at + size] = 1.0
            at += size
    # A block may begin at the end and go on at the beginning.
    shifts = random.integers(0, LENGTH, (count, 1))
    return np.take_along_axis(signals, (np.arange(LENGTH) + shifts) % LENGTH, axis=1)


def targets(signals: np.ndarray, task: str) -> np.ndarray:
    """Say where the wanted blocks are.

    Args:
        signals: (count, length).
        task: ``"localise"`` or ``"detect"``.

    Returns:
        ``"localise"``: (count, length), 1 one place before a block of exactly three; ``"detect"``: (count,), 1 where
        there is one.
    """
    found = np.ones_like(signals)
    for offset, value in enumerate((0.0, *[1.0] * WANTED, 0.0)):
        found *= np.roll(signals, -offset, axis=1) == value
    return found if task == "localise" else found.max(axis=1)


def random_weights(random: np.random.Generator) -> Weights:
    """Draw the weights of all starts: normal, of variance one half, and no bias."""
    return Weights(
        random.normal(0.0, _SPREAD, (STARTS, 2)), random.normal(0.0, _SPREAD, (STARTS, 4)), np.zeros(STARTS)
    )


def outputs(weights: Weights, signals: np.ndarray, task: str) -> np.ndarray:
    """Run the networks.

    Args:
        weights: Of so many starts.
        signals: (count, length).
        task: ``"localise"`` or ``"detect"``.

    Returns:
        (count, length, starts), or (count, starts) behind the max-pool.
    """
    located = np.maximum(_sums(weights, signals)[1], 0.0)
    return located if task == "localise" else located.max(axis=1)


def errors(weights: Weights, signals: np.ndarray, wanted: np.ndarray, task: str) -> np.ndarray:
    """Compute the mean squared error of each start.

    Args:
        weights: Of so many starts.
        signals: (count, length).
        wanted: As :func:`targets` gives them.
        task: ``"localise"`` or ``"detect"``.

    Returns:
        (starts,).
    """
    error = outputs(weights, signals, task) - wanted[..., None]
    return (error**2).mean(axis=tuple(range(error.ndim - 1)))


def gradient(weights: Weights, signals: np.ndarray, wanted: np.ndarray, task: str) -> Weights:
    """Differentiate half the squared error, summed over positions and averaged over signals.

    Args:
        weights: Of so many starts.
        signals: (count, length).
        wanted: As :func:`targets` gives them.
        task: ``"localise"`` or ``"detect"``.

    Returns:
        For each start the derivative by each weight.
    """
    windows, sums = _sums(weights, signals)
    starts = sums.shape[-1]
    if task == "localise":
        slope = (sums - wanted[..., None]).reshape(-1, starts)
        slope *= sums.reshape(-1, starts) > 0  # where the ReLU is 0 nothing is learned
        slope /= len(signals)
        grouped = slope.T @ windows.reshape(-1, _GROUPED)  # (starts, 5)
    else:
        best = sums.argmax(axis=1)  # (count, starts)
        largest = np.take_along_axis(sums, best[:, None], axis=1)[:, 0]
        slope = (largest - wanted[:, None]) * (largest > 0) / len(signals)
        read = windows[np.arange(len(signals))[:, None], best]  # (count, starts, 5)
        grouped = np.einsum("nr,nrk->rk", slope, read)
    taps = weights.second.shape[1]
    first = np.stack([(grouped[:, k : k + taps] * weights.second).sum(axis=1) for k in range(2)], axis=1)
    second = sum(weights.first[:, k : k + 1] * grouped[:, k : k + taps] for k in range(2))
    return Weights(first, second, slope.sum(axis=0))


def _sums(weights: Weights, signals: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Windows of the signals, (count, length, 5), and what goes into the ReLU, (count, length, starts)."""
    reach = (np.arange(signals.shape[1])[:, None] + np.arange(_GROUPED)) % signals.shape[1]
    windows = signals[:, reach]
    # One product of two matrices is many times as fast as one a signal.
    sums = windows.reshape(-1, _GROUPED) @ weights.grouped.T + weights.bias
    return windows, sums.reshape(*signals.shape, -1)


def _stepped(weights: Weights, speed: Weights, slope: Weights, rate: float) -> tuple[Weights, Weights]:
    """One step with momentum; a gradient longer than the limit is shortened, for each start by itself."""
    length = np.sqrt(sum((part.reshape(len(part), -1) ** 2).sum(axis=1) for part in _parts(slope)))
    rates = rate * np.minimum(1.0, _LIMIT / np.maximum(length, 1e-12))
    faster = [
        _MOMENTUM * old - rates.reshape(-1, *[1] * (old.ndim - 1)) * part
        for old, part in zip(_parts(speed), _parts(slope), strict=True)
    ]
    moved = [value + step for value, step in zip(_parts(weights), faster, strict=True)]
    return Weights(*moved), Weights(*faster)


def _parts(weights: Weights) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    return weights.first, weights.second, weights.bias


def _detector(weights: Weights, at: int) -> Detector:
    row = weights.row(at)
    return Detector(tuple(row.first[0].tolist()), tuple(row.second[0].tolist()), float(row.bias[0]))


def detector_weights(detector: Detector) -> Weights:
    """Turn one network into what :func:`outputs` takes."""
    return Weights(np.array([detector.first]), np.array([detector.second]), np.array([detector.bias]))


def _compared(task: str, seed: int, best: int, weights: Weights, snapshots: tuple[Snapshot, ...]) -> Learned:
    held_out = made_signals(_HELD_OUT, 2)
    hand_made = detector_weights(HAND_MADE)
    shares = _right(weights, held_out, task)
    example = held_out[int(np.argmax(targets(held_out, "detect")))]  # the first one with a block of three
    shown = [
        tuple(np.atleast_1d(outputs(each, example[None], task)[0, ..., 0]).tolist())
        for each in (weights.row(best), hand_made)
    ]
    return Learned(
        task=task,
        seed=seed,
        best=best,
        snapshots=snapshots,
        accuracy=float(shares[best]),
        hand_made_accuracy=float(_right(hand_made, held_out, task)[0]),
        starts_right=int((shares >= 0.99).sum()),
        n=len(held_out),
        example=tuple(example.tolist()),
        outputs=shown[0],
        hand_made_outputs=shown[1],
    )


def _right(weights: Weights, signals: np.ndarray, task: str) -> np.ndarray:
    right = (outputs(weights, signals, task) > 0.5) == (targets(signals, task) > 0.5)[..., None]
    return right.reshape(len(signals), -1, right.shape[-1]).all(axis=1).mean(axis=0)

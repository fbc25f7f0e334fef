"""The lecture's detector of a block of three ones, its weights learned by SGD from random numbers.

Two cyclic convolutions of one channel (two and four weights), a bias and a ReLU localise the block: the output is 1
one place before it. A max over all positions detects. Signals are made, gradients are written out by hand, and several
random starts learn side by side, because behind a ReLU that is never positive nothing can be learned.
"""

from __future__ import annotations

import dataclasses

import numpy as np

from apps.convolution.numbers import check_whole, exact
from apps.shared.results import Result
from data_prep.errors import InputError

TASKS = ("localise", "detect")
LENGTH, WANTED = 20, 3  # of a signal; of the block that is looked for
MAX_STEPS, MAX_SEED = 6_000, 9_999
STARTS, STEPS = 16, 2_000
HELD_OUT = 2_000  # signals
_SIGNALS, _WATCHED, _BATCH = 4_096, 512, 64
_RATE, _MOMENTUM, _SPREAD = 0.05, 0.9, 0.7
_SNAPSHOTS = 40
_GROUPED = 5  # weights of both kernels together
_LIMIT = 1.0  # length of the gradient that is stepped along
_PARTS = (2, 6)  # where the second kernel and the bias begin in a row of weights


@dataclasses.dataclass(frozen=True, slots=True)
class Detector(Result):
    """One network: the kernels of both convolutions, and what is added before the ReLU."""

    first: tuple[float, ...]
    second: tuple[float, ...]
    bias: float

    @classmethod
    def of(cls, weights: np.ndarray) -> Detector:
        """Take one row of weights apart, float64 (7,)."""
        first, second, bias = _taken_apart(weights)
        return cls(tuple(first.tolist()), tuple(second.tolist()), float(bias[0]))

    @property
    def weights(self) -> np.ndarray:
        """Both kernels and the bias in a row, float64 (7,)."""
        return np.array([*self.first, *self.second, self.bias])

    def layers(self, task: str) -> str:
        """Write the network as the bench reads it, with a max-pool at the end to detect."""
        first, second = (" ".join(map(exact, kernel)) for kernel in (self.first, self.second))
        lines = [
            f"correlate {first} cyclic",
            f"correlate {second} cyclic",
            f"bias {exact(self.bias)}",
            "relu",
        ]
        return "\n".join([*lines, "max"] if task == "detect" else lines)

    @property
    def grouped(self) -> tuple[float, ...]:
        """Both kernels as one."""
        return tuple(np.convolve(self.first, self.second).tolist())

    @property
    def scaled(self) -> Detector:
        """The same network with a first kernel that ends in 1: only the product of the scales counts."""
        scale = self.first[-1] or 1.0
        return Detector.of(self.weights * np.repeat((1.0 / scale, scale, 1.0), (2, 4, 1)))


@dataclasses.dataclass(frozen=True, slots=True)
class Snapshot(Result):
    """The networks after some steps: the mean squared error of each start, and the start that was best in the end."""

    step: int
    losses: tuple[float, ...]
    detector: Detector


@dataclasses.dataclass(frozen=True, slots=True)
class Learned(Result):
    """A detector that was learned, beside the hand-made one."""

    task: str  # "localise" or "detect"
    best: int  # number of the start with the lowest loss on all training signals
    snapshots: tuple[Snapshot, ...]  # before the first step, on the way, and at the end
    accuracy: (
        float  # share of the held-out signals that the best start has all right, above or below one half
    )
    hand_made_accuracy: float  # the same for the hand-made detector
    starts_right: int  # how many starts have at least 99 % right
    example: tuple[float, ...]  # a held-out signal with a block of three, 0s and 1s
    outputs: tuple[float, ...]  # what the learned detector gives for it: one number, or one a position
    hand_made_outputs: tuple[float, ...]  # the same of the hand-made one

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
    speed = np.zeros_like(weights)
    every = max(steps // _SNAPSHOTS, 1)
    kept = [(0, weights)]
    for step in range(1, steps + 1):
        rows = random.integers(0, len(signals), _BATCH)
        slope = gradient(weights, signals[rows], wanted[rows], task)
        # The gradient of each start is shortened by itself where it is too long.
        length = np.linalg.norm(slope, axis=1, keepdims=True)
        rate = _RATE * (1.0 - (step - 1) / steps) * np.minimum(1.0, _LIMIT / np.maximum(length, 1e-12))
        speed = _MOMENTUM * speed - rate * slope
        weights = weights + speed
        if step % every == 0 or step == steps:
            kept.append((step, weights))
    best = int(np.argmin(errors(weights, signals, wanted, task)))
    watched = signals[:_WATCHED], wanted[:_WATCHED], task
    snapshots = tuple(
        Snapshot(step, tuple(errors(found, *watched).tolist()), Detector.of(found[best]))
        for step, found in kept
    )
    held_out = made_signals(HELD_OUT, 2)
    example = held_out[int(np.argmax(targets(held_out, "detect")))]  # the first one with a block of three
    weights = np.vstack([weights, HAND_MADE.weights])
    shares = _right(weights, held_out, task)
    learned, hand_made = outputs(weights[[best, -1]], example[None], task)[0].T.reshape(2, -1).tolist()
    return Learned(
        task=task,
        best=best,
        snapshots=snapshots,
        accuracy=float(shares[best]),
        hand_made_accuracy=float(shares[-1]),
        starts_right=int((shares[:-1] >= 0.99).sum()),
        example=tuple(example.tolist()),
        outputs=tuple(learned),
        hand_made_outputs=tuple(hand_made),
    )


def made_signals(count: int, seed: int) -> np.ndarray:
    """Make signals (count, 20) of 0s and 1s: blocks of one to six ones, at least two zeros apart, also around the end.

    About half of them hold a block of three.
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
    """Say where the wanted blocks are: (count, length), 1 one place before a block of exactly three, or (count,)."""
    found = np.ones_like(signals)
    for offset, value in enumerate((0.0, *[1.0] * WANTED, 0.0)):
        found *= np.roll(signals, -offset, axis=1) == value
    return found if task == "localise" else found.max(axis=1)


def random_weights(random: np.random.Generator) -> np.ndarray:
    """Draw the weights of all starts, (starts, 7): kernels of variance one half, and no bias."""
    kernels = [random.normal(0.0, _SPREAD, (STARTS, taps)) for taps in (2, 4)]
    return np.hstack([*kernels, np.zeros((STARTS, 1))])


def outputs(weights: np.ndarray, signals: np.ndarray, task: str) -> np.ndarray:
    """Run networks (starts, 7) on signals: (count, length, starts), or (count, starts) after the max-pool."""
    located = np.maximum(_sums(weights, signals)[1], 0.0)
    return located if task == "localise" else located.max(axis=1)


def errors(weights: np.ndarray, signals: np.ndarray, wanted: np.ndarray, task: str) -> np.ndarray:
    """Compute the mean squared error of each start, (starts,)."""
    error = outputs(weights, signals, task) - wanted[..., None]
    return (error**2).mean(axis=tuple(range(error.ndim - 1)))


def gradient(weights: np.ndarray, signals: np.ndarray, wanted: np.ndarray, task: str) -> np.ndarray:
    """Differentiate half the squared error, summed over positions and averaged over signals, by each weight."""
    windows, sums = _sums(weights, signals)
    error = sums - wanted.reshape(len(signals), -1, 1)  # (count, length, starts)
    error *= sums > 0  # where the ReLU is 0 nothing is learned
    if task == "detect":  # the max-pool reads one position
        error *= np.arange(signals.shape[1])[:, None] == sums.argmax(axis=1, keepdims=True)
    slope = error.reshape(-1, sums.shape[-1]) / len(signals)  # (count * length, starts)
    grouped = slope.T @ windows.reshape(-1, _GROUPED)  # (starts, 5)
    first, second, _ = _taken_apart(weights)
    shifted = np.stack([grouped[:, :-1], grouped[:, 1:]], axis=1)  # (starts, 2, 4)
    by_first = (shifted * second[:, None]).sum(axis=2)
    by_second = (shifted * first[..., None]).sum(axis=1)
    return np.hstack([by_first, by_second, slope.sum(axis=0)[:, None]])


def _sums(weights: np.ndarray, signals: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Windows of the signals, (count, length, 5), and what goes into the ReLU, (count, length, starts)."""
    reach = (np.arange(signals.shape[1])[:, None] + np.arange(_GROUPED)) % signals.shape[1]
    windows = signals[:, reach]
    first, second, bias = _taken_apart(weights)
    # Nothing but a linear map stands between the two convolutions, so they are one.
    grouped = np.zeros((len(weights), _GROUPED))
    grouped[:, :-1] = first[:, :1] * second
    grouped[:, 1:] += first[:, 1:] * second
    # One product of two matrices is many times as fast as one a signal.
    sums = windows.reshape(-1, _GROUPED) @ grouped.T + bias[:, 0]
    return windows, sums.reshape(*signals.shape, -1)


def _taken_apart(weights: np.ndarray) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """First kernel, second kernel and bias of one network or of many."""
    begin, end = _PARTS
    return weights[..., :begin], weights[..., begin:end], weights[..., end:]


def _right(weights: np.ndarray, signals: np.ndarray, task: str) -> np.ndarray:
    right = (outputs(weights, signals, task) > 0.5) == (targets(signals, task) > 0.5)[..., None]
    return right.reshape(len(signals), -1, right.shape[-1]).all(axis=1).mean(axis=0)

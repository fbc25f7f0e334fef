"""Exercises of the part "Recurrent networks": steps by hand, gradients through time, gates that keep."""

from __future__ import annotations

import math

import numpy as np

from apps.course.answers import Number, Numbers
from apps.course.draws import Random, one_of, whole
from apps.course.exercises import Drawn, Exercises, Said
from apps.course.texts import Thousands
from models.layers.cells import CELLS, LayerWeights, layer_shapes
from models.serving.cell_gradients import layer_values
from models.serving.recurrent import sigmoid

RECURRENT = Exercises("recurrent", "writer")
_RNN, _TRAINING, _MEMORY = "Recurrent neural network", "Training RNNs", "Memory"


def _halves(random: Random, *, zero: bool = False) -> float:
    """Draw a number from -2 to 2 in steps of one half."""
    return float(whole(random, (), -4, 4, zero=zero)) / 2


@RECURRENT.exercise("two-steps", _RNN, section="Unrolled")
def two_steps(random: Random) -> Drawn:
    """Go two steps with a sigmoid."""
    v, w, b = _halves(random), _halves(random), _halves(random)
    x = whole(random, 2, -2, 2, zero=False)

    def run(v: float, b: float, start: float = 0.0) -> np.ndarray:
        first = sigmoid(np.float64(v * start + w * x[0] + b))
        return np.array([first, sigmoid(v * first + w * x[1] + b)])

    right = run(v, b)
    first = w * x[0] + b
    mistakes = {
        "state": run(0.0, b),
        "bias": run(v, 0.0),
        "linear": np.array([first, v * first + w * x[1] + b]),
        "start": run(v, b, 1.0),
    }
    values = {"v": v, "w": w, "b": b, "x": x, "sum": first, "z1": right[0]}
    return Drawn(Numbers((2,), 0.005), right, mistakes, values)


@RECURRENT.exercise("two-units", _RNN, section="Unrolled")
def two_units(random: Random) -> Drawn:
    """Go two steps with two units and a ReLU."""
    V, W, b = whole(random, (2, 2), -2, 2), whole(random, 2, -2, 3), whole(random, 2, -2, 2)
    x = whole(random, 2, -2, 3, zero=False)

    def run(V: np.ndarray, b: np.ndarray) -> np.ndarray:
        z = np.maximum(W * x[0] + b, 0.0)
        return np.maximum(V @ z + W * x[1] + b, 0.0)

    first = np.maximum(W * x[0] + b, 0.0)
    mistakes = {
        "state": run(np.zeros((2, 2)), b),
        "turned": run(V.T, b),
        "bias": run(V, np.zeros(2)),
        "uncut": V @ (W * x[0] + b) + W * x[1] + b,
    }
    return Drawn(Numbers((2,)), run(V, b), mistakes, {"V": V, "W": W, "b": b, "x": x, "z1": first})


def _count(cell: str, inputs: int, units: int) -> int:
    """Parameters of a layer of cells."""
    return sum(math.prod(shape) for shape in layer_shapes(cell, "layer", inputs, units).values())


@RECURRENT.exercise("rnn-parameters", _RNN, section="Unrolled")
def rnn_parameters(random: Random) -> Drawn:
    """Count the parameters of a simple recurrent layer."""
    inputs, units, steps = (int(number) for number in random.integers((5, 20, 10), (60, 200, 100)))
    right = _count("rnn", inputs, units)
    mistakes = {
        "bias": right - units,
        "state": inputs * units + units,
        "steps": right * steps,
        "inputs": units * units + units,
    }
    values = {"d": inputs, "h": units, "T": steps, "W": inputs * units, "V": units * units}
    return Drawn(Number(), right, mistakes, values)


@RECURRENT.exercise("gated-parameters", _MEMORY, section="Gates")
def gated_parameters(random: Random) -> Drawn:
    """Count the parameters of an LSTM or MGU."""
    cell = str(one_of(random, ("lstm", "mgu")))
    inputs, units = (int(number) for number in random.integers((5, 20), (60, 200)))
    one, right = _count("rnn", inputs, units), _count(cell, inputs, units)
    gates = right // one - 1
    mistakes = {
        "one": one,
        "candidate": gates * one,
        "more": right + one,
        "bias": right - (gates + 1) * units,
    }
    values = {
        "cell": CELLS[cell].title,
        "gates": f"{cell}-gates",
        "blocks": gates + 1,
        "d": inputs,
        "h": units,
        "one": one,
    }
    return Drawn(Number(), right, mistakes, values)


@RECURRENT.exercise("shared-weight", _TRAINING, section="Gradients")
def shared_weight(random: Random) -> Drawn:
    """Differentiate the last state by the weight that every step uses."""
    v, x = _halves(random), whole(random, 3, -4, 4, zero=False)
    z1 = x[0]
    z2 = v * z1 + x[1]
    right = z2 + v * z1
    mistakes = {"last": z2, "state": v * z2 + x[2], "chain": v * v, "first": v * z1}
    values = {"v": v, "x": x, "z1": z1, "z2": z2, "way": v * z1}
    return Drawn(Number(), right, mistakes, values)


@RECURRENT.exercise("steps-to-vanish", _TRAINING, section="Gradients")
def steps_to_vanish(random: Random) -> Drawn:
    """Find how far back a gradient reaches."""
    v, slope = float(one_of(random, (0.8, 0.9, 1.0, 1.2))), float(one_of(random, (0.5, 0.6, 0.7, 0.25)))
    parts = int(one_of(random, (100, 1000, 10_000)))
    factor = v * slope
    right = math.floor(math.log(1 / parts) / math.log(factor)) + 1
    plain = math.floor(math.log(1 / parts) / math.log(slope)) + 1
    mistakes = {"slope": plain, "before": right - 1, "linear": math.ceil(1 / (1 - factor))}
    return Drawn(
        Number(), right, mistakes, {"v": v, "slope": slope, "parts": Thousands(parts), "factor": factor}
    )


@RECURRENT.exercise("back-in-time", _TRAINING, section="Gradients")
def back_in_time(random: Random) -> Drawn:
    """Multiply the derivatives along the states of a tanh network."""
    v = float(one_of(random, (0.5, 0.8, 1.2, 1.5, 2.0, -1.5)))
    z = random.choice(np.arange(-9, 10), 3, replace=False) / 10
    slopes = 1 - z**2
    mistakes = {
        "weight": float(slopes.prod()),
        "slopes": v**3,
        "last": v * slopes[2],
        "sum": float((v * slopes).sum()),
    }
    values = {"v": v, "z": z, "slopes": slopes, "first": v * slopes[0]}
    return Drawn(Number(0.005), v**3 * float(slopes.prod()), mistakes, values)


@RECURRENT.exercise("gate-step", _MEMORY, section="Gates")
def gate_step(random: Random) -> Drawn:
    """Mix the old state with a candidate by a gate."""
    z, candidate = whole(random, 3, -5, 5), whole(random, 3, -5, 5)
    g = random.permutation([0.0, 1.0, float(one_of(random, (0.25, 0.5, 0.75, 0.2)))])
    mistakes = {"turned": (1 - g) * z + g * candidate, "kept": g * z, "added": g * z + candidate}
    values = {"g": g, "z": z, "c": candidate, "keep": g * z, "new": (1 - g) * candidate}
    return Drawn(Numbers((3,), 0.001), g * z + (1 - g) * candidate, mistakes, values)


@RECURRENT.exercise("lstm-step", _MEMORY, section="Gates")
def lstm_step(random: Random) -> Drawn:
    """Go one step of an LSTM with given gates."""
    i, f, o = random.choice(np.arange(1, 10), 3, replace=False) / 10
    c, candidate = _halves(random), float(random.integers(-9, 10)) / 10
    cell = f * c + i * candidate
    mistakes = {
        "swapped": np.array([i * c + f * candidate, o * np.tanh(i * c + f * candidate)]),
        "tanh": np.array([cell, o * cell]),
        "gate": np.array([cell, np.tanh(cell)]),
        "plain": np.array([c + i * candidate, o * np.tanh(c + i * candidate)]),
    }
    values = {"i": i, "f": f, "o": o, "c": c, "a": candidate, "cell": cell}
    return Drawn(Numbers((2,), 0.005), np.array([cell, o * np.tanh(cell)]), mistakes, values)


@RECURRENT.exercise("keep-a-bit", _MEMORY, section="Gates")
def keep_a_bit(random: Random) -> Drawn:
    """Choose gates so that an LSTM keeps a number."""
    steps, c = int(random.integers(8, 41)), float(one_of(random, (1.0, -1.0)))

    def job(gates: np.ndarray) -> Said | None:
        i, f, o = gates
        if gates.min() < 0 or gates.max() > 1:
            return "range"
        if f**steps < 0.9:
            return "forgets", {"left": f**steps}
        cell = c
        for _ in range(steps):  # the worst that can come
            cell = f * cell - i * c
            if abs(cell - c) > 0.15:
                return "overwritten", {"found": cell}
        return None if o >= 0.9 else ("hidden", {"found": o * math.tanh(cell)})

    mistakes = {
        "forgets": np.array([0.0, 0.5, 1.0]),
        "overwritten": np.array([1.0, 1.0, 1.0]),
        "hidden": np.array([0.0, 1.0, 0.0]),
        "range": np.array([-5.0, 5.0, 5.0]),
    }
    values = {"n": steps, "c": c, "shown": math.tanh(c)}
    return Drawn(Numbers((3,)), np.array([0.0, 1.0, 1.0]), mistakes, values, job=job)


@RECURRENT.exercise("half-life", _MEMORY, section="Gates")
def half_life(random: Random) -> Drawn:
    """Find the gate, and its bias, that halve a state after so many steps."""
    steps = int(random.integers(2, 30))
    g = 0.5 ** (1 / steps)
    mistakes = {
        "share": np.array([0.5 / steps, math.log(0.5 / steps / (1 - 0.5 / steps))]),
        "linear": np.array([1 - 0.5 / steps, math.log((1 - 0.5 / steps) / (0.5 / steps))]),
        "sign": np.array([g, math.log((1 - g) / g)]),
        "gate": np.array([g, g]),
    }
    right = np.array([g, math.log(g / (1 - g))])
    return Drawn(Numbers((2,), 0.004), right, mistakes, {"n": steps, "g": g})


@RECURRENT.exercise("mgu-step", _MEMORY, section="Gates")
def mgu_step(random: Random) -> Drawn:
    """Go two steps of an MGU with one unit."""
    kernel, recurrent = (
        np.array([[_halves(random), _halves(random)]]),
        np.array([[_halves(random), _halves(random)]]),
    )
    x = whole(random, (2, 1), -2, 2, zero=False)
    found = layer_values("mgu", LayerWeights(kernel, recurrent, np.zeros(2)), x)
    h, f, a = (found[name][:, 0] for name in ("hidden", "forget", "candidate"))
    whole_state = float(np.tanh(x[1, 0] * kernel[0, 1] + h[0] * recurrent[0, 1]))
    mistakes = {
        "turned": float(f[1] * h[0] + (1 - f[1]) * a[1]),
        "ungated": float((1 - f[1]) * h[0] + f[1] * whole_state),
        "first": float(h[0]),
        "candidate": float(a[1]),
    }
    values = dict(zip(("wf", "wa", "uf", "ua"), [*kernel[0], *recurrent[0]], strict=True))
    values |= {"x": x[:, 0], "f1": f[0], "a1": a[0], "h1": h[0], "f2": f[1], "a2": a[1]}
    return Drawn(Number(0.005), float(h[1]), mistakes, values)

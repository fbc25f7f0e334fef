"""Whether a format is to be had, and whether a network in it answers as the trained one: run by its own runtime."""

from __future__ import annotations

import importlib.util
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any, get_args

import numpy as np

from data_prep.errors import InputError
from models.export.formats import FORMATS, QUANTIZED, Format, Quantize, signature_of

if TYPE_CHECKING:
    import keras

Arrays = dict[str, np.ndarray]

TOLERANCE = 1e-3  # of the largest output; 8-bit weights are judged by the answers
SAME_ANSWERS = 0.95  # of 8-bit weights, at least


@dataclass(frozen=True)
class Difference:
    """How far a written network is from the trained one.

    Args:
        inputs: How many were compared.
        largest: The largest difference of an output.
        output: The largest output.
        same: Share of places at which the largest output is the same one, 0 to 1.
    """

    inputs: int
    largest: float
    output: float
    same: float


def check_format(form: str, quantize: str | None) -> None:
    """Refuse a format that there is not, that is not installed, or that has no such numbers, and another backend.

    Raises:
        InputError: It is one of these.
    """
    if form not in FORMATS:
        raise InputError("There is no such format", allowed=", ".join(FORMATS), received=form)
    if quantize not in (None, *get_args(Quantize)):
        raise InputError("Weights are quantised to int8, or not at all", received=quantize)
    if quantize and form not in QUANTIZED:
        raise InputError(f"{form} keeps float32", allowed=f"--quantize with {' or '.join(QUANTIZED)}")
    if missing := [name for name in FORMATS[form]["needs"] if importlib.util.find_spec(name) is None]:
        raise InputError(
            f"The format {form} needs {' and '.join(missing)}, which is not installed",
            remedy="Install the extra, in the checkout: pip install '.[export]'",
        )
    import keras

    if (backend := keras.backend.backend()) != "tensorflow":
        raise InputError(
            "Keras runs on another backend",
            allowed="tensorflow",
            received=backend,
            remedy="Unset KERAS_BACKEND",
        )


def runner(folder: Path, form: Format) -> Callable[[Arrays], Arrays]:
    """Open what was written, by the lines that its README has: a function of inputs to outputs by name."""
    told = FORMATS[form]
    names: dict[str, Any] = {}
    exec(told["code"].replace(f'"{told["file"]}"', repr(str(folder / told["file"]))), names)
    return names["run"]


def compare(
    trained: keras.Model,
    run: Callable[[Arrays], Arrays],
    batches: Iterable[Mapping[str, np.ndarray]],
    inputs: int,
) -> Difference:
    """Answer batches, of so many inputs together, by a trained network and by what was written of it."""
    places, same, largest, output = 0, 0, 0.0, 0.0
    answer = _traced(trained)
    for batch in batches:
        wanted, found = answer(dict(batch)), run(dict(batch))
        for name, array in wanted.items():
            if found[name].shape != array.shape or not np.isfinite(found[name]).all():
                return Difference(inputs, np.inf, output, 0.0)
            largest = max(largest, float(np.abs(found[name] - array).max(initial=0)))
            output = max(output, float(np.abs(array).max(initial=0)))
            agree = found[name].argmax(-1) == array.argmax(-1)
            places, same = places + agree.size, same + int(agree.sum())
    return Difference(inputs, largest, output, same / max(places, 1))


def check_difference(found: Difference, quantize: Quantize | None) -> None:
    """Refuse what answers otherwise.

    Raises:
        InputError: It does.
    """
    far = found.same < SAME_ANSWERS if quantize else not found.largest <= TOLERANCE * max(found.output, 1.0)
    if far:
        raise InputError(
            f"The exported network answers otherwise than the trained one, so it is not kept: {found.inputs} inputs, "
            f"largest difference {found.largest:.3g} of {found.output:.3g}, {found.same:.1%} the same answers",
            allowed=f"{SAME_ANSWERS:.0%} the same answers"
            if quantize
            else f"{TOLERANCE:g} of the largest output",
        )


def _traced(trained: keras.Model) -> Callable[[Arrays], Arrays]:
    """Compile a network as it is, with the names of ``models.export.plain.plain`` for its outputs."""
    import tensorflow as tf

    from models.export.plain import named

    @tf.function(input_signature=[signature_of(trained)])
    def answer(inputs: Any) -> Any:
        given = inputs if isinstance(trained.input, Mapping) else next(iter(inputs.values()))
        found = trained(given, training=False)
        return named(trained, found)

    return lambda inputs: {name: found.numpy() for name, found in answer(inputs).items()}

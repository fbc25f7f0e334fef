"""The golden answer of a preset: a stored input with the output that the stored weights gave.

Checksums cannot tell that two layers of one shape were swapped, or that the code of the network has changed.
"""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import numpy as np

from data_prep.array_files import check_specs, half_precision, read_arrays, read_specs, specs_of, write_arrays
from data_prep.errors import InputError
from models.presets.kinds import Arrays
from models.serving.blas_threads import one_blas_thread
from models.storage.folders import REMEDY

TOLERANCE = {"relative": 1e-3, "absolute": 1e-3}  # other processors sum in another order
STORAGE_TOLERANCE = {"float32": 1e-3, "float16": 2e-2}  # of the largest output

Answer = Callable[[Arrays, Arrays], Arrays]


def write_golden(path: Path, answer: Answer, weights: Arrays, dtype: str, golden: Arrays) -> None:
    """Store the answer that the stored weights give, where it is near that of the given ones; else raise ValueError."""
    after = answer(half_precision(weights) if dtype == "float16" else weights, golden)
    before = answer(weights, golden)
    for name, output in after.items():
        largest = max(float(np.abs(before[name]).max(initial=0)), 1e-6)
        moved = float(np.abs(output - before[name]).max(initial=0)) / largest
        if not moved <= STORAGE_TOLERANCE[dtype]:
            raise ValueError(
                f"Stored as {dtype}, the golden output {name!r} moves by {moved:.2g} of its largest value."
            )
    arrays = {f"input/{name}": np.asarray(array) for name, array in golden.items()}
    write_arrays(path, arrays | {f"output/{name}": array for name, array in after.items()})


def check_golden(path: Path, answer: Answer, weights: Arrays) -> None:
    """Refuse loaded weights, or a file, whose stored input is not answered with the stored output."""
    arrays = read_arrays(path, read_specs(path))
    inputs = {name[6:]: array for name, array in arrays.items() if name.startswith("input/")}
    stored = {name: array for name, array in arrays.items() if name.startswith("output/")}
    if not inputs or not stored:
        raise InputError(f"{path} holds no golden input or output", remedy=REMEDY)
    try:
        with one_blas_thread():
            found = {f"output/{name}": array for name, array in answer(weights, inputs).items()}
    except Exception as error:  # a made-up golden input can fail anywhere inside the network
        raise InputError(f"{path}: the golden input cannot be answered ({error!r:.200})") from error
    check_specs(path, specs_of(found), specs_of(stored))
    for name, array in stored.items():
        if not np.allclose(found[name], array, rtol=TOLERANCE["relative"], atol=TOLERANCE["absolute"]):
            largest = float(np.abs(found[name] - array).max())
            raise InputError(
                f"The weights in {path.parent} do not give the stored answer: {name} is off by {largest:.3g}",
                remedy=REMEDY,
            )

"""Keras loads alone where a program asks for it, and everything else can be imported afterwards."""

from __future__ import annotations

import subprocess
import sys

from tests.conftest import ROOT

PROGRAM = """
import sys
from models.lean_keras import import_keras_lean
import_keras_lean()
import keras, numpy
assert not {"IPython", "pandas", "sklearn"} & set(sys.modules)
model = keras.Sequential([keras.layers.Dense(1)])
model.compile("sgd", "mse")
model.fit(numpy.zeros((4, 2)), numpy.zeros(4), verbose=0)
import IPython, pandas, sklearn
assert len(pandas.DataFrame({"a": [1, 2]})) == 2
"""


def test_keras_looks_for_nothing_where_it_is_asked_to() -> None:
    done = subprocess.run(
        [sys.executable, "-c", PROGRAM], cwd=ROOT, capture_output=True, text=True, timeout=120
    )
    assert done.returncode == 0, done.stderr
    assert "absl" not in done.stderr and "cudart" not in done.stderr

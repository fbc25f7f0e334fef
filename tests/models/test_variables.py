"""Variables of a model as named arrays."""

from __future__ import annotations

import keras
import pytest

from models.storage.variables import assign_arrays, stable_paths, variable_arrays
from tests.models.training_run import INPUTS, build


def test_names_of_variables_do_not_depend_on_what_was_built_before():
    def network():
        inputs = keras.Input((4, 3))
        hidden = keras.layers.Bidirectional(keras.layers.LSTM(2, dropout=0.1))(inputs)
        return keras.Sequential([keras.Model(inputs, keras.layers.Dense(3)(hidden)), keras.layers.Dense(3)])

    first, second = network(), network()
    first(INPUTS[:2, None, :3].repeat(4, 1))
    second(INPUTS[:2, None, :3].repeat(4, 1))
    assert [v.path for v in first.variables] != [v.path for v in second.variables]
    assert stable_paths(first.variables) == stable_paths(second.variables)


def test_wrong_arrays_are_not_assigned():
    model = build()
    arrays = variable_arrays(model.weights)
    arrays["dense/kernel"] = arrays["dense/kernel"].T
    with pytest.raises(ValueError, match=r"'dense/kernel' is float32\[12, 6\] instead of float32\[6, 12\]"):
        assign_arrays(model.weights, arrays)

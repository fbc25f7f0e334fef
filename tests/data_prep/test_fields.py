from __future__ import annotations

from dataclasses import dataclass
from typing import Any, Literal

import pytest

from data_prep.errors import InputError
from data_prep.fields import Checked, Count, Rate, Share


@dataclass(frozen=True)
class Settings(Checked):
    epochs: Count = 3
    dropout: Share = 0.0
    rate: Rate = 0.1
    widths: tuple[Count, ...] = (1, 2)
    cell: Literal["lstm", "gru"] = "lstm"
    most: Count | None = None


def test_values_within_bounds_are_taken() -> None:
    assert Settings(epochs=1, dropout=0.5, widths=(), cell="gru", most=2).most == 2


@pytest.mark.parametrize(
    ("wrong", "allowed"),
    [
        ({"epochs": 0}, "greater than or equal to 1"),
        ({"epochs": 1.5}, "a whole number"),
        ({"epochs": True}, "a whole number"),
        ({"dropout": 1.0}, "less than 1"),
        ({"dropout": float("nan")}, "a finite number"),
        ({"rate": 0.0}, "greater than 0"),
        ({"widths": (2, 0)}, "greater than or equal to 1"),
        ({"cell": "rnn"}, "'lstm' or 'gru'"),
        ({"most": 0}, "greater than or equal to 1"),
    ],
)
def test_a_value_outside_is_named(wrong: dict[str, Any], allowed: str) -> None:
    (name, value) = next(iter(wrong.items()))
    with pytest.raises(InputError, match=f"^{name} does not fit") as error:
        Settings(**wrong)
    assert error.value.allowed == allowed
    assert error.value.received is value

"""Recurrent networks that tests go through: every cell, with several layers and members."""

from __future__ import annotations

import pytest

from models.layers.cells import CELLS
from tests.repeated import slow_but

SHAPES = ((1, 1), (3, 1), (2, 2))
each_recurrent = pytest.mark.parametrize(
    ("cell", "layers", "members"),
    slow_but(
        {("lstm", 3, 1), *((cell, 2, 2) for cell in CELLS)},
        [(cell, *shape) for cell in CELLS for shape in SHAPES],
    ),
)

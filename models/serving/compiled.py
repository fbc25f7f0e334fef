"""Loops over arrays as machine code for the processor at hand: Numba compiles them once and keeps them.

Only for what no call of NumPy does well: small products step by step, and updates of single rows. Importing this
costs 0.3 s, so whoever needs it imports it where it is needed.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numba
import numpy as np

# Sums may be taken in any order, so that they use the processor's vectors; infinite values stay what they are.
_FAST = {"reassoc", "contract", "arcp", "nsz"}
OPTIONS = {"nogil": True, "fastmath": _FAST, "error_model": "numpy"}


def compiled(function: Callable[..., Any]) -> Callable[..., Any]:
    """Compile a function of arrays and numbers at its first call; other threads go on while it runs.

    The machine code is kept beside the function's file, or else in the user's cache; where neither can be written
    (an installation without a home folder) it is compiled at every start.
    """
    try:
        return numba.njit(cache=True, **OPTIONS)(function)
    except RuntimeError:  # no place to keep it
        return numba.njit(**OPTIONS)(function)


# A quotient of polynomials that is tanh to the last bits of float32; beyond the limit tanh is 1.
_LIMIT = np.float32(7.905311)
_A1, _A3, _A5, _A7 = map(np.float32, (4.8935246e-03, 6.3726195e-04, 1.4857224e-05, 5.122297e-08))
_A9, _A11, _A13 = map(np.float32, (-8.604672e-11, 2.000188e-13, -2.7607685e-16))
_B0, _B2, _B4, _B6 = map(np.float32, (4.893525e-03, 2.2684346e-03, 1.1853471e-04, 1.1982584e-06))


@compiled
def tanh(x):  # type: ignore[no-untyped-def]
    """Return tanh as a ratio of polynomials (Eigen's), exact to some units of float32: vectors of numbers take it."""
    x = min(max(x, -_LIMIT), _LIMIT)
    s = x * x
    above = (((((_A13 * s + _A11) * s + _A9) * s + _A7) * s + _A5) * s + _A3) * s + _A1
    below = ((_B6 * s + _B4) * s + _B2) * s + _B0
    return x * above / below


@compiled
def sigmoid(x):  # type: ignore[no-untyped-def]
    """Return 1 / (1 + exp(-x)), as exact as ``tanh``."""
    return np.float32(0.5) * tanh(np.float32(0.5) * x) + np.float32(0.5)

"""Loops over arrays as machine code for the processor at hand: Numba compiles them once and keeps them.

Only for what no call of NumPy does well: small products step by step, and updates of single rows. Importing this
costs 0.3 s, so whoever needs it imports it where it is needed.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numba

# Sums may be taken in any order, so that they use the processor's vectors; infinite values stay what they are.
_FAST = {"reassoc", "contract", "arcp", "nsz"}


def compiled(function: Callable[..., Any]) -> Callable[..., Any]:
    """Compile a function of arrays and numbers at its first call; other threads go on while it runs.

    The machine code is kept beside the function's file, or else in the user's cache; where neither can be written
    (an installation without a home folder) it is compiled at every start.
    """
    try:
        return numba.njit(cache=True, nogil=True, fastmath=_FAST, error_model="numpy")(function)
    except RuntimeError:  # no place to keep it
        return numba.njit(nogil=True, fastmath=_FAST, error_model="numpy")(function)

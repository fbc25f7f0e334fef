"""Memory that a thread uses again and again: fresh memory costs a page fault for every 4 KiB that is touched."""

from __future__ import annotations

import math
import threading

import numpy as np

_LARGEST = 1 << 22  # numbers of an array that is kept


class Workspace(threading.local):
    """Named float32 arrays, each thread its own; what is in them from the last use is not cleared."""

    def __init__(self) -> None:
        self._kept: dict[str, np.ndarray] = {}

    def array(self, name: str, *shape: int) -> np.ndarray:
        """Return a float32 array of this shape, any values; it is the caller's until it asks for the name again."""
        size = math.prod(shape)
        if size > _LARGEST:
            return np.empty(shape, np.float32)
        kept = self._kept.get(name)
        if kept is None or kept.size < size:
            kept = self._kept[name] = np.empty(size, np.float32)
        return kept[:size].reshape(shape)

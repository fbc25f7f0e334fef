"""Work that is watched for changes of names in its folder, and killed before one of them."""

from __future__ import annotations

import ctypes
import mmap
import os
import signal
import sys
from collections.abc import Callable
from typing import Any

_WRITES = os.O_WRONLY | os.O_RDWR | os.O_CREAT
_CHANGES = frozenset({"open", "os.mkdir", "os.rename", "os.remove", "os.rmdir"})


def counter() -> ctypes.c_long:
    """Return a number that forks share."""
    return ctypes.c_long.from_buffer(mmap.mmap(-1, ctypes.sizeof(ctypes.c_long)))


def counted(work: Callable[[], None], seen: ctypes.c_long, last: int = 0) -> Callable[[], None]:
    """Return work that counts what Python opens to write, makes, renames and removes in the working folder.

    Args:
        work: For a fork: what counts cannot be taken away again.
        seen: Counter of the changes, from 0 on.
        last: Number of the change before which the process ends by SIGKILL, with its group; 0 for none.
    """

    def begin() -> None:
        folder = os.path.join(os.getcwd(), "")
        seen.value = 0

        def look(event: str, arguments: tuple[Any, ...]) -> None:
            if event not in _CHANGES or (event == "open" and not arguments[2] & _WRITES):
                return
            path = arguments[0]
            if not isinstance(path, int) and os.path.join(folder, os.fsdecode(path)).startswith(folder):
                seen.value += 1
                if seen.value == last:
                    os.killpg(0, signal.SIGKILL)

        sys.addaudithook(look)
        work()

    return begin

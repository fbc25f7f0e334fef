"""How many threads NumPy's matrix products take.

The products of a small network last microseconds. Threads that wait for each other around each of them cost more
than they save, and many times more on a busy machine: there a product waits for the slowest thread. So serving
takes one thread a product, and several for parts of a large input that do not depend on each other.
"""

from __future__ import annotations

import functools
import os
import threading
from collections.abc import Callable, Iterable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from typing import Any, TypeVar

from threadpoolctl import OpenBLASController, ThreadpoolController

Part = TypeVar("Part")
Answer = TypeVar("Answer")

_lock = threading.Lock()
_users = 0
_limits: Any = None


@contextmanager
def one_blas_thread() -> Iterator[int]:
    """Hold matrix products to one thread; yields how many threads a product took before, at least 1.

    The setting is the process's, not the thread's: the first user sets it, the last one puts it back. threadpoolctl
    lets one thread do so and leaves calls of others without effect until it is told that this one is done.
    """
    global _users, _limits
    with _lock:
        if not _users:
            OpenBLASController.clear_controlling_thread(force=True)
            _limits = _libraries().limit(limits=1, user_api="blas")
        _users += 1
        allowed = _limits.get_original_num_threads()["blas"] or 1
    try:
        yield allowed
    finally:
        with _lock:
            _users -= 1
            if not _users:
                OpenBLASController.clear_controlling_thread(force=True)
                _limits.restore_original_limits()


def in_threads(work: Callable[[Part], Answer], parts: Iterable[Part], threads: int) -> Iterator[Answer]:
    """Work on parts, at most so many at a time as there are threads and cores, inside :func:`one_blas_thread`.

    The answers come in the order of the parts.
    """
    parts = list(parts)
    threads = min(threads, len(parts), usable_cores())
    if threads < 2:
        yield from map(work, parts)
        return
    with ThreadPoolExecutor(threads, "lectern-blas") as pool:
        yield from pool.map(work, parts)


@functools.cache
def _libraries() -> ThreadpoolController:
    """Return the libraries that are loaded; NumPy's for matrix products is, from its import on."""
    import numpy  # noqa: F401

    return ThreadpoolController()


def usable_cores() -> int:
    """Return the number of cores that this process is not kept from."""
    if hasattr(os, "sched_getaffinity"):
        return len(os.sched_getaffinity(0))
    return os.cpu_count() or 1

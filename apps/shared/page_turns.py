"""Turns of visitors: one page is drawn at a time, in the order in which they were asked for."""

from __future__ import annotations

import time
from collections import deque
from collections.abc import Iterator
from contextlib import contextmanager
from threading import Condition, local

LONGEST = 0.25  # seconds that one visitor's page keeps the others waiting; it goes on beside them then


class _Drawing(local):
    has_turn = False


_drawing = _Drawing()
_free = Condition()
_waiting: deque[object] = deque()
_now: list[tuple[object, float]] = []  # who has the turn, and since when; none or one


@contextmanager
def turn() -> Iterator[None]:
    """Wait for the turn: Python draws all pages on one core, and all at once they are each as late as the last one."""
    if _drawing.has_turn:  # a section within its page
        yield
        return
    me = object()
    _take(me)
    _drawing.has_turn = True
    try:
        yield
    finally:
        _drawing.has_turn = False
        with _free:
            _now[:] = [one for one in _now if one[0] is not me]
            _free.notify_all()


def _take(me: object) -> None:
    with _free:
        _waiting.append(me)
        while True:
            left = _now[0][1] + LONGEST - time.monotonic() if _now else 0.0
            if _waiting[0] is me and left <= 0:
                break
            _free.wait(left if _waiting[0] is me else None)
        _waiting.popleft()
        _now[:] = [(me, time.monotonic())]
        _free.notify_all()

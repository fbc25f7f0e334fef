"""Turns of visitors: in order, one at a time, and nobody waits long for one who takes long."""

from __future__ import annotations

import time
from threading import Event, Thread

import pytest

from apps.shared import page_turns
from apps.shared.page_turns import turn


def drawn_by(count: int, seconds: float) -> tuple[list[int], list[int]]:
    """Let visitors come one after the other while one has the turn: their order, and how many drew at once."""
    order, together, drawing = [], [], []

    def draw(number: int) -> None:
        with turn(), turn():  # a section within its page
            drawing.append(number)
            order.append(number)
            together.append(len(drawing))
            time.sleep(seconds)
            drawing.remove(number)

    with turn():
        threads = [Thread(target=draw, args=(number,)) for number in range(count)]
        for thread in threads:
            thread.start()
            time.sleep(0.005)
    for thread in threads:
        thread.join(10)
    return order, together


def test_visitors_are_drawn_one_at_a_time_in_their_order(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(page_turns, "LONGEST", 60.0)
    assert drawn_by(8, 0.01) == (list(range(8)), [1] * 8)


def test_nobody_waits_long_for_one_who_takes_long(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(page_turns, "LONGEST", 0.05)
    ends, began = Event(), Event()

    def draw() -> None:
        with turn():
            began.set()
            ends.wait(30)

    thread = Thread(target=draw)
    thread.start()
    assert began.wait(30)
    with turn():  # while the other one goes on
        assert thread.is_alive()
        ends.set()
        thread.join(30)
        assert page_turns._now  # his end is not that of this turn
    assert not page_turns._now and not page_turns._waiting


def test_a_turn_ends_with_an_error() -> None:
    with pytest.raises(ValueError, match="no page"), turn():
        raise ValueError("no page")
    with turn():
        pass
    assert not page_turns._now

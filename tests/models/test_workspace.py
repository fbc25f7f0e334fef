"""Memory that is used again."""

from __future__ import annotations

import threading

import numpy as np

from models.serving import workspace
from models.serving.workspace import Workspace


def test_the_same_name_gives_the_same_memory_and_another_name_another() -> None:
    room = Workspace()
    first = room.array("one", 3, 4)
    assert first.shape == (3, 4) and first.dtype == np.float32
    assert np.shares_memory(first, room.array("one", 2, 5))
    assert not np.shares_memory(first, room.array("other", 3, 4))
    assert room.array("one", 40, 40).shape == (40, 40)


def test_threads_share_nothing() -> None:
    room, found = Workspace(), []
    thread = threading.Thread(target=lambda: found.append(room.array("one", 8)))
    thread.start()
    thread.join()
    assert not np.shares_memory(room.array("one", 8), found[0])


def test_large_arrays_are_not_kept(monkeypatch) -> None:
    monkeypatch.setattr(workspace, "_LARGEST", 10)
    room = Workspace()
    assert not np.shares_memory(room.array("one", 11), room.array("one", 11))
    assert np.shares_memory(room.array("one", 10), room.array("one", 10))

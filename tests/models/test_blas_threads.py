"""Serving with one thread a matrix product."""

from __future__ import annotations

import threading

import pytest

from models.serving import blas_threads
from models.serving.blas_threads import in_threads, one_blas_thread


class Library:
    """Stands for a library of matrix products."""

    def __init__(self, threads: int) -> None:
        self.threads = threads

    def get_num_threads(self) -> int:
        return self.threads

    def set_num_threads(self, threads: int) -> None:
        self.threads = threads


@pytest.fixture
def library(monkeypatch: pytest.MonkeyPatch) -> Library:
    library = Library(4)
    monkeypatch.setattr(blas_threads, "_libraries", lambda: [library])
    return library


def test_one_thread_inside_and_as_before_behind(library: Library) -> None:
    with one_blas_thread() as allowed:
        assert (allowed, library.threads) == (4, 1)
    assert library.threads == 4


def test_the_last_one_puts_it_back(library: Library) -> None:
    first, second = one_blas_thread(), one_blas_thread()
    assert first.__enter__() == second.__enter__() == 4
    first.__exit__(None, None, None)
    assert library.threads == 1, "the second one still works"
    second.__exit__(None, None, None)
    assert library.threads == 4


def test_put_back_after_an_error(library: Library) -> None:
    with pytest.raises(ZeroDivisionError), one_blas_thread():
        _ = 1 / 0
    assert library.threads == 4


def test_numpy_has_a_library_that_is_found() -> None:
    before = [one.get_num_threads() for one in blas_threads._libraries()]
    if not before:
        pytest.skip("this NumPy's library for matrix products has no number of threads to set")
    with one_blas_thread():
        assert {one.get_num_threads() for one in blas_threads._libraries()} == {1}
    assert [one.get_num_threads() for one in blas_threads._libraries()] == before


@pytest.mark.parametrize("threads", [1, 3])
def test_answers_come_in_the_order_of_the_parts(threads: int, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(blas_threads, "usable_cores", lambda: 8)
    seen = set()

    def work(part: int) -> int:
        seen.add(threading.current_thread().name)
        return part * part

    assert list(in_threads(work, range(20), threads)) == [part * part for part in range(20)]
    assert ("MainThread" in seen) == (threads == 1) and len(seen) <= threads
    assert list(in_threads(work, [], threads)) == []


def test_an_error_in_a_thread_is_the_callers(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(blas_threads, "usable_cores", lambda: 8)
    with pytest.raises(ZeroDivisionError):
        list(in_threads(lambda part: 1 / part, [1, 0, 2], 2))

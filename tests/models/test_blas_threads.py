"""Serving with one thread a matrix product."""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterator

import pytest

from models.serving import blas_threads
from models.serving.blas_threads import in_threads, one_blas_thread


@pytest.fixture
def threads() -> Iterator[Callable[[], set[int]]]:
    """What each loaded library for matrix products takes; four threads to begin with."""
    libraries = blas_threads._libraries().select(user_api="blas").lib_controllers
    if not libraries:
        pytest.skip("this NumPy's library for matrix products has no number of threads to set")
    with blas_threads._libraries().limit(limits=4, user_api="blas"):
        yield lambda: {library.get_num_threads() for library in libraries}


def test_one_thread_inside_and_as_before_behind(threads: Callable[[], set[int]]) -> None:
    with one_blas_thread() as allowed:
        assert (allowed, threads()) == (4, {1})
    assert threads() == {4}


def test_the_last_one_puts_it_back(threads: Callable[[], set[int]]) -> None:
    first, second = one_blas_thread(), one_blas_thread()
    assert first.__enter__() == second.__enter__() == 4
    first.__exit__(None, None, None)
    assert threads() == {1}, "the second one still works"
    second.__exit__(None, None, None)
    assert threads() == {4}


def test_another_thread_takes_one_too(threads: Callable[[], set[int]]) -> None:
    found = []

    def work() -> None:
        with one_blas_thread() as allowed:
            found.append((allowed, threads()))

    thread = threading.Thread(target=work)
    thread.start()
    thread.join()
    assert found == [(4, {1})] and threads() == {4}


def test_put_back_after_an_error(threads: Callable[[], set[int]]) -> None:
    with pytest.raises(ZeroDivisionError), one_blas_thread():
        _ = 1 / 0
    assert threads() == {4}


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

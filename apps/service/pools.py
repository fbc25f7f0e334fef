"""One pool of threads a model, with a bounded queue; requests that wait are answered together where that pays."""

from __future__ import annotations

import json
import math
import threading
import time
from collections import deque
from collections.abc import Callable, Sequence
from concurrent.futures import Future
from typing import Any, NamedTuple

from apps.service.metrics import Metrics
from apps.shared.results import Result
from data_prep.errors import InputError

_MOST_SECONDS_TO_WAIT = 60
_MEMORY = 0.9  # of the mean time of a request, for each further one


class Busy(Exception):
    """The queue is full: after so many seconds there is room again."""

    def __init__(self, seconds: int) -> None:
        super().__init__(seconds)
        self.seconds = seconds


class WrongItem(Exception):
    """One item of a request is wrong input: its place from 0, and the error."""

    def __init__(self, at: int, error: InputError) -> None:
        super().__init__(at, error)
        self.at, self.error = at, error


class Work(NamedTuple):
    """What a model does for items: a function of the application and a list of items, which gives a list of answers.

    Requests of equal work may be joined: their items go to the function as one list.
    """

    function: Callable[[Any, Sequence[Any]], Sequence[Any]]
    application: Any


class Job:
    """A request in the queue; its future gets one JSON text an item."""

    def __init__(self, work: Work, items: Sequence[Any]) -> None:
        self.work, self.items = work, items
        self.future: Future[list[str]] = Future()
        self.gone = threading.Event()  # set where nobody waits for the answer any more

    def drop(self) -> None:
        """Do no more for this request."""
        self.gone.set()
        self.future.cancel()


class Pool:
    """Threads that answer the requests to one model, in their order.

    Args:
        name: Of the model, for metrics.
        places: Requests that can wait.
        threads: How many answer at a time.
        most: Items that are answered together; 1 where joining requests does not pay.
        metrics: Where it is counted.
    """

    def __init__(self, name: str, places: int, threads: int, most: int, metrics: Metrics) -> None:
        self.name, self.places, self.most, self._metrics = name, places, most, metrics
        self._waiting: deque[Job] = deque()
        self._changed = threading.Condition()
        self._closed = False
        self._seconds = 0.0  # of a request, a mean in which late ones count most
        self._threads = [
            threading.Thread(target=self._run, name=f"{name} {at}", daemon=True) for at in range(threads)
        ]
        metrics.waiting.labels(name).set_function(lambda: len(self._waiting))
        for thread in self._threads:
            thread.start()

    def submit(self, work: Work, items: Sequence[Any]) -> Job:
        """Put a request into the queue.

        Raises:
            Busy: The queue is full.
        """
        job = Job(work, items)
        with self._changed:
            if len(self._waiting) >= self.places:  # those that nobody waits for make room
                self._waiting = deque(one for one in self._waiting if not one.gone.is_set())
            if len(self._waiting) >= self.places or self._closed:
                raise Busy(self._seconds_to_wait())
            self._waiting.append(job)
            self._changed.notify()
        return job

    def close(self) -> None:
        """Answer what waits, then end the threads."""
        with self._changed:
            self._closed = True
            self._changed.notify_all()
        for thread in self._threads:
            thread.join()

    def _seconds_to_wait(self) -> int:
        seconds = math.ceil(self._seconds * len(self._waiting) / len(self._threads))
        return min(max(1, seconds), _MOST_SECONDS_TO_WAIT)

    def _run(self) -> None:
        while jobs := self._next():
            begun = time.perf_counter()
            jobs = [job for job in jobs if job.future.set_running_or_notify_cancel()]
            if jobs:
                self._answer(jobs)
                seconds = (time.perf_counter() - begun) / len(jobs)
                self._seconds = (
                    _MEMORY * self._seconds + (1 - _MEMORY) * seconds if self._seconds else seconds
                )
                self._metrics.joined.labels(self.name).observe(sum(len(job.items) for job in jobs))

    def _next(self) -> list[Job]:
        """Wait for a request, and take those behind it that can be answered with it; empty at the end."""
        with self._changed:
            self._changed.wait_for(lambda: self._waiting or self._closed)
            if not self._waiting:
                return []
            jobs = [self._waiting.popleft()]
            count = len(jobs[0].items)
            while self._waiting and self._waiting[0].work == jobs[0].work:
                count += len(self._waiting[0].items)
                if count > self.most:
                    break
                jobs.append(self._waiting.popleft())
            return jobs

    def _answer(self, jobs: Sequence[Job]) -> None:
        try:
            if self.most > 1:
                try:
                    answers = iter(_answers(jobs[0].work, [item for job in jobs for item in job.items]))
                    for job in jobs:
                        job.future.set_result([next(answers) for _ in job.items])
                    return
                except InputError:
                    pass  # one by one, each request learns whether it was its own
            for job in jobs:
                _answer_alone(job)
        except Exception as error:  # a defect: whoever waits is told, and the thread lives on
            for job in jobs:
                if not job.future.done():
                    job.future.set_exception(error)


def _answer_alone(job: Job) -> None:
    found = []
    for at, item in enumerate(job.items):
        if job.gone.is_set():
            return
        try:
            found += _answers(job.work, [item])
        except InputError as error:
            job.future.set_exception(WrongItem(at, error))
            return
    job.future.set_result(found)


def _answers(work: Work, items: Sequence[Any]) -> list[str]:
    """Answer items, and write each answer as JSON: in the thread of the model, not in the shared one."""
    answers = work.function(work.application, items)
    return [json.dumps(_plain(answer), allow_nan=False) for answer in answers]


def _plain(answer: Any) -> Any:
    if isinstance(answer, Result):
        return answer.to_dict()
    return [one.to_dict() for one in answer] if isinstance(answer, tuple) else answer

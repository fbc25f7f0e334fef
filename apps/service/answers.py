"""From a request to its answer: checked, put into the queue of its model, and dropped where the visitor leaves."""

from __future__ import annotations

import asyncio
import json
import logging
import threading
import time
from collections.abc import AsyncIterator, Awaitable, Callable, Sequence
from contextlib import suppress
from typing import Any, TypeVar

from fastapi import Request
from fastapi.responses import Response, StreamingResponse
from starlette.types import Receive, Scope, Send

from apps.service.bodies import Prompt, check_items
from apps.service.models import Models
from apps.service.pools import Work
from apps.service.refusals import of_input, refused
from apps.service.settings import Limits
from apps.service.uses import WRITE, Use, text_at_hand
from apps.writer.application import Writer
from data_prep.errors import InputError

_Found = TypeVar("_Found")
_CHUNK = 64  # tokens of an event
_log = logging.getLogger("uvicorn.error")


class Gone(Exception):
    """The visitor has left."""


class Answers:
    """Answers requests with models."""

    def __init__(self, limits: Limits, models: Models) -> None:
        self.limits, self.models = limits, models

    async def items(
        self,
        request: Request,
        use: Use,
        preset: str | None,
        field: str,
        items: Sequence[Any],
        function: Callable[[Any, Sequence[Any]], Sequence[Any]],
    ) -> Response:
        """Answer items of a field of a request, all of them or none: one answer an item, in their order.

        Raises:
            InputError: There are too few, too many or too long ones, or there is no such preset.
            WrongItem: One of them is wrong.
            Busy: The queue is full.
            Refused: It took too long.
        """
        check_items(items, self.limits, field)
        request.state.field = field
        begun = time.monotonic()
        model = await self._in_time(request, self.models.get(use, preset), begun)
        job = model.pool.submit(Work(function, model.application), items)
        try:
            found = await self._in_time(request, asyncio.wrap_future(job.future), begun)
        finally:
            job.drop()
        text = f'{{"preset": {json.dumps(model.name)}, "results": [{", ".join(found)}]}}'
        return Response(text, media_type="application/json")

    async def write(self, request: Request, body: Prompt) -> Response:
        """Write texts: as events, ``piece`` again and again, then ``done`` with the whole, or ``error``; or at once.

        Raises:
            InputError: The prompt or a setting does not fit.
            Busy: The queue is full.
            Refused: Nothing was written in time.
        """
        begun = time.monotonic()
        model = await self._in_time(request, self.models.get(WRITE, body.preset), begun)
        writing = _Writing(body)
        job = model.pool.submit(Work(writing.run, model.application), [None])
        try:
            name, first = await self._in_time(request, writing.events.get(), begun)
            if isinstance(first, Exception):
                raise first
        except BaseException:
            writing.gone.set()
            job.drop()
            raise
        if body.stream:
            return _Events(writing, self._events(writing, (name, first), begun))
        text = json.dumps({"preset": model.name, "results": first}, allow_nan=False)
        return Response(text, media_type="application/json")

    async def _events(self, writing: _Writing, event: tuple[str, Any], begun: float) -> AsyncIterator[str]:
        while True:
            name, data = event
            if isinstance(data, InputError):
                name, data = "error", {"error": of_input(data).problem.model_dump()}
            elif isinstance(data, Exception):
                _log.error("Writing failed", exc_info=data)
                name, data = "error", {"error": {"what": "The service failed; its log has the reason"}}
            yield f"event: {name}\ndata: {json.dumps(data, allow_nan=False)}\n\n"
            if name != "piece":
                return
            try:
                event = await asyncio.wait_for(writing.events.get(), self._left(begun))
            except TimeoutError:
                event = ("error", {"error": _late(self.limits).problem.model_dump()})

    def _left(self, begun: float) -> float:
        return begun + self.limits.seconds - time.monotonic()

    async def _in_time(self, request: Request, wanted: Awaitable[_Found], begun: float) -> _Found:
        """Wait for something, until the visitor leaves or the time is up."""
        task, leaving = asyncio.ensure_future(wanted), asyncio.ensure_future(_left_by(request))
        try:
            await asyncio.wait(
                {task, leaving}, timeout=self._left(begun), return_when=asyncio.FIRST_COMPLETED
            )
            if task.done():
                return task.result()
            if leaving.done():
                raise Gone
            raise _late(self.limits)
        finally:
            for one in (task, leaving):
                one.cancel()
                with suppress(BaseException):
                    await one


class _Writing:
    """Texts that are written in the thread of a pool; the events are read in the loop."""

    def __init__(self, body: Prompt) -> None:
        self._body, self._loop = body, asyncio.get_running_loop()
        self.events: asyncio.Queue[tuple[str, Any]] = asyncio.Queue()
        self.gone = threading.Event()

    def run(self, writer: Writer, nothing: Sequence[None]) -> Sequence[None]:
        """Write until the end, or until nobody reads any more."""
        try:
            if not self.gone.is_set():
                self._write(writer)
        except InputError as error:
            self._put("error", error)
        except Exception as error:
            self._put("error", error)
            raise
        return nothing

    def _write(self, writer: Writer) -> None:
        body, begun = self._body, time.perf_counter()
        texts = [""] * body.samples
        chunk = {"chunk": _CHUNK} if body.stream else {}
        for pieces in writer.streams(body.prompt, body.samples, **body.settings(), **chunk):
            if self.gone.is_set():
                return
            texts = [text + piece for text, piece in zip(texts, pieces, strict=True)]
            if body.stream:
                self._put("piece", {"text": pieces[0]})
        seconds, copies = time.perf_counter() - begun, text_at_hand()
        written = [writer.written(body.prompt, text, seconds, copies).to_dict() for text in texts]
        self._put("done", written[0] if body.stream else written)

    def _put(self, name: str, data: Any) -> None:
        with suppress(RuntimeError):  # the loop has ended
            self._loop.call_soon_threadsafe(self.events.put_nowait, (name, data))


class _Events(StreamingResponse):
    """Events of a writing, which ends where nobody reads them any more: also where nobody began to."""

    media_type = "text/event-stream"

    def __init__(self, writing: _Writing, events: AsyncIterator[str]) -> None:
        super().__init__(events)
        self._writing = writing

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        try:
            await super().__call__(scope, receive, send)
        finally:
            self._writing.gone.set()


async def _left_by(request: Request) -> None:
    while (await request.receive())["type"] != "http.disconnect":
        pass


def _late(limits: Limits) -> Any:
    return refused(
        503,
        "The answer took too long",
        allowed=f"{limits.seconds:g} s",
        remedy="Ask for less at once, or ask again later",
        headers={"Retry-After": "1"},
    )

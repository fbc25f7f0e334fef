"""The models that the service has opened, each with its pool; others are opened when they are asked for by name."""

from __future__ import annotations

import asyncio
import gc
import sys
from contextlib import suppress
from typing import Any, NamedTuple

from apps.service.metrics import Metrics
from apps.service.pools import Pool
from apps.service.settings import Limits
from apps.service.uses import USES, Use
from data_prep.errors import InputError
from models.presets.search import find_presets
from models.serving.blas_threads import usable_cores


class Model(NamedTuple):
    """An opened preset: its name, the application, and the pool that answers."""

    name: str
    application: Any
    pool: Pool


class Models:
    """All opened models.

    Attributes:
        opened: Whether those that are meant without a name are all there.
        failure: Why one of them is not.
    """

    def __init__(self, limits: Limits, metrics: Metrics) -> None:
        self._limits, self._metrics = limits, metrics
        self._tasks: dict[tuple[Use, str], asyncio.Task[Model]] = {}
        self.opened, self.failure = False, ""

    async def open_defaults(self) -> None:
        """Open the presets that are meant without a name, one after the other."""
        try:
            for use in USES:
                await self.get(use, None)
            gc.collect()
            gc.freeze()  # models are no garbage: a round of the collector over them would make visitors wait
            self.opened = True
        except Exception as error:
            self.failure = "a preset cannot be opened; the log has the reason"
            if not isinstance(error, InputError):
                raise  # a defect, with its traceback
            print(f"Error: {error}", file=sys.stderr, flush=True)

    async def get(self, use: Use, name: str | None) -> Model:
        """Return the model of a preset, by its name in the search path.

        Raises:
            InputError: There is no such preset of this kind, or it is damaged.
        """
        key = (use, name or use.preset)
        task = self._tasks.get(key)
        if task is None:
            task = self._tasks[key] = asyncio.create_task(asyncio.to_thread(self._open, *key))
            task.add_done_callback(lambda done: self._forget(key, done))
        return await asyncio.shield(task)  # others wait for it too, and a visitor may leave

    def close(self) -> None:
        """Answer what waits, then end all threads."""
        for task in tuple(self._tasks.values()):  # one that fails just now takes itself out
            if task.done() and not task.cancelled() and task.exception() is None:
                task.result().pool.close()

    def _forget(self, key: tuple[Use, str], task: asyncio.Task[Model]) -> None:
        if task.cancelled() or task.exception() is not None:
            self._tasks.pop(key, None)

    def _open(self, use: Use, name: str) -> Model:
        names = [preset.name for preset in find_presets(use.kind)]
        if name not in names:  # a folder is no name: a visitor does not choose what is read on this machine
            raise InputError("There is no preset of this name here", allowed=", ".join(names), received=name)
        application = use.open(name)
        with suppress(InputError):  # a preset of another language knows none of the words
            use.first(application)
        threads = usable_cores() if use.many_threads else 1
        return Model(name, application, Pool(name, self._limits.queue, threads, use.most, self._metrics))

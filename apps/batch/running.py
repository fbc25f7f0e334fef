"""A job on Ray Data: tasks read files part by part, workers with a model each answer; this process keeps the list."""

from __future__ import annotations

import json
import logging
import os
import secrets
import socket
import sys
import tempfile
import time
from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager, redirect_stdout
from dataclasses import asdict, replace
from pathlib import Path
from typing import Any

from apps.batch.answering import Order, Reader, Worker, checked
from apps.batch.job import Input, Job, Manifest, check_inputs, find_inputs
from apps.batch.results import Summary
from apps.batch.uses import USES, fingerprint
from data_prep.errors import InputError
from models.presets.search import resolve_preset
from models.serving.blas_threads import usable_cores

_HELD = 256 << 20  # bytes of parts that wait between reader and workers, on this machine
_READERS = 0.1  # of a core, as Ray counts
_CONNECT_SECONDS = 5.0
_MOST_TASKS = 10_000  # that read
_QUIET = {"RAY_USAGE_STATS_ENABLED": "0", "RAY_BACKEND_LOG_LEVEL": "fatal"}
# Without it Ray on Linux listens on all addresses of the machine, whatever address it is given.
_LOOPBACK = {"RAY_ENABLE_WINDOWS_OR_OSX_CLUSTER": "0"}
# What Ray measures and notes of itself: nobody looks at it here, and the workers share the cores with it.
_UNWATCHED = {
    "enable_metrics_collection": False,
    "event_stats": False,
    "task_events_report_interval_ms": 0,
    "io_context_monitor_probe_interval_ms": 60_000,
    "io_context_event_loop_lag_collection_interval_ms": 0,
}

Progress = Callable[[int, int, str], None]


def run(
    job: Job, folder: Path, *, workers: int | None, threads: int, address: str | None, progress: Progress
) -> Summary:
    """Do what is not done yet of a job.

    Args:
        job: What is asked, without its fingerprint.
        folder: Of the output.
        workers: How many; None for as many as this machine has cores for.
        threads: Of each worker.
        address: Of a Ray cluster; None for this machine.
        progress: Called with the documents done, about how many there are, and where the time went.

    Raises:
        InputError: Files, preset, folder or cluster do not do, or answers cannot be written.
    """
    began = time.time()
    inputs = find_inputs(job.pattern)
    job = replace(job, fingerprint=fingerprint(USES[job.use].open(job.preset)))
    workers = workers or max(1, usable_cores() // threads)
    manifest = Manifest(folder.absolute(), job)
    with manifest.opened():
        manifest.keep(inputs, job.form)
        check_inputs(inputs, manifest, job.column)
        todo = [one for one in inputs if not manifest.whole(one.name)]
        before, spent, first = manifest.counts["documents"], Counter(), None
        size = sum(one.size for one in inputs)
        if todo:
            # Workers on this machine may have another working folder; other machines look for the name.
            preset = str(resolve_preset(job.preset).absolute()) if job.preset and not address else job.preset
            order = Order(job, manifest.folder, threads, preset)
            with manifest.begun(), _cluster(address, workers * threads), _told():
                for record in _records(order, todo, manifest, workers):
                    manifest.add(record)
                    spent.update(record["seconds"])
                    first = min(first or record["begun"], record["begun"])
                    progress(*_state(manifest.counts, size, spent))
                end = time.time()  # what follows ends the cluster
        else:
            end = time.time()
        return Summary.of(manifest, inputs, before, (first or end) - began, end - began, dict(spent))


def _records(
    order: Order, todo: Sequence[Input], manifest: Manifest, workers: int
) -> Iterator[dict[str, Any]]:
    """Answer files, and give the record of each part once its answers are written."""
    import ray.data

    rows = [
        {"input": json.dumps(asdict(one)), "done": json.dumps(list(manifest.records.get(one.name, ())))}
        for one in todo
    ]
    for name in ("ray.data", "ray._private.ray_logging"):
        logging.getLogger(name).setLevel(logging.ERROR)
    context = ray.data.DataContext.get_current()
    context.enable_progress_bars = False
    context.target_max_block_size = 1  # a part is a block
    files = ray.data.from_items(rows, override_num_blocks=min(len(rows), _MOST_TASKS))
    readers = ray.data.TaskPoolStrategy(size=workers)
    parts = files.flat_map(Reader(order).__call__, num_cpus=_READERS, compute=readers)
    pool = ray.data.ActorPoolStrategy(size=workers, max_tasks_in_flight_per_actor=2)
    answered = parts.map(Worker, fn_constructor_args=(order,), num_cpus=order.threads, compute=pool)
    for row in answered.iter_rows():
        yield checked(row["record"])


@contextmanager
def _cluster(address: str | None, cores: int) -> Iterator[None]:
    """Connect to a cluster, or start one on this machine that nobody else reaches and that ends with this process."""
    if address:
        _reach(address)
    secret = {"RAY_AUTH_MODE": "token", "RAY_AUTH_TOKEN": secrets.token_hex(32)}
    os.environ.update(_QUIET if address else _QUIET | _LOOPBACK | secret)
    try:
        import ray
    except ImportError:
        install = "In the checkout: pip install --require-hashes -r requirements-ray.lock"
        raise InputError("Ray is not installed", remedy=install) from None
    quiet = {"log_to_driver": False, "logging_level": "ERROR", "configure_logging": True}
    with tempfile.TemporaryDirectory(prefix="ray-", ignore_cleanup_errors=True) as folder:
        here = {
            "num_cpus": cores + 1,  # one for the readers
            "include_dashboard": False,
            "object_store_memory": _HELD,
            "_temp_dir": folder,
            "_system_config": _UNWATCHED,
        }
        with redirect_stdout(sys.stderr):  # where Ray tells of workers that died
            try:
                ray.init(**({"address": address} if address else here), **quiet)
            except Exception as error:  # Ray raises that one itself
                raise InputError(f"Ray does not start: {str(error).splitlines()[0]}") from error
            if not address:  # nobody reads Ray's logs here
                ray._private.worker._global_node.kill_log_monitor(check_alive=False)
            try:
                yield
            finally:
                ray.shutdown()


def _reach(address: str) -> None:
    """Refuse an address at which nobody listens: Ray itself would wait for minutes."""
    host, _, port = address.rpartition(":")
    try:
        socket.create_connection((host, int(port)), _CONNECT_SECONDS).close()
    except (OSError, ValueError, OverflowError):
        raise InputError(
            "There is no Ray cluster at this address",
            allowed="HOST:PORT of ray start --head",
            received=address,
        ) from None


@contextmanager
def _told() -> Iterator[None]:
    """Make a message of what ends a cluster; a defect stays one."""
    from ray.exceptions import RayError, RayTaskError

    try:
        yield
    except RayTaskError:
        raise
    except RayError as error:
        raise InputError(
            f"Ray could not go on: {str(error).splitlines()[0]}", remedy="The same command goes on from there"
        ) from error


def _state(counts: Counter[str], size: int, spent: Counter[str]) -> tuple[int, int, str]:
    """Return the documents done, about how many there are by the bytes read, and the shares of the stages."""
    done, seconds = counts["documents"], sum(spent.values()) or 1.0
    shares = ", ".join(f"{name} {spent[name] / seconds:.0%}" for name in ("read", "answer", "write"))
    return done, max(done, round(done * size / max(1, counts["consumed"]))), shares

"""One network trained by several processes: Keras' ``DataParallel`` on JAX, with the numbers of one process.

Every process runs the same stages on the same data in the same order, each in a folder of its own; process 0 alone
writes what is kept. Between epochs a network lies in each process as ever. For an epoch its variables become arrays
that all processes share, every process is given the whole batch, and the compiled step cuts it: each device computes
its rows, and JAX adds up what belongs together (gradients, losses, statistics of batch norm). So a batch need not be a
multiple of the number of devices, nothing of it is dropped, and a mean is that of the whole batch, as with one process.

Sources: Keras, "Distributed training with JAX" (``keras.distribution``); JAX, "Multi-controller JAX"
(``jax.distributed``). XLA cuts arrays as in Xu et al. 2021, "GSPMD".
"""

from __future__ import annotations

import contextlib
import hashlib
import importlib.metadata
import io
import json
import socket
import time
import warnings
from collections.abc import Callable, Iterator, Mapping
from pathlib import Path
from typing import Any

import numpy as np

from data_prep.errors import InputError
from models.storage.variables import copy_values
from models.training.processes import LOOPBACK, Place
from models.training.recipe import differing

_ROOT = Path(__file__).resolve().parents[2]
_PACKAGES = ("apps", "data_prep", "lectern", "models")
_VERSIONS = ("keras", "jax", "jaxlib", "numpy")
_HEARTBEAT_SECONDS = 6  # without a sign of life: below the ten in which all have to end
_SECONDS_BETWEEN_TRIES = 0.2
_PLAIN = "plain values"

Made = tuple[Any, Mapping[str, np.ndarray]]


class Alone:
    """The only process of a training; what several do together costs it nothing."""

    process, of, is_first = 0, 1, True

    def agree(self, what: str, content: Mapping[str, Any]) -> None:
        """Compare what decides a training with that of process 0."""

    def from_first(self, make: Callable[[], Made]) -> Made:
        """Return what process 0 makes: plain values that JSON has, and arrays by name."""
        return make()

    def spread(self, model: Any) -> contextlib.AbstractContextManager[None]:
        """Hold a network's variables for an epoch so that all processes train it."""
        return contextlib.nullcontext()

    def leave(self) -> None:
        """End what is done together."""


class Together(Alone):
    """One of several processes, which have found each other.

    Args:
        place: Of this process.

    Raises:
        InputError: The coordinator does not answer in time, not all come, or one has other code or versions.
    """

    def __init__(self, place: Place) -> None:
        self.process, self.of, self.is_first = place.process, place.of, place.is_first
        _join(place)
        self._distribution = _every_device()
        self.agree("code", {**versions(), "code": code_checksum()})

    def agree(self, what: str, content: Mapping[str, Any]) -> None:
        """Refuse to train where this process or another one differs from process 0.

        Raises:
            InputError: What differs, and in which process.
        """
        told = [json.loads(text) for text in self._gathered(json.dumps(content, sort_keys=True))]
        for number, other in enumerate(told):
            if changes := differing(told[0], other):
                raise InputError(
                    f"Process {number} of {self.of} has another {what} than process 0: {', '.join(changes)}",
                    remedy="Give all processes the same code, the same requirements, options and data",
                )

    def from_first(self, make: Callable[[], Made]) -> Made:
        """Return what process 0 makes, the only one that calls ``make``."""
        from jax.experimental.multihost_utils import broadcast_one_to_all

        content = b""
        if self.is_first:
            plain, arrays = make()
            packed = io.BytesIO()
            np.savez(packed, allow_pickle=False, **{_PLAIN: json.dumps(plain)}, **arrays)
            content = packed.getvalue()
        size = int(broadcast_one_to_all(np.int32(len(content))))
        mine = np.frombuffer(content, np.uint8) if self.is_first else np.zeros(size, np.uint8)
        with np.load(
            io.BytesIO(np.asarray(broadcast_one_to_all(mine)).tobytes()), allow_pickle=False
        ) as file:
            arrays = {name: file[name] for name in file.files}
        return json.loads(str(arrays.pop(_PLAIN))), arrays

    @contextlib.contextmanager
    def spread(self, model: Any) -> Iterator[None]:
        """Hold the variables as arrays of all devices inside the block."""
        import jax

        if "train_step" not in vars(model):
            model.train_step = _cutting(model.train_step, self._distribution)
        metrics = set(map(id, model.metrics_variables))
        own = [variable for variable in model.variables if id(variable) not in metrics]
        own += model.optimizer.variables
        # On one device Keras takes arrays that are the same for a mix, which several processes would be refused for.
        warnings.filterwarnings("ignore", "Detected a mix of local", UserWarning)
        with self._distribution.scope():
            for variable in [*own, *model.metrics_variables]:
                sharding = self._distribution.get_variable_layout(variable).backend_layout
                (value,) = copy_values([variable])
                variable.assign(jax.make_array_from_process_local_data(sharding, value))
            try:
                yield
            finally:
                for variable, value in zip(own, copy_values(own), strict=True):
                    variable.assign(value)

    def leave(self) -> None:
        """Wait for all and part; what is computed after it is computed alone."""
        import jax

        jax.distributed.shutdown()

    def _gathered(self, text: str) -> list[str]:
        return [found.decode() for found in self._gathered_bytes(text.encode())]

    def _gathered_bytes(self, mine: bytes) -> list[bytes]:
        """Return the bytes of every process, in order."""
        from jax.experimental.multihost_utils import process_allgather

        lengths = np.asarray(process_allgather(np.int32(len(mine)))).reshape(-1)
        padded = np.frombuffer(mine.ljust(int(lengths.max()), b"\0"), np.uint8)
        found = np.asarray(process_allgather(padded)).reshape(self.of, -1)
        return [row[:length].tobytes() for row, length in zip(found, lengths, strict=True)]


def versions() -> dict[str, str]:
    """Return the versions that have to be the same in all processes."""
    return {name: importlib.metadata.version(name) for name in _VERSIONS}


def code_checksum() -> str:
    """Return the SHA-256 of all modules of Lectern that can have a part in a training."""
    found = hashlib.sha256()
    for path in sorted(path for package in _PACKAGES for path in (_ROOT / package).rglob("*.py")):
        found.update(path.relative_to(_ROOT).as_posix().encode() + b"\0" + path.read_bytes())
    return found.hexdigest()


def _join(place: Place) -> None:
    """Find the other processes."""
    import jax

    jax.config.update("jax_enable_preemption_service", False)  # SIGTERM is the supervisor's
    host, port = place.address
    seconds = max(1, round(place.deadline))
    bind = None
    if place.is_first:
        bind = f"{_own_address(host, place.deadline)}:{port}"
    else:
        _wait_for(host, port, place.deadline)
    error = InputError(
        f"Not all {place.of} processes found each other within {seconds} seconds at {place.coordinator}",
        remedy="Start all of them with the same --coordinator and --of, each with its own --process",
    )
    with place.ends_by(error):
        jax.distributed.initialize(
            coordinator_address=place.coordinator,
            num_processes=place.of,
            process_id=place.process,
            cluster_detection_method="deactivate",  # what Slurm says would leave one accelerator to each process
            coordinator_bind_address=bind,
            initialization_timeout=seconds,
            heartbeat_timeout_seconds=_HEARTBEAT_SECONDS,
            shutdown_timeout_seconds=seconds,
        )


def _own_address(host: str, deadline: float) -> str:
    """Return the address of this machine that a name stands for: process 0 listens there and nowhere else."""
    until = time.monotonic() + deadline
    while True:
        try:
            found = socket.gethostbyname(host)
            with socket.socket() as probe:
                probe.bind((found, 0))
                return found
        except OSError as error:
            # The name of a machine that has just begun may not be known yet.
            if not isinstance(error, socket.gaierror) or time.monotonic() >= until:
                raise InputError(
                    "Process 0 has to run on the machine of the coordinator",
                    allowed=f"a name or an address of this machine, {LOOPBACK} for processes of one machine",
                    received=host,
                ) from error
        time.sleep(_SECONDS_BETWEEN_TRIES)


def _wait_for(host: str, port: int, deadline: float) -> None:
    """Wait until the coordinator listens."""
    until = time.monotonic() + deadline
    while True:
        try:
            with socket.create_connection((host, port), timeout=max(0.1, until - time.monotonic())):
                return
        except OSError as error:
            if time.monotonic() >= until:
                raise InputError(
                    f"The coordinator {host}:{port} does not answer within {deadline:g} seconds ({error})",
                    remedy="Start process 0 there, let the port through, or wait longer with --deadline",
                ) from error
        time.sleep(_SECONDS_BETWEEN_TRIES)


def _every_device() -> Any:
    """Make the distribution over all devices of all processes, whose batches come whole to each."""
    import keras

    class WholeBatches(keras.distribution.DataParallel):
        def get_data_layout(self, data_shape: Any) -> Any:
            return keras.distribution.TensorLayout([None] * len(data_shape), self.device_mesh)

    return WholeBatches(auto_shard_dataset=False)


def _cutting(step: Callable[..., Any], distribution: Any) -> Callable[..., Any]:
    """Return a training step of Keras that cuts a whole batch by rows, one part a device."""
    import jax

    rows = jax.sharding.NamedSharding(
        distribution.device_mesh.backend_mesh, jax.sharding.PartitionSpec(distribution.batch_dim_name)
    )

    def cut(state: Any, data: Any) -> Any:
        return step(state, jax.lax.with_sharding_constraint(data, rows))

    return cut

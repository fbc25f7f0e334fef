"""Several processes that train one network: asked for, started, watched, and stopped together.

The command that a person types becomes a supervisor: it starts itself again, once for each process of this machine, and
never loads Keras. A process says in a file why it ends. Whatever ends one of them ends all: a process that waits for
another one's part of a sum ignores SIGTERM, so that they are stopped by SIGKILL, which a checkpoint survives. A process
ends with its supervisor too, whatever ends that one: it holds the reading end of a pipe that is never written to.
"""

from __future__ import annotations

import contextlib
import json
import os
import signal
import socket
import subprocess
import sys
import threading
import time
import traceback
from collections.abc import Iterator, Sequence
from dataclasses import asdict, dataclass, field, replace
from importlib.util import find_spec
from pathlib import Path
from tempfile import TemporaryDirectory

from data_prep.errors import InputError

LOOPBACK = "127.0.0.1"
DEADLINE = 60.0  # seconds, to find each other
EXIT_INPUT_ERROR = 2
LOST = "another process of this training has ended or cannot be reached"
_PLACE = "LECTERN_PROCESS"  # variable of the environment by which a supervisor tells a process its place
_SECONDS_BETWEEN_LOOKS = 0.1
_SECONDS_FOR_REASONS = 1.0  # which the other processes have to say why they end
_MOST_PROCESSES = 4096


@dataclass(frozen=True)
class Place:
    """The place of one process among those that train a network.

    Args:
        coordinator: ``HOST:PORT`` where process 0 listens.
        process: Its number, from 0.
        of: How many there are.
        deadline: Seconds in which they have to find each other.
        folder: Where it may write what nobody keeps, and says why it ends.
    """

    coordinator: str
    process: int
    of: int
    deadline: float = DEADLINE
    folder: Path = field(default=Path())

    @property
    def name(self) -> str:
        """As a person counts: ``process 1 of 4`` is the second one."""
        return f"process {self.process} of {self.of}"

    @property
    def is_first(self) -> bool:
        """Whether it is the one that writes."""
        return self.process == 0

    @contextlib.contextmanager
    def ends_by(self, error: InputError) -> Iterator[None]:
        """Let ``error`` be what is told where JAX ends this process, or raises, inside the block."""
        file = self.folder / "reason"
        file.write_text(_text_of(error), encoding="utf-8")
        try:
            yield
        except RuntimeError as cause:
            raise error from cause
        file.unlink()

    @property
    def address(self) -> tuple[str, int]:
        """Host and port of the coordinator."""
        host, _, port = self.coordinator.rpartition(":")
        return host, int(port)


def asked_places(
    processes: int | None,
    coordinator: str | None,
    process: int | None,
    of: int | None,
    deadline: float | None,
) -> list[Place]:
    """Return the places of the processes that this machine is to start; none where nothing is asked.

    Raises:
        InputError: The options do not go together, a value is out of its bounds, or JAX is not installed.
    """
    several = {"--coordinator": coordinator, "--process": process, "--of": of}
    given = [flag for flag, value in several.items() if value is not None]
    if processes is None and not given:
        if deadline is not None:
            raise InputError(
                "--deadline is for several processes", remedy="Give --processes or --coordinator"
            )
        return []
    if processes is not None and given:
        raise InputError(
            f"--processes and {given[0]} exclude each other",
            allowed="--processes N on one machine, --coordinator HOST:PORT --process K --of N on several",
        )
    if processes is None and len(given) < len(several):
        missing = " and ".join(flag for flag in several if flag not in given)
        raise InputError(f"{missing} is missing", allowed="--coordinator HOST:PORT --process K --of N")
    count = of if processes is None else processes
    _within("--of" if processes is None else "--processes", count, 1, _MOST_PROCESSES)
    seconds = DEADLINE if deadline is None else deadline
    _within("--deadline", seconds, 1, 86_400)
    if processes is None:
        _within("--process", process, 0, count - 1)
        _check_address(coordinator)
    if find_spec("jax") is None:
        raise InputError(
            "Several processes are trained by Keras on JAX, which is not installed",
            remedy="pip install -r requirements-jax.txt",
        )
    if processes is None:
        return [Place(coordinator, process, count, seconds)]
    found = f"{LOOPBACK}:{_free_port()}"
    return [Place(found, number, count, seconds) for number in range(count)]


def run_all(places: Sequence[Place], command: Sequence[str] | None = None) -> None:
    """Run a command once for each place and wait for all; the first one that fails ends all.

    Args:
        places: Of the processes of this machine.
        command: Program and arguments; that of this process where none is given.

    Raises:
        InputError: A process has ended before its work was done: the reason that it gave, or how it ended.
        KeyboardInterrupt: This process was interrupted or told to end; all are stopped.
    """
    command = command or [sys.executable, *sys.orig_argv[1:]]
    with TemporaryDirectory(prefix="lectern-processes-") as folder, _interruptible():
        reading, writing = os.pipe()
        workers = []
        try:
            for place in places:
                own = replace(place, folder=Path(folder) / str(place.process))
                own.folder.mkdir()
                workers.append(_Worker(own, command, reading))
            _watch(workers)
        finally:
            for worker in workers:
                worker.kill()
            os.close(reading)
            os.close(writing)


@contextlib.contextmanager
def entered() -> Iterator[Place | None]:
    """Take the place that a supervisor gave to this process, and tell it why the block ends; None without one."""
    given = os.environ.pop(_PLACE, None)
    if given is None:
        yield None
        return
    values = json.loads(given)
    alive = values.pop("alive")
    place = Place(**{**values, "folder": Path(values["folder"])})
    threading.Thread(target=_end_with_supervisor, args=(alive,), daemon=True).start()
    _log_native_messages(place)
    try:
        yield place
    except InputError as error:
        _end(place, EXIT_INPUT_ERROR, _text_of(error))
    except BaseException as error:
        lost = type(error).__name__ == "JaxRuntimeError" and place.of > 1
        if not lost:
            (place.folder / "traceback").write_text(traceback.format_exc(), encoding="utf-8")
        _end(place, 1, LOST if lost else f"{type(error).__name__}: {error}")


class _Worker:
    """A process that was started, as its supervisor sees it."""

    def __init__(self, place: Place, command: Sequence[str], alive: int) -> None:
        self.place = place
        own = {**asdict(place), "folder": str(place.folder), "alive": alive}
        environment = {"KERAS_BACKEND": "jax", _PLACE: json.dumps(own)}
        quiet = None if place.is_first else subprocess.DEVNULL
        self.process = subprocess.Popen(
            command,
            env={**os.environ, **environment},
            stdin=subprocess.DEVNULL,
            stdout=quiet,
            stderr=quiet,
            pass_fds=[alive],
            start_new_session=True,  # Ctrl-C in a terminal is the supervisor's
        )

    def kill(self) -> None:
        """End it at once, and all that it started."""
        if self.process.poll() is None:
            with contextlib.suppress(ProcessLookupError):
                os.killpg(self.process.pid, signal.SIGKILL)
            self.process.wait()

    def reason(self) -> tuple[int, str]:
        """Say how much its end explains, less is more, and in words."""
        code, said = self.process.returncode, self.place.folder / "reason"
        name = self.place.name.capitalize()
        if said.is_file() and (code > 0 or code == -signal.SIGABRT):
            text = said.read_text(encoding="utf-8")
            if code in (EXIT_INPUT_ERROR, -signal.SIGABRT):
                return 1, text
            return (3 if text == LOST else 2), f"{name} was stopped: {text}"
        if code == -signal.SIGABRT and self.place.of > 1:  # how JAX ends one that has lost the others
            return 3, f"{name} was stopped: {LOST}"
        how = f"by {signal.Signals(-code).name}" if code < 0 else f"with exit code {code}"
        return 0, f"{name} was ended {how}"


def _watch(workers: Sequence[_Worker]) -> None:
    """Wait until all are done; raise why where one is not."""
    while True:
        codes = [worker.process.poll() for worker in workers]
        if any(codes):
            break
        if None not in codes:
            return
        time.sleep(_SECONDS_BETWEEN_LOOKS)
    until = time.monotonic() + _SECONDS_FOR_REASONS
    while time.monotonic() < until and any(worker.process.poll() is None for worker in workers):
        time.sleep(_SECONDS_BETWEEN_LOOKS)
    failed = [worker for worker in workers if worker.process.poll()]
    for worker in workers:
        worker.kill()
    worst = min(failed, key=lambda worker: worker.reason()[0])
    level, text = worst.reason()
    defect = level == 2 or (level == 0 and worst.process.returncode != -signal.SIGKILL)
    for name in ("traceback", "log") if defect else ():
        path = worst.place.folder / name
        if path.is_file() and (shown := path.read_text(encoding="utf-8", errors="replace").strip()):
            print("\n".join(shown.splitlines()[-40:]), file=sys.stderr)
            break
    if level == 1:
        raise InputError(text)
    others = "; the others were stopped" if len(workers) > 1 else ""
    raise InputError(
        text + others, remedy="What is finished is safe: the same command with --resume goes on there"
    )


def _text_of(error: InputError) -> str:
    return str(error).removesuffix(".")


def _end(place: Place, code: int, reason: str) -> None:
    """End this process at once: JAX would wait for the others first."""
    temporary = place.folder / "reason.part"
    temporary.write_text(reason, encoding="utf-8")
    temporary.replace(place.folder / "reason")
    with contextlib.suppress(OSError, ValueError):
        sys.stdout.flush()
    os._exit(code)


def _end_with_supervisor(alive: int) -> None:
    os.read(alive, 1)  # returns when the last writing end is closed
    os.kill(os.getpid(), signal.SIGKILL)


def _log_native_messages(place: Place) -> None:
    """Send what C++ writes to standard error into a file; what Python writes stays where it is for process 0."""
    log = os.open(place.folder / "log", os.O_WRONLY | os.O_CREAT | os.O_APPEND, 0o600)
    if place.is_first:
        sys.stderr = os.fdopen(os.dup(2), "w", buffering=1, errors="backslashreplace")
    os.dup2(log, 2)
    os.close(log)


@contextlib.contextmanager
def _interruptible() -> Iterator[None]:
    """Let SIGTERM end a supervisor as Ctrl-C does."""
    before = signal.signal(signal.SIGTERM, signal.default_int_handler)
    try:
        yield
    except KeyboardInterrupt:
        print(
            "Interrupted: what is finished is safe; the same command with --resume goes on", file=sys.stderr
        )
        raise
    finally:
        signal.signal(signal.SIGTERM, before)


def _within(flag: str, value: float, least: int, most: int) -> None:
    if not least <= value <= most:
        raise InputError(f"{flag} is out of its bounds", allowed=f"{least} to {most}", received=value)


def _check_address(coordinator: str) -> None:
    host, _, port = coordinator.rpartition(":")
    if not host or not port.isdigit() or not 1 <= int(port) <= 65_535:
        raise InputError(
            "--coordinator is no address",
            allowed="HOST:PORT, the same for all processes, for example node1:4711",
            received=coordinator,
        )


def _free_port() -> int:
    with socket.socket() as found:
        found.bind((LOOPBACK, 0))
        return found.getsockname()[1]

"""Work in a fork of a warm process: imports are paid once, limits, time and memory are those of one piece of work."""

from __future__ import annotations

import atexit
import os
import resource
import signal
import sys
import tempfile
import time
import traceback
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import NamedTuple, NoReturn

_MOST_FILE = 1 << 28  # bytes that a piece of work may write into one file
_MOST_MORE = 4 << 30  # bytes of address space above those of the warm process: a guard of the machine


class Ended(NamedTuple):
    """How work ended: its exit code, negative for a signal; what it wrote; its seconds; the MiB that it held.

    ``cpu`` are its seconds of processor time, which do not depend on who else works.
    """

    code: int
    stdout: str
    stderr: str
    seconds: float
    mib: float
    cpu: float = 0.0


def forked(
    work: Callable[[], None],
    place: Path,
    *,
    seconds: float,
    stdin: bytes = b"",
    environment: Mapping[str, str] | None = None,
    guarded: bool = True,
) -> Ended:
    """Run work in a fork, in a folder ``cwd`` of ``place``; after so many seconds it is killed, with all it started.

    Args:
        work: Ends by returning (exit code 0) or by SystemExit; any other exception is printed, and the code is 1.
        place: Folder for its standard streams; ``cwd`` is made in it.
        seconds: Deadline.
        stdin: What it reads.
        environment: Variables that it gets besides.
        guarded: Whether address space is limited too; TensorFlow reserves more than it uses.
    """
    (place / "cwd").mkdir(exist_ok=True)
    (place / "stdin").write_bytes(stdin)
    for stream in (sys.stdout, sys.stderr):
        stream.flush()
    begun = time.perf_counter()
    if (child := os.fork()) == 0:
        _work(work, place, environment or {}, guarded)
    used, status, pause = None, 0, 0.002
    while used is None:
        found, status, usage = os.wait4(child, os.WNOHANG)
        if found:
            used = usage
        elif time.perf_counter() - begun > seconds:
            try:
                os.killpg(child, signal.SIGKILL)
            except ProcessLookupError:  # it has not come to lead a group yet
                os.kill(child, signal.SIGKILL)
            _, status, used = os.wait4(child, 0)
        else:
            time.sleep(pause)
            pause = min(0.02, 1.5 * pause)
    taken, cpu = time.perf_counter() - begun, used.ru_utime + used.ru_stime
    written = [
        (place / name).read_bytes().decode("utf-8", "backslashreplace") for name in ("stdout", "stderr")
    ]
    return Ended(os.waitstatus_to_exitcode(status), *written, taken, used.ru_maxrss / 1024, cpu)


def _work(work: Callable[[], None], place: Path, environment: Mapping[str, str], guarded: bool) -> NoReturn:
    code = 1
    try:
        os.setsid()
        atexit._clear()  # what the warm process has to do at its end
        os.environ.update(environment)
        tempfile.tempdir = None
        _streams(place)
        os.chdir(place / "cwd")
        resource.setrlimit(resource.RLIMIT_CORE, (0, 0))
        resource.setrlimit(resource.RLIMIT_FSIZE, (_MOST_FILE, _MOST_FILE))
        if guarded:
            pages = int(Path("/proc/self/statm").read_text().split()[0])
            most = pages * resource.getpagesize() + _MOST_MORE
            resource.setrlimit(resource.RLIMIT_AS, (most, most))
        work()
        code = 0
    except SystemExit as ended:
        code = ended.code if isinstance(ended.code, int) else int(ended.code is not None)
    except BaseException:
        traceback.print_exc()
    finally:
        atexit._run_exitfuncs()
        for stream in (sys.stdout, sys.stderr):
            stream.flush()
        os._exit(code)


def _streams(place: Path) -> None:
    """Take standard streams anew: those of the warm process may be no files."""
    written = os.O_WRONLY | os.O_CREAT | os.O_TRUNC
    for number, (name, flags) in enumerate((("stdin", 0), ("stdout", written), ("stderr", written))):
        opened = os.open(place / name, flags, 0o600)
        os.dup2(opened, number)
        os.close(opened)
    sys.stdin = open(0, encoding="utf-8", closefd=False)  # noqa: SIM115  open as long as the process lives
    sys.stdout = open(1, "w", encoding="utf-8", closefd=False)  # noqa: SIM115
    sys.stderr = open(2, "w", encoding="utf-8", errors="backslashreplace", closefd=False)  # noqa: SIM115

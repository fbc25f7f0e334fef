"""Several processes: what is asked for, how they are watched, and that the end of one is the end of all."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest

from data_prep.errors import InputError
from models.training import processes
from models.training.processes import LOST, Place, asked_places, run_all

ROOT = Path(__file__).resolve().parents[2]
HEAD = (
    "import os, signal, sys, time\n"
    "from data_prep.errors import InputError\n"
    "from models.training.processes import entered\n"
)
MOST_SECONDS = 10.0  # in which all have to end


def places(count: int = 2) -> list[Place]:
    return [Place("127.0.0.1:1", number, count) for number in range(count)]


def run(script: str, count: int = 2) -> None:
    """Run a script in processes that are watched; ``place`` is that of the process."""
    body = "with entered() as place:\n" + "".join(f"    {line}\n" for line in script.splitlines())
    run_all(places(count), [sys.executable, "-c", HEAD + body])


@pytest.fixture(autouse=True)
def in_the_checkout(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PYTHONPATH", str(ROOT))


@pytest.fixture
def jax_there(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(processes, "find_spec", lambda name: name)


def asked(**given: object) -> list[Place]:
    names = ("processes", "coordinator", "process", "of", "deadline")
    return asked_places(**{name: given.get(name) for name in names})


def test_nothing_asked_is_one_ordinary_process() -> None:
    assert asked() == []


def test_processes_of_one_machine_meet_on_the_loopback(jax_there) -> None:
    found = asked(processes=3)
    assert [(place.process, place.of) for place in found] == [(0, 3), (1, 3), (2, 3)]
    assert len({place.coordinator for place in found}) == 1
    assert found[0].address[0] == "127.0.0.1"


def test_a_machine_starts_its_own_process(jax_there) -> None:
    (found,) = asked(coordinator="node1:4711", process=2, of=4, deadline=5)
    assert (found.address, found.process, found.of, found.deadline) == (("node1", 4711), 2, 4, 5)


@pytest.mark.parametrize(
    ("given", "message"),
    [
        ({"processes": 0}, r"--processes is out of its bounds. Allowed: 1 to 4096. Received: 0"),
        ({"processes": 2, "of": 2}, r"--processes and --of exclude each other"),
        ({"coordinator": "a:1", "process": 0}, r"--of is missing. Allowed: --coordinator"),
        ({"process": 0}, r"--coordinator and --of is missing"),
        (
            {"coordinator": "a:1", "process": 2, "of": 2},
            r"--process is out of its bounds. Allowed: 0 to 1. Received: 2",
        ),
        ({"coordinator": "a", "process": 0, "of": 2}, r"--coordinator is no address. Allowed: HOST:PORT"),
        ({"coordinator": "a:70000", "process": 0, "of": 2}, r"--coordinator is no address"),
        ({"processes": 2, "deadline": 0.0}, r"--deadline is out of its bounds. Allowed: 1 to 86400"),
        ({"deadline": 5.0}, r"--deadline is for several processes"),
    ],
)
def test_what_does_not_go_together_is_refused(given, message, jax_there) -> None:
    with pytest.raises(InputError, match=message):
        asked(**given)


def test_without_jax_it_is_said_what_to_install(monkeypatch) -> None:
    monkeypatch.setattr(processes, "find_spec", lambda name: None)
    with pytest.raises(InputError, match=r"not installed. pip install -r requirements-jax.txt"):
        asked(processes=2)


def test_each_has_its_place_and_only_the_first_is_heard(capfd) -> None:
    run("print(place.name, os.environ['KERAS_BACKEND'], file=sys.stderr)")
    assert capfd.readouterr().err == "process 0 of 2 jax\n"


@pytest.mark.parametrize("guilty", [0, 1])
def test_wrong_input_is_told_once(guilty, capfd) -> None:
    script = (
        f"if place.process == {guilty}: raise InputError('The data are gone', allowed='data')\ntime.sleep(60)"
    )
    began = time.monotonic()
    with pytest.raises(InputError, match=r"^The data are gone. Allowed: data.$"):
        run(script)
    assert time.monotonic() - began < MOST_SECONDS
    assert capfd.readouterr().err == ""


def test_wrong_input_of_all_is_told_once(capfd) -> None:
    with pytest.raises(InputError, match=r"^The data are gone.$"):
        run("raise InputError('The data are gone')")
    assert capfd.readouterr().err == ""


@pytest.mark.parametrize("guilty", [0, 1])
def test_the_death_of_one_is_the_end_of_all(guilty, tmp_path, capfd) -> None:
    """The others ignore SIGTERM, as one does that waits for another's part of a sum."""
    script = (
        f"if place.process == {guilty}: os.kill(os.getpid(), signal.SIGKILL)\n"
        "signal.signal(signal.SIGTERM, signal.SIG_IGN)\n"
        f"open({str(tmp_path / 'pid')!r}, 'w').write(str(os.getpid()))\n"
        "time.sleep(60)"
    )
    began = time.monotonic()
    message = (
        rf"^Process {guilty} of 2 was ended by SIGKILL; the others were stopped. What is finished is safe"
    )
    with pytest.raises(InputError, match=message):
        run(script)
    assert time.monotonic() - began < MOST_SECONDS
    assert capfd.readouterr().err == ""
    if (tmp_path / "pid").exists():
        assert not alive(int((tmp_path / "pid").read_text()))


def test_who_died_counts_and_not_who_missed_it() -> None:
    lost = "class JaxRuntimeError(RuntimeError): ...\nif place.process == 0: raise JaxRuntimeError('gloo')\n"
    with pytest.raises(InputError, match=r"Process 1 of 2 was ended by SIGKILL"):
        run(f"{lost}os.kill(os.getpid(), signal.SIGKILL)")
    with pytest.raises(InputError, match=rf"^Process 0 of 2 was stopped: {LOST}"):
        run(f"{lost}time.sleep(60)")


def test_a_defect_shows_its_traceback(capfd) -> None:
    with pytest.raises(InputError, match=r"Process 1 of 2 was stopped: ZeroDivisionError: division by zero"):
        run("1 / (1 - place.process)\ntime.sleep(60)")
    assert "ZeroDivisionError" in capfd.readouterr().err.splitlines()[-1]


@pytest.mark.parametrize("end", [signal.SIGTERM, signal.SIGINT, signal.SIGKILL])
def test_processes_end_with_their_supervisor(end, tmp_path) -> None:
    body = f"open(os.path.join({str(tmp_path / 'pids')!r}, str(os.getpid())), 'w').close(); time.sleep(60)"
    script = (
        "import signal, sys; from models.training.processes import Place, run_all\n"
        "signal.signal(signal.SIGINT, signal.default_int_handler)\n"  # a shell's background job ignores it
        f"run_all([Place('a:1', n, 2) for n in range(2)], [sys.executable, '-c', {HEAD + 'with entered(): ' + body!r}])"
    )
    (pids := tmp_path / "pids").mkdir()
    supervisor = subprocess.Popen(
        [sys.executable, "-c", script],
        env={**os.environ, "TMPDIR": str(tmp_path)},
        stderr=subprocess.PIPE,
        text=True,
    )
    try:
        until = time.monotonic() + MOST_SECONDS
        while len(started := list(pids.iterdir())) < 2 and time.monotonic() < until:
            time.sleep(0.05)
        supervisor.send_signal(end)
        _, said = supervisor.communicate(timeout=MOST_SECONDS)
        while any(alive(int(path.name)) for path in started) and time.monotonic() < until:
            time.sleep(0.05)
        assert len(started) == 2
        assert not any(alive(int(path.name)) for path in started)
        if end != signal.SIGKILL:
            assert said.startswith("Interrupted: what is finished is safe; the same command with --resume")
    finally:
        supervisor.kill()


def alive(process: int) -> bool:
    try:
        os.kill(process, 0)
    except ProcessLookupError:
        return False
    state = Path(f"/proc/{process}/stat")
    return not state.is_file() or state.read_text().rsplit(")", 1)[1].split()[0] != "Z"


def test_what_was_waited_for_is_told_where_jax_ends_a_process() -> None:
    script = "with place.ends_by(InputError('Nobody came')):\n    os.kill(os.getpid(), signal.{})"
    with pytest.raises(InputError, match=r"^Nobody came.$"):
        run(script.format("SIGABRT"))
    with pytest.raises(InputError, match=r"^Process [01] of 2 was ended by SIGKILL"):
        run(script.format("SIGKILL"))
    with pytest.raises(InputError, match=r"^Nobody came.$"):
        run("with place.ends_by(InputError('Nobody came')):\n    raise RuntimeError('late')")

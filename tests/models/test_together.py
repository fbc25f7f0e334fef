"""One network trained by several processes on JAX: the numbers of one process, one message, one end for all."""

from __future__ import annotations

import json
import socket
import subprocess
import sys
import time
from importlib.util import find_spec
from pathlib import Path

import pytest

from data_prep.errors import InputError
from models.training import together
from models.training.processes import LOST, asked_places, run_all

with_jax = pytest.mark.skipif(find_spec("jax") is None, reason="JAX is not installed")

ROOT = Path(__file__).resolve().parents[2]
MOST_SECONDS = 10.0  # in which all have to end
NEAR = 1e-5  # relative


@pytest.fixture(autouse=True)
def in_the_checkout(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PYTHONPATH", str(ROOT))


def train(folder: Path, processes: int, *words: str, **asked: object) -> list[dict[str, float]]:
    """Train the tiny network and return the metrics of its epochs."""
    names = ("coordinator", "process", "of", "deadline")
    places = asked_places(processes or None, **{name: asked.get(name) for name in names})
    run_all(places, [sys.executable, "-m", "tests.models.together_run", str(folder), *words])
    return metrics(folder)


def metrics(folder: Path) -> list[dict[str, float]]:
    lines = (folder / "metrics.jsonl").read_text().splitlines()
    return [{k: v for k, v in json.loads(line).items() if k != "seconds"} for line in lines]


def assert_near(found: list[dict[str, float]], expected: list[dict[str, float]]) -> None:
    assert len(found) == len(expected)
    for one, other in zip(found, expected, strict=True):
        assert one == pytest.approx(other, rel=NEAR)


@pytest.fixture(scope="module")
def alone(tmp_path_factory: pytest.TempPathFactory) -> list[dict[str, float]]:
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("PYTHONPATH", str(ROOT))
        return train(tmp_path_factory.mktemp("alone") / "run", 1)


@with_jax
@pytest.mark.slow
@pytest.mark.parametrize("processes", [2, 3])
def test_losses_are_those_of_one_process(processes, tmp_path, alone) -> None:
    """Three parts of eight rows are not equal."""
    assert_near(train(tmp_path / "run", processes), alone)


@with_jax
@pytest.mark.slow
@pytest.mark.parametrize(("before", "after"), [(2, 1), (1, 2)])
def test_a_killed_training_goes_on_with_another_number_of_processes(before, after, tmp_path, alone, capfd):
    with pytest.raises(InputError, match=rf"^Process {before - 1} of {before} was ended by SIGKILL"):
        train(tmp_path / "run", before, f"{before - 1}=kill")
    assert time.time() - float((tmp_path / "when").read_text()) < MOST_SECONDS
    said = capfd.readouterr().err
    assert "Traceback" not in said
    assert "WARNING" not in said
    assert [line["epoch"] for line in metrics(tmp_path / "run")] == [1]
    assert_near(train(tmp_path / "run", after, "--resume"), alone)


@pytest.mark.parametrize(
    ("wrong", "message"),
    [
        ("version", r"^Process 1 of 2 has another code than process 0: keras \(\"[\d.]+\" -> \"3.0.0\"\)"),
        ("code", r"^Process 1 of 2 has another code than process 0: code \(\"[0-9a-f]+\" -> \"other\"\)"),
        ("recipe", r"^Process 1 of 2 has another recipe than process 0: recipe.rate \(0.05 -> 0.1\)"),
        ("data", r"^There are no data.$"),
    ],
)
@with_jax
@pytest.mark.slow
def test_a_process_that_differs_is_refused(wrong, message, tmp_path, capfd) -> None:
    with pytest.raises(InputError, match=message):
        train(tmp_path / "run", 2, f"1={wrong}")
    assert "Error" not in capfd.readouterr().err


def test_a_coordinator_that_does_not_answer_is_told_at_the_deadline() -> None:
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))  # nobody listens
        host, port = taken.getsockname()
        with pytest.raises(
            InputError, match=rf"^The coordinator {host}:{port} does not answer within 0.3 seconds"
        ):
            together._wait_for(host, port, 0.3)


def test_process_0_listens_on_its_own_machine_only() -> None:
    assert together._own_address("localhost", 1.0) == "127.0.0.1"
    with pytest.raises(InputError, match=r"machine of the coordinator. Allowed: .* Received: '192.0.2.1'"):
        together._own_address("192.0.2.1", 0.0)


@with_jax
@pytest.mark.slow
def test_processes_that_do_not_all_come_are_told_at_the_deadline(tmp_path) -> None:
    with socket.socket() as found:
        found.bind(("127.0.0.1", 0))
        address = f"127.0.0.1:{found.getsockname()[1]}"
    with pytest.raises(
        InputError, match=rf"^Not all 2 processes found each other within 2 seconds at {address}"
    ):
        train(tmp_path / "run", 0, coordinator=address, process=0, of=2, deadline=2.0)


@with_jax
@pytest.mark.slow
@pytest.mark.parametrize("dead", [0, 1])
def test_on_several_machines_all_end_when_one_dies(dead, tmp_path) -> None:
    """Two supervisors that know nothing of each other; how long the other one lives on is measured."""
    with socket.socket() as found:
        found.bind(("127.0.0.1", 0))
        address = f"127.0.0.1:{found.getsockname()[1]}"
    script = (
        "import sys; from models.training.processes import asked_places, run_all\n"
        "places = asked_places(None, sys.argv[1], int(sys.argv[2]), 2, 60.0)\n"
        "run_all(places, [sys.executable, '-m', 'tests.models.together_run', *sys.argv[3:]])"
    )
    supervisors = [
        subprocess.Popen(
            [sys.executable, "-c", script, address, str(number), str(tmp_path / "run"), f"{dead}=kill"],
            stderr=subprocess.PIPE,
            text=True,
        )
        for number in range(2)
    ]
    try:
        told, told_too = (supervisors[at].communicate(timeout=240)[1] for at in (dead, 1 - dead))
        assert time.time() - float((tmp_path / "when").read_text()) < MOST_SECONDS
        assert f"InputError: Process {dead} of 2 was ended by SIGKILL. What is finished is safe" in told
        assert f"InputError: Process {1 - dead} of 2 was stopped: {LOST}. What is finished is" in told_too
    finally:
        for supervisor in supervisors:
            supervisor.kill()


@with_jax
@pytest.mark.slow
def test_a_process_that_stands_still_is_the_end_of_all(tmp_path) -> None:
    with pytest.raises(InputError, match=rf"^Process 0 of 2 was stopped: {LOST}; the others were stopped"):
        train(tmp_path / "run", 2, "1=hang")
    assert time.time() - float((tmp_path / "when").read_text()) < MOST_SECONDS

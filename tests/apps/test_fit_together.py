"""``fit`` by several processes, from the command line to the preset, and the recipes for clusters."""

from __future__ import annotations

import json
import os
import re
import shlex
import subprocess
import sys
from importlib.util import find_spec
from pathlib import Path

import pytest
import typer
from typer.testing import CliRunner

from apps.__main__ import app

ROOT = Path(__file__).resolve().parents[2]
DOCS = ROOT / "docs"
NEAR = 1e-5  # relative, of losses after an epoch


def sets(*settings: str) -> list[str]:
    return [word for one in settings for word in ("--set", one)]


FITS = {
    "digits": ("digits", "--recipe", "lecture", "--set", "epochs=1"),
    "tagger": ("tagger", "--set", "epochs=1"),
    "writer": ("writer", *sets("epochs=1", "units=16", "embedding=8", "batch_size=64", "length=128")),
    "ocr": ("ocr", *sets("epochs=1", "batch_size=64")),
    "words": ("ocr", "--recipe", "words", *sets("epochs=1", "epoch_words=200", "batch_size=50")),
    "reviews": ("reviews", "--set", "epochs=1"),
    "vectors": ("vectors", *sets("epochs=1", "dimensions=16")),
}
with_jax = pytest.mark.skipif(find_spec("jax") is None, reason="JAX is not installed")


def fit(task: str, out: Path, *words: str) -> subprocess.CompletedProcess[str]:
    name, *settings = FITS[task]
    command = [sys.executable, "-m", "apps", name, "fit", "--sample", *settings, "--out", str(out), *words]
    return subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=False, timeout=540)


def history(preset: Path) -> list[dict[str, object]]:
    lines = json.loads((preset / "metadata.json").read_text())["history"]
    return [{key: value for key, value in line.items() if key != "seconds"} for line in lines]


@with_jax
@pytest.mark.slow
@pytest.mark.parametrize("task", FITS)
def test_two_processes_learn_what_one_learns(task, tmp_path) -> None:
    for processes in (1, 2):
        done = fit(task, tmp_path / str(processes), "--processes", str(processes), "--json")
        assert done.returncode == 0, done.stderr
        assert json.loads(done.stdout)["preset"] == str(tmp_path / str(processes))
        assert not list(tmp_path.glob("*.run"))
    one, two = history(tmp_path / "1"), history(tmp_path / "2")
    assert len(one) == len(two) > 0
    for line, other in zip(one, two, strict=True):
        assert other == pytest.approx(line, rel=NEAR)
    scores = [json.loads((tmp_path / name / "metrics.json").read_text()) for name in "12"]
    for name, measure in scores[0].items():
        assert scores[1][name]["score"] == pytest.approx(measure["score"], abs=0.01)


def test_several_processes_cannot_read_standard_input(monkeypatch, tmp_path) -> None:
    monkeypatch.setattr("models.training.processes.find_spec", lambda name: name)
    command = ["writer", "fit", "--text", "-", "--out", str(tmp_path / "out"), "--processes", "2"]
    done = CliRunner().invoke(app, command, prog_name="python -m apps")
    assert done.exit_code == 2
    assert done.stderr == "Error: Several processes cannot read standard input. Give a file instead of -.\n"


@pytest.mark.parametrize("task", ["vectors", "tagger", "writer", "digits", "ocr", "reviews"])
def test_wrong_numbers_are_refused_for_every_task(task, tmp_path) -> None:
    command = [task, "fit", "--sample", "--out", str(tmp_path / "out"), "--processes", "0"]
    done = CliRunner().invoke(app, command, prog_name="python -m apps")
    assert done.exit_code == 2
    assert done.stderr == "Error: --processes is out of its bounds. Allowed: 1 to 4096. Received: 0.\n"


def options_of(command: str) -> dict[str, str]:
    """The options of a command line of ``python -m apps digits fit``, which all have a value but ``--resume``."""
    words = shlex.split(command.partition(" fit ")[2])
    words.remove("--resume")
    return dict(zip(words[::2], words[1::2], strict=True))


def known(options: dict[str, str]) -> set[str]:
    verbs = typer.main.get_command(app).commands["digits"].commands
    return {name for parameter in verbs["fit"].params for name in parameter.opts if name in options}


def test_the_recipe_for_kubernetes_is_whole() -> None:
    content = json.loads((DOCS / "training-jobset.json").read_text())
    assert (content["kind"], content["apiVersion"]) == ("JobSet", "jobset.x-k8s.io/v1alpha2")
    (workers,) = content["spec"]["replicatedJobs"]
    job = workers["template"]["spec"]
    pod = job["template"]["spec"]
    (container,) = pod["containers"]
    options = options_of(container["command"][-1])
    assert known(options) == options.keys()
    port = container["ports"][0]["containerPort"]
    first = f"{content['metadata']['name']}-{workers['name']}-0-0.{content['metadata']['name']}"
    assert options["--coordinator"] == f"{first}:{port}"
    assert options["--of"] == str(job["parallelism"]) == str(job["completions"])
    assert options["--process"] == "$JOB_COMPLETION_INDEX"
    assert (job["completionMode"], job["backoffLimit"], pod["restartPolicy"]) == ("Indexed", 0, "Never")
    mounts = {mount["name"]: mount["mountPath"] for mount in container["volumeMounts"]}
    assert mounts.keys() == {volume["name"] for volume in pod["volumes"]}
    assert options["--out"].startswith(mounts["runs"])
    assert container["env"] == [{"name": "LECTERN_DATA_DIR", "value": mounts["data"]}]


def test_the_recipe_for_slurm_runs(tmp_path) -> None:
    """With a Slurm that prints what it would run."""
    script = DOCS / "training.slurm"
    settings = dict(re.findall(r"^#SBATCH --([a-z-]+)=?(\S*)$", script.read_text(), re.MULTILINE))
    assert settings["ntasks-per-node"] == "1"
    for name, body in {
        "scontrol": "printf 'node1\\nnode2\\n'",
        "srun": 'shift; SLURM_PROCID=1 exec "${@/exec/echo}"',
    }.items():
        path = tmp_path / name
        path.write_text(f"#!/bin/bash\n{body}\n")
        path.chmod(0o700)
    slurm = {"SLURM_JOB_NODELIST": "node[1-2]", "SLURM_JOB_ID": "12345", "SLURM_NTASKS": "2"}
    found = {**os.environ, **slurm, "PATH": f"{tmp_path}:{os.environ['PATH']}"}
    done = subprocess.run(["bash", script], env=found, capture_output=True, text=True, check=True, timeout=30)
    options = options_of(done.stdout)
    assert known(options) == options.keys()
    assert options["--coordinator"] == "node1:22345"
    assert (options["--process"], options["--of"]) == ("1", "2")

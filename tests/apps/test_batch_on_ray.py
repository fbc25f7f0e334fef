"""Batches on Ray: every document is counted, also where jobs and workers are killed."""

from __future__ import annotations

import json
import random
import signal
import subprocess
import sys
import time
from pathlib import Path

import psutil
import pytest

from apps.reviews.application import Reviews
from tests.apps.batch_documents import all_files, command, read_jsonl, texts, write

ROOT = Path(__file__).resolve().parents[2]


def on_ray(*arguments: str) -> subprocess.CompletedProcess[str]:
    program = [sys.executable, "-m", "apps", *arguments]
    return subprocess.run(program, cwd=ROOT, capture_output=True, text=True, timeout=300, check=False)


@pytest.mark.slow
def test_a_job_on_ray_counts_every_document(tmp_path: Path) -> None:
    pytest.importorskip("ray")
    for at in range(3):
        write(tmp_path / "in" / f"{at}.jsonl.gz", [*texts(1500, seed=at), ""])
    damaged = write(tmp_path / "in" / "3.jsonl.gz", texts(1500))
    damaged.write_bytes(damaged.read_bytes()[:-300])
    pattern, out = tmp_path / "in" / "*.gz", tmp_path / "out"
    arguments = command("classify", pattern, out, "--part", "50000", "--workers", "2", "--json")
    done = on_ray(*arguments)
    assert done.returncode == 2 and "3.jsonl.gz: it is gzip and damaged or cut short" in done.stderr
    found = json.loads(done.stdout)
    lines = [(one["file"], one["line"]) for one in read_jsonl(out / "parts") + read_jsonl(out / "refused")]
    assert len(lines) == len(set(lines)) == found["documents"] == found["answered"] + found["refused"]
    assert found["refused"] == 4 and found["answered"] >= 4500
    reviews = Reviews.from_preset()
    own = [one for one in read_jsonl(out / "parts") if one["file"] == "1.jsonl.gz"]
    for one, answer in zip(own, reviews.classify_many(texts(1500, seed=1)), strict=True):
        assert {key: one[key] for key in one if key not in ("file", "line")} == answer.to_dict()


def begun(job: subprocess.Popen, manifest: Path, size: int) -> bool:
    """Wait until some parts more are done; False where the job has ended before."""
    end = time.monotonic() + 240
    while job.poll() is None:
        if manifest.exists() and manifest.stat().st_size > size + 1000:
            return True
        assert time.monotonic() < end
        time.sleep(0.02)
    return False


@pytest.mark.slow
def test_killed_jobs_and_workers_lose_and_double_nothing(tmp_path: Path) -> None:
    pytest.importorskip("ray")
    for at in range(4):
        write(tmp_path / "in" / f"{at}.jsonl.gz", texts(400, seed=at))
    pattern, out = tmp_path / "in" / "*.gz", tmp_path / "out"
    arguments = ["--format", "conllu", "--part", "4000", "--workers", "2", "--json"]
    whole = on_ray(*command("tag", pattern, tmp_path / "whole", *arguments))
    assert whole.returncode == 0, whole.stderr
    manifest, draw, killed = out / "manifest.jsonl", random.Random(0), []
    program = [sys.executable, "-m", "apps", *command("tag", pattern, out, *arguments)]
    for what in ("job", "job", "worker"):
        size = manifest.stat().st_size if manifest.exists() else 0
        with subprocess.Popen(program, cwd=ROOT, stdout=subprocess.PIPE, stderr=subprocess.PIPE) as job:
            if begun(job, manifest, size):
                time.sleep(draw.uniform(0, 0.3))
                parts = psutil.Process(job.pid).children(recursive=True)
                workers = [one for one in parts if one.name().startswith("ray::MapWorker")]
                (job if what == "job" else workers[0]).send_signal(signal.SIGKILL)
                killed.append(what)
            written, said = job.communicate(timeout=300)
    assert killed == ["job", "job", "worker"] and job.returncode == 0, said.decode()
    files = all_files(out / "parts")
    assert files == all_files(tmp_path / "whole" / "parts")
    found = json.loads(written)
    assert found["before"] > 0 and found["documents"] == 1600 == found["answered"]
    assert sum(data.count(b"# newdoc id") for data in files.values()) == 1600

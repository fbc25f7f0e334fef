"""Batches without Ray: what a worker writes, what the manifest keeps, and what is refused."""

from __future__ import annotations

import fcntl
import json
import shutil
import sys
from collections.abc import Iterator
from contextlib import nullcontext
from dataclasses import asdict, replace
from pathlib import Path

import numpy as np
import pytest
from pyarrow import parquet
from typer.testing import CliRunner

from apps.__main__ import app
from apps.batch import running
from apps.batch.answering import Order, Reader, Worker, checked
from apps.batch.job import Job, Manifest, find_inputs
from apps.batch.uses import USES, fingerprint
from apps.tagger.application import Tagger
from apps.vectors.application import Vectors
from apps.writer.application import Writer
from data_prep.errors import InputError
from data_prep.readers.labelled_texts import Refused
from models.presets.search import PRESETS_DIR
from tests.apps.batch_documents import all_files, command, read_jsonl, texts, write


def job_of(use: str, pattern: Path, form: str = "jsonl", characters: int = 3000, **options: str) -> Job:
    return Job(use, str(pattern), "text", form, characters, options)


@pytest.fixture
def without_ray(monkeypatch: pytest.MonkeyPatch) -> None:
    """Readers and workers in this process, one after the other."""

    def records(order: Order, todo: list, manifest: Manifest, workers: int) -> Iterator[dict]:
        read, worker = Reader(order), Worker(order)
        for one in todo:
            done = json.dumps(list(manifest.records.get(one.name, ())))
            for row in read({"input": json.dumps(asdict(one)), "done": done}):
                yield checked(worker(row)["record"])

    monkeypatch.setattr(running, "_records", records)
    monkeypatch.setattr(running, "_cluster", lambda address, cores: nullcontext())
    monkeypatch.setattr(running, "_told", nullcontext)


def run(job: Job, folder: Path):
    nothing = lambda done, total, said: None  # noqa: E731
    return running.run(job, folder, workers=1, threads=1, address=None, progress=nothing)


def test_classifies_as_the_ordinary_command_to_the_bit(without_ray: None, tmp_path: Path) -> None:
    given = [
        *texts(700),
        "",
        "Ω",
        *texts(500, seed=1),
    ]  # more than are read together, and than are read in Python
    path = write(tmp_path / "in" / "a.jsonl.gz", given)
    found = run(job_of("classify", path), tmp_path / "out")
    plain = tmp_path / "a.txt"
    plain.write_text("\n".join(given) + "\n", encoding="utf-8")
    done = CliRunner().invoke(app, ["reviews", "classify", "--lines", "--json", "--file", str(plain)])
    expected = [json.loads(line) for line in done.stdout.splitlines()]
    answers = read_jsonl(tmp_path / "out" / "parts")
    assert [{key: one[key] for key in one if key != "file"} for one in answers] == expected
    refused = read_jsonl(tmp_path / "out" / "refused")
    assert [(one["line"], one["problem"]) for one in refused] == [
        (701, "The text is empty"),
        (702, refused[1]["problem"]),
    ]
    assert refused[1]["problem"] in done.stderr
    assert (found.documents, found.answered, found.refused, found.parts) == (1202, 1200, 2, 3)


def test_tags_as_the_ordinary_command_to_the_bit(without_ray: None, tmp_path: Path) -> None:
    given = [f"{text} He can't come." for text in texts(60)]
    path = write(tmp_path / "in.jsonl", [*given, " "])
    tagger = Tagger.from_preset()
    tagger.tag_batch(given)  # machine code answers from here on, as after the first words of the command
    run(job_of("tag", path), tmp_path / "json")
    answers = read_jsonl(tmp_path / "json" / "parts")
    assert answers == [
        {"file": "in.jsonl", "line": line, **json.loads(json.dumps(tagger.tag(text).to_dict()))}
        for line, text in enumerate(given, start=1)
    ]
    found = run(job_of("tag", path, "conllu"), tmp_path / "conllu")
    assert found.parts == 2 and found.refused == 1
    written = b"".join(data for name, data in sorted(all_files(tmp_path / "conllu" / "parts").items()))
    lines = [f"# newdoc id = in.jsonl:{line}\n" for line in range(1, len(given) + 1)]
    expected = "".join(
        one + "".join(tagger.stream_conllu(text)) for one, text in zip(lines, given, strict=True)
    )
    assert written.decode() == expected
    run(job_of("tag", path, "parquet"), tmp_path / "parquet")
    assert parquet.read_table(tmp_path / "parquet" / "parts").to_pylist() == answers


def test_embeds_and_scores_as_the_applications_to_the_bit(without_ray: None, tmp_path: Path) -> None:
    given = texts(5)
    path = write(tmp_path / "in.jsonl", [*given, "qzqzq"])
    found = run(job_of("embed", path, "parquet"), tmp_path / "vectors")
    table = parquet.read_table(tmp_path / "vectors" / "parts").to_pydict()
    expected = Vectors.from_preset().embed(given)
    assert np.array_equal(np.array(table["vector"], np.float32), expected) and expected.any(axis=1).all()
    assert table["line"] == [1, 2, 3, 4, 5] and found.refused == 1

    writer = Writer.from_preset()
    write(path, [*given, "Ж"])
    found = run(job_of("score", path, unknown="refuse"), tmp_path / "scores")
    answers = read_jsonl(tmp_path / "scores" / "parts")
    assert [answer["bits"] for answer in answers] == [writer.score(text).totals()["bits"] for text in given]
    assert found.refused == 1
    assert run(job_of("score", path, unknown="map"), tmp_path / "mapped").refused == 0


@pytest.mark.parametrize("use", ["classify", "embed", "score"])
def test_parquet_holds_what_json_does(use: str, tmp_path: Path) -> None:
    source = find_inputs(str(write(tmp_path / "in.jsonl", texts(4))))[0]
    opened = USES[use].open(None)
    for form in ("jsonl", "parquet"):
        job = replace(job_of(use, tmp_path / "in.jsonl", form), fingerprint=fingerprint(opened))
        order = Order(job, tmp_path / form, 1)
        (row,) = Reader(order)({"input": json.dumps(asdict(source)), "done": "[]"})
        assert checked(Worker(order)(row)["record"])["answered"] == 4
    rows = parquet.read_table(tmp_path / "parquet" / "parts").to_pylist()
    tables = [{key: value for key, value in row.items() if value is not None} for row in rows]
    assert tables == read_jsonl(tmp_path / "jsonl" / "parts")


@pytest.fixture
def two_files(tmp_path: Path) -> Path:
    """Two files of 30 documents, in folders; answers come in several parts each."""
    for at, name in enumerate(("a/x.jsonl.gz", "b/x.jsonl")):
        write(tmp_path / "in" / name, texts(30, seed=at))
    return tmp_path / "in" / "**" / "*.jsonl*"


def small_embed(pattern: Path) -> Job:
    return job_of("embed", pattern, "jsonl", characters=1)


@pytest.fixture
def chunks(monkeypatch: pytest.MonkeyPatch) -> None:
    """Eight documents a part."""
    monkeypatch.setitem(USES, "embed", replace(USES["embed"], together=8))


def test_what_is_done_is_not_done_again(
    without_ray: None, chunks: None, two_files: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    whole, out = tmp_path / "whole", tmp_path / "out"
    assert run(small_embed(two_files), whole).parts == 8
    answer, seen = Worker.answer, []

    def stops(self, source, part):
        seen.append((source.name, part.number))
        if len(seen) == 6:
            raise KeyboardInterrupt
        return answer(self, source, part)

    with monkeypatch.context() as patch:
        patch.setattr(Worker, "answer", stops)
        with pytest.raises(KeyboardInterrupt):
            run(small_embed(two_files), out)
    with (out / "manifest.jsonl").open("ab") as file:
        file.write(b'{"file": "a/x.js')  # cut short
    (out / "parts" / "a" / "x.jsonl.gz" / "00001.jsonl").unlink()  # lost
    (out / "parts" / f".00009.jsonl.1-2{'.part'}").touch()  # left by a process that was killed
    found = run(small_embed(two_files), out)
    assert (found.documents, found.before, found.parts) == (60, 30, 8)
    files = all_files(out)
    assert files.keys() == all_files(whole).keys()
    assert all(data == all_files(whole)[name] for name, data in files.items() if "manifest" not in name)
    again = run(small_embed(two_files), out)
    assert (again.documents, again.before) == (60, 60)


def test_a_file_that_was_mended_is_answered_anew(
    without_ray: None, chunks: None, two_files: Path, tmp_path: Path
) -> None:
    path, out = tmp_path / "in" / "a" / "x.jsonl.gz", tmp_path / "out"
    whole = path.read_bytes()
    path.write_bytes(whole[:-200])
    arguments = ["--format", "jsonl", "--part", "1", "--json"]
    done = CliRunner().invoke(app, command("embed", two_files, out, *arguments))
    found = json.loads(done.stdout)
    assert done.exit_code == 2 and "Error: a/x.jsonl.gz: it is gzip and damaged or cut short" in done.stderr
    assert found["documents"] == found["answered"] + found["refused"] and found["refused"] == 1
    assert list(found["damaged"]) == ["a/x.jsonl.gz"]
    path.write_bytes(whole)
    done = CliRunner().invoke(app, command("embed", two_files, out, *arguments))
    found = json.loads(done.stdout)
    assert done.exit_code == 0, done.stderr
    assert (found["documents"], found["refused"], found["before"], found["damaged"]) == (60, 0, 30, {})
    assert not list((out / "refused").rglob("*.jsonl"))


def refused(*arguments: str) -> str:
    done = CliRunner().invoke(app, arguments)
    assert done.exit_code == 2 and "Traceback" not in done.stderr
    return done.stderr


def test_a_pattern_without_files_is_told(tmp_path: Path) -> None:
    message = refused(*command("tag", tmp_path / "*.jsonl", tmp_path / "out"))
    assert "No file fits the pattern" in message and "*.jsonl" in message
    assert not (tmp_path / "out").exists()


def test_a_column_that_only_the_third_file_lacks_is_told_before_anything_is_written(tmp_path: Path) -> None:
    for name in "abd":
        write(tmp_path / f"{name}.jsonl.gz", texts(3))
    write(tmp_path / "c.jsonl.gz", texts(3), column="body")
    message = refused(*command("embed", tmp_path / "*.gz", tmp_path / "out"))
    assert "c.jsonl.gz has no column text. Allowed: body" in message
    assert [path.name for path in (tmp_path / "out").iterdir()] == [".lock"]


def test_a_folder_of_another_job_is_told(
    without_ray: None, chunks: None, two_files: Path, tmp_path: Path
) -> None:
    run(small_embed(two_files), tmp_path / "out")
    before = all_files(tmp_path)
    with pytest.raises(InputError, match=r"another job: its column, characters differ.*Allowed: text, 1"):
        run(replace(small_embed(two_files), column="body", characters=2), tmp_path / "out")
    message = refused(*command("classify", two_files, tmp_path / "out"))
    assert "is of another job: its use" in message
    assert "holds something else" in refused(*command("embed", two_files, tmp_path / "in"))
    assert all_files(tmp_path) == before


def test_a_folder_that_another_process_writes_to_is_told(two_files: Path, tmp_path: Path) -> None:
    (tmp_path / "out").mkdir()
    with (tmp_path / "out" / ".lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        assert "Another process writes to" in refused(*command("embed", two_files, tmp_path / "out"))


def test_a_preset_of_ones_own_is_asked(
    without_ray: None, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    shutil.copytree(PRESETS_DIR / "topics_bbc", tmp_path / "runs" / "mine")
    monkeypatch.chdir(tmp_path)
    path = write(tmp_path / "in.jsonl", ["Shares fell as the bank cut rates."])
    run(replace(job_of("classify", path), preset="mine"), tmp_path / "out")
    (answer,) = read_jsonl(tmp_path / "out" / "parts")
    assert answer["label"] == "business"
    with pytest.raises(InputError, match="is of another job: its preset, fingerprint differ"):
        run(job_of("classify", path), tmp_path / "out")


def test_a_file_that_is_gone_before_its_end_is_told(
    without_ray: None, chunks: None, two_files: Path, tmp_path: Path
) -> None:
    out = tmp_path / "out"
    run(small_embed(two_files), out)
    (tmp_path / "in" / "a" / "x.jsonl.gz").unlink()
    assert run(small_embed(two_files), out).documents == 60  # all of it was answered
    lines = (out / "manifest.jsonl").read_bytes().splitlines(keepends=True)
    (out / "manifest.jsonl").write_bytes(b"".join(lines[:3]))
    with pytest.raises(InputError, match=r"a/x\.jsonl\.gz was begun and is gone"):
        run(small_embed(two_files), out)


def test_a_manifest_that_cannot_be_read_is_told(two_files: Path, tmp_path: Path) -> None:
    (tmp_path / "out").mkdir()
    (tmp_path / "out" / "manifest.jsonl").write_bytes(b"[]\n")
    assert "manifest.jsonl cannot be read" in refused(*command("embed", two_files, tmp_path / "out"))


def test_a_disk_that_refuses_is_told(
    without_ray: None, chunks: None, two_files: Path, tmp_path: Path
) -> None:
    (tmp_path / "out").mkdir()
    out = tmp_path / "out"
    run(small_embed(two_files), out)
    lines = (out / "manifest.jsonl").read_bytes().splitlines(keepends=True)
    (out / "manifest.jsonl").write_bytes(lines[0])
    path = out / "parts" / "a" / "x.jsonl.gz" / "00000.jsonl"
    path.unlink()
    path.mkdir()
    with pytest.raises(InputError, match=r"00000\.jsonl is a folder"):
        run(small_embed(two_files), out)


def test_names_that_lead_elsewhere_are_told(tmp_path: Path) -> None:
    write(tmp_path / "x.jsonl", texts(1))
    (tmp_path / "in" / "deep").mkdir(parents=True)
    with pytest.raises(InputError, match="A name of a file cannot be used"):
        find_inputs(str(tmp_path / "in" / "d*" / ".." / ".." / "x.jsonl"))


def test_without_ray_it_is_told_what_to_install(
    two_files: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setitem(sys.modules, "ray", None)
    assert "--require-hashes -r requirements-ray.lock" in refused(
        *command("embed", two_files, tmp_path / "out")
    )


@pytest.mark.parametrize("address", ["127.0.0.1:9", "127.0.0.1", "127.0.0.1:x"])
def test_a_cluster_that_does_not_answer_is_told(address: str, two_files: Path, tmp_path: Path) -> None:
    message = refused(*command("embed", two_files, tmp_path / "out", "--address", address))
    assert "no Ray cluster at this address" in message and "HOST:PORT" in message


def test_another_preset_on_a_machine_is_told(two_files: Path, tmp_path: Path) -> None:
    order = Order(replace(small_embed(two_files), fingerprint="another"), tmp_path, 1)
    row = next(Reader(order)({"input": json.dumps(asdict(find_inputs(str(two_files))[0])), "done": "[]"}))
    with pytest.raises(InputError, match="has another preset"):
        checked(Worker(order)(row)["record"])


def test_what_was_refused_goes_through_every_use() -> None:
    bad = Refused(0, "broken")
    for name, use in USES.items():
        answers = use.answer(use.open(None), [bad, "Dogs bark.", bad], "jsonl")
        assert [answers[0], answers[2]] in ([bad, bad], [Refused(1, "broken"), Refused(3, "broken")]), name
        assert not isinstance(answers[1], Refused)

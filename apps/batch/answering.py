"""What a worker does with a part: answers, written to a file that is there whole or not at all."""

from __future__ import annotations

import json
import pickle
import platform
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any, BinaryIO

from threadpoolctl import threadpool_limits

from apps.batch.job import REFUSED, Input, Job, part_path
from apps.batch.uses import USES, fingerprint
from data_prep.errors import InputError
from data_prep.files import atomic_writer, writing_to
from data_prep.readers.documents import JsonLines, Part, together
from data_prep.readers.labelled_texts import Refused

_PROBLEM = "problem"  # of a record, where there are no answers


@dataclass(frozen=True)
class Order:
    """What readers and workers are told: the job, where the output goes, the threads of a worker, and the preset."""

    job: Job
    folder: Path
    threads: int
    preset: str | None = None


class Reader:
    """Reads a file, part by part."""

    def __init__(self, order: Order) -> None:
        self._order = order

    def __call__(self, row: dict[str, Any]) -> Iterator[dict[str, Any]]:
        """Give the parts of a file that are not done yet, as rows."""
        source, done = Input(**json.loads(row["input"])), set(json.loads(row["done"]))
        job = self._order.job
        lines = JsonLines(Path(source.path), job.column)
        begun = time.perf_counter()
        for part in lines.parts(job.characters, USES[job.use].together):
            if part.number not in done:
                seconds = time.perf_counter() - begun
                yield {"input": row["input"], "part": pickle.dumps(part), "seconds": seconds}
            begun = time.perf_counter()


class Worker:
    """Holds one model, and answers the parts that it is given; what is wrong with the model is said with a part."""

    def __init__(self, order: Order) -> None:
        self._order, job = order, order.job
        self._use = USES[job.use]
        self._limits = threadpool_limits(order.threads, "blas")
        self._problem = ""
        try:
            self._application = self._use.open(order.preset)
            if fingerprint(self._application) != job.fingerprint:
                raise InputError(f"{platform.node()} has another preset than the machine that began the job")
        except InputError as error:
            self._problem = str(error)

    def __call__(self, row: dict[str, Any]) -> dict[str, str]:
        """Answer a part; gives the record of it, as JSON."""
        source, part = Input(**json.loads(row["input"])), pickle.loads(row["part"])
        if self._problem:
            return {"record": json.dumps({_PROBLEM: self._problem})}
        try:
            record = self.answer(source, part)
            record["seconds"]["read"] = row["seconds"]
        except InputError as error:  # the disk is full, the folder is gone
            record = {_PROBLEM: str(error)}
        return {"record": json.dumps(record)}

    def answer(self, source: Input, part: Part) -> dict[str, Any]:
        """Answer a part and write its files; gives the record of it.

        Raises:
            InputError: A file cannot be written.
        """
        form, refused = self._order.job.form, []
        clock, begun = time.time(), time.perf_counter()
        path = part_path(self._order.folder, source.name, part.number, form)
        answering = 0.0

        def rows() -> Iterator[list[tuple[int, Any]]]:
            nonlocal answering
            line = part.first
            for texts in together(part.documents, self._use.together):
                since = time.perf_counter()
                answers = self._use.answer(self._application, texts, form, **self._order.job.options)
                answering += time.perf_counter() - since
                numbered = list(enumerate(answers, start=line))
                refused.extend((at, one.problem) for at, one in numbered if isinstance(one, Refused))
                yield [(at, one) for at, one in numbered if not isinstance(one, Refused)]
                line += len(texts)

        with atomic_writer(path, overwrite=True) as stream:
            _WRITERS[form](self, stream, source.name, rows())
        self._write_refused(source, part.number, refused)
        size = path.stat().st_size
        return {
            "file": source.name,
            "size": source.size,
            "changed": source.changed,
            "part": part.number,
            "first": part.first,
            "documents": len(part.documents),
            "answered": len(part.documents) - len(refused),
            "refused": len(refused),
            "last": part.last,
            "damage": part.damage,
            "consumed": part.consumed,
            "bytes": size,
            "begun": clock,
            "seconds": {"answer": answering, "write": time.perf_counter() - begun - answering},
        }

    def _write_refused(self, source: Input, number: int, refused: list[tuple[int, str]]) -> None:
        path = part_path(self._order.folder, source.name, number, "jsonl", REFUSED)
        if not refused:
            with writing_to(path):
                path.unlink(missing_ok=True)
            return
        with atomic_writer(path, overwrite=True) as stream:
            for line, problem in refused:
                stream.write(_json({"file": source.name, "line": line, "problem": problem}))

    def _write_jsonl(self, stream: BinaryIO, name: str, rows: Iterator[list[tuple[int, Any]]]) -> None:
        for some in rows:
            stream.writelines(_json({"file": name, "line": line, **answer}) for line, answer in some)

    def _write_conllu(self, stream: BinaryIO, name: str, rows: Iterator[list[tuple[int, Any]]]) -> None:
        for some in rows:
            stream.writelines(f"# newdoc id = {name}:{line}\n{text}".encode() for line, text in some)

    def _write_parquet(self, stream: BinaryIO, name: str, rows: Iterator[list[tuple[int, Any]]]) -> None:
        import pyarrow as pa
        from pyarrow import parquet

        kinds = {"file": pa.string(), "line": pa.int64(), **self._use.schema(self._application)}
        schema = pa.schema(kinds)
        with parquet.ParquetWriter(stream, schema) as file:
            for some in rows:
                table = [{"file": name, "line": line, **answer} for line, answer in some]
                file.write_table(pa.Table.from_pylist(table, schema))


_WRITERS: dict[str, Callable[..., None]] = {
    "jsonl": Worker._write_jsonl,
    "conllu": Worker._write_conllu,
    "parquet": Worker._write_parquet,
}


def checked(record: str) -> dict[str, Any]:
    """Read what a worker gave.

    Raises:
        InputError: It could not write.
    """
    found = json.loads(record)
    if _PROBLEM in found:
        raise InputError(found[_PROBLEM])
    return found


def _json(content: dict[str, Any]) -> bytes:
    return json.dumps(content, ensure_ascii=False, allow_nan=False).encode() + b"\n"

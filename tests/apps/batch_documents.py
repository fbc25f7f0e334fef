"""Documents for batches, the command that answers them, and what lies in its folder."""

from __future__ import annotations

import gzip
import json
import random
from pathlib import Path

WORDS = "the a film was good bad dull warm dogs bark cats sleep while actors play with words".split()  # noqa: SIM905


def texts(count: int, seed: int = 0) -> list[str]:
    """Documents of 5 to 60 words."""
    draw = random.Random(seed)
    return [" ".join(draw.choices(WORDS, k=draw.randint(5, 60))).capitalize() + "." for _ in range(count)]


def write(path: Path, documents: list[object], column: str = "text") -> Path:
    path.parent.mkdir(parents=True, exist_ok=True)
    data = b"".join(json.dumps({column: text}).encode() + b"\n" for text in documents)
    path.write_bytes(gzip.compress(data, mtime=0) if path.suffix == ".gz" else data)
    return path


def command(use: str, pattern: object, output: Path, *more: str) -> list[str]:
    return ["batch", use, "--input", str(pattern), "--column", "text", "--output", str(output), *more]


def read_jsonl(folder: Path) -> list[dict]:
    found = [
        json.loads(line)
        for path in folder.rglob("[0-9]*.jsonl")
        if path.is_file()
        for line in path.read_text().splitlines()
    ]
    return sorted(found, key=lambda one: (one["file"], one["line"]))


def all_files(folder: Path) -> dict[str, bytes]:
    return {
        str(path.relative_to(folder)): path.read_bytes() for path in folder.rglob("*.*") if path.is_file()
    }

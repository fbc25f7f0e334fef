"""The manifest of a preset (``metadata.json``): which files belong to it, their sizes and checksums."""

from __future__ import annotations

import re
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from data_prep.errors import InputError
from models.storage.folders import REMEDY, check_file, read_signed, record_of, write_signed

MANIFEST = "metadata.json"
FORMAT = 1
_LIMIT = 4 << 20  # bytes of a manifest: it is read before anything could have been checked
_NAME = re.compile(r"[A-Za-z0-9][A-Za-z0-9_.-]*\Z")
_TABLES = ("weights", "golden", "files", "parts")
_REQUIRED = ("kind", "recipe", "seed", "data", "seconds", "processor", "versions", "card", *_TABLES)


def write_manifest(folder: Path, metadata: Mapping[str, Any]) -> None:
    """Write ``metadata.json``, with size and SHA-256 of all files, and of the manifests of presets inside."""
    files, parts = {}, {}
    for path in sorted(folder.iterdir()):
        if path.is_dir():
            parts[path.name] = record_of(path / MANIFEST)
        elif path.name != MANIFEST:
            files[path.name] = record_of(path)
    content = {"format": FORMAT, **metadata, "files": files, **({"parts": parts} if parts else {})}
    write_signed(folder / MANIFEST, content)


def read_manifest(folder: Path) -> dict[str, Any]:
    """Read ``metadata.json`` and check it against its own checksum; ``parts`` is empty without presets inside.

    Raises:
        InputError: When it is missing, too large, no JSON, altered, of an unknown format, or lacks a key.
    """
    path = folder / MANIFEST
    if path.is_file() and path.stat().st_size > _LIMIT:
        raise InputError(
            f"The file {path} is too large", allowed=f"{_LIMIT} bytes", received=path.stat().st_size
        )
    content = {"parts": {}, **read_signed(path)}
    if content.get("format") != FORMAT:
        raise InputError(
            f"The preset {folder} has an unknown format version",
            allowed=str(FORMAT),
            received=content.get("format"),
            remedy="Update Lectern, or take a preset of this version",
        )
    wrong = [key for key in _REQUIRED if key not in content]
    wrong += [key for key in _TABLES if not isinstance(content.get(key), dict)]
    if wrong:
        raise InputError(f"The file {path} lacks {', '.join(dict.fromkeys(wrong))}", remedy=REMEDY)
    return content


def check_files(folder: Path, metadata: Mapping[str, Any], required: frozenset[str]) -> None:
    """Compare the files of a preset with its manifest, which has to list the required ones, before one is opened.

    Raises:
        InputError: Names the first file that is missing, surplus, no plain file, cut short or altered.
    """
    files, parts = metadata["files"], metadata["parts"]
    records = {name: (folder / name, record) for name, record in files.items()}
    records |= {name: (folder / name / MANIFEST, record) for name, record in parts.items()}
    for name in sorted(required | records.keys()):
        if not _NAME.match(name) or name == MANIFEST:
            raise InputError(f"The manifest of {folder} lists a name that is not allowed", received=name)
        if name not in records:
            raise InputError(f"The manifest of {folder} does not list {name}", remedy=REMEDY)
    for path in sorted(folder.iterdir()):
        if path.name not in records and path.name != MANIFEST:
            raise InputError(f"The file {path} does not belong to the preset", remedy="Remove it")
        if path.is_symlink() or path.is_dir() != (path.name in parts):
            raise InputError(f"{path} is not a plain file", remedy=REMEDY)
    for path, record in records.values():
        if not isinstance(record, dict) or record.keys() != {"size", "sha256"}:
            raise InputError(f"The manifest's entry for {path} is not size and sha256", received=record)
        check_file(path, record)

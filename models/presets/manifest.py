"""The manifest of a preset (``metadata.json``): which files belong to it, their sizes and checksums."""

from __future__ import annotations

import hashlib
import json
import re
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from data_prep.errors import InputError
from models.storage.atomic import sha256_of, write_json

MANIFEST = "metadata.json"
FORMAT = 1
_LIMIT = 4 << 20  # bytes of a manifest: it is read before anything could have been checked
_NAME = re.compile(r"[A-Za-z0-9][A-Za-z0-9_.-]*\Z")
_REQUIRED = (
    *("format", "kind", "recipe", "seed", "data", "seconds", "processor", "versions"),
    *("weights", "golden", "card", "files"),
)
_REMEDY = "Restore the preset, or make it again"


def write_manifest(folder: Path, metadata: Mapping[str, Any]) -> None:
    """Write ``metadata.json``, with size and SHA-256 of all files, and of the manifests of presets inside."""
    files, parts = {}, {}
    for path in sorted(folder.iterdir()):
        if path.is_dir():
            parts[path.name] = _record(path / MANIFEST)
        elif path.name != MANIFEST:
            files[path.name] = _record(path)
    content = {"format": FORMAT, **metadata, "files": files, **({"parts": parts} if parts else {})}
    write_json(folder / MANIFEST, {**content, "sha256": _digest(content)})


def read_manifest(folder: Path) -> dict[str, Any]:
    """Read ``metadata.json`` and check it against its own checksum.

    Args:
        folder: Preset.

    Returns:
        Its content.

    Raises:
        InputError: When it is missing, too large, no JSON, altered, of an unknown format, or lacks a key.
    """
    path = folder / MANIFEST
    if not path.is_file():
        raise InputError(f"The file {path} is missing", remedy=_REMEDY)
    if path.stat().st_size > _LIMIT:
        raise InputError(
            f"The file {path} is too large", allowed=f"{_LIMIT} bytes", received=path.stat().st_size
        )
    try:
        content = json.loads(path.read_bytes().decode("utf-8"))
        digest = content.pop("sha256")
    except (OSError, ValueError, RecursionError, AttributeError, KeyError, TypeError) as error:
        raise InputError(f"The file {path} is no complete manifest ({error!r})", remedy=_REMEDY) from error
    if content.get("format") != FORMAT:
        raise InputError(
            f"The preset {folder} has an unknown format version",
            allowed=str(FORMAT),
            received=content.get("format"),
            remedy="Update Lectern, or take a preset of this version",
        )
    if digest != _digest(content):
        raise InputError(f"The file {path} was altered: its SHA-256 is not the recorded one", remedy=_REMEDY)
    missing = [key for key in _REQUIRED if key not in content]
    if missing:
        raise InputError(f"The file {path} lacks {', '.join(missing)}", remedy=_REMEDY)
    for key in ("files", "weights", "golden", "parts"):
        if not isinstance(content.get(key, {}), dict):
            raise InputError(f"{path}: {key} is not a table", received=content[key], remedy=_REMEDY)
    if content["weights"].get("dtype") not in ("float32", "float16"):
        raise InputError(
            f"{path}: the weights have an unknown dtype",
            allowed="float32 or float16",
            received=content["weights"].get("dtype"),
        )
    for key in ("relative", "absolute"):
        if not isinstance(content["golden"].get(key), float):
            raise InputError(f"{path}: the golden answer has no {key} tolerance", remedy=_REMEDY)
    return content


def check_files(
    folder: Path, files: Mapping[str, Any], required: frozenset[str], parts: Mapping[str, Any] | None = None
) -> None:
    """Compare the files of a preset with its manifest before one of them is opened.

    Args:
        folder: Preset.
        files: File name to ``{"size": bytes, "sha256": hexadecimal}``.
        required: Names that the manifest must list.
        parts: Folder name of a preset inside to the same of its manifest.

    Raises:
        InputError: Names the first file that is missing, surplus, no plain file, cut short or altered.
    """
    parts = parts or {}
    for name in sorted(required | files.keys() | parts.keys()):
        if not _NAME.match(name) or name == MANIFEST:
            raise InputError(f"The manifest of {folder} lists a name that is not allowed", received=name)
        if name not in files and name not in parts:
            raise InputError(f"The manifest of {folder} does not list {name}", remedy=_REMEDY)
    for path in sorted(folder.iterdir()):
        if path.name not in files and path.name not in parts and path.name != MANIFEST:
            raise InputError(f"The file {path} does not belong to the preset", remedy="Remove it")
        if path.is_symlink() or path.is_dir() != (path.name in parts):
            raise InputError(f"{path} is not a plain file", remedy=_REMEDY)
    for path, record in (
        *((folder / name, record) for name, record in files.items()),
        *((folder / name / MANIFEST, record) for name, record in parts.items()),
    ):
        _check_file(path, record)


def _record(path: Path) -> dict[str, Any]:
    return {"size": path.stat().st_size, "sha256": sha256_of(path)}


def _check_file(path: Path, record: Any) -> None:
    if not isinstance(record, dict) or record.keys() != {"size", "sha256"}:
        raise InputError(f"The manifest's entry for {path} is not size and sha256", received=record)
    if not path.is_file():
        raise InputError(f"The file {path} is missing", remedy=_REMEDY)
    size = path.stat().st_size
    if size != record["size"]:
        raise InputError(f"The file {path} has {size} bytes instead of {record['size']}", remedy=_REMEDY)
    if sha256_of(path) != record["sha256"]:
        raise InputError(f"The file {path} was altered: its SHA-256 is not the recorded one", remedy=_REMEDY)


def _digest(content: Mapping[str, Any]) -> str:
    return hashlib.sha256(json.dumps(content, sort_keys=True).encode()).hexdigest()

"""What a folder says of its files: sizes and checksums, in JSON that is signed with its own checksum."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from data_prep.errors import InputError
from data_prep.files import sha256_of, write_json

REMEDY = "Restore the files, or make them again"


def write_signed(path: Path, content: Mapping[str, Any]) -> None:
    """Write JSON with a checksum of itself under ``sha256``."""
    write_json(path, {**content, "sha256": _digest(content)})


def read_signed(path: Path) -> dict[str, Any]:
    """Read what :func:`write_signed` wrote, without the checksum.

    Raises:
        InputError: The file is missing, no complete JSON object, or altered.
    """
    if not path.is_file():
        raise InputError(f"The file {path} is missing", remedy=REMEDY)
    try:
        content = json.loads(path.read_bytes().decode("utf-8"))
        digest = content.pop("sha256")
    except (OSError, ValueError, RecursionError, AttributeError, KeyError, TypeError) as error:
        raise InputError(f"The file {path} is no complete JSON ({error!r})", remedy=REMEDY) from error
    if digest != _digest(content):
        raise InputError(f"The file {path} was altered: its SHA-256 is not the recorded one", remedy=REMEDY)
    return content


def record_of(path: Path) -> dict[str, Any]:
    """Return size and SHA-256 of a file."""
    return {"size": path.stat().st_size, "sha256": sha256_of(path)}


def check_file(path: Path, record: Mapping[str, Any]) -> Path:
    """Return the path of a recorded file after its size and SHA-256 were compared.

    Raises:
        InputError: It is missing, cut short or altered.
    """
    if not path.is_file():
        raise InputError(f"The file {path} is missing", remedy=REMEDY)
    if (size := path.stat().st_size) != record["size"]:
        raise InputError(f"The file {path} has {size} bytes instead of {record['size']}", remedy=REMEDY)
    if sha256_of(path) != record["sha256"]:
        raise InputError(f"The file {path} was altered: its SHA-256 is not the recorded one", remedy=REMEDY)
    return path


def _digest(content: Mapping[str, Any]) -> str:
    return hashlib.sha256(json.dumps(content, sort_keys=True, allow_nan=False).encode()).hexdigest()

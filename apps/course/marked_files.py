"""JSON files that visitors take along and bring back: each says what it is, and is read with care."""

from __future__ import annotations

import json
from typing import Any

from data_prep.errors import InputError
from data_prep.files import json_bytes

MAX_BYTES = 1_000_000
VERSION = 1  # of the forms of files


def write_marked(kind: str, content: dict[str, Any]) -> bytes:
    """Write what a file holds, with the name of its kind, such as ``"progress"``."""
    return json_bytes({"lectern": kind, "version": VERSION, **content})


def read_marked(data: bytes, kind: str) -> dict[str, Any]:
    """Read what a file holds.

    Raises:
        InputError: It is too large, damaged, of another kind, or newer than this edition of the course.
    """
    if len(data) > MAX_BYTES:
        raise InputError(
            f"The file of {kind} is too large",
            allowed=f"at most {MAX_BYTES:,} bytes",
            received=f"{len(data):,} bytes",
        )
    try:
        found = json.loads(data.decode("utf-8-sig"))
    except (ValueError, RecursionError):
        raise InputError(
            f"The file of {kind} is damaged", allowed="JSON, as this page wrote it", received=data[:40]
        ) from None
    if not isinstance(found, dict) or found.get("lectern") != kind:
        raise InputError(f"This is no file of {kind}", allowed=f'JSON with "lectern": "{kind}"')
    version = found.get("version")
    if type(version) is not int or version < 1:
        raise InputError(f"The file of {kind} is damaged", allowed="a version", received=version)
    if version > VERSION:
        raise InputError(
            f"The file of {kind} is newer than this course",
            allowed=f"version {VERSION}",
            received=version,
            remedy="Use a newer Lectern",
        )
    return found

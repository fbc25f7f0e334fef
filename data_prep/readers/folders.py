"""Files of a folder that users give."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

from data_prep.errors import InputError


def visible_files(folder: Path, suffixes: Sequence[str], kind: str) -> list[Path]:
    """List the files of a folder and its sub-folders, sorted; names that begin with a dot are passed over.

    Raises:
        InputError: A file has another suffix.
    """
    files = [
        path
        for path in sorted(folder.rglob("*"))
        if path.is_file() and not any(part.startswith(".") for part in path.relative_to(folder).parts)
    ]
    other = next((path for path in files if path.suffix.lower() not in suffixes), None)
    if other is not None:
        raise InputError(f"{other} is no {kind}", allowed="files " + ", ".join(suffixes))
    return files

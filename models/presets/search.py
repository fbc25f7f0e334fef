"""Where presets are looked for: among the shipped ones, then in ``runs/``, then in the folders of LECTERN_PRESETS."""

from __future__ import annotations

import json
import os
import re
from collections.abc import Mapping
from contextlib import suppress
from dataclasses import dataclass
from functools import cached_property, lru_cache
from pathlib import Path
from types import MappingProxyType
from typing import Any

from data_prep.errors import InputError
from models.presets.manifest import MANIFEST, read_manifest
from models.training.recipe import close_names

PRESETS_DIR = Path(__file__).resolve().parent
METRICS = "metrics.json"
VARIABLE = "LECTERN_PRESETS"
_MOST_BYTES, _MOST_SAID = 4 << 20, 2_000  # of metrics.json; characters of what a card says about data
_PARENTHESES = re.compile(r"\s*\([^()]*\)")


@dataclass(frozen=True)
class FoundPreset:
    """A preset in reach; its weights are not opened.

    Args:
        name: Of its folder.
        path: Its folder.
        where: ``"shipped"``, ``"runs"`` or the folder that LECTERN_PRESETS names.
        metadata: What its manifest says.
    """

    name: str
    path: Path
    where: str
    metadata: Mapping[str, Any]

    @property
    def kind(self) -> str:
        """Kind of the preset."""
        return self.metadata["kind"]

    @cached_property
    def metrics(self) -> dict[str, Any]:
        """Its measures that have a score, empty where the file cannot be read."""
        path = self.path / METRICS
        try:
            if path.is_symlink() or path.stat().st_size > _MOST_BYTES:
                return {}
            said = json.loads(path.read_text(encoding="utf-8"))
        except (OSError, ValueError, RecursionError):
            return {}
        measures = said.items() if isinstance(said, dict) else ()
        return {name: one for name, one in measures if isinstance(one, dict) and "score" in one}

    @property
    def learned_from(self) -> str:
        """What it learned from: the first sentence of its card's, without what stands in parentheses."""
        card = self.metadata["card"]
        text = str(card.get("data", "unknown"))[:_MOST_SAID] if isinstance(card, dict) else "unknown"
        while (shorter := _PARENTHESES.sub("", text)) != text:
            text = shorter
        return text.split(". ")[0].removesuffix(".")

    @property
    def size(self) -> int:
        """Bytes of all its files."""
        return sum(path.stat().st_size for path in self.path.rglob("*") if path.is_file())


def find_presets(kind: str | None = None) -> list[FoundPreset]:
    """List the presets in reach, of one kind or all; unfinished runs and manifests that cannot be read are left out."""
    found = []
    for name, (where, path) in in_reach().items():
        with suppress(InputError, OSError):
            now = (path / MANIFEST).stat()
            metadata = _manifest(path, (now.st_mtime_ns, now.st_size, now.st_ino))
            found.append(FoundPreset(name, path, where, MappingProxyType(metadata)))
    return [preset for preset in found if kind in (None, preset.kind)]


@lru_cache(maxsize=256)
def _manifest(folder: Path, stamp: tuple[int, ...]) -> dict[str, Any]:
    """Read a manifest, and anew when its file changes: every click on a page asks for all of them."""
    return read_manifest(folder)


def in_reach() -> dict[str, tuple[str, Path]]:
    """Return where each preset is, by name: what the folder that it was found in is called, and its own."""
    more = [Path(text) for text in os.environ.get(VARIABLE, "").split(os.pathsep) if text]
    folders = [("shipped", PRESETS_DIR), ("runs", Path("runs")), *((str(path), path) for path in more)]
    found: dict[str, tuple[str, Path]] = {}
    for where, folder in folders:
        for name in list_presets(folder):
            found.setdefault(name, (where, folder / name))
    return found


def list_presets(root: str | Path | None = None) -> tuple[str, ...]:
    """Return the names of the presets in a folder, sorted; without ``root`` those that are shipped."""
    folder = PRESETS_DIR if root is None else Path(root)
    if not folder.is_dir():
        return ()
    with os.scandir(folder) as inside:  # every click on a page asks: pathlib takes twice as long
        there = [one.name for one in inside if one.is_dir() and os.path.exists(f"{one.path}/{MANIFEST}")]
    return tuple(sorted(name for name in there if name[0] != "."))


def resolve_preset(name_or_path: str | Path) -> Path:
    """Find a preset's folder by its name, first looked up in the folders of :func:`in_reach`, or by its folder.

    Raises:
        InputError: When there is none; close names are offered.
    """
    text, path, found = str(name_or_path), Path(name_or_path), in_reach()
    if text in found:
        return found[text][1]
    if text and path.is_dir():
        return path if path.name.strip(".") else path.resolve()  # "." has no name, and is its own parent
    if os.sep in text:
        raise InputError(
            f"There is no preset folder {text}", remedy="Give a folder that holds a metadata.json"
        )
    raise InputError(
        "There is no preset of this name", received=text, remedy=close_names(text, list(found), kind="preset")
    )

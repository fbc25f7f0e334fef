"""Presets: a folder that holds a trained model with everything it needs, checked each time it is opened.

Code builds the network and the file only fills numbers in: nothing is unpickled, no code is read. The order of the
checks: size and SHA-256 of every file before one is opened; names, shapes and dtypes of the arrays, from their
headers, against the network that the config asks for; finite values; the stored answer to a stored input.

    python -m models.presets.store NAME_OR_FOLDER      checks one preset and exits with 0 or 2
"""

from __future__ import annotations

import contextlib
import json
import subprocess
import sys
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import asdict, dataclass, field
from functools import partial
from pathlib import Path
from typing import Any, Literal

import numpy as np

from data_prep.array_files import differences, first_non_finite, read_arrays, specs_of, write_arrays
from data_prep.errors import InputError
from data_prep.files import write_bytes, write_json
from data_prep.text.vocab import Vocabulary
from models.presets.card import KEPT, CardText, render_card
from models.presets.golden import STORAGE_TOLERANCE, TOLERANCE, check_golden, write_golden
from models.presets.kinds import Kind, kind_named
from models.presets.manifest import MANIFEST, check_files, read_manifest, write_manifest
from models.presets.search import resolve_preset
from models.storage.folders import replacing_folder
from models.training.recipe import from_dict, to_dict
from models.training.run_folder import engine_versions, processor

CONFIG, VOCABULARY, LABELS = "config.json", "vocab.json", "labels.json"
WEIGHTS, GOLDEN, METRICS, README = "weights.npz", "golden.npz", "metrics.json", "README.md"
VERIFY_COMMAND = (sys.executable, "-m", "models.presets.store")

_FILES = frozenset({CONFIG, WEIGHTS, GOLDEN, METRICS, README})
_VERIFY_SECONDS = 300
_PROVENANCE = ("recipe", "seed", "data", "seconds")


@dataclass(frozen=True)
class Preset:
    """A preset that has passed every check.

    Args:
        path: Its folder.
        kind: Name of its kind.
        config: Instance of the kind's config class.
        arrays: Array name to read-only array; float16 is widened to float32.
        vocabulary: Its vocabulary, or None.
        labels: Its labels in the order of the outputs, or None.
        metrics: Measure to score, protocol, n and more.
        metadata: Recipe, seed, versions, data checksums, seconds, processor, files.
        parts: Name to a preset inside.
    """

    path: Path
    kind: str
    config: Any
    arrays: Mapping[str, np.ndarray]
    vocabulary: Vocabulary | None
    labels: tuple[str, ...] | None
    metrics: Mapping[str, Any]
    metadata: Mapping[str, Any]
    parts: Mapping[str, Preset] = field(default_factory=dict)


def save_preset(
    target: str | Path,
    *,
    kind: str,
    config: Any,
    weights: Mapping[str, np.ndarray],
    golden: Mapping[str, np.ndarray],
    metrics: Mapping[str, Any],
    metadata: Mapping[str, Any],
    card: CardText,
    vocabulary: Vocabulary | None = None,
    labels: Sequence[str] | None = None,
    dtype: Literal["float32", "float16"] = "float32",
    verify_command: Sequence[str] | None = None,
    parts: Mapping[str, Callable[[Path], object]] | None = None,
) -> Path:
    """Write a preset: in a temporary folder, verified by loading it, then put in place in one step.

    Args:
        target: Folder to make; a preset that is there is replaced when the new one is verified.
        kind: Row of ``models.presets.kinds.KINDS``.
        config: Instance of the kind's config class.
        weights: The arrays of the trained network by name.
        golden: Input name to array: an example whose answer is stored and compared at every loading.
        metrics: Measure to mapping with ``score``, ``protocol``, ``n``, and ``standard_error``, ``baseline``.
        metadata: ``recipe`` (dataclass or mapping), ``seed``, ``data`` (data set to checksum), ``seconds``.
        card: Text of the model card.
        vocabulary: For kinds that need one.
        labels: For kinds that need them, in the order of the outputs.
        dtype: How float32 arrays are stored.
        verify_command: Loads the folder that is its last argument in a fresh process: ``VERIFY_COMMAND``.
        parts: Name of a preset inside to what writes it into a folder, by this function.

    Raises:
        InputError: When the target cannot be written or holds something else than a preset.
        ValueError: When weights, metrics or metadata do not do, or ``dtype`` moves the golden answer too far.
    """
    target, rules = Path(target), kind_named(kind)
    rules.check_parts(config, vocabulary, None if labels is None else tuple(labels))
    stored = _stored_arrays(rules, config, weights, dtype)
    content = {"kind": kind, **_provenance(metadata, card, stored, dtype)}
    check_replaceable(target)
    with replacing_folder(target) as staging:
        write_json(staging / CONFIG, to_dict(config))
        if vocabulary is not None:
            write_bytes(staging / VOCABULARY, vocabulary.to_json().encode("utf-8"))
        if labels is not None:
            write_json(staging / LABELS, list(labels))
        write_arrays(staging / WEIGHTS, stored)
        write_golden(staging / GOLDEN, partial(rules.answer, config), weights, dtype, golden)
        write_json(staging / METRICS, metrics)
        write_bytes(staging / README, render_card(content, metrics).encode("utf-8"))
        for name, write in (parts or {}).items():
            write(staging / name)
        write_manifest(staging, content)
        load_preset(staging)
        if verify_command is not None:
            _verify_in_fresh_process(staging, verify_command)
    return target


def load_preset(name_or_path: str | Path, *, kind: str | None = None) -> Preset:
    """Open a preset and check all of it.

    Args:
        name_or_path: Name of a shipped preset, or a folder.
        kind: The kind that the caller can use; another one is refused.

    Returns:
        The preset; arrays are read-only.

    Raises:
        InputError: When there is no such preset, or a file of it is missing, surplus, cut short, altered, of
            an unknown format, or does not fit the others; the file is named. A preset inside holds no more.
    """
    folder = resolve_preset(name_or_path)
    metadata = read_manifest(folder)
    rules = kind_named(metadata["kind"])
    if kind is not None and metadata["kind"] != kind:
        raise InputError(f"The preset {folder} is of another kind", allowed=kind, received=metadata["kind"])
    if metadata["parts"] and (folder.parent / MANIFEST).is_file():
        raise InputError(f"The preset {folder} lies in another one and holds more presets")
    check_files(folder, metadata, _FILES)
    files = metadata["files"]
    config = _read(folder / CONFIG, lambda text: from_dict(rules.config_class, json.loads(text)))
    vocabulary = _read(folder / VOCABULARY, Vocabulary.from_json) if VOCABULARY in files else None
    labels = _read(folder / LABELS, _labels) if LABELS in files else None
    with _named(folder):
        rules.check_parts(config, vocabulary, labels)
    try:
        expected = rules.arrays(config)
    except Exception as error:  # a made-up config can fail anywhere inside the network's code
        raise InputError(f"{folder / CONFIG} does not describe a network ({error!r:.200})") from error
    half = metadata["weights"].get("dtype") == "float16"
    arrays = read_arrays(folder / WEIGHTS, expected, half_precision=half)
    check_golden(folder / GOLDEN, partial(rules.answer, config), arrays)
    for array in arrays.values():
        array.setflags(write=False)
    return Preset(
        path=folder,
        kind=metadata["kind"],
        config=config,
        arrays=arrays,
        vocabulary=vocabulary,
        labels=labels,
        metrics=_read(folder / METRICS, json.loads),
        metadata=metadata,
        parts={name: load_preset(folder / name) for name in metadata["parts"]},
    )


def _stored_arrays(
    rules: Kind, config: Any, weights: Mapping[str, np.ndarray], dtype: str
) -> dict[str, np.ndarray]:
    """Return the arrays as they will be in the file, after checking that config and weights fit."""
    if dtype not in STORAGE_TOLERANCE:
        raise ValueError(f"Weights are stored as {' or '.join(STORAGE_TOLERANCE)}. Received: {dtype!r}")
    arrays = dict(weights)
    problems = differences(rules.arrays(config), specs_of(arrays))
    if problems:
        raise ValueError(f"The weights do not fit the config: {'; '.join(problems[:5])}")
    if dtype == "float16":
        with np.errstate(over="ignore"):  # an overflow becomes infinite and is refused below
            arrays = {n: a.astype(np.float16) if a.dtype == np.float32 else a for n, a in arrays.items()}
    if (bad := first_non_finite(arrays)) is not None:
        raise ValueError(f"The array {bad!r} is not finite as {dtype}.")
    return arrays


def _provenance(
    metadata: Mapping[str, Any], card: CardText, stored: Mapping[str, np.ndarray], dtype: str
) -> dict[str, Any]:
    if missing := [key for key in _PROVENANCE if key not in metadata]:
        raise ValueError(f"The metadata of a preset lack {', '.join(missing)}.")
    return {
        **metadata,
        "recipe": to_dict(metadata["recipe"]),
        "processor": processor(),
        "versions": engine_versions(),
        "card": asdict(card),
        "golden": TOLERANCE,
        "weights": {
            "format": "npz",
            "dtype": dtype,
            "parameters": sum(array.size for array in stored.values()),
        },
    }


def kept_networks(start: Preset) -> Mapping[str, Any]:
    """Return how a preset was made, for the metadata of one whose training went on from it."""
    names = ("card", "recipe", "seconds", "history", "processor", "versions", "from", KEPT)
    made = {name: start.metadata[name] for name in names if name in start.metadata}
    return {**made, "weights": start.metadata["files"][WEIGHTS]["sha256"]}


def check_replaceable(target: Path) -> None:
    """Refuse to replace a folder that could hold anything but a preset."""
    if not target.exists() or (target.is_dir() and not any(target.iterdir())):
        return
    if not target.is_dir() or target.is_symlink():
        raise InputError(f"{target} is in the way of the preset", remedy="Choose another folder")
    try:
        manifest = read_manifest(target)
        known = {*manifest["files"], *manifest["parts"], MANIFEST}
    except InputError as error:
        raise InputError(
            f"The folder {target} is not empty and holds no preset that can be replaced ({error.problem})",
            remedy="Choose another folder",
        ) from error
    if foreign := sorted(path.name for path in target.iterdir() if path.name not in known):
        raise InputError(
            f"The folder {target} holds more than a preset", received=foreign, remedy="Choose another folder"
        )


def _verify_in_fresh_process(folder: Path, command: Sequence[str]) -> None:
    root = Path(__file__).resolve().parents[2]
    done = subprocess.run(
        [*command, str(folder.resolve())],
        cwd=root,
        capture_output=True,
        text=True,
        timeout=_VERIFY_SECONDS,
        check=False,
    )
    if done.returncode != 0:
        last = (done.stderr.strip().splitlines() or ["no message"])[-1]
        raise InputError(f"The new preset does not load in a fresh process: {last}")


def _labels(text: str) -> tuple[str, ...]:
    labels = json.loads(text)
    if not isinstance(labels, list) or not all(isinstance(label, str) for label in labels) or not labels:
        raise InputError("This is not a list of texts", received=labels)
    if len(set(labels)) < len(labels):
        raise InputError("A label is there twice", received=labels)
    return tuple(labels)


def _read(path: Path, parse: Callable[[str], Any]) -> Any:
    with _named(path):
        return parse(path.read_bytes().decode("utf-8"))


@contextlib.contextmanager
def _named(path: Path) -> Iterator[None]:
    """Name the path in every error of reading inside the block."""
    try:
        yield
    except InputError as error:
        raise InputError(f"{path}: {error}") from error
    except (ValueError, RecursionError) as error:
        raise InputError(f"{path} is not JSON in UTF-8 ({error})") from error


def main(arguments: Sequence[str]) -> int:
    """Check the preset that the one argument names as loading does, say what it holds, and return the exit code."""
    if len(arguments) != 1:
        print("usage: python -m models.presets.store NAME_OR_FOLDER", file=sys.stderr)
        return 2
    try:
        preset = load_preset(arguments[0])
    except InputError as error:
        print(f"error: {error}", file=sys.stderr)
        return 2
    size = sum(path.stat().st_size for path in preset.path.rglob("*") if path.is_file())
    numbers = sum(array.size for array in preset.arrays.values())
    print(
        f"{preset.path}: {preset.kind}, {numbers:,} {preset.metadata['weights'].get('dtype')} numbers, "
        f"{size / 2**20:.1f} MiB, all files as recorded, golden answer reproduced"
    )
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))

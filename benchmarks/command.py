"""What the command lines of the benchmarks share: their last options, and what becomes of the results."""

from __future__ import annotations

import argparse
import json
import os
import sys
from collections.abc import Callable, Iterable
from contextlib import suppress
from pathlib import Path
from typing import Any

from data_prep.errors import InputError

ROOT = Path(__file__).resolve().parents[1]


def add_output_options(parser: argparse.ArgumentParser, path: Path) -> None:
    """Add ``--store`` and ``--json``.

    Args:
        parser: Of the benchmark.
        path: File of its results.
    """
    parser.add_argument("--store", action="store_true", help=f"write {path.relative_to(ROOT)}")
    parser.add_argument("--json", action="store_true", help="print one JSON object")


def check_positive(
    parser: argparse.ArgumentParser, options: argparse.Namespace, names: Iterable[str]
) -> None:
    """Leave with a message where one of the numbers is below 1.

    Args:
        parser: Says the message.
        options: With the numbers.
        names: Theirs, as attributes of ``options``.
    """
    for name in names:
        if getattr(options, name) < 1:
            parser.error(f"--{name.replace('_', '-')} must be 1 or more")


def limit_cores(threads: int) -> None:
    """Hold this process, and the libraries that it loads later, to some cores.

    Args:
        threads: How many.
    """
    for variable in ("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS", "MKL_NUM_THREADS", "BLIS_NUM_THREADS"):
        os.environ[variable] = str(threads)
    os.environ["TF_NUM_INTRAOP_THREADS"] = os.environ["TF_NUM_INTEROP_THREADS"] = str(threads)
    with suppress(AttributeError, OSError):  # macOS cannot pin; the variables hold there
        os.sched_setaffinity(0, sorted(os.sched_getaffinity(0))[:threads])


def write_results(path: Path, results: dict[str, Any]) -> None:
    """Write results for page and documentation, whole or not at all."""
    from models.storage.atomic import write_json

    path.parent.mkdir(parents=True, exist_ok=True)
    write_json(path, results)


def carry_out(
    options: argparse.Namespace,
    measure: Callable[[], dict[str, Any]],
    store: Callable[[dict[str, Any]], None],
    table: Callable[[dict[str, Any]], None],
) -> int:
    """Measure, keep the results where that is asked for, and print them.

    Args:
        options: With ``store`` and ``json``.
        measure: Gives the results; its ``InputError`` becomes a message.
        store: Keeps them.
        table: Prints them.

    Returns:
        The exit code.
    """
    try:
        results = measure()
    except InputError as error:
        print(f"Error: {error}", file=sys.stderr)
        return 2
    if options.store:
        store(results)
    if options.json:
        print(json.dumps(results))
    else:
        table(results)
    return 0

"""What all benchmarks share: options, a limit on cores, folders of runs, and what becomes of the results."""

from __future__ import annotations

import argparse
import importlib.metadata
import json
import os
import shutil
import sys
import tempfile
from collections.abc import Callable, Mapping, Sequence
from contextlib import suppress
from pathlib import Path
from typing import Any, NamedTuple

from threadpoolctl import threadpool_limits

import apps.shared.reports
from apps.shared.commands import print_report
from apps.shared.reports import Stored
from apps.shared.tables import Table
from data_prep.errors import InputError
from data_prep.files import write_json
from models.training.run_folder import engine_versions, processor

ROOT = Path(__file__).resolve().parents[1]
THREAD_VARIABLES = ("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS", "MKL_NUM_THREADS", "BLIS_NUM_THREADS")


class Option(NamedTuple):
    """One option of a benchmark.

    Attributes:
        default: Decides the type: a whole number must be 1 or more, or 0 where that is the default; False is a flag, a
            list takes KEY=VALUE again and again, a tuple several choices, and None is a file or folder.
        help: What it is.
        choices: What is allowed.
    """

    default: Any
    help: str
    choices: tuple[str, ...] = ()


Options = Mapping[str, Option]
THREADS = Option(2, "processor cores for every system")
RUNS = Option(None, "folder of the runs; kept, and gone on with")
SET = Option([], "change a setting")
SAMPLE = Option(False, "small made-up data instead of the real ones")


def command(
    module: str,
    about: str,
    table: Table | Callable[[argparse.Namespace], Table],
    measure: Callable[[argparse.Namespace], dict[str, Any]],
    options: Options,
    *,
    show: Callable[[Stored], None] | None = None,
    store: Callable[[Path, dict[str, Any]], None] = write_json,
) -> Callable[[Sequence[str] | None], int]:
    """Make the command of a benchmark, and run it where its module is what was started.

    Args:
        module: Its ``__name__``.
        about: Its docstring.
        table: What it prints; its name is that of the file of results.
        measure: Options to results; its ``InputError`` becomes a message.
        options: Besides ``--store`` and ``--json``; ``threads`` limits the cores, ``runs`` is a folder in any case.
        show: Prints the results in place of the table.
        store: Writes the file of results.

    Returns:
        Arguments of the command line, or None for those of the process, to the exit code.
    """

    def main(arguments: Sequence[str] | None = None) -> int:
        parsed = _parsed(about, options, arguments)
        if "threads" in options:
            limit_cores(parsed.threads)
        own = table(parsed) if callable(table) else table
        try:
            if parsed.store and getattr(parsed, "sample", False):
                raise InputError(
                    "Results of made-up data are not stored", remedy="Leave --sample or --store out"
                )
            with tempfile.TemporaryDirectory() as folder:
                if "runs" in options:
                    parsed.runs = parsed.runs or Path(folder)
                results = measure(parsed)
            if parsed.store:
                path = apps.shared.reports.RESULTS_DIR / f"{own.name}.json"
                path.parent.mkdir(parents=True, exist_ok=True)
                store(path, results)
            found = Stored(f"{own.name}.json", results)
            if parsed.json:
                print(json.dumps(results))
            elif show is None:
                print_report(own.report(found))
            else:
                show(found)
        except InputError as error:
            print(f"Error: {error}", file=sys.stderr)
            return 2
        return 0

    if module == "__main__":
        sys.exit(main())
    return main


def _parsed(about: str, options: Options, arguments: Sequence[str] | None) -> argparse.Namespace:
    prog = f"python -m benchmarks.{Path(sys.argv[0]).stem}"
    parser = argparse.ArgumentParser(prog, description=about.splitlines()[0])
    for name, option in options.items():
        kinds: dict[type, dict[str, Any]] = {
            bool: {"action": "store_true"},
            list: {"action": "append", "metavar": "KEY=VALUE"},
            tuple: {"nargs": "+"},
            type(None): {"type": Path},
        }
        kind = kinds.get(type(option.default), {"type": type(option.default)})
        if option.choices:
            kind["choices"] = option.choices
        parser.add_argument(f"--{name.replace('_', '-')}", default=option.default, help=option.help, **kind)
    parser.add_argument("--store", action="store_true", help="keep the results for page and documentation")
    parser.add_argument("--json", action="store_true", help="print one JSON object")
    parsed = parser.parse_args(arguments)
    for name, option in options.items():
        if type(option.default) is int and getattr(parsed, name) < (least := min(1, option.default)):
            parser.error(f"--{name.replace('_', '-')} must be {least} or more")
    return parsed


def limit_cores(threads: int) -> None:
    """Hold this process, the libraries that it has loaded and those that it loads later to some cores."""
    for variable in (*THREAD_VARIABLES, "TF_NUM_INTRAOP_THREADS", "TF_NUM_INTEROP_THREADS"):
        os.environ[variable] = str(threads)
    threadpool_limits(threads)
    with suppress(AttributeError, OSError):  # macOS cannot pin; the others hold there
        os.sched_setaffinity(0, sorted(os.sched_getaffinity(0))[:threads])


def report(line: str) -> None:
    """Say what is being done."""
    print(line, file=sys.stderr, flush=True)


def settings(options: argparse.Namespace | None = None, **values: Any) -> dict[str, Any]:
    """Return options but folders, other settings, the processor, and the versions of what computes."""
    given = vars(options).items() if options else ()
    kept = {
        name: value
        for name, value in given
        if name not in ("store", "json") and not isinstance(value, Path | None)
    }
    return {**kept, **values, "processor": processor(), "versions": engine_versions()}


def version_of(*packages: str) -> str | None:
    """Return the version of the first of some packages that is installed, None where none is."""
    for name in packages:
        with suppress(importlib.metadata.PackageNotFoundError):
            return importlib.metadata.version(name)
    return None


def beside_stored(table: Table, found: Mapping[str, Mapping[str, Any]]) -> dict[str, dict[str, Any]]:
    """Return groups of results, each with the rows that were stored of what was not measured now."""
    before = apps.shared.reports.stored(table.name)
    return {
        group: {**({} if before is None else before.get(group, {})), **rows} for group, rows in found.items()
    }


def decided_here(recipe: Any, base: Any, names: Sequence[str]) -> None:
    """Refuse a recipe in which something is changed that the benchmark itself decides."""
    changed = [name for name in names if getattr(recipe, name) != getattr(base, name)]
    if changed:
        raise InputError(f"The comparison itself decides {', '.join(changed)}", remedy="Leave it out")


def once(folder: Path, recipe: Mapping[str, Any], work: Callable[[], dict[str, Any]]) -> dict[str, Any]:
    """Train and score in a run folder, or read what was scored there before.

    The folder is removed in the end, what was scored stays beside it; the recipe decides the result and is part of it.

    Raises:
        InputError: What is there is of another recipe.
    """
    done = folder.with_suffix(".json")
    if done.is_file():
        before = json.loads(done.read_text(encoding="utf-8"))
        if {key: before.get(key) for key in recipe} != recipe:
            raise InputError(f"{done} is of another recipe", remedy="Choose another folder with --runs")
        return before
    folder.mkdir(parents=True, exist_ok=True)
    result = {**recipe, **work()}
    write_json(done, result)
    shutil.rmtree(folder, ignore_errors=True)
    return result

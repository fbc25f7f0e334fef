"""Record the laboratory's experiments: every run is trained by the driver, one after the other; its curves are kept.

python -m benchmarks.experiments learning_rate bit       records these two; without names, all that are missing
"""

from __future__ import annotations

import argparse
import subprocess
import sys

from apps.laboratory.experiments import RECORDED, experiments, record
from apps.laboratory.runs import GOING, LabRun, submit
from benchmarks.harness import report
from models.training.run_folder import processor


def main(arguments: list[str] | None = None) -> None:
    """Record experiments."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("keys", nargs="*", choices=[[], *experiments()], metavar="KEY")
    keys = parser.parse_args(arguments).keys
    for key in keys or [key for key in experiments() if not (RECORDED / f"{key}.json.gz").exists()]:
        runs: dict[str, LabRun] = {}
        for label, order in experiments()[key].runs.items():
            report(f"{key}: {label}")
            runs[label] = submit(order)
            subprocess.run([sys.executable, "-m", "apps.laboratory.worker", runs[label].key], check=True)
            if runs[label].state in GOING:
                raise SystemExit(f"Error: the run {runs[label].key} did not end; it is {runs[label].state}")
        path = record(key, runs, processor())
        report(f"{path.name}: {path.stat().st_size / 1024:.0f} KiB")
        for run in runs.values():
            run.remove()


if __name__ == "__main__":
    main()

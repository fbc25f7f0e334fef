"""What is installed: locks with checksums of all requirements, a bill of materials, and a search for known weaknesses.

    python -m benchmarks.supply lock      requirements*.txt to requirements*.lock and sbom.cdx.json; make lock
    python -m benchmarks.supply audit     looks up every package of the locks; make audit

uv, cyclonedx-py and pip-audit do the work, of requirements-supply.txt. A lock keeps its versions where the requirements
allow them; without the file, the newest are taken.
"""

from __future__ import annotations

import argparse
import json
import os
import re
import subprocess
import sys
from collections.abc import Sequence
from itertools import product
from pathlib import Path

from data_prep.errors import InputError

ROOT = Path(__file__).resolve().parents[1]
SBOM = "sbom.cdx.json"
PYTHONS = ("3.11", "3.12", "3.13")
PLATFORMS = ("x86_64-manylinux_2_28", "aarch64-manylinux_2_28", "aarch64-apple-darwin")
OLDEST_MACOS = "14.0"  # of onnxruntime, a developer's requirement; TensorFlow itself runs on 12
_PIN = re.compile(r"^([a-z0-9.-]+)==([^ ;\\]+)(?: ; ([^\\]+?))? \\$", re.MULTILINE)
_UV = ("uv", "pip", "compile", "--quiet", "--no-header")


def pins(lock: Path) -> dict[str, str]:
    """Read a lock without those that it builds on: names to versions."""
    return {match[1]: match[2] for match in _PIN.finditer(lock.read_text(encoding="utf-8"))}


def below(requirements: Path) -> list[Path]:
    """Return the locks that the lock of some requirements builds on, the nearest first."""
    named = re.findall(r"^-r (\S+)\.txt$", requirements.read_text(encoding="utf-8"), re.MULTILINE)
    nearest = [requirements.with_name(f"{name}.txt") for name in named]
    return [each for one in nearest for each in (one.with_suffix(".lock"), *below(one))]


def lock(requirements: Path) -> None:
    """Resolve requirements, for all platforms and versions of Python at once, on top of the locks below.

    Raises:
        InputError: uv finds no solution, or a wheel is missing.
    """
    known, target = below(requirements), requirements.with_suffix(".lock")
    _run(
        *_UV, requirements.name, "--output-file", target.name, "--universal", "--python-version", PYTHONS[0],
        "--generate-hashes", "--only-binary", ":all:", "--emit-build-options", "--no-emit-index-url",
        "--annotation-style", "line",
        *(word for path in known for word in ("--constraint", path.name)),
        *(word for path in known for name in pins(path) for word in ("--no-emit-package", name)),
    )  # fmt: skip
    content = target.read_text(encoding="utf-8").partition("\n# The following packages were excluded")[0]
    head = "".join(f"-r {path.name}\n" for path in known[:1])
    made = f"# Made by `make lock` from {requirements.name}: change that file, and never this one.\n"
    target.write_text(f"{made}{head}{content.rstrip()}\n", encoding="utf-8")
    for version, platform in product(PYTHONS, PLATFORMS):
        _run(
            *_UV, target.name, "--offline", "--no-deps", "--only-binary", ":all:",
            "--python-version", version, "--python-platform", platform,
            task=f"{target.name} for Python {version}, {platform}",
        )  # fmt: skip


def bill_of_materials(source: Path, target: Path) -> None:
    """Write what a user installs as CycloneDX: names and versions; the checksums stay in the lock."""
    found = _PIN.findall(source.read_text(encoding="utf-8"))
    lines = "".join(f"{name}=={version}{marker and f' ; {marker}'}\n" for name, version, marker in found)
    _run(
        "cyclonedx_py", "requirements", "-", "--pyproject", "pyproject.toml", "--output-reproducible",
        "--output-file", target.name, given=lines,
    )  # fmt: skip
    content = json.loads(target.read_text(encoding="utf-8"))
    for component in (*content["components"], *content["metadata"]["tools"]["components"]):
        component.pop("externalReferences")  # addresses; the tool supposes one index for everybody
    target.write_text(json.dumps(content, indent=1, sort_keys=True) + "\n", encoding="utf-8")


def audit(locks: Sequence[Path]) -> list[str]:
    """Look every package up in the database of known weaknesses; return a line for each one that was found.

    Raises:
        InputError: The database cannot be reached, or does not know some packages.
    """
    unreached = InputError(
        "The database of known weaknesses cannot be reached, nothing was looked up",
        remedy="Run make audit where the index of packages itself is reached, not a mirror of its files",
    )
    files = [word for path in locks for word in ("--requirement", path.name)]
    try:
        answer = _run("pip_audit", "--disable-pip", "--no-deps", "--format", "json", *files, allowed=(0, 1))
        packages = json.loads(answer)["dependencies"]
    except ValueError as error:
        raise unreached from error
    unknown = [package["name"] for package in packages if "skip_reason" in package]
    if len(unknown) == len(packages):
        raise unreached
    if unknown:
        raise InputError(f"The database does not know {', '.join(unknown)}")
    return [
        f"{package['name']} {package['version']}: {weakness['id']}, mended in {', '.join(weakness['fix_versions'])}"
        for package in packages
        for weakness in package["vulns"]
    ]


def _run(module: str, *words: str, given: str = "", task: str = "", allowed: Sequence[int] = (0,)) -> str:
    done = subprocess.run(
        [sys.executable, "-m", module, *words], cwd=ROOT, input=given, capture_output=True, text=True,
        check=False, env={**os.environ, "MACOSX_DEPLOYMENT_TARGET": OLDEST_MACOS},
    )  # fmt: skip
    if done.returncode not in allowed:
        said = done.stderr.strip().splitlines() or [f"exit code {done.returncode}"]
        raise InputError(f"{task or module}: {' '.join(said[:3])}")
    return done.stdout


def main(arguments: Sequence[str] | None = None) -> int:
    """Run the command; 1 where a weakness is known, 2 where it could not be done."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks.supply", description=__doc__.split("\n")[0])
    parser.add_argument("do", choices=("lock", "audit"))
    asked = parser.parse_args(arguments)
    try:
        if asked.do == "lock":
            everything = sorted(ROOT.glob("requirements*.txt"), key=lambda path: len(below(path)))
            for path in everything:
                print(path.with_suffix(".lock").name, flush=True)
                lock(path)
            bill_of_materials(ROOT / "requirements.lock", ROOT / SBOM)
            return 0
        found = audit(sorted(ROOT.glob("requirements*.lock")))
    except InputError as error:
        print(f"Error: {error}", file=sys.stderr)
        return 2
    print("\n".join(found or ["No known weakness"]))
    return 1 if found else 0


if __name__ == "__main__":
    sys.exit(main())

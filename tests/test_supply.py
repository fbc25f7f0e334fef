"""Imports are pinned; locks, bill of materials and requirements agree; the threat model names tests that exist."""

from __future__ import annotations

import ast
import json
import re
from pathlib import Path

import pytest

from benchmarks import supply
from data_prep.errors import InputError
from tests.test_house import ALL_FILES, EXPORT, ROOT, python_files, third_party

REQUIREMENTS = sorted(ROOT.glob("requirements*.txt"))
LOCKS = [path.with_suffix(".lock") for path in REQUIREMENTS]
TOLD = re.compile(r"(?:,| via) -r (requirements[a-z-]*)\.txt")
MODEL = (ROOT / "docs" / "threat-model.md").read_text(encoding="utf-8")


def same(name: str) -> str:
    return re.sub(r"[-_.]+", "-", name.lower())


def pins(name: str) -> dict[str, str]:
    found = {}
    for line in (ROOT / name).read_text(encoding="utf-8").splitlines():
        line = line.split("#")[0].strip()
        if line and not line.startswith("-r "):
            match = re.fullmatch(r"([A-Za-z0-9._-]+)==([0-9][A-Za-z0-9.]*)(\s*;.*)?", line)
            assert match, f"{name}: not an exact pin: {line!r}"
            found[match[1].lower().replace("_", "-")] = match[2]
    return found


@pytest.mark.parametrize(
    "name", ["requirements.txt", "requirements-dev.txt", "requirements-jax.txt", "requirements-ray.txt"]
)
def test_requirements_are_exact_and_name_no_host(name: str) -> None:
    assert pins(name)
    assert not re.search(
        r"https?:|--(extra-)?index-url|--find-links", (ROOT / name).read_text(encoding="utf-8")
    )


def test_there_is_one_tensorflow() -> None:
    users = pins("requirements.txt")
    assert "tensorflow-cpu" not in users
    assert users["tensorflow"].split(".")[:2] == users["tensorflow-text"].split(".")[:2]


DISTRIBUTIONS = {
    "ai_edge_litert": "ai-edge-litert",
    "sklearn": "scikit-learn",
    "tensorflow_text": "tensorflow-text",
    "PIL": "pillow",
    "markdown_it": "markdown-it-py",
    "mdit_py_plugins": "mdit-py-plugins",
    "annotated_types": "annotated-types",
    "pycrfsuite": "python-crfsuite",
    "xdist": "pytest-xdist",
    "prometheus_client": "prometheus-client",
}


def test_every_import_is_pinned() -> None:
    users = pins("requirements.txt")
    developers = users | pins("requirements-dev.txt")
    optional = {"jax", "ray", "spacy", *EXPORT - users.keys()}
    for path in [*ALL_FILES, *python_files("tests")]:
        top = path.relative_to(ROOT).parts[0]
        known = developers if top in ("tests", "benchmarks") else users
        for module in third_party(ast.parse(path.read_text(encoding="utf-8"))) - optional:
            name = DISTRIBUTIONS.get(module, module).lower().replace("_", "-")
            assert name in known, f"{path.relative_to(ROOT)} imports {module}, which is not pinned"


def held(lock: Path) -> dict[str, str]:
    """What a lock holds, with the locks that it builds on."""
    layers = [lock, *supply.below(lock.with_suffix(".txt"))]
    return {name: version for layer in layers for name, version in supply.pins(layer).items()}


@pytest.mark.parametrize("path", REQUIREMENTS, ids=lambda path: path.name)
def test_a_lock_is_made_from_its_requirements(path: Path) -> None:
    asked = {same(name): version for name, version in pins(path.name).items()}
    lock = path.with_suffix(".lock")
    found = held(lock)
    assert asked == {name: found.get(name) for name in asked}, "run: make lock"
    text = lock.read_text(encoding="utf-8")
    entries = re.split(r"\n(?=[a-z])", text)[1:]
    told = {entry.split("==")[0] for entry in entries if path.stem in TOLD.findall(entry)}
    assert told == asked.keys() & supply.pins(lock).keys(), "run: make lock"
    assert len(entries) == len(supply.pins(lock)) == text.count("==") - sum(map(marks, entries))
    assert all(re.search(r"--hash=sha256:[0-9a-f]{64}\b", entry) for entry in entries)
    below = supply.below(path)
    assert text.splitlines()[1:3] == [*(f"-r {one.name}" for one in below[:1]), "--only-binary :all:", ""][:2]
    assert not re.search(r"https?:|--(extra-)?index-url|--find-links", text)
    assert not found.keys() & {"tensorflow-cpu", "tensorflow-gpu"}


def marks(entry: str) -> int:
    """How many comparisons the marker of an entry holds."""
    return entry.splitlines()[0].partition(";")[2].count("==")


def test_no_package_has_two_versions() -> None:
    own = ROOT / "requirements-supply.lock"  # in an environment of its own
    pairs = {pair for lock in LOCKS if lock != own for pair in supply.pins(lock).items()}
    assert len(pairs) == len(dict(pairs))


def test_what_is_installed_needs_nothing_that_is_not_locked() -> None:
    from importlib.metadata import PackageNotFoundError, requires

    from packaging.requirements import Requirement

    found, missing = held(ROOT / "requirements-dev.lock"), []
    for name in found:
        try:
            needed = [Requirement(line) for line in requires(name) or ()]
        except PackageNotFoundError:  # of another system
            continue
        for one in needed:
            if one.marker is None or one.marker.evaluate({"extra": ""}):
                version = found.get(same(one.name))
                if version is None or not one.specifier.contains(version, prereleases=True):
                    missing.append(f"{name} needs {one}, the lock has {version}")
    assert not missing


def test_the_bill_of_materials_is_that_of_the_lock() -> None:
    text = (ROOT / supply.SBOM).read_text(encoding="utf-8")
    found = json.loads(text)
    assert (found["bomFormat"], found["metadata"]["component"]["name"]) == ("CycloneDX", "lectern")
    listed = {part["name"]: part["version"] for part in found["components"]}
    assert listed == supply.pins(ROOT / "requirements.lock"), "run: make lock"
    assert all(part["purl"] == f"pkg:pypi/{part['name']}@{part['version']}" for part in found["components"])
    assert "https:" not in text


def package(name: str, *weaknesses: dict, **more: str) -> dict:
    return {"name": name, "version": "1.0", "vulns": list(weaknesses), **more}


SKIPPED = {"name": "a", "skip_reason": "Dependency not found on PyPI and could not be audited: a (1.0)"}


@pytest.mark.parametrize(
    ("answer", "said"),
    [
        ("", "cannot be reached, nothing was looked up"),
        (json.dumps({"dependencies": [SKIPPED]}), "cannot be reached, nothing was looked up"),
        (json.dumps({"dependencies": [SKIPPED, package("b")]}), "does not know a"),
    ],
)
def test_an_audit_that_looked_nothing_up_is_no_good_news(answer: str, said: str, monkeypatch, capsys) -> None:
    monkeypatch.setattr(supply, "_run", lambda *words, **more: answer)
    assert supply.main(["audit"]) == 2
    assert said in capsys.readouterr().err


def test_an_audit_names_what_it_found(monkeypatch, capsys) -> None:
    weak = {"id": "CVE-1", "fix_versions": ["1.1", "2.0"]}
    answer = json.dumps({"dependencies": [package("a", weak), package("b")]})
    monkeypatch.setattr(supply, "_run", lambda *words, **more: answer)
    assert supply.main(["audit"]) == 1
    assert capsys.readouterr().out == "a 1.0: CVE-1, mended in 1.1, 2.0\n"
    monkeypatch.setattr(supply, "_run", lambda *words, **more: json.dumps({"dependencies": [package("b")]}))
    assert supply.main(["audit"]) == 0


def test_a_tool_that_is_not_there_is_one_message() -> None:
    with pytest.raises(InputError, match=r"no_such_tool: .*No module named"):
        supply._run("no_such_tool")


def test_the_image_and_make_install_from_the_lock_alone() -> None:
    texts = [(ROOT / name).read_text(encoding="utf-8") for name in ("Makefile", "Dockerfile")]
    installs = [line for text in texts for line in text.splitlines() if "install" in line and " -r " in line]
    assert len(installs) == 4
    assert all(re.search(r"install --require-hashes -r requirements[a-z-]*\.lock", line) for line in installs)


def test_every_threat_has_a_test_that_exists() -> None:
    rows = [line for line in MODEL.splitlines() if line.startswith("| ") and "---" not in line]
    tables = [line for line in rows if not line.startswith("| who")]
    named = re.findall(r"`(tests/[\w/]+\.py)::(\w+)`", MODEL)
    assert len(tables) > 20
    bare = [line for line in tables if "`tests/" not in line and "nothing here" not in line]
    assert not bare
    missing = []
    for path, test in named:
        tree = ast.parse((ROOT / path).read_text(encoding="utf-8"))
        if test not in {node.name for node in tree.body if isinstance(node, ast.FunctionDef)}:
            missing.append(f"{path}::{test}")
    assert not missing

"""The house: one-way imports, a light command line, pinned requirements, and a map that keeps its word."""

from __future__ import annotations

import ast
import json
import re
import subprocess
import sys
import tomllib
from collections.abc import Iterator
from pathlib import Path

import pytest

from apps.lecture_map import PAGES, PARTS, built_topics, topics
from apps.views.drawings import drawing
from apps.views.style import DARK, LIGHT

ROOT = Path(__file__).resolve().parent.parent
PACKAGES = ("data_prep", "models", "apps", "benchmarks")
MAY_IMPORT = {
    "data_prep": {"data_prep"},
    "models": {"models", "data_prep"},
    "apps": {"apps", "models", "data_prep"},
    "views": {"views", "apps", "data_prep"},
    "benchmarks": {"benchmarks", "apps", "models", "data_prep"},
}
HEAVY = {
    "tensorflow",
    "tensorflow_text",
    "keras",
    "gensim",
    "scipy",
    "pandas",
    "sklearn",
    "streamlit",
    "plotly",
}
MIB = 2**20


def python_files(folder: str) -> list[Path]:
    return sorted(path for path in (ROOT / folder).rglob("*.py"))


def layer(path: Path) -> str:
    parts = path.relative_to(ROOT).parts
    return "views" if parts[:2] == ("apps", "views") or parts == ("streamlit_app.py",) else parts[0]


def imported_modules(tree: ast.Module) -> Iterator[str]:
    """Every module that a file imports, at its top or inside a function."""
    for node in ast.walk(tree):
        if isinstance(node, ast.Import):
            yield from (alias.name for alias in node.names)
        elif isinstance(node, ast.ImportFrom):
            assert node.level == 0, "imports are absolute"
            yield node.module or ""
            yield from (f"{node.module}.{alias.name}" for alias in node.names)


def imported_layers(source: str) -> set[str]:
    found = set()
    for module in imported_modules(ast.parse(source)):
        top = module.split(".")[0]
        if module == "apps.views" or module.startswith("apps.views."):
            found.add("views")
        elif top in PACKAGES and module != "apps":
            found.add(top)
    return found


def third_party(source: str) -> set[str]:
    tops = {module.split(".")[0] for module in imported_modules(ast.parse(source))}
    return {
        top for top in tops if top and top not in sys.stdlib_module_names and top not in (*PACKAGES, "tests")
    }


ALL_FILES = [path for folder in PACKAGES for path in python_files(folder)] + [ROOT / "streamlit_app.py"]


@pytest.mark.parametrize("path", ALL_FILES, ids=lambda path: str(path.relative_to(ROOT)))
def test_imports_point_one_way(path: Path) -> None:
    wrong = imported_layers(path.read_text(encoding="utf-8")) - MAY_IMPORT[layer(path)]
    assert not wrong, f"{path.relative_to(ROOT)} ({layer(path)}) imports {sorted(wrong)}"


@pytest.mark.parametrize(
    ("source", "layers"),
    [
        ("from apps.views import charts", {"views", "apps"}),
        ("import models.preset", {"models"}),
        ("def f():\n    from benchmarks import readme", {"benchmarks"}),
    ],
)
def test_the_guard_sees_imports(source: str, layers: set[str]) -> None:
    assert imported_layers(source) == layers - ({"apps"} if "views" in layers else set())


@pytest.mark.parametrize("path", python_files("models"), ids=lambda path: path.name)
def test_networks_use_keras_alone(path: Path) -> None:
    source = path.read_text(encoding="utf-8")
    allowed = {"keras", "numpy", "threadpoolctl", "tqdm"}
    if "TensorFlow" in (ast.get_docstring(ast.parse(source)) or ""):
        allowed.add("tensorflow")  # a fast path that says why at its top
    assert third_party(source) <= allowed, path.name


@pytest.mark.parametrize("arguments", [["--help"], ["vectors", "--help"]], ids=" ".join)
def test_help_loads_nothing_heavy(arguments: list[str]) -> None:
    code = (
        "import runpy, sys\n"
        f"sys.argv = ['apps', *{arguments!r}]\n"
        "try:\n    runpy.run_module('apps', run_name='__main__')\n"
        "except SystemExit as end:\n    assert not end.code, end.code\n"
        f"print('HEAVY', sorted(set({sorted(HEAVY)!r}) & set(sys.modules)))\n"
    )
    done = subprocess.run(
        [sys.executable, "-c", code], cwd=ROOT, capture_output=True, text=True, timeout=60, check=False
    )
    assert done.returncode == 0, done.stderr
    assert "Usage" in done.stdout
    assert done.stdout.splitlines()[-1] == "HEAVY []"


def tracked_texts() -> list[Path]:
    listed = subprocess.run(
        ["git", "ls-files", "-z", "--cached", "--others", "--exclude-standard"],
        cwd=ROOT, capture_output=True, text=True, check=False,
    )  # fmt: skip
    if listed.returncode != 0:
        pytest.skip("not a git checkout")
    paths = [ROOT / name for name in listed.stdout.split("\0") if name]
    binary = {".npz", ".h5", ".png", ".gz", ".bin", ".ico"}
    return [path for path in paths if path.is_file() and path.suffix not in binary]


def test_no_file_names_a_place_on_one_machine() -> None:
    place = re.compile(r"(?<![\w.])/(?:" + "|".join(("work", "root", "home", "Users", "farm")) + r")/\w")
    found = [
        f"{path.relative_to(ROOT)}:{number}"
        for path in tracked_texts()
        for number, line in enumerate(path.read_text(encoding="utf-8").splitlines(), start=1)
        if place.search(line)
    ]
    assert not found


@pytest.mark.parametrize("path", ALL_FILES, ids=lambda path: str(path.relative_to(ROOT)))
def test_public_names_have_docstrings(path: Path) -> None:
    tree = ast.parse(path.read_text(encoding="utf-8"))
    missing = [] if ast.get_docstring(tree) or not tree.body else ["the module"]
    kinds = (ast.FunctionDef, ast.AsyncFunctionDef, ast.ClassDef)
    for node in tree.body:
        inside = node.body if isinstance(node, ast.ClassDef) and not node.name.startswith("_") else []
        for item in (node, *inside):
            if isinstance(item, kinds) and not item.name.startswith("_") and not ast.get_docstring(item):
                overrides = item is not node and node.bases
                if not overrides:
                    missing.append(item.name)
    assert not missing, f"{path.relative_to(ROOT)}: no docstring on {missing}"


def pins(name: str) -> dict[str, str]:
    found = {}
    for line in (ROOT / name).read_text(encoding="utf-8").splitlines():
        line = line.split("#")[0].strip()
        if line and not line.startswith("-r "):
            match = re.fullmatch(r"([A-Za-z0-9._-]+)==([0-9][A-Za-z0-9.]*)(\s*;.*)?", line)
            assert match, f"{name}: not an exact pin: {line!r}"
            found[match[1].lower().replace("_", "-")] = match[2]
    return found


@pytest.mark.parametrize("name", ["requirements.txt", "requirements-dev.txt", "requirements-jax.txt"])
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
    "sklearn": "scikit-learn",
    "tensorflow_text": "tensorflow-text",
    "PIL": "pillow",
    "pycrfsuite": "python-crfsuite",
}


def test_every_import_is_pinned() -> None:
    users = pins("requirements.txt")
    developers = users | pins("requirements-dev.txt")
    optional = {"jax"}
    for path in [*ALL_FILES, *python_files("tests")]:
        known = developers if layer(path) in ("tests", "benchmarks") else users
        for module in third_party(path.read_text(encoding="utf-8")) - optional:
            if path.parent.name == "models" and module == "contract":
                continue
            name = DISTRIBUTIONS.get(module, module).lower().replace("_", "-")
            assert name in known, f"{path.relative_to(ROOT)} imports {module}, which is not pinned"


def test_readme_names_the_two_commands() -> None:
    text = (ROOT / "README.md").read_text(encoding="utf-8")
    assert "make app" in text
    assert "make test" in text
    assert "make test" in (ROOT / ".ci" / "run").read_text(encoding="utf-8")


def test_the_page_is_hardened() -> None:
    config = tomllib.loads((ROOT / ".streamlit" / "config.toml").read_text(encoding="utf-8"))
    server = config["server"]
    assert server["address"] == "127.0.0.1"
    assert set(server["allowedHosts"]) == {"127.0.0.1", "localhost", "[::1]"}
    assert server["enableXsrfProtection"] is True
    assert server["enableCORS"] is True
    assert max(server["maxUploadSize"], server["maxMessageSize"], server["maxWidgetStateSize"]) <= 50
    assert config["browser"]["gatherUsageStats"] is False
    assert config["client"]["showErrorDetails"] == "none"


@pytest.mark.parametrize("topic", built_topics(), ids=lambda topic: topic.title)
def test_built_topics_have_code_and_tests(topic) -> None:
    assert topic.tests
    missing = [path for path in (*topic.code, *topic.tests) if not (ROOT / path).is_file()]
    assert not missing


BUILT_PAGES = [page for page in PAGES.values() if page.built]


@pytest.mark.parametrize("page", BUILT_PAGES, ids=lambda page: page.key)
def test_built_pages_have_a_page_test(page) -> None:
    assert (ROOT / "tests" / "apps" / f"test_views_{page.key}.py").is_file()


def test_topics_point_at_pages_and_are_unique() -> None:
    assert all(topic.page in PAGES for topic in topics())
    titles = [topic.title for topic in topics()]
    assert len(titles) == len(set(titles))


@pytest.mark.parametrize("part", PARTS, ids=lambda part: part.key)
def test_every_part_has_a_drawing(part) -> None:
    assert drawing(part.key, LIGHT).startswith("<svg")
    assert LIGHT.ours not in drawing(part.key, DARK)


def test_presets_are_small_and_complete() -> None:
    folders = [path.parent for path in (ROOT / "models" / "presets").glob("*/metadata.json")]
    total = 0
    for folder in folders:
        size = sum(path.stat().st_size for path in folder.iterdir())
        assert size <= 12 * MIB, f"{folder.name} is {size / MIB:.1f} MiB"
        total += size
        for need in ("config.json", "metrics.json", "metadata.json", "README.md"):
            assert (folder / need).is_file(), f"{folder.name} has no {need}"
        assert json.loads((folder / "metrics.json").read_text(encoding="utf-8"))
    assert total <= 60 * MIB

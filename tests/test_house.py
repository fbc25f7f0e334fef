"""The house: one-way imports, a light command line, pinned requirements, and a map that keeps its word."""

from __future__ import annotations

import ast
import json
import re
import subprocess
import sys
import tomllib
from collections.abc import Collection, Iterator, Mapping
from functools import cache
from pathlib import Path

import pytest

from apps.lecture.drawings import drawing
from apps.lecture.topics import PAGES, PARTS, built_topics, topics
from apps.shared.style import DARK, LIGHT

ROOT = Path(__file__).resolve().parent.parent
PACKAGES = ("data_prep", "models", "apps", "benchmarks")
PUBLIC = "lectern"  # what is taken along: it imports applications, and the command line alone imports it
PAGE_PIECES = {
    "page",
    "charts",
    "style",
    "canvas",
    "letters",
    "drawings",
}  # of apps/shared and apps/lecture: for pages alone
AGREED_FLAT = {"__init__.py", "__main__.py"}  # of apps/; everything else lies in the folder of an application
MOST_LINES, MOST_FUNCTION_LINES = 400, 60
MOST_CODE_LINES = 45_139  # of all packages: without docstrings, comments and blank lines
MOST_ALL_LINES = 66_065
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
    "ray",
}
MIB = 2**20


def python_files(folder: str) -> list[Path]:
    return sorted(path for path in (ROOT / folder).rglob("*.py"))


def name_of(path: Path) -> str:
    """``apps/tagger/__init__.py`` to ``apps.tagger``."""
    return ".".join(path.relative_to(ROOT).with_suffix("").parts).removesuffix(".__init__")


ALL_FILES = [path for folder in (*PACKAGES, PUBLIC) for path in python_files(folder)]
ALL_FILES.append(ROOT / "streamlit_app.py")


@cache
def trees() -> dict[str, ast.Module]:
    """Every module of the project, read."""
    return {name_of(path): ast.parse(path.read_text(encoding="utf-8")) for path in ALL_FILES}


def imported_names(tree: ast.Module) -> Iterator[str]:
    """Every module that a file imports, at its top, inside a function or for type checking, and what it takes of it."""
    for node in ast.walk(tree):
        if isinstance(node, ast.Import):
            yield from (alias.name for alias in node.names)
        elif isinstance(node, ast.ImportFrom):
            assert node.level == 0, "imports are absolute"
            yield from (f"{node.module}.{alias.name}" for alias in node.names)


def project_imports(tree: ast.Module, modules: Collection[str]) -> set[str]:
    """The project's own modules that a file imports."""
    found = set()
    for name in imported_names(tree):
        module = name if name in modules else name.rpartition(".")[0]
        if module in modules:
            found.add(module)
    return found


@cache
def imports() -> dict[str, set[str]]:
    """What every module of the project imports of the others."""
    return {module: project_imports(tree, trees()) - {module} for module, tree in trees().items()}


def is_page(module: str) -> bool:
    """Whether a module of apps draws with Streamlit: only such modules may import it."""
    package, _, last = module.rpartition(".")
    if package in ("apps.shared", "apps.lecture"):
        return last in PAGE_PIECES or last.startswith("page_")
    return last == "page" or last.startswith("page_") or module == "streamlit_app"


def may_import(module: str, other: str) -> bool:
    """Whether the arrow from one module to another points the agreed way."""
    here, there = module.split("."), other.split(".")
    if is_page(other) and not is_page(module):
        return False
    if there[0] == PUBLIC:
        return here[0] == PUBLIC or module == "apps.__main__"
    if here[0] in ("data_prep", "models"):
        return there[0] in ("data_prep", here[0])
    if there[0] != "apps" or here[0] in ("benchmarks", "streamlit_app", PUBLIC) or module == "apps.__main__":
        return there[0] != "benchmarks" or here[0] == "benchmarks"
    if here[1] == "shared":
        return there[1] == "shared"
    if here[1] == "course" and there[1] == "lecture":  # the course teaches the lecture's parts and topics
        return True
    return there[1] in (here[1], "shared") or there[2:] == ["application"]


def circles(arrows: Mapping[str, set[str]]) -> list[list[str]]:
    """Groups of modules that import each other, directly or through others."""
    reached: dict[str, set[str]] = {}
    for module in arrows:
        seen, todo = set(), list(arrows[module])
        while todo:
            if (other := todo.pop()) not in seen:
                seen.add(other)
                todo += arrows.get(other, ())
        reached[module] = seen
    groups = {
        tuple(sorted(other for other in reached[module] if module in reached[other]))
        for module in arrows
        if module in reached[module]
    }
    return sorted(map(list, groups))


def test_imports_point_one_way() -> None:
    wrong = [f"{a} imports {b}" for a, others in imports().items() for b in others if not may_import(a, b)]
    assert not wrong


@pytest.mark.parametrize(
    ("module", "other", "allowed"),
    [
        ("models.training.fit", "apps.shared.results", False),
        ("apps.tagger.task", "apps.tagger.page_text", False),
        ("apps.tagger.task", "apps.vectors.application", True),
        ("apps.tagger.task", "apps.vectors.task", False),
        ("apps.shared.results", "apps.tagger.results", False),
        ("apps.shared.results", "benchmarks.readme", False),
        ("lectern.export.digits", "apps.digits.examples", True),
        ("lectern.export.digits", "benchmarks.readme", False),
        ("apps.tagger.task", "lectern.export.written", False),
    ],
)
def test_the_guard_knows_the_arrows(module: str, other: str, allowed: bool) -> None:
    assert may_import(module, other) is allowed


def test_no_modules_import_each_other() -> None:
    assert circles(imports()) == []


def test_the_guard_sees_circles_in_functions_and_type_checking() -> None:
    sources = {
        "apps.a": "def f():\n    from apps import b",
        "apps.b": "if TYPE_CHECKING:\n    from apps.c import C",
        "apps.c": "import apps.a",
        "apps.d": "import apps.a",
    }
    arrows = {name: project_imports(ast.parse(source), sources) for name, source in sources.items()}
    assert circles(arrows) == [["apps.a", "apps.b", "apps.c"]]


def test_files_and_functions_are_short() -> None:
    long = []
    for path in ALL_FILES:
        lines = path.read_text(encoding="utf-8").count("\n")
        if lines > MOST_LINES:
            long.append(f"{path.relative_to(ROOT)}: {lines} lines")
        for node in ast.walk(trees()[name_of(path)]):
            if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef):
                lines = node.end_lineno - node.lineno + 1
                if lines > MOST_FUNCTION_LINES:
                    long.append(f"{path.relative_to(ROOT)}, {node.name}: {lines} lines")
    assert not long


def code_lines(source: str) -> int:
    """Lines of a file that are neither blank, nor a comment, nor a docstring."""
    rows = source.split("\n")
    left_out = {number for number, row in enumerate(rows, start=1) if row.strip()[:1] in ("", "#")}
    for node in ast.walk(ast.parse(source)):
        if isinstance(node, ast.Module | ast.ClassDef | ast.FunctionDef | ast.AsyncFunctionDef) and (
            ast.get_docstring(node) is not None
        ):
            left_out.update(range(node.body[0].lineno, node.body[0].end_lineno + 1))
    return len(rows) - len(left_out)


def test_the_project_keeps_its_size() -> None:
    sources = [path.read_text(encoding="utf-8") for folder in PACKAGES for path in python_files(folder)]
    assert sum(map(code_lines, sources)) <= MOST_CODE_LINES
    assert sum(source.count("\n") + 1 for source in sources) <= MOST_ALL_LINES


def test_only_code_is_counted() -> None:
    assert (
        code_lines('"""Docs."""\n\n# why\ndef f():\n    """Docs\n    go on."""\n    return """text"""\n') == 2
    )


def test_nothing_lies_flat_in_apps() -> None:
    assert {path.name for path in (ROOT / "apps").glob("*.py")} <= AGREED_FLAT


def third_party(tree: ast.Module) -> set[str]:
    tops = {name.split(".")[0] for name in imported_names(tree)}
    return {
        top
        for top in tops
        if top and top not in sys.stdlib_module_names and top not in (*PACKAGES, PUBLIC, "tests")
    }


EXPORT = {"ai_edge_litert", "onnx", "onnxruntime", "tensorflow"}  # of the extra [export]: other runtimes


def test_networks_use_keras_alone() -> None:
    wrong = {}
    for module, tree in trees().items():
        allowed = {
            "annotated_types",
            "keras",
            "llvmlite",
            "numba",
            "numpy",
            "pydantic",
            "threadpoolctl",
            "tqdm",
        }
        if "TensorFlow" in (ast.get_docstring(tree) or ""):
            allowed.add("tensorflow")  # a fast path that says why at its top
        if module == "models.training.together":
            allowed.add("jax")
        if module.startswith("models.export."):
            allowed |= EXPORT
        if module.startswith("models.") and (more := third_party(tree) - allowed):
            wrong[module] = more
    assert not wrong


def test_help_loads_nothing_heavy() -> None:
    code = (
        "import sys\n"
        "from tests.apps.test_cli import COMMANDS, run\n"
        "for path in [(), *COMMANDS]:\n"
        "    assert 'Usage' in run(*path, '--help').stdout, path\n"
        f"    heavy = {HEAVY!r} & set(sys.modules)\n"
        "    assert not heavy, (path, heavy)\n"
    )
    done = subprocess.run(
        [sys.executable, "-c", code], cwd=ROOT, capture_output=True, text=True, timeout=60, check=False
    )
    assert done.returncode == 0, done.stderr


def tracked_texts() -> list[Path]:
    listed = subprocess.run(
        ["git", "ls-files", "-z", "--cached", "--others", "--exclude-standard"],
        cwd=ROOT, capture_output=True, text=True, check=False,
    )  # fmt: skip
    if listed.returncode != 0:
        pytest.skip("not a git checkout")
    paths = [ROOT / name for name in listed.stdout.split("\0") if name]
    binary = {".npz", ".mo", ".h5", ".png", ".gz", ".bin", ".ico"}
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


def test_public_names_have_docstrings() -> None:
    missing = []
    kinds = (ast.FunctionDef, ast.AsyncFunctionDef, ast.ClassDef)
    for module, tree in trees().items():
        if tree.body and not ast.get_docstring(tree):
            missing.append(module)
        for node in tree.body:
            inside = node.body if isinstance(node, ast.ClassDef) and not node.name.startswith("_") else []
            for item in (node, *inside):
                overrides = item is not node and getattr(node, "bases", ())
                if isinstance(item, kinds) and not item.name.startswith("_") and not overrides:
                    missing += [] if ast.get_docstring(item) else [f"{module}: {item.name}"]
    assert not missing


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
    assert config["runner"]["postScriptGC"] is False
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

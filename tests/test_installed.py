"""Lectern as a wheel, installed where there is no checkout: its command, its names, its page, from an empty folder."""

from __future__ import annotations

import json
import os
import re
import shutil
import socket
import subprocess
import sys
import sysconfig
import tomllib
import urllib.request
import zipfile
from pathlib import Path

import pytest

from tests.test_house import PACKAGES, ROOT, third_party, trees
from tests.test_supply import DISTRIBUTIONS, pins

BIN = "Scripts" if os.name == "nt" else "bin"


@pytest.fixture(scope="module")
def wheel(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("wheel")
    command = [sys.executable, "-m", "pip", "wheel", str(ROOT), "--no-deps", "--no-build-isolation", "-q"]
    subprocess.run([*command, "-w", str(folder)], check=True, capture_output=True, timeout=300)
    (found,) = folder.glob("lectern-*.whl")
    return found


@pytest.fixture(scope="module")
def installed(wheel: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Programs of an environment that has the wheel, and of this one nothing but the packages that Lectern needs."""
    folder = tmp_path_factory.mktemp("environment")
    subprocess.run([sys.executable, "-m", "venv", "--without-pip", str(folder)], check=True, timeout=120)
    own = sysconfig.get_path("purelib", vars={"base": str(folder)})
    Path(own, "packages.pth").write_text(sysconfig.get_path("purelib"), encoding="utf-8")
    pip = [sys.executable, "-m", "pip", "--python", str(folder / BIN / "python"), "install", "-q"]
    subprocess.run(
        [*pip, "--no-deps", "--no-index", "--ignore-installed", str(wheel)], check=True, timeout=300
    )
    return folder / BIN


def run(program: Path, *arguments: str, cwd: Path) -> subprocess.CompletedProcess:
    clean = {name: value for name, value in os.environ.items() if not name.startswith(("PYTHON", "LECTERN"))}
    return subprocess.run(
        [program, *arguments], cwd=cwd, env=clean, capture_output=True, text=True, timeout=120
    )


def test_the_wheel_has_every_file_of_the_packages(wheel: Path) -> None:
    listed = subprocess.run(
        ["git", "ls-files", *PACKAGES, "lectern"], cwd=ROOT, capture_output=True, text=True
    )
    if listed.returncode:
        pytest.skip("not a git checkout")
    wanted = {*listed.stdout.split(), "streamlit_app.py", ".streamlit/config.toml"}
    assert not wanted - set(zipfile.ZipFile(wheel).namelist())


def test_three_applications_answer_from_an_empty_folder(installed: Path, tmp_path: Path) -> None:
    lectern = installed / "lectern"
    tagged = run(lectern, "tagger", "tag", "Paris is in France.", cwd=tmp_path)
    assert tagged.stdout.startswith("Paris/PROPN is/AUX in/ADP France/PROPN"), tagged.stderr
    answer = run(lectern, "vectors", "analogy", "paris - france + spain", "--json", cwd=tmp_path)
    assert json.loads(answer.stdout)["results"][0]["word"] == "madrid", answer.stderr
    verdict = run(lectern, "reviews", "classify", "A wonderful film, moving and funny.", cwd=tmp_path)
    assert verdict.stdout.split()[2] == "pos", verdict.stderr
    assert not list(tmp_path.iterdir())


def test_python_has_the_public_names_without_the_checkout(installed: Path, tmp_path: Path) -> None:
    code = (
        "import sys, lectern, apps\n"
        "from lectern import Digits, InputError, Reader, Reviews, Segmenter, Tagger, Vectors, Writer\n"
        "print(apps.__file__); print(lectern.__version__); print(Digits.from_preset().labels)\n"
        "print('tensorflow' in sys.modules)"
    )
    found = run(installed / "python", "-c", code, cwd=tmp_path)
    place, version, labels, heavy = found.stdout.splitlines()
    assert Path(place).is_relative_to(installed.parent)
    assert (version, heavy) == (project()["version"], "False")
    assert "9" in labels


def test_spacy_knows_the_tagger_by_its_entry_point(installed: Path, tmp_path: Path) -> None:
    code = "import spacy; nlp = spacy.blank('en'); nlp.add_pipe('lectern_tagger'); print(nlp('Dogs bark.')[1].tag_)"
    found = run(installed / "python", "-c", code, cwd=tmp_path)
    assert found.stdout == "VBP\n", found.stderr


def test_a_name_that_is_not_there_is_told(installed: Path, tmp_path: Path) -> None:
    found = run(installed / "python", "-c", "from lectern import Parser", cwd=tmp_path)
    assert "ImportError: cannot import name 'Parser'" in found.stderr


def test_the_page_starts_from_an_empty_folder(installed: Path, tmp_path: Path) -> None:
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    clean = {name: value for name, value in os.environ.items() if not name.startswith(("PYTHON", "LECTERN"))}
    command = [installed / "lectern", "app", "--port", str(port)]
    process = subprocess.Popen(
        command, cwd=tmp_path, env=clean, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True
    )
    try:
        first = process.stdout.readline()
        assert first.startswith(f"Lectern: http://127.0.0.1:{port}")
        for line in process.stdout:  # the server says where it listens, once it does
            if str(port) in line:
                break
        with urllib.request.urlopen(f"http://127.0.0.1:{port}/_stcore/health", timeout=60) as answer:
            assert answer.status == 200
        with urllib.request.urlopen(f"http://127.0.0.1:{port}/_stcore/host-config", timeout=60) as answer:
            assert answer.status == 200
    finally:
        process.terminate()
        process.wait(timeout=30)


def test_a_wheel_without_presets_says_so(installed: Path, tmp_path: Path) -> None:
    own = Path(sysconfig.get_path("purelib", vars={"base": str(installed.parent)}))
    for folder in ("apps", "models", "data_prep"):
        shutil.copytree(
            own / folder, tmp_path / folder, ignore=lambda _, names: {n for n in names if n == "weights.npz"}
        )
    shutil.rmtree(tmp_path / "models" / "presets" / "tagger_en_ewt")
    found = run(installed / "python", "-m", "apps", "tagger", "tag", "A cat", cwd=tmp_path)
    assert found.returncode == 2
    assert "There is no preset of this name" in found.stderr


def project() -> dict:
    content = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["project"]
    source = (ROOT / "apps" / "__main__.py").read_text(encoding="utf-8")
    return {**content, "version": re.search(r'VERSION = "([^"]+)"', source)[1]}


def test_the_project_needs_what_its_files_import_as_the_checkout_pins_it() -> None:
    from packaging.requirements import Requirement

    shipped = (tree for name, tree in trees().items() if not name.startswith("bench"))
    imported = {DISTRIBUTIONS.get(module, module) for module in set().union(*map(third_party, shipped))}
    extras = project()["optional-dependencies"]
    more = [line for name in ("export", "spacy", "ray", "jax") for line in extras[name]]
    needed, optional = (
        {each.name: each for each in map(Requirement, lines)} for lines in (project()["dependencies"], more)
    )
    assert set(needed) == imported - set(optional)
    pinned = pins("requirements.txt")
    assert all(pinned[name] in each.specifier for name, each in needed.items())
    tested = pins("requirements-dev.txt") | pins("requirements-ray.txt") | pins("requirements-jax.txt")
    assert all(tested[name] in each.specifier for name, each in optional.items())

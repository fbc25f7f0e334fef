"""What tests of applications share: small taggers, one web page on a free port, and one real browser."""

from __future__ import annotations

import functools
import importlib
import json
import os
import socket
import subprocess
import sys
import time
import urllib.error
import urllib.request
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import numpy as np
import plotly.graph_objects as go
import pytest
from plotly.io import to_json
from streamlit import config
from streamlit.components.v2 import manifest_scanner
from streamlit.runtime.scriptrunner import script_runner

import models.presets.store
from apps.shared.page_picture import Picture
from apps.tagger.application import DEFAULT_PRESET, SEGMENTER_PRESET, Tagger
from data_prep.text.segmentation_rules import segment_by_rules
from tests import chromium
from tests.apps.browsing import ANSWER_MILLISECONDS
from tests.apps.pages import shipping

FORMS = "the dog barks Dogs bark . The old man a boat , she has n't 7 Madrid and because oh $"


ROOT = Path(__file__).resolve().parents[2]
START_SECONDS = 60


@pytest.fixture(autouse=True, scope="session")
def no_processes() -> Iterator[list[tuple[str, ...]]]:
    """Pages start no process that trains, but those of a server do; a list of what was to be started."""
    started: list[tuple[str, ...]] = []

    def launch(*words: str) -> int:
        started.append(words)
        return 0

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr("apps.laboratory.worker.launch", launch)
        yield started


@pytest.fixture(autouse=True, scope="session")
def checked_pictures() -> Iterator[None]:
    """Plotly checks every picture that is drawn in a test, and has nothing to change; on pages it is not asked."""
    said, right = Picture.to_dict, set()

    def checked(picture: Picture) -> dict[str, Any]:
        found = said(picture)
        text = to_json(found, validate=False)
        if text not in right:  # the same picture is drawn many times
            shown = json.loads(text)
            importlib.import_module("pandas")  # of which Plotly asks, also while another thread imports it
            assert json.loads(to_json(go.Figure(shown), validate=False)) == shown
            right.add(text)
        return found

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(Picture, "to_dict", checked)
        yield


class RuleSegmenter:
    """Rules in place of the network: no preset is needed."""

    def segment(self, text: str):
        return segment_by_rules(text)


@pytest.fixture(scope="session", params=["softmax", "crf"])
def random_tagger(request: pytest.FixtureRequest) -> Tagger:
    """A tagger whose weights mean nothing; every rule about its answers holds all the same."""
    import keras

    from data_prep.readers.conllu import UPOS_TAGS
    from data_prep.text.tag_inputs import alphabet_of, tagger_vocabulary
    from models.pos_tagger.network import PosTaggerConfig, build_pos_tagger
    from models.pos_tagger.serving import TagPredictor
    from models.storage.variables import variable_arrays

    vocabulary, rows, trained = tagger_vocabulary(FORMS.split(), ["cat"], 50)
    config = PosTaggerConfig(
        word_rows=rows,
        trained_rows=trained,
        alphabet=alphabet_of(FORMS.split(), 1),
        upos=UPOS_TAGS,
        xpos=("NN", "NNS", "VBZ", "DT", "."),
        vector_dimensions=6,
        trained_dimensions=5,
        character_dimensions=4,
        character_units=3,
        units=(7, 7),
        output=request.param,
    )
    keras.utils.set_random_seed(3)
    model = build_pos_tagger(config)
    random = np.random.default_rng(3)
    for variable in model.weights:
        if variable.dtype == "float32":
            variable.assign(random.normal(0.0, 0.7, variable.shape))
    return Tagger(TagPredictor(config, vocabulary, variable_arrays(model.weights)), RuleSegmenter())


@pytest.fixture(scope="session")
def tiny_presets(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder with a tagger of made sentences and a segmenter that cuts at spaces, under the shipped names."""
    from apps.tagger.task import TaggerTask
    from models.training.driver import fit_task

    folder = tmp_path_factory.mktemp("tagger presets")
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr("models.presets.search.PRESETS_DIR", folder)
        save_segmenter(folder / SEGMENTER_PRESET)
        fit_task(TaggerTask(), folder / DEFAULT_PRESET, options={"sample": True}, overrides=["epochs=3"])
    return folder


def save_segmenter(target: Path) -> None:
    """Write a segmenter whose weights are zero: a space ends a word, an empty line a sentence."""
    from data_prep.text.segmentation import LABELS
    from models.presets.card import CardText
    from models.segmenter.config import KIND, SegmenterConfig, segmenter_specs

    config = SegmenterConfig(embedding=2, channels=2, kernel=3, dilations=(1,))
    models.presets.store.save_preset(
        target,
        kind=KIND,
        config=config,
        weights={name: np.zeros(spec.shape, np.float32) for name, spec in segmenter_specs(config).items()},
        golden={"characters": np.arange(1, 9, dtype=np.int32)},
        metrics={"none": {"score": 0.0, "protocol": "none", "n": 0}},
        metadata={"recipe": {}, "seed": 0, "data": {"none": "none"}, "seconds": 0.0},
        card=CardText("Tiny", "For tests.", "Made up.", "None.", "Tests.", "Everything else."),
        labels=LABELS,
    )


@pytest.fixture(scope="session")
def tagger_presets(tiny_presets: Path) -> Path:
    """What the page of the tagger shows as shipped."""
    return tiny_presets


@pytest.fixture(scope="session")
def writer_presets(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder with a writer of random weights; ``text.path`` names the text that it learned from."""
    from apps.writer.application import DEFAULT_PRESET
    from tests.apps.writer_preset import made_play, save_writer

    folder = tmp_path_factory.mktemp("writer presets")
    text = tmp_path_factory.mktemp("text") / "play.txt"
    text.write_text(made_play() + "?'!;", encoding="utf-8")
    save_writer(folder / DEFAULT_PRESET, text)
    (folder / "text.path").write_text(str(text), encoding="utf-8")
    return folder


@pytest.fixture(scope="session")
def digits_presets(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder with both networks of digits, of drawn weights."""
    from apps.digits.application import DEFAULT_PRESET, LECTURE_PRESET
    from tests.apps.digit_presets import save_digits

    folder = tmp_path_factory.mktemp("digit presets")
    save_digits(folder / DEFAULT_PRESET, "resnet")
    save_digits(folder / LECTURE_PRESET, "lecture")
    return folder


@pytest.fixture(scope="session")
def ocr_presets(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder with both readers, of drawn weights."""
    from apps.ocr.application import LETTERS_PRESET, WORDS_PRESET
    from tests.apps.ocr_presets import save_reader

    folder = tmp_path_factory.mktemp("reader presets")
    score = {"score": 1.5, "protocol": "fold 0", "n": 4617, "standard_error": 0.2, "word_error": 6.0}
    save_reader(folder / LETTERS_PRESET, "letters", {"alone": score, "bilstm": score})
    save_reader(folder / WORDS_PRESET, "words", seed=1)
    return folder


@pytest.fixture(scope="session")
def reviews_presets(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder with a classifier of reviews and one of topics."""
    from apps.reviews.application import DEFAULT_PRESET, TOPICS_PRESET
    from tests.apps.reviews_presets import drawn, save_reviews, weighing

    folder = tmp_path_factory.mktemp("review presets")
    save_reviews(folder / DEFAULT_PRESET, (weighing(), drawn("attention")))
    save_reviews(folder / TOPICS_PRESET)
    return folder


@pytest.fixture(scope="session")
def vectors_presets(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder with both tables of word vectors, small."""
    from tests.apps.vectors_presets import save_tiny_vectors

    folder = tmp_path_factory.mktemp("presets")
    save_tiny_vectors(folder)
    return folder


@pytest.fixture(scope="session")
def convolution_presets(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """An empty folder: the bench needs no trained model."""
    return tmp_path_factory.mktemp("no presets")


@pytest.fixture(scope="session")
def laboratory_presets(convolution_presets: Path) -> Path:
    """An empty folder: networks are trained here."""
    return convolution_presets


@pytest.fixture(scope="session")
def course_presets(convolution_presets: Path) -> Path:
    """The page "Course": its first page asks no model."""
    return convolution_presets


@pytest.fixture(autouse=True, scope="session")
def quick_pages() -> Iterator[None]:
    """What Streamlit does anew for each page without a browser is done once, or is left to the tests themselves.

    It reads the descriptions of all installed packages, in search of components, and clears away what Keras has made,
    twice with a round of the garbage collector over all objects of all tests before.
    """
    found = manifest_scanner.scan_component_manifests()
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(manifest_scanner, "scan_component_manifests", lambda: found)
        patch.setattr(script_runner, "_clean_problem_modules", lambda: None)
        config.set_option("runner.postScriptGC", False)
        yield


@pytest.fixture(scope="module")
def shipped(request: pytest.FixtureRequest) -> Iterator[None]:
    """Pages show the small presets of the module's ``KEY`` as the shipped ones."""
    with shipping(request.getfixturevalue(f"{request.module.KEY}_presets")):
        yield


@pytest.fixture
def results(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """An empty folder in place of the stored results of benchmarks."""
    monkeypatch.setattr("apps.shared.reports.RESULTS_DIR", tmp_path)
    return tmp_path


@pytest.fixture(scope="session")
def served(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The folder of the one server of all browser tests; what it writes lies in its ``runs``."""
    return tmp_path_factory.mktemp("server")


@pytest.fixture(scope="session")
def server(browser, served: Path) -> Iterator[str]:
    """Address of the one server of all browser tests."""
    with serving(served / "log.txt", served) as (address, _):
        yield address


@contextmanager
def serving(log: Path, folder: Path = ROOT) -> Iterator[tuple[str, int]]:
    """Serve the page as `make app` does, on a free port: its address, and the number of the process.

    What it writes goes into ``runs`` in the folder.
    """
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    command = [
        sys.executable,
        "-m",
        "streamlit",
        "run",
        str(ROOT / "streamlit_app.py"),
        "--server.port",
        str(port),
    ]
    with log.open("w") as output:
        process = subprocess.Popen(command, cwd=folder, stdout=output, stderr=subprocess.STDOUT)
    try:
        wait_until_healthy(process, port, log)
        yield f"http://127.0.0.1:{port}", process.pid
    finally:
        process.terminate()
        try:
            process.wait(timeout=10)
        except subprocess.TimeoutExpired:
            process.kill()
            process.wait()


def wait_until_healthy(process: subprocess.Popen[bytes], port: int, log: Path) -> None:
    end = time.monotonic() + START_SECONDS
    while time.monotonic() < end:
        assert process.poll() is None, log.read_text()
        try:
            with urllib.request.urlopen(f"http://127.0.0.1:{port}/_stcore/health", timeout=2) as answer:
                if answer.status == 200:
                    return
        except (urllib.error.URLError, OSError):
            time.sleep(0.2)
    pytest.fail(f"the server did not start within {START_SECONDS} s: {log.read_text()}")


@pytest.fixture(scope="session")
def browser() -> Iterator[object]:
    """The one browser of all browser tests."""
    path = chromium.program()
    if path is None:
        pytest.skip(f"browser: {chromium.MISSING}")
    playwright = pytest.importorskip("playwright.sync_api")
    arguments = ["--disable-gpu"]
    if hasattr(os, "geteuid") and os.geteuid() == 0:
        # Chromium refuses its sandbox to the superuser, which is who runs in most containers.
        arguments.append("--no-sandbox")
    playwright.expect.set_options(timeout=ANSWER_MILLISECONDS)
    with playwright.sync_playwright() as driver:
        opened = driver.chromium.launch(executable_path=path, args=arguments)
        yield opened
        opened.close()


@pytest.fixture(scope="session")
def tabs(browser) -> Callable[[int, str], object]:
    """Give the one tab of a width and a theme: a browser works longest at its first page."""

    @functools.cache
    def tab(width: int, theme: str) -> object:
        looks = {"color_scheme": theme, "reduced_motion": "reduce"}
        context = browser.new_context(viewport={"width": width, "height": 900}, **looks)
        context.set_default_timeout(ANSWER_MILLISECONDS)
        return context.new_page()

    return tab


@pytest.fixture
def page(tabs, request: pytest.FixtureRequest) -> Iterator[object]:
    """An empty tab, 1280 pixels wide and light unless the test asks otherwise; its next address is a new visit."""
    tab = tabs(**{"width": 1280, "theme": "light", **getattr(request, "param", {})})
    yield tab
    tab.goto("about:blank")

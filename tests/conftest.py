"""What all tests share: one thread a process, long files first, and a last line that says what was left out and why."""

from __future__ import annotations

import gc
import os
from collections import Counter
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, contextmanager
from pathlib import Path
from typing import Any

import pytest

# Several processes share the cores: each computes with one thread. Before anything reads these variables.
for variable in ("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS", "MKL_NUM_THREADS", "TF_NUM_INTRAOP_THREADS"):
    os.environ.setdefault(variable, "1")

from data_prep.datasets import DATA_DIR_VARIABLE  # noqa: E402
from models.lean_keras import import_keras_lean  # noqa: E402
from models.presets import store  # noqa: E402

import_keras_lean()
if os.environ.get(DATA_DIR_VARIABLE):  # servers and commands that tests start run in other folders
    os.environ[DATA_DIR_VARIABLE] = str(Path(os.environ[DATA_DIR_VARIABLE]).resolve())
ROOT = Path(__file__).resolve().parents[1]
BROWSER = "browser"  # the group of tests with one server and one browser
PAGES = "pages"  # the one group of all tests that open pages, and of others that share their small presets
SHARE_PRESETS = ("test_views_", "test_pages", "test_tagger_cli", "test_tagger_training")
BROWSER_REQUIRED = (
    "LECTERN_BROWSER_REQUIRED"  # set where a Chromium can be had: then a left out test is a failure
)
# Processor seconds of what takes longest, so that it begins first; everything else follows in the order of the files.
SECONDS = {
    BROWSER: 170,
    PAGES: 50,
    "tests/models/test_training_resume.py": 25,
    "tests/apps/test_writer_training.py": 22,
    "tests/models/test_ocr.py": 20,
    "tests/apps/test_course_notebooks.py": 18,
    "tests/apps/test_digits_training.py": 16,
    "tests/models/test_digit_cnn.py": 16,
    "tests/models/test_pos_tagger.py": 16,
    "tests/apps/test_batch.py": 15,
    "tests/apps/test_ocr_own.py": 15,
    "tests/apps/test_tagger_treebank.py": 15,
    "tests/apps/test_tagger_watched.py": 13,
    "tests/models/test_text_classifier.py": 13,
    "tests/apps/test_reviews_watched.py": 11,
    "tests/apps/test_service.py": 11,
    "tests/apps/test_writer_watch.py": 11,
    "tests/models/test_keras_models.py": 11,
    "tests/test_export.py": 10,
    "tests/test_installed.py": 10,
    "tests/apps/test_segmenter_training.py": 9,
    "tests/models/test_char_lm.py": 9,
    "tests/apps/test_vectors_evaluation.py": 8,
    "tests/models/test_training.py": 8,
    "tests/models/test_word2vec.py": 7,
    "tests/apps/test_teaching.py": 6,
    "tests/apps/test_vectors_training.py": 6,
    "tests/test_example.py": 6,
    "tests/test_loss_ladder.py": 5,
}

left_out: Counter[str] = Counter()
left_out_in_browser: list[str] = []


def group_of(node_id: str) -> str:
    """The tests that one process runs together: all that need the browser, all that open pages, or one file's."""
    file = node_id.split("::")[0]
    name = file.rsplit("/")[-1]
    if name.startswith("test_browser"):
        return BROWSER
    return PAGES if name.startswith(SHARE_PRESETS) else file


@pytest.hookimpl(optionalhook=True)
def pytest_xdist_make_scheduler(config: pytest.Config, log: object) -> object:
    """Hand out whole groups, the first ones first."""
    from xdist.scheduler import LoadScopeScheduling

    class Groups(LoadScopeScheduling):
        def _split_scope(self, node_id: str) -> str:
            return group_of(node_id)

    config.option.loadscopereorder = False  # the number of tests says nothing about their time
    return Groups(config, log)


@pytest.hookimpl(trylast=True)
def pytest_collection_modifyitems(config: pytest.Config, items: list[pytest.Item]) -> None:
    """Begin with the groups that take longest."""
    if hasattr(config, "workerinput"):
        items.sort(key=lambda item: -SECONDS.get(group_of(item.nodeid), 0))


def pytest_collection_finish() -> None:
    """Take what was imported and collected out of the garbage collector's rounds, and have fewer of them.

    Streamlit asks for two rounds a page, and a network that is traced makes as many objects as bring about hundreds.
    """
    gc.collect()
    gc.freeze()
    gc.set_threshold(100_000, 50, 100)


def pytest_deselected(items: list[pytest.Item]) -> None:
    """Count the tests that were not asked for."""
    for item in items:
        left_out["slow (make test-slow)" if item.get_closest_marker("slow") else "not asked for"] += 1


@pytest.hookimpl(optionalhook=True)
def pytest_testnodedown(node: object) -> None:
    """Take over what a process has left out; all of them collect the same."""
    for reason, count in getattr(node, "workeroutput", {}).get("left_out", {}).items():
        left_out[reason] = max(left_out[reason], count)


def pytest_runtest_logreport(report: pytest.TestReport) -> None:
    """Count the tests that left themselves out."""
    if report.skipped and isinstance(report.longrepr, tuple):
        left_out[report.longrepr[2].removeprefix("Skipped: ")] += 1
        if BROWSER in report.keywords:
            left_out_in_browser.append(report.nodeid)


@pytest.hookimpl(wrapper=True, tryfirst=True)
def pytest_sessionfinish(session: pytest.Session) -> Iterator[None]:
    """Say at the very end what was left out, and fail where a browser test was without need."""
    if hasattr(session.config, "workeroutput"):
        # What a test left out itself is reported test by test.
        session.config.workeroutput["left_out"] = {
            reason: count for reason, count in left_out.items() if reason.startswith(("slow", "not asked"))
        }
        return (yield)
    result = yield
    terminal = session.config.pluginmanager.get_plugin("terminalreporter")
    if terminal is None or session.config.option.collectonly:
        return result
    reasons = "; ".join(f"{count} {reason}" for reason, count in left_out.most_common())
    terminal.write_line(f"Left out: {reasons or 'nothing'}")
    if left_out_in_browser and os.environ.get(BROWSER_REQUIRED):
        terminal.write_line(
            f"FAILED: {len(left_out_in_browser)} browser tests left out, although Chromium can be had"
        )
        session.exitstatus = pytest.ExitCode.TESTS_FAILED
    return result


@pytest.fixture(scope="session")
def data_dir() -> Path:
    """The folder with the real data sets; tests that need it are skipped where it is not set."""
    value = os.environ.get(DATA_DIR_VARIABLE)
    if not value:
        pytest.skip(f"{DATA_DIR_VARIABLE} is not set: no real data")
    return Path(value)


@pytest.fixture(autouse=True, scope="session")
def verified_by_loading() -> Iterator[None]:
    """A new preset is verified by loading it here, without the fresh process; see ``in_a_fresh_process``."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(store, "_verify_in_fresh_process", lambda folder, command: None)
        yield


@pytest.fixture
def stopped_after(monkeypatch: pytest.MonkeyPatch) -> Callable[[int], AbstractContextManager[None]]:
    """``with stopped_after(2): train(...)`` ends a training, as Ctrl-C does, after so many epochs of all its stages."""

    @contextmanager
    def stopped(epochs: int) -> Iterator[None]:
        from models.training import fit  # with TensorFlow

        original, left = fit.as_dataset, iter(range(epochs))

        def made(*arguments: Any, **settings: Any) -> Any:
            if next(left, None) is None:
                raise KeyboardInterrupt
            return original(*arguments, **settings)

        with monkeypatch.context() as patch, pytest.raises(KeyboardInterrupt):
            patch.setattr(fit, "as_dataset", made)
            yield

    return stopped


@pytest.fixture
def in_a_fresh_process(monkeypatch: pytest.MonkeyPatch) -> None:
    """New presets are verified in a fresh process, as they are outside of tests."""
    monkeypatch.setattr(store, "_verify_in_fresh_process", _VERIFY)


_VERIFY = store._verify_in_fresh_process

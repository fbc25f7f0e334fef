"""The page "Laboratory", started from the router: what is put together, ordered, watched and kept."""

from __future__ import annotations

import io
import json
import os
import shutil
import zipfile
from collections.abc import Iterator
from errno import ENOSPC
from functools import partial
from pathlib import Path

import numpy as np
import pytest
from PIL import Image
from streamlit.testing.v1 import AppTest

from apps.laboratory import costs, worker
from apps.laboratory.offers import checked_text, keep_upload, offers
from apps.laboratory.runs import LABORATORY, LabRun, Order, find_runs, submit
from data_prep.datasets import DATA_DIR_VARIABLE
from data_prep.errors import InputError
from tests.apps.pages import messages, open_page, press, shipping

KEY = "laboratory"
TINY = Order("digits", "tiny", {"sample": True}, "lecture", ("epochs=1", "batch_size=256", "shards=1"))
page = partial(open_page, KEY)


@pytest.fixture(autouse=True)
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Path]:
    """The page in an empty folder."""
    monkeypatch.chdir(tmp_path)
    with shipping(tmp_path / "none"):
        yield tmp_path


@pytest.fixture(scope="module")
def trained(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The folder of a run that is trained."""
    here = Path.cwd()
    os.chdir(tmp_path_factory.mktemp("laboratory"))
    try:
        run = submit(TINY)
        assert outcome(run) == "trained"
        return run.folder.resolve()
    finally:
        os.chdir(here)


def outcome(run: LabRun) -> str:
    """Train a run here, as its process does."""
    worker.attempt(run)
    return run.state


def taken(trained: Path) -> LabRun:
    """The trained run, in the folder of this test."""
    LABORATORY.mkdir(parents=True)
    shutil.copytree(trained, LABORATORY / trained.name)
    return LabRun(LABORATORY / trained.name)


def only_run() -> LabRun:
    (run,) = find_runs()
    return run


def zipped(files: dict[str, bytes], packing: int = zipfile.ZIP_STORED) -> bytes:
    written = io.BytesIO()
    with zipfile.ZipFile(written, "w", packing) as archive:
        for name, content in files.items():
            archive.writestr(name, content)
    return written.getvalue()


FLAGS, METHOD, CHECKSUM = 8, 10, 16  # bytes of an entry of a zip's directory


def spoiled(at: int, value: int) -> bytes:
    """A zip with a byte of its directory changed."""
    content = bytearray(zipped({"3/a.png": b"pixels"}))
    content[content.index(b"PK\x01\x02") + at] = value
    return bytes(content)


def png() -> bytes:
    written = io.BytesIO()
    Image.fromarray(np.full((20, 20), 90, np.uint8)).save(written, "PNG")
    return written.getvalue()


def command(app: AppTest) -> str:
    return app.code[0].value


def test_what_is_clicked_is_what_is_typed_and_is_ordered() -> None:
    app = page(task="Digits")
    assert command(app).startswith("python -m apps digits fit --sample --recipe lab")
    app.number_input(key="epochs digits Sample lab").set_value(3).run()
    app.text_input(key="all label_smoothing digits Sample lab").set_value("0.2").run()
    assert "--set epochs=3" in command(app) and "--set label_smoothing=0.2" in command(app)
    press(app, "Start")
    assert not app.exception and not app.error
    run = only_run()
    assert app.query_params["run"] in (run.key, [run.key])
    assert app.segmented_control(key="section").value == "Watch"
    order = run.order
    assert order.options == {"sample": True} and set(order.overrides) == {"epochs=3", "label_smoothing=0.2"}
    assert order.recipe == "lab" and run.state == "waiting"


@pytest.mark.parametrize("task", ["digits", "writer", "tagger", "vectors", "reviews", "ocr"])
def test_every_task_can_be_ordered(task: str) -> None:
    app = page(task=offers()[task].title)
    assert not app.error and f"apps {task} fit --sample" in command(app)
    press(app, "Start")
    assert only_run().order.task == task


@pytest.mark.parametrize("cell", ["rnn", "lstm", "gru", "mgu"])
def test_a_writer_has_each_of_the_four_cells(cell: str) -> None:
    app = page(task="Writing")
    app.selectbox(key="cell writer Sample ").set_value(cell).run()
    assert not app.error
    assert (f"--set cell={cell}" in command(app)) is (cell != "lstm")


def test_two_starts_of_one_order_are_one_run(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("apps.laboratory.runs._SAME_ORDER_SECONDS", 600.0)  # a busy machine draws slowly
    for _ in range(2):
        press(page(task="Digits"), "Start")
    assert only_run().state == "waiting"


def test_three_seeds_are_one_click_and_one_group() -> None:
    press(page(task="Digits"), "Repeat with 3 seeds")
    orders = [run.order for run in find_runs()]
    assert sorted(order.overrides[-1] for order in orders) == ["seed=1", "seed=2", "seed=3"]
    assert len({order.group for order in orders}) == 1 and orders[0].group


@pytest.mark.parametrize(
    ("text", "message"), [("2", "label_smoothing does not fit"), ("much", "label_smoothing does not fit")]
)
def test_a_setting_out_of_bounds_is_one_message(text: str, message: str) -> None:
    app = page(task="Digits")
    box = app.text_input(key="all label_smoothing digits Sample lab")
    box.set_value(text).run()
    assert [message in one for one in messages(app)] == [True] and not app.exception
    assert not any(button.label == "Start" for button in app.button)
    app.text_input(key=box.key).set_value("0.1").run()
    assert not app.error


@pytest.mark.parametrize(
    ("typed", "message"),
    [("/etc", "reads no such path"), ("runs/../..", "reads no such path"), ("runs/nothing", "no such file"),
     (f"runs/{'a' * 300}", "no such file"), ("runs/\0x", "no such file")],
)
def test_paths_outside_are_refused(typed: str, message: str) -> None:
    app = page(**{"task": "Digits", "data digits": "Path"})
    app.text_input(key="path digits folder").set_value(typed).run()
    assert [message in one for one in messages(app)] == [True]


def test_a_path_in_the_data_folder_is_taken(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (folder / "data" / "mine").mkdir(parents=True)
    monkeypatch.setenv(DATA_DIR_VARIABLE, str(folder / "data"))
    app = page(**{"task": "Digits", "data digits": "Path"})
    app.text_input(key="path digits folder").set_value(str(folder / "data" / "mine")).run()
    assert not app.error and "--folder" in command(app)


def test_a_setting_that_names_a_file_outside_is_refused() -> None:
    app = page(task="Tagging")
    app.text_input(key="all vectors tagger Sample ").set_value("/etc/passwd").run()
    assert ["reads no such path" in one for one in messages(app)] == [True]
    assert checked_text("a" * 300) == "a" * 300


@pytest.mark.parametrize(
    ("task", "option", "name", "content", "message"),
    [
        ("digits", "folder", "d.zip", b"no zip", "no zip file"),
        ("digits", "folder", "d.zip", zipped({"../a.png": b""}), "outside of its folder"),
        ("digits", "folder", "D.ZIP", spoiled(CHECKSUM, 0), "cannot be unpacked (Bad CRC"),
        ("digits", "folder", "d.zip", spoiled(FLAGS, 1), "is encrypted"),
        ("digits", "folder", "d.zip", spoiled(METHOD, 9), "packed in another way"),
        ("ocr", "words", "d.zip", zipped({"w.csv/": b""}), "no CSV file"),
        ("ocr", "words", "d.zip", zipped({"W.CSV": b"picture\n" + b"a" * 140_000}), "has no column text"),
        ("ocr", "words", "d.zip", zipped({"w.csv": b"picture;text\n/etc/a.png;abc\n"}), "outside of its folder"),
        ("ocr", "words", "d.zip", zipped({"w.csv": b"\xef\xbb\xbfpicture,text\n../a.png,abc\n"}), "outside of its"),
        ("digits", "folder", "d.zip", zipped({"a/3.png": b"0" * 999}, zipfile.ZIP_BZIP2), "packed in another way"),
        ("writer", "text", "t.txt", b"\xff\xfe\x00a", "no text in UTF-8"),
        ("writer", "text", "t.gz", b"plain", "no gzip file"),
        ("writer", "text", "t.txt", b"a" * (11 * 2**20), "too large"),
    ],
)
def test_an_upload_of_another_format_is_one_message(
    task: str, option: str, name: str, content: bytes, message: str
) -> None:
    kind = next(own.title for own in offers()[task].own if own.option == option)
    app = page(**{"task": offers()[task].title, f"data {task}": "Upload", f"kind {task}": kind})
    assert not app.error and not app.code
    app.file_uploader(key=f"upload {task} {option}").upload(name, content, "application/octet-stream").run()
    assert [message in one for one in messages(app)] == [True] and not app.exception


def test_an_upload_is_ordered_as_a_folder() -> None:
    app = page(**{"task": "Digits", "data digits": "Upload"})
    content = zipped({"mine/3/a.png": png(), "mine/4/b.png": png()})
    app.file_uploader(key="upload digits folder").upload("mine.zip", content, "application/zip").run()
    press(app, "Start")
    named = Path(only_run().order.options["folder"])
    assert sorted(path.name for path in named.iterdir()) == ["3", "4"] and named.is_relative_to(LABORATORY)


def test_files_of_one_name_and_an_empty_zip_are_kept() -> None:
    text, images = offers()["writer"].own[0], offers()["digits"].own[0]
    paths = keep_upload(text, [("a.TXT", b"first"), ("a.TXT", b"second")])
    assert [path.read_bytes() for path in paths] == [b"first", b"second"]
    (empty,) = keep_upload(images, [("a.zip", zipped({}))])
    assert empty.is_dir() and not list(empty.iterdir())


def test_a_full_disk_is_one_message_at_the_start(monkeypatch: pytest.MonkeyPatch) -> None:
    app = page(task="Digits")

    def refuse(*_: object) -> None:
        raise InputError("Cannot write runs: No space left on device")

    monkeypatch.setattr("apps.laboratory.page_start.submit", refuse)
    press(app, "Start")
    assert ["No space left" in one for one in messages(app)] == [True] and not app.exception
    assert app.segmented_control(key="section").value == "Start"


def test_a_full_disk_ends_a_training_with_its_reason(monkeypatch: pytest.MonkeyPatch) -> None:
    def full(self: object, event: str, **_: object) -> None:
        raise OSError(ENOSPC, os.strerror(ENOSPC))

    monkeypatch.setattr("models.training.events.Events.emit", full)
    run = submit(TINY)
    assert outcome(run) == "failed"
    app = page(section="Watch")
    assert ["No space left" in one for one in messages(app)] == [True] and not app.exception


def test_a_trained_run_is_watched_and_kept(trained: Path) -> None:
    run = taken(trained)
    app = page(section="Watch", run=run.key)
    assert not app.error and len(app.get("plotly_chart"))
    app.text_input(key=f"name {run.key}").set_value("no/name")
    press(app, "Keep")
    assert ["name of a preset" in one for one in messages(app)] == [True]
    app.text_input(key=f"name {run.key}").set_value("my_digits")
    press(app, "Keep")
    assert run.state == "keeping"
    worker.attempt(run)
    assert run.state == "kept"
    app = page(section="Watch", run=run.key)
    assert "my_digits" in "".join(one.proto.body for one in app.get("html"))
    assert json.loads(Path("runs/my_digits/metrics.json").read_text())["accuracy"]["n"]


def test_a_run_that_diverges_says_where_and_can_be_kept() -> None:
    run = submit(Order("digits", "far", {"sample": True}, "lecture", ("epochs=1", "weight_decay=1e38")))
    assert outcome(run) == "failed"
    app = page(section="Watch", run=run.key)
    (message,) = messages(app)
    assert "diverged at" in message and "Lower the learning rate" in message
    app.text_input(key=f"name {run.key}").set_value("last_finite")
    press(app, "Keep")
    worker.attempt(run)
    assert run.state == "kept" and Path("runs/last_finite").is_dir()


def test_a_discarded_run_and_a_removed_folder_are_told(trained: Path) -> None:
    run = taken(trained)
    app = page(section="Watch", run=run.key)
    shutil.rmtree(run.folder)
    app.run()
    assert ["not there" in one for one in messages(app)] == [True] and not app.exception
    assert not page(section="Watch").error


def test_discard_removes_the_files(trained: Path) -> None:
    run = taken(trained)
    press(page(section="Watch", run=run.key), "Discard it")
    assert not run.folder.exists()


def test_a_run_of_another_version_is_told_and_can_be_discarded() -> None:
    run = submit(TINY)
    order = json.loads((run.folder / "order.json").read_text())
    (run.folder / "order.json").write_text(json.dumps({**order, "colour": "red"}))
    app = page(section="Watch", run=run.key)
    assert all("another version" in one for one in messages(app)) and app.error and not app.exception
    assert outcome(LabRun(run.folder)) == "failed"
    press(page(section="Watch", run=run.key), "Discard it")
    assert not run.folder.exists()


def test_the_cost_is_that_of_the_network(monkeypatch: pytest.MonkeyPatch, folder: Path) -> None:
    monkeypatch.setattr(costs, "_TIMED_SECONDS", 0.05)
    app = page(task="Digits")
    press(app, "Tell me")
    (asked,) = costs.COSTS.glob("*.json")
    monkeypatch.setattr("sys.argv", ["costs", asked.stem])
    monkeypatch.setattr(worker, "step_back", lambda: None)
    costs.main()
    app.run()
    told = {metric.label: metric.value for metric in app.metric}
    from apps.digits.task import RECIPES
    from models.digit_cnn.config import DigitCNNConfig
    from models.training.recipe import fields_of

    assert told["Parameters"] == f"{fields_of(RECIPES['lab'], DigitCNNConfig, classes=10).parameters:,}"
    assert "…" not in told.values()


def test_a_typed_table_names_pictures_of_its_folder_only(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv(DATA_DIR_VARIABLE, str(tmp_path))
    (tmp_path / "w.csv").write_text("picture;text\n/etc/hostname;abc\n")
    kind = next(own.title for own in offers()["ocr"].own if own.option == "words")
    app = page(**{"task": "Reading", "data ocr": "Path", "kind ocr": kind, "path ocr words": str(tmp_path / "w.csv")})
    assert ["outside of its folder" in one for one in messages(app)] == [True] and not app.exception

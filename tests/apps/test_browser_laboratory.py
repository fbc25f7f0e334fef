"""The page "Laboratory" in a real browser: a person starts a training, watches it, stops it, keeps and uses it."""

from __future__ import annotations

import shutil
import time
from collections.abc import Iterator
from pathlib import Path

import pytest
from playwright.sync_api import expect

from apps.laboratory.runs import LabRun
from data_prep.datasets import at_hand
from tests.apps.browsing import settled, visit

# The server's own folder; the sample's order of the page, which trains for some seconds.
ORDER = "laboratory?task=Digits&epochs+digits+Sample+lab=500"
POINTS = """() => [...document.querySelectorAll('.scatterlayer .point, .scatterlayer path.js-line')].length"""
FIRST_POINT_SECONDS = 5.0
LONGEST = 300_000.0  # ms: a training goes behind all else, also behind other tests

pytestmark = pytest.mark.browser


@pytest.fixture(scope="module")
def folder(server: str, served: Path) -> Iterator[Path]:
    """The server's folder; what still trains at the end is removed, and what was made of it."""
    yield served
    for path in (served / "runs" / "laboratory").glob("*/order.json"):
        LabRun(path.parent).remove()
    shutil.rmtree(served / "runs" / "mine", ignore_errors=True)


def wait_until_warm(folder: Path) -> None:
    """Wait until a process says that it is ready for an order."""
    end = time.monotonic() + LONGEST / 1000
    while not any(path.read_text() == "ready" for path in (folder / "runs" / "laboratory").glob(".slot-*")):
        assert time.monotonic() < end, (folder / "log.txt").read_text()
        time.sleep(0.1)


def test_a_person_starts_watches_stops_keeps_and_uses_a_network(page, server: str, folder: Path) -> None:
    visit(page, f"{server}/{ORDER}")
    wait_until_warm(folder)
    page.get_by_role("button", name="Start", exact=True).dblclick()
    page.wait_for_function(POINTS)
    (order,) = (folder / "runs" / "laboratory").glob("*/order.json")  # two clicks, one run
    key = order.parent.name
    assert f"run={key}" in page.url

    page.reload()
    page.wait_for_function(POINTS)
    expect(page.get_by_text("training", exact=True).first).to_be_visible(timeout=LONGEST)
    for button in ("Pause", "Go on", "Stop training"):  # each is pressed once, as soon as it is there
        page.get_by_role("button", name=button, exact=True).click(timeout=LONGEST)
    expect(page.get_by_text("stopped", exact=True).first).to_be_visible(timeout=LONGEST)

    page.get_by_role("textbox", name="Keep as a preset named").fill("mine")
    page.get_by_role("button", name="Keep", exact=True).click()
    page.get_by_role("link", name="mine").click(timeout=LONGEST)
    expect(page).to_have_url(f"{server}/digits?preset=mine", timeout=LONGEST)
    expect(page.get_by_text("mine learned from: The digits of scikit-learn")).to_be_visible()
    settled(page)
    expect(page.get_by_test_id("stException")).to_have_count(0)


@pytest.mark.slow
@pytest.mark.parametrize("data", ["Sample", "MNIST"])
def test_the_first_point_comes_within_five_seconds(page, server: str, folder: Path, data: str) -> None:
    if data == "MNIST" and not at_hand("mnist"):
        pytest.skip("no MNIST")
    visit(page, f"{server}/laboratory?task=Digits&data+digits={data}")
    wait_until_warm(folder)
    page.get_by_role("button", name="Start", exact=True).click()
    clicked = time.perf_counter()
    page.wait_for_function(POINTS)
    seconds = time.perf_counter() - clicked
    print(f"{data}: {seconds:.2f} s from the click to the first point")
    assert seconds <= FIRST_POINT_SECONDS
    LabRun(folder / "runs" / "laboratory" / page.url.partition("run=")[2]).remove()


def test_an_upload_of_300_mib_is_refused_by_the_page(page, server: str, tmp_path: Path) -> None:
    large = tmp_path / "large.zip"
    with large.open("wb") as file:
        file.truncate(300 * 2**20)
    visit(page, f"{server}/laboratory?task=Digits&data+digits=Upload")
    page.locator("input[type=file]").set_input_files(large)
    expect(page.get_by_text("File must be 10.0MB or smaller")).to_be_visible()
    visit(page, f"{server}/laboratory?task=Digits")
    expect(page.get_by_role("button", name="Start", exact=True)).to_be_visible()

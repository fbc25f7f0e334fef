"""Recorded runs on the page "Laboratory" in a real browser: compared, saved as files, played."""

from __future__ import annotations

import json
import re
import zipfile
from pathlib import Path
from urllib.parse import quote

import pytest
from playwright.sync_api import expect

from apps.laboratory.experiments import experiments, recorded
from tests.apps.browsing import settled, visit

KEY = next((key for key in experiments() if recorded(key)), "")
BEGINS = {"PNG": b"\x89PNG\r\n", "SVG": b"<svg", "CSV": b"trace,x,y,value"}

pytestmark = [pytest.mark.browser, pytest.mark.skipif(not KEY, reason="no experiment was recorded")]


@pytest.fixture
def compared(page, server: str):
    runs = "&".join(f"runs={quote(run.key)}" for run in recorded(KEY).values())
    visit(page, f"{server}/laboratory?section=Compare&{runs}")
    return page


@pytest.mark.parametrize("form", BEGINS)
def test_a_picture_is_saved(compared, form: str, tmp_path: Path) -> None:
    compared.locator(".lectern-corner summary").first.click()
    with compared.expect_download() as download:
        compared.get_by_role("button", name=form, exact=True).click()
    assert download.value.suggested_filename == f"loss_over_steps.{form.lower()}"
    download.value.save_as(tmp_path / "picture")
    assert (tmp_path / "picture").read_bytes().startswith(BEGINS[form])


def test_all_is_saved_as_a_folder(compared, tmp_path: Path) -> None:
    with compared.expect_download() as download:
        compared.get_by_role("button", name="All as a folder").click()
    download.value.save_as(tmp_path / "all.zip")
    with zipfile.ZipFile(tmp_path / "all.zip") as archive:
        assert json.loads(archive.read("comparison/differences.json"))
        assert archive.read("comparison/curves.csv").count(b"\n") > 100


def test_an_address_opens_the_same_comparison(compared) -> None:
    compared.get_by_role("radio", name="seconds").click()
    expect(compared).to_have_url(re.compile("over=seconds"))
    settled(compared)
    compared.reload()
    settled(compared)
    expect(compared.locator(".xtitle").first).to_have_text("seconds of training")
    chart = compared.locator("[data-testid=stPlotlyChart]").first
    expect(chart.locator(".legendtext")).to_have_count(len(recorded(KEY)))


def test_a_recorded_experiment_plays(page, server: str) -> None:
    visit(page, f"{server}/laboratory?section=Experiments&experiment={KEY}")
    expect(page.get_by_text(experiments()[KEY].look_for[:40])).to_be_visible()
    if not page.get_by_text("What the networks show").count():
        pytest.skip("the recorded runs have no pictures")
    place = page.get_by_text(re.compile(r"^after [\d,]+ steps$")).first
    before = place.inner_text()
    page.get_by_text("Play", exact=True).click()
    expect(place).not_to_have_text(before)

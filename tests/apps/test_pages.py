"""What every section of every page keeps: it opens by its address, is not empty, and says what to try."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from apps.lecture.topics import PAGES
from tests.apps.pages import EVERY_SECTION, SECTIONS, open_page, shipping

SHOWN = (
    "plotly_chart",
    "dataframe",
    "html",
    "bidi_component",
    "code",
    "info",
    "metric",
    "file_uploader",
    "text_area",
    "image",
)
MORE = {
    ("vectors", "Map"): {"words": "Frequent", "size": "20"},
    ("writer", "Read"): {"text": "The king falls."},
    ("writer", "Gates"): {"text": "BEN:\nThe heart rises.\n\nANNA:\nNot so.\n"},
}  # of the address: words that the small presets know

pytestmark = pytest.mark.usefixtures("results")


@pytest.fixture(scope="module")
def key(request: pytest.FixtureRequest) -> Iterator[str]:
    with shipping(request.getfixturevalue(f"{request.param}_presets")):
        yield request.param


@pytest.mark.parametrize(("key", "section"), EVERY_SECTION, indirect=["key"])
def test_a_section_opens_by_its_address_and_says_what_to_try(key: str, section: str) -> None:
    app = open_page(key, section=section, **MORE.get((key, section), {}))
    assert not app.error
    assert [title.value for title in app.title] == [PAGES[key].title]
    chooser = app.segmented_control(key="section")
    assert tuple(chooser.options) == SECTIONS[key]
    assert chooser.value == section
    assert any(len(app.get(kind)) for kind in SHOWN), "the section is empty"
    hints = [caption.value for caption in app.caption if "learned from:" not in caption.value]
    assert hints and len(hints[0].split()) > 5 and hints[0].rstrip().endswith(".")


@pytest.mark.parametrize("key", SECTIONS, indirect=True)
def test_a_section_that_does_not_exist_is_the_first_one(key: str) -> None:
    app = open_page(key, section="Nowhere")
    assert not app.error
    assert app.segmented_control(key="section").value == SECTIONS[key][0]


@pytest.mark.parametrize(("key", "section"), EVERY_SECTION)
def test_without_presets_a_section_says_how_to_make_them_or_needs_none(
    key: str, section: str, tmp_path: Path
) -> None:
    with shipping(tmp_path):
        app = open_page(key, section=section)
    assert any(len(app.get(kind)) for kind in SHOWN), "the section is empty"

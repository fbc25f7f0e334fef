"""What every section of every page keeps: it opens by its address, is not empty, and says what to try."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from apps.course.lessons import step_about
from apps.lecture.topics import PAGES, ROOT
from data_prep.files import toml_beside
from tests.apps.pages import EVERY_SECTION, SECTIONS, components, open_page, shipping, untold

SHOWN = (
    "plotly_chart",
    "dataframe",
    "html",
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
    ("writer", "Gradients"): {"text": "BEN:\nThe heart rises.\n\nANNA:\nNot so.\n"},
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
    assert len(set(chooser.options)) == len(SECTIONS[key])
    assert chooser.value == section
    assert components(app) or any(len(app.get(kind)) for kind in SHOWN), "the section is empty"
    assert not untold(app)
    said = toml_beside(str(ROOT / PAGES[key].view))["sections"]
    assert tuple(said) == SECTIONS[key]
    assert chooser.options[SECTIONS[key].index(section)] == said[section]["title"]
    about = said[section]["about"]
    assert about in [caption.value for caption in app.caption]
    assert len(about.split()) > 8 and about.endswith(".")
    lesson = step_about(key, section)
    assert [link.proto.help for link in app.get("page_link") if link.proto.label == "?"] == (
        [] if lesson is None else [f"The lesson's step about it: {lesson[1]}"]
    )


def tries_of(key: str, section: str) -> dict:
    return toml_beside(str(ROOT / PAGES[key].view))["sections"][section].get("try", {})


@pytest.mark.parametrize(("key", "section"), [at for at in EVERY_SECTION if tries_of(*at)], indirect=["key"])
def test_what_can_be_tried_is_drawn(key: str, section: str) -> None:
    app = open_page(key, section=section, **MORE.get((key, section), {}))
    for title, values in tries_of(key, section).items():
        app.button(key=f"try {title}").click().run()
        assert not app.exception
        assert all(name in app.session_state for name in values)


@pytest.mark.parametrize("key", SECTIONS, indirect=True)
def test_a_section_that_does_not_exist_is_the_first_one(key: str) -> None:
    app = open_page(key, section="Nowhere")
    assert not app.error
    assert app.segmented_control(key="section").value == SECTIONS[key][0]


def test_the_address_keeps_the_name_of_a_section_not_its_title(convolution_presets: Path) -> None:
    with shipping(convolution_presets):
        app = open_page("convolution", section="Kinds")
        app.segmented_control(key="section").set_value("Sizes").run()
        assert app.query_params["section"] == "Sizes"
        assert app.segmented_control(key="section").value == "Sizes"


@pytest.mark.parametrize(
    ("address_of", "chooser_of", "found"),
    [
        ("before", "before", "Lessons"),  # a click on the page before
        ("now", "before", "Know"),  # one on the chooser
        ("before", "now", "Know"),  # the browser's way back
    ],
)
def test_a_click_on_the_page_before_does_not_take_a_move_back(
    address_of: str, chooser_of: str, found: str
) -> None:
    app = open_page("course", section="Know")
    before = dict(app.query_params)
    next(one for one in app.button if one.key.startswith("topic ") and not one.disabled).click().run()
    assert app.segmented_control(key="section").value == "Lessons"
    if address_of == "before":
        app.query_params.clear()
        app.query_params.update(before)
    if chooser_of == "before":
        app.segmented_control(key="section").set_value("Know")
    assert app.run().query_params["section"] == found
    assert app.segmented_control(key="section").value == found


@pytest.mark.parametrize(("key", "section"), EVERY_SECTION)
def test_without_presets_a_section_says_how_to_make_them_or_needs_none(
    key: str, section: str, tmp_path: Path
) -> None:
    with shipping(tmp_path):
        app = open_page(key, section=section)
    assert any(len(app.get(kind)) for kind in SHOWN), "the section is empty"

"""Pages as a visitor opens them, by their address and without a browser, and what stands on them."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest
import streamlit as st
from streamlit.testing.v1 import AppTest
from streamlit.util import calc_hash

from apps.lecture.topics import ROOT, Page

SECTIONS = {
    "vectors": ("Analogy", "Neighbours", "Map", "Objective", "Scores", "Benchmark"),
    "tagger": ("Text", "Network", "Errors", "Transitions", "Calibration", "Benchmark"),
    "writer": ("Write", "Read", "Errors", "Copies", "Quiz", "Gates", "Gradients", "Unrolled", "Ladder"),
    "digits": ("Draw", "Layers", "Reasons", "Errors", "Depth", "Benchmark"),
    "ocr": ("Letters", "Words", "Unseen words", "Transitions", "Noise", "Errors", "Benchmark"),
    "reviews": ("Verdict", "Inside", "Errors", "Labels", "File", "Padding", "Networks", "Embeddings", "Benchmark"),
    "convolution": ("Signal", "Learned", "Kinds", "Digit", "Sizes", "Einstein"),
    "laboratory": ("Start", "Watch", "Compare", "Experiments", "Leaderboard"),
    "course": ("Lessons", "Exercises", "Know", "Teachers", "Print"),
}  # of every page, in the order of its buttons
EVERY_SECTION = [(key, section) for key, sections in SECTIONS.items() for section in sections]


@contextmanager
def shipping(folder: Path) -> Iterator[None]:
    """Make pages show the presets of a folder as the shipped ones, and forget what they have opened."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr("models.presets.search.PRESETS_DIR", folder)
        # A page counts as built where its presets are shipped; here they are those of the folder.
        patch.setattr(Page, "built", property(lambda page: (ROOT / page.view).is_file()))
        forget()
        yield
        forget()


def forget() -> None:
    """Clear what pages share among visitors."""
    st.cache_resource.clear()
    st.cache_data.clear()


def open_page(key: str, **query: str) -> AppTest:
    """Open a page by its address; it has to open without an exception.

    Args:
        key: Of the page, which is its path in the address.
        **query: What follows the question mark.
    """
    app = AppTest.from_file(str(ROOT / "streamlit_app.py"), default_timeout=300)
    app._page_hash = calc_hash(key)  # switch_page() could do it only after the home page has run
    for name, value in query.items():
        app.query_params[name] = value
    app.run()
    assert not app.exception
    return app


def messages(app: AppTest) -> list[str]:
    """Everything that the page calls wrong, as plain text."""
    return [error.value.replace("\\", "") for error in app.error]


def html(app: AppTest) -> str:
    """All HTML of the page."""
    return "".join(item.proto.body for item in app.get("html"))


def untold(app: AppTest) -> list[str]:
    """Pictures of the page without a text alternative that says more than one word."""
    alts = [item.proto.alt for item in app.get("plotly_chart")]
    images = [image.proto for item in app.get("imgs") for image in item.proto.imgs]
    found = [alt for alt in alts if len(alt.split()) < 2]
    found += [str(image)[:80] for image in images if not image.HasField("alt")]
    marks = re.findall(r"<(?:img|svg|canvas)\b[^>]*>|<[^>]*role=.img[^>]*>", html(app))
    return found + [mark[-200:] for mark in marks if "alt=" not in mark and "aria-label=" not in mark]


def components(app: AppTest) -> list:
    """The page's own components: all but that of every page, for corners at pictures and the document's language."""
    return [item for item in app.get("bidi_component") if not item.proto.id.endswith("-lectern_corner")]


def chart(app: AppTest, key: str) -> dict:
    """The figure that the page drew under this key."""
    (found,) = [item for item in app.get("plotly_chart") if item.proto.id.endswith(f"-{key}")]
    return json.loads(found.proto.spec)


def given(app: AppTest, key: str) -> dict:
    """What the component of this key was given."""
    (found,) = [item for item in app.get("bidi_component") if item.proto.id.endswith(f"-{key}")]
    return json.loads(found.proto.json)


def press(app: AppTest, label: str) -> AppTest:
    """Press the first button of this label."""
    return next(button for button in app.button if button.label == label).click().run()

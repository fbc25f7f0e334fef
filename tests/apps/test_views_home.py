"""The home page, started from the router."""

from __future__ import annotations

from pathlib import Path

import pytest
from streamlit.testing.v1 import AppTest

from apps.lecture import topics as lecture_map
from apps.lecture.drawings import drawing_url
from apps.lecture.topics import DOORS, PAGES, PARTS, built_topics, topics
from apps.shared.style import LIGHT

ENTRY = Path(__file__).resolve().parents[2] / "streamlit_app.py"


def home() -> AppTest:
    app = AppTest.from_file(str(ENTRY), default_timeout=60)
    return app.run()


def test_every_part_and_topic_is_there_in_order() -> None:
    app = home()
    assert not app.exception
    assert [header.value for header in app.subheader] == [
        f"{number}. {part.title}" for number, part in enumerate(PARTS, start=1)
    ]
    captions = " ".join(caption.value for caption in app.caption)
    for topic in topics():
        if not topic.built:
            assert topic.title in captions
    assert f"{len(built_topics())} of {len(topics())}" in captions


def test_the_path_is_drawn_with_one_picture_a_part() -> None:
    (path,) = [html for html in home().get("html") if "lecture-path" in html.proto.body]
    for part in PARTS:
        assert drawing_url(part.key, LIGHT) in path.proto.body
        assert f'href="#{part.key}"' in path.proto.body


def test_built_topics_link_to_their_page_and_state() -> None:
    links = [link for link in home().get("page_link") if "·" in link.proto.label]
    assert len(links) == len(built_topics())
    madrid = next(link for link in links if "Madrid" in link.proto.label)
    assert madrid.proto.page == "vectors"
    assert "paris" in madrid.proto.query_string


def test_three_doors_lead_to_the_course_the_pages_and_what_was_measured() -> None:
    app = home()
    assert [door.title for door in DOORS] == ["Learn", "Try", "Measure"]
    assert all(any(door.about in item.value for item in app.markdown) for door in DOORS)
    links = [link.proto for link in app.get("page_link") if "·" not in link.proto.label]
    assert links[0].page == "course"
    assert {link.page for link in links} == {page.key for page in PAGES.values() if page.built}
    assert sum("section=" in link.query_string for link in links) == 9


def test_a_page_that_does_not_exist_is_not_promised(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    assert built_topics()
    monkeypatch.setattr(lecture_map, "ROOT", tmp_path)
    assert built_topics() == ()

"""Errors of all tasks: stored, read, filtered, and the section that shows them."""

from __future__ import annotations

import json
from functools import partial
from pathlib import Path
from urllib.parse import parse_qs, urlparse

import pytest

from apps.reviews.application import DEFAULT_PRESET
from apps.shared.errors import Error, chosen, stored_errors
from data_prep.errors import InputError
from tests.apps.pages import html, messages, open_page
from tests.apps.stored_errors import MANY, store_errors

KEY = "reviews"
page = partial(open_page, KEY, section="Errors")

pytestmark = pytest.mark.usefixtures("shipped", "results")


def test_errors_are_stored_and_read(tmp_path: Path) -> None:
    assert stored_errors(KEY, DEFAULT_PRESET) is None
    some = (
        Error("a", "b", 0.5, length=3, seen=True, kind="x", marked="m", more={"number": 4}),
        Error("b", "a", 0.25, before="before", more={"number": 7}),
    )
    store_errors(tmp_path, KEY, DEFAULT_PRESET, some, n=7, wrong=4)
    found = stored_errors(KEY, DEFAULT_PRESET)
    assert (found.n, found.wrong) == (7, 4)
    assert found.errors[0] == some[0]
    assert found.errors[1].text == "before" and found.errors[1].more == {"number": 7}
    assert found.errors[1].seen is None and found.errors[1].length is None
    assert found.confusions == [(("a", "b"), 1), (("b", "a"), 1)]


def test_errors_of_other_weights_are_not_shown(tmp_path: Path) -> None:
    store_errors(tmp_path, KEY, DEFAULT_PRESET, MANY)
    path = tmp_path / "errors_reviews.json"
    text = path.read_text()
    found = json.loads(text)
    found["presets"][DEFAULT_PRESET]["weights"] = "other"
    path.write_text(json.dumps(found))
    assert stored_errors(KEY, DEFAULT_PRESET) is None
    assert "python -m benchmarks.errors --task reviews --store" in page().info[0].value


@pytest.mark.parametrize("damage", ["columns", "rows"])
def test_damaged_errors_are_one_message(damage: str, tmp_path: Path) -> None:
    store_errors(tmp_path, KEY, DEFAULT_PRESET, MANY)
    path = tmp_path / "errors_reviews.json"
    found = json.loads(path.read_text())
    found["presets"][DEFAULT_PRESET][damage].pop()
    if damage == "rows":
        found["presets"][DEFAULT_PRESET][damage].append(["neg"])
    path.write_text(json.dumps(found))
    with pytest.raises(InputError, match=r"errors_reviews.json lack .*rows"):
        stored_errors(KEY, DEFAULT_PRESET)
    assert ["errors_reviews.json lack" in one for one in messages(page())] == [True]


def test_filters_take_what_fits_with_its_number() -> None:
    def numbers(**wanted: object) -> list[int]:
        return [number for number, _ in chosen(MANY, **wanted)]

    assert numbers() == [*range(1, 21)]
    assert numbers(label="neg") == [*range(1, 21, 2)] == numbers(answer="pos")
    assert numbers(label="neg", answer="neg") == numbers(kind="other") == []
    assert numbers(sure=(95.0, 100.0)) == [1, 2, 3]
    assert numbers(length=(12, 13)) == [3, 4]
    assert numbers(seen=False) == [*range(1, 21, 3)] and len(numbers(seen=True)) == 13
    assert len(chosen([Error("a", "b", 0.5)], length=(3, 4))) == 1  # it has no length to be told by
    assert not chosen([Error("a", "b", 0.5)], seen=True)


def test_the_section_filters_by_its_address_and_opens_an_error_in_the_exhibit(tmp_path: Path) -> None:
    store_errors(tmp_path, KEY, DEFAULT_PRESET, MANY)
    app = page()
    assert not app.error and "**20** of 100 reviews" in app.markdown[0].value
    assert html(app).count("<blockquote") == 15  # a page of them
    assert "a &lt;b&gt;good&lt;/b&gt; film 0" in html(app) and "<b>good" not in html(app)
    app = page(shows="neg", seen="unseen", sure=["50", "99"], long=["10", "20"])
    assert html(app).count("<blockquote") == 2 and "film 0" in html(app) and "film 6" in html(app)
    assert any("2 of 20 match" in caption.value for caption in app.caption)
    link = html(app).split('href="')[1].split('"')[0].replace("&amp;", "&")
    query = parse_qs(urlparse(link).query)
    assert query == {"section": ["Verdict"], "preset": [DEFAULT_PRESET], "text": ["a <b>good</b> film 0"]}
    opened = open_page(KEY, **{name: values[0] for name, values in query.items()})
    assert not opened.error and opened.text_area(key="text").value == "a <b>good</b> film 0"


def test_a_filter_that_nothing_fits_leaves_the_page_alive(tmp_path: Path) -> None:
    store_errors(tmp_path, KEY, DEFAULT_PRESET, MANY)
    app = page(shows="neg", answered="neg")
    assert not app.error and "<blockquote" not in html(app)
    app = page(shows="of no error", sure=["no", "number"], long=["1", "9999"])
    assert not app.error and html(app).count("<blockquote") == 15


def test_filters_that_tell_nothing_apart_are_not_there(tmp_path: Path) -> None:
    store_errors(tmp_path, KEY, DEFAULT_PRESET, [Error("neg", "pos", 0.9, before="one")])
    app = page()
    assert [slider.key for slider in app.slider] == ["sure"]
    assert {box.key for box in app.selectbox} >= {"shows", "answered"}
    assert "seen" not in {box.key for box in app.selectbox}


def test_a_try_button_sets_the_filters(tmp_path: Path) -> None:
    store_errors(tmp_path, KEY, DEFAULT_PRESET, MANY)
    app = page()
    app.button(key="try Hardly sure").click().run()
    assert not app.exception and tuple(app.slider(key="sure").value) == (50, 60)

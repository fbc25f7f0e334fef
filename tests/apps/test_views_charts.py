"""What pages share: escaping, messages for wrong input, and names that do not cover each other."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from apps.shared import charts
from apps.shared.page import plain


def test_names_that_would_cover_an_earlier_one_are_left_out() -> None:
    points = [(0.0, 0.0), (0.01, 0.01), (1.0, 1.0)]
    assert charts.readable(points, ["first", "second", "third"], width=400, height=300) == [
        "first",
        "",
        "third",
    ]


def test_names_one_line_apart_are_all_shown() -> None:
    points = [(0.0, 0.0), (0.0, 0.5), (0.0, 1.0)]
    assert charts.readable(points, ["a", "b", "c"], width=100, height=100) == ["a", "b", "c"]


def test_one_point_has_a_name() -> None:
    assert charts.readable([(2.0, 3.0)], ["only"], width=100, height=100) == ["only"]


@pytest.mark.parametrize(
    ("text", "written"),
    [
        ("a*b*", r"a\*b\*"),
        ("[x](y)", r"\[x\]\(y\)"),
        (":red[x]", r"\:red\[x\]"),
        ("$x$", r"\$x\$"),
        ("dog", "dog"),
    ],
)
def test_markdown_signs_are_escaped(text: str, written: str) -> None:
    assert plain(text) == written


@given(st.text(st.characters(exclude_characters="\\")))
def test_escaping_adds_nothing_but_backslashes(text: str) -> None:
    assert plain(text).replace("\\", "") == text


def test_bars_keep_order_and_length() -> None:
    picture = charts.bars(["b", "a"], [0.2, 0.9], x_title="cosine", colour="#000000", limits=(0, 1))
    assert list(picture.data[0].x) == [0.2, 0.9]
    assert [name.strip() for name in picture.data[0].y] == ["b", "a"]
    assert picture.layout.xaxis.title.text == "cosine"
    assert picture.layout.xaxis.range == (0, 1)


def test_grouped_bars_have_a_series_each_and_gaps() -> None:
    picture = charts.grouped_bars(
        ["one", "two"],
        {"x": [1.0, None], "y": [2.0, 3.0]},
        x_title="n",
        colours={"x": "#111111", "y": "#222222"},
    )
    assert [trace.name for trace in picture.data] == ["x", "y"]
    assert picture.data[0].x == (1.0, None)

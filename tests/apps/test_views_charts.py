"""What pages share: escaping, messages for wrong input, and names that do not cover each other."""

from __future__ import annotations

from typing import Any
from urllib.parse import unquote

import numpy as np
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
    assert list(picture.data[0]["x"]) == [0.2, 0.9]
    assert [name.strip() for name in picture.data[0]["y"]] == ["b", "a"]
    assert picture.layout["xaxis"]["title"]["text"] == "cosine"
    assert picture.layout["xaxis"]["range"] == (0, 1)


def test_grouped_bars_have_a_series_each_and_gaps() -> None:
    picture = charts.grouped_bars(
        ["one", "two"],
        {"x": [1.0, None], "y": [2.0, 3.0]},
        x_title="n",
        colours={"x": "#111111", "y": "#222222"},
    )
    assert [trace["name"] for trace in picture.data] == ["x", "y"]
    assert picture.data[0]["x"] == [1.0, None]
    first, second = (trace["marker"]["pattern"]["shape"] for trace in picture.data)
    assert first == "" != second


def test_lines_differ_in_more_than_their_colour() -> None:
    looks = charts.line_looks([str(at) for at in range(24)])
    assert len(set(looks.values())) == 24
    assert len({dash for _, dash in list(looks.values())[:6]}) == 6


def struck(picture: charts.Picture, monkeypatch: pytest.MonkeyPatch) -> list[dict[str, Any]]:
    """What is laid over a picture when it is shown."""
    monkeypatch.setattr(charts.st, "plotly_chart", lambda said, **_: said.to_dict())
    charts.show(picture, "key", "A matrix")
    return picture.layout.get("images", [])


@pytest.mark.parametrize("reversed_rows", [False, True])
def test_a_line_goes_through_negative_cells(reversed_rows: bool, monkeypatch: pytest.MonkeyPatch) -> None:
    picture = charts.figure()
    values = np.array([[-1.0, -0.5, 1.0, -0.01], [0.5, 0.0, 0.2, -0.3]])
    charts.add_heatmap(picture, values, x=[3, 4, 5, 6], y=["a", "b"])
    if reversed_rows:
        picture.update_yaxes(autorange="reversed")
    (image,) = struck(picture, monkeypatch)
    rows = (0, 1) if reversed_rows else (1, 0)
    lines = sorted((f"M0.1 {rows[0]}.5H1.9", f"M3.1 {rows[1]}.5H3.9"), key=lambda one: one[6:8])
    assert all(line in unquote(image["source"]) for line in lines) and image["source"].count("H") == 2
    place = [image[name] for name in ("x", "y", "sizex", "sizey")]
    assert place == [2.5, -0.5 if reversed_rows else 1.5, 4, 2]
    assert picture.data[0]["colorbar"]["title"]["text"] == "line: < 0"


@pytest.mark.parametrize("looks", [{"zmin": 0}, {"texttemplate": "%{z:.2f}"}])
def test_no_line_where_nothing_is_negative_or_the_number_stands_there(
    looks: dict, monkeypatch: pytest.MonkeyPatch
) -> None:
    picture = charts.figure()
    charts.add_heatmap(picture, np.array([[-1.0, 1.0]]), **looks)
    assert not struck(picture, monkeypatch)


def test_a_map_says_which_words_are_near() -> None:
    picture = charts.figure()
    words = ["dog", "cat", "red", "blue"]
    charts.add_words(picture, [(0, 0), (1, 0), (9, 9), (9, 7)], words, size=(500, 500))
    assert charts.told(picture, "Map").splitlines() == [
        "Map",
        "dog is nearest to cat; cat is nearest to dog; red is nearest to blue; blue is nearest to red",
    ]


def test_a_later_word_about_a_picture_counts_and_keeps_the_others() -> None:
    picture, font = charts.figure(x_title="n"), {"size": 9}
    picture.update_layout(yaxis2={"domain": [0, 1]}, font=font)
    picture.update_xaxes(title={"font": font}, dtick=1)
    picture.update_yaxes(showgrid=False)
    picture.update_xaxes(title={"font": {"size": 7}})
    assert font == {"size": 9} and picture.layout["font"]["size"] == 9
    title = picture.layout["xaxis"]["title"]
    assert (title["text"], title["font"]["size"], picture.layout["xaxis"]["dtick"]) == ("n", 7, 1)
    assert picture.layout["yaxis"]["title"]["font"]["size"] == 13
    assert not picture.layout["yaxis"]["showgrid"] and not picture.layout["yaxis2"]["showgrid"]


def test_lines_from_side_to_side_lie_at_their_number() -> None:
    picture = charts.figure()
    picture.add_hline(50, line={"width": 1})
    picture.add_vline(3, line={"width": 1})
    across, up = picture.to_dict()["layout"]["shapes"]
    assert (across["y0"], across["y1"], across["xref"]) == (50, 50, "x domain")
    assert (up["x0"], up["x1"], up["yref"]) == (3, 3, "y domain")


def test_a_word_that_plotly_does_not_know_is_found_by_tests() -> None:
    picture = charts.figure()
    picture.add_scatter(x=[1], y=[1], line_shape="hv")
    with pytest.raises(AssertionError, match="line_shape"):
        picture.to_dict()
    picture = charts.figure()
    picture.add_scatter(x=[1], y=[1], mode="no such mode")
    with pytest.raises(ValueError, match="mode"):
        picture.to_dict()

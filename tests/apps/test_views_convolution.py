"""The page "Convolution bench", started from the router."""

from __future__ import annotations

import json
import re
from functools import partial

import numpy as np
import pytest
import streamlit as st
from streamlit.testing.v1 import AppTest

from apps.convolution.examples import EXPRESSIONS, SIGNALS, SIZES, STACKS
from apps.convolution.kinds import KINDS
from apps.convolution.page_digit import linked_position
from apps.convolution.page_drawings import Box
from apps.lecture.topics import topics
from tests.apps.pages import SECTIONS, components, html, messages, open_page, press

KEY = "convolution"
page = partial(open_page, KEY)

pytestmark = pytest.mark.usefixtures("shipped")


def texts(app: AppTest) -> str:
    parts = [*app.markdown, *app.caption, *app.code]
    return "\n".join(part.value for part in parts)


def metrics(app: AppTest) -> dict[str, str]:
    return {metric.label: metric.value for metric in app.metric}


def player(app: AppTest) -> dict:
    (found,) = components(app)
    return json.loads(found.proto.json)


@pytest.mark.parametrize("section", SECTIONS[KEY])
def test_every_section_is_reachable_by_a_link(section: str) -> None:
    app = page(section=section)
    assert not app.exception
    assert not app.error
    assert app.title[0].value == "Convolution bench"
    assert any(expander.label == "As Keras" for expander in app.expander)


def test_the_slide_s_signal_is_shown_with_every_sum() -> None:
    app = page(section="Signal")
    assert "`z1[4] = (-1)·0 + 1·1 = 1`" in texts(app)
    assert "z2[4] = 1·1 + 0·0 + 0·0 + (-1)·(-1) = 2" in texts(app)
    assert "z4[4] = max(0, 1) = 1" in texts(app)


@pytest.mark.parametrize("example", SIGNALS.values(), ids=SIGNALS)
def test_examples_of_signals_fill_the_boxes(example) -> None:
    app = press(page(section="Signal"), example.title)
    assert not app.exception
    assert not app.error
    assert app.text_area(key="layers").value == example.values["layers"]
    assert [info.value for info in app.info] == [example.about]


def test_a_link_sets_signal_layers_and_position() -> None:
    app = page(section="Signal", x="1 2 3 4", layers="correlate 1 1; max", layer="1", at="2")
    assert not app.error
    assert "`z1[2] = 1·3 + 1·4 = 7`" in texts(app)


def test_layers_can_be_added_by_buttons() -> None:
    app = press(page(section="Signal"), "+ global max")
    assert app.text_area(key="layers").value.endswith("relu\nmax")
    assert not app.error


@pytest.mark.parametrize(
    ("query", "message"),
    [
        ({"x": "1 2", "layers": "correlate 1 2 3"}, "The filter spans 3, the padded input 2"),
        ({"layers": "correlate 1 stride 0"}, "The stride is out of range"),
        ({"layers": "correlate 1 zero -1"}, "The padding is out of range"),
        ({"x": "one"}, "is not a number"),
        ({"x": ""}, "The signal is empty"),
    ],
)
def test_wrong_signals_are_one_message(query: dict[str, str], message: str) -> None:
    app = page(section="Signal", **query)
    assert not app.exception
    assert len(messages(app)) == 1
    assert message in messages(app)[0]


def test_a_signal_without_layers_waits() -> None:
    app = page(section="Signal")
    app.text_area(key="layers").set_value("").run()
    assert not app.exception
    assert not app.error
    assert "No layer yet" in texts(app)


@pytest.mark.parametrize("task", ["Localise", "Detect"])
def test_the_learned_detector_stands_beside_the_hand_made_one(task: str) -> None:
    app = page(section="Learned", task=task)
    assert not app.exception
    assert not app.error
    assert metrics(app)["learned, held-out signals all right"] == "100.0 %"
    (kernels,) = [c for c in app.get("plotly_chart") if c.proto.id.endswith("-kernels")]
    traces = json.loads(kernels.proto.spec)["data"]
    assert [trace["name"] for trace in traces] == ["learned", "hand-made"]
    assert traces[1]["x"][:6] == [-1, 1, 1, 0, 0, -1]


def test_the_kernels_on_the_way_are_reachable() -> None:
    app = page(section="Learned", after="0")
    assert not app.exception
    assert any(header.value == "Kernels after 0 steps" for header in app.subheader)


@pytest.mark.parametrize("title", KINDS.values())
def test_every_kind_is_drawn_and_summed(title: str) -> None:
    app = page(section="Kinds", kind=title)
    assert not app.exception
    assert not app.error
    assert "`output[0, 0, 0] = " in texts(app)
    assert sum(f"{name} " in html.proto.body for html in app.get("html") for name in ("input", "output"))


def test_a_full_convolution_of_two_modes_has_a_filter_of_two() -> None:
    app = page(section="Kinds", kind=KINDS["full"], input="4x4")
    assert not app.exception and not app.error
    assert "`output[0, 0] = " in texts(app)


@pytest.mark.parametrize(
    ("query", "message"),
    [
        ({"filter": "5x5"}, "size zero"),
        ({"step": "0"}, "stride does not fit. Allowed: greater than or equal to 1. Received: 0"),
        ({"input": "9999999x9999999x3"}, "out of range"),
        ({"input": "999999x999999x3"}, "The input does not fit"),
    ],
)
def test_wrong_kinds_are_one_message(query: dict[str, str], message: str) -> None:
    app = page(section="Kinds", **query)
    assert not app.exception
    assert len(messages(app)) == 1
    assert message in messages(app)[0]


def test_the_digit_walks_with_a_hand_made_kernel_where_no_preset_is() -> None:
    app = page(section="Digit", position="7", zeros="1", hop="2")
    assert not app.exception
    assert not app.error
    data = player(app)
    assert (data["at"], data["before"], data["stride"]) == (7, 1, 2)
    assert np.array(data["image"]).shape == (28, 28)
    assert np.array(data["output"]).shape == (13, 13)
    assert "made by hand" in texts(app)


@pytest.mark.parametrize(("position", "at"), [("99999", 575), ("-1", 300), ("x" * 900, 300), ("٣", 300)])
def test_hostile_positions_are_ignored(position: str, at: int) -> None:
    app = page(section="Digit", position=position)
    assert not app.exception
    assert player(app)["at"] == at


def test_a_position_outside_the_page_is_the_default(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(st, "query_params", {"position": "12"})
    assert linked_position("position", 5) == 12
    assert linked_position("other", 5) == 5


def test_wrong_settings_of_the_digit_are_one_message() -> None:
    app = page(section="Digit", hop="0")
    assert not app.exception
    assert len(messages(app)) == 1
    assert "stride does not fit. Allowed: greater than or equal to 1. Received: 0" in messages(app)[0]


@pytest.mark.parametrize(
    ("key", "output"),
    [("valid", "3×3×2"), ("pad", "3×3×3"), ("stride", "2×2×2")],
)
def test_the_lecture_s_questions_are_buttons(key: str, output: str) -> None:
    app = press(page(section="Sizes"), SIZES[key].title)
    assert not app.exception
    assert app.metric[0].value == output


def test_the_lecture_s_stack_has_208_parameters_in_its_first_layer() -> None:
    app = page(section="Sizes")
    table = app.dataframe[0].value
    assert table["parameters"][0] == 208
    assert table["output"][0] == "24×24×8"
    assert metrics(app)["parameters"] == "5,994"


@pytest.mark.parametrize("example", STACKS.values(), ids=STACKS)
def test_examples_of_stacks_fill_the_boxes(example) -> None:
    app = press(page(section="Sizes"), example.title)
    assert not app.exception
    assert not app.error
    assert app.text_area(key="stack").value == example.values["stack"]


def test_wrong_sizes_are_a_message_each() -> None:
    app = page(section="Sizes", n="4x4", k="5x5", stack="magic")
    assert not app.exception
    assert len(messages(app)) == 2
    assert "size zero" in messages(app)[0]
    assert "Layer 1" in messages(app)[1]


def test_a_very_long_tensor_is_no_taller_than_a_window() -> None:
    app = page(section="Sizes", stack_input="16000x1", stack="conv 9x8")
    assert not app.exception and not app.error
    assert max(float(height) for height in re.findall(r'height="(\d+)" style', html(app))) < 500


@pytest.mark.parametrize("example", EXPRESSIONS.values(), ids=EXPRESSIONS)
def test_examples_of_einstein_fill_the_boxes(example) -> None:
    app = press(page(section="Einstein", more="Derivative"), example.title)
    assert not app.exception
    assert not app.error
    assert app.text_input(key="e").value == example.values["e"]
    assert app.selectbox(key="by").value == example.values["by"]


def test_the_lecture_s_example_and_its_derivative() -> None:
    app = page(section="Einstein")
    assert "NumPy: `ij,j->i`" in texts(app)
    assert "**i** kept, size 2 · **j** summed, size 2" in texts(app)
    assert "y[i_] += a[i_, j_] * b[j_]" in texts(app)
    app.segmented_control(key="more").set_value("Derivative").run()
    assert "$dy_{i} = A_{i}{}^{j} db_{j}$" in texts(app)
    app.segmented_control(key="more").set_value("Batch").run()
    assert app.selectbox(key="batch").value == "b"
    assert not app.exception and not app.error


@pytest.mark.parametrize(
    ("query", "message"),
    [
        ({"e": "ij,j->k"}, "which no tensor has"),
        ({"e": "ij,j->i", "t_b": "(1, 2, 3)"}, "The index j has size 2 in a and size 3 in b"),
        ({"e": "a_i b_j c_k", **{f"t_{n}": "1000x1" for n in "abc"}}, "modes and 1 indices"),
        ({"e": "aB,cD,eF->acBDeF", **{f"t_{n}": "100x100" for n in "abc"}}, "would have 1,000,000,000,000"),
        ({"e": "a_i", "t_a": "((("}, "a bracket is missing"),
        ({"e": ""}, "The expression is empty"),
        ({"e": "1"}, "The expression has no tensor"),
    ],
)
def test_wrong_expressions_are_one_message(query: dict[str, str], message: str) -> None:
    app = page(section="Einstein", **query)
    assert not app.exception
    assert len(messages(app)) == 1
    assert message in messages(app)[0]


@pytest.mark.parametrize(
    "topic", [topic for topic in topics() if topic.page == "convolution"], ids=lambda topic: topic.title
)
def test_every_topic_of_the_lecture_opens_its_state(topic) -> None:
    app = page(**topic.query)
    assert not app.exception
    assert not app.error
    for name, value in topic.query.items():
        assert str(app.session_state[name]) == value


@pytest.mark.parametrize(
    ("sizes", "drawn"), [((), (1, 1, 1)), ((7,), (1, 7, 1)), ((4, 3), (4, 1, 3)), ((2, 3, 4, 5), (2, 12, 5))]
)
def test_tensors_of_any_number_of_modes_are_drawn_as_boxes(sizes: tuple, drawn: tuple) -> None:
    assert Box("t", sizes).drawn == drawn

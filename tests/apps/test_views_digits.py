"""The page "Digits", started from the router, with small networks of drawn weights."""

from __future__ import annotations

import io
import json
from functools import partial
from pathlib import Path

import numpy as np
import pytest
import streamlit as st
from PIL import Image
from streamlit.testing.v1 import AppTest

import apps.shared.canvas
from apps.digits.application import DEFAULT_PRESET, LECTURE_PRESET
from apps.digits.examples import examples
from apps.digits.page_source import SIZE, STORE
from apps.shared.drawn_pictures import from_base64, to_base64, to_link
from benchmarks import errors
from tests.apps.digit_presets import digits_of, save_digits
from tests.apps.pages import SECTIONS, chart, given, html, messages, open_page, shipping
from tests.as_used_results import as_used_results
from tests.robustness_results import store_robustness

KEY = "digits"
page = partial(open_page, KEY)

pytestmark = pytest.mark.usefixtures("shipped", "results")


def seven() -> np.ndarray:
    ink = np.zeros((SIZE, SIZE), np.uint8)
    ink[15:22, 20:60] = 255
    for row in range(22, 70):
        ink[row, 60 - row // 2 : 67 - row // 2] = 255
    return ink


def test_a_canvas_begins_with_a_training_image_that_the_first_stroke_replaces() -> None:
    app = page()
    assert not app.error
    assert given(app, "canvas")["example"]
    shown = from_base64(given(app, "canvas")["drawing"], SIZE, SIZE)
    assert shown.max() == 255 and not shown[:6].any()
    assert "drawing" not in app.query_params
    app.session_state[STORE] = np.zeros((SIZE, SIZE), np.uint8)  # as after Clear
    app.run()
    assert (
        not given(app, "canvas")["example"]
        and from_base64(given(app, "canvas")["drawing"], SIZE, SIZE).max() == 0
    )
    assert (given(app, "canvas")["width"], given(app, "canvas")["height"]) == (SIZE, SIZE)
    assert any("Nothing is drawn yet" in caption.value for caption in app.caption)
    assert sum(chart(app, "probabilities")["data"][0]["x"]) == pytest.approx(100)


def test_a_drawing_has_an_answer_its_steps_and_a_link() -> None:
    app = page()
    app.session_state[STORE] = seven()
    app.run()
    assert not app.exception and not app.error
    bars = chart(app, "probabilities")["data"][0]
    assert sum(bars["x"]) == pytest.approx(100)
    for step in ("gray", "ink", "box", "scaled", "centred"):
        assert f"<b>{step}</b>" in html(app)
    assert app.query_params["drawing"] in (to_link(seven()), [to_link(seven())])


def test_a_link_opens_with_its_drawing() -> None:
    app = page(drawing=to_link(seven()))
    np.testing.assert_array_equal(from_base64(given(app, "canvas")["drawing"], SIZE, SIZE), seven())
    assert given(app, "canvas")["version"] == 1
    assert chart(app, "probabilities")
    app.run()
    assert given(app, "canvas")["version"] == 1  # what the visitor draws from now on stays


@pytest.mark.parametrize("text", ["nonsense", "A" * 9_000, "é"], ids=["damaged", "long", "accent"])
def test_a_wrong_link_is_one_message_and_the_page_lives(text: str) -> None:
    app = page(drawing=text)
    assert ["drawing of the link" in message for message in messages(app)] == [True]
    app.session_state[STORE] = seven()
    app.run()
    assert not app.exception and not app.error
    assert chart(app, "probabilities")


@pytest.mark.parametrize(
    ("value", "message"),
    [
        (7, "damaged"),
        ("x" * 100, "damaged"),
        ("=" * len(to_base64(seven())), "damaged"),
        (["drawing"], "damaged"),
    ],
    ids=["number", "short", "pads", "list"],
)
def test_hostile_canvas_values_are_one_message(
    value: object, message: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    sent = [value]

    def hostile(*, key: str, on_drawing_change, **rest: object) -> None:
        if sent:
            st.session_state[key] = {"drawing": sent.pop()}
            on_drawing_change()

    monkeypatch.setattr(apps.shared.canvas, "_canvas", hostile)
    app = page()
    assert [message in found for found in messages(app)] == [True]
    assert any("Nothing is drawn yet" in caption.value for caption in app.caption)


def test_a_stroke_is_newer_than_the_address_that_came_with_it(monkeypatch: pytest.MonkeyPatch) -> None:
    # On a slow connection the browser sends a stroke before it has the address of the one before.
    strokes = [np.where(np.arange(SIZE)[:, None] < rows, seven(), 0).astype(np.uint8) for rows in (30, 70)]
    app = page()
    with monkeypatch.context() as patch:
        for ink in strokes:

            def drawn(*, key: str, on_drawing_change, **rest: object) -> None:
                st.session_state[key] = {"drawing": to_base64(ink)}  # noqa: B023
                on_drawing_change()

            patch.setattr(apps.shared.canvas, "_canvas", drawn)
            app.run().run()
        app.query_params["drawing"] = to_link(strokes[0])
        app.run()
    app.run()
    assert not app.exception and not app.error
    assert given(app, "canvas")["version"] == 0  # what is on the visitor's screen stays
    np.testing.assert_array_equal(from_base64(given(app, "canvas")["drawing"], SIZE, SIZE), strokes[1])
    assert app.query_params["drawing"] in (to_link(strokes[1]), [to_link(strokes[1])])


def test_a_canvas_full_of_ink_is_one_message_or_an_answer() -> None:
    app = page()
    app.session_state[STORE] = np.full((SIZE, SIZE), 255, np.uint8)
    app.run()
    assert not app.exception
    assert len(app.error) == 1


def upload(app: AppTest, content: bytes, name: str) -> AppTest:
    app.file_uploader(key="digit file").upload(name, content, "image/png")
    app.run()
    assert not app.exception
    return app


def test_uploads() -> None:
    app = page(source="Upload")
    assert any("Until there is one" in caption.value for caption in app.caption)
    written = io.BytesIO()
    Image.fromarray(255 - np.kron(seven(), np.ones((3, 3), np.uint8))).save(written, "PNG")
    upload(app, written.getvalue(), "seven.png")
    assert not app.error
    assert "dark ink on light paper" in html(app)
    assert chart(app, "probabilities")
    upload(app, b"%PDF-1.7 no picture", "digit.png")
    assert ["no PNG or JPEG" in message for message in messages(app)] == [True]
    blank = io.BytesIO()
    Image.new("L", (40, 40), 255).save(blank, "PNG")
    upload(app, blank.getvalue(), "**blank**.png")
    assert ["shows nothing" in message for message in messages(app)] == [True]


def test_layers_of_an_example() -> None:
    app = page(section="Layers", preset="digits_lecture", source="Example", digit="3", number="2")
    assert not app.error
    assert "8×5×5×1 + 8 = 208" in app.expander[0].label.replace("\\", "")
    assert "kernel, gradient: max" in html(app)
    assert not any("relu1" in one.label for one in app.expander)
    assert any("The image shows a 3" in item.value for item in app.markdown)
    app.toggle(key="all").set_value(True).run()
    assert any("relu1" in one.label for one in app.expander)
    app.pills(key="strips").set_value(["Weights"]).run()
    assert not app.exception
    assert "activations: max" not in html(app)
    app.selectbox(key="loss").set_value("8").run()
    assert any("The loss of “8”" in item.value for item in app.markdown)


def test_layers_at_a_saved_epoch() -> None:
    finished = page(section="Layers", preset="digits_lecture", source="Example")
    first = page(section="Layers", preset="digits_lecture", source="Example", epoch="0")
    assert first.select_slider(key="epoch").options == ["0", "1", "3", "finished"]
    assert html(first) != html(finished)


def test_reasons_for_an_example() -> None:
    app = page(section="Reasons", preset="digits_lecture", source="Example", digit="0", patch="9")
    assert not app.error
    for name in ("saliency", "occlusion"):
        assert np.shape(chart(app, name)["data"][0]["z"]) == (28, 28)
    assert html(app).count("training image") == 5
    app.selectbox(key="reasons").set_value("1").run()
    assert not app.exception
    assert any("Reasons for **1**" in item.value for item in app.markdown)


def test_errors_before_and_after_their_pictures_were_stored(tmp_path: Path) -> None:
    app = page(section="Errors")
    assert ["benchmarks.errors --task digits" in info.value for info in app.info] == [True]
    stored = {"presets": {DEFAULT_PRESET: errors.digits(DEFAULT_PRESET, examples().images)}}
    (tmp_path / "errors_digits.json").write_text(json.dumps(stored))
    app = page(section="Errors")
    assert not app.error
    assert html(app).count("<figure>") == 2
    assert html(app).index("image 1") < html(app).index("image 4")  # the more confident one first
    assert "source=Error&amp;error=1" in html(app)
    app = page(section="Errors", shows="9")
    assert html(app).count("<figure>") == 1
    app = page(section="Draw", source="Error", error="2")
    assert any("It is a 9." in caption.value for caption in app.caption)
    (tmp_path / "errors_digits.json").write_text("{}")
    app = page(section="Errors")
    assert ["errors_digits.json lack presets" in found for found in messages(app)] == [True]


def depth_results() -> dict:
    norms = {f"conv{at}": 0.5**at for at in range(20)}
    run = {
        "parameters": 9,
        "train_loss": [1.0, 0.5],
        "validation_accuracy": [97.0, 98.0],
        "gradient_norms": {"first": norms, "last": dict.fromkeys(norms, 0.1)},
    }
    settings = {"layers": 20, "images": 55_000, "processor": "one"}
    return {"settings": settings, "runs": {"resnet": run, "plain": run}}


def test_depth_and_benchmark_before_and_after_they_were_measured(tmp_path: Path) -> None:
    assert ["benchmarks.digits_depth" in info.value for info in page(section="Depth").info] == [True]
    app = page(section="Benchmark")
    said = [info.value for info in app.info]
    assert len(said) == 2 and "benchmarks.robustness" in said[0] and "benchmarks.as_used" in said[1]
    assert [app.metric[at].value for at in (0, 3)] == ["98.00", f"{digits_of('resnet').config.parameters:,}"]
    (tmp_path / "digits_depth.json").write_text(json.dumps(depth_results()))
    (tmp_path / "as_used.json").write_text(json.dumps(as_used_results()))
    store_robustness(tmp_path, DEFAULT_PRESET, LECTURE_PRESET)
    app = page(section="Depth")
    assert not app.info
    assert [trace["name"] for trace in chart(app, "depth loss")["data"]] == ["residual", "plain"]
    assert chart(app, "depth gradients")["data"][0]["y"][1] == 0.5
    assert any("**plain**: from 3.8e-06 to 1" in item.value for item in app.markdown)
    app = page(section="Depth", when="after training")
    assert chart(app, "depth gradients")["data"][0]["y"][1] == 0.1
    app = page(section="Benchmark")
    assert not app.info and "digits classified a second" in " ".join(app.dataframe[-1].value.iloc[:, 0])
    assert chart(app, f"robustness {DEFAULT_PRESET}")["data"][0]["x"] == [90.0, 80.0]
    for name, section in (("digits_depth", "Depth"), ("as_used", "Benchmark")):
        (tmp_path / f"{name}.json").write_text("{}")
        assert len(page(section=section).error) == 1


@pytest.mark.parametrize("section", SECTIONS[KEY])
def test_without_presets_the_page_lives(section: str, tmp_path: Path) -> None:
    with shipping(tmp_path):
        app = page(section=section)
    if section in ("Draw", "Layers", "Reasons"):
        assert not app.error and len(app.info) == 1
        assert "python -m apps digits fit" in app.info[0].value
    else:
        assert app.info


def test_a_damaged_preset_is_one_message(tmp_path: Path) -> None:
    folder = save_digits(tmp_path / DEFAULT_PRESET, "lecture")
    weights = next(path for path in folder.iterdir() if path.suffix == ".npz" and "golden" not in path.name)
    weights.write_bytes(weights.read_bytes()[:-50])
    with shipping(tmp_path):
        app = page()
    assert len(app.error) == 1


def test_a_wide_canvas_takes_a_word() -> None:
    def script() -> None:
        import numpy as np
        import streamlit as st

        from apps.shared.canvas import canvas

        if "word" not in st.session_state:
            word = np.zeros((84, 336), np.uint8)
            word[40, 10:300] = 255
            st.session_state["word"] = word
        look = {"pen": 5.0, "shown": 700, "store": "word"}
        ink = canvas(key="canvas", label="A word", width=336, height=84, **look)
        st.markdown(f"{ink.shape} {ink.sum()}")

    app = AppTest.from_function(script).run(timeout=60)
    assert not app.exception
    data = given(app, "canvas")
    assert (data["width"], data["height"], data["shown"]) == (336, 84, 700)
    assert from_base64(data["drawing"], 336, 84)[40].sum() == 290 * 255
    assert app.markdown[0].value == f"(84, 336) {290 * 255}"

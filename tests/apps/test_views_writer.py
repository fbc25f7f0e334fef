"""The page "Writing", started from the router, with a small writer of random weights."""

from __future__ import annotations

import json
import re
import shutil
from collections.abc import Iterator
from functools import partial
from pathlib import Path

import pytest
import streamlit as st
from streamlit.testing.v1 import AppTest

import apps.writer.sources
from apps.shared.colours import tint
from apps.shared.letters import shown
from apps.shared.style import DARK, LIGHT
from apps.writer.application import DEFAULT_PRESET, Writer
from apps.writer.page_unrolled import drawing
from apps.writer.reports import NETWORKS, TITLES
from apps.writer.results import Step
from apps.writer.sources import text_source
from data_prep.errors import InputError
from tests.apps.pages import SECTIONS, chart, components, given, messages, open_page, press, shipping
from tests.apps.writer_preset import save_writer
from tests.as_used_results import as_used_results
from tests.robustness_results import store_robustness

KEY = "writer"
page = partial(open_page, KEY)

pytestmark = pytest.mark.usefixtures("shipped", "results")


@pytest.fixture(autouse=True)
def known_text(writer_presets: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    text = Path((writer_presets / "text.path").read_text(encoding="utf-8"))
    monkeypatch.setattr(apps.writer.sources, "_known_source", lambda data: text_source([text]))


def write(app: AppTest, prompt: str, length: int = 80) -> AppTest:
    app.text_area(key="prompt").set_value(prompt)
    app.number_input(key="length").set_value(length)
    return press(app, "Write")


def text_of(app: AppTest, key: str = "written") -> str:
    return "".join(token[0] for token in given(app, key)["tokens"])


def test_it_opens_with_a_text_after_the_prompt_of_the_address() -> None:
    app = page(prompt="BEN:\n")
    assert not app.exception
    assert not app.error
    assert app.text_area(key="prompt").value == "BEN:\n"
    assert components(app)
    assert app.session_state["writing"].prompt == "BEN:\n"


def test_a_text_is_written_with_copies_and_the_next_letter() -> None:
    app = write(page(), "ANNA:\n")
    assert not app.exception
    assert not app.error
    assert text_of(app).startswith("ANNA:\n") and len(text_of(app)) == 6 + 80
    assert given(app, "written")["quiet"] == 6
    assert any("stand word for word in the training text" in item.value for item in app.markdown)
    bars = chart(app, "next letter")["data"]
    assert [trace["name"] for trace in bars] == ["the model", "drawn from"]
    assert len(bars[0]["x"]) == 8
    again = write(page(), "ANNA:\n")
    assert text_of(again) == text_of(app)


def test_a_letter_shows_its_alternatives_and_writing_goes_on_from_there() -> None:
    app = write(page(), "ANNA:\n")
    before = text_of(app)
    app.session_state["chosen letter"] = 6 + 10
    app.run()
    assert not app.exception
    names = chart(app, "next letter")["data"][0]["y"]
    assert sum("←" in name for name in names) == 1
    button = next(b for b in app.button if (b.key or "").startswith("go on ") and not b.disabled)
    button.click().run()
    assert not app.exception
    after = text_of(app)
    assert after[:16] == before[:16]
    assert after[16] != before[16]
    assert len(after) == 16 + 1 + 80


def test_an_example_forgets_the_letter_and_long_texts_go_on(monkeypatch: pytest.MonkeyPatch) -> None:
    app = write(page(), "ANNA:\n")
    app.session_state["chosen letter"] = 8
    app.run()
    app.button(key="take Juliet").click().run()
    assert not app.exception
    assert app.session_state["chosen letter"] is None
    app = write(page(), "ANNA:\n")
    app.session_state["chosen letter"] = 2  # within the prompt
    app.run()
    assert any("at letter 1," in item.value for item in app.markdown)
    monkeypatch.setattr("apps.writer.page_write.MAX_PROMPT", 40)
    monkeypatch.setattr("apps.writer.application.MAX_PROMPT", 40)
    app = write(page(), "ANNA:\n")
    assert not app.error
    next(b for b in app.button if (b.key or "").startswith("go on ")).click().run()
    assert not app.exception and not app.error
    assert len(text_of(app)) == 6 + 80 + 1 + 80


@pytest.mark.parametrize("kind", ["word", "piece"])
def test_a_writer_of_words_writes_and_has_no_letters_to_click(
    kind: str, writer_presets: Path, tmp_path: Path
) -> None:
    text = Path((writer_presets / "text.path").read_text(encoding="utf-8"))
    save_writer(tmp_path / DEFAULT_PRESET, text, kind)
    with shipping(tmp_path):
        app = write(page(), "The king", 12)
        assert not app.exception and not app.error
        assert text_of(app).startswith("The king") and not given(app, "written")["clicks"]
        assert chart(app, "next letter")
        assert not any((button.key or "").startswith("go on ") for button in app.button)


@pytest.mark.parametrize("pieces", [(), ("The ", "old ")], ids=["before the first character", "on the way"])
def test_who_stops_is_told_and_can_go_on(pieces: tuple[str, ...], monkeypatch: pytest.MonkeyPatch) -> None:
    def stopped(self: Writer, prompt: str, **settings: object) -> Iterator[str]:
        yield from pieces
        st.stop()  # as a click ends the run that writes

    app = page(temperature="0.5")
    with monkeypatch.context() as patch:
        patch.setattr(Writer, "stream", stopped)
        write(app, "BEN:\n")
    app.run()
    assert not app.exception and not app.error
    told = [*app.info, *app.caption]
    assert sum("Stopped" in item.value for item in told) == 1
    assert "Stop writing" not in [button.label for button in app.button]
    assert app.text_area(key="prompt").value == "BEN:\n"
    assert (app.number_input(key="length").value, app.slider(key="temperature").value) == (80, 0.5)
    assert chart(app, "next letter")
    press(app, "Go on writing")
    assert not app.exception and not app.error
    assert text_of(app).startswith("BEN:\n" + "".join(pieces)) and len(text_of(app)) == 5 + 80
    assert "Go on writing" not in [button.label for button in app.button]


@pytest.mark.parametrize(
    ("prompt", "message"), [("", "The prompt is empty"), ("naïve", "'ï' at 2"), ("€", "'€' at 0")]
)
def test_wrong_prompts_are_one_message_and_the_page_lives(prompt: str, message: str) -> None:
    app = write(page(), prompt)
    assert not app.exception
    assert [message in found for found in messages(app)] == [True]
    write(app, "BEN:")
    assert not app.error
    assert text_of(app).startswith("BEN:")


def test_unknown_characters_can_be_mapped_and_top_k_has_a_bound() -> None:
    app = page()
    app.checkbox(key="map").check()
    write(app, "naïve")
    assert not app.exception
    assert not app.error
    app.number_input(key="top_k").set_value(900)
    write(app, "BEN:")
    assert not app.exception
    assert ["top_k" in found for found in messages(app)] == [True]


def test_temperature_zero_and_a_stop_string() -> None:
    app = page()
    app.slider(key="temperature").set_value(0.0)
    app.text_input(key="stop").set_value("e")
    write(app, "ANNA:\n", 200)
    assert not app.exception
    written = text_of(app)[6:]
    assert len(written) == 200 or written.endswith("e")
    assert max(chart(app, "next letter")["data"][1]["x"]) == 100.0


def test_a_text_is_read_with_its_surprises() -> None:
    app = page(section="Read", text="The king <b>&</b> falls.")
    assert ["'<' at" in found for found in messages(app)] == [True]
    app.text_area(key="text").set_value("The king falls.")
    app = press(app, "Read")
    assert not app.exception
    assert not app.error
    assert text_of(app, "heat") == "The king falls."
    assert len(given(app, "heat")["notes"]) > 5
    assert [metric.label for metric in app.metric][:2] == ["bits a character", "nats a character"]
    app.session_state["read letter"] = 2
    app.run()
    assert any("“e”" in item.value for item in app.markdown)
    assert 5 <= len(chart(app, "alternatives")["data"][0]["x"]) <= 6


@pytest.mark.parametrize("text", ["", "\0", "naïve", "שלום"], ids=ascii)
def test_texts_that_cannot_be_read_are_one_message(text: str) -> None:
    app = page(section="Read")
    app.text_area(key="text").set_value(text)
    app = press(app, "Read")
    assert not app.exception
    assert len(app.error) == 1


def test_copied_passages_have_sources() -> None:
    app = page(section="Copies")
    assert not app.exception
    assert not app.error
    app.button(key="compare Training text").click().run()
    tokens = given(app, "compared")["tokens"]
    assert all(marked for *_, marked, _ in tokens)
    assert "characters copied" in given(app, "compared")["notes"][tokens[0][2]]
    assert app.dataframe[0].value["characters"].max() == len(tokens)
    assert len(chart(app, "matches")["data"]) == 3
    app.button(key="compare Shuffled").click().run()
    assert not any(marked for *_, marked, _ in given(app, "compared")["tokens"])


def test_the_quiz_asks_answers_and_counts() -> None:
    app = page(section="Quiz")
    assert not app.exception
    assert not app.error
    first = text_of(app, "passage")
    app.button(key="quiz training").click().run()
    assert app.button(key="quiz sample").disabled
    verdict = [item.proto.body for item in app.get("html") if "this is" in item.proto.body]
    assert len(verdict) == 1
    assert any("of 1 right" in caption.value for caption in app.caption)
    app.button(key="quiz next").click().run()
    assert not app.exception
    assert text_of(app, "passage") != first
    assert not app.button(key="quiz sample").disabled


def test_gates_of_the_units_that_follow_a_property() -> None:
    app = page(section="Gates", text="BEN:\nThe heart rises.\n\nANNA:\nNot so.\n")
    assert not app.exception
    assert not app.error
    picture = chart(app, "gates")["data"][0]
    assert len(picture["y"]) == 24  # two layers of 12 units
    assert len(picture["x"]) == len(text_of(app, "coloured")) == 37
    app.selectbox(key="follow").set_value("quote").run()
    assert not app.exception
    assert ["the same at every step" in found for found in messages(app)] == [True]


def test_how_far_back_a_prediction_learns() -> None:
    app = page(section="Gradients", text="BEN:\nThe heart rises.\n\nANNA:\nNot so.\n")
    assert not app.exception
    assert not app.error
    assert len(chart(app, "own gradients")["data"]) == 2
    assert "benchmarks.loss_ladder" in app.info[0].value


@pytest.mark.parametrize("section", ["Gates", "Gradients"])
def test_texts_without_gates_are_one_message(section: str) -> None:
    app = page(section=section, text="€")
    assert not app.exception
    assert ["'€' at 0" in found for found in messages(app)] == [True]


@pytest.mark.parametrize("section", ["Gates", "Read", "Write"])
def test_a_link_that_is_too_long_is_cut_and_says_so(section: str) -> None:
    app = page(section=section, text="a" * 10_001, prompt="a" * 10_001)
    assert not app.exception
    assert not app.error or section == "Gates"  # all letters alike: no unit can follow anything
    assert ["the box holds the first" in warning.value for warning in app.warning] == [True]


def test_the_unrolled_network() -> None:
    app = page(section="Unrolled", unrolled="ANNA:\\nT", write="5")
    assert not app.exception
    assert not app.error
    assert any("data:image/svg+xml" in item.proto.body for item in app.get("html"))
    assert any("of 6 targets" in caption.value for caption in app.caption)
    (said,) = [item.proto.body for item in app.get("html") if "The unrolled network" in item.proto.body]
    assert "Letters of the prompt: 7." in said and re.search(r"T → \S+ \d+ %", said)
    app = page(section="Unrolled", unrolled="")
    assert not app.exception
    assert ["The prompt is empty" in found for found in messages(app)] == [True]


def ladder_results() -> dict:
    rung = {"n": 100, "standard_error": 0.01, "parameters": 9, "seconds": 1.5, "units": None, "sample": "Ay."}
    settings = {"text": "a play", "prompt": "A:\n", "budget": 9, "train_characters": 900, "processor": "one"}
    return {
        "settings": {**settings, "recipe": {"epochs": 1}},
        "rungs": [
            {**rung, "name": name, "nats_per_character": 4.0 - at / 4} for at, name in enumerate(TITLES)
        ],
        "gradients": {cell: {"sums": [0.1, 0.5, 1.0], "hidden": [0.1, 0.5, 1.0]} for cell in NETWORKS},
    }


def test_the_ladder_before_and_after_it_was_measured(tmp_path: Path) -> None:
    app = page(section="Ladder")
    assert not app.exception
    assert app.metric[0].value == "3.0000"
    assert ["benchmarks." in info.value for info in app.info] == [True] * 3
    results = tmp_path / "loss_ladder.json"
    results.write_text(json.dumps(ladder_results()), encoding="utf-8")
    (tmp_path / "as_used.json").write_text(json.dumps(as_used_results()), encoding="utf-8")
    store_robustness(tmp_path, DEFAULT_PRESET)
    app = page(section="Ladder")
    assert not app.exception
    assert not app.info
    assert chart(app, "loss_ladder nats_per_character")["data"][0]["x"][0] == 4.0
    assert app.code[0].value == "A:\nAy."
    assert len(app.dataframe[0].value) == len(TITLES)
    assert list(app.dataframe[-1].value.iloc[3])[1:] == [20.0, 10.0, 40.0, 15.0]
    app = page(section="Gradients", text="BEN:")
    assert len(chart(app, "ladder gradients")["data"]) == 4
    results.write_text("{}", encoding="utf-8")
    app = page(section="Ladder")
    assert not app.exception
    assert ["loss_ladder.json lack" in found for found in messages(app)] == [True]


@pytest.mark.parametrize("section", ["Write", "Copies", "Quiz"])
def test_without_the_training_text_the_page_says_so(
    section: str, writer_presets: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def nowhere(data: object) -> None:
        raise InputError("The text is nowhere")

    monkeypatch.setattr(apps.writer.sources, "_known_source", nowhere)
    with shipping(writer_presets):
        app = page(section=section)
        if section == "Write":
            write(app, "BEN:")
            assert len(text_of(app)) == 84
    assert not app.exception
    assert not app.error
    assert ["The text is nowhere" in info.value for info in app.info] == [True]


@pytest.mark.parametrize("section", SECTIONS[KEY])
def test_without_or_with_a_damaged_preset_the_page_lives(
    section: str, writer_presets: Path, tmp_path: Path
) -> None:
    with shipping(tmp_path):
        app = page(section=section)
        assert not app.error
        said = "not part of this checkout" if section == "Ladder" else "python -m apps writer fit"
        assert said in app.info[0].value
    shutil.copytree(writer_presets / DEFAULT_PRESET, tmp_path / DEFAULT_PRESET)
    weights = tmp_path / DEFAULT_PRESET / "weights.npz"
    weights.write_bytes(weights.read_bytes()[:-1])
    with shipping(tmp_path):
        app = page(section=section)
    assert ["weights.npz" in found for found in messages(app)] == [True]


def test_a_drawing_escapes_what_it_shows() -> None:
    steps = [Step("<", True, "&", 0.1, "\n", 0.5), Step("&", False, ">", 0.2, ">", 0.2)]
    for colours in (LIGHT, DARK):
        svg = drawing(steps, colours)
        assert "&lt;" in svg and "<<" not in svg and ">&<" not in svg
        assert "↵" in svg


def test_tokens_can_be_seen() -> None:
    assert [shown(token) for token in (" ", "\n", "a", "\x07")] == ["␣ space", "↵ line end", "a", "\\x07"]
    assert tint("#102030", 0.0) == ""
    assert tint("#102030", 0.5) == "rgba(16,32,48,0.50)"
    assert tint("#102030", 7.0) == "rgba(16,32,48,1.00)"

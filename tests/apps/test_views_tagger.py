"""The page "Tagging", started from the router, with a tagger of made sentences."""

from __future__ import annotations

import json
import shutil
from functools import partial
from pathlib import Path

import pytest
from streamlit.testing.v1 import AppTest

from apps.shared.style import DARK, LIGHT
from apps.tagger.application import DEFAULT_PRESET, SEGMENTER_PRESET
from apps.tagger.ribbons import ribbon_colour, ribbons
from tests.apps.pages import chart, html, messages, open_page, press, shipping
from tests.robustness_results import store_robustness

KEY = "tagger"
page = partial(open_page, KEY)

pytestmark = pytest.mark.usefixtures("shipped", "results")


def drawn(app: AppTest) -> str:
    """The HTML of the ribbons."""
    (found,) = [item.proto.body for item in app.get("html") if 'class="ribbons"' in item.proto.body]
    return found


def tag(app: AppTest, text: str) -> AppTest:
    app.text_area(key="text").set_value(text)
    return press(app, "Tag the text")


def test_it_opens_with_ribbons_a_legend_and_downloads() -> None:
    app = page()
    assert not app.exception
    assert not app.error
    assert drawn(app).count('class="word') > 20
    assert any('class="tags"' in item.proto.body for item in app.get("html"))
    labels = [item.proto.label for item in app.get("download_button")]
    assert labels == ["Download CoNLL-U", "Download CSV"]


def test_a_text_is_tagged_with_alternatives_and_nothing_is_markup() -> None:
    app = tag(page(), "Anna  walks <b>&amp; .")
    assert not app.exception
    body = drawn(app)
    assert '<bdi class="form">Anna</bdi>' in body
    assert "&lt;b&gt;&amp;amp;" in body and "<b>&amp;" not in body
    assert body.count('role="tooltip"') == 4
    assert body.count('class="row"') == 4 * 4
    assert "</span>  <span" in body  # both spaces between the words are there
    assert any("1 sentence, 4 words" in caption.value for caption in app.caption)


def test_examples_and_links_fill_the_box() -> None:
    app = page()
    app.button(key="take Buffalo").click().run()
    assert "Buffalo</bdi>" in drawn(app)
    assert "Zürich</bdi>" in drawn(page(text="Zürich sees Anna"))


def test_long_texts_have_pages() -> None:
    app = tag(page(), "\n\n".join(["Anna walks ."] * 95))
    assert not app.exception
    assert drawn(app).count('class="sentence"') == 40


@pytest.mark.parametrize(("text", "message"), [(" ", "The text is empty"), ("\n", "The text is empty")])
def test_a_text_without_words_is_one_message_and_the_page_lives(text: str, message: str) -> None:
    app = tag(page(), text)
    assert not app.exception
    assert [message in error.value for error in app.error] == [True]
    tag(app, "Anna walks .")
    assert not app.error


@pytest.mark.parametrize(
    "text", ["x" * 15_000, "שלום עולם", "\U0001f468\u200d\U0001f469 e\u0301", "a\0b"], ids=ascii
)
def test_odd_texts_are_drawn(text: str) -> None:
    app = tag(page(), text)
    assert not app.exception
    assert not app.error
    assert 'dir="auto"' in drawn(app)


def test_a_file_is_tagged_and_a_wrong_one_refused() -> None:
    app = page()
    uploader = app.get("file_uploader")[0]
    uploader.upload("mine.txt", b"Omar finds the river .", "text/plain").run()
    assert not app.exception
    assert "Omar</bdi>" in drawn(app)
    app.get("file_uploader")[0].upload("mine.txt", b"caf\xe9", "text/plain").run()
    assert not app.exception
    assert [r"is not UTF" in error.value.replace("\\", "") for error in app.error] == [True]


def test_the_networks_view_of_a_sentence() -> None:
    app = page(section="Network", sentence="Anna sees the zebra .")
    assert not app.exception
    assert not app.error
    probabilities = chart(app, "probabilities")["data"][0]
    assert len(probabilities["x"]) == 5 and probabilities["x"][3].startswith("4. zebra*")
    assert chart(app, "layer characters")["data"][0]["x"] == probabilities["x"]
    layers = {"vectors": "Word vectors", "trained": "Trained vectors", "forward1": "→ 1", "backward1": "← 1"}
    for layer, title in layers.items():
        app = page(section="Network", layer=title)
        assert not app.exception
        assert chart(app, f"layer {layer}")["data"][0]["z"]


@pytest.mark.parametrize(
    ("sentence", "message"), [(" ", "The text is empty"), ("a " * 61, "too long to draw")]
)
def test_wrong_sentences_for_the_view(sentence: str, message: str) -> None:
    app = page(section="Network", sentence=sentence)
    assert not app.exception
    assert [message in error.value for error in app.error] == [True]


def test_errors_open_sentences() -> None:
    app = page(section="Errors")
    assert not app.exception
    assert not app.error
    squares = chart(app, "confusion matrix")["data"][0]
    gold, found = squares["y"][0], squares["x"][0]
    assert gold != found
    (alt,) = [item.proto.alt for item in app.get("plotly_chart")]
    assert f"Most often: {gold}>{found} " in alt
    app = page(section="Errors", shows=gold, answered=found)
    assert not app.error and 1 <= html(app).count("<blockquote") <= 6  # as many as the preset keeps
    assert f"{gold} answered as <b" in html(app) and "/tagger?section=Text&amp;preset=" in html(app)


def test_transitions_or_why_there_are_none() -> None:
    app = page(section="Transitions")
    assert not app.exception
    assert "ends in a softmax" in app.info[0].value
    picture = chart(app, "transitions")["data"][0]
    assert picture["y"][0] == "sentence start" and picture["x"][-1] == "sentence end"
    assert len(app.dataframe) == 2


def test_calibration_and_scores() -> None:
    app = page(section="Calibration")
    assert not app.exception
    assert not app.error
    bars = next(trace for trace in chart(app, "reliability")["data"] if trace["type"] == "bar")
    assert all(0 <= value <= 1 for value in bars["y"])
    assert "upos" not in app.dataframe[0].value.columns
    assert len(app.dataframe[0].value) == 8


def test_benchmarks_before_and_after_they_ran(tmp_path: Path) -> None:
    app = page(section="Benchmark")
    assert not app.exception
    assert ["benchmarks." in info.value for info in app.info] == [True] * 3
    one = {"upos_accuracy": 95.0, "training_seconds": 60.0}
    beside = {"settings": {"threads": 1, "processor": "one"}, "systems": {"lectern": one, "spacy": one}}
    (tmp_path / "tagger_peers.json").write_text(json.dumps(beside))
    cell = {"share": 1.0, "sentences": 125, "mean": 80.0, "deviation": 1.0, "unknown_mean": 60.0, "seeds": 3}
    cells = [{"embedding": name, **cell} for name in ("random", "frozen", "fine_tuned")]
    (tmp_path / "embedding_transfer_tags.json").write_text(json.dumps({"cells": cells}))
    store_robustness(tmp_path, DEFAULT_PRESET)
    app = page(section="Benchmark")
    assert not app.exception
    assert not app.info
    assert chart(app, "tagger_peers upos_accuracy")["data"][0]["x"] == [95.0, 95.0]
    assert len(chart(app, "embedding_transfer_tags mean")["data"]) == 3
    (tmp_path / "tagger_peers.json").write_text("{}")
    app = page(section="Benchmark")
    assert not app.exception
    assert ["tagger_peers.json lack systems" in message for message in messages(app)] == [True]


@pytest.mark.parametrize("section", ["Text", "Network", "Errors", "Transitions", "Calibration"])
def test_without_or_with_a_damaged_preset_the_page_lives(
    section: str, tagger_presets: Path, tmp_path: Path
) -> None:
    with shipping(tmp_path):
        app = page(section=section)
        assert not app.error and ["tagger fit --out" in info.value for info in app.info] == [True]
    for name in (DEFAULT_PRESET, SEGMENTER_PRESET):
        shutil.copytree(tagger_presets / name, tmp_path / name)
    weights = tmp_path / DEFAULT_PRESET / "weights.npz"
    weights.write_bytes(weights.read_bytes()[:-1])
    with shipping(tmp_path):
        app = page(section=section)
    assert ["weights.npz" in message for message in messages(app)] == [True]


def test_the_surer_the_more_opaque_in_both_themes(random_tagger) -> None:
    for dark in (False, True):
        opacities = [
            float(ribbon_colour("NOUN", probability, dark=dark).rstrip(")").rsplit(",", 1)[1])
            for probability in (0.3, 0.6, 1.0)
        ]
        assert opacities == sorted(opacities) and opacities[0] < opacities[2]
    sentences = random_tagger.tag("Dogs bark.").sentences
    assert LIGHT.text in ribbons(sentences, LIGHT) and DARK.text in ribbons(sentences, DARK)

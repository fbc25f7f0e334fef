"""The page "Reviews", started from the router, with small classifiers."""

from __future__ import annotations

import json
from functools import partial
from pathlib import Path

import pytest

from apps.lecture.topics import ROOT
from apps.reviews.application import DEFAULT_PRESET, TOPICS_PRESET, Reviews
from apps.reviews.page_text import EXAMPLES, fails_of
from tests.apps.pages import chart, given, messages, open_page, shipping
from tests.apps.reviews_presets import drawn, save_reviews
from tests.robustness_results import store_robustness

STORED = {"Networks": 1, "Embeddings": 2, "Benchmark": 4}  # sections to the tables that they show


KEY = "reviews"
page = partial(open_page, KEY)

pytestmark = pytest.mark.usefixtures("shipped", "results")


@pytest.mark.parametrize("way", ["Gradient", "Leaving it out"])
def test_a_text_is_coloured_and_the_verdict_runs_to_its_end(way: str) -> None:
    text = "The <b>film</b>  was not bad, zzz!"
    app = page(text=text, way=way)
    assert not app.error
    pieces = given(app, "document")["tokens"]
    assert "".join(piece[0] for piece in pieces) == text + " EOS"
    marked = [piece[0] for piece in pieces if piece[3]]
    assert marked == ["<", "b", ">", "<", "/", "b", ">", "zzz"]
    assert all(piece[1] for piece in pieces if piece[0] == "bad")
    curve = chart(app, "running")["data"][0]
    assert len(curve["x"]) == len([piece for piece in pieces if piece[0].strip() or piece[3]])
    assert app.query_params["text"] in (text, [text])


def test_examples_fill_the_box_and_a_label_can_be_asked_for() -> None:
    app = page(label="neg")
    app.button(key="take One word").click().run()
    assert not app.exception
    assert [message for message in messages(app) if "known" in message]  # the tiny vocabulary lacks it
    app.text_area(key="text").set_value("a good film")
    next(button for button in app.button if button.label == "Read").click().run()
    assert not app.error
    assert any("Blue speaks for neg, red over dots for pos" in caption.value for caption in app.caption)


@pytest.mark.parametrize(("text", "message"), [(" ", "empty"), ("!?", "no word"), ("zzz", "is known")])
@pytest.mark.parametrize("section", ["Verdict", "Inside"])
def test_a_text_without_answer_is_one_message_and_the_page_lives(
    section: str, text: str, message: str
) -> None:
    app = page(section=section, text=text)
    assert [message in one for one in messages(app)] == [True]
    app.text_area(key="text").set_value("a good film")
    next(button for button in app.button if button.label == "Read").click().run()
    assert not app.exception and not app.error


def test_a_verdict_comes_with_a_doubt_also_of_a_preset_of_your_own(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    save_reviews(tmp_path / "mine")
    monkeypatch.setenv("LECTERN_PRESETS", str(tmp_path))
    app = page(text="a good film", preset="mine", way="Exact share")
    assert not app.error
    captions = [caption.value for caption in app.caption]
    assert any("verdict can be wrong" in text and "irony, negation" in text for text in captions)
    assert any(text.startswith("mine learned from: Made up") for text in captions)
    assert chart(app, "answer")["data"][0]["y"][1].strip() == "pos"


def test_more_than_two_labels_have_colours_and_cosines_of_their_own(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    save_reviews(tmp_path / "three", [drawn("mean", labels=3)], labels=("neg", "none", "pos"))
    monkeypatch.setenv("LECTERN_PRESETS", str(tmp_path))
    app = page(section="Labels", preset="three")
    assert not app.error
    cosines = chart(app, "label cosines")["data"][0]
    assert cosines["x"] == ["neg", "none", "pos"] and cosines["zmin"] == -1
    curves = chart(page(text="a good film", preset="three", way="Exact share"), "running")["data"]
    assert [curve["name"] for curve in curves] == ["neg", "none", "pos"]
    assert len({(curve["line"]["color"], curve["line"]["dash"]) for curve in curves}) == 3


def test_inside_are_attention_and_states_up_to_the_end() -> None:
    app = page(section="Inside", text="a good film")
    assert not app.error
    assert [piece[0] for piece in given(app, "attention")["tokens"]] == [
        "a",
        " ",
        "good",
        " ",
        "film",
        " EOS",
    ]
    assert chart(app, "states")["data"][0]["x"] == [1, 2, 3, 4]
    app = page(section="Inside", preset=TOPICS_PRESET)
    assert "have no state" in app.info[0].value


def test_labels_are_rows_with_their_words() -> None:
    app = page(section="Labels", preset=TOPICS_PRESET)
    assert not app.error
    assert {name.strip() for name in chart(app, "nearest pos")["data"][0]["y"][:4]} == {
        "good", "warm", "funny", "moving",
    }  # fmt: skip
    assert "vectors" in app.info[0].value
    app = page(section="Labels", network="2. attention")
    assert not app.error and "the network “attention” makes" in app.markdown[0].value


def test_the_first_example_is_read_rightly_and_failures_are_failures() -> None:
    reviews = Reviews.from_preset(ROOT / "models" / "presets" / DEFAULT_PRESET)
    rightly = dict(zip(EXAMPLES[DEFAULT_PRESET], ("pos", "neg", "neg", "pos"), strict=True))
    for name, text in EXAMPLES[DEFAULT_PRESET].items():
        assert reviews.classify(text).label == rightly[name]
    for one in fails_of(DEFAULT_PRESET).values():
        assert reviews.classify(one["text"]).label != one["meant"]


def test_a_failure_says_why_with_the_words_that_count(monkeypatch: pytest.MonkeyPatch) -> None:
    text = "a good film"
    wrong = {"Fails": {"text": text, "meant": "none of them", "why": "It cannot."}}
    monkeypatch.setitem(EXAMPLES["fails"], DEFAULT_PRESET, wrong)
    app = page(text=text)
    assert not app.error and "It cannot. Most for" in app.warning[0].value
    assert not page(text="a good, good film").warning


def test_a_file_gets_verdicts_and_bad_rows_are_named() -> None:
    app = page(section="File", column="review")
    assert app.info and len(app.dataframe[0].value) == len(EXAMPLES["lines"].splitlines())
    content = 'id,review\n1,"a good, warm film"\n2,zzz\n3,dull\n'
    app.file_uploader(key="csv file").upload("mine.csv", content.encode(), "text/csv").run()
    assert not app.exception and not app.error
    assert chart(app, "file")["data"][0]["x"] == [1, 1]
    assert "row 2" in app.warning[0].value and app.get("download_button")
    assert app.dataframe[0].value["verdict"].tolist() == ["pos", "–", "neg"]
    app = page(section="File", column="missing")
    app.file_uploader(key="csv file").upload("mine.csv", content.encode(), "text/csv").run()
    assert ["no column missing" in one for one in messages(app)] == [True]


def networks(folder: Path) -> None:
    one = {"text": "LSTM", "accuracy": 88.0, "standard_error": 0.2, "n": 25000, "validation": 88.5}
    one |= {"seconds": 600.0, "parameters": 1000, "left_out_share": 0.1}
    settings = {"learned": 22500, "duplicates": 123, "threads": 2, "processor": "one"}
    padding = {"batch_size": 64, "shuffled": 0.6, "bucketed": 0.05, "lengths": [10, 200, 30, 40]}
    found = {"settings": settings, "networks": {"lstm": one}, "published": {"x": 89.4}, "padding": padding}
    (folder / "reviews_networks.json").write_text(json.dumps(found))


def transfer(folder: Path) -> None:
    cells = [
        {"embedding": name, "share": share, "documents": 200, "sentences": 200, "mean": 80.0, "deviation": 1.0,
         "n": 5000, "seeds": 3, "unknown_mean": 70.0}
        for name in ("random", "frozen", "fine_tuned")
        for share in (1.0, 100.0)
    ]  # fmt: skip
    for task in ("reviews", "tags"):
        (folder / f"embedding_transfer_{task}.json").write_text(json.dumps({"cells": cells}))


def peers(folder: Path) -> None:
    one = {"accuracy": 93.0, "training_seconds": 60.0}
    found = {"settings": {"threads": 2, "processor": "one"}, "systems": {"lectern": one, "fasttext": one}}
    (folder / "reviews_peers.json").write_text(json.dumps(found))


def test_padding_of_lines_and_of_reviews(tmp_path: Path) -> None:
    app = page(section="Padding", lines="one two three\n\nx", batch="2")
    assert not app.error
    words, ends, masked = chart(app, "padding shuffled")["data"]
    assert sorted(words["x"]) == [1, 3] and ends["x"] == [1, 1] and sorted(masked["x"]) == [0, 2]
    assert "reviews_networks" in page(section="Padding", documents="IMDB").info[0].value
    networks(tmp_path)
    app = page(section="Padding", documents="IMDB", batch="2")
    assert not app.error and "60.0 % padding" in app.caption[-1].value
    app = page(section="Padding", lines=" ")
    assert ["no documents" in one for one in messages(app)] == [True]


def test_tables_before_and_after_they_were_measured(tmp_path: Path) -> None:
    for section, infos in STORED.items():
        app = page(section=section)
        assert len(app.info) == infos and not app.error and "--store" in app.info[0].value
    for write in (networks, transfer, peers):
        write(tmp_path)
    store_robustness(tmp_path, DEFAULT_PRESET)
    app = page(section="Networks")
    assert not app.info and chart(app, "reviews_networks accuracy")["data"][0]["x"] == [89.4, 88.0]
    app = page(section="Embeddings")
    assert not app.info and len(chart(app, "embedding_transfer_reviews mean")["data"]) == 3
    app = page(section="Benchmark")
    assert not app.info and len(chart(app, "reviews_peers accuracy")["data"][0]["x"]) == 2
    assert chart(app, f"robustness {DEFAULT_PRESET}")["data"][0]["x"] == [90.0, 80.0]
    assert app.dataframe[-2].value["templates"].tolist() == [20]
    assert app.dataframe[-1].value["right, %"].tolist() == [90.0]


@pytest.mark.parametrize(
    ("section", "name"),
    [
        ("Networks", "reviews_networks"),
        ("Embeddings", "embedding_transfer_reviews"),
        ("Benchmark", "reviews_peers"),
    ],
)
def test_damaged_results_are_one_message(section: str, name: str, tmp_path: Path) -> None:
    (tmp_path / f"{name}.json").write_text("{}")
    assert [f"{name}.json lack" in one for one in messages(page(section=section))] == [True]


@pytest.mark.parametrize("section", ["Verdict", "Labels", "File"])
def test_without_presets_the_page_lives(section: str, tmp_path: Path) -> None:
    with shipping(tmp_path):
        app = page(section=section)
    assert not app.error and "reviews fit" in app.info[0].value

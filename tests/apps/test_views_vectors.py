"""The page "Word vectors", started from the router: tiny presets for behaviour, the shipped ones once."""

from __future__ import annotations

import json
import shutil
from functools import partial
from pathlib import Path

import numpy as np
import pytest
from streamlit.testing.v1 import AppTest

from apps.lecture.topics import ROOT
from tests.apps.pages import chart, messages, open_page, press, shipping
from tests.apps.vectors_presets import OURS, PEER, save_tiny_vectors

CHOSEN = "dog cat horse wolf france paris spain madrid"


KEY = "vectors"
page = partial(open_page, KEY)

pytestmark = pytest.mark.usefixtures("shipped")


def bar_names(app: AppTest, key: str) -> list[str]:
    return [name.strip() for name in chart(app, key)["data"][0]["y"]]


def test_it_opens_with_madrid_ours_and_gensims() -> None:
    app = page()
    assert not app.exception
    assert not app.error
    assert bar_names(app, "answers ours")[0] == "madrid"
    assert bar_names(app, "answers peer")[0] == "madrid"


def test_shipped_presets_answer_madrid() -> None:
    shipped = ROOT / "models" / "presets"
    if missing := [name for name in (OURS, PEER) if not (shipped / name).is_dir()]:
        pytest.skip(f"not shipped: {', '.join(missing)}")
    with shipping(shipped):
        app = page(q="paris - france + spain")
    assert not app.error
    assert bar_names(app, "answers ours")[0] == "madrid"
    assert bar_names(app, "answers peer")[0] == "madrid"


def test_a_form_answers_and_examples_fill_it() -> None:
    app = page()
    app.text_input(key="q").set_value("rome - italy + japan")
    press(app, "Answer")
    assert bar_names(app, "answers ours")[0] == "tokyo"
    app.button(key="ask paris - france + spain").click().run()
    assert app.text_input(key="q").value == "paris - france + spain"
    assert bar_names(app, "answers ours")[0] == "madrid"


def test_a_state_has_an_address() -> None:
    app = page(q="berlin - germany + italy", method="Multiply", n="3", expected="tokyo")
    assert app.text_input(key="q").value == "berlin - germany + italy"
    assert bar_names(app, "answers ours")[0] == "rome"
    assert len(bar_names(app, "answers ours")) == 3
    assert chart(app, "answers ours")["layout"]["xaxis"]["title"]["text"] == "3CosMul score"
    assert any("tokyo" in caption.value and "has rank" in caption.value for caption in app.caption)


def test_contributions_add_up_to_the_score() -> None:
    app = page()
    *terms, total = chart(app, "contributions")["data"]
    assert [term["name"] for term in terms] == ["+ paris", "− france", "+ spain"]
    scores = chart(app, "answers ours")["data"][0]["x"]
    np.testing.assert_allclose(np.sum([term["x"] for term in terms], axis=0), scores, rtol=1e-5)
    np.testing.assert_allclose(total["x"], scores, rtol=1e-5)


def test_no_parallelogram_without_three_words() -> None:
    app = page(q="paris + spain")
    assert not app.exception
    assert any("A parallelogram needs" in info.value for info in app.info)
    with pytest.raises(ValueError, match="not enough values"):
        chart(app, "parallelogram")


@pytest.mark.parametrize(
    ("query", "message"),
    [
        (" ", "The expression is empty"),
        ("paris - ", "nothing follows"),
        ("(paris)", "parentheses are not read"),
        ("pariss - france + spain", "Unknown word 'pariss'"),
        ("paris - paris", "cancel out"),
        ("<b>x</b> + [y](z)", "cannot be read"),
    ],
)
def test_wrong_expressions_are_one_message_and_the_page_lives(query: str, message: str) -> None:
    app = page(q=query)
    assert not app.exception
    assert len(app.error) == 1
    assert message in app.error[0].value.replace("\\", "")
    app.text_input(key="q").set_value("paris - france + spain")
    press(app, "Answer")
    assert not app.error
    assert bar_names(app, "answers ours")[0] == "madrid"


def test_close_spellings_are_offered() -> None:
    assert "paris" in page(q="pariss - france").error[0].value


def test_neighbours_similarity_and_odd_one_out() -> None:
    app = page(
        section="Neighbours", word="france", first="france", second="france", odd="paris rome madrid dog"
    )
    assert not app.exception
    assert not app.error
    assert len(bar_names(app, "neighbours ours")) == 10
    assert "france" not in bar_names(app, "neighbours ours")
    assert chart(app, "similarity")["data"][0]["x"] == pytest.approx([1.0, 1.0], abs=1e-5)
    assert bar_names(app, "odd one out")[-1] == "dog"


@pytest.mark.parametrize(
    ("query", "message"),
    [
        ({"word": "zebra"}, "Unknown word 'zebra'"),
        ({"second": "zebra"}, "Unknown word 'zebra'"),
        ({"odd": "dog cat"}, "Three different words or more"),
    ],
)
def test_wrong_words_among_neighbours(query: dict, message: str) -> None:
    app = page(section="Neighbours", **query)
    assert not app.exception
    assert [message in found for found in messages(app)] == [True]


@pytest.mark.parametrize("layout", ["PCA", "t-SNE"])
def test_map_shows_and_finds(layout: str) -> None:
    app = page(section="Map", chosen=CHOSEN.replace("dog", "Dog,"), layout=layout, find="Wolf")
    assert not app.exception
    assert not app.error
    picture = chart(app, "map")
    assert picture["data"][0]["customdata"] == CHOSEN.split()
    assert picture["layout"]["annotations"][0]["text"] == "<b>wolf</b>"
    assert picture["layout"]["xaxis"]["title"]["text"]
    assert picture["layout"]["yaxis"]["title"]["text"]
    assert picture["layout"]["dragmode"] == "pan"


def test_map_of_neighbours_and_of_frequent_words() -> None:
    around = page(section="Map", words="Around a word", centre="france", size="20")
    assert chart(around, "map")["data"][0]["customdata"][0] == "france"
    assert len(chart(around, "map")["data"][0]["customdata"]) == 20
    frequent = page(section="Map", words="Frequent", size="20")
    assert chart(frequent, "map")["data"][0]["customdata"][:2] == ["france", "paris"]


@pytest.mark.parametrize(
    ("query", "message"),
    [
        ({"chosen": "dog cat"}, "shows 4 to"),
        ({"chosen": "dog cat horse zebra"}, "Unknown word 'zebra'"),
        ({"words": "Around a word", "centre": "zebra"}, "Unknown word 'zebra'"),
    ],
)
def test_wrong_words_on_the_map(query: dict, message: str) -> None:
    app = page(section="Map", **query)
    assert not app.exception
    assert [message in found for found in messages(app)] == [True]


def test_a_word_that_is_not_on_the_map_is_said_so() -> None:
    app = page(section="Map", chosen="dog cat horse wolf", find="music")
    assert "is not among the 4 words" in app.warning[0].value


def test_objective_on_a_sentence() -> None:
    app = page(
        section="Objective", sentence="The dog and the <b>cat</b> played music.", mask="2. dog", window="2"
    )
    assert not app.exception
    assert not app.error
    (sentence,) = [html.proto.body for html in app.get("html") if "[???]" in html.proto.body]
    assert "[???] dog" in sentence
    assert "<b>cat" not in sentence
    assert "dog" in bar_names(app, "probabilities")
    assert any("same matrix" in info.value for info in app.info)
    assert chart(app, "step")["data"][0]["x"][0] > 0


@pytest.mark.parametrize(
    ("sentence", "message"),
    [
        (" ", "The sentence is empty"),
        ("dog", "too few words"),
        ("zebra yak gnu", "No word around the masked one"),
    ],
)
def test_wrong_sentences(sentence: str, message: str) -> None:
    app = page(section="Objective", sentence=sentence)
    assert not app.exception
    assert [message in found for found in messages(app)] == [True]


def test_scores_of_both_presets() -> None:
    app = page(section="Scores")
    assert not app.exception
    assert [trace["name"] for trace in chart(app, "sections")["data"]] == ["Lectern", "gensim"]
    assert len(app.metric) == 6
    assert len(app.dataframe) == 1


@pytest.mark.usefixtures("results")
def test_benchmark_before_and_after_it_ran(tmp_path: Path) -> None:
    app = page(section="Benchmark")
    assert "python -m benchmarks.word2vec_vs_gensim" in app.info[0].value
    curve = [
        {"seconds": 1.0, "analogies": 10.0, "loss": 3.0},
        {"seconds": 2.0, "analogies": 20.0, "loss": 2.0},
    ]
    settings = {"tokens": 1000, "epochs": 1, "threads": 2, "processor": "two cores"}
    side = {"words_per_second": 1e6, "analogies": 30.0, "wordsim353": 0.6, "curve": curve}
    (tmp_path / "word2vec_vs_gensim.json").write_text(
        json.dumps({"skipgram": {"ours": side, "gensim": side}, "settings": settings})
    )
    app = page(section="Benchmark")
    assert not app.exception
    assert [trace["x"] for trace in chart(app, "word2vec_vs_gensim words_per_second")["data"]] == [
        [1e6],
        [1e6],
    ]
    assert chart(app, "curve analogies")["data"][0]["y"] == [10.0, 20.0]
    (tmp_path / "word2vec_vs_gensim.json").write_text("no JSON")
    app = page(section="Benchmark")
    assert not app.exception
    assert len(app.error) == 1


def test_imported_vectors_were_not_trained_here(vectors_presets: Path, tmp_path: Path) -> None:
    shutil.copytree(vectors_presets / PEER, tmp_path / PEER)
    save_tiny_vectors(tmp_path, OURS, recipe={"imported_from": "a.txt", "storage": "float16"})
    with shipping(tmp_path):
        app = page(section="Scores")
    assert not app.exception and not app.error
    said = [caption.value for caption in app.caption if "questions answerable" in caption.value]
    assert ["Trained in" in one for one in said] == [False, True]


def test_without_gensims_preset_the_page_says_so(vectors_presets: Path, tmp_path: Path) -> None:
    shutil.copytree(vectors_presets / OURS, tmp_path / OURS)
    with shipping(tmp_path):
        app = page()
    assert not app.error
    assert any("No vectors of gensim" in info.value for info in app.info)
    assert bar_names(app, "answers ours")[0] == "madrid"


def test_without_or_with_a_damaged_preset_the_page_lives(vectors_presets: Path, tmp_path: Path) -> None:
    with shipping(tmp_path):
        app = page()
    assert not app.error
    assert ["python -m apps vectors fit" in info.value for info in app.info] == [True]
    shutil.copytree(vectors_presets / OURS, tmp_path / OURS)
    weights = tmp_path / OURS / "weights.npz"
    weights.write_bytes(weights.read_bytes()[:-1])
    with shipping(tmp_path):
        app = page()
    assert ["weights.npz" in message for message in messages(app)] == [True]

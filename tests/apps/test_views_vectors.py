"""The page "Word vectors", started from the router: tiny presets for behaviour, the shipped ones once."""

from __future__ import annotations

import json
import shutil
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pytest
import streamlit as st
from streamlit.testing.v1 import AppTest

import apps.shared.reports
from apps.shared.reports import preset_installed
from apps.vectors.evaluation import evaluate, metrics_of
from apps.vectors.preset import save_vectors_preset, vectors_content
from data_prep.text.embeddings import WordVectors
from models.presets.card import CardText

ENTRY = Path(__file__).resolve().parents[2] / "streamlit_app.py"
OURS, PEER = "vectors_en_wiki", "vectors_en_wiki_gensim"
PAIRS = {"france": "paris", "spain": "madrid", "italy": "rome", "germany": "berlin", "japan": "tokyo"}
OTHERS = (
    "dog cat horse wolf bear lion bird fish red green blue yellow monday tuesday friday sunday music coffee "
    "tea the a of and to in orchestra played symphony by german composer ludwig van beethoven king queen man "
    "woman"
)
CHOSEN = "dog cat horse wolf france paris spain madrid"


def tiny_vectors(seed: int) -> WordVectors:
    """Countries and capitals on a grid that analogies follow, other words anywhere; 24 dimensions."""
    random = np.random.default_rng(seed)
    country, capital = random.normal(size=(2, 24))
    words, rows = [], []
    for one, other in PAIRS.items():
        nation = random.normal(size=24)
        words += [one, other]
        rows += [nation + country, nation + capital]
    words += OTHERS.split()
    rows += list(random.normal(size=(len(OTHERS.split()), 24)))
    return WordVectors(words, np.array(rows, np.float32), np.arange(len(words), 0, -1))


@pytest.fixture(scope="module")
def presets(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder with both presets, small."""
    folder = tmp_path_factory.mktemp("presets")
    card = CardText("Tiny", "For tests.", "Made up.", "None.", "Tests.", "Everything else.")
    metadata = {"recipe": {}, "seed": 1, "data": {"made up": "none"}, "seconds": 61.0}
    for seed, name in enumerate((OURS, PEER), start=1):
        vectors = tiny_vectors(seed)
        content = vectors_content(vectors, card, "float16", metrics=metrics_of(evaluate(vectors)))
        save_vectors_preset(folder / name, content, metadata)
    return folder


@pytest.fixture
def tiny(presets: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    st.cache_resource.clear()
    st.cache_data.clear()
    monkeypatch.setattr("models.presets.search.PRESETS_DIR", presets)
    yield
    st.cache_resource.clear()
    st.cache_data.clear()


def page(**query: str) -> AppTest:
    app = AppTest.from_file(str(ENTRY), default_timeout=120)
    app.run()
    app.switch_page("apps/vectors/page.py")
    for name, value in query.items():
        app.query_params[name] = value
    return app.run()


def chart(app: AppTest, key: str) -> dict:
    """The figure that the page drew under this key."""
    (found,) = [item for item in app.get("plotly_chart") if item.proto.id.endswith(f"-{key}")]
    return json.loads(found.proto.spec)


def submit(app: AppTest, label: str) -> None:
    next(button for button in app.button if button.label == label).click().run()


def bar_names(app: AppTest, key: str) -> list[str]:
    return [name.strip() for name in chart(app, key)["data"][0]["y"]]


@pytest.mark.usefixtures("tiny")
def test_it_opens_with_madrid_ours_and_gensims() -> None:
    app = page()
    assert not app.exception
    assert not app.error
    assert bar_names(app, "answers ours")[0] == "madrid"
    assert bar_names(app, "answers peer")[0] == "madrid"


def test_shipped_presets_answer_madrid() -> None:
    missing = [name for name in (OURS, PEER) if not preset_installed(name)]
    if missing:
        pytest.skip(f"not shipped: {', '.join(missing)}")
    app = page(q="paris - france + spain")
    assert not app.exception
    assert not app.error
    assert bar_names(app, "answers ours")[0] == "madrid"
    assert bar_names(app, "answers peer")[0] == "madrid"


@pytest.mark.usefixtures("tiny")
def test_a_form_answers_and_examples_fill_it() -> None:
    app = page()
    app.text_input(key="q").set_value("rome - italy + japan")
    submit(app, "Answer")
    assert bar_names(app, "answers ours")[0] == "tokyo"
    app.button(key="ask paris - france + spain").click().run()
    assert app.text_input(key="q").value == "paris - france + spain"
    assert bar_names(app, "answers ours")[0] == "madrid"


@pytest.mark.usefixtures("tiny")
def test_a_state_has_an_address() -> None:
    app = page(q="berlin - germany + italy", method="Multiply", n="3", expected="tokyo")
    assert app.text_input(key="q").value == "berlin - germany + italy"
    assert bar_names(app, "answers ours")[0] == "rome"
    assert len(bar_names(app, "answers ours")) == 3
    assert chart(app, "answers ours")["layout"]["xaxis"]["title"]["text"] == "3CosMul score"
    assert any("tokyo" in caption.value and "has rank" in caption.value for caption in app.caption)


@pytest.mark.usefixtures("tiny")
def test_contributions_add_up_to_the_score() -> None:
    app = page()
    *terms, total = chart(app, "contributions")["data"]
    assert [term["name"] for term in terms] == ["+ paris", "− france", "+ spain"]
    scores = chart(app, "answers ours")["data"][0]["x"]
    np.testing.assert_allclose(np.sum([term["x"] for term in terms], axis=0), scores, rtol=1e-5)
    np.testing.assert_allclose(total["x"], scores, rtol=1e-5)


@pytest.mark.usefixtures("tiny")
def test_no_parallelogram_without_three_words() -> None:
    app = page(q="paris + spain")
    assert not app.exception
    assert any("A parallelogram needs" in info.value for info in app.info)
    with pytest.raises(ValueError, match="not enough values"):
        chart(app, "parallelogram")


@pytest.mark.usefixtures("tiny")
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
    submit(app, "Answer")
    assert not app.error
    assert bar_names(app, "answers ours")[0] == "madrid"


@pytest.mark.usefixtures("tiny")
def test_close_spellings_are_offered() -> None:
    assert "paris" in page(q="pariss - france").error[0].value


@pytest.mark.usefixtures("tiny")
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


@pytest.mark.usefixtures("tiny")
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
    assert [message in error.value.replace("\\", "") for error in app.error] == [True]


@pytest.mark.usefixtures("tiny")
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


@pytest.mark.usefixtures("tiny")
def test_map_of_neighbours_and_of_frequent_words() -> None:
    around = page(section="Map", words="Around a word", centre="france", size="20")
    assert chart(around, "map")["data"][0]["customdata"][0] == "france"
    assert len(chart(around, "map")["data"][0]["customdata"]) == 20
    frequent = page(section="Map", words="Frequent", size="20")
    assert chart(frequent, "map")["data"][0]["customdata"][:2] == ["france", "paris"]


@pytest.mark.usefixtures("tiny")
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
    assert [message in error.value.replace("\\", "") for error in app.error] == [True]


@pytest.mark.usefixtures("tiny")
def test_a_word_that_is_not_on_the_map_is_said_so() -> None:
    app = page(section="Map", chosen="dog cat horse wolf", find="music")
    assert "is not among the 4 words" in app.warning[0].value


@pytest.mark.usefixtures("tiny")
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


@pytest.mark.usefixtures("tiny")
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
    assert [message in error.value.replace("\\", "") for error in app.error] == [True]


@pytest.mark.usefixtures("tiny")
def test_scores_of_both_presets() -> None:
    app = page(section="Scores")
    assert not app.exception
    assert [trace["name"] for trace in chart(app, "sections")["data"]] == ["Lectern", "gensim"]
    assert len(app.metric) == 6
    assert len(app.dataframe) == 1


@pytest.mark.usefixtures("tiny")
def test_benchmark_before_and_after_it_ran(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setattr(apps.shared.reports, "RESULTS_DIR", tmp_path)
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


@pytest.mark.usefixtures("tiny")
def test_without_gensims_preset_the_page_says_so(
    presets: Path, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    shutil.copytree(presets / OURS, tmp_path / OURS)
    monkeypatch.setattr("models.presets.search.PRESETS_DIR", tmp_path)
    app = page()
    assert not app.exception
    assert not app.error
    assert any("not installed" in info.value for info in app.info)
    assert bar_names(app, "answers ours")[0] == "madrid"


@pytest.mark.usefixtures("tiny")
def test_without_or_with_a_damaged_preset_the_page_lives(
    presets: Path, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.setattr("models.presets.search.PRESETS_DIR", tmp_path)
    app = page()
    assert not app.exception
    assert len(app.error) == 1
    assert "python -m apps vectors fit" in app.info[0].value
    shutil.copytree(presets / OURS, tmp_path / OURS)
    weights = tmp_path / OURS / "weights.npz"
    weights.write_bytes(weights.read_bytes()[:-1])
    app = page()
    assert not app.exception
    assert [("weights.npz" in error.value.replace("\\", "")) for error in app.error] == [True]

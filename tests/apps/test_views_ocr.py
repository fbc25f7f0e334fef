"""The page "Reading", started from the router, with small readers of drawn weights."""

from __future__ import annotations

import io
import json
from collections.abc import Iterator
from functools import partial
from pathlib import Path

import numpy as np
import pytest
from PIL import Image
from streamlit.testing.v1 import AppTest

from apps.ocr.application import LETTERS_PRESET, WORDS_PRESET
from apps.ocr.page_source import HEIGHT, STORE, WIDTH
from apps.ocr.sources import scored_words, spell
from apps.shared.drawn_pictures import to_link
from apps.shared.errors import Error
from data_prep.datasets import DATA_DIR_VARIABLE
from tests.apps.ocr_presets import save_reader
from tests.apps.pages import SECTIONS, chart, html, messages, open_page, shipping
from tests.apps.stored_errors import store_errors
from tests.robustness_results import store_robustness

ERRORS = {"mean": 5.0, "deviation": 0.5}


KEY = "ocr"
GREEK = "*<αβγδ"
page = partial(open_page, KEY)

pytestmark = pytest.mark.usefixtures("shipped", "results")


@pytest.fixture(autouse=True, scope="module")
def without_the_set(tmp_path_factory: pytest.TempPathFactory) -> Iterator[None]:
    nowhere = tmp_path_factory.mktemp("nowhere")
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv(DATA_DIR_VARIABLE, str(nowhere))
        patch.setattr("data_prep.datasets._cache_dir", lambda: nowhere)
        scored_words.cache_clear()
        yield
        scored_words.cache_clear()


def drawing() -> np.ndarray:
    """Two bars and a dot, apart from one another, as a visitor draws them."""
    ink = np.zeros((HEIGHT, WIDTH), np.uint8)
    for left in (40, 80):
        ink[20:70, left : left + 6] = 255
    ink[60:68, 120:128] = 255
    return ink


def png(image: np.ndarray) -> bytes:
    written = io.BytesIO()
    Image.fromarray(image).save(written, "PNG")
    return written.getvalue()


def letter_file(letter: str) -> bytes:
    return png(255 - np.kron(spell(letter)[0], np.ones((8, 8), np.uint8)))


def said(app: AppTest) -> str:
    return " ".join(caption.value for caption in app.caption)


def test_a_composed_word_is_shown_before_and_after_context() -> None:
    app = page(word="Heat", hand="5")
    assert not app.error
    assert html(app).count("<figure") == 4 and html(app).count('class="row"') == 4 * 2 * 4
    assert html(app).count('class="changed"') == html(app).count(" → ")
    for key in ("columns alone", "columns context"):
        shares = np.array(chart(app, key)["data"][0]["z"])
        assert shares.shape == (26, 4)
        np.testing.assert_allclose(shares.sum(axis=0), 100.0)
    assert len(app.dataframe[0].value) == 5
    assert "It says heat." in said(app)


@pytest.mark.parametrize(
    ("word", "message"), [("two words", "letters a-z"), ("é", "letters a-z"), (" ", "letters a-z")]
)
@pytest.mark.parametrize("section", ["Letters", "Words", "Noise"])
def test_a_word_outside_a_to_z_is_one_message_and_the_page_lives(
    section: str, word: str, message: str
) -> None:
    app = page(section=section, word=word)
    assert [message in one for one in messages(app)] == [True]
    app.text_input(key="word").set_value("fine").run()
    assert not app.exception and not app.error


def test_a_drawing_is_cut_into_letters_and_stands_in_the_address() -> None:
    app = page(source="Draw")
    assert not app.error and "<figure" not in html(app)
    app.session_state[STORE] = drawing()
    app.run()
    assert not app.exception and not app.error
    assert html(app).count("<figure") == 3
    link = to_link(drawing())
    assert app.query_params["drawing"] in (link, [link])
    again = page(source="Draw", drawing=link)
    assert html(again).count("<figure") == 3


def test_uploaded_letters_and_words() -> None:
    app = page(source="Upload")
    app.file_uploader(key="letter files").upload("t.png", letter_file("t"), "image/png").run()
    assert not app.exception and html(app).count("<figure") == 1
    app = page(section="Words", source="Upload")
    app.file_uploader(key="word file").upload("t.png", letter_file("t"), "image/png").run()
    assert not app.exception and not app.error
    assert chart(app, "path") and "<b>gray</b>" in html(app)


@pytest.mark.parametrize(("section", "key"), [("Letters", "letter files"), ("Words", "word file")])
@pytest.mark.parametrize(
    ("content", "message"),
    [
        (b"%PDF-1.7 no picture", "no PNG or JPEG, but a PDF"),
        (png(np.full((60, 90), 255, np.uint8)), "shows nothing"),
    ],
    ids=["no image", "blank"],
)
def test_a_wrong_upload_is_one_message(section: str, key: str, content: bytes, message: str) -> None:
    app = page(section=section, source="Upload")
    app.file_uploader(key=key).upload("mine.png", content, "image/png").run()
    assert not app.exception
    assert [message in one for one in messages(app)] == [True]


def test_the_path_of_a_word_over_its_image() -> None:
    app = page(section="Words", word="other")
    assert not app.error
    picture = chart(app, "path")
    image, frames, path = picture["data"]
    assert len(image["z"]) == 16 and len(frames["x"]) == len(path["x"]) == -(-len(image["z"][0]) // 2)
    assert frames["y"][-1] == "blank" and set(path["y"]) <= set(frames["y"])
    answer = "".join(one["label"]["text"].strip("<b>/") for one in picture["layout"].get("shapes", ()))
    assert f'aria-label="The answer">{answer or "–"}<' in html(app)


def test_the_transitions_are_a_square_of_letters() -> None:
    app = page(section="Transitions")
    picture = chart(app, "transitions")["data"][0]
    assert np.array(picture["z"]).shape == (26, 26)
    assert len(app.dataframe) == 2


def protocols(folder: Path) -> None:
    network = {
        "character_error": ERRORS,
        "word_error": {"mean": 9.0, "deviation": None},
        "n": 100,
        "splits": 2,
    }
    networks = {name: {"text": name, **network} for name in ("alone", "bilstm")}
    one = {"text": "ten folds", "splits": ["x", "y"], "seconds": 60.0, "networks": networks}
    one |= {"learned_letters": [900, 1000], "passes": 8}
    one["measured"] = {"threads": 2, "processor": "one"}
    found = {"protocols": {"a": one, "c": one}, "published": {"a": {"SVM": 28.6}}}
    (folder / "ocr_protocols.json").write_text(json.dumps(found))


def context(folder: Path) -> None:
    curve = {"character_error": [1.0, 2.0], "n": 50}
    found = {
        "settings": {"processor": "one"},
        "levels": [0.0, 0.1],
        "curves": {"alone": curve, "bilstm": curve, "words": curve},
    }
    (folder / "ocr_context.json").write_text(json.dumps(found))


def beside(folder: Path) -> None:
    one = {"character_error": 1.0, "word_error": 4.0}
    systems = {"bilstm": one, "search": one, "python-crfsuite": {**one, "training_seconds": 9.0}}
    found = {"settings": {"threads": 1, "processor": "one", "words": 617}, "systems": systems}
    (folder / "ocr_peers.json").write_text(json.dumps(found))


def test_seen_and_unseen_words_are_two_groups(tmp_path: Path) -> None:
    app = page(section="Unseen words")
    assert "ocr_protocols" in app.info[0].value
    protocols(tmp_path)
    app = page(section="Unseen words")
    assert not app.info and not app.error
    bars = chart(app, "seen and unseen")["data"]
    assert [bar["x"] for bar in bars] == [[5.0, 5.0]] * 2
    assert [name.strip() for name in bars[0]["y"]] == ["seen words", "unseen words"]
    assert len(app.dataframe) == 2 and "SVM (published)" in app.dataframe[0].value["network"].tolist()


def test_noise_turns_pixels_and_marks_the_curves(tmp_path: Path) -> None:
    app = page(section="Noise", noise="20", word="heat")
    assert "ocr_context" in app.info[0].value
    context(tmp_path)
    app = page(section="Noise", noise="20", word="heat")
    assert not app.info and not app.error
    picture = chart(app, "noise curves")
    assert len(picture["data"]) == 3 and picture["data"][0]["y"] == [1.0, 2.0]
    assert picture["layout"]["shapes"][0]["x0"] == 20
    clean = page(section="Noise", noise="0", word="heat")
    assert html(clean) != html(app)


def some_errors(folder: Path) -> None:
    more = {"length": 4, "kind": "Context is wrong"}
    store_errors(
        folder,
        KEY,
        LETTERS_PRESET,
        [
            Error("heat", "hate", 0.9, **more, more={"bank": "pen", "number": 2}),
            Error("heat", "beat", 0.8, **more, more={"bank": "set", "number": 0}),
            Error("other", "othen", 0.7, length=5, kind="Context helps", more={"bank": "pen", "number": 5}),
        ],
    )


def test_errors_without_the_set_are_those_of_the_pen_and_open_in_the_exhibit(tmp_path: Path) -> None:
    app = page(section="Errors")
    assert "benchmarks.errors --task ocr" in app.info[0].value
    some_errors(tmp_path)
    app = page(section="Errors")
    assert not app.info and not app.error
    assert html(app).count("<figure>") == 2 and "hate" in html(app) and "beat" not in html(app)
    assert "section=Letters&amp;letters=ocr_letters&amp;source=Error&amp;error=2" in html(app)
    app = page(section="Errors", kind="Context helps")
    assert html(app).count("<figure>") == 1 and "othen" in html(app)
    app = page(section="Letters", source="Error", error="2")
    assert not app.error and "It says other." in said(app)
    assert html(app).count("<figure") == 5


def test_the_benchmark_before_and_after_it_ran(tmp_path: Path) -> None:
    app = page(section="Benchmark")
    assert "--task ocr" in app.info[0].value
    beside(tmp_path)
    store_robustness(tmp_path, LETTERS_PRESET, WORDS_PRESET)
    app = page(section="Benchmark")
    assert not app.info and not app.error
    assert len(chart(app, "ocr_peers word_error")["data"][0]["x"]) == 3
    assert len(chart(app, "ocr_peers character_error")["data"][0]["x"]) == 3
    assert app.dataframe[0].value["character error, %"].tolist() == [1.5, 1.5]


@pytest.mark.parametrize(
    ("section", "name"),
    [
        ("Unseen words", "ocr_protocols"),
        ("Noise", "ocr_context"),
        ("Errors", "errors_ocr"),
        ("Benchmark", "ocr_peers"),
    ],
)
def test_damaged_results_are_one_message(section: str, name: str, tmp_path: Path) -> None:
    (tmp_path / f"{name}.json").write_text("{}")
    app = page(section=section)
    assert [f"{name}.json lack" in one for one in messages(app)] == [True]


@pytest.mark.parametrize("section", SECTIONS[KEY])
def test_without_presets_the_page_lives(section: str, tmp_path: Path) -> None:
    with shipping(tmp_path):
        app = page(section=section)
    infos = {"Unseen words": 1, "Benchmark": 4}
    assert not app.error
    assert len(app.info) == infos.get(section, 1)
    if section not in infos:
        reads = "words" if section == "Words" else "letters"
        assert f"python -m apps ocr fit --recipe {reads}" in app.info[0].value


def greek(folder: Path) -> None:
    """Presets of another alphabet beside the shipped ones, with the characters that HTML and Markdown read as signs."""
    save_reader(folder / LETTERS_PRESET, "letters")
    save_reader(folder / WORDS_PRESET, "words", seed=1)
    save_reader(folder / "greek_letters", "letters", alphabet=GREEK)
    save_reader(folder / "greek_words", "words", alphabet=GREEK)


@pytest.mark.parametrize("section", ["Letters", "Words", "Transitions", "Noise", "Errors"])
def test_a_preset_of_another_alphabet_is_shown_with_what_it_stores(section: str, tmp_path: Path) -> None:
    context(tmp_path)
    greek(tmp_path / "presets")
    reads = "words" if section == "Words" else "letters"
    with shipping(tmp_path / "presets"):
        some_errors(tmp_path)
        app = page(section=section, source="Compose", **{reads: f"greek_{reads}"})
        assert not app.error
        assert app.selectbox(key=reads).options == [f"ocr_{reads}", f"greek_{reads}"]
        app.selectbox(key=reads).set_value(f"ocr_{reads}").run()
        assert not app.exception and not app.error and not app.info
        app.selectbox(key=reads).set_value(f"greek_{reads}").run()
        assert not app.exception and not app.error
    if section == "Transitions":
        assert chart(app, "transitions")["data"][0]["x"] == list(GREEK)
        return
    assert "small letters a to z" not in said(app)
    if section == "Errors":
        assert "No errors of these weights" in app.info[0].value
        return
    assert "The letter bank writes a to z only" in said(app)
    key = "path" if section == "Words" else "columns context"
    names = chart(app, key)["data"][-2 if section == "Words" else 0]["y"]
    assert set(names) <= {*GREEK, "blank"} and html(app).count("<figure") == (0 if section == "Words" else 2)


def test_curves_of_noise_say_whose_they_are(tmp_path: Path) -> None:
    greek(tmp_path)
    with shipping(tmp_path):
        assert "The curves are those of" not in said(page(section="Noise"))
        assert "The curves are those of ocr_letters" in said(page(section="Noise", letters="greek_letters"))


def test_a_word_is_composed_in_every_language() -> None:
    app = page(section="Words", language="de", word="heat")
    assert not app.error and app.text_input(key="word").value == "heat"

"""Pages in another language: texts, the chooser, and the catalogue that has to be complete."""

from __future__ import annotations

import json
import re
from pathlib import Path

import pytest
from babel.messages.catalog import Catalog

from apps.course.catalogue import exercise
from apps.course.lessons import lessons
from apps.course.texts import texts_of
from apps.lecture.topics import PAGES
from apps.shared import language
from apps.shared.language import _, each_text, ngettext, translated
from benchmarks import translations
from data_prep.errors import InputError
from tests.apps.browsing import visit
from tests.apps.pages import EVERY_SECTION, forget, open_page

TEXTS = {
    "A kernel of {n} places": ["apps/a.py"],
    ("{n} word", "{n} words"): ["apps/b.py"],
    "$x$ is <x>": ["c.toml"],
}


def filled() -> Catalog:
    catalog = translations.updated(Catalog("de"), TEXTS, "de")
    said = {"A kernel of {n} places": "Ein Kern mit {n} Stellen", "{n} word": ["{n} Wort", "{n} Wörter"]}
    assert translations.taken_over(catalog, said | {"$x$ is <x>": "<x> ist $x$"}) == []
    return catalog


def test_without_a_page_texts_are_english() -> None:
    assert _("Course") == "Course"
    assert _("{n:,} words of {{x}}", n=1000) == "1,000 words of {x}"
    assert ngettext("{n} word of {of}", "{n} words of {of}", 2, of=3) == "2 words of 3"
    assert _("") == translated("", "de") == ""


def test_texts_of_toml_files_are_translated_where_they_are_no_data() -> None:
    found = each_text(
        {"key": "a", "text": "b", "steps": [{"key": "c", "title": "d"}], "n": 1}, str.upper, {"key"}
    )
    assert found == {"key": "a", "text": "B", "steps": [{"key": "c", "title": "D"}], "n": 1}


def test_a_catalogue_is_read_from_its_compiled_file(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "de.mo").write_bytes(translations.compiled(filled()))
    monkeypatch.setattr(language, "LOCALE", tmp_path)
    language._catalogue.cache_clear()
    monkeypatch.setattr(language._Asked, "language", staticmethod(lambda: "de"))
    try:
        assert _("A kernel of {n} places", n=3) == "Ein Kern mit 3 Stellen"
        assert [ngettext("{n} word", "{n} words", n) for n in (1, 2)] == ["1 Wort", "2 Wörter"]
        assert _("{n:,} of {all}", n=12345, all="a, b") == "12\u202f345 of a, b"
        assert _("What nobody has translated") == "What nobody has translated"
    finally:
        language._catalogue.cache_clear()


def test_files_are_the_same_whenever_they_are_written(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(translations, "LOCALE", tmp_path)
    (tmp_path / "de.po").write_bytes(translations.written(filled()))
    again = translations.updated(translations.read("de"), TEXTS, "de")
    assert translations.written(again) == (tmp_path / "de.po").read_bytes()
    assert translations.problems(again, TEXTS) == []


def test_a_changed_text_keeps_its_translation_as_fuzzy() -> None:
    texts = {("A kernel of {n} places." if "kernel" in key else key): files for key, files in TEXTS.items()}
    changed = translations.updated(filled(), texts, "de")
    assert translations.problems(changed, texts) == ["fuzzy: 'A kernel of {n} places.'"]
    assert b"Ein Kern" not in translations.compiled(changed)
    assert translations.taken_over(changed, {"A kernel of {n} places.": "Ein Kern mit {n} Stellen."}) == []
    assert translations.problems(changed, texts) == []


@pytest.mark.parametrize(
    ("text", "wrong"),
    [
        ("A kernel of {n} places", "Ein Kern mit {m} Stellen"),
        ("$x$ is <x>", "$y$ ist <x>"),
        ("$x$ is <x>", "$x$ ist <y>"),
        ("{n} word", ["ein Wort", "{n} Wörter"]),
        ("{n} word", "{n} Wörter"),
        ("A kernel", "Ein Kern"),
    ],
)
def test_translations_with_other_places_are_refused(text: str, wrong: str | list[str]) -> None:
    catalog = filled()
    (said,) = translations.taken_over(catalog, {text: wrong})
    assert repr(text) in said
    assert translations.problems(catalog, TEXTS) == []


def test_several_people_translate_at_once(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys) -> None:
    monkeypatch.setattr(translations, "LOCALE", tmp_path)
    monkeypatch.setattr(translations, "gathered", lambda: TEXTS)
    out = tmp_path / "out.json"
    assert translations.main(["--export", str(out), "--of", "a.py", "b.py"]) == 0
    assert json.loads(out.read_text()) == {"A kernel of {n} places": "", "{n} word": ["", ""]}
    out.write_text(json.dumps({"{n} word": ["{n} Wort", "{n} Wörter"]}))
    assert translations.main(["--import", str(out)]) == 0
    assert translations.main(["--export", str(out), "--todo"]) == 0
    assert list(json.loads(out.read_text())) == ["A kernel of {n} places", "$x$ is <x>"]
    assert translations.main(["--check"]) == 1
    assert capsys.readouterr().out.endswith("3 texts, 2 problems\n")


def test_every_text_has_a_german_translation() -> None:
    texts, catalog = translations.gathered(), translations.read("de")
    assert translations.problems(catalog, texts) == []
    assert (language.LOCALE / "de.mo").read_bytes() == translations.compiled(catalog)


def test_an_unknown_language_is_refused() -> None:
    with pytest.raises(InputError, match=r"no such language. Allowed: en, de. Received: .fr."):
        texts_of("answers", "fr")


def test_lessons_have_the_same_steps_and_answers_in_german() -> None:
    for key, lesson in lessons("de").items():
        english = lessons()[key]
        assert list(lesson.steps) == list(english.steps)
        for name, step in lesson.steps.items():
            assert step.exhibit == english.steps[name].exhibit
            assert str(step.question.right) == str(english.steps[name].question.right)


GROUPED = (
    "generation/compressed",
    "network/budget",
    "network/vanishing",
    "recurrent/steps-to-vanish",
    "tokens/table-size",
    "word2vec/fewer-products",
)


@pytest.mark.parametrize("name", GROUPED)
def test_thousands_are_apart_as_the_language_has_them(name: str) -> None:
    sheets = [exercise(name).sheet(seed, to) for seed in range(6) for to in ("en", "de")]
    english, german = (
        " ".join(" ".join((one.text, *one.hints, one.solution)) for one in sheets[at::2]) for at in (0, 1)
    )
    grouped = set(re.findall(r"\d{1,3}(?:,\d{3})+", english))
    assert grouped and not re.search(r"\d,\d{3}(?!\d)", german)
    assert {one.replace(",", "\u202f") for one in grouped} <= set(
        re.findall("\\d{1,3}(?:\u202f\\d{3})+", german)
    )


def test_a_visitor_chooses_a_language_and_keeps_it() -> None:
    app = open_page("course", language="de")
    assert app.session_state["language"] == "de"
    german, english = app.button(key="language de"), app.button(key="language en")
    assert german.disabled and not english.disabled
    english.click().run()
    assert app.query_params["language"] == "en"
    assert app.session_state["language"] == "en"
    assert not app.button(key="language de").disabled


def test_an_unknown_language_of_an_address_is_english() -> None:
    app = open_page("course", language="tlh")
    assert app.button(key="language en").disabled


@pytest.mark.slow
@pytest.mark.parametrize(("key", "section"), EVERY_SECTION, ids=lambda one: one)
def test_every_section_opens_in_german(key: str, section: str) -> None:
    forget()
    app = open_page(key, section=section, language="de")
    assert app.title[0].value == translated(PAGES[key].title, "de")
    assert not app.error
    kinds = ("caption", "header", "info", "markdown", "subheader", "success", "warning")
    shown = {one.value.strip() for kind in kinds for one in app.get(kind)}
    boxes = ("number_input", "selectbox", "slider", "text_area", "text_input")
    shown |= {one.label.strip() for kind in (*boxes, "button", "expander", "metric") for one in app.get(kind)}
    shown |= {column for table in app.dataframe for column in table.value.columns}
    left = {text for text in shown if translated(text, "de") != text}
    assert not left, "there is German for what is shown in English"


@pytest.mark.browser
def test_a_visitor_reads_german_chooses_english_and_keeps_it(page, server: str) -> None:
    from playwright.sync_api import expect

    visit(page, f"{server}/convolution?section=Kinds&language=de")
    expect(page.get_by_role("heading", name="Faltungen")).to_be_visible()
    expect(page.locator("html")).to_have_attribute("lang", "de")
    page.get_by_role("button", name="English").click()
    expect(page.get_by_role("heading", name="Convolution bench")).to_be_visible()
    expect(page.locator("html")).to_have_attribute("lang", "en")
    assert "section=Kinds" in page.url
    page.get_by_role("button", name="Deutsch").click()
    expect(page.get_by_role("heading", name="Faltungen")).to_be_visible()
    page.get_by_role("link", name="Ziffern").first.click()
    expect(page.get_by_role("heading", name="Ziffern")).to_be_visible()
    expect(page.locator("html")).to_have_attribute("lang", "de")

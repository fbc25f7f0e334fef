"""What results are in a notebook: HTML, data frames and dictionaries, of every application."""

from __future__ import annotations

import json
from html.parser import HTMLParser

import numpy as np
import pandas as pd
import pytest

from apps.digits.application import Digits
from apps.ocr.application import Reader
from apps.reviews.application import Reviews
from apps.shared.notebook import MOST_BARS, bars, tinted
from apps.shared.results import Result
from apps.tagger.application import Tagger
from apps.vectors.application import Vectors
from apps.vectors.results import Neighbour, OddOneOut, SectionScore
from apps.writer.application import Writer
from data_prep.images.pen_letters import pen_letters

MARKUP = "<b>Hi</b> & bye"


class Balanced(HTMLParser):
    """Counts what is open; an image or line break is closed at once."""

    def __init__(self) -> None:
        super().__init__()
        self.open: list[str] = []

    def handle_starttag(self, tag: str, attrs: object) -> None:
        if tag not in ("br", "img"):
            self.open.append(tag)

    def handle_endtag(self, tag: str) -> None:
        assert self.open.pop() == tag


def html_of(result: Result) -> str:
    drawn, parser = result._repr_html_(), Balanced()
    parser.feed(drawn)
    assert not parser.open
    json.dumps(result.to_dict())
    assert "<b>Hi" not in drawn
    return drawn


def test_a_tagged_text_is_drawn_on_ribbons() -> None:
    result = Tagger.from_preset().tag(f"Dogs bark. {MARKUP}")
    assert 'class="ribbons"' in html_of(result)
    assert 'class="ribbons"' in html_of(result.sentences[0])
    frame = result.to_pandas()
    assert frame["upos"].tolist()[:3] == ["NOUN", "VERB", "PUNCT"]
    assert frame["sentence"].tolist()[:4] == [1, 1, 1, 2]
    assert isinstance(result.sentences[0].to_pandas(), pd.DataFrame)


def test_probabilities_are_bars() -> None:
    results = {
        "pos": Reviews.from_preset().classify("A wonderful film, moving and funny."),
        "5": Digits.from_preset().classify(Digits.examples().images[0]),
        "madrid": Vectors.from_preset().analogy("paris - france + spain"),
        "dog": Vectors.from_preset().odd_one_out(["cat", "dog", "car"]),
        "1. a": Reader.from_preset("ocr_letters").read_letters(pen_letters(np.array([0]))),
    }
    for name, result in results.items():
        assert f'<span dir="auto">{name}</span>' in html_of(result)
        frame = result.to_pandas()
        assert frame.columns.tolist() == ["name", "value"]
        assert name in set(frame["name"])


def test_surprise_is_the_ground_of_a_text() -> None:
    writer = Writer.from_preset()
    result = writer.score("To be, or not to be: q!")
    drawn = html_of(result)
    assert drawn.count("<span title=") == len(result.text)
    assert "rgba(184,72,31" in drawn
    assert result.to_pandas()["text"].str.cat() == result.text
    assert html_of(writer.next_tokens("To b")).count('dir="auto"') == MOST_BARS


def test_of_many_bars_the_answer_is_one() -> None:
    labels = {f"topic{at}": 0.9 if at == 17 else 0.005 for at in range(20)}
    drawn = bars(labels)
    assert drawn.count("<span dir") == MOST_BARS and ">topic17<" in drawn
    odd = OddOneOut("car", tuple(Neighbour(name, share) for name, share in {**labels, "car": 0.001}.items()))
    assert ">car<" in html_of(odd)


@pytest.mark.parametrize("result", [SectionScore(1, 2, 3), SectionScore(0, 0, 0)])
def test_everything_else_is_a_table(result: Result) -> None:
    assert "<table" in html_of(result)
    assert result.to_pandas().loc[0, "correct"] == result.correct


def test_names_and_notes_are_no_markup() -> None:
    assert "<b>" not in bars({MARKUP: -0.5}) + tinted([(MARKUP, 0.5, MARKUP)])
    assert "50.0%" in bars({MARKUP: -0.5})

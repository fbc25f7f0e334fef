from __future__ import annotations

import numpy as np
import pytest

from data_prep.text.text_properties import PROPERTIES, inside_quote, inside_speaker_name, line_position

PLAY = "ROMEO:\nNight: O.\n\nFirst Citizen:\nHe said:\nno.\n"


def picked(text: str, inside: np.ndarray) -> str:
    return "".join(character if chosen else "·" for character, chosen in zip(text, inside, strict=True))


def test_names_stand_above_speeches_and_nowhere_else() -> None:
    marked = picked(PLAY, inside_speaker_name(PLAY))
    assert marked == "ROMEO:" + "·" * 12 + "First Citizen:" + "·" * 14


def test_positions_in_the_line_start_again_behind_its_end() -> None:
    assert line_position("ab\n\ncd").tolist() == [0, 1, 2, 0, 0, 1]
    assert line_position("a\n").tolist() == [0, 1]


@pytest.mark.parametrize(
    ("text", "quotes"),
    [
        ("He cries 'Death.' and goes", ["'Death.'"]),
        ("say 'Be good to Rome,' they", ["'Be good to Rome,'"]),
        ("'It's I, don't fear,' he said", ["'It's I, don't fear,'"]),
        ("'Tis he,' she said", []),
        ("We know't, 'tis the king's.", []),
        ('say "yes" or “no”', ['"yes"', "“no”"]),
        ("'Never ends\n\nROMEO:\nO.'", []),
    ],
)
def test_quotes_are_told_from_apostrophes(text: str, quotes: list[str]) -> None:
    expected = np.zeros(len(text), bool)
    for quote in quotes:
        start = text.index(quote)
        expected[start : start + len(quote)] = True
    assert picked(text, inside_quote(text)) == picked(text, expected)


@pytest.mark.parametrize("name", PROPERTIES)
@pytest.mark.parametrize("text", ["", "x", PLAY, "\n\n\n"])
def test_every_property_has_one_value_a_character(name: str, text: str) -> None:
    assert PROPERTIES[name](text).shape == (len(text),)

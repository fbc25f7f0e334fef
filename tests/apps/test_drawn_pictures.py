"""Drawings from browsers and links: what is right survives, what is hostile is one message."""

from __future__ import annotations

import base64
import tracemalloc
import zlib

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays

from apps.shared.drawn_pictures import (
    MOST_CHARACTERS,
    from_base64,
    from_canvas,
    from_link,
    to_base64,
    to_link,
)
from data_prep.errors import InputError


def drawing(width: int = 84, height: int = 84) -> np.ndarray:
    ink = np.zeros((height, width), np.uint8)
    ink[height // 4 : height // 2, width // 3 : width // 2] = 255
    ink[height // 2, :] = 17 * 5
    return ink


@given(arrays(np.uint8, (5, 7), elements=st.integers(0, 15).map(lambda step: 17 * step)))
def test_a_drawing_survives_its_link_and_its_canvas(ink: np.ndarray) -> None:
    np.testing.assert_array_equal(from_link(to_link(ink), 7, 5), ink)
    np.testing.assert_array_equal(from_canvas(to_base64(ink), 7, 5), ink)


def test_ink_has_sixteen_steps_and_other_pictures_are_exact() -> None:
    ink = np.arange(256, dtype=np.uint8).reshape(16, 16)
    found = from_canvas(to_base64(ink), 16, 16)
    assert set(np.unique(found).tolist()) == set(range(0, 256, 17))
    assert np.abs(found.astype(int) - ink).max() <= 8
    np.testing.assert_array_equal(from_base64(to_base64(ink), 16, 16), ink)


def test_links_are_short_enough_for_an_address() -> None:
    text = to_link(drawing())
    assert len(text) < 200
    assert text.replace("-", "").replace("_", "").isalnum()
    assert len(to_link(drawing(336, 84))) < 400


def right(width: int = 84, height: int = 84) -> str:
    return to_base64(drawing(width, height))


@pytest.mark.parametrize(
    "value",
    [
        None,
        7,
        [right()],
        "",
        right()[:-4],
        right() + "AAAA",
        "é" + right()[1:],
        "*" + right()[1:],
        "=" * len(right()),
        right()[:-4] + "====",
        "\0" * len(right()),
        right(42, 168 + 1),
    ],
    ids=[
        "nothing",
        "number",
        "list",
        "empty",
        "short",
        "long",
        "letter",
        "star",
        "pads",
        "pad",
        "zeros",
        "size",
    ],
)
def test_hostile_canvas_values_are_one_message(value: object) -> None:
    with pytest.raises(InputError, match="The drawing is damaged"):
        from_canvas(value, 84, 84)


@pytest.mark.parametrize(
    "text",
    [
        "",
        "A",
        "nonsense",
        "é",
        "A" * 50,
        to_link(drawing())[:-3],
        to_link(drawing(85, 84)),
        "****" + to_link(drawing()),
    ],
    ids=["empty", "letter", "word", "accent", "letters", "cut", "size", "stars"],
)
def test_damaged_links_are_one_message(text: str) -> None:
    with pytest.raises(InputError, match="The drawing of the link is damaged"):
        from_link(text, 84, 84)


def test_a_bomb_in_a_link_takes_no_memory() -> None:
    bomb = base64.urlsafe_b64encode(zlib.compress(b"\0" * 5_000_000, 9)).decode().rstrip("=")
    assert len(bomb) <= MOST_CHARACTERS
    tracemalloc.start()
    with pytest.raises(InputError, match="damaged"):
        from_link(bomb, 84, 84)
    peak = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    assert peak < 1_000_000
    with pytest.raises(InputError, match="too long"):
        from_link("A" * (MOST_CHARACTERS + 1), 84, 84)

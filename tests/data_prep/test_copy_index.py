from __future__ import annotations

import threading

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from data_prep.errors import InputError
from data_prep.text import copy_index
from data_prep.text.copy_index import CopyIndex


def naive(text: str, query: str) -> list[int]:
    """Longest match at each position by trying every length."""
    found = []
    for start in range(len(query)):
        length = 0
        while start + length < len(query) and query[start : start + length + 1] in text:
            length += 1
        found.append(length)
    return found


def check(text: str, query: str) -> None:
    lengths = CopyIndex(text).longest_at(query)
    assert lengths.dtype == np.int32
    assert lengths.tolist() == naive(text, query)


# Characters of one to four bytes that share their first bytes, a control character, and half a surrogate pair.
ALPHABETS = ("ab", "a\x01\x7f", "aéèĩ€₫\U0001f600\U0001f601", "a\ud800\udc00")


@settings(max_examples=150, deadline=None)
@given(st.data())
def test_matches_are_those_of_a_naive_search(data: st.DataObject) -> None:
    letters = data.draw(st.sampled_from(ALPHABETS))
    text = data.draw(st.text(letters, min_size=1, max_size=120))
    query = data.draw(st.text(letters + "z\0", max_size=40))
    for _ in range(data.draw(st.integers(0, 3))):  # passages of the text, beyond 16 bytes too
        start = data.draw(st.integers(0, len(text) - 1))
        query += text[start : data.draw(st.integers(start, len(text)))]
    check(text, query)


@pytest.mark.parametrize(
    ("text", "query"),
    [
        ("a" * 100, "a" * 60),
        ("a" * 60, "a" * 100),
        ("ab" * 50, "ba" * 50 + "b"),
        ("abcdefghijklmnopqrstuvwxyz" * 3, "klmnopqrstuvwxyzabcdefghijklmnop!defghijklmnopqrstuv"),
        ("x" * 15 + "y" * 17, "x" * 15 + "y" * 16 + "x" * 16),
        # A longer match begins inside a long one.
        ("0123456789abcdefghij....456789abcdefghijKLMNOP", "0123456789abcdefghijKLMNOP"),
        ("a", "b"),
        # The text ends with eight bytes that also stand before what comes first in order.
        ("abcdefghAAAAAAABabcdefgh", "abcdefghAAAAAAAA"),
    ],
)
def test_long_and_repeated_matches(text: str, query: str) -> None:
    check(text, query)


def test_an_empty_query_has_no_positions() -> None:
    assert CopyIndex("abc").longest_at("").shape == (0,)


def test_every_place_of_a_passage_is_found() -> None:
    index = CopyIndex("été, tété, été")
    assert index.places_of("été").tolist() == [0, 6, 11]
    assert index.places_of("é").tolist() == [0, 2, 6, 8, 11, 13]
    assert index.places_of("ète").tolist() == []


def test_threads_share_an_index() -> None:
    rng = np.random.default_rng(5)
    text = "".join(rng.choice(list("abcd"), 5000))
    index = CopyIndex(text)
    queries = ["".join(rng.choice(list("abcd"), 300)) + text[at : at + 90] for at in range(8)]
    expected = [index.longest_at(query).tolist() for query in queries]
    found: list[list[int] | None] = [None] * len(queries)

    def work(at: int) -> None:
        for _ in range(20):
            found[at] = index.longest_at(queries[at]).tolist()

    threads = [threading.Thread(target=work, args=(at,)) for at in range(len(queries))]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert found == expected


def test_a_text_that_is_too_long_is_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(copy_index, "MAX_CHARACTERS", 3)
    with pytest.raises(InputError, match="cannot be indexed"):
        CopyIndex("abcd")

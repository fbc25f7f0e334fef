from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from apps.vectors.expressions import MAX_LENGTH, MAX_TERMS, parse_expression
from data_prep.errors import InputError


@pytest.mark.parametrize(
    ("expression", "terms"),
    [
        ("paris", [("paris", 1)]),
        ("paris - france + spain", [("paris", 1), ("france", -1), ("spain", 1)]),
        ("paris-france+spain", [("paris", 1), ("france", -1), ("spain", 1)]),
        ("  paris\t-\nfrance  ", [("paris", 1), ("france", -1)]),
        ("2*king - 1.5 * man", [("king", 2), ("man", -1.5)]),
        (".5*a + 2.*b", [("a", 0.5), ("b", 2)]),
        ("-man + king", [("man", -1), ("king", 1)]),
        ("+man - 2 * king", [("man", 1), ("king", -2)]),
        ("paris \u2212 france \u2013 spain", [("paris", 1), ("france", -1), ("spain", -1)]),
        ("2\u00d7king", [("king", 2)]),
        ("king + king", [("king", 1), ("king", 1)]),
        ("1984 - 1983", [("1984", 1), ("1983", -1)]),
        ("don't + Élan + 東京", [("don't", 1), ("Élan", 1), ("東京", 1)]),
        ('"new-york" - "2*2 (x)" + 2*"a b"', [("new-york", 1), ("2*2 (x)", -1), ("a b", 2)]),
    ],
)
def test_expressions_are_read(expression: str, terms: list[tuple[str, float]]) -> None:
    assert list(parse_expression(expression)) == terms


@pytest.mark.parametrize(
    ("expression", "message"),
    [
        ("", "The expression is empty"),
        (" \n", "The expression is empty"),
        ("+", r"at character 1: nothing follows '\+'"),
        ("paris -", "at character 7: nothing follows '-'"),
        ("2*", r"at character 2: nothing follows '\*'"),
        ("paris france", "at character 7: there is no . or - between two words"),
        ("2 king", "at character 3: there is no . or - between two words"),
        ("king - - man", "at character 8: a word is expected instead of '-'"),
        ("king +- man", "at character 7: a word is expected instead of '-'"),
        ("2*-king", "at character 3: a word is expected instead of '-'"),
        ("*king", r"at character 1: a word is expected instead of '\*'"),
        ("2**king", r"at character 3: a word is expected instead of '\*'"),
        ("2*3*king", r"at character 4: there is no . or - between two words"),
        ("two*king", r"at character 1: only a number such as 2 or 1.5 stands before \*, not 'two'"),
        ("1,5*king", "only a number such as 2 or 1.5 stands before"),
        ("\u0662*king", "only a number such as 2 or 1.5 stands before"),
        ("0*king", "the weight 0 is not between 0.001 and 1000"),
        ("1001*king", "the weight 1001 is not between 0.001 and 1000"),
        ("9" * 400 + "*king", "is not between 0.001 and 1000"),
        ("(king - man)", "at character 1: parentheses are not read"),
        ("king - [man", "at character 8: parentheses are not read"),
        ('king - "man', "at character 8: a quote is not closed"),
        ('king - " "', "there is no word between the quotes"),
        ('king - ""', "there is no word between the quotes"),
        ("a" * (MAX_LENGTH + 1), "has 1001 characters. Allowed: at most 1000"),
        ("+".join(["a"] * (MAX_TERMS + 1)), "has 51 terms. Allowed: at most 50"),
    ],
)
def test_malformed_expressions_are_refused_with_the_place(expression: str, message: str) -> None:
    with pytest.raises(InputError, match=message):
        parse_expression(expression)


def test_the_longest_expressions_are_read() -> None:
    assert parse_expression("a" * MAX_LENGTH)[0].word == "a" * MAX_LENGTH
    assert len(parse_expression("+".join(["a"] * MAX_TERMS))) == MAX_TERMS


@given(st.text(max_size=50))
def test_any_text_is_read_or_refused(expression: str) -> None:
    try:
        terms = parse_expression(expression)
    except InputError:
        return
    assert terms and all(term.word and abs(term.weight) > 0 for term in terms)


WORDS = st.text(st.characters(categories=["L"]), min_size=1, max_size=8)
WEIGHTS = st.integers(1, 1_000_000).map(lambda thousandths: thousandths / 1000)


@given(st.lists(st.tuples(WORDS, WEIGHTS, st.booleans()), min_size=1, max_size=8))
def test_what_is_written_out_is_read_back(terms: list[tuple[str, float, bool]]) -> None:
    written = " ".join(f"{'+' if added else '-'} {weight:.3f}*{word}" for word, weight, added in terms)
    assert parse_expression(written) == tuple(
        (word, weight if added else -weight) for word, weight, added in terms
    )

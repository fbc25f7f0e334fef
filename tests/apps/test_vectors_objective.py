"""The training objective on one sentence, against direct formulas."""

from __future__ import annotations

import dataclasses

import numpy as np
import pytest

from apps.vectors.application import Vectors
from apps.vectors.objective import MAX_LENGTH, MaskedPrediction, masked_prediction, sentence_words
from data_prep.errors import InputError
from data_prep.text.embeddings import WordVectors

WORDS = ("the", "quick", "brown", "fox", "jumps", "over", "lazy", "dog", "cat")
SENTENCE = "The quick brown fox jumps over the lazy dog."


@pytest.fixture(scope="module")
def vectors() -> Vectors:
    return Vectors(WordVectors(WORDS, np.random.default_rng(5).normal(size=(9, 4)).astype(np.float32)))


def predict(vectors: Vectors, **changes: object) -> MaskedPrediction:
    arguments = {"sentence": SENTENCE, "masked": 3, "window": 2, "combination": "sum"} | changes
    return masked_prediction(vectors, **arguments)  # type: ignore[arg-type]


def test_words_are_those_of_the_sentence() -> None:
    assert sentence_words("Don't stop, “Zoë”!") == ["Don", "t", "stop", "Zoë"]


def test_roles_and_keys(vectors: Vectors) -> None:
    tokens = predict(vectors, sentence="The quick zebra fox jumps over", masked=3).tokens
    assert [token.role for token in tokens] == [
        "outside",
        "context",
        "unknown",
        "masked",
        "context",
        "context",
    ]
    assert [token.text for token in tokens] == ["The", "quick", "zebra", "fox", "jumps", "over"]
    assert [token.key for token in tokens] == ["the", "quick", None, "fox", "jumps", "over"]


@pytest.mark.parametrize("combination", ["sum", "mean"])
@pytest.mark.parametrize("unit_keys", [False, True])
def test_softmax_against_the_direct_formula(vectors: Vectors, combination: str, unit_keys: bool) -> None:
    table = vectors.word_vectors.vectors.astype(np.float64)
    context = np.stack([table[WORDS.index(word)] for word in ("quick", "brown", "jumps", "over")])
    query = context.sum(axis=0) if combination == "sum" else context.mean(axis=0)
    keys = table / np.linalg.norm(table, axis=1, keepdims=True) if unit_keys else table
    expected = np.exp(keys @ query) / np.exp(keys @ query).sum()

    result = predict(vectors, combination=combination, unit_keys=unit_keys)

    found = {candidate.word: candidate for candidate in result.candidates}
    np.testing.assert_allclose([found[word].probability for word in WORDS], expected, rtol=1e-5)
    assert sum(candidate.probability for candidate in result.candidates) == pytest.approx(1.0)
    ranked = [candidate.probability for candidate in result.candidates]
    assert ranked == sorted(ranked, reverse=True)
    assert result.query_norm == pytest.approx(np.linalg.norm(query))
    for candidate in result.candidates:
        assert candidate.dot == pytest.approx(candidate.norm * result.query_norm * candidate.cosine)


def test_loss_rank_and_baseline(vectors: Vectors) -> None:
    result = predict(vectors)
    order = [candidate.word for candidate in result.candidates]
    assert result.target is not None
    assert result.target_rank == order.index("fox") + 1
    assert result.loss == pytest.approx(-np.log(result.target.probability))
    assert result.uniform_loss == pytest.approx(np.log(9))


def test_step_is_the_gradient_of_the_loss_by_the_keys(vectors: Vectors) -> None:
    table = vectors.word_vectors.vectors.astype(np.float64)
    query = sum(table[WORDS.index(word)] for word in ("quick", "brown", "jumps", "over"))

    def loss(keys: np.ndarray) -> float:
        scores = keys @ query
        return float(np.log(np.exp(scores).sum()) - scores[WORDS.index("fox")])

    for candidate in predict(vectors).candidates:
        moved = table.copy()
        moved[WORDS.index(candidate.word)] += 1e-6 * query / (query @ query)
        slope = (loss(moved) - loss(table)) / 1e-6  # along the query, per unit of it
        assert candidate.step == pytest.approx(-slope, abs=1e-4)


def test_output_vectors_are_the_keys_where_they_are_given(vectors: Vectors) -> None:
    output = WordVectors(("cat", "fox"), np.eye(4, dtype=np.float32)[:2])
    result = predict(vectors, output=output)
    assert not result.tied
    assert {candidate.word for candidate in result.candidates} == {"cat", "fox"}
    assert predict(vectors, output=output, masked=4).target is None
    assert predict(vectors).tied


def test_the_masked_word_is_always_shown() -> None:
    words = list("abcdefghijklmnop")
    line = Vectors(WordVectors(words, np.arange(16, 0, -1, dtype=np.float32)[:, None]))
    result = predict(line, sentence="b c p", masked=2)
    assert [one.word for one in result.shown] == [*words[:12], "p"]
    assert len(predict(line, sentence="b c d", masked=0).shown) == 12


def test_unknown_masked_word_has_no_loss(vectors: Vectors) -> None:
    result = predict(vectors, sentence="the quick zebra jumps", masked=2)
    assert result.target is None
    assert result.loss is None
    assert result.target_rank is None
    assert result.candidates


def test_very_long_vectors_do_not_overflow() -> None:
    large = Vectors(WordVectors(WORDS, np.full((9, 4), 300.0, np.float32) * np.arange(1, 10)[:, None]))
    result = predict(large)
    assert np.isfinite([candidate.probability for candidate in result.candidates]).all()


def test_to_dict_holds_every_field(vectors: Vectors) -> None:
    result = predict(vectors)
    assert set(result.to_dict()) == {field.name for field in dataclasses.fields(result)}


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"sentence": "  "}, "The sentence is empty"),
        ({"sentence": "dog " * MAX_LENGTH}, f"at most {MAX_LENGTH}"),
        ({"sentence": "dog!"}, "too few words"),
        ({"masked": 99}, "Allowed: 0 to 8. Received: 99"),
        ({"masked": -1}, "Allowed: 0 to 8"),
        ({"combination": "max"}, "Allowed: mean, sum. Received: 'max'"),
        ({"sentence": "zebra dog yak", "masked": 1}, "No word around the masked one has a vector"),
    ],
)
def test_wrong_input_is_one_message(vectors: Vectors, changes: dict, message: str) -> None:
    with pytest.raises(InputError) as caught:
        predict(vectors, **changes)
    assert message in str(caught.value)

from __future__ import annotations

import math

import numpy as np
import pytest
from gensim.models import KeyedVectors
from hypothesis import given, settings
from hypothesis import strategies as st

from apps.vectors.application import Vectors
from data_prep.errors import InputError
from data_prep.text.embeddings import WordVectors
from tests.keyed_vectors import keyed_vectors

WORDS = [f"w{row}" for row in range(400)]
CLOSE = 1e-5


@pytest.fixture(scope="module")
def trained() -> KeyedVectors:
    """gensim's own vectors of 300 real news articles that gensim carries."""
    from gensim.models import Word2Vec
    from gensim.test.utils import datapath
    from gensim.utils import simple_preprocess

    with open(datapath("lee_background.cor"), encoding="utf-8") as lines:
        sentences = [simple_preprocess(line) for line in lines]
    return Word2Vec(sentences, vector_size=25, min_count=5, workers=1, seed=1, epochs=5).wv


@pytest.fixture(scope="module")
def random() -> KeyedVectors:
    vectors = (
        np.random.default_rng(0).normal(size=(len(WORDS), 12)) * np.linspace(0.1, 9, len(WORDS))[:, None]
    )
    return keyed_vectors(WordVectors(WORDS, vectors))


@pytest.fixture(params=["trained", "random"])
def gensim_vectors(request: pytest.FixtureRequest) -> KeyedVectors:
    return request.getfixturevalue(request.param)


@pytest.fixture(scope="module")
def capitals() -> Vectors:
    """Three countries and capitals in a parallelogram, and some other words."""
    keys = ["france", "paris", "spain", "madrid", "italy", "rome", "cat", "Dog"]
    rng = np.random.default_rng(1)
    countries, capital = rng.normal(size=(3, 8)), rng.normal(size=8)
    rows = [row + shift for row in countries for shift in (0, capital)]
    return Vectors(WordVectors(keys, np.concatenate([rows, rng.normal(size=(2, 8)) - capital])))


def assert_same_answers(ours, theirs: list[tuple[str, float]]) -> None:
    assert [result.word for result in ours] == [word for word, _ in theirs]
    # Multiplicative scores can be far above 1, where gensim's float32 holds seven digits: relative as well.
    np.testing.assert_allclose(
        [result.score for result in ours], [score for _, score in theirs], rtol=CLOSE, atol=CLOSE
    )


def test_neighbours_equal_gensims(gensim_vectors: KeyedVectors) -> None:
    vectors = Vectors(WordVectors.from_keyed_vectors(gensim_vectors))
    for word in gensim_vectors.index_to_key[:30]:
        assert_same_answers(vectors.neighbours(word, 15), gensim_vectors.similar_by_word(word, 15))
        vector = gensim_vectors[word] * 3 + 1
        assert_same_answers(vectors.neighbours(vector, 15), gensim_vectors.similar_by_vector(vector, 15))


@pytest.mark.parametrize("method", ["add", "multiply"])
def test_analogies_equal_gensims(gensim_vectors: KeyedVectors, method: str) -> None:
    vectors = Vectors(WordVectors.from_keyed_vectors(gensim_vectors))
    ask = gensim_vectors.most_similar if method == "add" else gensim_vectors.most_similar_cosmul
    rng = np.random.default_rng(2)
    for added, subtracted in [(1, 0), (2, 1), (2, 2), (3, 1), (1, 3)] * 10:
        words = [
            str(word) for word in rng.choice(gensim_vectors.index_to_key, added + subtracted, replace=False)
        ]
        positive, negative = words[:added], words[added:]
        expression = " + ".join(positive) + "".join(f" - {word}" for word in negative)
        result = vectors.analogy(expression, method=method, topn=12)
        assert_same_answers(result.results, ask(positive=positive, negative=negative, topn=12))


def test_weighted_analogies_equal_gensims(gensim_vectors: KeyedVectors) -> None:
    vectors = Vectors(WordVectors.from_keyed_vectors(gensim_vectors))
    first, second, third = gensim_vectors.index_to_key[5:8]
    theirs = gensim_vectors.most_similar([(first, 2.0), (third, 0.25)], [(second, -1.5)], topn=9)
    assert_same_answers(vectors.analogy(f"2*{first} - 1.5*{second} + .25*{third}", topn=9).results, theirs)


def test_similarity_and_odd_one_out_equal_gensims(gensim_vectors: KeyedVectors) -> None:
    vectors = Vectors(WordVectors.from_keyed_vectors(gensim_vectors))
    rng = np.random.default_rng(3)
    for _ in range(30):
        words = [str(word) for word in rng.choice(gensim_vectors.index_to_key, 5, replace=False)]
        assert vectors.similarity(*words[:2]) == pytest.approx(
            gensim_vectors.similarity(*words[:2]), abs=CLOSE
        )
        odd = vectors.odd_one_out(words)
        assert odd.word == gensim_vectors.doesnt_match(words)
        theirs = [(word, score) for score, word in gensim_vectors.rank_by_centrality(words)]
        assert_same_answers(odd.scores, theirs)


@settings(max_examples=40, deadline=None)
@given(
    indices=st.lists(st.integers(0, 399), min_size=1, max_size=4),
    signs=st.lists(st.booleans(), min_size=4, max_size=4),
    weights=st.lists(st.floats(0.1, 5), min_size=4, max_size=4),
    method=st.sampled_from(["add", "multiply"]),
)
def test_contributions_sum_to_the_score(random, indices, signs, weights, method) -> None:
    vectors = Vectors(WordVectors.from_keyed_vectors(random))
    expression = f"{weights[0]:.3f}*w{indices[0]}"  # at least one word is added
    for index, sign, weight in list(zip(indices, signs, weights, strict=False))[1:]:
        expression += f" {'+' if sign else '-'} {weight:.3f}*w{index}"
    try:
        result = vectors.analogy(expression, method=method)
    except InputError as error:
        assert "cancel out" in str(error)
        return
    assert len(result.contributions) == len(result.results) == 10
    for found, contributions in zip(result.results, result.contributions, strict=True):
        assert len(contributions) == len(result.terms)
        if method == "add":
            unit = vectors.word_vectors.normalized
            length = float(np.linalg.norm(sum(t.weight * unit[WORDS.index(t.word)] for t in result.terms)))
            rounding = 1e-6 * sum(abs(term.weight) for term in result.terms) / length
            assert sum(contributions) == pytest.approx(found.score, abs=rounding)
        else:
            subtracted = math.exp(
                -sum(c for c, t in zip(contributions, result.terms, strict=True) if t.weight < 0)
            )
            if subtracted > 1e-2:  # else the 1e-6 in the denominator shows
                assert sum(contributions) == pytest.approx(math.log(found.score), abs=2e-4)


def test_the_answer_of_a_parallelogram(capitals: Vectors) -> None:
    result = capitals.analogy("paris - france + spain", topn=2, expected="madrid")
    assert result.query == "paris - france + spain"
    assert [(term.word, term.weight) for term in result.terms] == [("paris", 1), ("france", -1), ("spain", 1)]
    assert result.results[0].word == "madrid" and result.results[0].score > result.results[1].score
    assert result.expected_rank == 1 and result.expected_score == result.results[0].score
    assert result.unknown == ()
    assert len(capitals.analogy("paris - france + spain", topn=100).results) == 5


def test_query_words_are_left_out_unless_allowed(capitals: Vectors) -> None:
    assert capitals.analogy("paris").results[0].word != "paris"
    allowed = capitals.analogy("paris", allow_query_words=True)
    assert allowed.results[0].word == "paris" and allowed.results[0].score == pytest.approx(1, abs=CLOSE)
    assert capitals.analogy("paris", expected="paris").expected_rank is None
    assert capitals.analogy("paris", expected="paris", allow_query_words=True).expected_rank == 1


@pytest.mark.parametrize("method", ["add", "multiply"])
@pytest.mark.parametrize("allow", [True, False])
def test_ranks_agree_with_the_order_of_all_results(gensim_vectors, method: str, allow: bool) -> None:
    vectors = Vectors(WordVectors.from_keyed_vectors(gensim_vectors))
    first, second, third = gensim_vectors.index_to_key[:3]
    options = {"method": method, "allow_query_words": allow}
    results = vectors.analogy(f"{first} - {second} + {third}", topn=10_000, **options).results
    assert len(results) == len(gensim_vectors) - (0 if allow else 3)
    for rank in (1, 7, len(results)):
        expected = results[rank - 1].word
        assert (
            vectors.analogy(f"{first} - {second} + {third}", expected=expected, **options).expected_rank
            == rank
        )


def test_words_are_looked_up_as_written_and_then_by_the_key_rule(capitals: Vectors) -> None:
    assert capitals.key("Paris") == "paris"
    assert capitals.key("Dog") == "Dog"
    assert capitals.key("dog") is None
    assert Vectors(WordVectors(["é"], [[1.0]])).key("E\u0301") == "é"
    dog, paris = capitals.word_vectors["Dog"], capitals.word_vectors["paris"]
    found = capitals.embed(text for text in ("Dog Paris", "dog", "Dog!"))
    np.testing.assert_allclose(found, [(dog + paris) / 2, 0 * dog, dog], rtol=1e-6)
    with pytest.raises(InputError, match="Several texts are needed"):
        capitals.embed("Dog Paris")
    assert len(capitals.neighbours("Dog", np.int64(3))) == 3


def test_unknown_words_are_named_with_close_spellings(capitals: Vectors) -> None:
    with pytest.raises(InputError, match=r"Unknown word 'pariss'.*one of the 8 words.*for 'pariss': paris"):
        capitals.neighbours("pariss")
    with pytest.raises(InputError, match=r"Unknown words 'Madird', 'xyzzyx'.*for 'Madird': madrid"):
        capitals.analogy("Madird - xyzzyx + spain")
    with pytest.raises(InputError, match=r"Unknown word 'xyzzyx'.*No known word is spelt alike"):
        capitals.similarity("paris", "xyzzyx")
    with pytest.raises(InputError, match=r"Unknown word 'rme'"):
        capitals.odd_one_out(["paris", "rme", "madrid"])
    with pytest.raises(InputError, match=r"Unknown word 'rme'"):
        capitals.neighbours("paris", exclude=["rme"])
    with pytest.raises(InputError, match=r"Unknown word 'rme'"):
        capitals.analogy("paris", expected="rme")
    with pytest.raises(InputError, match=r"Unknown word 'rme'"):
        capitals.map(["rme", "paris", "cat", "spain"])


def test_long_and_many_unknown_words_are_shortened(capitals: Vectors) -> None:
    with pytest.raises(InputError, match=r"^Unknown word 'z{39}…'\. Allowed"):
        capitals.neighbours("z" * 900)
    with pytest.raises(InputError, match=r"^Unknown words 'q0', 'q1', 'q2', 'q3', 'q4', …\. Allowed"):
        capitals.keys([f"q{number}" for number in range(50)])


def test_unknown_words_are_left_out_on_request(capitals: Vectors) -> None:
    result = capitals.analogy("paris - xyzzyx + spain - xyzzyx", ignore_unknown=True)
    assert result.unknown == ("xyzzyx",)
    assert result.results == capitals.analogy("paris + spain").results
    with pytest.raises(InputError, match=r"Unknown words 'xyzzyx', 'qqq'"):
        capitals.analogy("xyzzyx - qqq", ignore_unknown=True)


@pytest.mark.parametrize(
    ("call", "message"),
    [
        (lambda v: v.analogy(""), "The expression is empty"),
        (lambda v: v.analogy("paris -"), "cannot be read"),
        (lambda v: v.analogy("paris - Paris"), "cancel out"),
        (lambda v: v.analogy("-paris", method="multiply"), "needs a word that is added"),
        (lambda v: v.analogy("paris", method="divide"), "Unknown method.*add, multiply.*'divide'"),
        (lambda v: v.analogy("paris", topn=0), "number of answers is out of range.*1 to 10000.*0"),
        (lambda v: v.neighbours("paris", topn=10_001), "number of answers is out of range"),
        (lambda v: v.neighbours("paris", topn=True), "number of answers is out of range"),
        (lambda v: v.neighbours(np.ones(7)), r"does not fit.*\(8,\).*\(7,\)"),
        (lambda v: v.neighbours(np.zeros(8)), "without a direction"),
        (lambda v: v.neighbours(np.array([np.nan] * 8)), "without a direction"),
        (lambda v: v.odd_one_out(["paris", "spain", "Paris"]), "Three different words"),
        (lambda v: v.evaluate(restrict_vocab=0), "restricted to a positive number of words"),
        (lambda v: v.export("anywhere", "csv"), "Unknown format"),
    ],
)
def test_wrong_questions_are_refused(capitals: Vectors, call, message: str) -> None:
    with pytest.raises(InputError, match=message):
        call(capitals)


def test_excluded_words_are_no_neighbours(capitals: Vectors) -> None:
    best = capitals.neighbours("paris", 3)
    assert capitals.neighbours("paris", 2, exclude=[best[0].word]) == best[1:]
    assert len(capitals.neighbours("paris", 100)) == 7


def test_equal_scores_come_in_the_order_of_the_keys() -> None:
    vectors = Vectors(WordVectors(["q", "b", "a", "c", "d"], [[1.0, 0.0]] + [[1.0, 1.0]] * 4))
    assert [found.word for found in vectors.neighbours("q", 2)] == ["b", "a"]


def test_a_vocabulary_of_one_word() -> None:
    vectors = Vectors(WordVectors(["only"], [[1.0, 2.0]]))
    assert vectors.neighbours("only") == ()
    assert vectors.analogy("only").results == ()
    assert vectors.evaluate().analogies.total.answered == 0


def test_results_become_plain_dictionaries(capitals: Vectors) -> None:
    import json

    result = capitals.analogy("paris - france", topn=1, expected="rome").to_dict()
    assert list(result)[:5] == ["query", "method", "terms", "results", "unknown"]
    assert result["terms"][1] == {"word": "france", "weight": -1.0}
    assert json.loads(json.dumps(result, allow_nan=False)) == result


@pytest.mark.parametrize("file_format", ["npz", "text", "binary"])
def test_exported_files_answer_the_same(capitals: Vectors, tmp_path, file_format: str) -> None:
    capitals.export(tmp_path / "file", file_format)
    again = Vectors.from_file(tmp_path / "file")
    assert again.neighbours("paris") == capitals.neighbours("paris")
    with pytest.raises(InputError, match="exists already"):
        capitals.export(tmp_path / "file", file_format)

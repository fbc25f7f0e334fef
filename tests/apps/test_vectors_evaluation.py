from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from gensim.models import KeyedVectors
from gensim.test.utils import datapath
from scipy import stats

from apps.vectors.evaluation import Known, evaluate, gensim_data, read_analogies, read_pairs, score_pairs
from data_prep.errors import InputError
from data_prep.text.embeddings import WordVectors
from tests.keyed_vectors import keyed_vectors

QUESTIONS = gensim_data("questions-words.txt")


def planted(noise: float, cases: bool = False) -> WordVectors:
    """Vectors of the sets' own words in which many analogies hold."""
    rng = np.random.default_rng(0)
    keys: dict[str, np.ndarray] = {}
    for questions in read_analogies(QUESTIONS).values():
        relation = rng.normal(size=16)
        for a, b, *_ in questions:
            first = keys.setdefault(a.lower(), rng.normal(size=16))
            keys.setdefault(b.lower(), first + relation)
    for a, b, _ in (
        read_pairs(gensim_data("simlex999.txt"))[:700] + read_pairs(gensim_data("wordsim353.tsv"))[:250]
    ):
        keys.setdefault(a.lower(), rng.normal(size=16))
        keys.setdefault(b.lower(), rng.normal(size=16))
    order = rng.permutation(len(keys))
    words = np.array(list(keys), dtype=object)[order]
    vectors = np.stack(list(keys.values()))[order]
    vectors += noise * rng.normal(size=vectors.shape)
    if cases:  # case variants nearby: they compete with the right answer and must be passed over
        words = np.concatenate(
            [words, [word.capitalize() for word in words], [word.upper() for word in words]]
        )
        vectors = np.concatenate(
            [vectors, vectors + 0.05 * rng.normal(size=vectors.shape), 1.5 * vectors + 0.03]
        )
        words, first = np.unique(words.astype(str), return_index=True)
        vectors = vectors[first]
        order = rng.permutation(len(words))
        words, vectors = words[order], vectors[order]
    return WordVectors([str(word) for word in words], vectors)


def by_section(keyed: KeyedVectors, **options) -> tuple[float, dict[str, tuple[int, int]]]:
    score, sections = keyed.evaluate_word_analogies(str(QUESTIONS), **options)
    return score, {
        s["section"]: (len(s["correct"]), len(s["correct"]) + len(s["incorrect"])) for s in sections[:-1]
    }


@pytest.mark.parametrize(
    ("cases", "options"),
    [
        (False, {}),
        pytest.param(False, {"restrict_vocab": 700}, marks=pytest.mark.slow),
        pytest.param(True, {}, marks=pytest.mark.slow),
        (True, {"restrict_vocab": 2000}),
        (True, {"case_insensitive": False}),
        (False, {"dummy4unknown": True, "restrict_vocab": 700}),
    ],
)
def test_analogies_equal_gensims(cases: bool, options: dict) -> None:
    vectors = planted(0.3, cases)
    score, sections = by_section(keyed_vectors(vectors), **options)
    mine = {"unknown_is_wrong" if key == "dummy4unknown" else key: value for key, value in options.items()}
    ours = evaluate(vectors, **mine).analogies
    assert {name: (s.correct, s.answered) for name, s in ours.sections.items()} == sections
    assert ours.total.accuracy == pytest.approx(100 * score, abs=1e-5)
    assert ours.total.of == 19544
    assert 0 < ours.total.correct < ours.total.answered  # the comparison says something


@pytest.mark.parametrize("name", ["wordsim353", "simlex999"])
@pytest.mark.parametrize("options", [{}, {"restrict_vocab": 900}, {"case_insensitive": False}])
def test_pairs_equal_gensims(name: str, options: dict) -> None:
    path = gensim_data("wordsim353.tsv" if name == "wordsim353" else "simlex999.txt")
    vectors = planted(0.3, cases=True)
    pearson, spearman, unknown_percent = keyed_vectors(vectors).evaluate_word_pairs(str(path), **options)
    ours = getattr(evaluate(vectors, **options), name)
    assert ours.spearman == pytest.approx(spearman.statistic, abs=1e-5)
    assert ours.pearson == pytest.approx(pearson.statistic, abs=1e-5)
    assert 100 * (ours.of - ours.n) / ours.of == pytest.approx(unknown_percent)
    assert ours.of == (353 if name == "wordsim353" else 999)


def test_spearman_with_ties_equals_scipys() -> None:
    vectors = WordVectors(list("abcd"), [[1, 0], [1, 0.1], [0, 1], [1, 0]])
    pairs = [("a", "d", 9.0), ("a", "b", 9.0), ("b", "c", 2.0), ("a", "c", 1.0), ("c", "d", 3.0)]
    cosines = [
        round(float(vectors.normalized[vectors.index(x)] @ vectors.normalized[vectors.index(y)]), 9)
        for x, y, _ in pairs
    ]
    expected = stats.spearmanr([judged for *_, judged in pairs], cosines).statistic
    assert score_pairs(Known(vectors), pairs).spearman == pytest.approx(expected)


def test_the_sets_are_found_and_whole() -> None:
    assert Path(datapath("questions-words.txt")) == QUESTIONS
    sections = read_analogies(QUESTIONS)
    assert len(sections) == 14 and sum(map(len, sections.values())) == 19544
    assert len(read_pairs(gensim_data("wordsim353.tsv"))) == 353
    assert len(read_pairs(gensim_data("simlex999.txt"))) == 999


def test_the_whole_evaluation_and_its_json() -> None:
    done: list[tuple[int, int]] = []
    result = evaluate(planted(0.3), progress=lambda *counts: done.append(counts))
    assert done[-1] == (19544, 19544)
    values = result.to_dict()
    assert list(values) == ["analogies", "wordsim353", "simlex999"]
    analogies = values["analogies"]
    assert (
        analogies["of"] == 19544 and analogies["answered"] == 19544 and analogies["restrict_vocab"] == 300_000
    )
    assert analogies["accuracy"] == 100 * analogies["correct"] / analogies["answered"]
    family = analogies["sections"]["family"]
    assert family["of"] == 506 and family["accuracy"] == 100 * family["correct"] / family["answered"]
    assert values["wordsim353"]["of"] == 353 and values["simlex999"]["n"] == result.simlex999.n


def test_without_known_words_there_is_no_score() -> None:
    result = evaluate(WordVectors(["qqq", "zzz"], [[1.0, 0.0], [0.0, 1.0]]))
    assert result.analogies.total.accuracy is None and result.analogies.total.answered == 0
    assert result.wordsim353.spearman is None and result.wordsim353.n == 0


def test_equal_similarities_have_no_correlation() -> None:
    vectors = WordVectors(["a", "b"], [[1.0, 0.0], [1.0, 0.0]])
    assert score_pairs(Known(vectors), [("a", "b", 1.0), ("b", "a", 2.0)]).spearman is None


@pytest.mark.parametrize(
    ("read", "content", "message"),
    [
        (read_analogies, "a b c d\n", "holds no analogy questions"),
        (read_analogies, ": empty\n", "holds no analogy questions"),
        (read_pairs, "# only a comment\n", "holds no word pairs"),
    ],
)
def test_wrong_files_are_refused(tmp_path: Path, read, content: str, message: str) -> None:
    (tmp_path / "file").write_text(content, encoding="utf-8")
    with pytest.raises(InputError, match=message):
        read(tmp_path / "file")


def test_a_missing_set_is_named() -> None:
    with pytest.raises(InputError, match=r"gensim's file missing\.txt is not installed"):
        gensim_data("missing.txt")


@pytest.mark.parametrize("restrict_vocab", [0, -1, True, 1.5])
def test_the_restriction_is_positive(restrict_vocab) -> None:
    with pytest.raises(InputError, match="restricted to a positive number"):
        evaluate(WordVectors(["a"], [[1.0]]), restrict_vocab=restrict_vocab)

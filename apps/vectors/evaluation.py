"""One scorer for word vectors, equal to gensim's, on the three public sets that gensim carries.

Google's analogies: Mikolov et al. 2013, "Efficient Estimation of Word Representations in Vector Space";
19,544 questions. WordSim-353: Finkelstein et al. 2002. SimLex-999: Hill, Reichart and Korhonen 2015. The
rules are those of gensim's ``evaluate_word_analogies`` and ``evaluate_word_pairs``: words are compared in
upper case, the first key of each upper-case form counts, only the first ``restrict_vocab`` keys ask and
answer, and questions with unknown words are left out, which is why the number answered stands beside every
score.
"""

from __future__ import annotations

from collections.abc import Callable
from contextlib import suppress
from pathlib import Path
from typing import NamedTuple

import numpy as np

from apps.shared.measures import measure
from apps.vectors.application import Vectors
from apps.vectors.results import AnalogyScore, PairScore, SectionScore, VectorsEvaluation
from data_prep.errors import InputError
from data_prep.gensim_data import gensim_data
from data_prep.text.embeddings import WordVectors
from models.training.task import Metrics

ANALOGIES_FILE = "questions-words.txt"
WORDSIM353_FILE = "wordsim353.tsv"
SIMLEX999_FILE = "simlex999.txt"
_BLOCK_NUMBERS = 1 << 23  # similarities held at once: 32 MB of float32
_CANDIDATES = 5  # gensim looks at so many answers to find one that is no case variant of a query word


class Question(NamedTuple):
    """Asks for ``expected``: a is to b as c is to it."""

    a: str
    b: str
    c: str
    expected: str


def read_analogies(path: Path) -> dict[str, list[Question]]:
    """Read analogy questions.

    Args:
        path: A line ``: name`` starts a section, the others hold four words or, as in gensim, are skipped.

    Returns:
        Section to its questions, in the order of the file.

    Raises:
        InputError: A question stands before the first section, or there is none at all.
    """
    sections: dict[str, list[Question]] = {}
    current: list[Question] | None = None
    for number, line in enumerate(path.read_text("utf-8").splitlines(), start=1):
        if line.startswith(": "):
            current = sections.setdefault(line.lstrip(": ").strip(), [])
        elif current is None:
            raise InputError(
                f"Line {number} of {path} stands before the first section", allowed="': name' first"
            )
        elif len(words := line.split()) == 4:
            current.append(Question(*words))
    if not any(sections.values()):
        raise InputError(f"{path} holds no analogy questions")
    return sections


def read_pairs(path: Path) -> list[tuple[str, str, float]]:
    """Read word pairs with people's judgements of their similarity.

    Args:
        path: Lines of two words and a number between tabs; others are skipped, as in gensim.

    Returns:
        First word, second word, judgement.

    Raises:
        InputError: The file holds no pairs.
    """
    pairs = []
    for line in path.read_text("utf-8").splitlines():
        fields = line.split("\t")
        if line.startswith("#") or len(fields) != 3:
            continue
        with suppress(ValueError):  # a line without a number is skipped, as in gensim
            pairs.append((fields[0], fields[1], float(fields[2])))
    if not pairs:
        raise InputError(f"{path} holds no word pairs")
    return pairs


def evaluate(
    vectors: WordVectors | Vectors,
    *,
    restrict_vocab: int = 300_000,
    case_insensitive: bool = True,
    unknown_is_wrong: bool = False,
    progress: Callable[[int, int], None] | None = None,
) -> VectorsEvaluation:
    """Score on all three sets.

    Args:
        vectors: The vectors, most frequent key first.
        restrict_vocab: Only the first so many keys ask and answer.
        case_insensitive: Compare upper-cased words.
        unknown_is_wrong: Count analogy questions with unknown words as wrong instead of leaving them out.
        progress: Called with questions done and questions in all.

    Returns:
        The three scores.

    Raises:
        InputError: ``restrict_vocab`` is not positive, or gensim's files are missing.
    """
    options = {"restrict_vocab": restrict_vocab, "case_insensitive": case_insensitive}
    if isinstance(vectors, Vectors):
        vectors = vectors.word_vectors
    questions = read_analogies(gensim_data(ANALOGIES_FILE))
    asked = {"unknown_is_wrong": unknown_is_wrong, "progress": progress, **options}
    pairs = (read_pairs(gensim_data(file)) for file in (WORDSIM353_FILE, SIMLEX999_FILE))
    return VectorsEvaluation(
        score_analogies(vectors, questions, **asked), *(score_pairs(vectors, one, **options) for one in pairs)
    )


def metrics_of(evaluation: VectorsEvaluation) -> Metrics:
    """Turn an evaluation into the metrics of a preset."""
    analogies, total = evaluation.analogies, evaluation.analogies.total
    error = None
    if total.accuracy is not None:
        error = (total.accuracy * (100.0 - total.accuracy) / total.answered) ** 0.5
    metrics: Metrics = {
        "google_analogies": measure(
            total.accuracy,
            total.answered,
            f"3CosAdd, query words excluded, first {analogies.restrict_vocab} words, "
            f"upper case, {total.answered} of {total.of} questions answerable",
            standard_error=error,
            of=total.of,
            sections={name: score.to_dict() for name, score in analogies.sections.items()},
        )
    }
    for name, pairs in (("wordsim353", evaluation.wordsim353), ("simlex999", evaluation.simlex999)):
        protocol = f"Spearman with people's judgements, {pairs.n} of {pairs.of} pairs known"
        metrics[name] = measure(pairs.spearman, pairs.n, protocol, unit="", of=pairs.of)
    return metrics


def score_analogies(
    vectors: WordVectors,
    sections: dict[str, list[Question]],
    *,
    restrict_vocab: int = 300_000,
    case_insensitive: bool = True,
    unknown_is_wrong: bool = False,
    progress: Callable[[int, int], None] | None = None,
) -> AnalogyScore:
    """Score analogy questions with 3CosAdd, as gensim's ``evaluate_word_analogies``.

    Args:
        vectors: The vectors, most frequent key first.
        sections: As :func:`read_analogies` gives them.
        restrict_vocab: Only the first so many keys ask and answer.
        case_insensitive: Compare upper-cased words.
        unknown_is_wrong: gensim's ``dummy4unknown``.
        progress: Called with questions done and questions in all.

    Returns:
        Correct, answered and all questions a section.

    Raises:
        InputError: ``restrict_vocab`` is not positive.
    """
    rows, forms = _allowed(vectors, restrict_vocab, case_insensitive)
    fold = str.upper if case_insensitive else str
    names, quadruples, of = [], [], {}
    for name, questions in sections.items():
        of[name] = len(questions)
        for question in questions:
            quadruple = [rows.get(fold(word), -1) for word in question]
            if min(quadruple) >= 0:
                names.append(name)
                quadruples.append(quadruple)
    correct = _answer(vectors.normalized[: len(forms)], forms, np.array(quadruples, np.int64), progress)
    scores = {}
    for name, total in of.items():
        mine = np.array([section == name for section in names], dtype=bool)
        answered = total if unknown_is_wrong else int(mine.sum())
        scores[name] = SectionScore(int(correct[mine].sum()) if mine.any() else 0, answered, total)
    return AnalogyScore(scores, restrict_vocab)


def score_pairs(
    vectors: WordVectors,
    pairs: list[tuple[str, str, float]],
    *,
    restrict_vocab: int = 300_000,
    case_insensitive: bool = True,
) -> PairScore:
    """Compare cosines with judgements, as gensim's ``evaluate_word_pairs``.

    Args:
        vectors: The vectors, most frequent key first.
        pairs: As :func:`read_pairs` gives them.
        restrict_vocab: Only pairs of the first so many keys count.
        case_insensitive: Compare upper-cased words.

    Returns:
        Both correlations and the number of pairs with two known words.

    Raises:
        InputError: ``restrict_vocab`` is not positive.
    """
    from scipy.stats import rankdata

    rows, _ = _allowed(vectors, restrict_vocab, case_insensitive)
    fold = str.upper if case_insensitive else str
    known = [(rows[fold(a)], rows[fold(b)], x) for a, b, x in pairs if fold(a) in rows and fold(b) in rows]
    if not known:
        return PairScore(None, None, 0, len(pairs))
    first, second, judged = (np.array(column) for column in zip(*known, strict=True))
    cosines = np.einsum("pd,pd->p", vectors.normalized[first], vectors.normalized[second])
    spearman = _correlation(rankdata(judged), rankdata(cosines))
    return PairScore(spearman, _correlation(judged, cosines), len(known), len(pairs))


def _allowed(
    vectors: WordVectors, restrict_vocab: int, case_insensitive: bool
) -> tuple[dict[str, int], np.ndarray]:
    """Folded form to the row of its first key, and that row for every allowed key."""
    if isinstance(restrict_vocab, bool) or not isinstance(restrict_vocab, int) or restrict_vocab < 1:
        problem = "The vocabulary is restricted to a positive number of words"
        raise InputError(problem, received=restrict_vocab)
    keys = vectors.keys[:restrict_vocab]
    rows: dict[str, int] = {}
    forms = [rows.setdefault(key.upper() if case_insensitive else key, row) for row, key in enumerate(keys)]
    return rows, np.array(forms, np.int64)


def _answer(
    unit: np.ndarray, forms: np.ndarray, quadruples: np.ndarray, progress: Callable[[int, int], None] | None
) -> np.ndarray:
    """Which questions (rows a, b, c, expected) are answered rightly, bool of shape (questions,)."""
    questions = len(quadruples)
    correct = np.zeros(questions, dtype=bool)
    size = max(1, _BLOCK_NUMBERS // len(forms))
    for start in range(0, questions, size):
        block = quadruples[start : start + size]
        a, b, c, expected = block.T
        similarities = (unit[b] + unit[c] - unit[a]) @ unit.T  # (block, keys); the length changes no order
        line = np.arange(len(block))
        for query in (a, b, c):
            similarities[line, query] = -np.inf
        predicted = _predicted(similarities, forms, forms[block[:, :3]])
        correct[start : start + size] = predicted == forms[expected]
        if progress is not None:
            progress(min(start + size, questions), questions)
    return correct


def _predicted(similarities: np.ndarray, forms: np.ndarray, query_forms: np.ndarray) -> np.ndarray:
    """The form of each line's best key that is no case variant of a query word; changes ``similarities``.

    Like gensim, the last of five candidates is taken where all five are such variants; -1 without any.
    """
    predicted = np.full(len(similarities), -1, dtype=np.int64)
    open_lines = np.arange(len(similarities))
    for _ in range(_CANDIDATES):
        everything = len(open_lines) == len(similarities)  # saves a copy
        best = (similarities if everything else similarities[open_lines]).argmax(axis=1)
        possible = similarities[open_lines, best] > -np.inf
        open_lines, best = open_lines[possible], best[possible]
        predicted[open_lines] = forms[best]
        variant = (forms[best][:, None] == query_forms[open_lines]).any(axis=1)
        open_lines, best = open_lines[variant], best[variant]
        if not len(open_lines):
            break
        similarities[open_lines, best] = -np.inf
    return predicted


def _correlation(first: np.ndarray, second: np.ndarray) -> float | None:
    first = first.astype(np.float64) - first.mean(dtype=np.float64)
    second = second.astype(np.float64) - second.mean(dtype=np.float64)
    scale = np.sqrt((first @ first) * (second @ second))
    return float(np.clip(first @ second / scale, -1.0, 1.0)) if scale > 0 else None

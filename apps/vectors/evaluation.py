"""One scorer for word vectors, equal to gensim's, on the three public sets that gensim carries.

Google's analogies: Mikolov et al. 2013, "Efficient Estimation of Word Representations in Vector Space";
19,544 questions. WordSim-353: Finkelstein et al. 2002. SimLex-999: Hill, Reichart and Korhonen 2015. The
rules are those of gensim's ``evaluate_word_analogies`` and ``evaluate_word_pairs``: words are compared in
upper case, the first key of each upper-case form counts, only the first ``restrict_vocab`` keys ask and
answer, and questions with unknown words are left out, which is why the number answered stands beside every
score.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from contextlib import suppress
from itertools import chain
from pathlib import Path

import numpy as np

from apps.shared.measures import measure
from apps.vectors.application import Vectors
from apps.vectors.results import AnalogyScore, PairScore, SectionScore, VectorsEvaluation
from data_prep.datasets import gensim_data
from data_prep.errors import InputError
from data_prep.text.embeddings import WordVectors
from models.training.task import Metrics

ANALOGIES_FILE = "questions-words.txt"
WORDSIM353_FILE = "wordsim353.tsv"
SIMLEX999_FILE = "simlex999.txt"
_BLOCK_NUMBERS = 1 << 23  # similarities held at once: 32 MB of float32
_CANDIDATES = 5  # gensim looks at so many answers to find one that is no case variant of a query word


class Known:
    """The words that ask and answer: the first keys, the first one of each upper-case form.

    Args:
        vectors: Most frequent key first.
        restrict_vocab: Only the first so many keys.
        case_insensitive: Compare upper-cased words.

    Raises:
        InputError: ``restrict_vocab`` is not positive.
    """

    def __init__(
        self, vectors: WordVectors, restrict_vocab: int = 300_000, case_insensitive: bool = True
    ) -> None:
        if isinstance(restrict_vocab, bool) or not isinstance(restrict_vocab, int) or restrict_vocab < 1:
            problem = "The vocabulary is restricted to a positive number of words"
            raise InputError(problem, received=restrict_vocab)
        self.restrict_vocab = restrict_vocab
        self.unit = vectors.normalized[:restrict_vocab]
        self._fold = str.upper if case_insensitive else str
        self._rows: dict[str, int] = {}
        keys = vectors.keys[:restrict_vocab]
        # For every key the row of the first key of the same form.
        self.forms = np.array([self._rows.setdefault(self._fold(key), row) for row, key in enumerate(keys)])

    def rows(self, words: Sequence[str]) -> list[int]:
        """Return the row of the first key of each word's form, -1 where there is none."""
        return [self._rows.get(self._fold(word), -1) for word in words]


def read_analogies(path: Path) -> dict[str, list[list[str]]]:
    """Read sections of analogy questions in the order of the file: a is to b as c is to the fourth word.

    A line ``: name`` starts a section; the others hold four words or, as in gensim, are skipped.
    """
    sections: dict[str, list[list[str]]] = {}
    for section in path.read_text("utf-8").split(": ")[1:]:
        name, *lines = section.splitlines()
        sections[name.strip()] = [words for line in lines if len(words := line.split()) == 4]
    if not any(sections.values()):
        raise InputError(f"{path} holds no analogy questions")
    return sections


def read_pairs(path: Path) -> list[tuple[str, str, float]]:
    """Read two words and people's judgement of their similarity a line; other lines are skipped, as in gensim."""
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
    word_vectors = vectors.word_vectors if isinstance(vectors, Vectors) else vectors
    known = Known(word_vectors, restrict_vocab, case_insensitive)
    questions = read_analogies(gensim_data(ANALOGIES_FILE))
    pairs = (read_pairs(gensim_data(file)) for file in (WORDSIM353_FILE, SIMLEX999_FILE))
    return VectorsEvaluation(
        score_analogies(known, questions, unknown_is_wrong, progress),
        *(score_pairs(known, judged) for judged in pairs),
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
    known: Known,
    sections: Mapping[str, Sequence[Sequence[str]]],
    unknown_is_wrong: bool = False,
    progress: Callable[[int, int], None] | None = None,
) -> AnalogyScore:
    """Score analogy questions with 3CosAdd, as gensim's ``evaluate_word_analogies``; options as in :func:`evaluate`."""
    asked = [[row for words in part if min(row := known.rows(words)) >= 0] for part in sections.values()]
    right = _answer(known, np.array(list(chain(*asked)), np.int64).reshape(-1, 4), progress)
    scores = {}
    for (name, questions), answered in zip(sections.items(), map(len, asked), strict=True):
        counted = len(questions) if unknown_is_wrong else answered
        scores[name] = SectionScore(int(right[:answered].sum()), counted, len(questions))
        right = right[answered:]
    return AnalogyScore(known.restrict_vocab, scores)


def score_pairs(known: Known, pairs: Sequence[tuple[str, str, float]]) -> PairScore:
    """Compare cosines of known words with judgements, as gensim's ``evaluate_word_pairs``."""
    from scipy.stats import rankdata

    found = [(*rows, judged) for *words, judged in pairs if min(rows := known.rows(words)) >= 0]
    if not found:
        return PairScore(None, None, 0, len(pairs))
    first, second, judged = map(np.array, zip(*found, strict=True))
    cosines = np.einsum("pd,pd->p", known.unit[first], known.unit[second])
    spearman = _correlation(rankdata(judged), rankdata(cosines))
    return PairScore(spearman, _correlation(judged, cosines), len(found), len(pairs))


def _answer(known: Known, questions: np.ndarray, progress: Callable[[int, int], None] | None) -> np.ndarray:
    """Which questions (rows a, b, c, expected) are answered rightly, bool of shape (questions,)."""
    unit, forms = known.unit, known.forms
    correct = np.zeros(len(questions), dtype=bool)
    size = max(1, _BLOCK_NUMBERS // len(forms))
    for start in range(0, len(questions), size):
        block = questions[start : start + size]
        a, b, c, expected = block.T
        similarities = (unit[b] + unit[c] - unit[a]) @ unit.T  # (block, keys); the length changes no order
        np.put_along_axis(similarities, block[:, :3], -np.inf, axis=1)
        correct[start : start + size] = (
            _predicted(similarities, forms, forms[block[:, :3]]) == forms[expected]
        )
        if progress is not None:
            progress(start + len(block), len(questions))
    return correct


def _predicted(similarities: np.ndarray, forms: np.ndarray, query_forms: np.ndarray) -> np.ndarray:
    """The form of each line's best key that is no case variant of a query word; changes ``similarities``.

    Like gensim, the last of five candidates is taken where all five are such variants; -1 without any.
    """
    predicted = np.full(len(similarities), -1, dtype=np.int64)
    lines, left = np.arange(len(similarities)), similarities
    for _ in range(_CANDIDATES):
        best = left.argmax(axis=1)
        possible = left[np.arange(len(lines)), best] > -np.inf
        lines, best = lines[possible], best[possible]
        predicted[lines] = forms[best]
        variant = (forms[best][:, None] == query_forms[lines]).any(axis=1)
        lines, best = lines[variant], best[variant]
        similarities[lines, best] = -np.inf
        left = similarities[lines]
    return predicted


def _correlation(first: np.ndarray, second: np.ndarray) -> float | None:
    first = first.astype(np.float64) - first.mean(dtype=np.float64)
    second = second.astype(np.float64) - second.mean(dtype=np.float64)
    scale = np.sqrt((first @ first) * (second @ second))
    return float(np.clip(first @ second / scale, -1.0, 1.0)) if scale > 0 else None

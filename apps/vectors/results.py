"""What the application of word vectors returns: frozen dataclasses that turn into plain dictionaries."""

from __future__ import annotations

import dataclasses
from typing import Any, ClassVar

from apps.shared.commands import number
from apps.shared.results import Result


@dataclasses.dataclass(frozen=True, slots=True)
class Neighbour(Result):
    """A word and how close it is: a cosine, or the score of the analogy."""

    word: str
    score: float


@dataclasses.dataclass(frozen=True, slots=True)
class Term(Result):
    """One term of an analogy: the key that was looked up and its weight, negative if subtracted."""

    word: str
    weight: float


@dataclasses.dataclass(frozen=True, slots=True)
class AnalogyResult(Result):
    """Answer to an expression such as "paris - france + spain".

    Attributes:
        query: The expression as it was given.
        method: ``"add"`` or ``"multiply"``.
        terms: The known terms, in order.
        results: The closest words, best first.
        unknown: Words that have no vector and were left out.
        contributions: For each result, what each term adds to its score: for ``"add"`` they sum to the score,
            for ``"multiply"`` to its logarithm.
        expected: The word whose rank was asked for, or None.
        expected_rank: Its rank among all candidates, from 1, or None if it is no candidate.
        expected_score: Its score, or None.
    """

    query: str
    method: str
    terms: tuple[Term, ...]
    results: tuple[Neighbour, ...]
    unknown: tuple[str, ...] = ()
    contributions: tuple[tuple[float, ...], ...] = ()
    expected: str | None = None
    expected_rank: int | None = None
    expected_score: float | None = None

    def shares(self) -> dict[str, float]:
        """Scores of the answers."""
        return {one.word: one.score for one in self.results}


@dataclasses.dataclass(frozen=True, slots=True)
class OddOneOut(Result):
    """The word that fits least among some words, and each word's cosine with their mean, best first."""

    most_bars: ClassVar[None] = None  # the answer is the last
    word: str
    scores: tuple[Neighbour, ...]

    def shares(self) -> dict[str, float]:
        """Cosines of all words."""
        return {one.word: one.score for one in self.scores}


@dataclasses.dataclass(frozen=True, slots=True)
class SectionScore(Result):
    """Analogy questions of one kind: right answers, questions whose words are all known, all questions."""

    correct: int
    answered: int
    of: int

    @property
    def accuracy(self) -> float | None:
        """Percent right of the answered questions, None if there are none."""
        return 100.0 * self.correct / self.answered if self.answered else None

    def to_dict(self) -> dict[str, Any]:
        """Turn into what JSON can hold, with the accuracy."""
        return {"accuracy": self.accuracy, **Result.to_dict(self)}


@dataclasses.dataclass(frozen=True, slots=True)
class AnalogyScore(Result):
    """Score on a file of analogy questions, by section and in all.

    Attributes:
        restrict_vocab: How many keys, from the first, could be asked and answered.
        sections: Name of the section to its score, in the order of the file.
    """

    restrict_vocab: int
    sections: dict[str, SectionScore]

    @property
    def total(self) -> SectionScore:
        """The sum of all sections."""
        counts = zip(*map(dataclasses.astuple, self.sections.values()), strict=True)
        return SectionScore(*map(sum, counts))

    def to_dict(self) -> dict[str, Any]:
        """Turn into what JSON can hold, the totals first."""
        return {**self.total.to_dict(), **Result.to_dict(self)}


@dataclasses.dataclass(frozen=True, slots=True)
class PairScore(Result):
    """Agreement with people's judgements of word pairs.

    Attributes:
        spearman: Rank correlation, None with fewer than two pairs or where all are alike.
        pearson: Linear correlation, None likewise.
        n: Pairs whose words are both known.
        of: All pairs.
    """

    spearman: float | None
    pearson: float | None
    n: int
    of: int


@dataclasses.dataclass(frozen=True, slots=True)
class VectorsEvaluation(Result):
    """Scores on the three public sets that gensim carries."""

    table_columns: ClassVar[tuple[str, ...]] = ("set or section", "score>", "correct>", "answered>", "of>")

    analogies: AnalogyScore
    wordsim353: PairScore
    simlex999: PairScore

    def table_rows(self) -> list[tuple[str, ...]]:
        """The cells of the table, as text."""
        scores = {**self.analogies.sections, "all analogies": self.analogies.total}
        rows = [
            (name, number(score.accuracy, 1, " %"), str(score.correct), str(score.answered), str(score.of))
            for name, score in scores.items()
        ]
        for name, pairs in (("wordsim353", self.wordsim353), ("simlex999", self.simlex999)):
            known = (str(pairs.n), str(pairs.of))
            rows.append((f"{name}, Spearman", number(pairs.spearman, 3), "-", *known))
            rows.append((f"{name}, Pearson", number(pairs.pearson, 3), "-", *known))
        return rows

    def notes(self) -> list[str]:
        """Which words could be asked and answered."""
        return [f"Analogies among the first {self.analogies.restrict_vocab:,} words at most"]


@dataclasses.dataclass(frozen=True, slots=True)
class PlaneResult(Result):
    """Words in the plane of an analogy.

    Attributes:
        words: As asked; the first is the origin, the second lies on the first axis.
        coordinates: (x, y) of each word, in the unit of the normalised vectors.
        corner: (x, y) of the fourth corner of the parallelogram: second + third - first.
        axes: Names of the two axes.
        explained: Share of the words' squared distances from the origin that lies along each axis.
        kept: For each word, the share of its own squared distance from the origin that the plane shows.
    """

    words: tuple[str, ...]
    coordinates: tuple[tuple[float, float], ...]
    corner: tuple[float, float]
    axes: tuple[str, str]
    explained: tuple[float, float]
    kept: tuple[float, ...]


@dataclasses.dataclass(frozen=True, slots=True)
class MapResult(Result):
    """Words on a map of two dimensions.

    Attributes:
        method: ``"pca"`` or ``"tsne"``.
        words: As asked, or the first keys.
        coordinates: (x, y) of each word.
        axes: Names of the two axes; for PCA the words at both ends.
        explained: Share of the variance along each axis; None for t-SNE, whose axes mean nothing.
    """

    method: str
    words: tuple[str, ...]
    coordinates: tuple[tuple[float, float], ...]
    axes: tuple[str, str]
    explained: tuple[float, float] | None

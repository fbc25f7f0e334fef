"""Scores from raw text, by the definitions of the CoNLL 2018 evaluation.

Gold and system are compared as spans over the text without its white space. A sentence or a token is right
when its span is. Words are first aligned: those of a multiword token by the longest common subsequence of
their lower-cased forms within the region that multiword tokens of either side cover, all others by equal
spans. A word is right when it is aligned, a tag when the words are aligned and have the same tag.

Source: D. Zeman et al., CoNLL 2018 Shared Task, http://universaldependencies.org/conll18/evaluation.html.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from itertools import product
from typing import NamedTuple

import numpy as np

from data_prep.errors import InputError
from data_prep.readers.conllu import Sentence, Word

_SHOWN = 20


@dataclass(frozen=True)
class Score:
    """How many units are right.

    Args:
        correct: Right ones.
        gold: Units of the treebank.
        system: Units of the system.
    """

    correct: int
    gold: int
    system: int

    @property
    def precision(self) -> float:
        """Right ones of the system's units, in percent."""
        return 100.0 * self.correct / self.system if self.system else 0.0

    @property
    def recall(self) -> float:
        """Right ones of the treebank's units, in percent."""
        return 100.0 * self.correct / self.gold if self.gold else 0.0

    @property
    def f1(self) -> float:
        """Harmonic mean of precision and recall, in percent."""
        units = self.gold + self.system
        return 200.0 * self.correct / units if units else 0.0

    def to_dict(self) -> dict[str, float | int]:
        """Give F1, precision and recall in percent, and the counts."""
        names = ("f1", "precision", "recall", "correct", "gold", "system")
        return {name: getattr(self, name) for name in names}


@dataclass(frozen=True)
class RawTextScores:
    """Scores of one system on one treebank, each a :class:`Score`."""

    tokens: Score
    sentences: Score
    words: Score
    upos: Score
    xpos: Score

    def to_dict(self) -> dict[str, dict[str, float | int]]:
        """Give the scores by name."""
        return {name: score.to_dict() for name, score in vars(self).items()}


class _Aligned(NamedTuple):
    """A word with its place in the text without white space."""

    start: int
    end: int
    multiword: bool
    word: Word


class _Layout(NamedTuple):
    """One side of the comparison; all spans count characters that are not white space."""

    characters: str
    tokens: list[tuple[int, int]]
    sentences: list[tuple[int, int]]
    words: list[_Aligned]


def score_raw_text(gold: Sequence[Sentence], system: Sequence[Sentence]) -> RawTextScores:
    """Score segmentation and tags of a text.

    Args:
        gold: The treebank's sentences.
        system: What a system made of the treebank's raw text.

    Returns:
        F1 of tokens, sentences, words, UPOS and XPOS.

    Raises:
        InputError: If the two sides are not the same text, apart from white space.
    """
    one, two = _layout(gold), _layout(system)
    _check_same_text(one.characters, two.characters)
    pairs = list(_aligned_words(one.words, two.words))

    def spans(gold: list[tuple[int, int]], system: list[tuple[int, int]]) -> Score:
        return Score(len(set(gold) & set(system)), len(gold), len(system))

    def tags(tag: Callable[[Word], str]) -> Score:
        right = sum(tag(a.word) == tag(b.word) for a, b in pairs)
        return Score(right, len(one.words), len(two.words))

    return RawTextScores(
        tokens=spans(one.tokens, two.tokens),
        sentences=spans(one.sentences, two.sentences),
        words=Score(len(pairs), len(one.words), len(two.words)),
        upos=tags(lambda word: word.upos),
        xpos=tags(lambda word: word.xpos),
    )


def _layout(sentences: Sequence[Sentence]) -> _Layout:
    pieces: list[str] = []
    tokens, spans, words = [], [], []
    at = 0
    for sentence in sentences:
        first = at
        for token in sentence.tokens:
            piece = "".join(token.form.split())
            pieces.append(piece)
            tokens.append((at, at + len(piece)))
            inside = sentence.words[token.first : token.last + 1]
            words += [_Aligned(at, at + len(piece), token.is_multiword, word) for word in inside]
            at += len(piece)
        spans.append((first, at))
    return _Layout("".join(pieces), tokens, spans, words)


def _check_same_text(gold: str, system: str) -> None:
    if gold != system:
        pairs = enumerate(zip(gold, system, strict=False))
        at = next((at for at, (one, two) in pairs if one != two), min(len(gold), len(system)))
        raise InputError(
            f"Gold and system are not the same text: they differ at character {at:,} without white space",
            allowed=repr(gold[at : at + _SHOWN]),
            received=system[at : at + _SHOWN],
        )


def _aligned_words(gold: list[_Aligned], system: list[_Aligned]) -> Iterator[tuple[_Aligned, _Aligned]]:
    """Give the pairs of words that are aligned, in order."""
    g = s = 0
    while g < len(gold) and s < len(system):
        one, two = gold[g], system[s]
        if one.multiword or two.multiword:
            first_g, first_s, g, s = _multiword_region(gold, system, g, s)
            yield from _common_forms(gold[first_g:g], system[first_s:s])
        elif (one.start, one.end) == (two.start, two.end):
            yield one, two
            g, s = g + 1, s + 1
        elif one.start <= two.start:
            g += 1
        else:
            s += 1


def _multiword_region(
    gold: list[_Aligned], system: list[_Aligned], g: int, s: int
) -> tuple[int, int, int, int]:
    """Find the words of both sides that lie in the text of overlapping multiword tokens.

    Returns:
        First gold word, first system word, and those after the last ones.
    """
    end = gold[g].end if gold[g].multiword else system[s].end
    # A word before the multiword token of the other side is no part of the region.
    before = gold[g].start - system[s].start
    s += before > 0 and not system[s].multiword
    g += before < 0 and not gold[g].multiword
    first_g, first_s = g, s
    while _is_within(gold, g, end) or _is_within(system, s, end):
        if g < len(gold) and (s >= len(system) or gold[g].start <= system[s].start):
            word, g = gold[g], g + 1
        else:
            word, s = system[s], s + 1
        if word.multiword:
            end = max(end, word.end)
    return first_g, first_s, g, s


def _is_within(words: list[_Aligned], at: int, end: int) -> bool:
    """Say whether a word belongs to a region: one of a multiword token if it begins in it, others whole."""
    if at >= len(words):
        return False
    return words[at].start < end if words[at].multiword else words[at].end <= end


def _common_forms(gold: list[_Aligned], system: list[_Aligned]) -> Iterator[tuple[_Aligned, _Aligned]]:
    """Give the pairs of a longest common subsequence of the lower-cased forms."""
    one, two = ([word.word.form.lower() for word in side] for side in (gold, system))
    longest = np.zeros((len(one) + 1, len(two) + 1), np.int32)
    for g, s in product(reversed(range(len(one))), reversed(range(len(two)))):
        same = one[g] == two[s]
        longest[g, s] = longest[g + 1, s + 1] + 1 if same else max(longest[g + 1, s], longest[g, s + 1])
    g = s = 0
    while g < len(one) and s < len(two):
        if one[g] == two[s]:
            yield gold[g], system[s]
            g, s = g + 1, s + 1
        elif longest[g, s] == longest[g + 1, s]:
            g += 1
        else:
            s += 1

"""Scores from raw text, by the definitions of the CoNLL 2018 evaluation.

Gold and system are compared as spans over the text without its white space. A sentence or a token is right
when its span is. Words are first aligned: those of a multiword token by the longest common subsequence of
their lower-cased forms within the region that multiword tokens of either side cover, all others by equal
spans. A word is right when it is aligned, a tag when the words are aligned and have the same tag.

Source: D. Zeman et al., CoNLL 2018 Shared Task, http://universaldependencies.org/conll18/evaluation.html.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from itertools import product
from typing import NamedTuple

import numpy as np

from data_prep.errors import InputError
from data_prep.readers.conllu import Sentence, Word

_SHOWN = 20


class Score(NamedTuple):
    """How many units are right, how many the treebank has, and how many the system."""

    correct: int
    gold: int
    system: int

    @property
    def f1(self) -> float:
        """Harmonic mean of precision and recall, in percent."""
        return _percent(2 * self.correct, self.gold + self.system)

    def to_dict(self) -> dict[str, float | int]:
        """Give F1, precision and recall in percent, and the counts."""
        precision, recall = (_percent(self.correct, units) for units in (self.system, self.gold))
        return {"f1": self.f1, "precision": precision, "recall": recall, **self._asdict()}


class RawTextScores(NamedTuple):
    """Scores of one system on one treebank."""

    tokens: Score
    sentences: Score
    words: Score
    upos: Score
    xpos: Score


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

    Raises:
        InputError: If the two sides are not the same text, apart from white space.
    """
    one, two = _layout(gold), _layout(system)
    _check_same_text(one.characters, two.characters)
    pairs = [(a.word, b.word) for a, b in _aligned_words(one.words, two.words)]
    units = [len(set(a) & set(b)) for a, b in ((one.tokens, two.tokens), (one.sentences, two.sentences))]
    upos, xpos = sum(a.upos == b.upos for a, b in pairs), sum(a.xpos == b.xpos for a, b in pairs)
    return RawTextScores(
        Score(units[0], len(one.tokens), len(two.tokens)),
        Score(units[1], len(one.sentences), len(two.sentences)),
        *(Score(right, len(one.words), len(two.words)) for right in (len(pairs), upos, xpos)),
    )


def _percent(correct: int, units: int) -> float:
    return 100.0 * correct / units if units else 0.0


def _layout(sentences: Sequence[Sentence]) -> _Layout:
    found, at = _Layout("", [], [], []), 0
    pieces: list[str] = []
    for sentence in sentences:
        first = at
        for token in sentence.tokens:
            pieces.append("".join(token.form.split()))
            span = (at, at + len(pieces[-1]))
            found.tokens.append(span)
            inside = sentence.words[token.first : token.last + 1]
            found.words.extend(_Aligned(*span, token.is_multiword, word) for word in inside)
            at = span[1]
        found.sentences.append((first, at))
    return found._replace(characters="".join(pieces))


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
    """Find the first word of both sides in the text of overlapping multiword tokens, and those after the last ones."""
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

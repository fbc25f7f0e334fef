"""Short texts to learn from: pieces of documents with a verdict, and sentences made by rules.

A classifier of long documents hardly learns that "not" turns a word round: it comes too seldom to matter there. In the
sentences made here it decides. Their templates (``short_texts.tsv``) are not those of ``data_prep.text.contrasts``, by
which classifiers are scored; nine of ten were written without sight of those. Words of praise and blame
(``short_texts.toml``) are common ones, also those of the scores unless these are to be unseen. Sayings are templates,
too, mostly without anything to fill in: what people say of goods, places, works and news, which films do not teach.
"""

from __future__ import annotations

import re
from collections.abc import Collection, Mapping, Sequence
from functools import cache
from pathlib import Path
from typing import Literal, NamedTuple

import numpy as np

from data_prep.files import toml_beside
from data_prep.text.text_inputs import EOS
from data_prep.text.vocab import Vocabulary

_SAID = toml_beside(__file__)
LABELS = ("neg", "pos")
KINDS = ("negation", "expectation", "turn", "plain", "saying")
_IN_TURN = (*KINDS, "saying")  # twice as many of these: there are more of them, and no two are alike
_MOST_SENTENCES = 3  # of a piece
_FEWEST_WORDS = 2
_AGAIN = 3  # every third template, word and subject is held out

_AN = re.compile(r"\b([Aa])(?= (?:[aeio]|u(?!s|ni)))")  # an awful, an ugly; a useless, a unique
Part = Literal["train", "held_out", "all"]


class Made(NamedTuple):
    """A sentence, the number of its label in ``LABELS``, and its kind, of ``KINDS``."""

    text: str
    label: int
    kind: str


def pieces(
    document: np.ndarray, vocabulary: Vocabulary, count: int, longest: int, rng: np.random.Generator
) -> list[np.ndarray]:
    """Draw pieces of one to three sentences that follow each other.

    Args:
        document: Ids, the end last.
        vocabulary: Of the ids; sentences end at full stops and the like.
        count: The most pieces; each begins with another sentence.
        longest: The most ids of a piece, its end not counted; longer sentences are left out.
        rng: Of all draws.

    Returns:
        Ids of each, the end last.
    """
    last = np.isin(document[:-1], _ids(_SAID["ends"], vocabulary))
    # Several marks in a row end one sentence.
    stops = np.flatnonzero(last & ~np.append(last[1:], False)) + 1
    stops = np.union1d(stops, [len(document) - 1])
    starts = np.append(0, stops[:-1])
    found = []
    for first in rng.permutation(len(starts))[:count]:
        ends = stops[first : first + 1 + rng.integers(_MOST_SENTENCES)]
        ends = ends[ends - starts[first] <= longest]
        if len(ends) and ends[-1] - starts[first] >= _FEWEST_WORDS:
            found.append(np.append(document[starts[first] : ends[-1]], np.int32(EOS)))
    return found


@cache
def templates() -> Mapping[str, Sequence[str]]:
    """Read the templates of each kind; sayings, whose label no word of praise or blame decides, by their label."""
    lines = Path(__file__).with_suffix(".tsv").read_text(encoding="utf-8").splitlines()
    rows = [line.split("\t") for line in lines]
    return {kind: [one for own, one in rows if own == kind] for kind in (*KINDS[:-1], *LABELS)}


def sentences(count: int, seed: int, part: Part = "all", unseen: Collection[str] = ()) -> list[Made]:
    """Make sentences, as many of each label, and of each kind but sayings, of which there are twice as many.

    Args:
        count: How many.
        seed: Of all draws.
        part: Of templates and of all that fills them: ``"held_out"`` is every third one, ``"train"`` the others.
        unseen: Words of praise and blame that are left out.
    """
    own, verbs = (
        [_of(part, [word for word in _SAID[kind][label].split() if word not in unseen]) for label in LABELS]
        for kind in ("adjectives", "verbs")
    )
    scored = re.compile(rf"\b(?:{'|'.join(unseen)})\b", re.IGNORECASE)
    chosen = {
        kind: [one for one in _of(part, some) if not (unseen and kind in LABELS and scored.search(one))]
        for kind, some in templates().items()
    }
    slots = {name: _of(part, some) for name, some in _SAID["slots"].items()}
    made = []
    for number, draws in enumerate(np.random.default_rng(seed).random((count, len(slots) + 7)).tolist()):
        kind, label = _IN_TURN[number % len(_IN_TURN)], number // len(_IN_TURN) % 2
        drawn = iter(draws)
        words = {name: _one(some, next(drawn)) for name, some in slots.items()}
        for name, which in (("a", label), ("b", 1 - label)):
            words[name] = _one(own[which], next(drawn))
            words[f"{name}2"] = _one([word for word in own[which] if word != words[name]], next(drawn))
            words[f"{name}v"] = _one(verbs[which], next(drawn))
        text = _one(chosen.get(kind) or chosen[LABELS[label]], next(drawn)).format(**words)
        text = text if kind == "saying" else _AN.sub(r"\1n", text)
        made.append(Made(text[0].upper() + text[1:], label, kind))
    return made


def _one(some: Sequence[str], draw: float) -> str:
    return some[int(draw * len(some))]


def _of(part: Part, some: Sequence[str]) -> list[str]:
    return [
        one
        for at, one in enumerate(some)
        if part == "all" or (at % _AGAIN == _AGAIN - 1) == (part == "held_out")
    ]


def _ids(words: str, vocabulary: Vocabulary) -> list[int]:
    return [vocabulary.id(word) for word in words.split() if word in vocabulary]

"""Short texts to learn from: pieces of documents with a verdict, and sentences made by rules.

A classifier of long documents hardly learns that "not" turns a word round: it comes too seldom to matter there. In the
sentences made here it decides. Their words of praise and blame are found in the documents. Templates and other words
(``short_texts.tsv``, ``short_texts.toml``) are not those of ``data_prep.text.contrasts``, by which classifiers
are scored; nine of ten templates were written without sight of those.
"""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Literal, NamedTuple

import numpy as np

from data_prep.errors import InputError
from data_prep.files import toml_beside
from data_prep.text import contrasts
from data_prep.text.text_inputs import EOS
from data_prep.text.vocab import UNK, Vocabulary

_SAID = toml_beside(__file__)
LABELS = ("neg", "pos")
KINDS = ("negation", "expectation", "turn", "plain")
_LINES = Path(__file__).with_suffix(".tsv").read_text(encoding="utf-8").splitlines()
TEMPLATES: Mapping[str, tuple[str, ...]] = {
    kind: tuple(template for own, template in (line.split("\t") for line in _LINES) if own == kind)
    for kind in KINDS
}
_MOST_SENTENCES = 3  # of a piece
_FEWEST_WORDS = 2
_AGAIN = 3  # every third template, word and subject is held out
_COMES = 5  # times at least, where adjectives of praise and blame are looked for
_SHARE = 0.02  # of all places of a word at least are such
_ODDS = 0.45  # at least, of the logarithm of how much more often it comes in documents of one label

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


def telling_adjectives(
    documents: Sequence[np.ndarray], labels: np.ndarray, vocabulary: Vocabulary
) -> tuple[list[str], list[str]]:
    """Find adjectives that tell one label from the other, the surest first; none of the words that scores are made of.

    An adjective comes often between words such as "very" and a full stop. It tells a label by the logarithm of how much
    more often documents of it have the word (Wang and Manning 2012).

    Args:
        documents: Ids of each.
        labels: 0 or 1 of each, int (n,).
        vocabulary: Of the ids.

    Returns:
        Those of label 0, and those of label 1.
    """
    size, ids = len(vocabulary), np.concatenate(documents)
    before, after = (np.isin(ids, _ids(_SAID["found"][side], vocabulary)) for side in ("before", "after"))
    there = np.bincount(ids[1:-1][before[:-2] & after[2:]], minlength=size)
    counted = np.ones((2, size))
    for document, label in zip(documents, labels, strict=True):
        counted[label, np.unique(document)] += 1
    odds = np.diff(np.log(counted / np.bincount(labels, minlength=2)[:, None]), axis=0)[0]
    enough = (there >= _COMES) & (there >= _SHARE * np.bincount(ids, minlength=size))
    scored = tuple(word.removesuffix("e") for word in contrasts.words())
    found = []
    for sign in (-1, 1):
        rows = [
            row for row in np.argsort(-sign * odds, kind="stable") if enough[row] and sign * odds[row] > _ODDS
        ]
        words = [vocabulary.decode([row])[0] for row in rows if row > UNK]
        # Adverbs of adjectives stand there too: "very poorly".
        words = [word for word in words if not (word.endswith("ly") and word[:-2] in vocabulary)]
        found.append([word for word in words if word.isalpha() and not word.startswith(scored)])
    return tuple(found)


def sentences(adjectives: Sequence[Sequence[str]], count: int, seed: int, part: Part = "all") -> list[Made]:
    """Make sentences, as many of each kind and label.

    Args:
        adjectives: Of each label, as :func:`telling_adjectives` finds them.
        count: How many.
        seed: Of all draws.
        part: Of templates and of all that fills them: ``"held_out"`` is every third one, ``"train"`` the others.

    Raises:
        InputError: There are fewer than two adjectives of a label to take.
    """
    own = [_of(part, some) for some in adjectives]
    verbs = [_of(part, _SAID["verbs"][label].split()) for label in LABELS]
    if min(map(len, own)) < 2:
        raise InputError(
            "The documents have too few adjectives of praise and blame to make sentences of",
            allowed="two of each label",
            received=[len(some) for some in own],
        )
    templates = [_of(part, TEMPLATES[kind]) for kind in KINDS]
    slots = {name: _of(part, some) for name, some in _SAID["slots"].items()}
    made = []
    for number, draws in enumerate(np.random.default_rng(seed).random((count, len(slots) + 7)).tolist()):
        kind, label = number % len(KINDS), number // len(KINDS) % 2
        drawn = iter(draws)
        words = {name: _one(some, next(drawn)) for name, some in slots.items()}
        for name, which in (("a", label), ("b", 1 - label)):
            words[name] = _one(own[which], next(drawn))
            words[f"{name}2"] = _one([word for word in own[which] if word != words[name]], next(drawn))
            words[f"{name}v"] = _one(verbs[which], next(drawn))
        text = _AN.sub(r"\1n", _one(templates[kind], next(drawn)).format(**words))
        made.append(Made(text[0].upper() + text[1:], label, KINDS[kind]))
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

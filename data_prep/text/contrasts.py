"""Negations and turns, made of templates and words (``contrasts.toml``), to score by; nothing learns from them.

"Not bad at all." praises, "I expected to love it." does not: who only counts words is misled by every one of these
sentences, since each word of praise comes as often in sentences that blame. ``other_origins.tsv`` holds sentences about
other things than films: a tenth of the sayings, whose rest is in ``data_prep.text.short_texts``.
"""

from __future__ import annotations

from pathlib import Path
from typing import NamedTuple

from data_prep.files import toml_beside

_SAID = toml_beside(__file__)
KINDS = tuple(_SAID["templates"])
ORIGINS = ("goods", "places", "works", "news")
_OTHERS = Path(__file__).with_name("other_origins.tsv")


class Contrast(NamedTuple):
    """A sentence, ``"pos"`` or ``"neg"`` as it is meant, its kind (of ``KINDS``), and the number of its template."""

    text: str
    label: str
    kind: str
    template: int


def words() -> frozenset[str]:
    """Return the words of praise and blame in the sentences, which rules to learn from can leave out."""
    pairs = (*_SAID["words"].values(), *_SAID["verbs"].values())
    return frozenset(word for some in pairs for word in some.split())


def contrasts() -> list[Contrast]:
    """Make all sentences: every template of every kind with every subject and pair of words, the same ones every time.

    A template holds ``{word}``, by whose label the sentence is labelled the other way round, and perhaps ``{other}``, a
    word of the other label.
    """
    found: list[Contrast] = []
    number = 0
    for kind, templates in _SAID["templates"].items():
        for template in templates:
            for subject in _SAID["subjects"]:
                words = _SAID["verbs" if "to {word}" in template else "words"]
                for pair in zip(words["pos"].split(), words["neg"].split(), strict=True):
                    for (word, other), label in ((pair, "neg"), (pair[::-1], "pos")):
                        text = template.format(it=subject, word=word, other=other)
                        found.append(Contrast(text[0].upper() + text[1:], label, kind, number))
            number += 1
    return found


def other_origins() -> list[Contrast]:
    """Return sentences of other origin; the kind is of ``ORIGINS``, and each is a template of its own."""
    rows = (line.split("\t") for line in _OTHERS.read_text(encoding="utf-8").splitlines())
    return [Contrast(text, label, origin, number) for number, (origin, label, text) in enumerate(rows)]

"""Texts of small made grammars (``made_texts.toml``): something to learn from where there are no data and no network.

Reviews have labels, sentences have tags.
"""

from __future__ import annotations

from typing import Literal

import numpy as np

from data_prep.files import toml_beside
from data_prep.readers.conllu import Sentence, Word, plain_sentence
from data_prep.readers.labelled_texts import LabelledTexts, labelled

_GRAMMARS = toml_beside(__file__)
_SIZES = {"train": 400, "dev": 80, "test": 80}
_SEEDS = {"train": 1, "dev": 2, "test": 3}


def made_reviews(count: int, seed: int) -> LabelledTexts:
    """Make so many reviews of a few sentences, half labelled ``neg`` and half ``pos``; a seed makes the same ones."""
    rng = np.random.default_rng(seed)
    labels = [("neg", "pos")[at % 2] for at in range(count)]
    return labelled((_review(rng, label), label) for label in labels)


def made_sentences(part: Literal["train", "dev", "test"]) -> list[Sentence]:
    """Make the sentences of a part, with UPOS and XPOS; the same ones every time."""
    rng = np.random.default_rng(_SEEDS[part])
    return [_sentence(rng, f"{part}-{number}") for number in range(1, _SIZES[part] + 1)]


def _review(rng: np.random.Generator, label: str) -> str:
    words, patterns = _GRAMMARS["reviews"]["words"], _GRAMMARS["reviews"]["patterns"]

    def drawn(kind: str) -> str:
        return str(rng.choice(words[kind].split()))

    sentences = []
    for at in range(int(rng.integers(2, 6))):
        # The first sentence always says what the review is.
        pattern = str(rng.choice(patterns[: -1 if at == 0 else None]))
        free = {kind: drawn(kind) for kind in ("thing", "very", "who", "saw", "when")}
        own, other = drawn(label), drawn("pos" if label == "neg" else "neg")
        sentences.append(pattern.format(own=own, other=other, **free))
    return " ".join(sentence[0].upper() + sentence[1:] for sentence in sentences)


def _sentence(rng: np.random.Generator, sent_id: str) -> Sentence:
    words: list[Word] = []
    text = ""
    for slot in str(rng.choice(_GRAMMARS["sentences"]["patterns"])).split():
        choices, upos, xpos = _GRAMMARS["sentences"]["words"][slot]
        form = str(rng.choice(choices.split()))
        if not words:
            form = form[0].upper() + form[1:]
        elif upos != "PUNCT":
            text += " "
        words.append(Word(form, upos, xpos, len(text), len(text) + len(form)))
        text += form
    return plain_sentence(text, words, sent_id=sent_id)

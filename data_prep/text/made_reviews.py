"""Reviews of a small made grammar: something to learn from where there are neither data nor a network."""

from __future__ import annotations

import numpy as np

from data_prep.readers.labelled_texts import LabelledTexts, labelled

_WORDS = {
    "neg": "dull weak boring poor awful lifeless clumsy flat",
    "pos": "warm funny clever moving bright lovely gripping fresh",
    "thing": "film story plot acting script music ending scene",
    "very": "very rather so truly quite really",
    "who": "I we they everyone Anna Ben",
    "saw": "watched saw followed remembered",
    "when": "yesterday today again twice alone",
}
# A word that is turned around tells nothing by itself: what stands in front of it has to be remembered.
_PATTERNS = (
    "the {thing} was {very} {own} .",
    "{who} {saw} it {when} and found the {thing} {own} .",
    "nothing about the {thing} is {other} .",
    "not a {other} {thing} at all !",
    "what a {own} {thing} , {who} said .",
    "{who} {saw} the {thing} {when} .",
)


def made_reviews(count: int, seed: int) -> LabelledTexts:
    """Make reviews of a few sentences, half of them good and half bad.

    Args:
        count: How many.
        seed: The same seed makes the same ones.

    Returns:
        The reviews with the labels ``neg`` and ``pos``.
    """
    rng = np.random.default_rng(seed)
    labels = [("neg", "pos")[at % 2] for at in range(count)]
    return labelled((_made(rng, label), label, f"made {at}") for at, label in enumerate(labels, start=1))


def _made(rng: np.random.Generator, label: str) -> str:
    other = "pos" if label == "neg" else "neg"

    def drawn(kind: str) -> str:
        return str(rng.choice(_WORDS[kind].split()))

    sentences = []
    for at in range(int(rng.integers(2, 6))):
        # The first sentence always says what it is; the last pattern never does.
        pattern = str(rng.choice(_PATTERNS[: -1 if at == 0 else None]))
        free = {kind: drawn(kind) for kind in ("thing", "very", "who", "saw", "when")}
        sentences.append(pattern.format(own=drawn(label), other=drawn(other), **free))
    return " ".join(sentence[0].upper() + sentence[1:] for sentence in sentences)

"""Tagged sentences of a small made grammar: something to train on where there are neither data nor a network."""

from __future__ import annotations

from typing import Literal

import numpy as np

from data_prep.readers.conllu import Sentence, Word, plain_sentence

_SIZES = {"train": 400, "dev": 80, "test": 80}
_SEEDS = {"train": 1, "dev": 2, "test": 3}

# Slot of a pattern to its words and their tags; some words have two, so that the sentence has to decide.
_WORDS = {
    "Name": ("Anna Ben Clara Dublin Omar Zürich Ivy Paul", "PROPN", "NNP"),
    "det": ("the a this every our their", "DET", "DT"),
    "adj": ("old green quiet clever warm busy small round", "ADJ", "JJ"),
    "noun": ("dog garden book river walk run plan light", "NOUN", "NN"),
    "nouns": ("dogs gardens books rivers walks runs plans lights", "NOUN", "NNS"),
    "verb": ("walk run plan light see like find follow", "VERB", "VB"),
    "verbs": ("walks runs plans lights sees likes finds follows", "VERB", "VBZ"),
    "past": ("walked planned saw liked found followed opened", "VERB", "VBD"),
    "aux": ("can will must may", "AUX", "MD"),
    "pron": ("he she it they we", "PRON", "PRP"),
    "adv": ("often slowly never soon quietly", "ADV", "RB"),
    "prep": ("in near behind with from", "ADP", "IN"),
    "and": ("and or but", "CCONJ", "CC"),
    "num": ("two 7 twelve 300 1984", "NUM", "CD"),
    "because": ("because while if", "SCONJ", "IN"),
    "to": ("to", "PART", "TO"),
    "wow": ("wow oh hey", "INTJ", "UH"),
    ",": (",", "PUNCT", ","),
    ".": (". ! ?", "PUNCT", "."),
}
_PATTERNS = (
    "Name verbs det adj noun .",
    "det noun aux verb det noun prep Name .",
    "pron past num nouns and det adj nouns .",
    "wow , Name adv verbs .",
    "nouns past adv because det noun past Name .",
    "pron aux adv verb to verb det nouns prep det adj noun .",
    "det adj adj noun and Name past prep num nouns .",
)


def made_sentences(part: Literal["train", "dev", "test"]) -> list[Sentence]:
    """Make the sentences of a part; the same ones every time.

    Args:
        part: Name of the part.

    Returns:
        Its sentences, with UPOS and XPOS.
    """
    rng = np.random.default_rng(_SEEDS[part])
    return [_made(rng, f"{part}-{number}") for number in range(1, _SIZES[part] + 1)]


def _made(rng: np.random.Generator, sent_id: str) -> Sentence:
    words: list[Word] = []
    text = ""
    for slot in str(rng.choice(_PATTERNS)).split():
        choices, upos, xpos = _WORDS[slot]
        form = str(rng.choice(choices.split()))
        if not words:
            form = form[0].upper() + form[1:]
        elif upos != "PUNCT":
            text += " "
        words.append(Word(form, upos, xpos, len(text), len(text) + len(form)))
        text += form
    return plain_sentence(text, words, sent_id=sent_id)

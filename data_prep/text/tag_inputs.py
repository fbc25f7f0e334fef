"""Words of a sentence to the numbers that a tagger reads: ids, characters, mask; one way for fit and use."""

from __future__ import annotations

import unicodedata
from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from typing import NamedTuple

import numpy as np

from data_prep.batching import pad, pad_characters, rounded_up
from data_prep.text.vocab import DEFAULT_SPECIALS, UNK, Vocabulary

# Behind PAD and UNK; a character's id is its place in the alphabet plus FIRST_CHARACTER.
WORD_BEGIN, WORD_END = 2, 3
FIRST_CHARACTER = 4
HEAD_CHARACTERS = TAIL_CHARACTERS = 10
TIME_STEP, CHARACTER_STEP = 16, 8  # lengths are rounded up to them where few shapes are wanted

_STRAIGHT = str.maketrans({"’": "'", "‘": "'", "“": '"', "”": '"'})


class EncodedWord(NamedTuple):
    """One word: its row among the word vectors, its character ids, and whether training has seen its form."""

    row: int
    characters: tuple[int, ...]
    unknown: bool


def word_key(form: str) -> str:
    """Return the form under which a word's vector is kept: NFC, lower case, straight quotes."""
    return unicodedata.normalize("NFC", form).lower().translate(_STRAIGHT)


class TagInputs:
    """Encoder of words.

    Args:
        vocabulary: First the keys that have a row of their own among the word vectors, then forms of the
            training data that are no such key. Its counts say how often each exact form occurred in training,
            so that 0 marks a form never seen there.
        rows: Number of rows of the word vectors, specials included.
        alphabet: The characters that the network knows, in the order of their ids.
    """

    def __init__(self, vocabulary: Vocabulary, rows: int, alphabet: str) -> None:
        self.vocabulary, self.rows = vocabulary, rows
        self._character_ids = {character: at for at, character in enumerate(alphabet, FIRST_CHARACTER)}

    def encode(self, forms: Iterable[str]) -> list[EncodedWord]:
        """Encode words."""
        return list(map(self._encoded, forms))

    def _encoded(self, form: str) -> EncodedWord:
        row, counts = self.vocabulary.id(word_key(form)), self.vocabulary.counts
        known = form in self.vocabulary and (counts is None or counts[self.vocabulary.id(form)] > 0)
        return EncodedWord(row if row < self.rows else UNK, self.characters(form), not known)

    def characters(self, form: str) -> tuple[int, ...]:
        """Give the ids of a word's characters between the marks of its begin and end.

        Of a word of more than 20 characters the network sees the first and the last ten.
        """
        if len(form) > HEAD_CHARACTERS + TAIL_CHARACTERS:
            form = form[:HEAD_CHARACTERS] + form[-TAIL_CHARACTERS:]
        return (WORD_BEGIN, *(self._character_ids.get(c, UNK) for c in form), WORD_END)


def batch_inputs(sentences: Sequence[Sequence[EncodedWord]]) -> dict[str, np.ndarray]:
    """Pad encoded sentences: ``words`` int32, ``mask`` bool (batch, time), ``characters`` int32 (..., characters)."""
    words = pad([[word.row for word in sentence] for sentence in sentences])
    characters = pad_characters(
        [[word.characters for word in sentence] for sentence in sentences], words.mask
    )
    return {"words": words.values, "characters": characters, "mask": words.mask}


def few_shapes_of(inputs: Mapping[str, np.ndarray]) -> dict[str, np.ndarray]:
    """Pad a batch of :func:`batch_inputs` so that few shapes come."""
    steps = {1: TIME_STEP, 2: CHARACTER_STEP}
    return {name: rounded_up(array, steps) for name, array in inputs.items()}


def counts_by_key(counts: Mapping[str, int]) -> Counter[str]:
    """Add up the counts of forms that have one key."""
    keyed: Counter[str] = Counter()
    for form, count in counts.items():
        keyed[word_key(form)] += count
    return keyed


def alphabet_of(forms: Iterable[str], min_count: int) -> str:
    """Return the characters that occur at least so often in the forms, by falling count."""
    counts = Counter(character for form in forms for character in form)
    kept = [character for character, count in counts.items() if count >= min_count]
    return "".join(sorted(kept, key=lambda character: (-counts[character], character)))


def tagger_vocabulary(
    forms: Iterable[str], vector_keys: Iterable[str], max_rows: int
) -> tuple[Vocabulary, int, int]:
    """Lay out the vocabulary of a tagger by the words of training, and keys that have a vector, frequent ones first.

    Words that are written like a special entry are left out; they are read as unknown ones.

    Returns:
        The vocabulary of :class:`TagInputs`; the number of its rows, at most ``max_rows``; and how many of those stand
        for keys that occur at least twice in training (they come first, specials included) and get a trained vector.
    """
    exact = Counter(form for form in forms if word_key(form) not in DEFAULT_SPECIALS)
    keyed = counts_by_key(exact)
    trained = sorted(keyed, key=lambda key: (-keyed[key], key))
    repeated = sum(count >= 2 for count in keyed.values())
    further = [key for key in vector_keys if key not in keyed and key not in DEFAULT_SPECIALS]
    keys = (trained + further)[: max_rows - 2]
    taken = set(keys)
    entries = keys + sorted(form for form in exact if form not in taken)
    vocabulary = Vocabulary(entries, [exact[entry] for entry in entries])
    return vocabulary, len(keys) + 2, min(repeated, len(keys)) + 2

"""The words of many texts in ASCII to ids, compiled: what ``data_prep.text.text_inputs.encode`` gives, sooner."""

from __future__ import annotations

import numpy as np

from data_prep.text.text_inputs import EOS
from data_prep.text.vocab import UNK, Vocabulary
from models.serving.compiled import compiled

_SPACE, _LETTER, _DIGIT, _OTHER = range(4)
_KINDS = np.array(
    [_LETTER if chr(code).isalpha() else _DIGIT if chr(code).isdigit() else _OTHER for code in range(128)],
    np.uint8,
)
_KINDS[list(b" \t\n\r\f\v")] = _SPACE
_LOWER = np.array([ord(chr(code).lower()) for code in range(128)], np.uint8)


class AsciiWords:
    """A vocabulary by the bytes of its words, those in ASCII; threads can share it."""

    def __init__(self, vocabulary: Vocabulary) -> None:
        known = [word.encode() if word.isascii() else b"" for word in vocabulary.entries]
        words = [b""] * len(vocabulary.specials) + known
        self._letters = np.frombuffer(b"".join(words), np.uint8)
        self._ends = np.cumsum([len(word) for word in words])
        self._table = np.full(1 << (2 * len(words)).bit_length(), -1, np.int32)
        _fill(self._table, self._letters, self._ends)

    def read(self, text: str) -> tuple[np.ndarray, int, int]:
        """Encode a text in ASCII without markup: ids int32 with the end last, words, and unknown ones of them."""
        codes = np.frombuffer(text.encode("ascii"), np.uint8)
        ids = np.empty(len(codes) + 1, np.int32)
        count, words, unknown = _read(codes, _KINDS, _LOWER, self._table, self._letters, self._ends, ids)
        return ids[: count + 1].copy(), words, unknown


@compiled
def _place(word: np.ndarray, table: np.ndarray, letters: np.ndarray, ends: np.ndarray) -> int:
    """Return the place of a word uint8 (letters,) in the table, or the empty one where it belongs."""
    place = 0
    for letter in word:
        place = ((place ^ letter) * 16_777_619) & 0xFFFFFFFF  # Fowler, Noll and Vo
    place = (place ^ (place >> 15)) & (len(table) - 1)
    while table[place] >= 0:
        end = ends[table[place]]
        start = end - len(word)
        if start == (ends[table[place] - 1] if table[place] else 0):
            same = True
            for at in range(len(word)):
                same &= letters[start + at] == word[at]
            if same:
                break
        place = (place + 1) & (len(table) - 1)
    return place


@compiled
def _fill(table: np.ndarray, letters: np.ndarray, ends: np.ndarray) -> None:
    start = 0
    for number in range(len(ends)):
        if ends[number] > start:
            table[_place(letters[start : ends[number]], table, letters, ends)] = number
        start = ends[number]


@compiled
def _read(
    codes: np.ndarray,
    kinds: np.ndarray,
    lower: np.ndarray,
    table: np.ndarray,
    letters: np.ndarray,
    ends: np.ndarray,
    ids: np.ndarray,
) -> tuple[int, int, int]:
    """Fill in ids; return how many there are without the end, and how many are words, and unknown words."""
    small = np.empty(len(codes), np.uint8)
    for at in range(len(codes)):
        small[at] = lower[codes[at]]
    count, words, unknown, at = 0, 0, 0, 0
    while at < len(codes):
        kind, start = kinds[codes[at]], at
        at += 1
        if kind == _SPACE:
            continue
        while kind != _OTHER and at < len(codes) and kinds[codes[at]] == kind:
            at += 1
        number = table[_place(small[start:at], table, letters, ends)]
        ids[count] = number if number >= 0 else UNK
        count += 1
        if kind != _OTHER:
            words += 1
            unknown += number < 0
    ids[count] = EOS
    return count, words, unknown

"""An index over a text that tells which parts of another text occur in it, and where: a suffix array.

Manber and Myers 1993, "Suffix arrays: a new method for on-line string searches"; the array itself comes from the
library pydivsufsort (Y. Mori's libdivsufsort). All positions of a query are looked up in one sorted search for
matches of up to 16 bytes. Longer matches are few: they are followed one by one.
"""

from __future__ import annotations

from bisect import bisect_left, bisect_right
from typing import NamedTuple

import numpy as np

from data_prep.errors import InputError

MAX_CHARACTERS = 20_000_000

_HALF = 8  # bytes of one 64-bit key
_WHOLE = 2 * _HALF
_AT_ONCE = 1 << 18  # query bytes looked up in one step, which bounds the memory


class Matches(NamedTuple):
    """The longest match at each position of a query.

    ``lengths`` int32 (characters,): how many characters from there on occur in the text in a row; 0 where the
    character itself does not occur. ``places`` int32 (characters,): where they begin in the text, -1 for none.
    """

    lengths: np.ndarray
    places: np.ndarray


class CopyIndex:
    """The suffix array of a text; threads can share it.

    It takes about 25 bytes of memory for each byte of the text.

    Args:
        text: The text to find copies of, 1 to 20,000,000 characters, without NUL.

    Raises:
        InputError: If the text is empty, too long or has a NUL character.
    """

    def __init__(self, text: str) -> None:
        import pydivsufsort  # here, so that importing this module stays cheap

        if not 1 <= len(text) <= MAX_CHARACTERS:
            raise InputError(
                "The text cannot be indexed",
                allowed=f"1 to {MAX_CHARACTERS:,} characters",
                received=len(text),
            )
        if "\0" in text:
            raise InputError(f"The text is binary: NUL character at position {text.index(chr(0))}")
        self.text = text
        self._bytes = _Bytes(text)
        data = self._bytes.data
        self._order = np.asarray(pydivsufsort.divsufsort(data), np.int32)
        keys = _keys(np.frombuffer(data, np.uint8), 0)
        self._halves, ranks = np.unique(keys, return_inverse=True)
        # Eight bytes that occur have an even code, others an odd one between two of these; the end of the text
        # comes before all, the end of a query behind all.
        self._end_code = 2 * len(self._halves) + 2
        codes = np.concatenate([2 * ranks + 2, np.zeros(_HALF, np.int64)])
        self._wholes = self._pairs(codes, len(data))[self._order]

    def longest_at(self, query: str) -> Matches:
        """Find the longest match at each position.

        Args:
            query: The text to look up, of any length.

        Returns:
            Lengths and places, as ``Matches`` says; of several places of the same length any one.
        """
        sought = _Bytes(query)
        lengths = np.zeros(len(sought.data), np.int32)
        places = np.full(len(sought.data), -1, np.int32)
        for start in range(0, len(sought.data), _AT_ONCE):
            part = slice(start, start + _AT_ONCE)
            data = np.frombuffer(sought.data[start : start + _AT_ONCE + _WHOLE], np.uint8)
            found = self._short(data, min(_AT_ONCE, len(sought.data) - start))
            lengths[part], places[part] = found
        self._follow(sought.data, lengths, places)
        return sought.characters(lengths, places, self._bytes)

    def places_of(self, passage: str) -> np.ndarray:
        """Find every place where a passage occurs.

        Args:
            passage: One character or more.

        Returns:
            First character of each occurrence, int32 (occurrences,), rising; empty if there is none.

        Raises:
            InputError: If the passage is empty.
        """
        if not passage:
            raise InputError("A passage of no characters occurs everywhere", allowed="1 character or more")
        pattern, data, size = _encoded(passage), self._bytes.data, len(_encoded(passage))
        first = bisect_left(self._order, pattern, key=lambda place: data[place : place + size])
        behind = bisect_right(self._order, pattern, first, key=lambda place: data[place : place + size])
        return np.sort(self._bytes.before(self._order[first:behind]))

    def _short(self, data: np.ndarray, count: int) -> tuple[np.ndarray, np.ndarray]:
        """Find the longest matches of up to 16 bytes at the first ``count`` places of ``data``."""
        # Sorted queries walk through the sorted keys from one end to the other: several times faster.
        keys = _keys(data, 0xFF)
        by_key = np.argsort(keys)
        ranks = np.empty(len(keys), np.int64)
        ranks[by_key] = np.searchsorted(self._halves, keys[by_key])
        known = self._halves[np.minimum(ranks, len(self._halves) - 1)] == keys
        codes = np.concatenate([2 * ranks + 1 + known, np.full(_HALF, self._end_code)])
        wholes = self._pairs(codes, count)
        by_whole = np.argsort(wholes)
        at = np.empty(count, np.int64)
        at[by_whole] = np.searchsorted(self._wholes, wholes[by_whole])
        padded = np.concatenate([data, np.full(_WHOLE, 0xFF, np.uint8)])
        after = self._order[np.minimum(at, len(self._order) - 1)]
        before = self._order[np.maximum(at - 1, 0)]
        lengths_after = self._common(padded, count, after)
        lengths_before = self._common(padded, count, before)
        is_after = lengths_after >= lengths_before
        lengths = np.where(is_after, lengths_after, lengths_before)
        places = np.where(is_after, after, before)
        return lengths, np.where(lengths > 0, places, -1)

    def _pairs(self, codes: np.ndarray, count: int) -> np.ndarray:
        """Return the codes of a place and of that eight bytes later as one number, int64 (count,)."""
        return codes[:count] * (self._end_code + 1) + codes[_HALF : _HALF + count]

    def _common(self, padded: np.ndarray, count: int, places: np.ndarray) -> np.ndarray:
        """Count equal bytes, at most 16, of each place of the query and a place of the text."""
        own = np.lib.stride_tricks.sliding_window_view(padded, _WHOLE)[:count]
        others = np.lib.stride_tricks.sliding_window_view(self._bytes.padded, _WHOLE)[places]
        differs = own != others
        lengths = np.where(differs.any(axis=1), differs.argmax(axis=1), _WHOLE)
        return np.minimum(lengths, len(self._bytes.data) - places)

    def _follow(self, query: bytes, lengths: np.ndarray, places: np.ndarray) -> None:
        """Replace the lengths of 16, which are capped, by the true ones.

        A match ends where the match at the next position ends, or before it. So one match tells the lengths at all
        positions up to the first one from which something longer occurs.
        """
        capped = np.flatnonzero(lengths == _WHOLE)
        is_capped = lengths == _WHOLE
        number = 0
        while number < len(capped):
            start = int(capped[number])
            place, length = self._longest(query, start)
            end = start + length
            behind = end - _WHOLE + 1  # the first position whose 16 bytes reach beyond the end
            if end < len(query) and is_capped[behind]:
                behind = self._first_beyond(query, start + 1, behind, end)
            lengths[start:behind] = np.arange(length, length - (behind - start), -1)
            places[start:behind] = np.arange(place, place + behind - start)
            number = int(np.searchsorted(capped, behind))

    def _first_beyond(self, query: bytes, low: int, high: int, end: int) -> int:
        """Return the first position of low..high from which the query occurs beyond ``end``; high is one."""
        return low + bisect_left(range(low, high), True, key=lambda at: self._occurs(query[at : end + 1]))

    def _occurs(self, pattern: bytes) -> bool:
        data, size = self._bytes.data, len(pattern)
        at = bisect_left(self._order, pattern, key=lambda place: data[place : place + size])
        return at < len(self._order) and data[self._order[at] : self._order[at] + size] == pattern

    def _longest(self, query: bytes, start: int) -> tuple[int, int]:
        """Return where the longest match of ``query[start:]`` begins in the text, and its length in bytes."""
        data, low, size = self._bytes.data, 0, 4 * _WHOLE
        while True:
            pattern = query[start : start + size]
            low = bisect_left(
                self._order, pattern, low, key=lambda place, size=size: data[place : place + size]
            )
            near = [int(place) for place in self._order[max(0, low - 1) : low + 1]]
            length, place = max((_common_prefix(pattern, data[p : p + size]), p) for p in near)
            if length < size:
                return place, length
            size *= 4


class _Bytes:
    """A text as UTF-8, whose byte order is that of the characters, and the way back to characters."""

    def __init__(self, text: str) -> None:
        self.data = _encoded(text)
        self.padded = np.concatenate([np.frombuffer(self.data, np.uint8), np.zeros(_WHOLE, np.uint8)])
        self._starts = None
        if len(self.data) != len(text):
            is_start = (self.padded[: len(self.data)] & 0xC0) != 0x80
            self._starts = np.flatnonzero(is_start)
            self._before = np.concatenate([[0], np.cumsum(is_start)]).astype(np.int32)

    def before(self, places: np.ndarray) -> np.ndarray:
        """Turn byte places at the borders of characters into character places."""
        return places if self._starts is None else self._before[places]

    def characters(self, lengths: np.ndarray, places: np.ndarray, other: _Bytes) -> Matches:
        """Turn byte matches of this text in another one into matches of whole characters."""
        if self._starts is not None:
            ends = self._starts + lengths[self._starts]
            whole = self._before[ends] - self._before[self._starts]
            # A byte inside a character follows: the character that begins before it is not matched.
            inside = (self.padded[ends] & 0xC0) == 0x80
            lengths = (whole - inside).astype(np.int32)
            places = places[self._starts]
        places = np.where(lengths > 0, other.before(places), -1).astype(np.int32)
        return Matches(lengths, places)


def _encoded(text: str) -> bytes:
    return text.encode("utf-8", "surrogatepass")  # a lone surrogate is a character like any other


def _keys(data: np.ndarray, behind: int) -> np.ndarray:
    """Return eight bytes from each place on as one number, in the order of strings; ``behind`` fills the end."""
    padded = np.concatenate([data, np.full(_HALF, behind, np.uint8)]).astype(np.uint64)
    keys = np.zeros(len(data), np.uint64)
    for at in range(_HALF):
        keys <<= np.uint64(8)
        keys |= padded[at : at + len(data)]
    return keys


def _common_prefix(one: bytes, other: bytes) -> int:
    """Count the bytes that two strings begin with in common."""
    size = min(len(one), len(other))
    difference = int.from_bytes(one[:size], "big") ^ int.from_bytes(other[:size], "big")
    return size - (difference.bit_length() + 7) // 8

"""An index over a text that tells which parts of another text occur in it, and where: a suffix array.

Manber and Myers 1993, "Suffix arrays: a new method for on-line string searches"; the array and single searches in it
come from the library pydivsufsort (Y. Mori's libdivsufsort). All positions of a query are looked up at once for
matches of up to 16 bytes. Longer matches are few: they are followed one by one.
"""

from __future__ import annotations

from bisect import bisect_left

import numpy as np

from data_prep.errors import InputError

MAX_CHARACTERS = 20_000_000

_WIDTH = 16  # bytes of a match that all positions are looked up for at once


class CopyIndex:
    """The suffix array of a text; threads can share it. It takes about 30 bytes for each byte of the text.

    Args:
        text: The text to find copies of, 1 to 20,000,000 characters, without NUL.

    Raises:
        InputError: If the text is too long.
    """

    def __init__(self, text: str) -> None:
        import pydivsufsort  # here, so that importing this module stays cheap

        if len(text) > MAX_CHARACTERS:
            raise InputError(
                "The text cannot be indexed",
                allowed=f"at most {MAX_CHARACTERS:,} characters",
                received=len(text),
            )
        self._data = _encoded(text)
        self._starts = _character_starts(self._data)
        self._order = pydivsufsort.divsufsort(self._data)
        self._search = pydivsufsort.sa_search
        # The end of the text is followed by zeros, that of a query by bytes that no text has.
        self._windows = _windows(self._data + b"\0" * _WIDTH)[self._order]

    def longest_at(self, query: str) -> np.ndarray:
        """Find how many characters from each position of a query on occur in the text in a row, int32 (characters,)."""
        data = _encoded(query).replace(b"\0", b"\xff")
        windows = _windows(data + b"\xff" * _WIDTH)
        after = np.searchsorted(self._windows, windows)
        neighbours = (np.maximum(after - 1, 0), np.minimum(after, len(self._windows) - 1))
        lengths = np.maximum(*(_common(windows, self._windows[near]) for near in neighbours))
        self._follow(data, lengths)
        starts = _character_starts(data)
        ends = starts[:-1] + lengths[starts[:-1]]
        whole = np.searchsorted(starts, ends, "right") - 1  # the character that a match ends in or before
        return (whole - np.arange(len(whole))).astype(np.int32)

    def places_of(self, passage: str) -> np.ndarray:
        """Find where a passage of one character or more occurs: the first character of each place, int, rising."""
        count, first = self._search(self._data, self._order, _encoded(passage))
        places = self._order[first : first + count] if count else self._order[:0]
        return np.searchsorted(self._starts, np.sort(places))

    def _follow(self, query: bytes, lengths: np.ndarray) -> None:
        """Replace the lengths of 16, which are capped, by the true ones.

        A match ends where the match at the next position ends, or before it. So one match tells the lengths at all
        positions up to the first one from which something longer occurs.
        """
        is_capped = lengths == _WIDTH
        behind = 0
        for start in np.flatnonzero(is_capped).tolist():
            if start < behind:
                continue
            end = start + self._longest(query, start)
            behind = end - _WIDTH + 1  # the first position whose 16 bytes reach beyond the end
            if end < len(query) and is_capped[behind]:
                behind = self._first_beyond(query, range(start, behind), end)
            lengths[start:behind] = end - np.arange(start, behind)

    def _first_beyond(self, query: bytes, positions: range, end: int) -> int:
        """Return the first position from which the query occurs beyond ``end``, or what follows the positions."""
        return positions.start + bisect_left(
            positions, True, key=lambda at: self._occurs(query[at : end + 1])
        )

    def _longest(self, query: bytes, start: int) -> int:
        """Return the length of the longest match of ``query[start:]``, which has at least 16 bytes."""
        size = _WIDTH
        while start + size < len(query) and self._occurs(query[start : start + size]):
            size *= 2
        sizes = range(size // 2, min(size, len(query) - start) + 1)  # the first one occurs
        longer = bisect_left(sizes, True, key=lambda size: not self._occurs(query[start : start + size]))
        return sizes[longer - 1]

    def _occurs(self, pattern: bytes) -> bool:
        return self._search(self._data, self._order, pattern)[0] > 0


def _encoded(text: str) -> bytes:
    # In the order of the characters; half a surrogate pair is a character like any other.
    return text.encode("utf-8", "surrogatepass")


def _character_starts(data: bytes) -> np.ndarray:
    """Return the first byte of each character, and the number of bytes, int (characters + 1,)."""
    return np.append(np.flatnonzero((np.frombuffer(data, np.uint8) & 0xC0) != 0x80), len(data))


def _windows(padded: bytes) -> np.ndarray:
    """Return the 16 bytes from each place on but the last 16 places, bytes (places,)."""
    return np.ndarray(len(padded) - _WIDTH, f"S{_WIDTH}", padded, strides=1).copy()


def _common(one: np.ndarray, other: np.ndarray) -> np.ndarray:
    """Count the bytes that the windows of two arrays begin with in common, int32 (windows,)."""
    differs = (one.view(np.uint8) != other.view(np.uint8)).reshape(-1, _WIDTH)
    return np.where(differs.any(axis=1), differs.argmax(axis=1), _WIDTH).astype(np.int32)

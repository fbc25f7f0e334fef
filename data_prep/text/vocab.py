"""The vocabulary: strings to ids and back; saved as JSON, so that a space or a newline is not lost."""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Iterable, Iterator, Mapping, Sequence
from itertools import repeat
from typing import Any

import numpy as np

from data_prep.errors import InputError

PAD = 0
UNK = 1
PAD_TOKEN = "<pad>"
UNK_TOKEN = "<unk>"
EOS_TOKEN = "<eos>"
DEFAULT_SPECIALS = (PAD_TOKEN, UNK_TOKEN)

_FORMAT = "lectern.vocabulary"
_VERSION = 1


class Vocabulary:
    """Ids for strings: first the specials (PAD=0, UNK=1, then others), then the entries in their order.

    Args:
        entries: Different strings, without the specials. Any string counts, also a space or a newline.
        counts: How often each entry occurs in the corpus, one integer an entry; None if not known.
        specials: ``()`` (word2vec: ids are ranks) or ``("<pad>", "<unk>", ...)``.

    Raises:
        InputError: If an entry is not a string, occurs twice or is a special, if the counts do not fit, or if
            the specials are neither empty nor begin with ``<pad>``, ``<unk>``.
    """

    def __init__(
        self,
        entries: Iterable[str],
        counts: Iterable[int] | None = None,
        specials: Sequence[str] = DEFAULT_SPECIALS,
    ) -> None:
        self.specials: tuple[str, ...] = tuple(specials)
        if self.specials and self.specials[:2] != DEFAULT_SPECIALS:
            raise InputError(
                "The vocabulary's special entries do not begin with <pad>, <unk>",
                allowed="none at all, or <pad>, <unk> and further ones",
                received=list(self.specials),
            )
        self.entries: tuple[str, ...] = tuple(entries)
        self._strings = list(self.specials + self.entries)
        if not all(isinstance(string, str) for string in self._strings):
            raise InputError("A vocabulary entry is not a string", received=self._strings)
        self._ids = {string: number for number, string in enumerate(self._strings)}
        if len(self._ids) < len(self._strings):
            twice, _ = Counter(self._strings).most_common(1)[0]
            raise InputError("A vocabulary entry occurs twice", received=twice)
        self.counts = self._with_specials(counts)

    @classmethod
    def build(
        cls,
        counts_or_tokens: Mapping[str, int] | Iterable[str],
        *,
        min_count: int = 1,
        max_size: int | None = None,
        specials: Sequence[str] = DEFAULT_SPECIALS,
    ) -> Vocabulary:
        """Build a vocabulary by falling count; equal counts by the order of the strings.

        Args:
            counts_or_tokens: A ``Counter``, or the tokens.
            min_count: Entries that occur less often are left out.
            max_size: At most this many entries are kept, specials not counted; None keeps all.
            specials: As in the constructor.

        Returns:
            The vocabulary, with counts.

        Raises:
            InputError: If no entry is left.
        """
        counted = counts_or_tokens if isinstance(counts_or_tokens, Mapping) else Counter(counts_or_tokens)
        kept = [(key, count) for key, count in counted.items() if count >= min_count]
        if not kept:
            raise InputError(
                f"No entry occurs at least {min_count} times, so the vocabulary would be empty",
                received=f"{len(counted)} different entries",
                remedy="Give more text or a smaller min_count",
            )
        kept.sort(key=lambda item: (-item[1], item[0]))
        return cls(*zip(*kept[:max_size], strict=True), specials)

    def encode(self, tokens: Iterable[str]) -> np.ndarray:
        """Look the tokenizer's ``keys`` up: int32 (n,), UNK for a string that is not in the vocabulary.

        Raises:
            InputError: If a string is unknown and the vocabulary has no UNK.
        """
        if self.specials:
            return np.array(list(map(self._ids.get, tokens, repeat(UNK))), np.int32)
        return np.array([self.id(token) for token in tokens], np.int32)

    def encode_known(self, tokens: Iterable[str]) -> np.ndarray:
        """Return the ids of the known tokens in their order, int32, as word2vec does with rare words."""
        ids = np.array(list(map(self._ids.get, tokens, repeat(-1))), np.int32)
        return ids[ids >= 0]

    def decode(self, ids: Iterable[int]) -> list[str]:
        """Give the strings of ids, integers from 0 to ``len(self) - 1``.

        Raises:
            InputError: If an id is outside the vocabulary.
        """
        ids, size = list(ids), len(self._strings)
        wrong = next((number for number in ids if not 0 <= number < size), None)
        if wrong is not None:
            raise InputError(
                "An id is outside the vocabulary", allowed=f"0 to {size - 1}", received=int(wrong)
            )
        return [self._strings[number] for number in ids]

    def id(self, token: str) -> int:
        """Give the id of one string: UNK if it is unknown, an InputError if there is no UNK."""
        number = self._ids.get(token, UNK if self.specials else None)
        if number is None:
            raise InputError("The vocabulary does not hold this entry and has no <unk>", received=token)
        return number

    def to_json(self) -> str:
        """Write the vocabulary as JSON text in ASCII."""
        counts = None if self.counts is None else self.counts[len(self.specials) :].tolist()
        content = {"format": _FORMAT, "version": _VERSION, "specials": self.specials, "entries": self.entries}
        return json.dumps(content | {"counts": counts})

    @classmethod
    def from_json(cls, text: str) -> Vocabulary:
        """Read what ``to_json`` wrote.

        Raises:
            InputError: If the text is not JSON, not a vocabulary, of an unknown version, or holds wrong
                entries.
        """
        try:
            content = json.loads(text)
        except (ValueError, RecursionError) as error:
            raise InputError(f"The vocabulary is not valid JSON ({error})", received=text[:40]) from error
        if not isinstance(content, dict) or content.get("format") != _FORMAT:
            raise InputError("The JSON text is not a vocabulary", received=content)
        if (version := content.get("version")) != _VERSION:
            raise InputError("The vocabulary has an unknown version", allowed=str(_VERSION), received=version)
        for name in ("specials", "entries"):
            if not isinstance(content.get(name), list):
                raise InputError(f"The vocabulary's {name} are not a list", received=content.get(name))
        return cls(content["entries"], content.get("counts"), content["specials"])

    def __len__(self) -> int:
        return len(self._strings)

    def __contains__(self, token: object) -> bool:
        return token in self._ids

    def __iter__(self) -> Iterator[str]:
        """Iterate over all strings in the order of their ids, specials first."""
        return iter(self._strings)

    def __eq__(self, other: object) -> bool:
        return isinstance(other, Vocabulary) and self.to_json() == other.to_json()

    def __repr__(self) -> str:
        return f"Vocabulary({len(self.entries)} entries, specials={self.specials})"

    def _with_specials(self, counts: Iterable[int] | None) -> np.ndarray | None:
        """Check the counts and put zeros before them for the specials: int64 (len(self),), read-only."""
        if counts is None:
            return None
        numbers: list[Any] = list(counts) if isinstance(counts, Iterable) else [None]
        if not all(isinstance(number, (int, np.integer)) and 0 <= number < 2**63 for number in numbers):
            raise InputError("The vocabulary's counts are not whole numbers of 0 or more", received=counts)
        if len(numbers) != len(self.entries):
            raise InputError(
                "The vocabulary has not as many counts as entries",
                allowed=str(len(self.entries)),
                received=len(numbers),
            )
        array = np.concatenate([np.zeros(len(self.specials), np.int64), np.array(numbers, np.int64)])
        array.setflags(write=False)
        return array

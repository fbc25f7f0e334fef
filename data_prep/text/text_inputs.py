"""Documents to the numbers that a text classifier reads: one way for fit, evaluation, command line and pages.

A document is cut into lower-cased words, numbers and punctuation marks; the vocabulary gives their ids, and the id of
the end of the sequence stands after the last one, where a recurrent network is asked. What one network reads of that
is its ``Reading``: the whole, or a stated window; words, or words with hashed pairs and triples (Joulin et al. 2017,
"Bag of tricks for efficient text classification").
"""

from __future__ import annotations

import bisect
import html
import re
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from itertools import accumulate
from typing import Annotated, NamedTuple

import numpy as np
from annotated_types import Ge, Gt, Le

from data_prep.errors import InputError
from data_prep.fields import Checked, Natural
from data_prep.text.tokenizer import Token, WordTokenizer
from data_prep.text.vocab import DEFAULT_SPECIALS, EOS_TOKEN, UNK, Vocabulary, count_keys

EOS = 2
SPECIALS = (*DEFAULT_SPECIALS, EOS_TOKEN)
MAX_NGRAM = 5

_MARKUP = re.compile(r"<br\s*/?>|&(?:#[0-9]{1,7}|#[xX][0-9a-fA-F]{1,6}|[A-Za-z][A-Za-z0-9]{1,31});")
_TOKENIZER = WordTokenizer(punctuation=True, lower=True)
_IDS_AT_ONCE = 1 << 16
_ODD = np.uint64(0x9E3779B97F4A7C15)
_MIX = (np.uint64(0xBF58476D1CE4E5B9), np.uint64(0x94D049BB133111EB))


class Encoded(NamedTuple):
    """A document as ids, int32 (words + 1,) with ``EOS`` last; how many words it has, and how many are unknown."""

    ids: np.ndarray
    words: int
    unknown: int


class Grams(NamedTuple):
    """The n-grams of a document: ``rows`` of the table, and of each the place of its first word and its length.

    All int64 (grams,), words first, then pairs, and so on.
    """

    rows: np.ndarray
    starts: np.ndarray
    lengths: np.ndarray


def plain(text: str) -> str:
    """Take the markup of web pages out: a line break ``<br />`` becomes a newline, an entity its character."""
    return _MARKUP.sub(_meant, text) if "<" in text or "&" in text else text


def words_of(text: str) -> list[Token]:
    """Cut a text into words, numbers and punctuation marks.

    Args:
        text: The user's own text, markup included.

    Returns:
        Tokens with spans into ``text``, ``text[token.start:token.end] == token.text``; where a word holds an entity,
        the span holds it as it was written. As many as ``keys_of`` gives, in the same order.
    """
    if "<" not in text and "&" not in text:
        return _TOKENIZER.tokenize(text)
    # Borders of the pieces that are the same in both texts: where they begin in the plain one and in the user's own.
    pieces, origins = [], [0]
    for match in _MARKUP.finditer(text):
        pieces += [text[origins[-1] : match.start()], _meant(match)]
        origins += match.span()
    borders = [0, *accumulate(map(len, pieces))]
    pieces.append(text[origins[-1] :])

    def begin(at: int) -> int:
        piece = bisect.bisect_right(borders, at) - 1
        # Inside an entity of two characters the span begins with the entity.
        return origins[piece] + (0 if piece % 2 else at - borders[piece])

    def end(at: int) -> int:
        piece = bisect.bisect_right(borders, at - 1) - 1
        return origins[piece + 1] if piece % 2 else origins[piece] + at - borders[piece]

    spans = ((begin(token.start), end(token.end)) for token in _TOKENIZER.tokenize("".join(pieces)))
    return [Token(text[first:last], first, last) for first, last in spans]


def keys_of(text: str) -> list[str]:
    """Give the lookup forms of the words of a text, by the fastest way there is."""
    return _TOKENIZER.keys(plain(text))


def learn_vocabulary(texts: Iterable[str], *, min_count: int = 2, max_size: int | None = None) -> Vocabulary:
    """Build the vocabulary of a classifier from training texts; ids 0 to 2 are padding, unknown and end.

    Args:
        texts: Documents of the training part, never of another one.
        min_count: Rarer words are unknown.
        max_size: At most this many words; None for all.

    Returns:
        The vocabulary, the most frequent word first.

    Raises:
        InputError: If no word is left.
    """
    counts = count_keys(map(keys_of, texts))
    words = {key: count for key, count in counts.items() if key not in SPECIALS}
    return Vocabulary.build(words, min_count=min_count, max_size=max_size, specials=SPECIALS)


def encode(text: str, vocabulary: Vocabulary) -> Encoded:
    """Encode one document, whole.

    Args:
        text: Any string; an empty one is its end alone.
        vocabulary: As ``learn_vocabulary`` makes it.
    """
    return encode_keys(keys_of(text), vocabulary)


def encode_keys(keys: Sequence[str], vocabulary: Vocabulary) -> Encoded:
    """Encode the lookup forms of one document, as ``keys_of`` gives them."""
    words = vocabulary.encode(keys)
    return Encoded(np.append(words, np.int32(EOS)), len(words), int((words == UNK).sum()))


@dataclass(frozen=True)
class Reading(Checked):
    """What a network reads of a document.

    Args:
        rows: Ids from here on are unknown to this network; specials included.
        max_words: Words of the window; 0 reads the whole document.
        head_words: So many words of the window are the first ones of the document, the others the last ones.
        ngrams: Longest sequence of words that is a feature of its own, 1 to 5; 1 reads words in their order.
        buckets: Rows of the table after those of the words, onto which longer sequences are hashed.
        distinct: Whether each word and sequence counts once a document.
        sublinear_tf: Whether one that comes tf times counts 1 + ln(tf) times, rounded.
    """

    rows: Annotated[int, Gt(EOS)]
    max_words: Natural = 0
    head_words: Natural = 0
    ngrams: Annotated[int, Ge(1), Le(MAX_NGRAM)] = 1
    buckets: Natural = 0
    distinct: bool = False
    sublinear_tf: bool = False

    def __post_init__(self) -> None:
        """Check every field, and that they fit together."""
        super().__post_init__()
        if self.head_words > self.max_words:
            raise InputError(
                "The window does not fit",
                allowed="head_words of 0 to max_words",
                received=(self.max_words, self.head_words),
            )
        if (self.ngrams > 1) != (self.buckets > 0):
            raise InputError(
                "N-grams and buckets do not fit",
                allowed=f"ngrams 1 without buckets, or 2 to {MAX_NGRAM} with buckets",
                received=(self.ngrams, self.buckets),
            )
        if self.distinct and self.sublinear_tf:
            raise InputError("What counts once has no sublinear_tf", allowed="distinct or sublinear_tf")

    def left_out(self, words: int) -> int:
        """Return how many of the words of a document the network does not read."""
        return max(0, words - self.max_words) if self.max_words else 0

    def places(self, length: int) -> np.ndarray:
        """Return which ids of a document the network reads, in their order.

        Args:
            length: Of the document's ids, the end included.

        Returns:
            Places, int (at most max_words + 1,); the end is always among them. Behind the head comes the tail at once.
        """
        left = self.left_out(length - 1)
        places = np.arange(length)
        return np.delete(places, slice(self.head_words, self.head_words + left)) if left else places

    def inputs(self, ids: np.ndarray) -> np.ndarray:
        """Turn the ids of a document into what the network reads, int32 (steps,) or, unordered, (features,)."""
        return self.inputs_of([ids])[0]

    def inputs_of(self, documents: Sequence[np.ndarray]) -> list[np.ndarray]:
        """Turn documents into what the network reads; as ``inputs``, with less work a document."""
        windows = [self.window(ids) for ids in documents]
        if not self.is_bag:
            return windows
        found: list[np.ndarray] = []
        start = size = 0
        for at, ids in enumerate(windows, start=1):  # sorted together a bounded number of ids at a time
            size += len(ids)
            if size > _IDS_AT_ONCE or at == len(windows):
                found += self._bags(windows[start:at])
                start, size = at, 0
        return found

    def _bags(self, windows: Sequence[np.ndarray]) -> list[np.ndarray]:
        lengths = np.array([len(ids) for ids in windows])
        rows, starts, _ = self._grams(np.concatenate(windows), np.repeat(np.cumsum(lengths), lengths))
        owners = np.repeat(np.arange(len(windows)), lengths)[starts]
        keys = (owners << 32) | rows  # sorted by document, and by row within one
        keys.sort()
        if self.distinct or self.sublinear_tf:
            firsts = np.flatnonzero(np.append(True, keys[1:] != keys[:-1]))
            counts = np.diff(np.append(firsts, len(keys)))
            keys = np.repeat(keys[firsts], self.repeats(counts))
        borders = np.searchsorted(keys, np.arange(1, len(windows)) << 32)
        return np.split((keys & 0xFFFFFFFF).astype(np.int32), borders)

    @property
    def is_bag(self) -> bool:
        """Whether the network reads words and sequences without their order."""
        return self.ngrams > 1 or self.distinct or self.sublinear_tf

    def repeats(self, counts: np.ndarray) -> np.ndarray:
        """Return how often sequences count that come so often in a document, int64 both."""
        if self.distinct:
            return np.ones_like(counts)
        return np.rint(1.0 + np.log(counts)).astype(np.int64) if self.sublinear_tf else counts

    def window(self, ids: np.ndarray) -> np.ndarray:
        """Return the ids in the window, those that the network does not know as ``UNK``."""
        kept = ids[self.places(len(ids))] if self.left_out(len(ids) - 1) else ids
        return np.where(kept < self.rows, kept, np.int32(UNK))

    def grams(self, ids: np.ndarray) -> Grams:
        """List the words and longer sequences of a window; longer ones with an unknown word are left out.

        Args:
            ids: What ``window`` gives.
        """
        return self._grams(ids, np.full(len(ids), len(ids)))

    def _grams(self, ids: np.ndarray, ends: np.ndarray) -> Grams:
        """List those of documents one after the other; ``ends`` says at each id where its document ends."""
        rows, starts, lengths = [ids], [np.arange(len(ids))], [np.ones(len(ids), np.int64)]
        firsts = np.flatnonzero(ids != UNK)
        hashed = _mixed(np.zeros(len(firsts), np.uint64), ids[firsts])
        for length in range(2, self.ngrams + 1):
            last = firsts + length - 1
            # Sequences that go on with another known word of the same document.
            goes_on = last < ends[firsts]
            goes_on[goes_on] = ids[last[goes_on]] != UNK
            firsts, last = firsts[goes_on], last[goes_on]
            hashed = _mixed(hashed[goes_on], ids[last])
            rows.append((hashed % np.uint64(self.buckets)).astype(np.int64) + self.rows)
            starts.append(firsts)
            lengths.append(np.full(len(firsts), length))
        return Grams(*(np.concatenate(parts).astype(np.int64) for parts in (rows, starts, lengths)))


def _mixed(hashed: np.ndarray, ids: np.ndarray) -> np.ndarray:
    """Mix one more id into hashes, uint64 (n,), as splitmix64 does (Steele, Lea and Flood 2014)."""
    # Products of unsigned arrays wrap around.
    mixed = (hashed ^ ids.astype(np.uint64)) + _ODD
    mixed = (mixed ^ (mixed >> np.uint64(30))) * _MIX[0]
    mixed = (mixed ^ (mixed >> np.uint64(27))) * _MIX[1]
    return mixed ^ (mixed >> np.uint64(31))


def _meant(match: re.Match[str]) -> str:
    return "\n" if match[0][0] == "<" else html.unescape(match[0])

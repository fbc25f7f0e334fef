"""Documents to the numbers that a text classifier reads: one way for fit, evaluation, command line and pages.

A document is cut into lower-cased words, numbers and punctuation marks; the vocabulary gives their ids, and the id of
the end of the sequence stands after the last one, where a recurrent network is asked. What one network reads of that
is its ``Reading``: the whole, or a stated window; words, or words with hashed pairs and triples (Joulin et al. 2017,
"Bag of tricks for efficient text classification").
"""

from __future__ import annotations

import html
import re
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Annotated

import numpy as np
from annotated_types import Ge, Gt, Le

from data_prep.errors import InputError
from data_prep.fields import Checked, Natural
from data_prep.text.tokenizer import Token, WordTokenizer
from data_prep.text.vocab import DEFAULT_SPECIALS, EOS_TOKEN, UNK, Vocabulary

EOS = 2
SPECIALS = (*DEFAULT_SPECIALS, EOS_TOKEN)
MAX_NGRAM = 5

_MARKUP = re.compile(r"<br\s*/?>|&(?:#[0-9]{1,7}|#[xX][0-9a-fA-F]{1,6}|[A-Za-z][A-Za-z0-9]{1,31});")
_BREAK = "<br />"
_PIECE = re.compile(f"{_MARKUP.pattern}|.", re.DOTALL)
_TOKENIZER = WordTokenizer(punctuation=True, lower=True)
_SORTED_TOGETHER = 64  # documents
_ODD = np.uint64(0x9E3779B97F4A7C15)
_MIX = (np.uint64(0xBF58476D1CE4E5B9), np.uint64(0x94D049BB133111EB))


def plain(text: str) -> str:
    """Take the markup of web pages out: a line break ``<br />`` becomes a newline, an entity its character."""
    if "<br" in text and text.count("<br") == text.count(_BREAK):  # as nearly all are written, and sooner
        text = text.replace(_BREAK, "\n")
    return _MARKUP.sub(_meant, text) if "<br" in text or "&" in text else text


def document_forms(texts: Iterable[str]) -> list[str]:
    """Return the texts by which equal documents are told: without markup and spaces around them."""
    return [plain(text).strip() for text in texts]


def shared_texts(first: Iterable[str], second: Iterable[str]) -> list[int]:
    """Return the places of the documents of ``second`` that stand in ``first`` too."""
    known = set(document_forms(first))
    return [at for at, form in enumerate(document_forms(second)) if form in known]


def words_of(text: str) -> list[Token]:
    """Cut a user's own text, markup included, into words, numbers and punctuation marks, as many as ``keys_of`` gives.

    ``text[token.start:token.end] == token.text``: where a word holds an entity, it is there as it was written.
    """
    pieces = [(match.span(), _meant(match)) for match in _PIECE.finditer(text)]
    origins = [span for span, meant in pieces for _ in meant]  # of each character of the plain text
    words = _TOKENIZER.tokenize("".join(meant for _, meant in pieces))
    spans = [(origins[word.start][0], origins[word.end - 1][1]) for word in words]
    return [Token(text[start:end], start, end) for start, end in spans]


def keys_of(text: str) -> list[str]:
    """Give the lookup forms of the words of a text, by the fastest way there is."""
    return _TOKENIZER.keys(plain(text))


def learn_vocabulary(texts: Iterable[str], *, min_count: int = 2, max_size: int | None = None) -> Vocabulary:
    """Build the vocabulary of a classifier, the most frequent word first; ids 0 to 2 are padding, unknown and end.

    Args:
        texts: Documents of the training part, never of another one.
        min_count: Rarer words are unknown.
        max_size: At most this many words; None for all.

    Raises:
        InputError: If no word is left.
    """
    words = (key for text in texts for key in keys_of(text) if key not in SPECIALS)
    return Vocabulary.build(words, min_count=min_count, max_size=max_size, specials=SPECIALS)


def encode(text: str, vocabulary: Vocabulary) -> np.ndarray:
    """Encode one document, whole: ids int32 (words + 1,) with ``EOS`` last; an empty one is its end alone."""
    return encode_keys(keys_of(text), vocabulary)


def encode_keys(keys: Sequence[str], vocabulary: Vocabulary) -> np.ndarray:
    """Encode the lookup forms of one document, as ``keys_of`` gives them."""
    return np.append(vocabulary.encode(keys), np.int32(EOS))


@dataclass(frozen=True, kw_only=True)
class Reading(Checked):
    """What a network reads of a document; the config of the network is one of these.

    Args:
        vocabulary_size: Words that it knows, special ids included; those with larger ids are unknown.
        max_words: Words of the window; 0 reads the whole document.
        head_words: So many words of the window are the first ones of the document, the others the last ones.
        ngrams: Longest sequence of words that is a feature of its own, 1 to 5; 1 reads words in their order.
        buckets: Rows of the table after those of the words, onto which longer sequences are hashed.
        distinct: Whether each word and sequence counts once a document.
        sublinear_tf: Whether one that comes tf times counts 1 + ln(tf) times, rounded.
    """

    vocabulary_size: Annotated[int, Gt(EOS)] = 20_000
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
        """Return the places of the ids that the network reads of a document of ``length`` ids, the end among them."""
        left = self.left_out(length - 1)
        places = np.arange(length)
        return np.delete(places, slice(self.head_words, self.head_words + left)) if left else places

    def inputs_of(self, documents: Sequence[np.ndarray]) -> list[np.ndarray]:
        """Turn ids of documents into what the network reads of each, int32 (steps,) or, unordered, (features,)."""
        windows = [self.window(ids) for ids in documents]
        if not self.is_bag:
            return windows
        parts = range(0, len(windows), _SORTED_TOGETHER)
        return [bag for at in parts for bag in self._bags(windows[at : at + _SORTED_TOGETHER])]

    def _bags(self, windows: Sequence[np.ndarray]) -> list[np.ndarray]:
        lengths = np.array([len(ids) for ids in windows])
        rows, starts, _ = self.grams(np.concatenate(windows), np.repeat(np.cumsum(lengths), lengths))
        owners = np.repeat(np.arange(len(windows)), lengths)[starts]
        # Sorted by document, and by row within one.
        keys, counts = np.unique((owners << 32) | rows, return_counts=True)
        keys = np.repeat(keys, self.repeats(counts))
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
        return np.where(kept < self.vocabulary_size, kept, np.int32(UNK))

    def grams(self, ids: np.ndarray, ends: np.ndarray | int) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
        """List the words and longer sequences of windows; longer ones with an unknown word are left out.

        ``ids`` are those of one window after the other, and ``ends`` says where that of each id ends. Returns rows of
        the table, and of each the place of its first word and its length, int64 (grams,), words first, then pairs.
        """
        ends = np.broadcast_to(ends, len(ids))
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
            rows.append((hashed % np.uint64(self.buckets)).astype(np.int64) + self.vocabulary_size)
            starts.append(firsts)
            lengths.append(np.full(len(firsts), length))
        return tuple(np.concatenate(parts).astype(np.int64) for parts in (rows, starts, lengths))


def _mixed(hashed: np.ndarray, ids: np.ndarray) -> np.ndarray:
    """Mix one more id into hashes, uint64 (n,), as splitmix64 does (Steele, Lea and Flood 2014)."""
    # Products of unsigned arrays wrap around.
    mixed = (hashed ^ ids.astype(np.uint64)) + _ODD
    mixed = (mixed ^ (mixed >> np.uint64(30))) * _MIX[0]
    mixed = (mixed ^ (mixed >> np.uint64(27))) * _MIX[1]
    return mixed ^ (mixed >> np.uint64(31))


def _meant(match: re.Match[str]) -> str:
    return "\n" if match[0].startswith("<br") else html.unescape(match[0])

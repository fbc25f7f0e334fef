"""A text as one stream of tokens: its split, its vocabulary, and windows of it in rows for carried state."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterable, Iterator
from dataclasses import KW_ONLY, dataclass
from itertools import chain
from typing import Literal, NamedTuple

import numpy as np

from data_prep.errors import InputError
from data_prep.text.tokenizer import CharacterTokenizer, WordTokenizer
from data_prep.text.vocab import UNK, Vocabulary
from data_prep.text.wordpiece import WordPieceTokenizer, learn_word_pieces

TRAINING_SHARE = 0.9

SplitName = Literal["last_tenth", "slice", "char_rnn"]
TokenKind = Literal["char", "word", "piece"]
SPLITS: dict[str, str] = {
    "last_tenth": "first 90 % of the characters for training, last 10 % for validation (nanoGPT's split)",
    "slice": "a part of the first 90 % only: its first 90 % for training, its last 10 % for validation",
    "char_rnn": "50 streams side by side, the last 23 of 446 windows of 50 characters for validation (char-rnn's "
    "split; the counts are those of Tiny Shakespeare)",
}
# char-rnn's defaults: batch_size 50, seq_length 50, train_frac 0.95, val_frac 0.05.
_CHAR_RNN_ROWS, _CHAR_RNN_LENGTH, _CHAR_RNN_SHARE = 50, 50, 0.95

# What stands before the first token of a text: a text starts on a new line, a sentence behind another one.
_STARTS: dict[str, tuple[str, ...]] = {"char": ("\n",), "word": (".",), "piece": (".",)}
_PIECES = 2_000


class Parts(NamedTuple):
    """A split text: pieces to train on and pieces to score, each in the order of the text."""

    train: tuple[str, ...]
    validation: tuple[str, ...]

    @property
    def train_characters(self) -> int:
        """How many characters there are to train on."""
        return sum(map(len, self.train))

    @property
    def validation_characters(self) -> int:
        """How many characters there are to score."""
        return sum(map(len, self.validation))


def split_text(text: str, split: SplitName = "last_tenth") -> Parts:
    """Split a text by position, as a row of ``SPLITS`` says, so that what is scored was never trained on.

    ``last_tenth`` cuts at ``int(0.9 * n)`` as nanoGPT does; Tiny Shakespeare has 111,540 characters behind it.
    ``slice`` leaves that last tenth out altogether: it is for choosing a recipe.

    Raises:
        InputError: If a part would be empty, or the split is unknown.
    """
    if split not in SPLITS:
        raise InputError("There is no such split", allowed=", ".join(SPLITS), received=split)
    if split == "char_rnn":
        return _char_rnn_parts(text)
    given, least = len(text), 2
    if split == "slice":
        least = 3
        text = text[: int(TRAINING_SHARE * len(text))]
    border = int(TRAINING_SHARE * len(text))
    if not 0 < border < len(text):
        raise InputError(
            "The text is too short to be split", allowed=f"{least} characters or more", received=given
        )
    return Parts((text[:border],), (text[border:],))


def _char_rnn_parts(text: str) -> Parts:
    """Cut as char-rnn's loader: whole windows in rows, the last windows of every row for validation."""
    windows = len(text) // (_CHAR_RNN_ROWS * _CHAR_RNN_LENGTH)
    kept = int(_CHAR_RNN_SHARE * windows) * _CHAR_RNN_LENGTH
    row = windows * _CHAR_RNN_LENGTH
    if not 0 < kept < row:
        raise InputError(
            "The text is too short for char-rnn's split",
            allowed=f"{2 * _CHAR_RNN_ROWS * _CHAR_RNN_LENGTH:,} characters or more",
            received=len(text),
        )
    rows = [text[at : at + row] for at in range(0, _CHAR_RNN_ROWS * row, row)]
    return Parts(tuple(one[:kept] for one in rows), tuple(one[kept:] for one in rows))


@dataclass(frozen=True)
class Tokens:
    """How a text becomes ids: the tokenizer and its vocabulary.

    Args:
        kind: ``"char"``, ``"word"`` or ``"piece"``.
        tokenizer: Cuts a text.
        vocabulary: Of the training part.
    """

    kind: TokenKind
    tokenizer: CharacterTokenizer | WordTokenizer | WordPieceTokenizer
    vocabulary: Vocabulary

    @property
    def start(self) -> int:
        """Id that is read before the first token of a text: a line break, a full stop, or else UNK."""
        return next((self.vocabulary.id(key) for key in _STARTS[self.kind] if key in self.vocabulary), UNK)

    def encode(self, text: str) -> np.ndarray:
        """Return the ids of a text, int32 (tokens,); UNK for what the vocabulary does not hold."""
        return self.vocabulary.encode(self.tokenizer.keys(text))

    def encode_all(self, texts: Iterable[str]) -> np.ndarray:
        """Return the ids of texts one after the other, int32 (tokens,)."""
        return np.concatenate([self.encode(text) for text in texts])


def learn_tokens(
    texts: Iterable[str], kind: TokenKind = "char", *, max_size: int | None = None, lower: bool = False
) -> Tokens:
    """Make the vocabulary of a training part; by default of every character or word, or of 2,000 word pieces.

    Words and word pieces are lower-cased if ``lower``, characters keep their case.

    Raises:
        InputError: If there is no token at all.
    """
    tokenizer = CharacterTokenizer() if kind == "char" else WordTokenizer(lower=lower)
    counts = Counter(chain.from_iterable(map(tokenizer.keys, texts)))
    if kind == "piece":
        vocabulary = learn_word_pieces(counts, _PIECES if max_size is None else max_size)
    else:
        vocabulary = Vocabulary.build(counts, max_size=max_size)
    return tokens_of(kind, vocabulary, lower=lower)


def tokens_of(kind: TokenKind, vocabulary: Vocabulary, *, lower: bool = False) -> Tokens:
    """Give the tokens of a vocabulary that is there already; ``lower`` as in :func:`learn_tokens`."""
    if kind == "piece":
        return Tokens(kind, WordPieceTokenizer(vocabulary, lower=lower), vocabulary)
    return Tokens(kind, CharacterTokenizer() if kind == "char" else WordTokenizer(lower=lower), vocabulary)


@dataclass(eq=False)
class StreamWindows:
    """A training stream as windows in rows, for truncated back-propagation with carried state.

    The stream is a ring. Every epoch begins at another place of it, drawn with the seed, and cuts it into ``rows``
    contiguous parts; row b of a window goes on where row b of the window before it ended, so the state that the
    network carries belongs to it. Other places mean other borders of rows and windows each time. At the ring's
    closing point the text jumps from its end to its start once an epoch. Fewer than ``rows * length`` tokens, other
    ones each epoch, are left over.

    Args:
        ids: The stream, int32 (n,), with at least ``rows * length + 1`` tokens.
        rows: Number of parallel parts (the batch size).
        length: Time steps of a window.
        seed: With the epoch the only source of the place.
        varied: Epoch to that epoch's own form of the stream, int (any,); it is cut, or begun anew at its end, to have
            as many tokens as ``ids``. None reads ``ids`` in every epoch.
    """

    ids: np.ndarray
    rows: int
    length: int
    _: KW_ONLY
    seed: int = 0
    varied: Callable[[int], np.ndarray] | None = None

    def __len__(self) -> int:
        return (len(self.ids) - 1) // (self.rows * self.length)

    def epoch(self, epoch: int) -> Iterator[tuple[np.ndarray, np.ndarray]]:
        """Cut the stream for one epoch, before which the carried state has to be set to zero.

        Args:
            epoch: Its number.

        Yields:
            ``len(self)`` windows: inputs and the targets one token later, int32 (rows, length) both.
        """
        count = len(self.ids)
        offset = int(np.random.default_rng([self.seed, epoch]).integers(count))
        own = self.ids if self.varied is None else self.varied(epoch)
        ring = np.roll(np.resize(own, count), -offset)
        part = len(self) * self.length
        starts = np.arange(self.rows)[:, None] * part
        for step in range(len(self)):
            at = starts + step * self.length + np.arange(self.length)
            yield ring[at], ring[at + 1]

"""The tokenizers' rules as tensorflow-text follows them: what ours is compared with."""

from __future__ import annotations

import functools
from collections.abc import Callable, Iterable, Sequence
from itertools import pairwise
from typing import Any

import numpy as np
import regex

from data_prep.text.tokenizer import Token, WordTokenizer
from data_prep.text.vocab import UNK_TOKEN, Vocabulary
from data_prep.text.wordpiece import JOINER

_WORD = r"[\p{L}][\p{L}\p{M}]*|[\p{N}]+"
_OTHER = r"[^\s]"
_NOT_IN_WORDS = r"[^\p{L}\p{N}]+"
_SPACE = r"[\s]+"
_PROPERTIES = (r"\p{L}", r"\p{M}", r"\p{N}", r"\s")
_LAST_CODE_POINT = 0x10FFFF


def words(texts: Sequence[str], punctuation: bool) -> list[list[Token]]:
    """Cut texts as ``WordTokenizer(punctuation)``."""
    import tensorflow_text

    # regex_split reads a text only up to its first NUL; another control character falls under the same rule.
    encoded = [_utf8(text).replace(b"\0", b"\1") for text in texts]
    gaps, kept = (_SPACE, f"{_WORD}|{_OTHER}") if punctuation else (_NOT_IN_WORDS, _WORD)
    patterns = _re2_pattern(f"{kept}|{gaps}"), _re2_pattern(kept)
    return _tokens(texts, encoded, lambda of: tensorflow_text.regex_split_with_offsets(of, *patterns))


def characters(texts: Sequence[str]) -> list[list[Token]]:
    """Cut texts as ``CharacterTokenizer``."""
    import tensorflow_text

    encoded = [_utf8(text) for text in texts]
    return _tokens(texts, encoded, tensorflow_text.UnicodeCharTokenizer().tokenize_with_offsets)


def piece_keys(texts: Sequence[str], vocabulary: Vocabulary) -> list[list[str]]:
    """Give the keys of ``WordPieceTokenizer(vocabulary)``."""
    words_of = [WordTokenizer().keys(text) for text in texts]
    different = sorted({key for keys in words_of for key in keys})
    rows = _fast(tuple(vocabulary)).tokenize([_utf8(key) for key in different]).to_list() if different else []
    pieces = dict(zip(different, map(vocabulary.decode, rows), strict=True))
    return [[piece for key in keys for piece in pieces[key]] for keys in words_of]


@functools.lru_cache
def _fast(entries: tuple[str, ...]) -> Any:
    import tensorflow as tf
    import tensorflow_text

    return tensorflow_text.FastWordpieceTokenizer(
        vocab=list(entries),
        suffix_indicator=JOINER,
        token_out_type=tf.int32,
        unknown_token=UNK_TOKEN,
        no_pretokenization=True,
    )


def _code_point_spans(encoded: Sequence[bytes], starts: Any, ends: Any) -> list[list[tuple[int, int]]]:
    """Turn ragged byte offsets into UTF-8 texts, one row a text, into spans of code points."""
    data = np.frombuffer(b"".join(encoded), np.uint8)
    # In UTF-8 every byte but 10xxxxxx begins a code point.
    before = np.concatenate([[0], np.cumsum((data & 0xC0) != 0x80)])
    firsts = np.cumsum([0, *map(len, encoded)])[starts.value_rowids().numpy()]
    borders = (before[firsts + side.flat_values.numpy()] - before[firsts] for side in (starts, ends))
    spans = list(zip(*(border.tolist() for border in borders), strict=True))
    return [spans[first:last] for first, last in pairwise(starts.row_splits.numpy().tolist())]


def _tokens(
    texts: Sequence[str], encoded: Sequence[bytes], cut: Callable[[Sequence[bytes]], Any]
) -> list[list[Token]]:
    _, starts, ends = cut(encoded)
    rows = zip(texts, _code_point_spans(encoded, starts, ends), strict=True)
    return [[Token(text[begin:end], begin, end) for begin, end in spans] for text, spans in rows]


def _utf8(text: str) -> bytes:
    """Encode for tensorflow-text; a lone surrogate has no UTF-8, so ``?``, of the same class, stands in."""
    return text.encode("utf-8", "replace")


@functools.cache
def _re2_pattern(pattern: str) -> str:
    """Write the property classes out as ranges: RE2's Unicode tables are older than those of ``regex``."""
    for name in _PROPERTIES:
        pattern = pattern.replace(name, _ranges(name))
    return pattern


@functools.cache
def _ranges(name: str) -> str:
    everything = "".join(map(chr, range(_LAST_CODE_POINT + 1)))
    spans: Iterable[tuple[int, int]] = (match.span() for match in regex.finditer(f"{name}+", everything))
    return "".join(f"\\x{{{start:x}}}-\\x{{{end - 1:x}}}" for start, end in spans)

"""Raw text to sentences and words: what a network sees of a text, and spans from the boundaries it finds.

Every character that is not a space gets one of three labels: the word goes on behind it, the word ends with
it, the sentence ends with it. Spans are cut from the user's text, so nothing is lost whatever the labels say,
and a few things need no network: a space ends a word, a blank line ends a sentence, a combining mark belongs
to the character before it.
"""

from __future__ import annotations

import functools
import re
import unicodedata
from collections import Counter, defaultdict
from collections.abc import Iterable, Iterator, Mapping, Sequence

import numpy as np
import regex

from data_prep.readers.conllu import UNTAGGED, Sentence, found_sentence
from data_prep.text.tokenizer import Token

PADDING = 0
INSIDE, WORD_END, SENTENCE_END = 0, 1, 2
LABELS = ("inside", "word end", "sentence end")

# Ids of characters: 0 is padding; then the classes, then printable ASCII one by one.
_CLASSES = (
    *("padding", "other", "space", "line", "paragraph", "lower", "upper", "letter", "mark", "number"),
    *("punctuation", "symbol"),
)
_CLASS = {name: number for number, name in enumerate(_CLASSES)}
LINE = _CLASS["line"]
_FIRST_ASCII = len(_CLASSES)
# Signs of typeset English that differ from those on a keyboard in form only, and three that do not.
_ROWS = (
    *("'‘’‚‛ʼ′＇", '"“”„‟«»″＂', "-‐‑‒−", "*•·●▪◦∙", "$£€¥¢₹₽₩"),
    *("?‽？", "!！", ",，", ".．", ":：", ";；", "(（", ")）"),
)
_SAME = {sign: row[0] for row in _ROWS for sign in row[1:]}
_OWN = "–—…"
CHARACTER_IDS = _FIRST_ASCII + 94 + len(_OWN)

# A letter and its accents, an emoji and what is joined to it: see Unicode Standard Annex 29.
# Of two regional indicators \X alone would look back to the first of all that stand in a row.
_CHARACTER = regex.compile(r"\p{RI}\p{RI}[\p{GCB=Extend}\p{GCB=ZWJ}\p{GCB=SpacingMark}]*|\X")
_BEYOND_ASCII = re.compile(r".?[^\x00-\x7f]+", re.DOTALL)
_BREAK = re.compile(r"\n\s*")
# A line that was wrapped is about as long as a page is wide, and the next word did not fit.
_WRAPPED_FROM, _WRAPPED_TO, _NARROWEST_PAGE = 60, 100, 72
LONGEST_SENTENCE = 1000


def character_ids(text: str) -> np.ndarray:
    """Give the network's view of every character of any string: ids below ``CHARACTER_IDS``, uint8 (characters,).

    Typographic quotes, dashes and bullets count as the keyboard's, accented letters as their base, everything
    else outside ASCII as its class (lower-case letter, symbol, ...). A space is a space, a line break that
    only wraps a long line as well; other line breaks are ids of their own, and blank lines.
    """
    points = np.frombuffer(text.encode("utf-32-le", "surrogatepass"), np.uint32)
    table = _table()
    ids = table[np.minimum(points, len(table) - 1)]
    for at in np.flatnonzero(points >= len(table)):
        ids[at] = _id_of(text[at])
    line = 0  # where the line began
    for match in _BREAK.finditer(text):
        start, end = match.span()
        while start > line and text[start - 1].isspace():
            start -= 1
        kind = _break_kind(text, line, start, end)
        if kind != "space":
            ids[start:end] = _CLASS[kind]
        line = end
    return ids


def _break_kind(text: str, line: int, start: int, end: int) -> str:
    """Name the class of the spaces ``start:end`` with a line break, behind a line that began at ``line``."""
    if text.count("\n", start, end) > 1:
        return "paragraph"
    length = start - line
    if not _WRAPPED_FROM <= length <= _WRAPPED_TO:
        return "line"
    word_end = end
    limit = min(len(text), end + _NARROWEST_PAGE)
    while word_end < limit and not text[word_end].isspace():
        word_end += 1
    return "space" if length + 1 + word_end - end > _NARROWEST_PAGE else "line"


@functools.cache
def _table() -> np.ndarray:
    return np.array([_id_of(chr(point)) for point in range(0x3001)], np.uint8)


def _id_of(character: str) -> int:
    point = ord(character)
    if 33 <= point <= 126:
        return _FIRST_ASCII + point - 33
    if character in _OWN:
        return _FIRST_ASCII + 94 + _OWN.index(character)
    if character in _SAME:
        return _FIRST_ASCII + ord(_SAME[character]) - 33
    if character.isspace():
        return _CLASS["space"]
    base = unicodedata.normalize("NFD", character)[0]
    if base.isascii() and base.isalpha():
        return _FIRST_ASCII + ord(base) - 33
    category = unicodedata.category(character)
    names = {"Ll": "lower", "Lu": "upper", "Lt": "upper", "L": "letter", "M": "mark", "N": "number"}
    names |= {"P": "punctuation", "S": "symbol"}
    return _CLASS[names.get(category, names.get(category[0], "other"))]


def raw_text(sentences: Sequence[Sentence], wrap: int | None = 80) -> tuple[str, list[list[Token]]]:
    """Put the sentences of a treebank together to the text that they stand for, in lines of so many characters.

    As the official tool does it (``conllu_to_text.pl`` of Universal Dependencies): sentences follow each
    other with a space or, where the treebank says ``SpaceAfter=No``, without one; an empty line comes before
    a document or a paragraph; lines are wrapped.

    Returns:
        The text, and the words of each sentence with spans in it, see ``data_prep.readers.conllu.Word``.
    """
    pieces: list[str] = []
    words: list[list[Token]] = []
    at, space = 0, ""
    for sentence in sentences:
        if pieces and (sentence.new_document or sentence.new_paragraph):
            space = "\n\n"
        pieces += (space, sentence.text)
        at += len(space)
        spans = ((word.start, word.end) for word in sentence.words)
        words.append([Token(sentence.text[start:end], at + start, at + end) for start, end in spans])
        at += len(sentence.text)
        space = " " if sentence.space_after else ""
    text = "".join(pieces) + "\n"
    return (text if wrap is None else _wrapped(text, wrap)), words


def _wrapped(text: str, width: int) -> str:
    """Turn spaces into line breaks so that no line is longer, if it has a space."""
    characters = list(text)
    line = last_space = 0
    for at, character in enumerate(text):
        if at - line > width and last_space > line:
            characters[last_space] = "\n"
            line = last_space + 1
        if character == "\n":
            line = at + 1
        if character == " ":
            last_space = at
    return "".join(characters)


def boundary_labels(length: int, words: Sequence[Sequence[Token]]) -> np.ndarray:
    """Label the last character of every word and sentence, int8 (length,)."""
    labels = np.full(length, INSIDE, np.int8)
    for sentence in words:
        labels[[word.end - 1 for word in sentence]] = WORD_END
        if sentence:
            labels[sentence[-1].end - 1] = SENTENCE_END
    return labels


def cut(text: str, ids: np.ndarray, labels: np.ndarray) -> list[list[Token]]:
    """Cut a text, any string, at labelled characters, whatever the labels are.

    A word also ends before white space, a sentence before an empty line and at the end of the text, or after
    ``LONGEST_SENTENCE`` words; nothing is cut inside a character that is written with several code points.

    Args:
        text: The text.
        ids: Its :func:`character_ids`.
        labels: ``INSIDE``, ``WORD_END`` or ``SENTENCE_END``, int8 (characters,); those of spaces do not count.

    Returns:
        Words of each sentence, none empty, that cover every character that is not white space, once and in order.
    """
    spaces = is_space(ids)
    visible = ~spaces
    where = np.flatnonzero(visible)
    if not len(where):
        return []
    labels = np.where(visible, labels, INSIDE)
    if not text.isascii():
        _move_out_of_characters(text, visible, labels)
    following = np.append(ids[1:], _CLASS["paragraph"])
    before_space = visible & np.append(spaces[1:], True)
    labels[before_space] = np.maximum(labels[before_space], WORD_END)
    labels[visible & (following == _CLASS["paragraph"])] = SENTENCE_END
    labels[where[-1]] = SENTENCE_END
    ends = np.flatnonzero(labels)
    # The first visible character after the end before.
    starts = where[np.append(0, np.searchsorted(where, ends[:-1], side="right"))]
    tokens = [Token(text[a:b], a, b) for a, b in zip(starts.tolist(), (ends + 1).tolist(), strict=True)]
    sentences, first = [], 0
    for last in np.flatnonzero(labels[ends] == SENTENCE_END).tolist():
        starts = range(first, last + 1, LONGEST_SENTENCE)
        sentences += [tokens[at : min(at + LONGEST_SENTENCE, last + 1)] for at in starts]
        first = last + 1
    return sentences


def is_space(ids: np.ndarray) -> np.ndarray:
    """Say which ids are those of white space, bool of the same shape."""
    return (ids >= _CLASS["space"]) & (ids <= _CLASS["paragraph"])


def _move_out_of_characters(text: str, visible: np.ndarray, labels: np.ndarray) -> None:
    """Move labels inside a user-perceived character (letter and accents, joined emoji) to its end."""
    for run in _BEYOND_ASCII.finditer(text):
        for match in _CHARACTER.finditer(text, *run.span()):
            start, end = match.span()
            if end - start == 1:
                continue
            while start < end and not visible[start]:  # a mark behind a space stands alone
                start += 1
            if visible[start:end].any():
                end = start + int(np.flatnonzero(visible[start:end])[-1]) + 1
                strongest = labels[start:end].max()
                labels[start:end] = INSIDE
                labels[end - 1] = strongest


def untagged_sentences(text: str, words: Sequence[Sequence[Token]]) -> list[Sentence]:
    """Make sentences without tags of the words of each sentence that were cut out of a text."""
    bare = [[(form, UNTAGGED, UNTAGGED, start, end) for form, start, end in tokens] for tokens in words]
    return [found_sentence(text, tokens) for tokens in bare]


def multiword_tokens(sentences: Iterable[Sentence]) -> dict[str, tuple[str, ...]]:
    """Collect the multiword tokens of a treebank: surface form to words that are no pieces of it ("zum": zu dem).

    Forms that more often are a word of their own, or are cut into pieces ("don't": do n't), are left out.
    """
    found: defaultdict[str, Counter[tuple[str, ...]]] = defaultdict(Counter)
    for sentence in sentences:
        for token in sentence.tokens:
            words = tuple(word.form for word in sentence.words[token.first : token.last + 1])
            found[token.form][words] += 1
    usual = {form: max(sorted(words), key=words.__getitem__) for form, words in sorted(found.items())}
    return {form: words for form, words in usual.items() if len(words) > 1 and "".join(words) != form}


def expanded(tokens: Iterable[Token], table: Mapping[str, Sequence[str]]) -> Iterator[Token]:
    """Put the words of multiword tokens in their places; they share the span of the token.

    A form that the table does not have is looked up in lower case; its first letter stays a capital.
    """
    for token in tokens:
        words = table.get(token.text)
        if words is None and (lower := table.get(token.text.lower())) is not None:
            words = (lower[0][:1].upper() + lower[0][1:], *lower[1:])
        yield from (Token(word, token.start, token.end) for word in words or (token.text,))

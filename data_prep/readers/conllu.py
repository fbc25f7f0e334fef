"""CoNLL-U: the file format of Universal Dependencies, as typed sentences and back.

Format: https://universaldependencies.org/format.html. A line of a multiword token (``8-9``) or of an empty
node (``8.1``) is not a word; both are kept, so that a file comes back as it was, with other tags if asked.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, replace
from itertools import chain, groupby
from pathlib import Path
from typing import Any, Literal

from data_prep.datasets import check_counts, locate_files
from data_prep.errors import InputError
from data_prep.readers.conllu_checks import (
    FORM,
    MISC,
    UPOS,
    WORD_ID,
    XPOS,
    Line,
    Surface,
    check_heads,
    check_tags,
    checked_columns,
    surface_of,
)
from data_prep.readers.conllu_checks import UNTAGGED as UNTAGGED
from data_prep.readers.conllu_checks import UPOS_TAGS as UPOS_TAGS
from data_prep.readers.text import STDIN, iter_lines

EWT = "ud_english_ewt"

_TEXT = re.compile(r"#\s*text\s*=\s?(.*)")
_SENT_ID = re.compile(r"#\s*sent_id\s*=\s*(.*)")
_NEW_DOCUMENT = re.compile(r"#\s*newdoc(\s|$)")
_NEW_PARAGRAPH = re.compile(r"#\s*newpar(\s|$)")
_SPACE = re.compile(r"\s")
_MAX_LINE = 1 << 26

Tags = Sequence[tuple[str, str]]


@dataclass(frozen=True, slots=True)
class Word:
    """A syntactic word.

    Args:
        form: As written in the treebank.
        upos: Universal part of speech, ``"_"`` where the file gives none.
        xpos: Tag of the language's own set (Penn for English), ``"_"`` where the file gives none.
        start: First code point in ``Sentence.text``.
        end: Behind the last one. Words of a multiword token that are not its pieces share its span.
    """

    form: str
    upos: str
    xpos: str
    start: int
    end: int


@dataclass(frozen=True, slots=True)
class SurfaceToken:
    """A token as it stands in the text: one word, or a multiword token.

    Args:
        form: As written; ``Sentence.text[start:end]``.
        start: First code point in ``Sentence.text``.
        end: Behind the last one.
        first: Index of its first word in ``Sentence.words``.
        last: Index of its last word.
        space_after: False where MISC says ``SpaceAfter=No``.
    """

    form: str
    start: int
    end: int
    first: int
    last: int
    space_after: bool

    @property
    def is_multiword(self) -> bool:
        """Whether it stands for several words, or is written as if it did."""
        return self.last > self.first


@dataclass(frozen=True, slots=True)
class Sentence:
    """A sentence of a treebank, or of a text that was tagged.

    Args:
        text: The sentence as it stands in its document.
        words: Its syntactic words.
        tokens: Its surface tokens in order; together they cover all words.
        sent_id: Its name, or "".
        new_document: Whether a document begins with it.
        new_paragraph: Whether a paragraph begins with it.
        comments: Comment lines, as in the file.
        rows: All lines of ten columns, multiword tokens and empty nodes included.
    """

    text: str
    words: tuple[Word, ...]
    tokens: tuple[SurfaceToken, ...]
    sent_id: str = ""
    new_document: bool = False
    new_paragraph: bool = False
    comments: tuple[str, ...] = ()
    rows: tuple[tuple[str, ...], ...] = ()

    @property
    def forms(self) -> list[str]:
        """The words' forms."""
        return [word.form for word in self.words]

    @property
    def space_after(self) -> bool:
        """Whether white space follows the sentence in its document."""
        return self.tokens[-1].space_after


def read_conllu(path: str | Path, *, require_tags: bool = False, any_tags: bool = False) -> list[Sentence]:
    """Read a CoNLL-U file, plain or gzip.

    Args:
        path: The file, or ``-`` for standard input.
        require_tags: Whether every word must have a UPOS tag.
        any_tags: Whether the UPOS column may hold other tags than those of Universal Dependencies.

    Raises:
        InputError: If the file is missing, not UTF-8, holds no sentence, or breaks the format: columns, ids,
            heads, tags, or a text that its tokens do not rebuild; the line is named.
    """
    path = Path(path)
    if path.is_dir():
        raise InputError("A CoNLL-U file is expected, not a folder", received=str(path))
    source = "standard input" if path == STDIN else str(path)
    lines = iter_lines(path, _MAX_LINE)
    sentences = list(parse_conllu(lines, source, require_tags=require_tags, any_tags=any_tags))
    if not sentences:
        raise InputError("The CoNLL-U file holds no sentence", received=str(path))
    return sentences


def read_ewt(part: Literal["train", "dev", "test"]) -> list[Sentence]:
    """Read an official part of UD English EWT and check its size.

    Raises:
        InputError: If the set cannot be had, or has not the published number of sentences and words.
    """
    path = locate_files(EWT)[part]
    sentences = read_conllu(path, require_tags=True)
    words = sum(len(sentence.words) for sentence in sentences)
    check_counts(EWT, path, {f"{part}_sentences": len(sentences), f"{part}_words": words})
    return sentences


def parse_conllu(
    lines: Iterable[str], source: str = "the text", *, require_tags: bool = False, any_tags: bool = False
) -> Iterator[Sentence]:
    """Parse lines without their ends, sentence by sentence; as :func:`read_conllu`, ``source`` is named in errors."""
    comments: list[str] = []
    rows: list[Line] = []
    number = 0
    for number, text in enumerate(chain(lines, [""]), 1):
        line = Line(source, number, tuple(text.split("\t")))
        if text.startswith("#") and not rows:
            comments.append(text)
        elif text.strip():
            rows.append(checked_columns(line))
        elif rows:
            yield _sentence(comments, rows, require_tags, any_tags)
            comments, rows = [], []
    if comments:
        raise Line(source, number - 1, ()).error("comments are not followed by words")


def plain_sentence(
    text: str, words: Sequence[Word], *, sent_id: str = "", space_after: bool = True
) -> Sentence:
    """Make a sentence of its text and words; columns other than form, tags and MISC are ``_``.

    Args:
        text: The sentence.
        words: Words with spans in ``text`` that follow each other; those of a multiword token share its span.
        sent_id: Its name.
        space_after: Whether white space follows the sentence.

    Raises:
        InputError: If there are no words, or their spans overlap or leave the text.
    """
    if not words:
        raise InputError("A sentence has at least one word", received=text)
    groups = [list(group) for _, group in groupby(words, lambda word: (word.start, word.end))]
    ends = [group[0].start for group in groups[1:]] + [len(text)]
    starts = [0, *(group[0].end for group in groups[:-1])]
    tokens, rows, at = [], [], 0
    for group, before, after in zip(groups, starts, ends, strict=True):
        start, end, last = group[0].start, group[0].end, at + len(group) - 1
        if not before <= start < end <= after:
            raise InputError("The spans of the words are not in order within the text", received=group[0])
        spaced = space_after if last == len(words) - 1 else end < after
        tokens.append(SurfaceToken(text[start:end], start, end, at, last, spaced))
        misc = "_" if spaced else "SpaceAfter=No"
        if last > at:
            rows.append((f"{at + 1}-{last + 1}", text[start:end], *["_"] * 7, misc))
            misc = "_"
        for number, word in enumerate(group, at + 1):
            rows.append((str(number), word.form, "_", word.upos, word.xpos, "_", "_", "_", "_", misc))
        at = last + 1
    comments = ([f"# sent_id = {sent_id}"] if sent_id else []) + [f"# text = {_SPACE.sub(' ', text)}"]
    return Sentence(text, tuple(words), tuple(tokens), sent_id, comments=tuple(comments), rows=tuple(rows))


def found_sentence(text: str, words: Sequence[Sequence[Any]], sent_id: str = "") -> Sentence:
    """Make a sentence of words (form, UPOS, XPOS, start, end) whose spans count in a whole text."""
    first, end = words[0][3], words[-1][4]
    moved = [Word(form, upos, xpos, a - first, b - first) for form, upos, xpos, a, b in words]
    spaced = end == len(text) or text[end].isspace()
    return plain_sentence(text[first:end], moved, sent_id=sent_id, space_after=spaced)


def found_lines(text: str, words: Sequence[Sequence[Any]], sent_id: str = "") -> str:
    """Write what :func:`found_sentence` makes of the same as :func:`format_conllu` writes it, many times faster."""
    first, end = words[0][3], words[-1][4]
    follows = [word[3] for word in words[1:]] + [end + (end == len(text) or text[end].isspace())]
    if any(following < word[4] for word, following in zip(words, follows, strict=True)):  # a multiword token
        return format_conllu(found_sentence(text, words, sent_id))
    named = f"# sent_id = {sent_id}\n" if sent_id else ""
    lines = [
        f"{number}\t{form}\t_\t{upos}\t{xpos}\t_\t_\t_\t_\t{'_' if following > at else 'SpaceAfter=No'}\n"
        for number, ((form, upos, xpos, _, at), following) in enumerate(zip(words, follows, strict=True), 1)
    ]
    return f"{named}# text = {_SPACE.sub(' ', text[first:end])}\n{''.join(lines)}\n"


def with_tags(sentence: Sentence, tags: Tags) -> Sentence:
    """Return the sentence with UPOS and XPOS of each word replaced, everything else as it was.

    Raises:
        InputError: If there is not one pair of tags for each word.
    """
    if len(tags) != len(sentence.words):
        allowed = str(len(sentence.words))
        raise InputError("There is not one pair of tags for each word", allowed=allowed, received=len(tags))
    pairs = iter(tags)
    rows = [
        (*row[:UPOS], *next(pairs), *row[XPOS + 1 :]) if WORD_ID.fullmatch(row[0]) else row
        for row in sentence.rows
    ]
    words = [replace(w, upos=u, xpos=x) for w, (u, x) in zip(sentence.words, tags, strict=True)]
    return replace(sentence, words=tuple(words), rows=tuple(rows))


def format_conllu(sentence: Sentence) -> str:
    """Return a sentence as the lines of a CoNLL-U file, with the empty line behind it."""
    lines = [*sentence.comments, *("\t".join(row) for row in sentence.rows)]
    return "\n".join(lines) + "\n\n"


def _sentence(comments: list[str], lines: list[Line], require_tags: bool, any_tags: bool) -> Sentence:
    word_lines = [line for line in lines if WORD_ID.fullmatch(line.columns[0])]
    surface = surface_of(lines)
    if not word_lines:
        raise lines[0].error("the sentence has no words")
    check_heads(word_lines)
    if not any_tags:
        check_tags(word_lines, require_tags)
    text = _comment(comments, _TEXT)
    if text is None:
        text = "".join(line.columns[FORM] + " " * _spaced(line) for line, _, _ in surface).rstrip(" ")
    tokens = _located(text, surface)
    return Sentence(
        text=text,
        words=_words(word_lines, tokens),
        tokens=tokens,
        sent_id=_comment(comments, _SENT_ID) or "",
        new_document=any(map(_NEW_DOCUMENT.match, comments)),
        new_paragraph=any(map(_NEW_PARAGRAPH.match, comments)),
        comments=tuple(comments),
        rows=tuple(line.columns for line in lines),
    )


def _comment(comments: list[str], pattern: re.Pattern[str]) -> str | None:
    return next((match[1] for comment in comments if (match := pattern.fullmatch(comment))), None)


def _spaced(line: Line) -> bool:
    return "SpaceAfter=No" not in line.columns[MISC].split("|")


def _located(text: str, surface: list[Surface]) -> tuple[SurfaceToken, ...]:
    """Find the tokens in the text one after the other; nothing but white space may be between them."""
    tokens, at = [], 0
    for line, first, last in surface:
        form = line.columns[FORM]
        while at < len(text) and text[at].isspace() and not text.startswith(form, at):
            at += 1
        if not text.startswith(form, at):
            received = form, text[at : at + 20]
            raise line.error("the tokens do not rebuild the sentence's text", received=received)
        tokens.append(SurfaceToken(form, at, at + len(form), first, last, _spaced(line)))
        at += len(form)
    if text[at:].strip():
        raise surface[-1].line.error("the sentence's text goes on behind its tokens", received=text[at:])
    return tuple(tokens)


def _words(lines: list[Line], tokens: Sequence[SurfaceToken]) -> tuple[Word, ...]:
    words = []
    for token in tokens:
        inside = [line.columns for line in lines[token.first : token.last + 1]]
        separable = "".join(columns[FORM] for columns in inside) == token.form
        at = token.start
        for columns in inside:
            end = at + len(columns[FORM])
            span = (at, end) if separable else (token.start, token.end)
            words.append(Word(columns[FORM], columns[UPOS], columns[XPOS], *span))
            at = end
    return tuple(words)

"""What can be asked: for each use the application that answers, the preset that is meant without a name, and how."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from apps.digits.application import Digits
from apps.ocr.application import KIND as OCR_KIND
from apps.ocr.application import LETTERS_PRESET, WORDS_PRESET, Reader
from apps.reviews.application import Reviews
from apps.shared.application import Application
from apps.tagger.application import Tagger
from apps.vectors.application import Vectors
from apps.writer.application import Writer
from data_prep.datasets import at_hand

TOGETHER = 64  # texts or words that are answered together, where that pays


@dataclass(frozen=True)
class Use:
    """One thing that can be asked.

    Args:
        kind: Of the presets that answer.
        preset: The one that is meant where none is named.
        open: Opens a preset by its name.
        first: Asks a small thing, so that what is compiled or read at the first answer is there before a visitor comes.
        most: Items of several requests that are answered together; 1 where that does not pay.
        many_threads: Whether a thread a core answers; one thread where requests are joined.
    """

    kind: str
    preset: str
    open: Callable[[str], Any]
    first: Callable[[Any], Any]
    most: int = 1
    many_threads: bool = False


def tagged(tagger: Tagger, texts: Sequence[str]) -> Sequence[Any]:
    """Tag texts."""
    return tagger.tag_batch(texts)


def classified(reviews: Reviews, texts: Sequence[str]) -> Sequence[Any]:
    """Say what documents are; the first one that is refused is refused with all that its error says."""
    answers = list(reviews.classify_many(texts, batch_size=len(texts)))
    # classify() raises where classify_many() gives a Refused.
    return [
        reviews.classify(text) if not hasattr(answer, "label") else answer
        for text, answer in zip(texts, answers, strict=True)
    ]


def digits_of(digits: Digits, pictures: Sequence[bytes]) -> Sequence[Any]:
    """Say which digits pictures show."""
    return [digits.classify(picture, "The picture") for picture in pictures]


def words_of(reader: Reader, pictures: Sequence[bytes]) -> Sequence[Any]:
    """Read pictures of words, each in one piece."""
    if len(pictures) == 1:
        return [reader.read_word(pictures[0], "The picture")]
    return list(reader.read_words(pictures))


def words_of_letters(reader: Reader, words: Sequence[Sequence[bytes]]) -> Sequence[Any]:
    """Read words of which every letter is a picture."""
    return [reader.read_letters(letters) for letters in words]


def text_at_hand() -> bool:
    """Whether copies can be looked for: the text of the shipped writer is here, and nothing is downloaded for it."""
    return at_hand("tinyshakespeare")


def _first_write(writer: Writer) -> None:
    written = writer.generator.opening(length=1)
    if text_at_hand():
        writer.copied(written)


_STROKE = np.pad(np.zeros((20, 6)), 10, constant_values=1.0)  # dark on light
_MANY = ["Dogs bark and cats sleep."] * 50  # words after which machine code answers


def _use(
    application: type[Application], first: Callable[[Any], Any], most: int = 1, threads: bool = False
) -> Use:
    return Use(application.kind, application.default_preset, application.from_preset, first, most, threads)


def _first_read(reader: Reader) -> None:
    list(reader.read_words([_STROKE] * TOGETHER))


TAG = _use(Tagger, lambda one: one.tag_batch(_MANY), TOGETHER)
CLASSIFY = _use(Reviews, lambda one: one.classify("good"), TOGETHER)
WRITE = _use(Writer, _first_write, threads=True)
VECTORS = _use(Vectors, lambda one: one.neighbours(one.word_vectors.keys[0]), threads=True)
DIGIT = _use(Digits, lambda one: one.classify(_STROKE))
READ = Use(OCR_KIND, WORDS_PRESET, Reader.from_preset, _first_read, TOGETHER)
READ_LETTERS = Use(OCR_KIND, LETTERS_PRESET, Reader.from_preset, lambda one: one.read_letters([_STROKE]))
USES = (TAG, CLASSIFY, WRITE, VECTORS, DIGIT, READ, READ_LETTERS)

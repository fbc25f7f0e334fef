"""What context is worth when letters get worse, and where it is wrong: for the page "Reading".

    python -m benchmarks.ocr_context            some minutes
    python -m benchmarks.ocr_context --store    keeps it for the page

Noise turns a share of the pixels of fold 0's letters into their opposite; whole words are composed of such letters.
The examples are words of fold 0, kept by their number, and words that the project's own pen writes, kept by word and
hand: of the set itself nothing is kept.
"""

from __future__ import annotations

import argparse
from collections.abc import Sequence
from typing import Any

import numpy as np
from rapidfuzz.distance import Hamming

from apps.ocr.application import LETTERS_PRESET, WORDS_PRESET, Reader, noisy
from apps.ocr.evaluation import error_rate, read_letters, read_words
from apps.ocr.reports import CONTEXT, noise_curves
from apps.ocr.sources import TEST_FOLD, letters_source, spell
from apps.shared.commands import print_table
from apps.shared.reports import Stored, preset_installed
from benchmarks.harness import THREADS, Option, command, settings
from data_prep.images.letter_words import LAYOUT
from data_prep.readers.letters import LetterWords

LEVELS = (0.0, 0.02, 0.05, 0.1, 0.15, 0.2, 0.3)
OPTIONS = {
    "letters": Option(LETTERS_PRESET, "preset that reads letter by letter"),
    "words": Option(WORDS_PRESET, "preset that reads words in one piece"),
    "composed": Option(200, "words that are read in one piece"),
    "pen_words": Option(400, "words of the pen to look for examples in"),
    "threads": THREADS,
}
_EXAMPLES = 8  # of each kind from each bank
_SHORTEST, _LONGEST = 4, 12  # letters of an example of the pen


def measured_curves(
    letters: Reader, words: Reader | None, fold: LetterWords, levels: Sequence[float], composed: int
) -> dict[str, Any]:
    """Score every way of reading at every level of noise, the first words in one piece where a reader is opened.

    Returns:
        Way to ``character_error``, percent at each level, and ``n``, letters.
    """
    found: dict[str, Any] = {}
    for level in levels:
        worse = fold._replace(images=(255 * noisy(fold.images / np.float32(255), level)).astype(np.uint8))
        answers = [(read_letters(letters.letters, worse), fold.texts)]
        if words is not None:
            part = worse.part(np.arange(min(composed, len(fold.folds))))
            answers.append((read_words(words.words, part, LAYOUT), part.texts))
        for ways, texts in answers:
            for way, read in ways.items():
                rate = error_rate(read, texts)
                curve = found.setdefault(way, {"character_error": [], "n": rate.n})
                curve["character_error"].append(rate.character_error)
    return found


def examples(reader: Reader, fold: LetterWords, texts: Sequence[str], count: int) -> list[dict[str, Any]]:
    """Find words that context makes wrong or right, of the set and of texts for the pen; at most ``count`` of a kind.

    Returns:
        Examples: ``kind`` is ``"wrong"`` or ``"helps"``, ``word`` what is written, ``alone`` and ``context`` what is
        read, ``bank`` and ``number``, the hand of the pen or the word's place in the fold.
    """
    written = [("set", at, fold.images[fold.letters_of(at)], text) for at, text in enumerate(fold.texts)]
    written += [("pen", at % 9, spell(text, "pen", at % 9), text) for at, text in enumerate(texts)]
    found = []
    for bank, number, images, text in written:
        result = reader.read_letters(images)
        alone, context = (Hamming.distance(read, text) for read in (result.before, result.text))
        if alone != context:
            kind = "wrong" if context > alone else "helps"
            example = {"kind": kind, "bank": bank, "number": number, "word": text}
            reads = {"alone": result.before, "context": result.text}
            found.append({**example, **reads, "change": abs(context - alone)})
    return _chosen(found, count)


def _chosen(found: list[dict[str, Any]], count: int) -> list[dict[str, Any]]:
    """Take the largest changes of each kind from each bank, a word once."""
    chosen: list[dict[str, Any]] = []
    for one in sorted(found, key=lambda one: -one["change"]):
        same = [other for other in chosen if (other["kind"], other["bank"]) == (one["kind"], one["bank"])]
        if len(same) < count and one["word"] not in [other["word"] for other in same]:
            chosen.append(one)
    return sorted(chosen, key=lambda one: (one["kind"] != "wrong", one["bank"] != "pen", -one["change"]))


def run(options: argparse.Namespace) -> dict[str, Any]:
    """Measure and collect; what ``apps.ocr.reports.CONTEXT`` reads."""
    source = letters_source()  # finds the set, or says what to do
    fold = source.fold(TEST_FOLD)
    letters = Reader.from_preset(options.letters, None)
    words = Reader.from_preset(None, options.words) if preset_installed(options.words) else None
    texts = [text for text in source.texts if _SHORTEST <= len(text) <= _LONGEST][: options.pen_words]
    return {
        "settings": settings(options),
        "levels": list(LEVELS),
        "curves": measured_curves(letters, words, fold, LEVELS, options.composed),
        "examples": examples(letters, fold, texts, _EXAMPLES),
    }


def show(found: Stored) -> None:
    """Print the curves and the examples."""
    levels = [f"{level:.0%}>" for level in found.numbers("levels")]
    rows = [(way, *(f"{error:.2f}" for error in curve)) for way, curve in noise_curves(found).items()]
    print_table(("noise", *levels), rows)
    for _, one in found.rows("examples.*"):
        print(one.text("{kind}\t{bank}\t{word}: alone {alone}, context {context}"))


main = command(__name__, __doc__, CONTEXT, run, OPTIONS, show=show)

"""What context is worth when letters get worse: for the page "Reading".

    python -m benchmarks.ocr_context            some minutes
    python -m benchmarks.ocr_context --store    keeps it for the page

Noise turns a share of the pixels of fold 0's letters into their opposite; whole words are composed of such letters.
"""

from __future__ import annotations

import argparse
from collections.abc import Sequence
from typing import Any

import numpy as np

from apps.ocr.application import LETTERS_PRESET, WORDS_PRESET, Reader, noisy
from apps.ocr.evaluation import error_rate, read_letters, read_words
from apps.ocr.reports import CONTEXT, noise_curves
from apps.ocr.sources import TEST_FOLD, letters_source
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
    "threads": THREADS,
}


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


def run(options: argparse.Namespace) -> dict[str, Any]:
    """Measure; what ``apps.ocr.reports.CONTEXT`` reads."""
    source = letters_source()  # finds the set, or says what to do
    fold = source.fold(TEST_FOLD)
    letters = Reader.from_preset(options.letters, None)
    words = (
        Reader.from_preset(None, options.words)
        if options.words != WORDS_PRESET or preset_installed(options.words)
        else None
    )
    return {
        "settings": settings(options),
        "levels": list(LEVELS),
        "curves": measured_curves(letters, words, fold, LEVELS, options.composed),
    }


def show(found: Stored) -> None:
    """Print the curves."""
    levels = [f"{level:.0%}>" for level in found.numbers("levels")]
    rows = [(way, *(f"{error:.2f}" for error in curve)) for way, curve in noise_curves(found).items()]
    print_table(("noise", *levels), rows)


main = command(__name__, __doc__, CONTEXT, run, OPTIONS, show=show)

"""What context is worth when letters get worse, and where it is wrong: for the page "Reading".

    python -m benchmarks.ocr_context            some minutes
    python -m benchmarks.ocr_context --store    keeps it for the page

Noise turns a share of the pixels of fold 0's letters into their opposite; whole words are composed of such letters.
The examples are words of fold 0, kept by their number, and words that the project's own pen writes, kept by word and
hand: of the set itself nothing is kept.
"""

from __future__ import annotations

import argparse
import sys
from collections.abc import Sequence
from functools import partial
from typing import TYPE_CHECKING, Any

import numpy as np

from apps.shared.reports import RESULTS_DIR
from benchmarks.command import (
    add_output_options,
    carry_out,
    check_positive,
    limit_cores,
    write_results,
)

if TYPE_CHECKING:
    from apps.ocr.application import Reader
    from data_prep.readers.letters import LetterWords

RESULTS = RESULTS_DIR / "ocr_context.json"
LEVELS = (0.0, 0.02, 0.05, 0.1, 0.15, 0.2, 0.3)
_EXAMPLES = 8  # of each kind from each bank
_SHORTEST, _LONGEST = 4, 12  # letters of an example of the pen


def noise_curves(
    letters: Reader, words: Reader | None, fold: LetterWords, levels: Sequence[float], composed: int
) -> dict[str, Any]:
    """Score every way of reading at every level of noise.

    Args:
        letters: Opened for letters.
        words: Opened for words; None leaves whole words out.
        fold: Words to read.
        levels: Shares of the pixels.
        composed: Words that are read in one piece.

    Returns:
        Way to ``character_error``, percent at each level, and ``n``, letters.
    """
    from apps.ocr.application import noisy
    from apps.ocr.evaluation import error_rate, read_letters, read_words
    from data_prep.images.letter_words import LAYOUT

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
    """Find words that context makes wrong, and words that it makes right.

    Args:
        reader: Opened for letters.
        fold: Words of the set that it did not learn from.
        texts: Words for the pen.
        count: Of each kind from each bank, at most.

    Returns:
        Examples: ``kind`` is ``"wrong"`` or ``"helps"``, ``word`` what is written, ``alone`` and ``context`` what is
        read, ``bank`` and ``number``, the hand of the pen or the word's place in the fold.
    """
    from apps.ocr.letter_bank import spell

    written = [("set", at, fold.images[fold.letters_of(at)], text) for at, text in enumerate(fold.texts)]
    written += [("pen", at % 9, spell(text, "pen", at % 9), text) for at, text in enumerate(texts)]
    found = []
    for bank, number, images, text in written:
        result = reader.read_letters(images)
        alone, context = (_wrong(read, text) for read in (result.before, result.text))
        if alone != context:
            found.append(
                {
                    "kind": "wrong" if context > alone else "helps",
                    "bank": bank,
                    "number": number,
                    "word": text,
                    "alone": result.before,
                    "context": result.text,
                    "change": abs(context - alone),
                }
            )
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
    """Measure and collect.

    Args:
        options: ``letters``, ``words``, ``composed``, ``pen_words``.

    Returns:
        What ``apps.ocr.reports.context_report`` reads.
    """
    from apps.ocr.application import Reader
    from apps.ocr.letter_bank import scored_words
    from apps.ocr.sources import letters_source
    from apps.shared.reports import preset_installed
    from models.training.run_folder import processor

    source = letters_source()  # finds the set, or says what to do
    fold = scored_words() or source.fold(0)
    letters = Reader.from_preset(options.letters, None)
    words = Reader.from_preset(None, options.words) if preset_installed(options.words) else None
    texts = [text for text in source.texts if _SHORTEST <= len(text) <= _LONGEST][: options.pen_words]
    return {
        "settings": {"letters": options.letters, "words": options.words, "processor": processor()},
        "levels": list(LEVELS),
        "curves": noise_curves(letters, words, fold, LEVELS, options.composed),
        "examples": examples(letters, fold, texts, _EXAMPLES),
    }


def print_results(results: dict[str, Any]) -> None:
    """Print the curves and the examples."""
    print("\t".join(["noise", *(f"{level:.0%}" for level in results["levels"])]))
    for way, curve in results["curves"].items():
        print("\t".join([way, *(f"{error:.2f}" for error in curve["character_error"])]))
    for one in results["examples"]:
        print(f"{one['kind']}\t{one['bank']}\t{one['word']}: alone {one['alone']}, context {one['context']}")


def main(arguments: Sequence[str] | None = None) -> int:
    """Run on the arguments of the command line and return the exit code."""
    from apps.ocr.application import LETTERS_PRESET, WORDS_PRESET

    parser = argparse.ArgumentParser(
        prog="python -m benchmarks.ocr_context", description=__doc__.split("\n")[0]
    )
    parser.add_argument("--letters", default=LETTERS_PRESET, help="preset that reads letter by letter")
    parser.add_argument("--words", default=WORDS_PRESET, help="preset that reads words in one piece")
    parser.add_argument("--composed", type=int, default=200, help="words that are read in one piece")
    parser.add_argument("--pen-words", type=int, default=400, help="words of the pen to look for examples in")
    parser.add_argument("--threads", type=int, default=2, help="processor cores")
    add_output_options(parser, RESULTS)
    options = parser.parse_args(arguments)
    check_positive(parser, options, ("composed", "pen_words", "threads"))
    limit_cores(options.threads)
    return carry_out(options, lambda: run(options), partial(write_results, RESULTS), print_results)


def _wrong(read: str, text: str) -> int:
    return sum(one != other for one, other in zip(read, text, strict=True))


if __name__ == "__main__":
    sys.exit(main())

"""Speed and error of the reader beside CRFsuite, in one run on the same words.

    python -m benchmarks.ocr_speed                     some minutes, most of them CRFsuite's training
    python -m benchmarks.ocr_speed --threads 2 --store

Both learn from folds 1 to 9 of the handwritten words and read fold 0: ours is the shipped preset, CRFsuite (linear
chain, L-BFGS, c1 = 0.1, c2 = 0.01, 100 iterations) has the pixels as features. Both are held to the same processor
cores, of which CRFsuite uses one, and take turns. CRFsuite's features are made before the clock starts, as its C
library takes them; ours begins with the bytes of the pictures.
"""

from __future__ import annotations

import argparse
import statistics
import sys
import tempfile
import time
from collections.abc import Sequence
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from apps.ocr.sources import TEST_FOLD
from apps.shared.reports import RESULTS_DIR
from benchmarks.command import (
    add_output_options,
    carry_out,
    check_positive,
    limit_cores,
    write_results,
)
from benchmarks.tagger_speed import measure

if TYPE_CHECKING:
    from apps.ocr.application import Reader
    from data_prep.readers.letters import LetterWords
    from models.ocr.serving import LettersReader

RESULTS = RESULTS_DIR / "ocr_speed.json"
PEER = "python-crfsuite"
OURS = ("bilstm", "search")


@dataclass(frozen=True, eq=False)
class WordInput:
    """A word as both systems take it: uint8 (letters, 16, 8), and CRFsuite's features of every letter."""

    images: np.ndarray
    items: Any

    def __len__(self) -> int:
        return len(self.images)


def pixel_features(image: np.ndarray) -> list[str]:
    """Name the pixels of ink of a letter uint8 (16, 8), as CRFsuite's features."""
    return ["bias", *(f"p{at}" for at in np.flatnonzero(image).tolist())]


def inputs_of(words: LetterWords) -> list[tuple[WordInput, list[str]]]:
    """Return the words with their letters, as :func:`benchmarks.tagger_speed.measure` takes them."""
    import pycrfsuite

    found = []
    for at, text in enumerate(words.texts):
        images = words.images[words.letters_of(at)]
        items = pycrfsuite.ItemSequence([pixel_features(image) for image in images])
        found.append((WordInput(images, items), list(text)))
    return found


def read_by(network: LettersReader, words: Sequence[WordInput], way: str) -> list[list[str]]:
    """Read words with our network.

    Args:
        network: Ours.
        words: What is read.
        way: ``"bilstm"``, or ``"search"`` with the language model behind it.

    Returns:
        The letters of each word.
    """
    from data_prep.images.letter_batches import letter_pictures
    from data_prep.readers.letters import decode_word

    lengths = [len(word) for word in words]
    images = letter_pictures(np.concatenate([word.images for word in words]))
    context = np.split(network.scores(images, lengths).context, np.cumsum(lengths)[:-1])
    if way == "bilstm":
        return [list(decode_word(one.argmax(axis=1))) for one in context]
    return [list(network.search(one)[0].text) for one in context]


def measure_images(reader: Reader, words: LetterWords, count: int) -> dict[str, Any]:
    """Time words in one piece, composed of the letters, language model included.

    Args:
        reader: Ours, opened for words.
        words: Their letters.
        count: Words that are read.

    Returns:
        Words a second of a batch, and milliseconds for one word, median.
    """
    from data_prep.images.letter_words import LAYOUT, compose_words

    part = words.part(np.arange(min(count, len(words.folds))))
    rng = np.random.default_rng(TEST_FOLD)
    images = compose_words(part.images, part.lengths.tolist(), LAYOUT, rng, part.labels)
    network = reader.words
    network.read(images[0])
    began = time.perf_counter()
    for frames in network.log_probabilities(images):
        network.search(frames)
    batch = len(images) / (time.perf_counter() - began)
    single = []
    for image in images:
        began = time.perf_counter()
        network.read(image)
        single.append(1000 * (time.perf_counter() - began))
    return {"words_per_second": batch, "one_word_ms": statistics.median(single)}


def run(options: argparse.Namespace) -> dict[str, Any]:
    """Train the peer, measure all, and sum up.

    Args:
        options: ``letters``, ``words``, ``threads``, ``repeats``, ``singles``, ``iterations``, ``peers``.

    Returns:
        Settings and the numbers of each system.
    """
    from apps.ocr.application import Reader
    from apps.shared.reports import preset_installed
    from benchmarks.tagger_peers import CrfsuitePeer, train_or_load
    from data_prep.readers.letters import read_letters
    from models.training.run_folder import engine_versions, processor

    words = read_letters()
    test = words.part(np.flatnonzero(words.folds == TEST_FOLD))
    train, gold = (inputs_of(part) for part in (words.part(np.flatnonzero(words.folds != TEST_FOLD)), test))
    network = Reader.from_preset(options.letters, None).letters
    peer = CrfsuitePeer(options.iterations, describe=lambda word: word.items)
    with tempfile.TemporaryDirectory() as temporary:
        folder = Path(temporary) if options.peers is None else options.peers
        folder.mkdir(parents=True, exist_ok=True)
        seconds = train_or_load(peer, train, gold, folder, lambda line: print(line, file=sys.stderr))
    ways = OURS if network.language is not None else OURS[:1]
    systems = {way: lambda some, way=way: read_by(network, some, way) for way in ways}
    systems[PEER] = peer.tag
    results = summed(systems, gold, measure(systems, gold, options.repeats, options.singles))
    results[PEER] |= {"version": peer.version, "training_seconds": seconds}
    if options.words is not None and preset_installed(options.words):
        results["words"] = measure_images(Reader.from_preset(None, options.words), test, options.singles)
    return {
        "settings": {
            "letters": str(options.letters),
            "threads": options.threads,
            "fold": TEST_FOLD,
            "words": len(gold),
            "characters": sum(len(word) for word, _ in gold),
            "repeats": options.repeats,
            "iterations": options.iterations,
            "processor": processor(),
            "versions": engine_versions(),
        },
        "systems": results,
    }


def summed(systems: Any, gold: Sequence[tuple[WordInput, list[str]]], measured: Any) -> dict[str, Any]:
    """Turn what :func:`benchmarks.tagger_speed.measure` says of letters into what is said of words.

    Args:
        systems: Name to reading function.
        gold: Words and their letters.
        measured: Letters a second, milliseconds and accuracy of each system.

    Returns:
        Words a second, milliseconds for one word, character error and word error in percent of each system.
    """
    from apps.ocr.evaluation import error_rate

    texts = ["".join(letters) for _, letters in gold]
    letters_a_word = sum(map(len, texts)) / len(texts)
    found = {}
    for name, read in systems.items():
        rate = error_rate(["".join(letters) for letters in read([word for word, _ in gold])], texts)
        found[name] = {
            "words_per_second": measured[name]["words_per_second"] / letters_a_word,
            "one_word_ms": measured[name]["one_sentence_ms"],
            "one_word_ms_95": measured[name]["one_sentence_ms_95"],
            "character_error": rate.character_error,
            "word_error": rate.word_error,
        }
    return found


def print_results(results: dict[str, Any]) -> None:
    """Print the table.

    Args:
        results: As :func:`run` gives them.
    """
    print("system\twords/s\tone word, ms\tcharacter error, %\tword error, %")
    for name, one in results["systems"].items():
        errors = [f"{one[key]:.2f}" if key in one else "-" for key in ("character_error", "word_error")]
        print("\t".join([name, f"{one['words_per_second']:,.0f}", f"{one['one_word_ms']:.2f}", *errors]))


def main(arguments: Sequence[str] | None = None) -> int:
    """Run the benchmark on the arguments of the command line and return the exit code."""
    from apps.ocr.application import LETTERS_PRESET, WORDS_PRESET

    parser = argparse.ArgumentParser(
        prog="python -m benchmarks.ocr_speed", description=__doc__.split("\n")[0]
    )
    parser.add_argument("--letters", default=LETTERS_PRESET, help="preset that reads letter by letter")
    parser.add_argument("--words", default=WORDS_PRESET, help="preset that reads words in one piece")
    parser.add_argument("--threads", type=int, default=2, help="processor cores for every system")
    parser.add_argument("--repeats", type=int, default=5, help="passes over fold 0")
    parser.add_argument("--singles", type=int, default=300, help="words that are read one by one")
    parser.add_argument("--iterations", type=int, default=100, help="of CRFsuite's training")
    parser.add_argument("--peers", type=Path, help="folder that keeps the trained peer")
    add_output_options(parser, RESULTS)
    options = parser.parse_args(arguments)
    check_positive(parser, options, ("threads", "repeats", "singles", "iterations"))
    limit_cores(options.threads)
    return carry_out(options, lambda: run(options), partial(write_results, RESULTS), print_results)


if __name__ == "__main__":
    sys.exit(main())

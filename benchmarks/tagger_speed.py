"""Speed and accuracy of the tagger beside spaCy's CNN, CRFsuite and NLTK, in one run on the same words.

    python -m benchmarks.tagger_speed                 most of its quarter of an hour is the peers' training
    python -m benchmarks.tagger_speed --peers FOLDER  keeps the trained peers there, and uses what is there

All tag the test part of UD English EWT from given words to universal tags, held to the same processor cores (two,
or ``--threads``; spaCy, CRFsuite and NLTK use one of them), in turn, so that a busy moment of the computer meets all
of them. Ours gives the probabilities of all tags and Penn tags in the same time; from raw text it is the whole
application. One sentence at a time: sentences drawn with a seed. Ours is NumPy once it is loaded: nothing is
compiled, so that there is no trace for any length; the time of the very first sentence shows it.
"""

from __future__ import annotations

import argparse
import random
import statistics
import sys
import tempfile
import time
from collections.abc import Callable, Sequence
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Any

from apps.shared.reports import RESULTS_DIR
from benchmarks.command import (
    add_output_options,
    carry_out,
    check_positive,
    limit_cores,
    write_results,
)

if TYPE_CHECKING:
    from apps.tagger.application import Tagger
    from benchmarks.tagger_peers import Peer, Tagged

RESULTS = RESULTS_DIR / "tagger_speed.json"
_SEED = 1
_WARM_UP = 20  # sentences that are tagged once more before the clock counts

Tag = Callable[[Sequence[Sequence[str]]], list[list[str]]]


def measure(
    systems: dict[str, Tag], gold: Sequence[Tagged], repeats: int, sentences: int
) -> dict[str, dict[str, Any]]:
    """Time taggers on the same sentences, in turn.

    Args:
        systems: Name to tagging function.
        gold: Words and right tags of each sentence.
        repeats: Passes over all sentences.
        sentences: How many are tagged one by one.

    Returns:
        For each system words a second (median of the passes, and all passes), milliseconds for one sentence
        (median and 95th percentile) and accuracy in percent.
    """
    from benchmarks.tagger_peers import accuracy

    words = [sentence for sentence, _ in gold]
    total = sum(map(len, words))
    singles = random.Random(_SEED).sample(words, min(sentences, len(words)))
    passes: dict[str, list[float]] = {name: [] for name in systems}
    single: dict[str, list[float]] = {name: [] for name in systems}
    found = {name: tag(words) for name, tag in systems.items()}  # warms up as well
    for _ in range(repeats):
        for name, tag in systems.items():
            began = time.perf_counter()
            tag(words)
            passes[name].append(total / (time.perf_counter() - began))
    for name, tag in systems.items():
        for sentence in singles[:_WARM_UP] + singles:
            began = time.perf_counter()
            tag([sentence])
            single[name].append(1000 * (time.perf_counter() - began))
        del single[name][: len(singles[:_WARM_UP])]
    return {
        name: {
            "words_per_second": statistics.median(passes[name]),
            "passes": passes[name],
            "one_sentence_ms": statistics.median(single[name]),
            "one_sentence_ms_95": sorted(single[name])[int(0.95 * len(single[name]))],
            "upos_accuracy": accuracy([tags for _, tags in gold], found[name]),
        }
        for name in systems
    }


def measure_raw_text(tagger: Tagger, text: str, sentences: Sequence[str], repeats: int) -> dict[str, Any]:
    """Time our tagger from raw text, segmentation included.

    Args:
        tagger: Ours.
        text: A document.
        sentences: Sentences that are tagged one by one.
        repeats: Passes over the document.

    Returns:
        Words a second and milliseconds for one sentence, medians.
    """
    speeds, single = [], []
    words = len(tagger.tag(text).tokens)
    for _ in range(repeats):
        began = time.perf_counter()
        tagger.tag(text)
        speeds.append(words / (time.perf_counter() - began))
    for sentence in sentences:
        began = time.perf_counter()
        tagger.tag(sentence)
        single.append(1000 * (time.perf_counter() - began))
    return {"words_per_second": statistics.median(speeds), "one_sentence_ms": statistics.median(single)}


def run(options: argparse.Namespace) -> dict[str, Any]:
    """Train the peers, measure all, and sum up.

    Args:
        options: ``preset``, ``threads``, ``epochs``, ``repeats``, ``sentences``, ``peers``.

    Returns:
        Settings and the numbers of each system.
    """
    from apps.tagger.application import Tagger
    from data_prep.readers.conllu import read_ewt

    parts = {part: read_ewt(part) for part in ("train", "dev", "test")}
    tagged = {part: [_pair(sentence) for sentence in found] for part, found in parts.items()}
    peers, seconds = _trained_peers(tagged, options)
    tagger = Tagger.from_preset(options.preset)
    systems: dict[str, Tag] = {"lectern": lambda words: _upos(tagger, words)}
    began = time.perf_counter()
    _upos(tagger, [tagged["test"][0][0]])
    first_call = 1000 * (time.perf_counter() - began)
    systems |= {peer.name: peer.tag for peer in peers}
    _report("measuring")
    results = measure(systems, tagged["test"], options.repeats, options.sentences)
    for peer in peers:
        results[peer.name] |= {"version": peer.version, "training_seconds": seconds[peer.name]}
    results["lectern"]["first_sentence_ms"] = first_call
    results["lectern"] |= _about_ours(tagger, parts["test"], options)
    ours, spacy = results["lectern"]["words_per_second"], results["spacy"]["words_per_second"]
    return {
        "settings": _settings(options, tagged["test"]),
        "systems": results,
        "speed_ratio": ours / spacy,
    }


def _about_ours(tagger: Tagger, test: Sequence[Any], options: argparse.Namespace) -> dict[str, Any]:
    from data_prep.text.segmentation import raw_text
    from models.presets.store import load_preset

    chosen = random.Random(_SEED).sample(list(test), min(options.sentences, len(test)))
    raw = measure_raw_text(tagger, raw_text(test)[0], [one.text for one in chosen], options.repeats)
    return {
        "training_seconds": load_preset(options.preset, kind="pos_tagger").metadata["seconds"],
        "raw_text": raw,
    }


def _trained_peers(
    tagged: dict[str, list[Tagged]], options: argparse.Namespace
) -> tuple[list[Peer], dict[str, float]]:
    from benchmarks.tagger_peers import CrfsuitePeer, NltkPeer, SpacyPeer, train_or_load

    peers: list[Peer] = [SpacyPeer(options.epochs, _report), CrfsuitePeer(), NltkPeer()]
    with tempfile.TemporaryDirectory() as temporary:
        folder = Path(temporary) if options.peers is None else options.peers
        folder.mkdir(parents=True, exist_ok=True)
        seconds = {
            peer.name: train_or_load(peer, tagged["train"], tagged["dev"], folder, _report) for peer in peers
        }
    return peers, seconds


def _upos(tagger: Tagger, sentences: Sequence[Sequence[str]]) -> list[list[str]]:
    names = tagger.predictor.upos
    return [[names[tag] for tag in found.upos.tolist()] for found in tagger.predictor.predict(sentences)]


def _pair(sentence: Any) -> Tagged:
    return sentence.forms, [word.upos for word in sentence.words]


def _settings(options: argparse.Namespace, test: Sequence[Tagged]) -> dict[str, Any]:
    from models.training.run_folder import engine_versions, processor

    return {
        "preset": str(options.preset),
        "cores": options.threads,
        "sentences": len(test),
        "words": sum(len(words) for words, _ in test),
        "repeats": options.repeats,
        "single_sentences": min(options.sentences, len(test)),
        "spacy_epochs": options.epochs,
        "processor": processor(),
        "versions": engine_versions(),
    }


def print_results(results: dict[str, Any]) -> None:
    """Print the table.

    Args:
        results: As :func:`run` gives them.
    """
    print("system\twords/s\tone sentence, ms\tUPOS, %\ttraining, s")
    for name, one in results["systems"].items():
        print(
            f"{name}\t{one['words_per_second']:,.0f}\t{one['one_sentence_ms']:.2f}\t"
            f"{one['upos_accuracy']:.2f}\t{one['training_seconds']:,.0f}"
        )
    raw = results["systems"]["lectern"]["raw_text"]
    print(f"lectern, raw text\t{raw['words_per_second']:,.0f}\t{raw['one_sentence_ms']:.2f}\t-\t-")
    first = results["systems"]["lectern"]["first_sentence_ms"]
    print(f"speed / spaCy: {results['speed_ratio']:.2f}; our first sentence after loading: {first:.1f} ms")


def main() -> int:
    """Run the benchmark on the arguments of the command line and return the exit code."""
    parser = argparse.ArgumentParser(
        prog="python -m benchmarks.tagger_speed", description=__doc__.split("\n")[0]
    )
    parser.add_argument("--preset", default="tagger_en_ewt", help="tagger to measure")
    parser.add_argument("--threads", type=int, default=2, help="processor cores for every system")
    parser.add_argument("--epochs", type=int, default=10, help="of spaCy's training")
    parser.add_argument("--repeats", type=int, default=5, help="passes over the test part")
    parser.add_argument("--sentences", type=int, default=300, help="sentences that are tagged one by one")
    parser.add_argument("--peers", type=Path, help="folder for trained peers")
    add_output_options(parser, RESULTS)
    options = parser.parse_args()
    check_positive(parser, options, ("threads", "epochs", "repeats", "sentences"))
    limit_cores(options.threads)
    return carry_out(options, lambda: run(options), partial(write_results, RESULTS), print_results)


def _report(line: str) -> None:
    print(line, file=sys.stderr, flush=True)


if __name__ == "__main__":
    sys.exit(main())

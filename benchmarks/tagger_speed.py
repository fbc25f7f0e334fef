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
from collections.abc import Callable, Sequence
from functools import partial
from itertools import islice
from typing import Any

from apps.shared.reports import Stored
from apps.tagger.application import DEFAULT_PRESET, Tagger
from apps.tagger.reports import SPEED
from benchmarks import harness
from benchmarks.tagger_peers import CrfsuitePeer, NltkPeer, SpacyPeer, Tagged, accuracy, train_or_load
from data_prep.readers.conllu import read_ewt
from data_prep.text.segmentation import raw_text

OPTIONS = {
    "preset": harness.Option(DEFAULT_PRESET, "tagger to measure"),
    "threads": harness.THREADS,
    "epochs": harness.Option(10, "of spaCy's training"),
    "repeats": harness.Option(5, "passes over the test part"),
    "sentences": harness.Option(300, "sentences that are tagged one by one"),
    "peers": harness.Option(None, "folder for trained peers"),
}
_SEED = 1

Tag = Callable[[Sequence[Sequence[str]]], list[list[str]]]


def measure(
    systems: dict[str, Tag], gold: Sequence[Tagged], repeats: int, sentences: int
) -> dict[str, dict[str, Any]]:
    """Time taggers on the same sentences, all in turn and some one by one (``harness.speeds``); add their accuracy."""
    words = [sentence for sentence, _ in gold]
    found = {name: tag(words) for name, tag in systems.items()}  # warms up as well
    singles = random.Random(_SEED).sample(words, min(sentences, len(words)))
    count = sum(map(len, words))
    timed = harness.speeds(systems, words, singles, repeats, names=("words", "sentence"), count=count)
    for name, one in timed.items():
        one["upos_accuracy"] = accuracy([tags for _, tags in gold], found[name])
    return timed


def run(options: argparse.Namespace) -> dict[str, Any]:
    """Train the peers, measure all, and sum up."""
    parts = {part: read_ewt(part) for part in ("train", "dev", "test")}
    tagged = {
        part: [(sentence.forms, [word.upos for word in sentence.words]) for sentence in found]
        for part, found in parts.items()
    }
    peers = [SpacyPeer(options.epochs, harness.report), CrfsuitePeer(), NltkPeer()]
    with harness.folder_of(options.peers) as folder:
        seconds = [
            train_or_load(peer, tagged["train"], tagged["dev"], folder, harness.report) for peer in peers
        ]
    tagger, test = Tagger.from_preset(options.preset), tagged["test"]
    ours = partial(_upos, tagger)
    first = 1000 * harness.seconds_of(partial(ours, [test[0][0]]))
    harness.report("measuring")
    systems: dict[str, Tag] = {"lectern": ours, **{peer.name: peer.tag for peer in peers}}
    results = measure(systems, test, options.repeats, options.sentences)
    for peer, taken in zip(peers, seconds, strict=True):
        results[peer.name] |= {"version": peer.version, "training_seconds": taken}
    single = min(options.sentences, len(test))
    chosen = [sentence.text for sentence in random.Random(_SEED).sample(list(parts["test"]), single)]
    text, names = raw_text(parts["test"])[0], ("words", "sentence")
    whole, count = {"lectern": lambda texts: list(map(tagger.tag, texts))}, len(tagger.tag(text).tokens)
    from_raw_text = harness.speeds(whole, [text], chosen, options.repeats, names=names, count=count)
    results["lectern"] |= {
        "first_sentence_ms": first,
        "training_seconds": tagger.metadata["seconds"],
        "raw_text": from_raw_text["lectern"],
    }
    return {
        "settings": harness.settings(
            options,
            cores=options.threads,
            sentences=len(test),
            words=sum(len(words) for words, _ in test),
            single_sentences=single,
        ),
        "systems": results,
        "speed_ratio": results["lectern"]["words_per_second"] / results["spacy"]["words_per_second"],
    }


def _upos(tagger: Tagger, sentences: Sequence[Sequence[str]]) -> list[list[str]]:
    tags = (tagger.predictor.upos[tag] for tag in tagger.predictor.predict(sentences).upos.tolist())
    return [list(islice(tags, len(words))) for words in sentences]


def _show(found: Stored) -> None:
    harness.print_report(SPEED.report(found))
    print(found.text("Our first sentence after loading: {systems.lectern.first_sentence_ms:.1f} ms"))


main = harness.command(__name__, __doc__, SPEED, run, OPTIONS, show=_show)

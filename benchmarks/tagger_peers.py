"""The taggers that ours is measured against: spaCy's CNN, CRFsuite and NLTK's perceptron, from scratch.

All learn universal tags from the same sentences, with the settings of their own documentation:

- spaCy: the default ``tagger`` component (HashEmbedCNN, width 96, depth 4) with the default optimizer,
  batches of 100 to 1,000 words and dropout 0.1; the epoch that is best on dev (https://spacy.io/api/tagger).
- CRFsuite: L-BFGS, c1 = 0.1, c2 = 0.01, 100 iterations, the features of the project's tutorial with two words
  on each side (https://sklearn-crfsuite.readthedocs.io).
- NLTK: averaged perceptron, 5 iterations (https://www.nltk.org/api/nltk.tag.perceptron.html).
"""

from __future__ import annotations

import json
import random
import statistics
import time
from abc import abstractmethod
from collections.abc import Callable, Sequence
from itertools import chain
from pathlib import Path
from typing import Any

from benchmarks.harness import Peer

Tagged = tuple[list[str], list[str]]  # words and universal tags of a sentence

_SEED = 1
_CRF_FILE = "crfsuite.model"


class TaggerPeer(Peer):
    """A tagger that learns from sentences and tags sentences."""

    @abstractmethod
    def train(self, train: Sequence[Tagged], dev: Sequence[Tagged], folder: Path) -> None:
        """Learn, choose an epoch by ``dev`` where that is usual, and keep the trained tagger in ``folder``."""

    @abstractmethod
    def load(self, folder: Path) -> None:
        """Open what :meth:`train` kept."""

    @abstractmethod
    def tag(self, sentences: Sequence[Sequence[str]]) -> list[list[str]]:
        """Return the universal tags of sentences of given words."""


class SpacyPeer(TaggerPeer):
    """spaCy's CNN tagger.

    Args:
        epochs: Passes over the training sentences.
        report: Receives a line an epoch.
    """

    name = "spacy"

    def __init__(self, epochs: int = 10, report: Callable[[str], None] = lambda line: None) -> None:
        self.epochs = epochs
        self.report = report
        self.pipeline: Any = None

    def train(self, train: Sequence[Tagged], dev: Sequence[Tagged], folder: Path) -> None:
        """Learn for some epochs and keep the best on dev; see :meth:`TaggerPeer.train`."""
        import spacy
        from spacy.training import Example
        from spacy.training.batchers import minibatch_by_words
        from thinc.api import compounding, fix_random_seed

        fix_random_seed(_SEED)
        order = random.Random(_SEED)
        self.pipeline = spacy.blank("en")
        self.pipeline.add_pipe("tagger")
        examples = [
            Example.from_dict(self._document(words), {"words": words, "tags": tags}) for words, tags in train
        ]
        optimizer = self.pipeline.initialize(lambda: examples)
        sizes, best = compounding(100.0, 1000.0, 1.001), -1.0
        for epoch in range(self.epochs):
            order.shuffle(examples)
            for batch in minibatch_by_words(examples, sizes):
                self.pipeline.update(batch, drop=0.1, sgd=optimizer)
            score = accuracy([tags for _, tags in dev], self.tag([words for words, _ in dev]))
            self.report(f"spaCy, epoch {epoch + 1} of {self.epochs}: {score:.2f} % on dev")
            if score > best:
                best = score
                self.pipeline.to_disk(folder / self.name)
        self.load(folder)

    def load(self, folder: Path) -> None:
        """Open the kept pipeline."""
        import spacy

        self.pipeline = spacy.load(folder / self.name)

    def tag(self, sentences: Sequence[Sequence[str]]) -> list[list[str]]:
        """Tag sentences; see :meth:`TaggerPeer.tag`."""
        documents = self.pipeline.pipe(map(self._document, sentences), batch_size=256)
        return [[token.tag_ for token in document] for document in documents]

    def _document(self, words: Sequence[str]) -> Any:
        from spacy.tokens import Doc

        return Doc(self.pipeline.vocab, words=list(words))


class CrfsuitePeer(TaggerPeer):
    """A linear-chain CRF over hand-made features.

    Args:
        iterations: Of L-BFGS, at most.
        describe: Makes the features of each item of a sequence; None takes those of words, :func:`features`.
    """

    name = "python-crfsuite"

    def __init__(self, iterations: int = 100, describe: Callable[[Any], Any] | None = None) -> None:
        self.iterations = iterations
        self.describe = describe or features
        self.tagger: Any = None

    def train(self, train: Sequence[Tagged], dev: Sequence[Tagged], folder: Path) -> None:
        """Learn; see :meth:`TaggerPeer.train`."""
        import pycrfsuite

        trainer = pycrfsuite.Trainer(
            algorithm="lbfgs",
            params={"c1": 0.1, "c2": 0.01, "max_iterations": self.iterations},
            verbose=False,
        )
        for words, tags in train:
            trainer.append(self.describe(words), tags)
        trainer.train(str(folder / _CRF_FILE))
        self.load(folder)

    def load(self, folder: Path) -> None:
        """Open the kept model."""
        import pycrfsuite

        self.tagger = pycrfsuite.Tagger()
        self.tagger.open(str(folder / _CRF_FILE))

    def tag(self, sentences: Sequence[Sequence[str]]) -> list[list[str]]:
        """Tag sentences; see :meth:`TaggerPeer.tag`."""
        return [self.tagger.tag(self.describe(words)) for words in sentences]


class NltkPeer(TaggerPeer):
    """NLTK's averaged perceptron.

    Args:
        iterations: Passes over the training sentences.
    """

    name = "nltk"

    def __init__(self, iterations: int = 5) -> None:
        self.iterations = iterations
        self.tagger: Any = None

    def train(self, train: Sequence[Tagged], dev: Sequence[Tagged], folder: Path) -> None:
        """Learn; see :meth:`TaggerPeer.train`."""
        from nltk.tag.perceptron import PerceptronTagger

        random.seed(_SEED)  # it shuffles with the global generator
        self.tagger = PerceptronTagger(load=False)
        pairs = [list(zip(words, tags, strict=True)) for words, tags in train]
        self.tagger.train(pairs, nr_iter=self.iterations)
        kept = (self.tagger.model.weights, self.tagger.tagdict, sorted(self.tagger.classes))
        (folder / f"{self.name}.json").write_text(json.dumps(kept), encoding="utf-8")

    def load(self, folder: Path) -> None:
        """Open the kept weights."""
        from nltk.tag.perceptron import PerceptronTagger

        self.tagger = PerceptronTagger(load=False)
        text = (folder / f"{self.name}.json").read_text(encoding="utf-8")
        weights, tagdict, classes = json.loads(text)
        self.tagger.model.weights, self.tagger.tagdict = weights, tagdict
        self.tagger.classes = self.tagger.model.classes = set(classes)

    def tag(self, sentences: Sequence[Sequence[str]]) -> list[list[str]]:
        """Tag sentences; see :meth:`TaggerPeer.tag`."""
        return [[tag for _, tag in self.tagger.tag(list(words))] for words in sentences]


def features(words: Sequence[str]) -> list[list[str]]:
    """Name the features of each word as CRF taggers usually do: the word, its affixes and shape, its neighbours."""
    own = [_own_features(word) for word in words]
    rows = []
    for at, mine in enumerate(own):
        row = ["bias", *mine]
        for distance in (-2, -1, 1, 2):
            other = at + distance
            if 0 <= other < len(words):
                kept = own[other][:1] + own[other][-3:] if abs(distance) == 1 else own[other][:1]
                row += [f"{distance:+d}:{feature}" for feature in kept]
            elif abs(distance) == 1:
                row.append("BOS" if distance < 0 else "EOS")
        rows.append(row)
    return rows


def train_or_load(
    peer: TaggerPeer,
    train: Sequence[Tagged],
    dev: Sequence[Tagged],
    folder: Path,
    report: Callable[[str], None],
) -> float:
    """Train a peer, or open it where ``folder`` holds it; return the seconds that training took."""
    record = folder / f"{peer.name}.seconds.json"
    if record.is_file():
        kept = json.loads(record.read_text(encoding="utf-8"))
        if kept["version"] == peer.version and kept["sentences"] == len(train):
            peer.load(folder)
            report(f"{peer.name} {peer.version}: trained before")
            return float(kept["seconds"])
    report(f"{peer.name} {peer.version}: training on {len(train):,} sentences")
    began = time.perf_counter()
    peer.train(train, dev, folder)
    seconds = time.perf_counter() - began
    kept = {"version": peer.version, "sentences": len(train), "seconds": seconds}
    record.write_text(json.dumps(kept), encoding="utf-8")
    return seconds


def accuracy(gold: Sequence[Sequence[str]], found: Sequence[Sequence[str]]) -> float:
    """Percent of words with the right tag, of the right tags and those to score of each sentence."""
    pairs = zip(chain.from_iterable(gold), chain.from_iterable(found), strict=True)
    return 100.0 * statistics.fmean(one == other for one, other in pairs)


def _own_features(word: str) -> list[str]:
    lower = word.lower()
    affixes = [f"p{n}={lower[:n]}" for n in (1, 2, 3)] + [f"s{n}={lower[-n:]}" for n in (1, 2, 3, 4)]
    shape = [f"upper={word.isupper()}", f"title={word.istitle()}", f"digit={word.isdigit()}"]
    return [f"w={lower}", *affixes, f"hyphen={'-' in word}", *shape]

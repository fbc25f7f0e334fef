"""Accuracy beside other systems that learn from the same examples, with the seconds of their training.

    python -m benchmarks.peers --task tagger            half an hour, most of it spaCy's training
    python -m benchmarks.peers --task reviews --store   a minute; keeps the result for page and documentation
    python -m benchmarks.peers --task ocr --store       some minutes

Ours is the shipped preset. The peers have the settings of their own documentation; one that is not installed is left
out, and that is said (fastText: requirements-bench.txt). How fast they are beside ours: ``benchmarks.as_used``.

Tagger, universal tags of UD English EWT, given words:

- spaCy: the default ``tagger`` component (HashEmbedCNN, width 96, depth 4) with the default optimizer,
  batches of 100 to 1,000 words and dropout 0.1; the epoch that is best on dev (https://spacy.io/api/tagger).
- CRFsuite: L-BFGS, c1 = 0.1, c2 = 0.01, 100 iterations, the features of the project's tutorial with two words
  on each side (https://sklearn-crfsuite.readthedocs.io).
- NLTK: averaged perceptron, 5 iterations (https://www.nltk.org/api/nltk.tag.perceptron.html).

Reviews, the two halves of IMDB from raw text:

- scikit-learn: ``TfidfVectorizer`` of words and pairs of words, those that two documents hold, the logarithm of their
  counts; ``LogisticRegression`` with C = 10 and otherwise its defaults.
- fastText (Joulin et al. 2017): words and pairs, as its tutorial does with punctuation set apart and small letters.
  Its Python package calls an interface of NumPy that is gone, so that its own C++ object is called here, which gives
  the same answers.

OCR, folds 1 to 9 of the handwritten words to learn from and fold 0 to read: CRFsuite as above, the pixels as features.
"""

from __future__ import annotations

import argparse
import importlib
import random
import re
import statistics
import tempfile
import time
from collections.abc import Callable, Mapping, Sequence
from functools import partial
from itertools import chain
from pathlib import Path
from typing import Any

import numpy as np

from apps.ocr.application import LETTERS_PRESET, Reader
from apps.ocr.evaluation import error_rate, read_letters
from apps.ocr.reports import PEERS as OCR
from apps.ocr.sources import TEST_FOLD
from apps.reviews.application import DEFAULT_PRESET as REVIEWS_PRESET
from apps.reviews.application import Reviews
from apps.reviews.reports import PEERS as REVIEWS
from apps.reviews.results import Verdict
from apps.tagger.application import DEFAULT_PRESET as TAGGER_PRESET
from apps.tagger.application import Tagger
from apps.tagger.reports import PEERS as TAGGER
from benchmarks.harness import THREADS, Option, command, report, settings, version_of
from data_prep.readers.conllu import read_ewt
from data_prep.readers.document_sets import read_imdb
from data_prep.readers.letters import LetterWords
from data_prep.readers.letters import read_letters as letters_of_the_set
from data_prep.text.text_inputs import plain
from models.presets.card import training_seconds

TABLES = {"tagger": TAGGER, "reviews": REVIEWS, "ocr": OCR}
OPTIONS = {
    "task": Option("tagger", "what is learned", choices=tuple(TABLES)),
    "preset": Option("", "preset to score; the shipped one if it is left out"),
    "threads": THREADS,
}
_SEED = 1
_SIGNS = re.compile(r"([.!?,'/()\"])")
_LABEL = "__label__"  # fastText's

Words = Sequence[str]
Tags = list[str]
Answer = Callable[[Sequence[Any]], Sequence[Any]]  # inputs to answers
Learn = Callable[[Sequence[Any], Sequence[Any]], Answer]  # of inputs and right answers


def spacy_tagger(
    sentences: Sequence[Words],
    tags: Sequence[Tags],
    *,
    dev: tuple[Sequence[Words], Sequence[Tags]],
    epochs: int = 10,
) -> Answer:
    """Train spaCy's tagger for some epochs, and return the best on ``dev``."""
    import spacy
    from spacy.tokens import Doc
    from spacy.training import Example
    from spacy.training.batchers import minibatch_by_words
    from thinc.api import compounding, fix_random_seed

    fix_random_seed(_SEED)
    order = random.Random(_SEED)
    pipeline = spacy.blank("en")
    pipeline.add_pipe("tagger")

    def document(words: Words) -> Doc:
        return Doc(pipeline.vocab, words=list(words))

    def answer(sentences: Sequence[Words]) -> list[Tags]:
        documents = pipeline.pipe(map(document, sentences), batch_size=256)
        return [[token.tag_ for token in found] for found in documents]

    examples = [
        Example.from_dict(document(words), {"words": words, "tags": own})
        for words, own in zip(sentences, tags, strict=True)
    ]
    optimizer = pipeline.initialize(lambda: examples)
    sizes, best, kept = compounding(100.0, 1000.0, 1.001), -1.0, b""
    for epoch in range(epochs):
        order.shuffle(examples)
        for batch in minibatch_by_words(examples, sizes):
            pipeline.update(batch, drop=0.1, sgd=optimizer)
        score = accuracy(dev[1], answer(dev[0]))
        report(f"spaCy, epoch {epoch + 1} of {epochs}: {score:.2f} % on dev")
        if score > best:
            best, kept = score, pipeline.to_bytes()
    pipeline.from_bytes(kept)
    return answer


def crfsuite(
    sequences: Sequence[Any],
    labels: Sequence[Sequence[str]],
    *,
    describe: Callable[[Any], list[list[str]]],
    iterations: int = 100,
) -> Answer:
    """Train a linear-chain CRF over features that ``describe`` names for each item of a sequence."""
    import pycrfsuite

    parameters = {"c1": 0.1, "c2": 0.01, "max_iterations": iterations}
    trainer = pycrfsuite.Trainer(algorithm="lbfgs", params=parameters, verbose=False)
    for sequence, own in zip(sequences, labels, strict=True):
        trainer.append(describe(sequence), list(own))
    tagger = pycrfsuite.Tagger()
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "crfsuite.model"
        trainer.train(str(path))
        tagger.open(str(path))  # reads all of it
    return lambda sequences: [tagger.tag(describe(sequence)) for sequence in sequences]


def perceptron(sentences: Sequence[Words], tags: Sequence[Tags]) -> Answer:
    """Train NLTK's averaged perceptron."""
    from nltk.tag.perceptron import PerceptronTagger

    random.seed(_SEED)  # it shuffles with the global generator
    tagger = PerceptronTagger(load=False)
    tagger.train([list(zip(*pair, strict=True)) for pair in zip(sentences, tags, strict=True)], nr_iter=5)
    return lambda sentences: [[tag for _, tag in tagger.tag(list(words))] for words in sentences]


def tfidf(texts: Sequence[str], labels: np.ndarray) -> Answer:
    """Train TF-IDF and logistic regression; labels and answers are int (n,)."""
    from sklearn.feature_extraction.text import TfidfVectorizer
    from sklearn.linear_model import LogisticRegression
    from sklearn.pipeline import make_pipeline

    vectorizer = TfidfVectorizer(ngram_range=(1, 2), min_df=2, sublinear_tf=True)
    return make_pipeline(vectorizer, LogisticRegression(C=10.0, max_iter=1000)).fit(texts, labels).predict


def fasttext(texts: Sequence[str], labels: np.ndarray, *, threads: int) -> Answer:
    """Train fastText's classifier; labels and answers are int (n,)."""
    package = importlib.import_module("fasttext")  # not in requirements-dev.txt
    order = np.random.default_rng(_SEED).permutation(len(texts))  # it reads the file as it stands
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "train.txt"
        with path.open("w", encoding="utf-8") as file:
            file.writelines(f"{_LABEL}{labels[at]} {fasttext_line(texts[at])}" for at in order)
        sizes = {"wordNgrams": 2, "epoch": 10, "lr": 0.5, "dim": 50}
        model = package.train_supervised(input=str(path), thread=threads, verbose=0, **sizes)

    def answer(texts: Sequence[str]) -> np.ndarray:
        found, _ = model.f.multilinePredict([fasttext_line(text) for text in texts], 1, 0.0, "strict")
        return np.array([int(one[0].removeprefix(_LABEL)) for one in found])

    return answer


def fasttext_line(text: str) -> str:
    """Write a text as fastText's tutorial prepares it: one line, small letters, punctuation set apart."""
    return " ".join(_SIGNS.sub(r" \1 ", plain(text).lower()).split()) + "\n"


def word_features(words: Words) -> list[list[str]]:
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


def _own_features(word: str) -> list[str]:
    lower = word.lower()
    affixes = [f"p{n}={lower[:n]}" for n in (1, 2, 3)] + [f"s{n}={lower[-n:]}" for n in (1, 2, 3, 4)]
    shape = [f"upper={word.isupper()}", f"title={word.istitle()}", f"digit={word.isdigit()}"]
    return [f"w={lower}", *affixes, f"hyphen={'-' in word}", *shape]


def pixel_features(images: np.ndarray) -> list[list[str]]:
    """Name the pixels of ink of each letter of a word, uint8 (letters, 16, 8)."""
    return [["bias", *(f"p{at}" for at in np.flatnonzero(image).tolist())] for image in images]


def accuracy(gold: Sequence[Sequence[str]], found: Sequence[Sequence[str]]) -> float:
    """Percent of words with the right tag, of the right tags and those to score of each sentence."""
    pairs = zip(chain.from_iterable(gold), chain.from_iterable(found), strict=True)
    return 100.0 * statistics.fmean(one == other for one, other in pairs)


def compared(
    peers: Mapping[str, Learn],
    train: tuple[Sequence[Any], Sequence[Any]],
    inputs: Sequence[Any],
    score: Callable[[Sequence[Any]], dict[str, float]],
) -> dict[str, dict[str, Any]]:
    """Train the peers that are installed, by name of their package, and score what they answer to the inputs."""
    found = {}
    for name, learn in peers.items():
        version = version_of(name, f"{name}-wheel")
        if version is None:
            report(f"{name} is not installed: left out (requirements-bench.txt)")
            continue
        report(f"training {name} ...")
        began = time.perf_counter()
        answer = learn(*train)
        facts = {"version": version, "training_seconds": time.perf_counter() - began}
        found[name] = score(answer(inputs)) | facts
    return found


def tagger(options: argparse.Namespace) -> dict[str, Any]:
    """Score taggers on the test part; return the systems and how much was tagged."""
    ours = Tagger.from_preset(options.preset or TAGGER_PRESET)
    train, dev, (words, tags) = (
        ([one.forms for one in part], [[word.upos for word in one.words] for one in part])
        for part in map(read_ewt, ("train", "dev", "test"))
    )

    def score(found: Sequence[Sequence[str]]) -> dict[str, float]:
        return {"upos_accuracy": accuracy(tags, found)}

    peers = {
        "spacy": partial(spacy_tagger, dev=dev),
        "python-crfsuite": partial(crfsuite, describe=word_features),
        "nltk": perceptron,
    }
    answers = [[token.upos for token in sentence.tokens] for sentence in ours.tag_tokens(words)]
    own = score(answers) | {"training_seconds": training_seconds(ours.metadata)}
    systems = {"lectern": own, **compared(peers, train, words, score)}
    return {"systems": systems, "sentences": len(words), "words": sum(map(len, words))}


def reviews(options: argparse.Namespace) -> dict[str, Any]:
    """Score classifiers on the test half; return the systems and how much was classified."""
    ours, imdb = Reviews.from_preset(options.preset or REVIEWS_PRESET), read_imdb(unlabelled=False)

    def score(found: Sequence[int]) -> dict[str, float]:
        return {"accuracy": 100.0 * float((np.asarray(found) == imdb.test.labels).mean())}

    peers = {"scikit-learn": tfidf, "fasttext": partial(fasttext, threads=options.threads)}
    own = score(labels_of(ours, imdb.test.texts)) | {"training_seconds": training_seconds(ours.metadata)}
    others = compared(peers, (imdb.train.texts, imdb.train.labels), imdb.test.texts, score)
    return {"systems": {"lectern": own, **others}, "test": len(imdb.test)}


def labels_of(reviews: Reviews, texts: Sequence[str]) -> list[int]:
    """Classify texts with ours; a text without a known word counts as wrong, -1."""
    answers = reviews.classify_many(texts)
    return [reviews.labels.index(one.label) if isinstance(one, Verdict) else -1 for one in answers]


def ocr(options: argparse.Namespace) -> dict[str, Any]:
    """Score readers on fold 0; return the systems and how much was read."""
    ours, words = Reader.from_preset(options.preset or LETTERS_PRESET, None), letters_of_the_set()
    train, test = (
        words.part(np.flatnonzero(part)) for part in (words.folds != TEST_FOLD, words.folds == TEST_FOLD)
    )

    def score(found: Sequence[Sequence[str]]) -> dict[str, float]:
        rate = error_rate(["".join(letters) for letters in found], test.texts)
        return {"character_error": rate.character_error, "word_error": rate.word_error}

    read = read_letters(ours.letters, test)
    own = {way: score(read[way]) for way in ("bilstm", "search") if way in read}
    peers = {"python-crfsuite": partial(crfsuite, describe=pixel_features)}
    systems = own | compared(peers, (pictures_of(train), train.texts), pictures_of(test), score)
    return {"systems": systems, "fold": TEST_FOLD, "words": len(test.texts), "characters": len(test.labels)}


def pictures_of(words: LetterWords) -> list[np.ndarray]:
    """Return the letters of each word, uint8 (letters, 16, 8)."""
    return [words.images[words.letters_of(at)] for at in range(len(words.texts))]


def run(options: argparse.Namespace) -> dict[str, Any]:
    """Train the peers of a task and score all."""
    found = {"tagger": tagger, "reviews": reviews, "ocr": ocr}[options.task](options)
    systems = found.pop("systems")
    return {"settings": settings(options, **found), "systems": systems}


main = command(__name__, __doc__, lambda options: TABLES[options.task], run, OPTIONS)

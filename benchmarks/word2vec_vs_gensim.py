"""Train word2vec with Lectern and with gensim on the same tokens, vocabulary, settings and threads; score both.

    python -m benchmarks.word2vec_vs_gensim --tokens 17000000            about ten minutes on two cores
    python -m benchmarks.word2vec_vs_gensim --tokens 1000000 --json      a quick look
    python -m benchmarks.word2vec_vs_gensim --store                      and keep the result for docs/word-vectors.md

Fair by construction: both read the same file of tokens (one sentence a line), each in a process of its own, pinned to
the same number of cores; both count the vocabulary themselves (the words must agree); both train
with the same architecture, dimensions, window, negatives, subsampling, learning rate, epochs; one scorer scores
both. gensim runs its fastest mode (``corpus_file``). Time for training includes everything from the counted
vocabulary to the last epoch, compilation included. The clock stands still while an epoch is scored.

Settings that differ from gensim's defaults: skip-gram with sample 1e-4 (gensim: CBOW, 1e-3); CBOW with a learning rate
of 0.05, that of word2vec.c (gensim's 0.025 scores lower with gensim too); workers as given. The learning rates fall to
a tenth of the first: ours by its setting, gensim's by the way its two workers count (``gensim_vectors``).
"""

from __future__ import annotations

import argparse
import json
import os
import resource
import sys
import tempfile
import time
from collections.abc import Callable
from concurrent.futures import ProcessPoolExecutor
from functools import partial
from itertools import chain
from multiprocessing import get_context
from pathlib import Path
from typing import Any

from apps.vectors.evaluation import evaluate
from apps.vectors.reports import SPEED, TASKS
from benchmarks.gensim_vectors import gensim_settings
from benchmarks.harness import THREADS, Option, command, report
from data_prep.batching import as_dataset
from data_prep.datasets import locate
from data_prep.errors import InputError
from data_prep.files import write_json
from data_prep.readers.text import iter_lines
from data_prep.text.embeddings import WordVectors
from data_prep.text.tokenizer import WordTokenizer
from data_prep.text.word2vec_corpus import encode_corpus
from models.training.run_folder import processor
from models.word2vec.training import VectorsRecipe, fitted_to, word2vec_stage

OPTIONS = {
    "tokens": Option(17_000_000, "train on the first tokens, as many as this"),
    "text": Option(None, "file or folder; the wiki set if not given"),
    "epochs": Option(5, "passes over the tokens"),
    "threads": THREADS,
    "architectures": Option(tuple(TASKS), "which of them", choices=tuple(TASKS)),
}
_LONGEST_SENTENCE = 10_000  # gensim cuts longer ones silently
_HELD_OUT = 25_000


class Curve:
    """Scores by seconds of training; the clock stands still while something is scored."""

    def __init__(self) -> None:
        self.points: list[dict[str, Any]] = []
        self._begun, self._cpu = time.perf_counter(), time.process_time()

    def add(self, vectors: Callable[[], WordVectors], **more: Callable[[], float]) -> None:
        """Score the vectors of this moment, and whatever else."""
        paused, cpu = time.perf_counter(), time.process_time()
        scores = {name: score() for name, score in more.items()}
        analogies = evaluate(vectors()).analogies.total.accuracy
        spent = {"seconds": paused - self._begun, "cpu_seconds": cpu - self._cpu}
        self.points.append({**spent, **scores, "analogies": analogies})
        self._begun += time.perf_counter() - paused
        self._cpu += time.process_time() - cpu


def write_tokens(text: Path, tokens: int, folder: Path) -> int:
    """Write the first tokens of a text to ``train.txt``, and some after them to ``held_out.txt``, one sentence a line.

    Raises:
        InputError: The text is shorter.
    """
    keys = WordTokenizer(punctuation=False, lower=True).keys
    written = held_out = 0
    with (
        (folder / "train.txt").open("w", encoding="utf-8") as train,
        (folder / "held_out.txt").open("w", encoding="utf-8") as rest,
    ):
        for line in iter_lines(text):
            words = keys(line)
            now, after = words[: tokens - written], words[tokens - written :]
            for low in range(0, len(now), _LONGEST_SENTENCE):
                train.write(" ".join(now[low : low + _LONGEST_SENTENCE]) + "\n")
            written += len(now)
            if after:
                rest.write(" ".join(after) + "\n")
                held_out += len(after)
            if held_out >= _HELD_OUT:
                break
    if written < tokens:
        raise InputError(
            f"{text} is too short", allowed=f"at least {tokens:,} tokens", received=f"{written:,} tokens"
        )
    return written


def train_ours(folder: Path, tokens: int, recipe: VectorsRecipe) -> dict[str, Any]:
    """Train Lectern's word2vec on ``train.txt``; return measurements and scores."""
    begun = time.perf_counter()
    lines = chain(iter_lines(folder / "train.txt"), iter_lines(folder / "held_out.txt"))
    limits = {"min_count": recipe.min_count, "max_tokens": tokens}
    corpus = encode_corpus(lines, str.split, folder / "ours.int32", **limits)
    to_vocabulary = time.perf_counter() - begun

    def vectors() -> WordVectors:
        return WordVectors(corpus.vocabulary, model.input_vectors.numpy())

    curve = Curve()
    stage = word2vec_stage(fitted_to(recipe, corpus), corpus)
    model = stage.network()
    form = {"fixed_shapes": stage.fixed_shapes, "prefetch": stage.prefetch}
    for epoch in range(recipe.epochs):
        data = as_dataset(partial(stage.epoch, epoch), **form)
        model.fit(data, initial_epoch=epoch, epochs=epoch + 1, shuffle=False, verbose=0)
        curve.add(vectors, loss=lambda: stage.evaluate(model)["held_out_loss"])
    return _measured(vectors(), curve, tokens, to_vocabulary)


def train_gensim(folder: Path, tokens: int, recipe: VectorsRecipe) -> dict[str, Any]:
    """Train gensim's word2vec on ``train.txt``; return measurements and scores."""
    from gensim.models import Word2Vec
    from gensim.models.callbacks import CallbackAny2Vec

    model = Word2Vec(**gensim_settings(recipe.settled()))
    begun = time.perf_counter()
    model.build_vocab(corpus_file=str(folder / "train.txt"))
    to_vocabulary = time.perf_counter() - begun

    class Scored(CallbackAny2Vec):
        def on_epoch_end(self, model: Word2Vec) -> None:
            curve.add(partial(WordVectors.from_keyed_vectors, model.wv))

    curve = Curve()
    counted = {"total_examples": model.corpus_count, "total_words": model.corpus_total_words}
    text = str(folder / "train.txt")
    model.train(corpus_file=text, epochs=recipe.epochs, callbacks=[Scored()], **counted)
    return _measured(WordVectors.from_keyed_vectors(model.wv), curve, tokens, to_vocabulary)


def _measured(vectors: WordVectors, curve: Curve, tokens: int, to_vocabulary: float) -> dict[str, Any]:
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    evaluation = evaluate(vectors)
    seconds = curve.points[-1]["seconds"]
    return {
        "words_per_second": tokens * len(curve.points) / seconds,
        "seconds": seconds,
        "cpu_seconds": curve.points[-1]["cpu_seconds"],
        "seconds_to_vocabulary": to_vocabulary,
        "peak_memory_mib": peak / (2**20 if sys.platform == "darwin" else 2**10),
        "vocabulary": len(vectors),
        "analogies": evaluation.analogies.total.accuracy,
        "answered": evaluation.analogies.total.answered,
        "sections": {name: part.to_dict() for name, part in evaluation.analogies.sections.items()},
        "wordsim353": evaluation.wordsim353.spearman,
        "simlex999": evaluation.simlex999.spearman,
        "curve": curve.points,
    }


def in_own_process(train: Callable[..., dict[str, Any]], *arguments: Any) -> dict[str, Any]:
    """Train one system in a fresh process, held to the cores of this one, so that its memory is its own."""
    os.environ |= {"OMP_NUM_THREADS": "1", "TF_CPP_MIN_LOG_LEVEL": "3"}
    with ProcessPoolExecutor(1, mp_context=get_context("spawn")) as pool:
        return pool.submit(train, *arguments).result()


def run(options: argparse.Namespace) -> dict[str, Any]:
    """Train and score everything; return the results as they are stored."""
    results: dict[str, Any] = {}
    chosen = {name: getattr(options, name) for name in ("tokens", "epochs", "threads")}
    with tempfile.TemporaryDirectory() as temporary:
        folder = Path(temporary)
        write_tokens(options.text or locate("wiki"), options.tokens, folder)
        for architecture in options.architectures:
            recipe = VectorsRecipe(architecture=architecture, epochs=options.epochs, threads=options.threads)
            measured = {}
            for system, train in (("ours", train_ours), ("gensim", train_gensim)):
                report(f"{architecture}, {system} ...")
                measured[system] = in_own_process(train, folder, options.tokens, recipe)
            ours, peer = measured.values()
            if ours["vocabulary"] != peer["vocabulary"]:
                raise RuntimeError("The two systems did not count the same vocabulary.")
            ratio = ours["words_per_second"] / peer["words_per_second"]
            results[architecture] = {**measured, "speed_ratio": ratio}
    return {**results, "settings": {**chosen, "processor": processor()}}


def _store(path: Path, results: dict[str, Any]) -> None:
    """Write the results; an architecture that was not run keeps what an equal run before it measured."""
    before = json.loads(path.read_text(encoding="utf-8")) if path.is_file() else {}
    kept = before if before.get("settings") == results["settings"] else {}
    write_json(path, {**kept, **results})


main = command(__name__, __doc__, SPEED, run, OPTIONS, store=_store)

"""Train word2vec with Lectern and with gensim on the same tokens, vocabulary, settings and threads; score both.

    python -m benchmarks.word2vec_vs_gensim --tokens 17000000            about ten minutes on two cores
    python -m benchmarks.word2vec_vs_gensim --tokens 1000000 --json      a quick look
    python -m benchmarks.word2vec_vs_gensim --store                      and write the table of README

Fair by construction: both read the same file of tokens (one sentence a line), each in a process of its own, pinned to
the same number of cores; both count the vocabulary themselves (the words must agree); both train
with the same architecture, dimensions, window, negatives, subsampling, learning rate, epochs; one scorer scores
both. gensim runs its fastest mode (``corpus_file``). Time for training includes everything from the counted
vocabulary to the last epoch, compilation included. The clock stands still while an epoch is scored.

Settings that differ from gensim's defaults: skip-gram with sample 1e-4 (gensim: CBOW, 1e-3); CBOW with a learning rate
of 0.05, that of word2vec.c (gensim's 0.025 scores lower with gensim too); workers as given.
"""

from __future__ import annotations

import argparse
import json
import os
import resource
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterable, Sequence
from pathlib import Path
from typing import Any

from apps.shared.reports import RESULTS_DIR
from benchmarks.command import ROOT, write_results
from data_prep.errors import InputError

RESULTS = RESULTS_DIR / "word2vec_vs_gensim.json"
ARCHITECTURES = ("skipgram", "cbow")
SYSTEMS = ("ours", "gensim")
_LONGEST_SENTENCE = 10_000  # gensim cuts longer ones silently
_HELD_OUT = 25_000


class Clock:
    """Seconds of training, without those in which something is scored."""

    def __init__(self) -> None:
        self._begun = time.perf_counter()
        self._away = 0.0

    def seconds(self) -> float:
        """Return the seconds so far."""
        return time.perf_counter() - self._begun - self._away

    def skip(self, begun: float) -> None:
        """Leave out the time since ``begun`` (of :func:`time.perf_counter`)."""
        self._away += time.perf_counter() - begun


def write_tokens(text: Path, tokens: int, folder: Path) -> int:
    """Write the first tokens of a text, and some after them to hold out, as files of one sentence a line.

    Args:
        text: File or folder.
        tokens: How many to train on.
        folder: Gets ``train.txt`` and ``held_out.txt``.

    Returns:
        Tokens in ``train.txt``.

    Raises:
        InputError: The text is shorter.
    """
    from data_prep.readers.text import iter_lines
    from data_prep.text.tokenizer import WordTokenizer

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


def train_ours(folder: Path, tokens: int, architecture: str, epochs: int, threads: int) -> dict[str, Any]:
    """Train Lectern's word2vec on ``train.txt``; return measurements and scores."""
    from apps.vectors.task import VectorsRecipe, compiled, epoch_batches, fitted_to
    from data_prep.readers.text import iter_lines
    from data_prep.text.word2vec_corpus import encode_corpus

    recipe = VectorsRecipe(architecture=architecture, epochs=epochs, threads=threads)
    begun = time.perf_counter()
    corpus = encode_corpus(
        _both(iter_lines(folder / "train.txt"), iter_lines(folder / "held_out.txt")),
        str.split,
        folder / "ours.int32",
        min_count=recipe.min_count,
        max_tokens=tokens,
    )
    to_vocabulary = time.perf_counter() - begun
    import tensorflow  # noqa: F401  its loading is not training; gensim is loaded before its clock runs too

    clock = Clock()
    recipe = fitted_to(recipe, corpus)
    model, stream = compiled(recipe, corpus)
    held_out, curve = stream.held_out(), []
    for epoch in range(epochs):
        model.fit(
            epoch_batches(stream, epoch), initial_epoch=epoch, epochs=epoch + 1, shuffle=False, verbose=0
        )
        seconds, paused = clock.seconds(), time.perf_counter()
        point = {"seconds": seconds, "loss": model.mean_loss(held_out)}
        curve.append({**point, "analogies": _analogies(_ours(model, corpus))})
        clock.skip(paused)
    return _measured(_ours(model, corpus), curve, tokens, to_vocabulary)


def train_gensim(folder: Path, tokens: int, architecture: str, epochs: int, threads: int) -> dict[str, Any]:
    """Train gensim's word2vec on ``train.txt``; return measurements and scores."""
    from gensim.models import Word2Vec
    from gensim.models.callbacks import CallbackAny2Vec

    from apps.vectors.task import VectorsRecipe

    recipe = VectorsRecipe(architecture=architecture).settled()
    model = Word2Vec(
        vector_size=recipe.dimensions,
        window=recipe.window,
        negative=recipe.negatives,
        min_count=recipe.min_count,
        sample=recipe.sample,
        alpha=recipe.learning_rate,
        min_alpha=recipe.minimum_learning_rate,
        sg=int(architecture == "skipgram"),
        workers=threads,
        seed=recipe.seed,
        epochs=epochs,
    )
    begun = time.perf_counter()
    model.build_vocab(corpus_file=str(folder / "train.txt"))
    to_vocabulary = time.perf_counter() - begun
    curve: list[dict[str, float]] = []

    class Scored(CallbackAny2Vec):
        def on_epoch_end(self, model: Word2Vec) -> None:
            seconds, paused = clock.seconds(), time.perf_counter()
            curve.append({"seconds": seconds, "analogies": _analogies(_gensims(model))})
            clock.skip(paused)

    clock = Clock()
    model.train(
        corpus_file=str(folder / "train.txt"),
        total_examples=model.corpus_count,
        total_words=model.corpus_total_words,
        epochs=epochs,
        callbacks=[Scored()],
    )
    return _measured(_gensims(model), curve, tokens, to_vocabulary)


def _both(first: Iterable[str], second: Iterable[str]) -> Iterable[str]:
    yield from first
    yield from second


def _ours(model: Any, corpus: Any) -> Any:
    from data_prep.text.embeddings import WordVectors

    return WordVectors(list(corpus.vocabulary), model.input_vectors.numpy(), corpus.vocabulary.counts)


def _gensims(model: Any) -> Any:
    from data_prep.text.embeddings import WordVectors

    return WordVectors.from_keyed_vectors(model.wv)


def _analogies(vectors: Any) -> float | None:
    from apps.vectors.evaluation import evaluate

    return evaluate(vectors).analogies.total.accuracy


def _measured(
    vectors: Any, curve: Sequence[dict[str, Any]], tokens: int, to_vocabulary: float
) -> dict[str, Any]:
    from apps.vectors.evaluation import evaluate

    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    evaluation = evaluate(vectors)
    seconds = curve[-1]["seconds"]
    return {
        "words_per_second": tokens * len(curve) / seconds,
        "seconds": seconds,
        "seconds_to_vocabulary": to_vocabulary,
        "peak_memory_mib": peak / (2**20 if sys.platform == "darwin" else 2**10),
        "vocabulary": len(vectors),
        "analogies": evaluation.analogies.total.accuracy,
        "answered": evaluation.analogies.total.answered,
        "sections": {name: part.to_dict() for name, part in evaluation.analogies.sections.items()},
        "wordsim353": evaluation.wordsim353.spearman,
        "simlex999": evaluation.simlex999.spearman,
        "curve": list(curve),
    }


def in_own_process(
    system: str, architecture: str, folder: Path, tokens: int, epochs: int, threads: int
) -> dict[str, Any]:
    """Run one training in a fresh process, so that its memory is its own; return what it measured."""
    command = [sys.executable, "-m", "benchmarks.word2vec_vs_gensim", "--child", system, architecture]
    command += [str(folder), "--tokens", str(tokens), "--epochs", str(epochs), "--threads", str(threads)]
    environment = {**os.environ, "OMP_NUM_THREADS": "1", "TF_CPP_MIN_LOG_LEVEL": "3"}
    done = subprocess.run(command, cwd=ROOT, env=environment, stdout=subprocess.PIPE, check=True)
    return json.loads(done.stdout.splitlines()[-1])


def run(text: Path, tokens: int, epochs: int, threads: int, architectures: Sequence[str]) -> dict[str, Any]:
    """Train and score everything; return the results as they are stored."""
    from models.training.run_folder import processor

    results: dict[str, Any] = {}
    with tempfile.TemporaryDirectory() as temporary:
        folder = Path(temporary)
        write_tokens(text, tokens, folder)
        for architecture in architectures:
            measured = {}
            for system in SYSTEMS:
                print(f"{architecture}, {system} ...", file=sys.stderr, flush=True)
                measured[system] = in_own_process(system, architecture, folder, tokens, epochs, threads)
            if measured["ours"]["vocabulary"] != measured["gensim"]["vocabulary"]:
                raise RuntimeError("The two systems did not count the same vocabulary.")
            speeds = [measured[system]["words_per_second"] for system in SYSTEMS]
            results[architecture] = {**measured, "speed_ratio": speeds[0] / speeds[1]}
    settings = {"tokens": tokens, "epochs": epochs, "threads": threads, "processor": processor()}
    return {**results, "settings": settings}


def store(results: dict[str, Any]) -> None:
    """Write the results; an architecture that was not run keeps what an equal run before it measured."""
    before = json.loads(RESULTS.read_text(encoding="utf-8")) if RESULTS.is_file() else {}
    kept = before if before.get("settings") == results["settings"] else {}
    write_results(RESULTS, {**kept, **results})


def print_results(results: dict[str, Any]) -> None:
    """Print the results as a table."""
    from apps.shared.commands import number, print_table

    rows = []
    for architecture in ARCHITECTURES:
        for system in SYSTEMS if architecture in results else ():
            found = results[architecture][system]
            rows.append(
                (
                    architecture,
                    system,
                    f"{found['words_per_second']:,.0f}",
                    number(found["seconds_to_vocabulary"], 1),
                    f"{found['peak_memory_mib']:,.0f}",
                    f"{number(found['analogies'], 2)} of {found['answered']:,}",
                    number(found["wordsim353"], 3),
                    number(found["simlex999"], 3),
                    f"{results[architecture]['speed_ratio']:.2f}" if system == "ours" else "1.00",
                )
            )
    columns = "model", "system", "words/s>", "s to vocabulary>", "peak MiB>", "analogies %>", "wordsim353>"
    print_table((*columns, "simlex999>", "speed>"), rows)


def _child(system: str, architecture: str, folder: Path, options: argparse.Namespace) -> None:
    if hasattr(os, "sched_setaffinity"):
        os.sched_setaffinity(0, sorted(os.sched_getaffinity(0))[: options.threads])
    train = train_ours if system == "ours" else train_gensim
    print(json.dumps(train(folder, options.tokens, architecture, options.epochs, options.threads)))


def main() -> int:
    """Run the benchmark; return the exit code."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--tokens", type=int, default=17_000_000, help="train on so many first tokens")
    parser.add_argument("--text", type=Path, help="file or folder; the wiki set if not given")
    parser.add_argument("--epochs", type=int, default=5)
    parser.add_argument("--threads", type=int, default=2)
    parser.add_argument("--architectures", nargs="+", choices=ARCHITECTURES, default=ARCHITECTURES)
    parser.add_argument("--json", action="store_true", help="print JSON instead of a table")
    parser.add_argument("--store", action="store_true", help=f"write {RESULTS.relative_to(ROOT)}")
    parser.add_argument("--child", nargs=3, metavar=("SYSTEM", "MODEL", "FOLDER"), help=argparse.SUPPRESS)
    options = parser.parse_args()
    if options.child:
        _child(options.child[0], options.child[1], Path(options.child[2]), options)
        return 0
    try:
        if min(options.tokens, options.epochs, options.threads) < 1:
            raise InputError("tokens, epochs and threads must be at least 1")
        if options.text is None:
            from data_prep.datasets import locate

            options.text = locate("wiki")
        results = run(options.text, options.tokens, options.epochs, options.threads, options.architectures)
    except InputError as error:
        print(f"error: {error}", file=sys.stderr)
        return 2
    if options.store:
        store(results)
    if options.json:
        print(json.dumps(results, indent=2))
    else:
        print_results(results)
    return 0


if __name__ == "__main__":
    sys.exit(main())

"""The product as people use it: from a shell to the first answer, and from file to file, each beside a peer.

    python -m benchmarks.as_used --isa avx2            what every application takes on one core and on two
    python -m benchmarks.as_used --isa native --store  keeps the result for README and docs
    python -m benchmarks.as_used --store --applications writer    measures one anew, and keeps what was stored of others

Every number of cores has a process of its own, held to that many, with all libraries held to the instruction set.
Cold: a new process from the shell to its end; its largest memory. Steady: the shipped presets, from the bytes of a file
to a file with the answers, in turn with the peer on the same inputs; medians of ``--repeats`` passes. The peers:
PyTorch with the weights of the shipped writer and digit network in its best loop (if it is installed,
``pip install -r requirements-bench.txt``), spaCy's tokenizer, sentencizer and tagger with its default network, which is
initialised and not trained, gensim's ``most_similar`` over the same vectors, TF-IDF with logistic regression.
"""

from __future__ import annotations

import argparse
import json
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Mapping, Sequence
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np

from apps.shared.as_used import AS_USED, NATIVE
from apps.shared.reports import stored
from benchmarks.harness import ROOT, Option, command, limit_cores, report, version_of
from benchmarks.instruction_sets import INSTRUCTION_SETS, environment, in_use
from data_prep.errors import InputError
from models.training.run_folder import processor

Figures = dict[str, Any]
Works = Mapping[str, Callable[[], Any]]
_SEED = 1
_TEMPERATURE = 0.8
PROMPT, LENGTH = "ROMEO:", 200
TEXT = "The old dog sees the boat in the garden, and Anna says that it sleeps."
QUESTION = "paris - france + spain"
# A process begins with the largest memory of the one that starts it: a small one stands between this and the command.
_WATCH = """
import resource, subprocess, sys, time
began = time.perf_counter()
command = [sys.executable, "-m", "apps", *sys.argv[1:]]
process = subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL)
found = process.stdout.read(1)
first = time.perf_counter() - began
process.stdout.read()
code = process.wait()
print([time.perf_counter() - began, first, resource.getrusage(resource.RUSAGE_CHILDREN).ru_maxrss])
sys.exit(code or not found)
"""


def cold(arguments: list[str], repeats: int) -> Figures:
    """Run a command in new processes: median seconds to the end and to the first character, largest memory in MiB."""
    runs = []
    for _ in range(repeats):
        watch = [sys.executable, "-c", _WATCH, *arguments]
        done = subprocess.run(watch, cwd=ROOT, stdout=subprocess.PIPE, check=False)
        if done.returncode:
            raise InputError(f"python -m apps {' '.join(arguments)} failed", received=done.returncode)
        runs.append(json.loads(done.stdout))
    ends, firsts, memory = zip(*runs, strict=True)
    found = {"cold_seconds": statistics.median(ends), "first_character_seconds": statistics.median(firsts)}
    return found | {"cold_mib": max(memory) / (2**20 if sys.platform == "darwin" else 2**10)}


def rates(works: Works, count: int, repeats: int) -> Figures:
    """Time works on the same inputs in turn: by name the median of ``count`` a second, and the spread of the passes."""
    for work in works.values():
        work()  # compiles, and brings the inputs into the cache
    passes: dict[str, list[float]] = {name: [] for name in works}
    for _ in range(repeats):
        for name, work in works.items():
            began = time.perf_counter()
            work()
            passes[name].append(count / (time.perf_counter() - began))
    found = {name: statistics.median(own) for name, own in passes.items()}
    return {**found, "spread": {name: [min(own), max(own)] for name, own in passes.items()}}


def milliseconds(works: Works, repeats: int, calls: int = 50) -> Figures:
    """Time single calls in turn: the median over passes of so many calls, in milliseconds."""

    def many(work: Callable[[], Any]) -> None:
        for _ in range(calls):
            work()

    taken = rates({name: partial(many, work) for name, work in works.items()}, calls, repeats)
    spread = {name: [1000.0 / rate for rate in reversed(ends)] for name, ends in taken.pop("spread").items()}
    return {**{name: 1000.0 / rate for name, rate in taken.items()}, "spread": spread}


def writer(options: argparse.Namespace, folder: Path) -> Figures:
    """Write after a prompt, and score a text that it has not learned from."""
    from apps.writer.application import Writer
    from data_prep.datasets import locate

    ours = Writer.from_preset()
    read, length = ours.language_model.encode_prompt(PROMPT), options.length
    settings = {"temperature": _TEMPERATURE, "seed": _SEED}
    loops: dict[str, Any] = {}
    if version_of("torch") is not None:
        from benchmarks.writer_torch import torch_loops

        loops = torch_loops(ours, _TEMPERATURE, _SEED)
    works = {name: partial(loop, read, length) for name, loop in loops.items()}
    works["characters_per_second"] = lambda: _write(folder, ours.stream(PROMPT, length=length, **settings))
    found = rates(works, length, options.repeats)
    loops = {name: found.pop(name) for name in loops}
    text = locate("tinyshakespeare").read_text(encoding="utf-8")[-options.scored :]
    scored = rates(
        {"scored_characters_per_second": lambda: ours.language_model.score(text, unknown="map")},
        len(text),
        options.repeats,
    )
    spread = found.pop("spread") | scored.pop("spread")
    peer = {"torch_characters_per_second": max(loops.values()), "torch_loops": loops} if loops else {}
    start = cold(["writer", "generate", "--prompt", PROMPT, "--length", str(LENGTH)], options.repeats)
    return {**start, **found, **peer, **scored, "spread": spread}


def tagger(options: argparse.Namespace, folder: Path) -> Figures:
    """Tag a file of documents, one a line, into CoNLL-U; given words; and one sentence."""
    from apps.tagger.application import Tagger
    from data_prep.readers.conllu import read_ewt
    from data_prep.readers.document_sets import read_imdb

    ours = Tagger.from_preset()
    path = _documents(folder, read_imdb(unlabelled=False).test.texts[: options.documents])

    def from_file() -> None:
        text = path.read_text(encoding="utf-8")
        _write(folder, ours.stream_conllu(text))

    works: dict[str, Callable[[], Any]] = {"raw_words_per_second": from_file}
    if version_of("spacy") is not None:
        works["spacy_raw_words_per_second"] = partial(_spacy_from_file, _spacy(), path, folder, options.cores)
    from_file()
    words = sum(line[:1].isdigit() for line in (folder / "out.txt").read_text(encoding="utf-8").splitlines())
    found = rates(works, words, options.repeats)
    gold = [sentence.forms for sentence in read_ewt("test")]
    given = rates(
        {"given_words_per_second": lambda: ours.tag_tokens(gold)}, sum(map(len, gold)), options.repeats
    )
    one = milliseconds({"one_sentence_ms": lambda: ours.tag(TEXT)}, options.repeats)
    spread = found.pop("spread") | given.pop("spread") | one.pop("spread")
    return {**cold(["tagger", "tag", TEXT], options.repeats), **found, **given, **one, "spread": spread}


def _spacy() -> Any:
    """Return spaCy's blank English pipeline with a sentencizer and its default tagger, initialised."""
    import spacy
    from spacy.training import Example

    from data_prep.readers.conllu import UPOS_TAGS

    pipeline = spacy.blank("en")
    pipeline.add_pipe("sentencizer")
    pipeline.add_pipe("tagger")
    words = [f"word{at}" for at in range(len(UPOS_TAGS))]
    example = Example.from_dict(pipeline.make_doc(" ".join(words)), {"words": words, "tags": UPOS_TAGS})
    pipeline.initialize(lambda: [example])
    return pipeline


def _spacy_from_file(pipeline: Any, path: Path, folder: Path, cores: int) -> None:
    """Tag with as many processes as there are cores, and write CoNLL-U's columns."""
    with path.open(encoding="utf-8") as lines, (folder / "out.txt").open("w", encoding="utf-8") as out:
        for document in pipeline.pipe((line.rstrip("\n") for line in lines), batch_size=32, n_process=cores):
            for sentence in document.sents:
                for number, token in enumerate(sentence, start=1):
                    out.write(f"{number}\t{token.text}\t_\t{token.tag_}\t_\t_\t_\t_\t_\t_\n")
                out.write("\n")


def vectors(options: argparse.Namespace, folder: Path) -> Figures:
    """Answer one analogy."""
    from gensim.models import KeyedVectors

    from apps.vectors.application import Vectors

    ours = Vectors.from_preset()
    ours.export(folder / "vectors.bin", "binary")
    peer = KeyedVectors.load_word2vec_format(folder / "vectors.bin", binary=True)
    ask = partial(peer.most_similar, positive=["paris", "spain"], negative=["france"])
    works = {"one_analogy_ms": lambda: ours.analogy(QUESTION), "gensim_one_analogy_ms": ask}
    return {**cold(["vectors", "analogy", QUESTION], options.repeats), **milliseconds(works, options.repeats)}


def digits(options: argparse.Namespace, folder: Path) -> Figures:
    """Classify the pictures of the test set's file, and one from the shell."""
    from PIL import Image

    from apps.digits.application import Digits
    from data_prep.images.preparation import digit_batch
    from data_prep.readers.mnist import read_mnist

    ours, images = Digits.from_preset(), read_mnist("test").images
    np.save(folder / "images.npy", images)
    Image.fromarray(images[0]).save(folder / "one.png")

    def from_file(answer: Callable[[np.ndarray], np.ndarray]) -> None:
        found = answer(digit_batch(np.load(folder / "images.npy")))
        _write(folder, (f"{label}\n" for label in found.argmax(axis=1).tolist()))

    works: dict[str, Callable[[], Any]] = {"images_per_second": partial(from_file, ours.probabilities)}
    if version_of("torch") is not None:
        from benchmarks.digits_torch import torch_network

        logits = torch_network(ours.config.steps, ours.arrays, options.cores)

        def in_batches(loaded: np.ndarray) -> np.ndarray:
            return np.concatenate([logits(part) for part in np.array_split(loaded, len(loaded) // 500)])

        works["torch_images_per_second"] = partial(from_file, in_batches)
    start = cold(["digits", "classify", str(folder / "one.png")], options.repeats)
    return {**start, **rates(works, len(images), options.repeats)}


def ocr(options: argparse.Namespace, folder: Path) -> Figures:
    """Read words from the bytes of their pictures: in one piece, and with the letters cut apart."""
    from io import BytesIO

    from PIL import Image

    from apps.ocr.application import Reader
    from apps.ocr.sources import TEST_FOLD
    from data_prep.images.letter_words import LAYOUT, compose_words
    from data_prep.readers.letters import read_letters

    def picture(pixels: np.ndarray) -> bytes:
        """Write ink, 1 or more for black, with paper around it, as a PNG file."""
        stream = BytesIO()
        grey = 255 - (255 * np.clip(np.pad(pixels.squeeze(), 2), 0, 1)).astype(np.uint8)
        Image.fromarray(grey).save(stream, "PNG")
        return stream.getvalue()

    ours, data = Reader.from_preset(), read_letters()
    some = data.part(np.flatnonzero(data.folds == TEST_FOLD)[: options.words])
    words = list(map(picture, compose_words(some, LAYOUT, np.random.default_rng(TEST_FOLD))))
    letters = [list(map(picture, some.images[some.letters_of(at)])) for at in range(len(some.texts))]
    (folder / "word.png").write_bytes(words[0])
    works = {
        "unsegmented_words_per_second": lambda: _write(
            folder, (f"{text}\n" for text in ours.read_texts(words))
        ),
        "words_per_second": lambda: _write(folder, (f"{ours.read_letters(one).text}\n" for one in letters)),
    }
    start = cold(["ocr", "read", str(folder / "word.png")], options.repeats)
    return {**start, **rates(works, len(words), options.repeats)}


def reviews(options: argparse.Namespace, folder: Path) -> Figures:
    """Classify a file of documents, one a line."""
    from apps.reviews.application import Reviews
    from benchmarks.peers import tfidf
    from data_prep.readers.document_sets import read_imdb

    imdb, ours = read_imdb(unlabelled=False), Reviews.from_preset()
    report("training TF-IDF with logistic regression")
    peer = tfidf(imdb.train.texts, imdb.train.labels)
    path = _documents(folder, imdb.test.texts[: options.documents])

    def lines() -> list[str]:
        return path.read_text(encoding="utf-8").split("\n")

    def from_file() -> None:
        _write(folder, (f"{verdict.label}\n" for verdict in ours.classify_many(lines())))

    def tfidf_from_file() -> None:
        _write(folder, (f"{label}\n" for label in peer(lines()).tolist()))

    works = {"documents_per_second": from_file, "tfidf_documents_per_second": tfidf_from_file}
    start = cold(["reviews", "classify", lines()[0]], options.repeats)
    return {**start, **rates(works, len(lines()), options.repeats)}


def _documents(folder: Path, texts: Sequence[str]) -> Path:
    """Write texts into a file, one a line."""
    path = folder / "documents.txt"
    path.write_text("\n".join(" ".join(text.split()) for text in texts), encoding="utf-8")
    return path


def _write(folder: Path, pieces: Any) -> None:
    """Write pieces into the file of answers."""
    with (folder / "out.txt").open("w", encoding="utf-8") as out:
        out.writelines(pieces)


APPLICATIONS = {one.__name__: one for one in (writer, tagger, vectors, digits, ocr, reviews)}
OPTIONS = {
    "isa": Option("avx2", "instruction set that all systems are held to", choices=INSTRUCTION_SETS),
    "applications": Option(tuple(APPLICATIONS), "what is measured", choices=tuple(APPLICATIONS)),
    "repeats": Option(5, "passes"),
    "length": Option(2000, "characters that are written in a pass"),
    "scored": Option(50_000, "characters that are scored"),
    "documents": Option(500, "reviews that are tagged and classified"),
    "words": Option(1000, "handwritten words"),
    "cores": Option(0, "measure in this process, with so many; 0 for one and two, each in its own process"),
}


def run(options: argparse.Namespace) -> Figures:
    """Measure in a process of its own for every number of cores, or in this one."""
    if options.cores:
        limit_cores(options.cores)
        held, found = in_use(options.isa), {}
        with tempfile.TemporaryDirectory() as folder:
            for name in options.applications:
                report(f"{options.cores} core(s): {name}")
                found[name] = APPLICATIONS[name](options, Path(folder))
        return {"isa": held, "processor": processor(), "cores": {str(options.cores): found}}
    results: Figures = {}
    for cores in (1, 2):
        own = [
            f"--{name}={getattr(options, name)}"
            for name in ("isa", "repeats", "length", "scored", "documents", "words")
        ]
        own += [f"--cores={cores}", "--json", "--applications", *options.applications]
        child, held = [sys.executable, "-m", "benchmarks.as_used", *own], environment(options.isa, cores)
        done = subprocess.run(child, cwd=ROOT, env=held, stdout=subprocess.PIPE, check=False)
        if done.returncode:
            raise InputError(f"The measurement with {cores} core(s) failed", received=done.returncode)
        part = json.loads(done.stdout)
        found = _stored(options, part).get(str(cores), {}) | part["cores"][str(cores)]
        results = part | {"cores": results.get("cores", {}) | {str(cores): found}}
    return results


def _stored(options: argparse.Namespace, part: Figures) -> Figures:
    """Return what was stored for this instruction set and processor: applications that are left out keep theirs."""
    found = stored((NATIVE if options.isa == "native" else AS_USED).name)
    same = found is not None and all(found.get(name) == part[name] for name in ("isa", "processor"))
    return found["cores"] if same and len(options.applications) < len(APPLICATIONS) else {}


main = command(__name__, __doc__, lambda parsed: NATIVE if parsed.isa == "native" else AS_USED, run, OPTIONS)

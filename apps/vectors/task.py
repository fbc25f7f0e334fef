"""How word vectors are trained: texts, the one stage, scores, and presets of input and output vectors.

python -m apps vectors fit --out models/presets/vectors_en_wiki --set output_words=10000     the shipped preset
python -m apps vectors fit --text FILE_OR_FOLDER --out DIR                                   your own text
"""

from __future__ import annotations

import sys
from collections.abc import Callable, Generator, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, NamedTuple

import numpy as np

from apps.shared.cards import card
from apps.shared.commands import progress_bar
from apps.shared.measures import checksums_of
from apps.vectors.application import Vectors
from apps.vectors.evaluation import evaluate, metrics_of
from apps.vectors.preset import vectors_content
from apps.vectors.results import VectorsEvaluation
from data_prep.datasets import locate
from data_prep.errors import InputError
from data_prep.gensim_data import gensim_data
from data_prep.readers.text import TextCorpus
from data_prep.text.embeddings import WordVectors
from data_prep.text.tokenizer import WordTokenizer
from data_prep.text.word2vec_corpus import EncodedCorpus, encode_corpus
from models.presets.card import CardText
from models.training.task import Metrics, Option, Options, PresetContent, Run, Stage, StageResult, Task
from models.word2vec.training import VectorsRecipe, fitted_to, word2vec_stage

if TYPE_CHECKING:
    import keras

SAMPLE_TEXTS = ("lee_background.cor", "head500.noblanks.cor")
WIKI = "English Wikipedia (2014), 30 million words"
GENSIM_TEXTS = "the texts that gensim carries (Lee's news documents and the head of a web corpus)"
_LICENCES = {WIKI: "Text and vectors: CC BY-SA 3.0", GENSIM_TEXTS: "LGPL 2.1, as gensim"}
_CORPUS_FILE = "corpus.int32"


@dataclass(frozen=True)
class VectorsSource:
    """An encoded text: what it is called, and file to checksum."""

    corpus: EncodedCorpus
    name: str
    checksums: Mapping[str, str]


class _Answers(NamedTuple):
    """Both matrices of the network, float32 (words, dimensions), and the recipe that fits the text."""

    input: np.ndarray
    output: np.ndarray
    recipe: VectorsRecipe


class VectorsTask(Task):
    """Word vectors by word2vec."""

    name = "vectors"
    kind = "word_vectors"
    recipes: Mapping[str, VectorsRecipe] = {
        "default": VectorsRecipe(),
        "cbow": VectorsRecipe(architecture="cbow"),
        "sample": VectorsRecipe(),
    }
    options = (
        Option(
            "text",
            "Plain or .gz text, a folder of it, or - for standard input; can be repeated; the wiki set if not given.",
            metavar="FILE_OR_FOLDER",
            many=True,
            excludes="data",
        ),
        Option(
            "vectors",
            "Vectors file (npz, word2vec text or binary) to score instead of a preset.",
            metavar="FILE",
            verbs=("evaluate",),
        ),
        Option(
            "restrict_vocab",
            "Only the first words, at most this many, ask and answer.",
            type=int,
            default=300_000,
            verbs=("evaluate",),
        ),
        Option(
            "case_sensitive", "Do not compare in upper case.", type=bool, default=False, verbs=("evaluate",)
        ),
        Option(
            "unknown_is_wrong",
            "Count questions with unknown words as wrong.",
            type=bool,
            default=False,
            verbs=("evaluate",),
        ),
    )
    sample_help = "the texts that gensim carries"

    def source(self, recipe: VectorsRecipe, options: Options, run: Run) -> VectorsSource:
        """Read the texts and number their words, in a file of the run."""
        if options["text"]:
            paths, name = list(options["text"]), ", ".join(Path(path).name for path in options["text"])
        elif options["sample"]:
            print(f"Training on {GENSIM_TEXTS}", file=sys.stderr)
            paths, name = [gensim_data(text) for text in SAMPLE_TEXTS], GENSIM_TEXTS
        else:
            paths, name = [locate("wiki")], WIKI
        texts = TextCorpus(paths)
        corpus = encode(texts, recipe, run.folder / _CORPUS_FILE)
        return VectorsSource(corpus, name, checksums_of(*texts.files))

    def stages(
        self, recipe: VectorsRecipe, source: VectorsSource, run: Run
    ) -> Generator[Stage, StageResult, _Answers]:
        """Train the one network."""
        from keras import ops

        fitted = fitted_to(recipe, source.corpus)
        start = None if run.start is None else Vectors.of(run.start).word_vectors

        def begin(model: keras.Model) -> None:
            if start is not None:
                known = start_from(model, start, source.corpus)
                print(
                    f"{known:,} of {len(source.corpus.vocabulary):,} words start from the preset",
                    file=sys.stderr,
                )

        done = yield word2vec_stage(fitted, source.corpus, own_processor=True, begin=begin)
        matrices = (done.model.input_vectors, done.model.output_vectors)
        return _Answers(*(np.asarray(ops.convert_to_numpy(matrix)) for matrix in matrices), fitted)

    def score(self, recipe: VectorsRecipe, source: VectorsSource, answers: _Answers) -> Metrics:
        """Score the input vectors as the preset holds them."""
        vectors = _as_shipped(answers.input, source.corpus, recipe.kept_words, recipe.storage)
        return metrics_of(_evaluated(vectors, "input"))

    def content(
        self, recipe: VectorsRecipe, source: VectorsSource, answers: _Answers
    ) -> Sequence[PresetContent]:
        """Keep the input vectors, and the output vectors of as many words as the recipe asks for."""
        corpus = source.corpus
        facts = {"tokens": corpus.raw_tokens, "recipe": answers.recipe}
        vectors = _as_shipped(answers.input, corpus, recipe.kept_words, recipe.storage)
        summary = {"words": len(vectors), "dimensions": recipe.dimensions, "tokens": corpus.raw_tokens}
        said = _card(recipe, source.name, "input")
        contents = [vectors_content(vectors, said, recipe.storage, metadata=facts, summary=summary)]
        if recipe.output_words is not None and recipe.loss != "hierarchical_softmax":
            keys = _as_shipped(answers.output, corpus, recipe.output_words, recipe.storage)
            metrics = metrics_of(_evaluated(keys, "output"))
            said = _card(recipe, source.name, "output")
            contents.append(
                vectors_content(keys, said, recipe.storage, metadata=facts, metrics=metrics, suffix="_output")
            )
        return contents

    def open(self, preset: str | Path | None, options: Options) -> Vectors:
        """Open a preset, or the file that the options name."""
        return opened(preset, options["vectors"])

    def evaluate(self, application: Vectors, options: Options) -> VectorsEvaluation:
        """Score on Google's analogies, WordSim-353 and SimLex-999."""
        with progress_bar("analogies", "questions") as progress:
            return evaluate(
                application,
                restrict_vocab=options["restrict_vocab"],
                case_insensitive=not options["case_sensitive"],
                unknown_is_wrong=options["unknown_is_wrong"],
                progress=progress,
            )


def opened(preset: str | Path | None, file: Path | None) -> Vectors:
    """Open a preset or a file of vectors, not both."""
    if preset is not None and file is not None:
        raise InputError("--preset and --vectors exclude each other", remedy="Give one of them")
    return Vectors.from_file(file) if file is not None else Vectors.from_preset(preset)


def encode(texts: TextCorpus, recipe: VectorsRecipe, file: Path) -> EncodedCorpus:
    """Number the words of texts with the shared tokenizer; progress by bytes on standard error."""
    with _byte_progress(texts.total_bytes) as progress:
        return encode_corpus(
            texts.lines(progress),
            WordTokenizer(punctuation=False, lower=True).keys,
            file,
            min_count=recipe.min_count,
            max_vocabulary=recipe.max_vocabulary,
        )


def start_from(model: keras.Model, start: WordVectors, corpus: EncodedCorpus) -> int:
    """Put the vectors of known words into a network; return how many there are.

    Raises:
        InputError: The vectors have another length, or no word is known.
    """
    matrix = np.array(model.input_vectors)
    rows = [(row, start[word]) for row, word in enumerate(corpus.vocabulary) if word in start]
    if start.dimensions != matrix.shape[1] or not rows:
        raise InputError(
            "The preset has no vectors that fit this training",
            allowed=f"vectors of {matrix.shape[1]} numbers for some of the words",
            received=f"{len(rows):,} known words, vectors of {start.dimensions} numbers",
            remedy=f"Train with --set dimensions={start.dimensions}, or without --from",
        )
    for row, vector in rows:
        matrix[row] = vector
    model.input_vectors.assign(matrix)
    return len(rows)


def _evaluated(vectors: WordVectors, side: str) -> VectorsEvaluation:
    with progress_bar(f"analogies ({side} vectors)", "questions") as progress:
        return evaluate(vectors, progress=progress)


def _as_shipped(matrix: np.ndarray, corpus: EncodedCorpus, words: int | None, storage: str) -> WordVectors:
    """Return the vectors of the most frequent words, rounded as the preset will hold them."""
    kept = min(len(corpus.vocabulary), words or len(corpus.vocabulary))
    rows = matrix[:kept].astype(storage).astype(np.float32)
    return WordVectors(list(corpus.vocabulary)[:kept], rows, corpus.vocabulary.counts[:kept])


def _card(recipe: VectorsRecipe, source: str, side: str) -> CardText:
    licence = _LICENCES.get(source, "that of the text they were trained on")
    return card(__file__, side, source=source, architecture=recipe.architecture, licence=licence)


@contextmanager
def _byte_progress(total: int) -> Iterator[Callable[[int], None]]:
    from tqdm import tqdm

    interval = 0.1 if sys.stderr.isatty() else 10.0
    with tqdm(total=total, desc="reading", unit="B", unit_scale=True, mininterval=interval) as bar:
        yield lambda done: bar.update(done - bar.n) and None

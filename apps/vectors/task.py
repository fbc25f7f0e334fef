"""How word vectors are trained: texts, the one stage, scores, and presets of input and output vectors.

python -m apps vectors fit --recipe shipped --out models/presets/vectors_en_wiki     the settings of the shipped preset
python -m apps vectors fit --text FILE_OR_FOLDER --out DIR                           your own text
"""

from __future__ import annotations

import sys
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any, NamedTuple

import numpy as np

from apps.shared.cards import card
from apps.shared.commands import progress_bar
from apps.shared.measures import checksums_of
from apps.vectors.application import Vectors
from apps.vectors.evaluation import evaluate, metrics_of
from apps.vectors.results import VectorsEvaluation
from apps.vectors.watch import WATCHED, seer
from data_prep.datasets import gensim_data, locate
from data_prep.errors import InputError
from data_prep.readers.text import TextCorpus
from data_prep.text.embeddings import WordVectors
from data_prep.text.spelling import with_spelling
from data_prep.text.tokenizer import WordTokenizer
from data_prep.text.word2vec_corpus import EncodedCorpus, encode_corpus
from models.presets.card import CardText
from models.presets.kinds import kind_named
from models.presets.store import save_preset
from models.training.task import Metrics, Option, Options, PresetContent, Run, Stages, Task
from models.word2vec.training import VectorsRecipe, fitted_to, word2vec_stage

if TYPE_CHECKING:
    import keras

SAMPLE_TEXTS = ("lee_background.cor", "head500.noblanks.cor")
WIKI = "English Wikipedia (2014), 30 million words"
GENSIM_TEXTS = "the texts that gensim carries (Lee's news documents and the head of a web corpus)"
_LICENCES = {WIKI: "Text and vectors: CC BY-SA 3.0", GENSIM_TEXTS: "LGPL 2.1, as gensim"}
_CORPUS_FILE = "corpus.int32"
_GOLDEN_ROWS = 16
# The largest tenth that takes less than 0.01 from WordSim-353 and no semantic question of Google's: chosen on every
# second pair, and on every second question of each section, from the first one on.
_SPELLING = 0.5


@dataclass(frozen=True)
class VectorsSource:
    """An encoded text: what it is called, and file to checksum."""

    corpus: EncodedCorpus
    name: str
    checksums: Mapping[str, str]


class _Answers(NamedTuple):
    """The vectors as the presets hold them, those beside the first by name, and the recipe that fits the text."""

    vectors: WordVectors
    second: dict[str, WordVectors]
    recipe: VectorsRecipe


class VectorsTask(Task):
    """Word vectors by word2vec."""

    name = "vectors"
    kind = "word_vectors"
    recipes: Mapping[str, VectorsRecipe] = {
        "default": VectorsRecipe(),
        "shipped": VectorsRecipe(output_words=10_000, spelling=_SPELLING),
        "cbow": VectorsRecipe(architecture="cbow"),
        "sample": VectorsRecipe(),
        "lab": VectorsRecipe(max_vocabulary=20_000, blocks=16),
    }
    options = (
        Option(
            "text",
            "Plain or .gz text, a folder of it, or - for standard input; can be repeated; the wiki set if not given.",
            metavar="FILE_OR_FOLDER",
            many=True,
            excludes="data",
        ),
        Option("words", "Learn from the first so many words only; from all if not given.", type=int),
        Option(
            "vectors",
            "Vectors file (npz, word2vec text or binary) to score instead of a preset.",
            metavar="FILE",
            verbs=("evaluate",),
        ),
        Option(
            "restrict_vocab",
            "Only the first words, at most this many, ask and answer; 300,000 if not given.",
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
    watched = WATCHED

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
        corpus = encode(texts, recipe, run.folder / _CORPUS_FILE, options.get("words"))
        return VectorsSource(corpus, name, checksums_of(*texts.files))

    def stages(self, recipe: VectorsRecipe, source: VectorsSource, run: Run) -> Stages:
        """Train the one network."""
        from keras import ops

        fitted = fitted_to(recipe, source.corpus)
        start = None if run.start is None else Vectors.of(run.start).word_vectors

        def begin(model: keras.Model) -> None:
            if start is not None:
                known, words = start_from(model, start, source.corpus), len(source.corpus.vocabulary)
                print(f"{known:,} of {words:,} words start from the preset", file=sys.stderr)

        see = None if run.watch is None else seer(fitted, source.corpus)
        model = yield word2vec_stage(fitted, source.corpus, begin=begin, see=see)

        def stored(matrix: np.ndarray) -> WordVectors:
            rounded = np.asarray(matrix).astype(recipe.storage).astype(np.float32)
            return WordVectors(source.corpus.vocabulary, rounded)

        learned = stored(ops.convert_to_numpy(model.input_vectors)).first(recipe.kept_words)
        beside = {
            "output": lambda: stored(ops.convert_to_numpy(model.output_vectors)),
            "input": lambda: learned,
        }
        second = {name: beside[name]().first(recipe.output_words) for name in self.beside(recipe)}
        return _Answers(mixed(learned, recipe), second, fitted)

    def beside(self, recipe: VectorsRecipe) -> Sequence[str]:
        """Name the output vectors, and the input vectors as they were learned where spelling is mixed in."""
        if recipe.output_words is None or recipe.loss == "hierarchical_softmax":
            return ()
        return ("output", "input") if recipe.spelling > 0 else ("output",)

    def score(self, recipe: VectorsRecipe, source: VectorsSource, answers: _Answers) -> Metrics:
        """Score the vectors."""
        return _scores(answers.vectors, "input")

    def content(self, recipe: VectorsRecipe, source: VectorsSource, answers: _Answers) -> PresetContent:
        """Keep the vectors, and those beside them if the recipe asks for them."""
        tokens = source.corpus.raw_tokens
        licence = _LICENCES.get(source.name, "that of the text they were trained on")
        after = ", mixed with what the spelling of words says" if recipe.spelling > 0 else ""
        facts = {"source": source.name, "architecture": recipe.architecture}
        facts |= {"licence": licence, "after": after}
        summary = {"words": len(answers.vectors), "dimensions": recipe.dimensions, "tokens": tokens}
        of_both = {"metadata": {"tokens": tokens, "recipe": answers.recipe}}
        second = {}
        for name, vectors in answers.second.items():
            metrics, told = _scores(vectors, name), card(__file__, name, **facts)
            second[name] = vectors_content(vectors, told, recipe.storage, metrics=metrics, **of_both)
        more = {"summary": summary, "second": second, **of_both}
        return vectors_content(answers.vectors, card(__file__, "learned", **facts), recipe.storage, **more)

    def open(self, preset: str | Path | None, options: Options) -> Vectors:
        """Open a preset, or the file that the options name."""
        return opened(preset, options["vectors"])

    def evaluate(self, application: Vectors, options: Options) -> VectorsEvaluation:
        """Score on Google's analogies, WordSim-353 and SimLex-999."""
        rules = {name: options[name] for name in ("restrict_vocab", "unknown_is_wrong")}
        with progress_bar("analogies", "questions") as progress:
            folded = not options["case_sensitive"]
            return evaluate(application, case_insensitive=folded, progress=progress, **rules)


def mixed(learned: WordVectors, recipe: VectorsRecipe) -> WordVectors:
    """Mix vectors with the spelling of their words as a recipe asks, in the numbers that it stores."""
    vectors = with_spelling(learned, recipe.spelling)
    return WordVectors(vectors.vocabulary, vectors.vectors.astype(recipe.storage).astype(np.float32))


def opened(preset: str | Path | None, file: Path | None) -> Vectors:
    """Open a preset or a file of vectors, not both."""
    if preset is not None and file is not None:
        raise InputError("--preset and --vectors exclude each other", remedy="Give one of them")
    return Vectors.from_file(file) if file is not None else Vectors.from_preset(preset)


def encode(texts: TextCorpus, recipe: VectorsRecipe, file: Path, most: int | None = None) -> EncodedCorpus:
    """Number the words of texts, at most so many, with the shared tokenizer; progress by bytes on standard error.

    Raises:
        InputError: There are too few words.
    """
    if most is not None and most < 1:
        raise InputError("Words to learn from", allowed="1 or more (--words)", received=most)
    keys = WordTokenizer(punctuation=False, lower=True).keys
    limits = {"min_count": recipe.min_count, "max_vocabulary": recipe.max_vocabulary, "max_tokens": most}
    with progress_bar("reading", "B", unit_scale=True) as progress:
        lines = texts.lines(lambda done: progress(done, texts.total_bytes))
        return encode_corpus(lines, keys, file, **limits)


def start_from(model: keras.Model, start: WordVectors, corpus: EncodedCorpus) -> int:
    """Put the vectors of known words into a network; return how many there are.

    Raises:
        InputError: The vectors have another length, or no word is known.
    """
    matrix = np.array(model.input_vectors)
    known = start.vocabulary.encode_known(corpus.vocabulary)
    if start.dimensions != matrix.shape[1] or not len(known):
        raise InputError(
            "The preset has no vectors that fit this training",
            allowed=f"vectors of {matrix.shape[1]} numbers for some of the words",
            received=f"{len(known):,} known words, vectors of {start.dimensions} numbers",
            remedy=f"Train with --set dimensions={start.dimensions}, or without --from",
        )
    matrix[[word in start for word in corpus.vocabulary]] = start.vectors[known]
    model.input_vectors.assign(matrix)
    return len(known)


def vectors_content(vectors: WordVectors, said: CardText, storage: str, **more: Any) -> PresetContent:
    """Say what a preset of word vectors holds, stored as ``"float32"`` or ``"float16"``; ``more`` are other fields."""
    rows = np.linspace(0, len(vectors) - 1, min(_GOLDEN_ROWS, len(vectors))).astype(np.int32)
    config = kind_named(Vectors.kind).config_class(len(vectors), vectors.dimensions)
    held = {"golden": {"rows": rows}, "card": said, "vocabulary": vectors.vocabulary, "dtype": storage}
    return PresetContent(config, {"vectors": vectors.vectors}, **held, **more)


def save_vectors_preset(target: Path, content: PresetContent, metadata: Mapping[str, Any]) -> None:
    """Write a preset of word vectors that were not trained by the driver.

    Args:
        target: The folder to make, or a preset to replace.
        content: As :func:`vectors_content` gives it, with metrics.
        metadata: ``recipe``, ``seed``, ``data``, ``seconds``; see :func:`models.presets.store.save_preset`.

    Raises:
        InputError: The storage is too coarse for these vectors, or the target cannot be written.
    """
    names = ("config", "weights", "golden", "metrics", "card", "vocabulary", "dtype")
    try:
        held = {name: getattr(content, name) for name in names}
        save_preset(target, kind=Vectors.kind, metadata=metadata, **held)
    except InputError:
        raise
    except ValueError as error:
        raise InputError(
            f"These vectors cannot be stored as {content.dtype} ({error})", remedy="Store them as float32"
        ) from error


def _scores(vectors: WordVectors, side: str) -> Metrics:
    with progress_bar(f"analogies ({side} vectors)", "questions") as progress:
        return metrics_of(evaluate(vectors, progress=progress))

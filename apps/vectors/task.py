"""Train word vectors on a text: the recipe of the shipped preset and the path from raw text to a preset.

python -m apps vectors fit --out models/presets/vectors_en_wiki --set output_words=10000   the shipped preset
python -m apps vectors fit --text FILE_OR_FOLDER --out DIR          one's own text
"""

from __future__ import annotations

import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING, Any, Literal

from apps.vectors.trained import GENSIM_TEXTS, WIKI, write_presets
from data_prep.errors import InputError

if TYPE_CHECKING:
    from data_prep.text.word2vec_blocks import BlockSettings, BlockStream
    from data_prep.text.word2vec_corpus import EncodedCorpus
    from models.training.fit import FitResult
    from models.word2vec.network import Word2Vec, Word2VecConfig

SAMPLE_TEXTS = ("lee_background.cor", "head500.noblanks.cor")
_FEWEST_BATCHES = 100
_CORPUS_FILE = "corpus.int32"


_USUAL: dict[str, dict[str, Any]] = {
    "skipgram": {
        "sample": 1e-4,
        "learning_rate": 0.025,
        "blocks": 64,
        "damping": 150.0,
        "shared_negatives": 64,
    },
    "cbow": {
        "sample": 1e-3,
        "learning_rate": 0.05,
        "blocks": 128,
        "damping": 10_000.0,
        "shared_negatives": 40,
    },
}


@dataclass(frozen=True)
class VectorsRecipe:
    """Everything that decides the vectors; the defaults made the shipped preset.

    Args:
        architecture: ``"skipgram"`` or ``"cbow"``.
        combine: CBOW's query, ``"mean"`` or ``"sum"`` of the context.
        tied: One matrix for input and output, as in the lecture.
        loss: ``"negative_sampling"``, ``"hierarchical_softmax"`` or ``"full_softmax"``.
        dimensions: Length of a vector.
        window: Largest distance of a context word.
        shrinking: Whether each word draws its window from 1 to ``window``.
        negatives: Negatives a pair.
        min_count: Rarer words are left out.
        max_vocabulary: Train at most so many words; none for all.
        kept_words: How many of the most frequent words the preset keeps; none for all.
        output_words: Write a second preset ``OUT_output`` with the output vectors of so many words, which
            the page needs to show a prediction; none for no such preset.
        storage: ``"float16"`` or ``"float32"`` in the preset.
        sample: Subsampling threshold; none for gensim's usual 1e-4 (skip-gram), 1e-3 (CBOW).
        learning_rate: At the start; none for word2vec.c's 0.025 (skip-gram), 0.05 (CBOW).
        minimum_learning_rate: At the end.
        epochs: Passes over the text.
        seed: Of all draws.
        context_gradient: See :class:`models.word2vec.network.Word2VecConfig`.
        damping: See there; none for 150 (skip-gram), 10,000 (CBOW, whose pairs pull less).
        block_length: Words in a block; see :class:`data_prep.text.word2vec_blocks.BlockSettings`.
        blocks: Blocks in a step; none for 64 (skip-gram), 128 (CBOW), and fewer for a small text.
        blocks_per_group: Blocks that share negatives.
        shared_negatives: Negatives that a group shares; none for 64 (skip-gram), 40 (CBOW).
        steps: Steps in a batch; fewer for a small text.
        threads: Operations side by side.
    """

    architecture: Literal["skipgram", "cbow"] = "skipgram"
    combine: Literal["mean", "sum"] = "mean"
    tied: bool = False
    loss: Literal["negative_sampling", "hierarchical_softmax", "full_softmax"] = "negative_sampling"
    dimensions: int = 100
    window: int = 5
    shrinking: bool = True
    negatives: int = 5
    min_count: int = 5
    max_vocabulary: int | None = None
    kept_words: int | None = 50_000
    output_words: int | None = None
    storage: Literal["float16", "float32"] = "float16"
    sample: float | None = None
    learning_rate: float | None = None
    minimum_learning_rate: float = 1e-4
    epochs: int = 5
    seed: int = 1
    context_gradient: Literal["full", "exact"] = "full"
    damping: float | None = None
    block_length: int = 32
    blocks: int | None = None
    blocks_per_group: int = 8
    shared_negatives: int | None = None
    steps: int = 32
    threads: int = 2

    def __post_init__(self) -> None:
        """Refuse values that no other class checks."""
        for name in ("min_count", "epochs", "blocks_per_group", "threads"):
            if getattr(self, name) < 1:
                raise InputError(f"{name} must be at least 1", received=getattr(self, name))
        for name in ("max_vocabulary", "kept_words", "output_words"):
            if getattr(self, name) is not None and getattr(self, name) < 2:
                raise InputError(f"{name} must be at least 2, or none", received=getattr(self, name))
        if self.learning_rate is not None and not 0 < self.learning_rate < 1:
            raise InputError("learning_rate must lie between 0 and 1", received=self.learning_rate)
        if self.blocks is not None and self.blocks % self.blocks_per_group:
            raise InputError(
                f"blocks_per_group must divide the {self.blocks} blocks", received=self.blocks_per_group
            )

    def settled(self) -> VectorsRecipe:
        """Return the recipe with every ``None`` that stands for "as is usual here" replaced."""
        usual = _USUAL[self.architecture]
        return replace(self, **{name: value for name, value in usual.items() if getattr(self, name) is None})


def fit_vectors(
    text: Path | None, out: Path, overrides: list[str], resume: bool = False, sample: bool = False
) -> dict[str, Any]:
    """Train word vectors on a text and write them as a preset.

    The run (checkpoints, encoded text) lives in ``OUT.run`` beside the preset until the preset is written.

    Args:
        text: File or folder, plain or ``.gz``; None for the wiki set, or with ``sample`` gensim's texts.
        out: Folder of the preset to make.
        overrides: ``key=value`` for fields of :class:`VectorsRecipe`.
        resume: Go on with an interrupted run.
        sample: Train on texts that gensim carries, where there are no data.

    Returns:
        What was made: preset, words, tokens, seconds, scores.

    Raises:
        InputError: The text is missing, empty, binary or not UTF-8, has fewer than two frequent words, an
            override is wrong, ``out`` exists already or cannot be written, or training diverges.
    """
    from models.storage.atomic import sha256_of, writing_to
    from models.training.recipe import with_overrides
    from models.training.run_folder import remove_run, run_folder_of

    recipe = with_overrides(VectorsRecipe(), overrides)
    run_dir = run_folder_of(out)
    paths, source = _texts(text, sample)
    fresh = not run_dir.exists()
    try:
        with writing_to(run_dir):
            run_dir.mkdir(parents=True, exist_ok=True)
            corpus = encode(paths, recipe, run_dir / _CORPUS_FILE)
    except InputError:
        if fresh:
            remove_run(run_dir)
        raise
    fitted = fitted_to(recipe, corpus)
    model, stream = compiled(fitted, corpus)
    result = _train(model, stream, fitted, run_dir, resume)
    checksums = {path.name: f"sha256 {sha256_of(path)}" for path in _files(paths)}
    summary = write_presets(out, model, corpus, fitted, result, source, checksums)
    remove_run(run_dir)
    return summary


def encode(paths: list[Path], recipe: VectorsRecipe, file: Path) -> EncodedCorpus:
    """Number the words of texts with the shared tokenizer; progress by bytes on standard error."""
    from data_prep.readers.text import TextCorpus
    from data_prep.text.tokenizer import WordTokenizer
    from data_prep.text.word2vec_corpus import encode_corpus

    texts = [TextCorpus(path) for path in paths]

    def lines(progress: Callable[[int], None]) -> Iterator[str]:
        before = 0
        for corpus in texts:
            yield from corpus.lines(lambda done, before=before: progress(before + done))
            before += corpus.total_bytes

    with _byte_progress(sum(corpus.total_bytes for corpus in texts)) as progress:
        return encode_corpus(
            lines(progress),
            WordTokenizer(punctuation=False, lower=True).keys,
            file,
            min_count=recipe.min_count,
            max_vocabulary=recipe.max_vocabulary,
        )


def fitted_to(recipe: VectorsRecipe, corpus: EncodedCorpus) -> VectorsRecipe:
    """Return the settled recipe, with smaller batches where a text is so small that it would give few of them.

    The learning rate falls once a batch, and a step of 2,048 words is much of a text of 20,000.
    """
    recipe = recipe.settled()
    by_hand = recipe.loss == "negative_sampling"
    recipe = recipe if by_hand else replace(recipe, steps=1)
    tokens = len(corpus.ids) * recipe.epochs
    while tokens < _FEWEST_BATCHES * recipe.steps * recipe.blocks * recipe.block_length:
        if recipe.steps > 1:
            recipe = replace(recipe, steps=max(1, recipe.steps // 2))
        elif recipe.blocks > recipe.blocks_per_group and recipe.blocks % 2 == 0:
            blocks = recipe.blocks // 2
            recipe = replace(recipe, blocks=blocks, blocks_per_group=min(recipe.blocks_per_group, blocks))
        else:
            break
    return recipe


def settings_of(recipe: VectorsRecipe) -> BlockSettings:
    """Return the block settings that a recipe asks for."""
    from data_prep.text.word2vec_blocks import BlockSettings

    return BlockSettings(
        window=recipe.window,
        shrinking=recipe.shrinking,
        sample=recipe.sample,
        block_length=recipe.block_length,
        blocks=recipe.blocks,
        groups=recipe.blocks // recipe.blocks_per_group,
        shared_negatives=recipe.shared_negatives,
        steps=recipe.steps,
        seed=recipe.seed,
    )


def config_of(recipe: VectorsRecipe, words: int) -> Word2VecConfig:
    """Return the network's config that a recipe asks for."""
    from models.word2vec.network import Word2VecConfig

    return Word2VecConfig(
        vocabulary_size=words,
        dimensions=recipe.dimensions,
        architecture=recipe.architecture,
        combine=recipe.combine,
        tied=recipe.tied,
        loss=recipe.loss,
        negatives=recipe.negatives,
        window=recipe.window,
        context_gradient=recipe.context_gradient,
        damping=recipe.damping,
        seed=recipe.seed,
    )


def compiled(recipe: VectorsRecipe, corpus: EncodedCorpus) -> tuple[Word2Vec, BlockStream]:
    """Build and compile the network for a text, and make the stream of its batches."""
    import keras

    if keras.backend.backend() == "tensorflow":
        from models.word2vec.steps import use_processor

        use_processor(recipe.threads)
    from data_prep.text.word2vec_blocks import BlockStream
    from models.word2vec.network import build_word2vec, linear_decay

    stream = BlockStream(corpus, settings_of(recipe))
    model = build_word2vec(config_of(recipe, len(corpus.vocabulary)), corpus.vocabulary.counts)
    batches = recipe.epochs * stream.batches_per_epoch
    model.compile(
        keras.optimizers.SGD(linear_decay(recipe.learning_rate, recipe.minimum_learning_rate, batches))
    )
    return model, stream


def epoch_batches(stream: BlockStream, epoch: int) -> Any:
    """Return the batches of an epoch, prepared ahead in another thread, in the form of the backend."""
    import keras

    from data_prep.batching import as_dataset, prefetched

    if keras.backend.backend() == "tensorflow":
        return as_dataset(lambda: stream.epoch(epoch), fixed_shapes=True, prefetch=4)
    return prefetched(stream.epoch(epoch), depth=4)


def _train(
    model: Word2Vec, stream: BlockStream, recipe: VectorsRecipe, run_dir: Path, resume: bool
) -> FitResult:
    from models.training.fit import fit

    held_out = stream.held_out()
    return fit(
        model,
        lambda epoch: epoch_batches(stream, epoch),
        epochs=recipe.epochs,
        run_dir=run_dir,
        seed=recipe.seed,
        recipe=recipe,
        resume=resume,
        evaluate=None if held_out is None else lambda: {"held_out_loss": model.mean_loss(held_out)},
        monitor="pair_loss" if held_out is None else "held_out_loss",
        keep_best=False,
    )


def _texts(text: Path | None, sample: bool) -> tuple[list[Path], str]:
    """Return the files or folders to read and what to call them."""
    if text is not None:
        return [text], text.name
    if sample:
        from apps.vectors.evaluation import gensim_data

        print(f"Training on {GENSIM_TEXTS}", file=sys.stderr)
        return [gensim_data(name) for name in SAMPLE_TEXTS], GENSIM_TEXTS
    from data_prep.datasets import locate

    return [locate("wiki")], WIKI


def _files(paths: list[Path]) -> list[Path]:
    return [file for path in paths for file in (sorted(path.rglob("*.*")) if path.is_dir() else [path])]


@contextmanager
def _byte_progress(total: int) -> Iterator[Callable[[int], None]]:
    from tqdm import tqdm

    interval = 0.1 if sys.stderr.isatty() else 10.0
    with tqdm(total=total, desc="reading", unit="B", unit_scale=True, mininterval=interval) as bar:
        yield lambda done: bar.update(done - bar.n) and None

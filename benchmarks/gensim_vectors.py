"""Make the preset of gensim's vectors that the page shows beside ours: the same lines, words and settings.

    python -m benchmarks.gensim_vectors --out models/presets/vectors_en_wiki_gensim     about 6 minutes on two cores

All vectors are scored as ours are (first 50,000 words); the preset keeps the first 20,000, which is enough to compare
answers and a third of the size.
"""

from __future__ import annotations

import argparse
import sys
import tempfile
import time
from pathlib import Path
from typing import TYPE_CHECKING, Any

from data_prep.errors import InputError

if TYPE_CHECKING:
    from apps.vectors.task import VectorsRecipe
    from data_prep.text.embeddings import WordVectors

KEPT_WORDS = 20_000


def write_sentences(corpus: Any, file: Path) -> None:
    """Write the sentences of an encoded corpus for gensim's ``corpus_file``: words, one sentence a line."""
    words = list(corpus.vocabulary)
    begin = 0
    with file.open("w", encoding="utf-8") as out:
        for end in corpus.ends:
            out.write(" ".join([words[i] for i in corpus.ids[begin:end]]) + "\n")
            begin = end


def train(recipe: VectorsRecipe) -> tuple[WordVectors, dict[str, Any], float]:
    """Train gensim's skip-gram on the wiki set as a recipe asks.

    Args:
        recipe: Settled; its skip-gram settings are those of gensim's of the same meaning.

    Returns:
        The vectors of all words, gensim's settings, and seconds.
    """
    from gensim.models import Word2Vec

    from apps.vectors.task import encode
    from data_prep.datasets import locate
    from data_prep.text.embeddings import WordVectors

    settings: dict[str, Any] = {
        "vector_size": recipe.dimensions,
        "window": recipe.window,
        "negative": recipe.negatives,
        "min_count": 1,  # the words are those of our vocabulary
        "sample": recipe.sample,
        "alpha": recipe.learning_rate,
        "min_alpha": recipe.minimum_learning_rate,
        "sg": 1,
        "workers": recipe.threads,
        "seed": recipe.seed,
        "epochs": recipe.epochs,
    }
    with tempfile.TemporaryDirectory() as temporary:
        corpus = encode([locate("wiki")], recipe, Path(temporary) / "ids")
        write_sentences(corpus, Path(temporary) / "sentences")
        begun = time.perf_counter()
        model = Word2Vec(corpus_file=str(Path(temporary) / "sentences"), **settings)
        seconds = time.perf_counter() - begun
    return WordVectors.from_keyed_vectors(model.wv), settings, seconds


def scores(every: WordVectors, scored: int) -> dict[str, Any]:
    """Score the first ``scored`` words as ours are scored, and those that are kept; return both as metrics."""
    from apps.vectors.evaluation import evaluate
    from apps.vectors.preset import metrics_of

    metrics = metrics_of(evaluate(first(every, scored)))
    for measure in metrics.values():
        measure["protocol"] += (
            f"; scored with {scored:,} words as ours are, of which {KEPT_WORDS:,} are kept here"
        )
    kept = metrics_of(evaluate(first(every, KEPT_WORDS)))
    return metrics | {f"{name}_kept_words": measure for name, measure in kept.items()}


def first(every: WordVectors, number: int) -> WordVectors:
    """Return the vectors of the first ``number`` words."""
    from data_prep.text.embeddings import WordVectors

    counts = None if every.counts is None else every.counts[:number]
    return WordVectors(every.keys[:number], every.vectors[:number], counts)


def make(out: Path, threads: int) -> dict[str, Any]:
    """Train gensim on the wiki set and write the preset; return its metrics."""
    from apps.vectors.preset import save_vectors_preset
    from apps.vectors.task import VectorsRecipe
    from apps.vectors.trained import WIKI
    from data_prep.datasets import locate
    from models.presets.card import CardText
    from models.storage.atomic import sha256_of

    recipe = VectorsRecipe(threads=threads).settled()
    every, settings, seconds = train(recipe)
    metrics = scores(every, recipe.kept_words or len(every))
    save_vectors_preset(
        first(every, KEPT_WORDS),
        out,
        metrics=metrics,
        metadata={
            "recipe": {"gensim.models.Word2Vec": settings},
            "seed": recipe.seed,
            "data": {file.name: f"sha256 {sha256_of(file)}" for file in sorted(locate("wiki").glob("*.gz"))},
            "seconds": seconds,
        },
        card=CardText(
            title="Word vectors of gensim from English Wikipedia",
            summary="What gensim's skip-gram learns from the text of vectors_en_wiki, with the same settings.",
            data=WIKI,
            licence="Text and vectors: CC BY-SA 3.0",
            intended_use="To compare answers with those of Lectern's own vectors.",
            limits="As those of vectors_en_wiki; only the most frequent words.",
        ),
    )
    return metrics


def main() -> int:
    """Make the preset; return the exit code."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--out", type=Path, required=True)
    parser.add_argument("--threads", type=int, default=2)
    options = parser.parse_args()
    try:
        metrics = make(options.out, options.threads)
    except InputError as error:
        print(f"error: {error}", file=sys.stderr)
        return 2
    for name, measure in metrics.items():
        print(f"{name}: {measure['score']} (n = {measure['n']})")
    return 0


if __name__ == "__main__":
    sys.exit(main())

"""Make the preset of gensim's vectors that the page shows beside ours: the same lines, words and settings.

    python -m benchmarks.gensim_vectors --out models/presets/vectors_en_wiki_gensim    a quarter of an hour, two cores

All vectors are scored as ours are (first 50,000 words), as they are and mixed with the spelling of their words as ours;
the preset keeps the first 20,000 as they are, which is enough to compare answers and a third of the size.
"""

from __future__ import annotations

import tempfile
import time
from dataclasses import replace
from itertools import pairwise
from pathlib import Path
from typing import Any

import typer

from apps.shared.commands import OutFolder, print_table, verb
from apps.shared.measures import checksums_of
from apps.vectors.evaluation import evaluate, metrics_of
from apps.vectors.task import WIKI, VectorsTask, encode, mixed, save_vectors_preset, vectors_content
from data_prep.datasets import locate
from data_prep.readers.text import TextCorpus
from data_prep.text.embeddings import WordVectors
from models.presets.card import CardText
from models.training.task import Metrics
from models.word2vec.training import VectorsRecipe

KEPT_WORDS = 20_000


def gensim_settings(recipe: VectorsRecipe) -> dict[str, Any]:
    """Return the settings of ``gensim.models.Word2Vec`` that mean what a settled recipe says.

    The last learning rate is gensim's own. Its rate falls by a share of what it should in each epoch where several
    workers read a file, as each counts its own words only: of two it ends at a tenth of the first, where ours ends.
    """
    return {
        "vector_size": recipe.dimensions,
        "window": recipe.window,
        "negative": recipe.negatives,
        "min_count": recipe.min_count,
        "sample": recipe.sample,
        "alpha": recipe.learning_rate,
        "min_alpha": 1e-4,
        "sg": int(recipe.architecture == "skipgram"),
        "workers": recipe.threads,
        "seed": recipe.seed,
        "epochs": recipe.epochs,
    }


def write_sentences(corpus: Any, file: Path) -> None:
    """Write the sentences of an encoded corpus for gensim's ``corpus_file``: words, one sentence a line."""
    words = list(corpus.vocabulary)
    with file.open("w", encoding="utf-8") as out:
        for begin, end in pairwise([0, *corpus.ends]):
            out.write(" ".join([words[i] for i in corpus.ids[begin:end]]) + "\n")


def scores(every: WordVectors, scored: int, recipe: VectorsRecipe) -> Metrics:
    """Score the first ``scored`` words as ours are scored, as they are and mixed, and those that are kept."""
    metrics = metrics_of(evaluate(every.first(scored)))
    with_spelling = metrics_of(evaluate(mixed(every.first(scored), recipe)))
    metrics |= {f"{name}_mixed": measure for name, measure in with_spelling.items()}
    for measure in metrics.values():
        measure["protocol"] += (
            f"; scored with {scored:,} words as ours are, of which {KEPT_WORDS:,} are kept here"
        )
    kept = metrics_of(evaluate(every.first(KEPT_WORDS)))
    return metrics | {f"{name}_kept_words": measure for name, measure in kept.items()}


@verb
def main(out: OutFolder, threads: int = 2) -> None:
    """Train gensim's skip-gram on the wiki set, write the preset of its vectors, and print its scores."""
    from gensim.models import Word2Vec

    recipe = replace(VectorsTask.recipes["shipped"], threads=threads).settled()
    settings = gensim_settings(replace(recipe, min_count=1))  # the words are those of our vocabulary
    with tempfile.TemporaryDirectory() as temporary:
        corpus = encode(TextCorpus([locate("wiki")]), recipe, Path(temporary) / "ids")
        write_sentences(corpus, Path(temporary) / "sentences")
        begun = time.perf_counter()
        model = Word2Vec(corpus_file=str(Path(temporary) / "sentences"), **settings)
        seconds = time.perf_counter() - begun
    every = WordVectors.from_keyed_vectors(model.wv)
    metrics = scores(every, recipe.kept_words or len(every), recipe)
    card = CardText(
        title="Word vectors of gensim from English Wikipedia",
        summary="What gensim's skip-gram learns from the text of vectors_en_wiki, with the same settings.",
        data=WIKI,
        licence="Text and vectors: CC BY-SA 3.0",
        intended_use="To compare answers with those of Lectern's own vectors.",
        limits="As those of vectors_en_wiki; only the most frequent words.",
    )
    metadata = {
        "recipe": {"gensim.models.Word2Vec": settings},
        "seed": recipe.seed,
        "data": checksums_of(*sorted(locate("wiki").glob("*.gz"))),
        "seconds": seconds,
    }
    content = vectors_content(every.first(KEPT_WORDS), card, recipe.storage, metrics=metrics)
    save_vectors_preset(out, content, metadata)
    rows = [(name, str(measure["score"]), str(measure["n"])) for name, measure in metrics.items()]
    print_table(("measure", "score>", "n>"), rows)


if __name__ == "__main__":
    typer.run(main)

"""What a training of word vectors leaves: presets of the input and output vectors, with scores and model cards."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from apps.vectors.task import VectorsRecipe
    from data_prep.text.embeddings import WordVectors
    from data_prep.text.word2vec_corpus import EncodedCorpus
    from models.presets.card import CardText
    from models.training.fit import FitResult
    from models.word2vec.network import Word2Vec

WIKI = "English Wikipedia (2014), 30 million words"
GENSIM_TEXTS = "the texts that gensim carries (Lee's news documents and the head of a web corpus)"
_LICENCES = {WIKI: "Text and vectors: CC BY-SA 3.0", GENSIM_TEXTS: "LGPL 2.1, as gensim"}


def write_presets(
    out: Path,
    model: Word2Vec,
    corpus: EncodedCorpus,
    recipe: VectorsRecipe,
    result: FitResult,
    source: str,
    checksums: dict[str, str],
) -> dict[str, Any]:
    """Score what a network has learned and write it as presets.

    Args:
        out: Folder of the preset of the input vectors; that of the output vectors is ``OUT_output``.
        model: The trained network.
        corpus: What it was trained on.
        recipe: With which settings.
        result: Of the training.
        source: What the text is called.
        checksums: File name to checksum.

    Returns:
        What was made: preset, words, tokens, seconds, scores.

    Raises:
        InputError: A preset cannot be written.
    """
    from apps.shared.commands import progress_bar
    from apps.vectors.evaluation import evaluate
    from apps.vectors.preset import metrics_of, save_vectors_preset

    metadata = {
        "recipe": recipe,
        "seed": recipe.seed,
        "data": checksums,
        "seconds": result.seconds,
        "tokens": corpus.raw_tokens,
        "history": list(result.history),
    }
    parts = [(out, model.input_vectors, recipe.kept_words or len(corpus.vocabulary), "input")]
    if recipe.output_words is not None and recipe.loss != "hierarchical_softmax":
        parts.append((out.parent / f"{out.name}_output", model.output_vectors, recipe.output_words, "output"))
    evaluations = []
    for folder, matrix, words, side in parts:
        vectors = _as_shipped(matrix, corpus, words, recipe.storage)
        with progress_bar(f"analogies ({side} vectors)", "questions") as progress:
            evaluations.append(evaluate(vectors, progress=progress))
        save_vectors_preset(
            vectors,
            folder,
            metrics=metrics_of(evaluations[-1]),
            metadata=metadata,
            card=_card(recipe, source, side),
            storage=recipe.storage,
        )
    evaluation, total = evaluations[0], evaluations[0].analogies.total
    return {
        "preset": str(out),
        "words": min(len(corpus.vocabulary), parts[0][2]),
        "dimensions": recipe.dimensions,
        "tokens": corpus.raw_tokens,
        "seconds": round(result.seconds, 1),
        "words_per_second": round(corpus.raw_tokens * result.epochs / max(result.seconds, 1e-9)),
        "analogies": total.accuracy,
        "answered": total.answered,
        "wordsim353": evaluation.wordsim353.spearman,
        "simlex999": evaluation.simlex999.spearman,
    }


def _as_shipped(matrix: Any, corpus: EncodedCorpus, words: int, storage: str) -> WordVectors:
    """Return the vectors of the most frequent words, rounded as the preset will hold them."""
    import numpy as np
    from keras import ops

    from data_prep.text.embeddings import WordVectors

    kept = min(len(corpus.vocabulary), words)
    rows = np.asarray(ops.convert_to_numpy(matrix))[:kept]
    rows = rows.astype(storage).astype(np.float32)
    return WordVectors(list(corpus.vocabulary)[:kept], rows, corpus.vocabulary.counts[:kept])


def _card(recipe: VectorsRecipe, source: str, side: str) -> CardText:
    from models.presets.card import CardText

    use = "Neighbours, analogies and similarities of words; the first layer of other networks."
    if side == "output":
        use = "Keys of word2vec's second layer: which words a context predicts. Not for neighbours of words."
    return CardText(
        title=f"Word vectors from {source}" + (" (output matrix)" if side == "output" else ""),
        summary=f"The {side} vectors that Lectern's Keras word2vec ({recipe.architecture}) learned from {source}.",
        data=source,
        licence=_LICENCES.get(source, "that of the text they were trained on"),
        intended_use=use,
        limits="One vector a word, whatever its sense; lower case; they carry the prejudices of their text.",
    )

"""What word vectors show while they are learned: neighbours, an analogy, a map that moves, and the loss of a sample."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import TYPE_CHECKING, Any

import numpy as np

from apps.vectors.application import Vectors
from apps.vectors.maps import word_map
from data_prep.errors import InputError
from data_prep.text.embeddings import WordVectors
from data_prep.text.vocab import Vocabulary
from data_prep.text.word2vec_corpus import EncodedCorpus
from models.serving.blas_threads import one_blas_thread
from models.training.watching import Seen
from models.word2vec.config import VectorsRecipe
from models.word2vec.sample import own_loss, predictions, prior_of, softmax_loss

if TYPE_CHECKING:
    import keras

WATCHED = {"word": "music", "analogy": "paris - france + italy"}
_MAP_WORDS = """
france germany italy spain russia china japan england america paris berlin rome madrid moscow london york
washington king queen prince president government army war peace church god city river island sea mountain land
water fire music band song album film book story art game team player season man woman father mother son
daughter children people one two three four five ten first second third year month day week monday january march
july red green blue black white school university science law company money
"""
_FEWEST_ON_MAP, _SKIPPED = 40, 30  # frequent words join where fewer are known, without the most frequent ones
_NEIGHBOURS, _ANSWERS = 8, 5
_SCORES = 4_000_000  # of predictions with every word, at most
_BOUNDS = 128, 2_048  # of the number of predictions in the sample
_MOST_MOVED = 5_000  # rows whose change is measured


def seer(recipe: VectorsRecipe, corpus: EncodedCorpus) -> Callable[[keras.Model, Mapping[str, str]], Seen]:
    """Make what looks at a network; its numbers have no loss where no line of the text is held out.

    Args:
        recipe: As it fits the text.
        corpus: The text.
    """
    from models.word2vec.blocks import BlockStream  # it loads Numba

    vocabulary = corpus.vocabulary
    batch = BlockStream(corpus, recipe).held_out()
    most = int(np.clip(_SCORES // len(vocabulary), *_BOUNDS))
    sample = None if batch is None else predictions(recipe, batch, most)
    prior = prior_of(recipe, vocabulary.counts)
    moved = np.linspace(0, len(vocabulary) - 1, min(len(vocabulary), _MOST_MOVED)).astype(int)
    words = map_words(vocabulary)
    rows = vocabulary.encode(words)
    before: dict[str, Any] = {}  # steps, vectors and map of the picture before

    def losses(model: keras.Model, inputs: np.ndarray, outputs: np.ndarray) -> dict[str, float]:
        if sample is None:
            return {}
        own = own_loss(recipe, sample, inputs, outputs, model.codes)
        over_all = own if model.codes is not None else softmax_loss(sample, inputs, outputs, prior)
        return {"held_out_loss": own, "held_out_softmax_loss": over_all}

    def change(steps: int, vectors: np.ndarray) -> dict[str, float]:
        """Measure how far a vector moves a step (root of the mean square), since the picture before."""
        since = steps - before.get("steps", steps)
        lengths = np.linalg.norm(vectors - before.get("vectors", vectors), axis=1)
        before.update(steps=steps, vectors=vectors)
        return {"change_per_step": float(np.sqrt((lengths**2).mean()) / since)} if since else {}

    def see(model: keras.Model, watch: Mapping[str, str]) -> Seen:
        inputs, outputs = model.matrices()
        with one_blas_thread():  # beside a training that takes all cores
            numbers = losses(model, inputs, outputs)
            numbers |= change(int(model.optimizer.iterations), inputs[moved])
            picture = _answers(Vectors(WordVectors(vocabulary, inputs)), watch)
            points = _points(words, inputs[rows], before.get("points"))
        before.update(points)
        if points:
            picture["map"] = {"words": words, **points}
        return Seen(numbers, {**picture, "predictions": 0 if sample is None else len(sample.targets)})

    return see


def map_words(vocabulary: Vocabulary) -> list[str]:
    """Choose the words of the map: known ones of a list, and frequent ones where there are few of those."""
    known = [word for word in _MAP_WORDS.split() if word in vocabulary]
    missing = max(0, _FEWEST_ON_MAP - len(known))
    frequent = [word for word in vocabulary.entries if word not in known]
    skipped = _SKIPPED if len(frequent) >= _SKIPPED + missing else 0
    return known + frequent[skipped : skipped + missing]


def _points(words: list[str], vectors: np.ndarray, before: np.ndarray | None) -> dict[str, Any]:
    """Lay words out by PCA, turned as near to the picture before as can be; nothing where there are too few."""
    lengths = np.linalg.norm(vectors, axis=1, keepdims=True)
    try:
        found = word_map(words, vectors / np.maximum(lengths, 1e-12))
    except InputError:  # too few words, or all alike
        return {}
    points = np.array(found.coordinates)
    explained = sum(found.explained or ())
    return {"points": points if before is None else aligned(points, before), "explained": explained}


def aligned(points: np.ndarray, before: np.ndarray) -> np.ndarray:
    """Turn and mirror centred points so that they lie next to those before (Schönemann 1966), (words, 2) both."""
    left, _, right = np.linalg.svd(points.T @ before)
    return points @ (left @ right)


def _answers(vectors: Vectors, watch: Mapping[str, str]) -> dict[str, Any]:
    """Ask for neighbours and the analogy; what cannot be answered says why."""
    word, analogy = (watch.get(name) or WATCHED[name] for name in ("word", "analogy"))
    asked = {
        "neighbours": lambda: vectors.neighbours(word.strip(), _NEIGHBOURS),
        "answers": lambda: vectors.analogy(analogy, topn=_ANSWERS).results,
    }
    found: dict[str, Any] = {"word": word, "analogy": analogy}
    for name, ask in asked.items():
        try:
            found[name] = [(one.word, round(one.score, 4)) for one in ask()]
        except InputError as error:
            found[name] = str(error)
    return found

"""Why a document got its verdict: word by word, by attention, by the embeddings of the labels and by states."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Literal

import numpy as np

from apps.reviews.application import Reviews
from apps.reviews.results import (
    AttentionWeights,
    Contributions,
    LabelEmbedding,
    LabelMap,
    ReadWord,
    RunningVerdict,
    States,
)
from apps.vectors.application import maps
from data_prep.errors import InputError
from data_prep.text.embeddings import WordVectors
from data_prep.text.text_inputs import EOS, SPECIALS, words_of
from data_prep.text.vocab import UNK
from models.layers.cells import CELLS
from models.text_classifier.packed import PackedNetwork

Method = Literal["gradient", "leave_out", "linear"]
METHODS: tuple[Method, ...] = ("gradient", "leave_out", "linear")
RECURRENT = (*CELLS, "attention")
MAX_READ = 400  # how often a document is read anew for one explanation, at most
_READ_IDS = 200_000  # words that are read for one explanation: seconds on one core
_FEWEST_READ = 50
MAX_WORDS = 20_000  # of a document that is explained
FREQUENT = 5_000  # words among which the nearest of a label are looked for
_AT_LEAST = 3  # letters of a word that stands for a label
_RIDGE = 10.0  # of unit vectors over thousands of words: keeps rare directions from following noise
_FEWEST_WORDS = 20  # below which a direction says nothing


def methods(reviews: Reviews) -> tuple[Method, ...]:
    """Name the ways of :func:`contributions` that a preset offers, the best one first."""
    return ("linear", "leave_out") if reviews.config.is_linear else ("gradient", "leave_out")


def networks(reviews: Reviews) -> tuple[str, ...]:
    """Name the networks that answer together."""
    return tuple(member.network for member in reviews.config.members)


def running(reviews: Reviews, text: str) -> RunningVerdict:
    """Give the verdict after each word, as if the document ended there, and at last at its end.

    Of a long document as many words are taken, in equal distances, as are read in seconds.

    Raises:
        InputError: The document cannot be classified, or is too long.
    """
    ids, words = _read(reviews, text)
    count = len(ids) - 1
    ends = np.unique(np.linspace(1, count, _readings(reviews, count)).round().astype(int))
    beginnings = [np.append(ids[:end], np.int32(EOS)) for end in ends]
    found = [tuple(row) for row in reviews.probabilities(beginnings).tolist()]
    # Every row was read up to an end of sequence: after the last word it changes nothing more.
    return RunningVerdict(reviews.labels, (*(words[end - 1] for end in ends), words[-1]), (*found, found[-1]))


def contributions(
    reviews: Reviews,
    text: str,
    method: Method = "gradient",
    label: str | None = None,
    against: str | None = None,
) -> Contributions:
    """Give what each word adds to the logit of a label minus that of another, the end of sequence last.

    ``"gradient"`` multiplies each word's vector with the gradient of the difference by it, of a recurrent network with
    the mean gradient on the way from vectors of zeros to those of the words (integrated gradients, Sundararajan, Taly
    and Yan 2017); for networks that are linear in the vectors that is ``"linear"``. ``"leave_out"`` reads the document
    without the word; of a long one it leaves out as many neighbours at once as are needed to be done in seconds, and
    each gets its share.

    Args:
        reviews: The classifier.
        text: The document.
        method: One of ``METHODS``; ``"linear"`` only where :func:`methods` names it.
        label: None takes the answer.
        against: None takes the most probable other label.

    Raises:
        InputError: The document, the method or a label does not fit.
    """
    allowed = METHODS if reviews.config.is_linear else METHODS[:2]
    if method not in allowed:
        raise InputError(
            "This classifier cannot be explained that way", allowed=", ".join(allowed), received=method
        )
    ids, words = _read(reviews, text)
    logits = reviews.network.logits([ids])[0]
    one, other = _pair(reviews.labels, logits, label, against)
    difference = float(logits[one] - logits[other])
    if method == "leave_out":
        values, constant, exact = *_left_out(reviews, ids, one, other, difference), False
    else:
        values, constant, exact = reviews.network.contributions(ids, one, other)
    labels = (reviews.labels[one], reviews.labels[other])
    return Contributions(*labels, method, words, tuple(values.tolist()), constant, difference, exact)


def attention(reviews: Reviews, text: str) -> AttentionWeights:
    """Give the weight of each state in the answer of the network with attention.

    Raises:
        InputError: The preset has none, or the document cannot be classified.
    """
    network, ids, words = _inside(reviews, text, ("attention",), "weighs its states by attention")
    return AttentionWeights(words, tuple(network.attention(ids).tolist()))


def states(reviews: Reviews, text: str) -> States:
    """Give the state of the first recurrent network after each word, the end of sequence included.

    Raises:
        InputError: The preset has none, or the document cannot be classified.
    """
    network, ids, words = _inside(reviews, text, RECURRENT, "is recurrent")
    return States(words, tuple(map(tuple, network.states(ids).tolist())), network.config.network)


def label_embeddings(
    reviews: Reviews, topn: int = 12, member: int | None = None
) -> tuple[LabelEmbedding, ...]:
    """Give the rows of W in softmax(Wz), and for each the ``topn`` words whose own z points to it.

    The score of a word is what it adds to the label's logit, minus the mean over all labels, where it is all that is
    read: the dot product of the row and what the word does to z. ``member`` is the number of a network, from 0; None
    takes the one with the largest weight.
    """
    at = main_member(reviews) if member is None else member
    rows = reviews.network.members[at].kernel.T.astype(np.float64)
    centred = rows - rows.mean(axis=0)  # softmax does not see what all labels have in common
    units = centred / np.maximum(np.linalg.norm(centred, axis=1, keepdims=True), 1e-12)
    cosines = units @ units.T
    words, scores = word_scores(reviews, at)
    found = []
    for number, label in enumerate(reviews.labels):
        best = np.argsort(-scores[:, number], kind="stable")[:topn]
        nearest = tuple((words[row], float(scores[row, number])) for row in best)
        found.append(
            LabelEmbedding(label, tuple(rows[number].tolist()), nearest, tuple(cosines[number].tolist()))
        )
    return tuple(found)


def main_member(reviews: Reviews) -> int:
    """Return the number, from 0, of the network with the largest weight."""
    return int(np.argmax(np.abs(reviews.config.weights)))


def word_scores(reviews: Reviews, member: int) -> tuple[tuple[str, ...], np.ndarray]:
    """Score frequent words by what each adds to each label's logit of network ``member`` where it is all that is read.

    Returns:
        The words, and float64 (words, labels) whose rows sum to 0.
    """
    rows = min(reviews.config.members[member].vocabulary_size, len(reviews.vocabulary), FREQUENT)
    ids = np.arange(len(SPECIALS), rows)
    entries = reviews.vocabulary.decode(ids)
    kept = [at for at, word in enumerate(entries) if len(word) >= _AT_LEAST and word.isalpha()]
    network = reviews.network.members[member]
    scores = np.zeros((0, len(reviews.labels)))
    if kept:
        alone = network.logits([np.array([ids[at], EOS], np.int32) for at in kept])
        scores = (alone - network.logits([np.array([EOS], np.int32)])).astype(np.float64)
    return tuple(entries[at] for at in kept), scores - scores.mean(axis=1, keepdims=True)


def label_map(
    reviews: Reviews,
    vectors: WordVectors,
    *,
    words: int = 14,
    others: int = 60,
    method: str = "pca",
    member: int | None = None,
) -> LabelMap:
    """Lay labels out among words, ``words`` nearest ones of each and ``others`` that speak for none.

    The network's W and the word vectors live in different spaces. A label's place among words is the direction along
    which words speak for it: ridge regression from the unit vectors of frequent words to what each adds to its logit
    (:func:`word_scores`). ``method`` is that of :func:`apps.vectors.maps.word_map`, ``member`` as for
    :func:`label_embeddings`.

    Raises:
        InputError: Too few words are in both vocabularies, or the method is unknown.
    """
    found, scores = word_scores(reviews, main_member(reviews) if member is None else member)
    both = [at for at, word in enumerate(found) if word in vectors]
    if len(both) < _FEWEST_WORDS:
        raise InputError(
            "Too few words of this preset have a vector",
            allowed=f"{_FEWEST_WORDS} words or more",
            received=len(both),
        )
    names, scores = [found[at] for at in both], scores[both]
    units = vectors.normalized[[vectors.index(name) for name in names]].astype(np.float64)
    nearest = np.argsort(-scores, axis=0, kind="stable")[:words].T.ravel().tolist()
    quiet = np.argsort(np.abs(scores[: 20 * others]).max(axis=1), kind="stable")[:others].tolist()
    chosen = list(dict.fromkeys([*nearest, *quiet]))
    silent = set(quiet) - set(nearest)
    strongest = [reviews.labels[best] for best in scores[chosen].argmax(axis=1).tolist()]
    belongs = [None if row in silent else label for row, label in zip(chosen, strongest, strict=True)]
    places, fit = _places(units, scores)
    points = np.concatenate([places, units[chosen]])
    titles = [f"«{label}»" for label in reviews.labels] + [names[row] for row in chosen]
    result = maps.word_map(titles, points, method)
    return LabelMap(result, len(reviews.labels), (*reviews.labels, *belongs), fit)


def _read(reviews: Reviews, text: str) -> tuple[np.ndarray, tuple[ReadWord, ...]]:
    """Encode a document; its words with their spans, and the end of sequence after them."""
    ids = reviews.read(text).ids
    if len(ids) > MAX_WORDS + 1:
        raise InputError(
            "The text is too long to be explained",
            allowed=f"{MAX_WORDS:,} words and signs",
            received=len(ids) - 1,
        )
    words = [
        ReadWord(token.text, token.start, token.end, number != UNK)
        for token, number in zip(words_of(text), ids[:-1].tolist(), strict=True)
    ]
    return ids, (*words, ReadWord("", len(text), len(text)))


def _inside(
    reviews: Reviews, text: str, wanted: Sequence[str], does: str
) -> tuple[PackedNetwork, np.ndarray, tuple[ReadWord, ...]]:
    """Return a network of a wanted kind, ids of a document, and its words that the network reads.

    It is the first one that answers the document; if none does, the first one of the kind.
    """
    names = networks(reviews)
    found = [at for at, name in enumerate(names) if name in wanted]
    if not found:
        raise InputError(
            f"No network of this classifier {does}", allowed=", ".join(wanted), received=", ".join(names)
        )
    ids, words = _read(reviews, text)
    answering = reviews.network.answering(ids)
    chosen = reviews.network.members[min(found, key=lambda at: at not in answering)]
    return chosen, ids, tuple(words[at] for at in chosen.config.places(len(words)).tolist())


def _pair(
    labels: Sequence[str], logits: np.ndarray, label: str | None, against: str | None
) -> tuple[int, int]:
    """Return the numbers of the two labels that are compared."""
    for name in (label, against):
        if name is not None and name not in labels:
            raise InputError("There is no such label", allowed=", ".join(labels), received=name)
    if label is not None and label == against:
        raise InputError("The two labels are one", received=label)
    order = [labels[at] for at in np.argsort(-logits, kind="stable")]
    label = label or next(name for name in order if name != against)
    against = against or next(name for name in order if name != label)
    return labels.index(label), labels.index(against)


def _readings(reviews: Reviews, count: int) -> int:
    """Say how often a document of this many words is read anew for one explanation; linear networks read fast."""
    most = MAX_READ if reviews.config.is_linear else max(_FEWEST_READ, min(MAX_READ, _READ_IDS // count))
    return min(count, most)


def _left_out(
    reviews: Reviews, ids: np.ndarray, one: int, other: int, difference: float
) -> tuple[np.ndarray, float]:
    """Read the document without each word by the networks that answer it; the constant is what no word at all gives."""
    count = len(ids) - 1
    together = -(-count // _readings(reviews, count))
    starts = np.arange(0, count, together)
    stops = np.minimum(starts + together, count)
    documents = [np.delete(ids, slice(start, stop)) for start, stop in zip(starts, stops, strict=True)]
    logits = reviews.network.logits_as(ids, [*documents, ids[-1:]])
    without = (logits[:, one] - logits[:, other]).astype(np.float64)
    lengths = stops - starts
    values = np.repeat((difference - without[:-1]) / lengths, lengths)
    return np.append(values, 0.0), float(without[-1])


def _places(units: np.ndarray, scores: np.ndarray) -> tuple[np.ndarray, tuple[float, ...]]:
    """Place labels among words, float64 (labels, dimensions), and say how much of each label's scores that explains.

    They are as far from the middle of the words as a word usually is.
    """
    middle = units.mean(axis=0)
    centred, wanted = units - middle, scores - scores.mean(axis=0)
    fitted = np.linalg.solve(centred.T @ centred + _RIDGE * np.eye(len(middle)), centred.T @ wanted)
    left, spread = ((values**2).sum(axis=0) for values in (wanted - centred @ fitted, wanted))
    # Scores that are all the same are explained where nothing of them is left.
    explained = np.where(
        spread > 0, 1.0 - left / np.where(spread > 0, spread, 1.0), np.where(left > 0, 0.0, 1.0)
    )
    lengths = np.maximum(np.linalg.norm(fitted, axis=0)[:, None], 1e-12)
    distance = np.linalg.norm(centred, axis=1).mean()
    return middle + distance * fitted.T / lengths, tuple(explained.tolist())

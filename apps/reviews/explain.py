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
    ReadWord,
    RunningVerdict,
    States,
)
from data_prep.errors import InputError
from data_prep.text.text_inputs import EOS, SPECIALS, words_of
from data_prep.text.vocab import UNK
from models.layers.cells import CELLS
from models.serving.operations import softmax

Method = Literal["gradient", "leave_out", "linear"]
METHODS: tuple[Method, ...] = ("gradient", "leave_out", "linear")
RECURRENT = (*CELLS, "attention")
MAX_READ = 400  # how often a document is read anew for one explanation, at most
_READ_IDS = 200_000  # words that recurrent networks read for one explanation: seconds on one core
_FEWEST_READ = 50
MAX_WORDS = 20_000  # of a document that is explained
FREQUENT = 5_000  # words among which the nearest of a label are looked for
_AT_LEAST = 3  # letters of a word that stands for a label


def methods(reviews: Reviews) -> tuple[Method, ...]:
    """Name the ways of :func:`contributions` that a preset offers, the best one first."""
    return ("linear", "leave_out") if reviews.config.is_linear else ("gradient", "leave_out")


def networks(reviews: Reviews) -> tuple[str, ...]:
    """Name the networks that answer together."""
    return tuple(member.network for member in reviews.config.members)


def running(reviews: Reviews, text: str) -> RunningVerdict:
    """Give the verdict after each word, as if the document ended there, and at last at its end.

    Args:
        reviews: The classifier.
        text: The document.

    Returns:
        A verdict for each word; of a long document for as many in equal distances as are read in seconds. The last one
        is that of the whole document.

    Raises:
        InputError: The document cannot be classified, or is too long.
    """
    ids, words = _read(reviews, text)
    count = len(ids) - 1
    # Only attention has to read every beginning anew: the others go on from where they were.
    readings = _readings(count, "attention" in networks(reviews))
    ends = np.unique(np.linspace(1, count, readings).round().astype(int))
    found = [tuple(row) for row in softmax(reviews.network.running(ids, ends.tolist())).tolist()]
    # Every row was read up to an end of sequence: after the last word it changes nothing more.
    return RunningVerdict(reviews.labels, (*(words[end - 1] for end in ends), words[-1]), (*found, found[-1]))


def contributions(
    reviews: Reviews,
    text: str,
    method: Method = "gradient",
    label: str | None = None,
    against: str | None = None,
) -> Contributions:
    """Give what each word adds to the logit of a label minus that of another.

    ``"gradient"`` multiplies each word's vector with the gradient of the difference by it; for networks that are linear
    in the vectors that is ``"linear"``, and the sum is the difference itself. ``"leave_out"`` reads the document
    without the word; of a long one it leaves out as many neighbours at once as are needed to be done in seconds, and
    each gets its share.

    Args:
        reviews: The classifier.
        text: The document.
        method: One of ``METHODS``; ``"linear"`` only where :func:`methods` names it.
        label: None takes the answer.
        against: None takes the most probable other label.

    Returns:
        One value a word, and one for the end of sequence.

    Raises:
        InputError: The document, the method or a label does not fit.
    """
    if method not in METHODS or (method == "linear" and not reviews.config.is_linear):
        allowed = ", ".join(name for name in METHODS if name != "linear" or reviews.config.is_linear)
        raise InputError("This classifier cannot be explained that way", allowed=allowed, received=method)
    ids, words = _read(reviews, text)
    logits = reviews.network.logits([ids])[0]
    one, other = _pair(reviews.labels, logits, label, against)
    difference = float(logits[one] - logits[other])
    if method == "leave_out":
        values, constant = _left_out(reviews, ids, one, other, difference)
        exact = False
    else:
        values, constant, exact = reviews.network.contributions(ids, one, other)
    return Contributions(
        reviews.labels[one],
        reviews.labels[other],
        method,
        words,
        tuple(np.asarray(values, np.float64).tolist()),
        float(constant),
        difference,
        bool(exact),
    )


def attention(reviews: Reviews, text: str) -> AttentionWeights:
    """Give the weight of each state in the answer of the network with attention.

    Raises:
        InputError: The preset has none, or the document cannot be classified.
    """
    at = _member(reviews, ("attention",), "weighs its states by attention")
    ids, words = _read(reviews, text)
    weights = reviews.network.members[at].attention(ids)
    return AttentionWeights(_places(reviews, at, words), tuple(weights.astype(np.float64).tolist()))


def states(reviews: Reviews, text: str) -> States:
    """Give the state of the first recurrent network after each word, the end of sequence included.

    Raises:
        InputError: The preset has none, or the document cannot be classified.
    """
    at = _member(reviews, RECURRENT, "is recurrent")
    ids, words = _read(reviews, text)
    values = reviews.network.members[at].states(ids).astype(np.float64)
    return States(_places(reviews, at, words), tuple(map(tuple, values.tolist())), networks(reviews)[at])


def label_embeddings(
    reviews: Reviews, topn: int = 12, member: int | None = None
) -> tuple[LabelEmbedding, ...]:
    """Give the rows of W in softmax(Wz), and for each the words whose own z points to it.

    Args:
        reviews: The classifier.
        topn: Words for each label.
        member: Number of the network, from 0; None takes the one with the largest weight.

    Returns:
        A row for each label. The score of a word is what it adds to the label's logit, minus the mean over all labels,
        where it is all that is read: the dot product of the row and what the word does to z.
    """
    at = main_member(reviews) if member is None else member
    rows = reviews.network.label_embeddings(at).astype(np.float64)
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
    """Score frequent words by what each adds to each label's logit of a network where it is all that is read.

    Args:
        reviews: The classifier.
        member: Number of the network, from 0.

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


def _read(reviews: Reviews, text: str) -> tuple[np.ndarray, tuple[ReadWord, ...]]:
    """Encode a document; its words with their spans, and the end of sequence after them."""
    ids = reviews.known(text).ids
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


def _places(reviews: Reviews, member: int, words: Sequence[ReadWord]) -> tuple[ReadWord, ...]:
    """Take the words that a network reads."""
    return tuple(words[at] for at in reviews.config.members[member].reading.places(len(words)).tolist())


def _member(reviews: Reviews, wanted: Sequence[str], does: str) -> int:
    found = networks(reviews)
    for at, name in enumerate(found):
        if name in wanted:
            return at
    raise InputError(
        f"No network of this classifier {does}", allowed=", ".join(wanted), received=", ".join(found)
    )


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


def _readings(count: int, slow: bool) -> int:
    """Say how often a document of this many words is read anew for one explanation."""
    most = max(_FEWEST_READ, min(MAX_READ, _READ_IDS // count)) if slow else MAX_READ
    return min(count, most)


def _left_out(
    reviews: Reviews, ids: np.ndarray, one: int, other: int, difference: float
) -> tuple[np.ndarray, float]:
    """Read the document without each word; the constant is what no word at all gives."""
    count = len(ids) - 1
    together = -(-count // _readings(count, any(name in RECURRENT for name in networks(reviews))))
    starts = range(0, count, together)
    documents = [np.delete(ids, slice(start, min(start + together, count))) for start in starts]
    logits = reviews.network.logits([*documents, ids[-1:]])
    without = (logits[:, one] - logits[:, other]).astype(np.float64)
    values = np.zeros(len(ids))
    for start, found in zip(starts, without[:-1], strict=True):
        stop = min(start + together, count)
        values[start:stop] = (difference - found) / (stop - start)
    return values, float(without[-1])

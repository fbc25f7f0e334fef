"""word2vec's training objective on one sentence: mask a word, sum its neighbours, search the vocabulary."""

from __future__ import annotations

import dataclasses

import numpy as np

from apps.shared.results import Result
from apps.vectors.application import Vectors
from data_prep.errors import InputError
from data_prep.text.embeddings import WordVectors
from data_prep.text.tokenizer import Token, WordTokenizer

MAX_LENGTH = 1000
MAX_WINDOW = 20
MAX_TOPN = 100
COMBINATIONS = ("mean", "sum")
_TOKENIZER = WordTokenizer(punctuation=False, lower=True)


@dataclasses.dataclass(frozen=True, slots=True)
class SentenceToken(Result):
    """One word of the sentence.

    Attributes:
        text: The word as it stands in the sentence.
        start: Where it begins, in code points; ``sentence[start:end] == text``.
        end: Where it ends.
        key: The key of its vector, or None if it has none.
        role: ``"masked"``, ``"context"`` (in the window), ``"unknown"`` (in the window, but without a vector)
            or ``"outside"``.
    """

    text: str
    start: int
    end: int
    key: str | None
    role: str


@dataclasses.dataclass(frozen=True, slots=True)
class Candidate(Result):
    """One word of the vocabulary as a key that the query is compared with.

    Attributes:
        word: The word.
        probability: Its share in the softmax over the whole vocabulary.
        dot: Dot product of query and key, ``norm * query_norm * cosine``.
        norm: Length of its vector.
        cosine: Cosine of the angle between query and key.
        step: What one SGD step adds to its vector, as a multiple of learning rate times query:
            1 - probability for the masked word, -probability for every other.
    """

    word: str
    probability: float
    dot: float
    norm: float
    cosine: float
    step: float

    @property
    def percent(self) -> float:
        """The probability in percent."""
        return 100 * self.probability


@dataclasses.dataclass(frozen=True, slots=True)
class MaskedPrediction(Result):
    """Prediction of a masked word from the words around it.

    Attributes:
        tokens: All words of the sentence, in order.
        masked: Position of the masked word among them.
        window: How many words on each side count.
        combination: ``"mean"`` or ``"sum"`` of the context's vectors.
        tied: Whether the keys are the rows of the same matrix that embeds the context (the lecture's model).
        query_norm: Length of the query z.
        candidates: The most probable words, best first.
        target: The masked word as a candidate, or None if it is not in the vocabulary.
        target_rank: Its rank in the vocabulary, from 1, or None.
        loss: Minus the logarithm of its probability, in nats, or None.
        uniform_loss: The loss of a guess without context: the logarithm of the vocabulary's size, in nats.
    """

    tokens: tuple[SentenceToken, ...]
    masked: int
    window: int
    combination: str
    tied: bool
    query_norm: float
    candidates: tuple[Candidate, ...]
    target: Candidate | None
    target_rank: int | None
    loss: float | None
    uniform_loss: float


def sentence_words(sentence: str) -> tuple[str, ...]:
    """Split a sentence of at most 1,000 characters into the words that word2vec sees: no punctuation.

    Raises:
        InputError: The sentence is empty, too long or has fewer than two words.
    """
    return tuple(token.text for token in _words(sentence))


def masked_prediction(
    vectors: Vectors,
    sentence: str,
    masked: int,
    *,
    window: int = 5,
    combination: str = "mean",
    topn: int = 12,
    unit_keys: bool = False,
    output: WordVectors | None = None,
) -> MaskedPrediction:
    """Predict one word of a sentence from its neighbours, as word2vec (CBOW) does while it trains.

    First layer: z is the mean (or sum) of the vectors of the known words at most ``window`` positions away.
    Second layer: softmax of z·v over the vectors v of the whole vocabulary (Mikolov et al. 2013,
    arXiv:1301.3781).

    Args:
        vectors: The word vectors; they embed the context.
        sentence: At most 1,000 characters.
        masked: Position of the masked word among the sentence's words, from 0.
        window: Words on each side, 1 to 20.
        combination: ``"mean"`` or ``"sum"``.
        topn: How many candidates, 1 to 100.
        unit_keys: Whether every key is brought to length 1, so that only its direction counts.
        output: Output vectors as keys, whose words are then the vocabulary; None: the input vectors (tied).

    Raises:
        InputError: The sentence does not fit, a number is out of range, or no word of the context has a vector.
    """
    tokens = _tokens(vectors, sentence, masked, window)
    _check_range("The number of candidates", topn, 1, MAX_TOPN)
    query = _query(vectors, tokens, masked, combination)
    keys = vectors.word_vectors if output is None else output
    table = keys.normalized if unit_keys else keys.vectors  # (vocabulary, dimensions)
    dots = table.astype(np.float64) @ query  # (vocabulary,)
    largest = float(dots.max())  # keeps exp from overflowing
    log_probabilities = dots - largest - np.log(np.exp(dots - largest).sum())
    target = tokens[masked].key
    row = keys.index(target) if target is not None and target in keys else None
    query_norm = float(np.linalg.norm(query))

    def candidate(at: int) -> Candidate:
        probability, length = float(np.exp(log_probabilities[at])), float(np.linalg.norm(table[at]))
        return _candidate(keys.keys[at], probability, float(dots[at]), length, query_norm, at == row)

    return MaskedPrediction(
        tokens=tokens,
        masked=masked,
        window=window,
        combination=combination,
        tied=output is None,
        query_norm=query_norm,
        candidates=tuple(map(candidate, np.argsort(-dots, kind="stable")[:topn].tolist())),
        target=None if row is None else candidate(row),
        target_rank=None if row is None else 1 + int((dots > dots[row]).sum()),
        loss=None if row is None else -float(log_probabilities[row]),
        uniform_loss=float(np.log(len(keys))),
    )


def _candidate(
    word: str, probability: float, dot: float, norm: float, query_norm: float, masked: bool
) -> Candidate:
    lengths = norm * query_norm
    cosine = dot / lengths if lengths > 0 else 0.0
    return Candidate(word, probability, dot, norm, cosine, step=float(masked) - probability)


def _tokens(vectors: Vectors, sentence: str, masked: int, window: int) -> tuple[SentenceToken, ...]:
    words = _words(sentence)
    _check_range("The position of the masked word", masked, 0, len(words) - 1)
    _check_range("The window", window, 1, MAX_WINDOW)
    keys = [vectors.key(word.text) for word in words]
    return tuple(
        SentenceToken(word.text, word.start, word.end, key, _role(position, masked, window, key))
        for position, (word, key) in enumerate(zip(words, keys, strict=True))
    )


def _query(vectors: Vectors, tokens: tuple[SentenceToken, ...], masked: int, combination: str) -> np.ndarray:
    """The first layer: mean or sum of the context's vectors, float64 of shape (dimensions,)."""
    if combination not in COMBINATIONS:
        raise InputError(
            "Unknown way to combine vectors", allowed=", ".join(COMBINATIONS), received=combination
        )
    table = vectors.word_vectors
    context = [table[token.key] for token in tokens if token.role == "context" and token.key is not None]
    if not context:
        raise InputError(
            "No word around the masked one has a vector",
            received=tokens[masked].text,
            remedy="Widen the window or choose another word",
        )
    return np.mean(context, axis=0, dtype=np.float64) * (len(context) if combination == "sum" else 1)


def _words(sentence: str) -> list[Token]:
    if not sentence.strip():
        raise InputError("The sentence is empty", allowed="a sentence of two words or more")
    if len(sentence) > MAX_LENGTH:
        raise InputError(f"The sentence has {len(sentence)} characters", allowed=f"at most {MAX_LENGTH}")
    words = _TOKENIZER.tokenize(sentence)
    if len(words) < 2:
        raise InputError("The sentence has too few words", allowed="two words or more", received=sentence)
    return words


def _role(position: int, masked: int, window: int, key: str | None) -> str:
    if position == masked:
        return "masked"
    if abs(position - masked) > window:
        return "outside"
    return "unknown" if key is None else "context"


def _check_range(name: str, value: int, lowest: int, highest: int) -> None:
    if isinstance(value, bool) or not isinstance(value, int) or not lowest <= value <= highest:
        raise InputError(f"{name} is out of range", allowed=f"{lowest} to {highest}", received=value)

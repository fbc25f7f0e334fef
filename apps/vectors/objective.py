"""word2vec's training objective on one sentence: mask a word, sum its neighbours, search the vocabulary."""

from __future__ import annotations

import dataclasses
from typing import Literal

import numpy as np

from apps.shared.results import Result
from apps.vectors.application import Vectors
from data_prep.errors import InputError
from data_prep.text.embeddings import WordVectors
from data_prep.text.tokenizer import WordTokenizer

MAX_LENGTH = 1000
_SHOWN = 12  # candidates
_TOKENIZER = WordTokenizer(punctuation=False, lower=True)


@dataclasses.dataclass(frozen=True, slots=True)
class SentenceToken(Result):
    """One word of the sentence.

    Attributes:
        text: The word as it stands in the sentence.
        key: The key of its vector, or None if it has none.
        role: ``"masked"``, ``"context"`` (in the window), ``"unknown"`` (in the window, but without a vector)
            or ``"outside"``.
    """

    text: str
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


@dataclasses.dataclass(frozen=True, slots=True)
class MaskedPrediction(Result):
    """Prediction of a masked word from the words around it.

    Attributes:
        tokens: All words of the sentence, in order.
        tied: Whether the keys are the rows of the same matrix that embeds the context (the lecture's model).
        query_norm: Length of the query z.
        candidates: The twelve most probable words, best first.
        target: The masked word as a candidate, or None if it is not in the vocabulary.
        target_rank: Its rank in the vocabulary, from 1, or None.
        loss: Minus the logarithm of its probability, in nats, or None.
        uniform_loss: The loss of a guess without context: the logarithm of the vocabulary's size, in nats.
    """

    tokens: tuple[SentenceToken, ...]
    tied: bool
    query_norm: float
    candidates: tuple[Candidate, ...]
    target: Candidate | None
    target_rank: int | None
    loss: float | None
    uniform_loss: float

    @property
    def shown(self) -> list[Candidate]:
        """The candidates and, if it is not one of them, the masked word."""
        missing = self.target is not None and self.target not in self.candidates
        return [*self.candidates, self.target] if missing else list(self.candidates)


def sentence_words(sentence: str) -> list[str]:
    """Split a sentence of at most 1,000 characters into the words that word2vec sees: no punctuation.

    Raises:
        InputError: The sentence is empty, too long or has fewer than two words.
    """
    if not sentence.strip():
        raise InputError("The sentence is empty", allowed="a sentence of two words or more")
    if len(sentence) > MAX_LENGTH:
        raise InputError(f"The sentence has {len(sentence)} characters", allowed=f"at most {MAX_LENGTH}")
    words = [token.text for token in _TOKENIZER.tokenize(sentence)]
    if len(words) < 2:
        raise InputError("The sentence has too few words", allowed="two words or more", received=sentence)
    return words


def masked_prediction(
    vectors: Vectors,
    sentence: str,
    masked: int,
    *,
    window: int = 5,
    combination: Literal["mean", "sum"] = "mean",
    unit_keys: bool = False,
    output: WordVectors | None = None,
) -> MaskedPrediction:
    """Predict one word of a sentence from its neighbours, as word2vec (CBOW) does while it trains.

    First layer: z is the mean (or sum) of the vectors of the known words at most ``window`` positions away.
    Second layer: softmax of z·v over the vectors v of the whole vocabulary (Mikolov et al. 2013).

    Args:
        vectors: The word vectors; they embed the context.
        sentence: At most 1,000 characters.
        masked: Position of the masked word among the sentence's words, from 0.
        window: Words on each side.
        combination: ``"mean"`` or ``"sum"``.
        unit_keys: Whether every key is brought to length 1, so that only its direction counts.
        output: Output vectors as keys, whose words are then the vocabulary; None: the input vectors (tied).

    Raises:
        InputError: The sentence, the position or the combination does not fit, or no word of the context has a vector.
    """
    tokens = _tokens(vectors, _checked_words(sentence, masked, combination), masked, window)
    context = [vectors.word_vectors[token.key] for token in tokens if token.role == "context"]
    if not context:
        raise InputError(
            "No word around the masked one has a vector",
            received=tokens[masked].text,
            remedy="Widen the window or choose another word",
        )
    query = np.mean(context, axis=0, dtype=np.float64) * (len(context) if combination == "sum" else 1)
    keys = vectors.word_vectors if output is None else output
    table = keys.normalized if unit_keys else keys.vectors  # (vocabulary, dimensions)
    dots = table.astype(np.float64) @ query  # (vocabulary,)
    shifted = dots - dots.max()  # keeps exp from overflowing
    losses = np.log(np.exp(shifted).sum()) - shifted
    target = tokens[masked].key
    row = keys.index(target) if target is not None and target in keys else None
    query_norm = float(np.linalg.norm(query))

    def candidate(at: int) -> Candidate:
        probability, norm, dot = float(np.exp(-losses[at])), float(np.linalg.norm(table[at])), float(dots[at])
        cosine = dot / (norm * query_norm) if norm * query_norm > 0 else 0.0
        return Candidate(keys.keys[at], probability, dot, norm, cosine, step=float(at == row) - probability)

    return MaskedPrediction(
        tokens=tokens,
        tied=output is None,
        query_norm=query_norm,
        candidates=tuple(map(candidate, np.argsort(-dots, kind="stable")[:_SHOWN].tolist())),
        target=None if row is None else candidate(row),
        target_rank=None if row is None else 1 + int((dots > dots[row]).sum()),
        loss=None if row is None else float(losses[row]),
        uniform_loss=float(np.log(len(keys))),
    )


def _checked_words(sentence: str, masked: int, combination: str) -> list[str]:
    words = sentence_words(sentence)
    if masked not in range(len(words)):
        raise InputError(
            "The sentence has no word at this position", allowed=f"0 to {len(words) - 1}", received=masked
        )
    if combination not in ("mean", "sum"):
        raise InputError("Unknown combination of vectors", allowed="mean, sum", received=combination)
    return words


def _tokens(vectors: Vectors, words: list[str], masked: int, window: int) -> tuple[SentenceToken, ...]:
    tokens = []
    for position, word in enumerate(words):
        key, role = vectors.key(word), "context"
        if position == masked:
            role = "masked"
        elif abs(position - masked) > window:
            role = "outside"
        elif key is None:
            role = "unknown"
        tokens.append(SentenceToken(word, key, role))
    return tuple(tokens)

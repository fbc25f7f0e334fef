"""A trained language model for use: what comes next, and how surprising a text is. NumPy only once it is open."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

import numpy as np

from data_prep.errors import InputError
from data_prep.text.streams import Tokens, tokens_of
from data_prep.text.vocab import UNK, Vocabulary
from models.char_lm.config import CharLMConfig
from models.char_lm.serving import Arrays, NumpyCharLM

KIND = "char_lm"
ALTERNATIVES = 5

Unknown = Literal["refuse", "map"]


@dataclass(frozen=True)
class Scores:
    """How a language model reads a text; the first token counts too.

    Args:
        ids: The tokens, int32 (time,).
        nats: Surprise of each, -log of its probability, float64 (time,).
        alternatives: The five most probable tokens at each place, int32 (time, 5); fewer if there are fewer.
        probabilities: Theirs, float32, of the same shape.
        characters: Length of the text in characters.
    """

    ids: np.ndarray
    nats: np.ndarray
    alternatives: np.ndarray
    probabilities: np.ndarray
    characters: int

    @property
    def n(self) -> int:
        """Number of tokens."""
        return len(self.ids)

    @property
    def nats_per_character(self) -> float:
        """Surprise of the whole text by its number of characters."""
        return float(self.nats.sum() / self.characters)

    @property
    def standard_error(self) -> float | None:
        """Standard error of the mean surprise of a token, as if tokens were independent; None for a single one."""
        return None if self.n < 2 else float(self.nats.std(ddof=1) / np.sqrt(self.n))


class LanguageModel(NumpyCharLM):
    """A language model ready for use; nothing in it changes, so threads can share it.

    Args:
        config: Of the network.
        vocabulary: Its tokens.
        arrays: Stable path to weight, as ``models.storage.variables.variable_arrays`` names them.
    """

    def __init__(self, config: CharLMConfig, vocabulary: Vocabulary, arrays: Arrays) -> None:
        super().__init__(config, arrays)
        self.tokens: Tokens = tokens_of(config.tokenizer, vocabulary, lower=config.lower)
        self.vocabulary = vocabulary

    def encode(self, text: str, *, unknown: Unknown = "refuse") -> np.ndarray:
        """Turn a text into ids.

        Args:
            text: Any, also empty.
            unknown: ``"refuse"`` raises an error that names what is unknown; ``"map"`` reads it as UNK.

        Returns:
            Ids, int32 (tokens,).

        Raises:
            InputError: If something of the text is not in the vocabulary, and ``unknown`` is ``"refuse"``.
        """
        if unknown not in ("refuse", "map"):
            raise InputError("What to do with unknown tokens", allowed="refuse, map", received=unknown)
        if not isinstance(text, str):
            raise InputError("A text is needed", allowed="a string", received=type(text).__name__)
        ids = self.tokens.encode(text)
        if unknown == "refuse" and (ids == UNK).any():
            raise self._unknown(text, np.flatnonzero(ids == UNK))
        return ids

    def decode(self, ids: np.ndarray) -> str:
        """Turn ids into text: characters are put together, words and word pieces with single spaces."""
        strings = self.vocabulary.decode(ids)
        if self.config.tokenizer == "char":
            return "".join(strings)
        return (
            self.tokens.tokenizer.decode(strings) if self.config.tokenizer == "piece" else " ".join(strings)
        )

    def score(self, text: str, *, unknown: Unknown = "refuse") -> Scores:
        """Say how surprising every token of a text is.

        Args:
            text: At least one token; it is read as one that begins a line.
            unknown: As for :meth:`encode`.

        Returns:
            The scores; memory beside them does not grow with the text.

        Raises:
            InputError: If the text has no token, or an unknown one that is not mapped.
        """
        ids = self.encode(text, unknown=unknown)
        if len(ids) == 0:
            raise InputError(
                "There is nothing to score", allowed="a text with at least one token", received=text
            )
        read = np.concatenate([[self.config.start], ids[:-1]]).astype(np.int32)
        nats, alternatives, probabilities = [], [], []
        done = 0
        for logits, _ in self.read(read):
            right = ids[done : done + len(logits)]
            shares = logits - logits.max(axis=1, keepdims=True)
            total = np.log(np.exp(shares, dtype=np.float64).sum(axis=1))
            nats.append(total - shares[np.arange(len(right)), right])
            best = _largest(shares, min(ALTERNATIVES, shares.shape[1]))
            alternatives.append(best)
            probabilities.append(np.exp(np.take_along_axis(shares, best, axis=1) - total[:, None]))
            done += len(right)
        return Scores(
            ids,
            np.concatenate(nats),
            np.concatenate(alternatives).astype(np.int32),
            np.concatenate(probabilities).astype(np.float32),
            len(text),
        )

    def _unknown(self, text: str, places: np.ndarray) -> InputError:
        found = self.tokens.tokenizer.tokenize(text)
        named = ", ".join(f"{found[at].text!r} at {found[at].start}" for at in places[:5].tolist())
        more = f" and {len(places) - 5:,} more" if len(places) > 5 else ""
        what = "character" if self.config.tokenizer == "char" else "word"
        return InputError(
            f"The text has a {what} that the model never saw: {named}{more} (positions from 0)",
            allowed=self._known(),
            remedy=f"Leave it out, or read unknown {what}s as such (unknown='map', --unknown map)",
        )

    def _known(self) -> str:
        if self.config.tokenizer != "char":
            return f"the {len(self.vocabulary.entries):,} entries of its vocabulary"
        characters = "".join(sorted(self.vocabulary.entries))
        return f"the {len(characters)} characters {characters[:100]!r}"


def written_by_steps(
    language_model: LanguageModel, length: int, *, temperature: float = 1.0, seed: int = 0
) -> str:
    """Write a short text in plain NumPy, one call a token: nothing has to be compiled for it."""
    rng = np.random.default_rng(seed)
    ids: list[int] = []
    logits, state = language_model.last_logits(np.array([language_model.config.start]))
    for _ in range(length):
        noisy = logits / temperature + rng.gumbel(size=len(logits))
        noisy[: UNK + 1] = -np.inf
        ids.append(int(noisy.argmax()))
        logits, state = language_model.last_logits(np.array(ids[-1:]), state)
    return language_model.decode(np.array(ids))


def _largest(values: np.ndarray, count: int) -> np.ndarray:
    """Return the columns of the largest values of each row, largest first, int (rows, count)."""
    if count == values.shape[1]:
        return np.argsort(-values, axis=1, kind="stable")
    found = np.argpartition(-values, count - 1, axis=1)[:, :count]
    order = np.argsort(-np.take_along_axis(values, found, axis=1), axis=1, kind="stable")
    return np.take_along_axis(found, order, axis=1)

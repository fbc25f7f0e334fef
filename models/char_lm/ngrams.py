"""Character n-grams with interpolated Kneser-Ney smoothing: what counting alone knows of the next character.

Kneser and Ney 1995; modified discounts by Chen and Goodman 1999, "An empirical study of smoothing techniques for
language modeling". The longest n-grams count how often they occur, shorter ones how many different characters stand
before them. Order 0 is the uniform distribution.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import NamedTuple

import numpy as np

from data_prep.errors import InputError

# Where a text is too short to estimate discounts for counts of 1, 2, and 3 or more (as KenLM has them).
_FALLBACK = (0.5, 1.0, 1.5)


class Level(NamedTuple):
    """N-grams of one length; an n-gram is a number whose digits, in the base of the alphabet, are its characters.

    ``grams`` int64 (grams,), rising, and ``parts`` float64 (grams,): discounted count by the count of the context.
    ``contexts`` int64 (contexts,), rising, and ``weights`` float64 (contexts,): what is left for shorter n-grams.
    """

    grams: np.ndarray
    parts: np.ndarray
    contexts: np.ndarray
    weights: np.ndarray


@dataclass(frozen=True, eq=False)
class NGramModel:
    """A fitted model, as ``fit_ngrams`` makes it, of n-grams of length 1, 2 and so on; threads can share it."""

    alphabet: str
    levels: tuple[Level, ...]

    @property
    def order(self) -> int:
        """Length of the longest n-grams; 0 for the uniform distribution."""
        return len(self.levels)

    @property
    def parameters(self) -> int:
        """Numbers that the model keeps: one for each n-gram and one for each context."""
        return sum(len(level.parts) + len(level.weights) for level in self.levels)

    def score(self, text: str, context: str = "") -> np.ndarray:
        """Measure the surprise of each character of a text behind a context.

        Returns:
            Minus the logarithm of each character's probability given those before it, nats, float64 (characters,).

        Raises:
            InputError: If a character is not in the alphabet; it is named with its position.
        """
        before = _codes(self._history(context), self.alphabet)
        codes = np.concatenate([before, _codes(text, self.alphabet)])
        chances = np.full(len(codes), 1.0 / len(self.alphabet))
        keys = np.zeros(len(codes) + 1, np.int64)  # of the n-gram that begins at each place
        for length, level in enumerate(self.levels, start=1):
            keys = keys[:-1] * len(self.alphabet) + codes[length - 1 :]
            chances[length - 1 :] = self._mixed(level, keys, chances[length - 1 :])
        return -np.log(chances[len(before) :])

    def probabilities(self, context: str = "") -> np.ndarray:
        """Return the probability of each character of the alphabet after a context, float64 (alphabet,), sum 1."""
        size = len(self.alphabet)
        history = _codes(self._history(context), self.alphabet)
        chances = np.full(size, 1.0 / size)
        key, power = 0, 1
        for length, level in enumerate(self.levels[: len(history) + 1], start=1):
            if length > 1:
                key += int(history[1 - length]) * power
                power *= size
            chances = self._mixed(level, key * size + np.arange(size), chances)
        return chances

    def sample(self, length: int, *, prompt: str = "", seed: int = 0) -> str:
        """Draw so many characters behind a prompt; refuse one that has others than the alphabet."""
        rng = np.random.default_rng(seed)
        text = prompt
        for chance in rng.random(length):
            reached = np.cumsum(self.probabilities(text))
            # The sum may end a rounding error below 1.
            text += self.alphabet[min(int(np.searchsorted(reached, chance, "right")), len(reached) - 1)]
        return text[len(prompt) :]

    def _history(self, context: str) -> str:
        """Return the part of a context that counts."""
        return context[-(self.order - 1) :] if self.order > 1 else ""

    def _mixed(self, level: Level, keys: np.ndarray, shorter: np.ndarray) -> np.ndarray:
        """Return probabilities by the n-grams ``keys``, given those by n-grams that are one shorter."""
        contexts = keys // len(self.alphabet)
        weights, found = _looked_up(level.contexts, level.weights, contexts)
        parts, _ = _looked_up(level.grams, level.parts, keys)
        return np.where(found, parts + weights * shorter, shorter)


def fit_ngrams(text: str, order: int, *, alphabet: str | None = None) -> NGramModel:
    """Count the n-grams of a text.

    Args:
        text: At least ``order`` characters.
        order: Length of the longest n-grams; 0 gives the uniform distribution, 1 unigrams, 2 bigrams.
        alphabet: The characters that can occur; None takes those of the text.

    Raises:
        InputError: If the text is too short, has characters outside the alphabet, or ``order`` is negative or too
            large for so many characters.
    """
    known = "".join(sorted(set(text) if alphabet is None else set(alphabet)))
    if not known:
        raise InputError("An alphabet has no character", allowed="1 character or more")
    most = int(62 // np.log2(len(known) + 1))  # an n-gram is a 63-bit number
    if not 0 <= order <= most:
        raise InputError("The order of the n-grams does not fit", allowed=f"0 to {most}", received=order)
    if len(text) < order:
        raise InputError(
            f"The text is too short for n-grams of {order} characters",
            allowed=f"{order} characters or more",
            received=len(text),
        )
    codes = _codes(text, known)
    levels = []
    for length in range(1, order + 1):
        if length == order:
            keys = _windows(codes, length, len(known))
        else:  # one occurrence for each different character before it: for each longer n-gram
            keys = np.unique(_windows(codes, length + 1, len(known))) % len(known) ** length
        grams, counts = np.unique(keys, return_counts=True)
        levels.append(_level(grams, counts, len(known)))
    return NGramModel(known, tuple(levels))


def discounts_of(counts: np.ndarray) -> tuple[float, float, float]:
    """Estimate what is taken off counts of 1, 2, and 3 or more of all n-grams of one length, int (grams,)."""
    one, two, three, four = (int(np.count_nonzero(counts == number)) for number in (1, 2, 3, 4))
    if not (one and two and three and four):
        return _FALLBACK
    share = one / (one + 2 * two)
    found = (1 - 2 * share * two / one, 2 - 3 * share * three / two, 3 - 4 * share * four / three)
    fits = all(0 <= discount <= count for count, discount in enumerate(found, start=1))
    return found if fits else _FALLBACK


def _level(grams: np.ndarray, counts: np.ndarray, size: int) -> Level:
    discounts = np.array((0.0, *discounts_of(counts)))[np.minimum(counts, 3)]
    contexts, first = np.unique(grams // size, return_index=True)
    totals = np.add.reduceat(counts, first).astype(np.float64)
    repeats = np.diff(np.append(first, len(grams)))
    parts = (counts - discounts) / np.repeat(totals, repeats)
    return Level(grams, parts, contexts, np.add.reduceat(discounts, first) / totals)


def _windows(codes: np.ndarray, length: int, size: int) -> np.ndarray:
    """Return the number of the n-gram at each place, int64 (places,)."""
    keys = np.zeros(len(codes) - length + 1, np.int64)
    for at in range(length):
        keys = keys * size + codes[at : at + len(keys)]
    return keys


def _looked_up(keys: np.ndarray, values: np.ndarray, sought: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Return the value of each sought key, 0 where there is none, and where there is one."""
    places = np.minimum(np.searchsorted(keys, sought), len(keys) - 1)
    found = keys[places] == sought
    return np.where(found, values[places], 0.0), found


def _codes(text: str, alphabet: str) -> np.ndarray:
    """Return the place of each character in the alphabet, int64 (characters,)."""
    letters = np.array([ord(letter) for letter in alphabet])
    points = np.frombuffer(text.encode("utf-32-le", "surrogatepass"), np.uint32).astype(np.int64)
    places = np.minimum(np.searchsorted(letters, points), len(letters) - 1)
    unknown = np.flatnonzero(letters[places] != points)
    if len(unknown):
        at = int(unknown[0])
        raise InputError(
            f"The character at position {at} is not in the alphabet of the model",
            allowed=f"the {len(alphabet)} characters of its training text",
            received=text[at],
        )
    return places

"""Connectionist temporal classification in NumPy: reading frames, aligning a word with them, and its probability.

Graves, Fernández, Gomez and Schmidhuber 2006, "Connectionist temporal classification: labelling unsegmented sequence
data with recurrent neural networks". Each frame has a class: a letter or the blank. A path of classes says a word when
equal neighbours are merged and blanks are left out; the probability of a word is the sum over all its paths. The loss
for training is ``keras.ops.ctc_loss`` (``models.ocr.network``). All arguments are logarithms of probabilities,
float (frames, letters + 1), the blank last.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from itertools import groupby

import numpy as np

from data_prep.errors import InputError
from data_prep.readers.letters import LETTERS, decode_word
from models.ocr.letter_search import Hypothesis, Scorer, ranked

Word = tuple[int, ...]
Beams = dict[Word, tuple[float, float]]
_UNLIKELY = 12.0  # classes below the best one of a frame by more are not followed
_NEVER = -math.inf


def collapse(path: Sequence[int], blank: int) -> list[int]:
    """Merge equal neighbours of a path of classes, then leave the blanks out."""
    return [int(label) for label, _ in groupby(path) if label != blank]


def greedy(log_probabilities: np.ndarray) -> list[int]:
    """Read the word of the most probable path, which need not be the most probable word."""
    return collapse(log_probabilities.argmax(axis=1).tolist(), log_probabilities.shape[1] - 1)


def log_likelihood(log_probabilities: np.ndarray, labels: Sequence[int]) -> float:
    """Sum the probabilities of all paths that say a word.

    Args:
        log_probabilities: Float (frames, letters + 1), the blank last.
        labels: The word; it may be empty.

    Returns:
        Logarithm of the sum; minus infinity where there are too few frames.
    """
    with np.errstate(divide="ignore"):
        score, _ = _through(log_probabilities, labels, np.logaddexp)
    return score


def best_path(log_probabilities: np.ndarray, labels: Sequence[int]) -> np.ndarray:
    """Align a word with the frames: its most probable path.

    Args:
        log_probabilities: Float (frames, letters + 1), the blank last.
        labels: The word.

    Returns:
        Class of each frame, int64 (frames,).

    Raises:
        InputError: There are too few frames for the word.
    """
    score, cells = _through(log_probabilities, labels, np.maximum)
    if score == _NEVER:
        raise InputError(
            "The image is too short for this word",
            allowed=f"{len(labels)} letters in {len(log_probabilities)} frames or fewer",
            received=decode_word(labels),
        )
    states, jumps = _states(labels, log_probabilities.shape[1] - 1)
    last = len(states) - 1
    at = last if last == 0 or cells[-1, last] >= cells[-1, last - 1] else last - 1
    path = np.empty(len(cells), np.int64)
    for frame in range(len(cells) - 1, -1, -1):
        path[frame] = states[at]
        if frame:
            before = [at, *([at - 1] if at >= 1 else []), *([at - 2] if at >= 2 and jumps[at] else [])]
            at = max(before, key=lambda state: cells[frame - 1, state])
    return path


def prefix_beam_search(
    log_probabilities: np.ndarray,
    *,
    scorer: Scorer | None = None,
    weight: float = 1.0,
    bonus: float = 0.0,
    width: int = 16,
    alphabet: str = LETTERS,
) -> tuple[Hypothesis, ...]:
    """Find the most probable words, each the sum over its paths, as far as the beam follows them.

    After Hannun, Maas, Jurafsky and Ng 2014, "First-pass large vocabulary continuous speech recognition using
    bi-directional recurrent DNNs", with a language model of letters instead of words.

    Args:
        log_probabilities: Float (frames, letters + 1), the blank last.
        scorer: The language model; None for none.
        weight: Its logarithms are multiplied by it.
        bonus: Added for each letter.
        width: Beginnings of words that are kept after each frame.
        alphabet: The letters.

    Returns:
        At most ``width`` words, best first; the first may be empty.
    """
    # Beginning of a word to the logarithms of its paths that end in a blank and that end in its last letter.
    beams: Beams = {(): (0.0, _NEVER)}
    language: dict[Word, float] = {(): 0.0}

    def next_letter(word: Word, label: int) -> float:
        history = decode_word(word, alphabet)
        return 0.0 if scorer is None else weight * float(scorer.log_probabilities(history)[label])

    def language_score(word: Word) -> float:
        if word not in language:
            language[word] = language_score(word[:-1]) + (bonus + next_letter(word[:-1], word[-1]))
        return language[word]

    for frame in log_probabilities:
        following = _followed(beams, frame)
        kept = sorted(following, key=lambda word: -(_add(*following[word]) + language_score(word)))[:width]
        beams = {word: following[word] for word in kept}
    totals = [_add(*scores) + language_score(word) + next_letter(word, -1) for word, scores in beams.items()]
    return ranked([decode_word(word, alphabet) for word in beams], np.array(totals))


def _followed(beams: Beams, frame: np.ndarray) -> Beams:
    """Continue every beginning by every class of a frame float (letters + 1,) that is likely enough."""
    values, blank_class = frame.tolist(), len(frame) - 1
    likely = np.flatnonzero(frame >= frame.max() - _UNLIKELY).tolist()
    following: dict[Word, list[float]] = {}
    for word, (blank, letter) in beams.items():
        either = _add(blank, letter)
        same = following.setdefault(word, [_NEVER, _NEVER])
        same[0] = _add(same[0], either + values[blank_class])
        if word:
            same[1] = _add(same[1], letter + values[word[-1]])
        for label in likely:
            if label != blank_class:
                longer = following.setdefault((*word, label), [_NEVER, _NEVER])
                # The same letter again needs a blank between.
                before = blank if word and label == word[-1] else either
                longer[1] = _add(longer[1], before + values[label])
    return {word: (one, other) for word, (one, other) in following.items() if max(one, other) > _NEVER}


def _states(labels: Sequence[int], blank: int) -> tuple[np.ndarray, np.ndarray]:
    """Return the classes of a word with blanks around its letters, and which ones a path may jump to over a blank."""
    states = np.full(2 * len(labels) + 1, blank, np.int64)
    states[1::2] = labels
    jumps = np.zeros(len(states), bool)
    jumps[2:] = (states[2:] != blank) & (states[2:] != states[:-2])
    return states, jumps


def _through(
    log_probabilities: np.ndarray, labels: Sequence[int], join: np.ufunc
) -> tuple[float, np.ndarray]:
    """Join the scores of all ways through the frames: their sum or the best; also at each frame and state."""
    states, jumps = _states(labels, log_probabilities.shape[1] - 1)
    emitted = np.asarray(log_probabilities, np.float64)[:, states]
    cells = np.full(emitted.shape, _NEVER)
    cells[0, :2] = emitted[0, :2]
    for frame in range(1, len(cells)):
        before = cells[frame - 1]
        found = before.copy()
        found[1:] = join(found[1:], before[:-1])
        found[2:] = np.where(jumps[2:], join(found[2:], before[:-2]), found[2:])
        cells[frame] = found + emitted[frame]
    return float(join.reduce(cells[-1, -2:])), cells


def _add(first: float, second: float) -> float:
    """Return log(exp(first) + exp(second))."""
    if first < second:
        first, second = second, first
    return first if second == _NEVER else first + math.log1p(math.exp(second - first))

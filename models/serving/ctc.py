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


def log_likelihoods(log_probabilities: np.ndarray, words: np.ndarray) -> np.ndarray:
    """Sum the probabilities of all paths that say a word, for words int (words, letters) of one length at once.

    Returns:
        Logarithms of the sums, float64 (words,); minus infinity where there are too few frames.
    """
    states, jumps = _states(words, log_probabilities.shape[1] - 1)
    best = log_probabilities.max(axis=1).astype(np.float64)
    frames = np.exp(log_probabilities - best[:, None])
    scale = best.sum()
    cells = np.zeros(states.shape)
    cells[:, :2] = frames[0][states[:, :2]]
    for frame in frames[1:]:
        following = cells.copy()
        following[:, 1:] += cells[:, :-1]
        following[:, 2:] += jumps[:, 2:] * cells[:, :-2]
        following *= frame[states]
        top = max(float(following.max()), 1e-300)  # one scale for all words keeps them comparable
        cells = following / top
        scale += np.log(top)
    with np.errstate(divide="ignore"):
        return np.log(cells[:, -2:].sum(axis=1)) + scale


def exchanged(labels: Sequence[int], count: int) -> np.ndarray:
    """Return a word with each letter exchanged for each of ``count``, int64 (letters, count, letters)."""
    word = np.asarray(labels, np.int64)
    found = np.tile(word, (len(word), count, 1))
    places = np.arange(len(word))
    found[places, :, places] = np.arange(count)
    return found


def letter_posteriors(
    log_probabilities: np.ndarray, labels: Sequence[int], language: np.ndarray | None = None
) -> np.ndarray:
    """Give the probability of each letter at each place of a word, the other letters given.

    Args:
        log_probabilities: Of the frames.
        labels: The word that was read.
        language: Logarithm of what a language model says of each word of :func:`exchanged`, float (letters, classes),
            with its weight; None for none.

    Returns:
        Float64 (places, letters); rows sum to 1. Where the frames are too few for any of the words, rows are equal.
    """
    places, count = len(labels), log_probabilities.shape[1] - 1
    if not places:
        return np.zeros((0, count))
    words = exchanged(labels, count).reshape(places * count, places)
    scores = log_likelihoods(log_probabilities, words).reshape(places, count)
    if language is not None:
        scores = scores + language
    best = scores.max(axis=1, keepdims=True)
    shares = np.exp(scores - best) if np.isfinite(best).all() else np.ones(scores.shape)
    return shares / shares.sum(axis=1, keepdims=True)


def spans(path: Sequence[int], blank: int) -> list[tuple[int, int, int]]:
    """Return the letters of a path of classes with their first frame and the frame after the last."""
    found, at = [], 0
    for label, frames in groupby(map(int, path)):
        start, at = at, at + len(list(frames))
        if label != blank:
            found.append((label, start, at))
    return found


def best_path(log_probabilities: np.ndarray, labels: Sequence[int]) -> np.ndarray:
    """Align a word with the frames: its most probable path.

    Returns:
        Class of each frame, int64 (frames,).

    Raises:
        InputError: There are too few frames for the word.
    """
    states, jumps = _states(np.asarray(labels, np.int64), log_probabilities.shape[1] - 1)
    emitted = np.asarray(log_probabilities, np.float64)[:, states]
    cells = np.full(emitted.shape, _NEVER)  # score of the best way to each frame and state
    cells[0, :2] = emitted[0, :2]
    for before, after, own in zip(cells[:-1], cells[1:], emitted[1:], strict=True):
        after[:] = before
        after[1:] = np.maximum(after[1:], before[:-1])
        after[2:] = np.where(jumps[2:], np.maximum(after[2:], before[:-2]), after[2:])
        after += own
    ends = cells[-1, -2:][::-1]
    if ends.max() == _NEVER:
        raise InputError(
            "The image is too short for this word",
            allowed=f"{len(labels)} letters in {len(log_probabilities)} frames or fewer",
            received=decode_word(labels),
        )
    path, at = np.empty(len(cells), np.int64), len(states) - 1 - int(ends.argmax())
    for frame in range(len(cells) - 1, 0, -1):
        path[frame] = states[at]
        reach = min(at, 2 if jumps[at] else 1)
        at = max(range(at, at - reach - 1, -1), key=cells[frame - 1].__getitem__)
    path[0] = states[at]
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
        log_probabilities: Of the frames.
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


def _states(words: np.ndarray, blank: int) -> tuple[np.ndarray, np.ndarray]:
    """Return the classes of words int (..., letters) with blanks around them, and where a path may jump over one."""
    states = np.full((*words.shape[:-1], 2 * words.shape[-1] + 1), blank, np.int64)
    states[..., 1::2] = words
    jumps = np.zeros(states.shape, bool)
    jumps[..., 2:] = (states[..., 2:] != blank) & (states[..., 2:] != states[..., :-2])
    return states, jumps


def _add(first: float, second: float) -> float:
    """Return log(exp(first) + exp(second))."""
    if first < second:
        first, second = second, first
    return first if second == _NEVER else first + math.log1p(math.exp(second - first))

"""Connectionist temporal classification in NumPy: reading frames, aligning a word with them, and its probability.

Graves, Fernández, Gomez and Schmidhuber 2006, "Connectionist temporal classification: labelling unsegmented sequence
data with recurrent neural networks". Each frame has a class: a letter or the blank. A path of classes says a word when
equal neighbours are merged and blanks are left out; the probability of a word is the sum over all its paths. The loss
for training is ``keras.ops.ctc_loss`` (``models.ocr.network``). All arguments are logarithms of probabilities,
float (frames, letters + 1), the blank last.
"""

from __future__ import annotations

import functools
from collections.abc import Callable, Sequence
from itertools import groupby
from typing import Any

import numpy as np

from data_prep.errors import InputError
from data_prep.readers.letters import LETTERS, decode_word
from models.ocr.letter_lm import LetterLM
from models.ocr.letter_search import Hypothesis, ranked

_UNLIKELY = 12.0  # classes below the best one of a frame by more are not followed
_NEVER = -np.inf


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


def letter_likelihoods(log_probabilities: np.ndarray, labels: Sequence[int]) -> np.ndarray:
    """Give the logarithm of the likelihood of a word with each letter exchanged for each, float64 (places, letters)."""
    count = log_probabilities.shape[1] - 1
    if not len(labels):
        return np.zeros((0, count))
    words = exchanged(labels, count).reshape(-1, len(labels))
    return log_likelihoods(log_probabilities, words).reshape(len(labels), count)


def letter_posteriors(scores: np.ndarray) -> np.ndarray:
    """Give the probability of each letter at each place of a word, the other letters given.

    Args:
        scores: Of :func:`letter_likelihoods`, to which can be added what a language model says of each word of
            :func:`exchanged`.

    Returns:
        Float64 (places, letters); rows sum to 1. Where the frames are too few for any of the words, rows are equal.
    """
    if not scores.size:
        return scores
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
    scorer: LetterLM | None = None,
    weight: float = 1.0,
    bonus: float = 0.0,
    width: int = 16,
    alphabet: str = LETTERS,
    temperature: float = 1.0,
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
        temperature: As for :func:`models.ocr.letter_search.ranked`.

    Returns:
        At most ``width`` words, best first; the first may be empty.
    """
    count = log_probabilities.shape[1]
    table = (np.zeros((1, count), np.float32), np.zeros((1, count), np.int32), 0)  # which says nothing
    if scorer is not None:
        table = (scorer.logs, scorer.after, scorer.first)
    search = compiled_search() if compiled_search.cache_info().currsize else _beam_of
    beam, scores, states, shorter, last = search(log_probabilities, *table, weight, bonus, width)
    texts = []
    for node in beam.tolist():
        texts.append("")
        while node:
            texts[-1], node = alphabet[last[node]] + texts[-1], shorter[node]
    return ranked(texts, scores + weight * table[0][states[beam], -1], temperature)


def _beam_of(
    frames: np.ndarray,
    logs: np.ndarray,
    after: np.ndarray,
    first: int,
    weight: float,
    bonus: float,
    width: int,
) -> tuple[np.ndarray, ...]:
    """Follow the beam through frames float64; ``logs``, ``after`` and ``first`` are those of a ``LetterLM``.

    Returns the words of the beam by number, int64, and their scores, float64; of all words the state behind them, the
    word without their last letter, and that letter, int64.
    """
    blank, most, size, never = frames.shape[1] - 1, 1 + len(frames) * width, frames.shape[1] * width, -np.inf
    # All beginnings of words that were kept, a tree, the empty one first: what each one goes on to by letter; state and
    # score of the language model; and the place in the beam.
    shorter, last, longer = np.zeros(most, np.int64), np.full(most, -1), np.zeros((most, blank), np.int64)
    states, language, place, nodes = np.full(most, first), np.zeros(most), np.full(most, -1), 1
    # What can be the beam, and the logarithms of its paths that end in a blank and in the last letter; and the beam.
    origins, labels, totals = np.zeros(size, np.int64), np.zeros(size, np.int64), np.zeros(size)
    blanked, ended = np.zeros(size), np.zeros(size)
    beam, blanks, ends, held = np.zeros(width, np.int64), np.zeros(width), np.full(width, never), 1
    for frame in frames:
        least, found = frame.max() - _UNLIKELY, held
        for at in range(held):
            node = beam[at]
            place[node], origins[at] = at, node
            blanked[at] = np.logaddexp(blanks[at], ends[at]) + frame[blank]
            ended[at] = ends[at] + frame[last[node]]
        for at in range(held):
            node, either = beam[at], np.logaddexp(blanks[at], ends[at])
            for label in range(blank):
                if frame[label] < least:
                    continue
                # The same letter again needs a blank between.
                score = frame[label] + (blanks[at] if label == last[node] else either)
                known = place[longer[node, label]] if longer[node, label] else -1
                if known >= 0:
                    ended[known] = np.logaddexp(ended[known], score)
                    continue
                origins[found], labels[found], blanked[found], ended[found] = node, label, never, score
                totals[found] = score + language[node] + bonus + weight * logs[states[node], label]
                found += 1
        for at in range(held):
            totals[at], place[beam[at]] = np.logaddexp(blanked[at], ended[at]) + language[beam[at]], -1
        before, held = held, 0
        while held < min(width, found) and totals[:found].max() > never:
            at = totals[:found].argmax()
            totals[at], node, label = never, origins[at], labels[at]
            if at >= before:
                if not longer[node, label]:
                    longer[node, label], shorter[nodes], last[nodes] = nodes, node, label
                    language[nodes] = language[node] + bonus + weight * logs[states[node], label]
                    states[nodes], nodes = after[states[node], label], nodes + 1
                node = longer[node, label]
            beam[held], blanks[held], ends[held], held = node, blanked[at], ended[at], held + 1
    for at in range(held):
        totals[at] = np.logaddexp(blanks[at], ends[at]) + language[beam[at]]
    return beam[:held], totals[:held], states, shorter, last


@functools.cache
def compiled_search() -> Callable[..., Any]:
    """Compile the search, which all searches from now on use: for many words, a few are read in plain Python sooner."""
    from models.serving.compiled import compiled

    return compiled(_beam_of)


def _states(words: np.ndarray, blank: int) -> tuple[np.ndarray, np.ndarray]:
    """Return the classes of words int (..., letters) with blanks around them, and where a path may jump over one."""
    states = np.full((*words.shape[:-1], 2 * words.shape[-1] + 1), blank, np.int64)
    states[..., 1::2] = words
    jumps = np.zeros(states.shape, bool)
    jumps[..., 2:] = (states[..., 2:] != blank) & (states[..., 2:] != states[..., :-2])
    return states, jumps

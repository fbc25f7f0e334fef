"""Sentences of raw text as batches in which words predict its neighbours (for ``models.pos_tagger.context_lm``)."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence

import numpy as np

from data_prep.batching import pad, rounded_up
from data_prep.errors import InputError
from data_prep.text.tag_inputs import CHARACTER_STEP, TagInputs, counts_by_key, word_key

SHORTEST, LONGEST = 4, 50  # words of a sentence
_ENDS = frozenset(".!?")
_WORD_STEP, _NEGATIVE_STEP = 256, 64  # numbers are rounded up to them where few shapes are wanted
_FLATTENING = 0.75  # of the words' frequencies, for the draw of negatives (Mikolov et al. 2013)


class ContextBatches:
    """Batches of sentences of one length each, without padding; none comes twice before all have come.

    Args:
        streams: Form numbers with borders, as ``data_prep.text.raw_forms.numbered_forms`` gives them.
        forms: The form of each number.
        inputs: Encoder of words.
        targets: So many most frequent keys are predicted one by one; all others share the last number.
        negatives: Draws of wrong keys for a batch.
        batch_words: About this many words in a batch.
        seed: Of order and draws.

    Attributes:
        inputs: As given.
        keys: Those that are predicted one by one, by their numbers.

    Raises:
        InputError: If there is no sentence of a fitting length.
    """

    def __init__(
        self,
        streams: Sequence[np.ndarray],
        forms: Sequence[str],
        inputs: TagInputs,
        *,
        targets: int,
        negatives: int,
        batch_words: int,
        seed: int,
    ) -> None:
        self.inputs = inputs
        encoded = inputs.encode(forms)
        self._rows = np.array([word.row for word in encoded], np.int32)
        characters = pad([word.characters for word in encoded])
        self._characters = characters.values.astype(np.int16)
        self._sizes = characters.mask.sum(axis=1)
        ends = np.array([form in _ENDS for form in forms])
        rng = np.random.default_rng(seed)
        by_length = {length: rng.permutation(found) for length, found in _sentences(streams, ends).items()}
        self._targets, shares, self.keys = _targets(streams, forms, targets)
        self._shares = shares**_FLATTENING / (shares**_FLATTENING).sum()
        self.log_expected = np.log(np.maximum(self._shares * negatives, 1e-12)).astype(np.float32)
        self._negatives, self._seed = negatives, seed
        plan = [
            found[start : start + rows]
            for length, found in by_length.items()
            for rows in [max(1, batch_words // length)]
            for start in range(0, len(found), rows)
        ]
        self._plan = [plan[at] for at in rng.permutation(len(plan))]

    def __len__(self) -> int:
        return len(self._plan)

    def part(self, number: int, steps: int) -> Iterator[dict[str, np.ndarray]]:
        """Yield the ``steps`` batches of a part, numbered from 0.

        Yields:
            ``words`` int32 (1, distinct) and ``characters`` int32 (1, distinct, characters) of the distinct
            words, ``places`` int32 (batch, time) among them, ``targets`` int32 (batch, time) and
            ``negatives`` int32 (draws,), distinct.
        """
        rng = np.random.default_rng([self._seed, number])
        for step in range(number * steps, (number + 1) * steps):
            chosen = self._plan[step % len(self._plan)]  # form numbers (batch, time)
            distinct, places = np.unique(chosen, return_inverse=True)
            longest = int(self._sizes[distinct].max())
            draws = rng.choice(len(self._shares), self._negatives, p=self._shares)
            yield {
                "words": self._rows[distinct][None],
                "characters": self._characters[distinct, :longest][None].astype(np.int32),
                "places": places.reshape(chosen.shape).astype(np.int32),
                "targets": self._targets[chosen],
                "negatives": np.unique(draws).astype(np.int32),
            }


def few_shapes(batch: tuple[Mapping[str, np.ndarray]]) -> tuple[dict[str, np.ndarray]]:
    """Pad a batch so that few shapes come: with words that stand nowhere, and with -1 for negatives."""
    (inputs,) = batch
    steps = {"words": {1: _WORD_STEP}, "characters": {1: _WORD_STEP, 2: CHARACTER_STEP}}
    padded = {name: rounded_up(array, steps.get(name, {})) for name, array in inputs.items()}
    return ({**padded, "negatives": rounded_up(inputs["negatives"], {0: _NEGATIVE_STEP}, -1)},)


def _sentences(streams: Sequence[np.ndarray], ends: np.ndarray) -> Mapping[int, np.ndarray]:
    """Cut streams at borders and behind full stops; return length to forms, int32 (sentences, length)."""
    found: dict[int, list[np.ndarray]] = {}
    for stream in streams:
        is_border = stream < 0
        stops = np.flatnonzero(is_border | ends[np.maximum(stream, 0)])
        begins = np.concatenate([[0], stops + 1])
        # A full stop belongs to its sentence, a border to none.
        finishes = np.concatenate([stops + ~is_border[stops], [len(stream)]])
        for length in range(SHORTEST, LONGEST + 1):
            first = begins[finishes - begins == length]
            if len(first):
                found.setdefault(length, []).append(stream[first[:, None] + np.arange(length)])
    if not found:
        raise InputError("The raw text holds no sentence", allowed=f"{SHORTEST} to {LONGEST} words")
    return {length: np.concatenate(parts) for length, parts in sorted(found.items())}


def _targets(
    streams: Sequence[np.ndarray], forms: Sequence[str], size: int
) -> tuple[np.ndarray, np.ndarray, list[str]]:
    """Return the target of each form, int32 (forms,), the share of each, float64 (targets,), keys of all but one."""
    counts = sum(np.bincount(stream[stream >= 0], minlength=len(forms)) for stream in streams)
    keyed = counts_by_key(dict(zip(forms, counts.tolist(), strict=True)))
    ranked = sorted(keyed, key=lambda key: (-keyed[key], key))
    numbers = {key: min(rank, size - 1) for rank, key in enumerate(ranked)}
    targets = np.array([numbers[word_key(form)] for form in forms], np.int32)
    totals = np.bincount(targets, weights=counts)
    return targets, totals / totals.sum(), ranked[: size - 1]

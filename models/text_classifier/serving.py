"""The text classifiers of a preset in NumPy for serving: its networks (``models.text_classifier.packed``) together.

Documents are ids with the end last (``data_prep.text.text_inputs.encode``).
"""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from dataclasses import replace
from typing import NamedTuple

import numpy as np

from data_prep.errors import InputError
from data_prep.text.text_inputs import SPECIALS
from data_prep.text.vocab import PAD, Vocabulary
from models.presets.kinds import Kind
from models.serving.blas_threads import in_threads, one_blas_thread
from models.serving.operations import similar_lengths
from models.text_classifier.config import Arrays, TextPresetConfig, member_arrays, preset_specs
from models.text_classifier.packed import Contributions, packed_network

IDS_AT_ONCE = 1 << 14  # of documents that are read together


class Sure(NamedTuple):
    """When the first of several networks is sure enough to answer alone.

    Its largest logit is further before the next one than ``margin``; its logits are then divided by ``temperature``.
    """

    margin: float
    temperature: float


class PackedText:
    """A preset's networks, ``members``, together, of its config and arrays; threads can share it."""

    def __init__(self, config: TextPresetConfig, arrays: Arrays) -> None:
        self.config = config
        self.members = [
            packed_network(member, member_arrays(arrays, number))
            for number, member in enumerate(config.members, start=1)
        ]
        # Places and weights of the networks that answer long texts, and short ones; one without weight is not asked.
        weights = enumerate(config.weights)
        self._long = {at: weight / config.temperature for at, weight in weights if weight or not at}
        self._short = {len(self.members) - 1: 1.0 / config.short_temperature}

    def logits(self, documents: Sequence[np.ndarray]) -> np.ndarray:
        """Answer documents by the networks that are asked for their length: float32 (documents, labels)."""
        return self.soonest(documents, None)

    def soonest(self, documents: Sequence[np.ndarray], sure: Sure | None) -> np.ndarray:
        """Answer documents, but long ones by the first network alone where it is sure; None for never."""
        alone, found = self._alone(documents)
        if not alone.any():
            return self._soonest(documents, sure)
        if not alone.all():
            found[~alone] = self._soonest(_chosen(documents, ~alone), sure)
        return found

    def logits_as(self, ids: np.ndarray, documents: Sequence[np.ndarray]) -> np.ndarray:
        """Answer documents, however long, by the networks that answer ``ids``: float32 (documents, labels)."""
        weights = self.answering(ids)
        return self._summed(weights, self._answers(weights, documents))

    def answering(self, ids: np.ndarray) -> Mapping[int, float]:
        """Return the places of the networks that answer a document together, each with its weight."""
        return self._short if self._alone([ids])[0].all() else self._long

    def _alone(self, documents: Sequence[np.ndarray]) -> tuple[np.ndarray, np.ndarray]:
        """Say which documents the network of short texts answers alone, bool (documents,), and what."""
        config, found = self.config, np.empty((len(documents), self.config.labels), np.float32)
        alone = np.array([len(ids) - 1 <= config.short for ids in documents], bool) & (config.short > 0)
        if alone.any():
            (answers,) = self._answers(self._short, _chosen(documents, alone))
            found[alone] = self._summed(self._short, [answers])
            alone[alone] = margins(answers) > config.short_margin
        return alone, found

    def _soonest(self, documents: Sequence[np.ndarray], sure: Sure | None) -> np.ndarray:
        if sure is None:
            return self._summed(self._long, self._answers(self._long, documents))
        (first,) = self._answers((0,), documents)
        unsure = margins(first) <= sure.margin
        others = self._answers([at for at in self._long if at], _chosen(documents, unsure))
        found = first / np.float32(sure.temperature)
        found[unsure] = self._summed(self._long, [first[unsure], *others])
        return found

    def _answers(self, asked: Collection[int], documents: Sequence[np.ndarray]) -> np.ndarray:
        """Return the logits of some networks by their places, float32 (networks, documents, labels)."""
        members = [self.members[at] for at in asked]
        found = np.zeros((len(members), len(documents), self.config.labels), np.float32)
        parts = similar_lengths([len(ids) for ids in documents], IDS_AT_ONCE)

        def answer(part: np.ndarray) -> list[np.ndarray]:
            chosen = [documents[at] for at in part]
            return [member.logits(chosen) for member in members]

        with one_blas_thread() as threads:
            for part, own in zip(parts, in_threads(answer, parts, threads), strict=True):
                found[:, part] = own
        return found

    def contributions(self, ids: np.ndarray, label: int, against: int) -> Contributions:
        """Say what each word of a document adds to one logit minus another, by gradients."""
        direction = np.zeros(self.config.labels)
        direction[label], direction[against] = 1.0, -1.0
        weights = self.answering(ids)
        with one_blas_thread():
            found = [self.members[at].contributions(ids, direction) for at in weights]
        words, rests, exact = zip(*found, strict=True)
        return Contributions(self._summed(weights, words), float(self._summed(weights, rests)), all(exact))

    def left_out(self, words: int) -> int:
        """Return how many words of a document are not read by the network that reads most of it."""
        if words <= self.config.short:
            return 0
        return min(self.config.members[at].left_out(words) for at in self._long)

    def _summed(self, weights: Mapping[int, float], found: Sequence[np.ndarray]) -> np.ndarray:
        """Weigh what was found of each network that is asked and sum it; a float32 array stays one."""
        return sum(weight * own for weight, own in zip(weights.values(), found, strict=True))


def _chosen(documents: Sequence[np.ndarray], which: np.ndarray) -> list[np.ndarray]:
    return [documents[at] for at in np.flatnonzero(which)]


def margins(logits: np.ndarray) -> np.ndarray:
    """Return how far the largest logit of each row is before the next one, (rows,), of (rows, 2 or more)."""
    ordered = np.sort(logits, axis=1)
    return ordered[:, -1] - ordered[:, -2]


def _answer(config: TextPresetConfig, arrays: Arrays, inputs: Arrays) -> dict[str, np.ndarray]:
    """Answer golden inputs (``models.text_classifier.config.golden_inputs``) with the logits of each member."""
    answer = {}
    for number, member in enumerate(config.members, start=1):
        # Golden answers divide by the number of vectors, whatever the pooling: so they are stored in presets.
        network = packed_network(replace(member, pooling="mean"), member_arrays(arrays, number))
        name = f"member{number}"
        answer[name] = network.answer([row[row != PAD] for row in inputs[name]])
    return answer


def _check(config: TextPresetConfig, vocabulary: Vocabulary | None, labels: tuple[str, ...] | None) -> None:
    size = max(member.vocabulary_size for member in config.members)
    if vocabulary is None or vocabulary.specials != SPECIALS or len(vocabulary) < size:
        raise InputError(
            "The vocabulary does not fit the networks",
            allowed=f"{size} entries or more, of them {', '.join(SPECIALS)}",
            received=vocabulary,
        )
    if foreign := [label for _, label in config.aliases if label not in labels]:
        raise InputError("An alias means no label", allowed=", ".join(labels), received=foreign)


TEXT_CLASSIFIER = Kind(
    TextPresetConfig,
    arrays=preset_specs,
    answer=_answer,
    network="models.text_classifier.network:text_classifier_model",
    fills=True,
    needs_vocabulary=True,
    needs_labels=True,
    classes=lambda config: config.labels,
    check=_check,
)

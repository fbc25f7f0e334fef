"""The text classifiers of a preset in NumPy for serving; ``models.text_classifier.network`` trains the networks.

Every method takes documents as ids with the end last (``data_prep.text.text_inputs.encode(text,
vocabulary).ids``); each network reads of them what its config says.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import replace

import numpy as np

from data_prep.errors import InputError
from data_prep.text.text_inputs import SPECIALS
from data_prep.text.vocab import PAD, Vocabulary
from models.presets.kinds import Kind
from models.serving.blas_threads import in_threads, one_blas_thread
from models.serving.operations import similar_lengths
from models.text_classifier.config import (
    Arrays,
    TextClassifierConfig,
    TextPresetConfig,
    member_arrays,
    preset_specs,
)
from models.text_classifier.serving_networks import (
    IDS_AT_ONCE,
    Contributions,
    PackedAttention,
    PackedBag,
    PackedConvolution,
    PackedNetwork,
    PackedRecurrent,
)


class PackedText:
    """A preset's networks together; threads can share it.

    Args:
        config: Of the preset.
        arrays: Of the preset (``models.presets.store.Preset.arrays``).

    Attributes:
        members: The networks.
    """

    def __init__(self, config: TextPresetConfig, arrays: Arrays) -> None:
        self.config = config
        self.members = [
            packed_network(member, member_arrays(arrays, number))
            for number, member in enumerate(config.members, start=1)
        ]
        self._weights = [weight / config.temperature for weight in config.weights]

    def logits(self, documents: Sequence[np.ndarray]) -> np.ndarray:
        """Answer documents: float32 (documents, labels), divided by the temperature; softmax gives probabilities."""
        total = np.zeros((len(documents), self.config.labels), np.float32)
        parts = similar_lengths([len(ids) for ids in documents], IDS_AT_ONCE)

        def answer(part: np.ndarray) -> list[np.ndarray]:
            chosen = [documents[at] for at in part]
            return [member.logits(chosen) for member in self.members]

        with one_blas_thread() as threads:
            for part, found in zip(parts, in_threads(answer, parts, threads), strict=True):
                total[part] = self._summed(found)
        return total

    def running(self, ids: np.ndarray, ends: Iterable[int] | None = None) -> np.ndarray:
        """Answer beginnings of one document, each read up to an end of its own.

        Args:
            ids: The document.
            ends: Words in each beginning, rising, 0 to ``len(ids) - 1``; None for 1 to all.

        Returns:
            Logits as ``logits`` would give them for ``[*ids[:end], EOS]``, float32 (ends, labels).

        Raises:
            InputError: If ``ends`` do not rise, or are outside the document.
        """
        every = range(1, len(ids)) if ends is None else ends
        chosen = np.array(list(every), np.int64)
        if not len(chosen):
            return np.zeros((0, self.config.labels), np.float32)
        if chosen[0] < 0 or chosen[-1] >= len(ids) or (np.diff(chosen) <= 0).any():
            raise InputError(
                "The ends of the beginnings do not fit",
                allowed=f"rising, 0 to {len(ids) - 1}",
                received=chosen.tolist(),
            )
        with one_blas_thread():
            return self._summed([member.running(ids, chosen) for member in self.members])

    def contributions(self, ids: np.ndarray, label: int, against: int | np.ndarray) -> Contributions:
        """Say what each word adds to a logit minus another: its vector times the gradient by it.

        Args:
            ids: The document.
            label: Number of the logit.
            against: Number of the other one, or weights of all logits that are subtracted, float (labels,).

        Returns:
            One number a word; their sum is the difference of the logits, divided by the temperature, where no member is
            recurrent.
        """
        one_hot = np.eye(self.config.labels)
        direction = one_hot[label] - (against if np.ndim(against) else one_hot[against])
        with one_blas_thread():
            found = [member.contributions(ids, direction) for member in self.members]
        words = sum(weight * own.words for weight, own in zip(self._weights, found, strict=True))
        rest = sum(weight * own.rest for weight, own in zip(self._weights, found, strict=True))
        return Contributions(words, rest, all(own.exact for own in found))

    def left_out(self, words: int) -> int:
        """Return how many words of a document are not read by the network that reads most of it."""
        return min(member.reading.left_out(words) for member in self.members)

    def label_embeddings(self, member: int = 0) -> np.ndarray:
        """Return the rows of W of softmax(W z) of a network, float32 (labels, features)."""
        return self.members[member].kernel.T

    def _summed(self, logits: Sequence[np.ndarray]) -> np.ndarray:
        return sum(np.float32(weight) * found for weight, found in zip(self._weights, logits, strict=True))


def packed_network(config: TextClassifierConfig, arrays: Arrays) -> PackedNetwork:
    """Make one network of its weights.

    Args:
        config: Of the network.
        arrays: ``models.text_classifier.config.member_arrays`` of a preset, or
            ``models.storage.variables.variable_arrays`` of a model.
    """
    return _NETWORKS.get(config.network, PackedRecurrent)(config, arrays)


_NETWORKS: dict[str, type[PackedNetwork]] = {
    "mean": PackedBag,
    "ngrams": PackedBag,
    "convolution": PackedConvolution,
    "attention": PackedAttention,
}


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
    needs_vocabulary=True,
    needs_labels=True,
    classes=lambda config: config.labels,
    check=_check,
)

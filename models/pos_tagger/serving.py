"""The trained tagger for use: words in, calibrated probabilities out; without Keras once the preset is open.

``Model.predict`` costs many times what the arithmetic of one sentence does, so the network of
``models.pos_tagger.network`` is written out on packed sentences: here in NumPy, to look inside, to calibrate and to
check a preset, and in ``models.pos_tagger.compiled`` for tags. Tests compare all on the same weights.
"""

from __future__ import annotations

import copy
import functools
from collections.abc import Mapping, Sequence
from dataclasses import replace
from itertools import chain
from typing import TYPE_CHECKING, Literal, NamedTuple

import numpy as np

from data_prep.batching import pad
from data_prep.errors import InputError
from data_prep.readers.conllu import UNTAGGED
from data_prep.text.tag_inputs import TagInputs
from data_prep.text.vocab import PAD, UNK, Vocabulary
from models.layers.cells import layer_weights
from models.pos_tagger.config import OUTPUTS, Logits, PosTaggerConfig, tagger_specs
from models.presets.kinds import Arrays, Kind
from models.serving.bilstm import PackedBiLSTM, Packing, pack
from models.serving.blas_threads import in_threads, one_blas_thread
from models.serving.crf import PackedCRF
from models.serving.operations import similar_lengths, softmax

if TYPE_CHECKING:
    from models.pos_tagger.compiled import CompiledTagger

_FEW_WORDS = 100  # answered in NumPy before machine code is loaded, which takes 0.4 s and 100 MiB
_WORDS_AT_ONCE = 2048  # of sentences that are read together
_CHARACTERS_AT_ONCE = 1024  # of words whose characters are encoded together
_REMEMBERED_WORDS = 16_000  # at 8 KB each for 256 units


class Prediction(NamedTuple):
    """The tags of words, sentence after sentence.

    ``probabilities`` float32 (words, tags) of ``TagPredictor.tags``, calibrated; ``upos`` and ``xpos`` int32 (words,),
    the tags decided on; ``unknown`` bool (words,), True for a form that training never saw.
    """

    probabilities: np.ndarray
    upos: np.ndarray
    xpos: np.ndarray
    unknown: np.ndarray


class Activations(NamedTuple):
    """What the network makes of a sentence, float32 (words, ...) each.

    ``vector`` (frozen), ``trained`` and ``characters`` are what the first BiLSTM reads; ``forward`` and ``backward``
    hold one array for each BiLSTM layer.
    """

    vector: np.ndarray
    trained: np.ndarray
    characters: np.ndarray
    forward: tuple[np.ndarray, ...]
    backward: tuple[np.ndarray, ...]


class TagPredictor:
    """A tagger ready for use; threads can share it.

    Args:
        config: Of the network.
        vocabulary: Of the preset.
        arrays: Stable path to weight, as ``models.storage.variables.variable_arrays`` names them.

    Attributes:
        column: ``"upos"``, or ``"xpos"`` where the treebank has no UPOS.
        tags: The tags of that column, in the order of the probabilities.
        transitions: The CRF's scores from tag (row) to tag (column), float64; None without CRF.
    """

    def __init__(
        self, config: PosTaggerConfig, vocabulary: Vocabulary, arrays: Mapping[str, np.ndarray]
    ) -> None:
        self.config, self.upos, self.xpos = config, config.upos, config.xpos
        self.column: Literal["upos", "xpos"] = "xpos" if config.upos == (UNTAGGED,) else "upos"
        self.tags: tuple[str, ...] = getattr(config, self.column)
        self.inputs = TagInputs(vocabulary, config.word_rows, config.alphabet)
        self._network, self._arrays = PackedTagger(config, arrays), arrays
        self._crf = self._network.crf
        self.transitions = None if self._crf is None else self._crf.transitions
        self._asked = 0  # words

    def __getstate__(self) -> dict[str, object]:
        """Leave out machine code and what it remembers: they hold a lock."""
        return {name: value for name, value in self.__dict__.items() if name != "_compiled"}

    def predict(self, sentences: Sequence[Sequence[str]]) -> Prediction:
        """Tag sentences, any number of any length; a sentence alone gets what it gets among others."""
        lengths = np.array([len(sentence) for sentence in sentences], np.int64)
        starts, words = np.cumsum(lengths) - lengths, int(lengths.sum())
        found = Prediction(
            np.empty((words, len(self.tags)), np.float32),
            *(np.empty(words, dtype) for dtype in (np.int32, np.int32, bool)),
        )
        filled = np.flatnonzero(lengths)
        chunks = [filled[part].tolist() for part in similar_lengths(lengths[filled], _WORDS_AT_ONCE)]
        self._asked += words
        with one_blas_thread() as threads:
            logits = self.logits
            if self._asked > _FEW_WORDS:
                compiled = self._compiled
                memory = compiled.remembered(chain.from_iterable(sentences), threads)
                logits = functools.partial(compiled.logits, memory)
            answers = in_threads(
                lambda chunk: self._predicted(logits([sentences[at] for at in chunk])), chunks, threads
            )
            for chunk, answer in zip(chunks, answers, strict=True):
                places = np.concatenate([np.arange(starts[at], starts[at] + lengths[at]) for at in chunk])
                for whole, part in zip(found, answer, strict=True):
                    whole[places] = part
        return found

    def inside(self, words: Sequence[str]) -> Activations:
        """Show what the network makes of one sentence of at least one word."""
        vectors, _ = self._described(words)
        states = self._network.states(vectors, pack([len(words)]))
        first = self.config.vector_dimensions
        embedding = np.split(vectors, [first, first + self.config.trained_dimensions], axis=1)
        return Activations(*embedding, *zip(*(np.split(state, 2, axis=1) for state in states), strict=True))

    def logits(self, sentences: Sequence[Sequence[str]]) -> Logits:
        """Give the network's own logits of sentences with at least one word each, all at once."""
        packing = pack([len(sentence) for sentence in sentences])
        vectors, unknown = self._described([word for sentence in sentences for word in sentence])
        hidden = self._network.states(vectors, packing)[-1]
        return Logits(*(self._network.head(name, hidden) for name in OUTPUTS), packing, unknown)

    def probabilities(self, logits: Logits, head: Literal["upos", "xpos"], temperature: float) -> np.ndarray:
        """Turn logits into probabilities.

        Args:
            logits: As :meth:`logits` gives them.
            head: Which tags.
            temperature: 1 for the network's own probabilities, more for more careful ones.

        Returns:
            Float (words, tags); with a CRF those of UPOS are summed over all sequences.
        """
        if head == "upos" and self._crf is not None:
            return self._crf.marginals(logits.upos, logits.packing, temperature)
        return softmax(getattr(logits, head) / temperature)

    def answers(self, logits: Logits, head: Literal["upos", "xpos"]) -> np.ndarray:
        """Decide on the tags of words, int (words,); with a CRF on those of UPOS for whole sentences."""
        if head == "upos" and self._crf is not None:
            return self._crf.viterbi(logits.upos, logits.packing)
        return getattr(logits, head).argmax(1)

    def loss(self, logits: Logits, head: Literal["upos", "xpos"], tags: np.ndarray) -> float:
        """Return the mean negative log-likelihood of the right tags, int (words,), nats a word, as in training."""
        if head == "upos" and self._crf is not None:
            return -self._crf.log_likelihood(logits.upos, logits.packing, tags) / len(tags)
        found = getattr(logits, head).astype(np.float64)
        return float((np.logaddexp.reduce(found, axis=1) - found[np.arange(len(tags)), tags]).mean())

    def with_temperatures(self, upos: float, xpos: float) -> TagPredictor:
        """Return the same tagger with other temperatures."""
        changed = copy.copy(self)
        changed.config = replace(self.config, upos_temperature=upos, xpos_temperature=xpos)
        return changed

    def _predicted(self, logits: Logits) -> Prediction:
        temperature = getattr(self.config, f"{self.column}_temperature")
        return Prediction(
            self.probabilities(logits, self.column, temperature),
            *(self.answers(logits, head) for head in OUTPUTS),
            logits.unknown,
        )

    @functools.cached_property
    def _compiled(self) -> CompiledTagger:
        from models.pos_tagger.compiled import CompiledTagger

        return CompiledTagger(self.config, self._arrays, self._described, _REMEMBERED_WORDS)

    def _described(self, forms: Sequence[str]) -> tuple[np.ndarray, np.ndarray]:
        """Give what the network reads of forms, float32 (forms, inputs), and which are unknown, bool (forms,)."""
        words = self.inputs.encode(forms)
        vectors = self._network.vectors(
            np.array([word.row for word in words]), [word.characters for word in words]
        )
        return vectors, np.array([word.unknown for word in words])


class PackedTagger:
    """A trained network by its config and arrays; threads can share it."""

    def __init__(self, config: PosTaggerConfig, arrays: Arrays) -> None:
        self._codes, self._scales = arrays["frozen_vectors/codes"], arrays["frozen_vectors/scales"]
        self._trained = arrays["trained_vectors/embeddings"]
        self._characters = _CharacterEncoder(config, arrays)
        self._layers = [
            PackedBiLSTM(
                *(layer_weights("lstm", f"{way}{number}", arrays) for way in ("forward", "backward"))
            )
            for number in range(1, len(config.units) + 1)
        ]
        self._heads = {  # none while its first layer reads raw text
            name: (arrays[f"{name}_head/kernel"], arrays[f"{name}_head/bias"])
            for name in OUTPUTS
            if f"{name}_head/kernel" in arrays
        }
        self.crf: PackedCRF | None = None
        if config.output == "crf":
            self.crf = PackedCRF(*(arrays[f"crf/{name}"] for name in ("transitions", "start", "end")))

    def vectors(self, rows: np.ndarray, characters: Sequence[Sequence[int]]) -> np.ndarray:
        """Put frozen vector, trained vector and encoded characters of words side by side, float32 (words, inputs)."""
        frozen = self._codes[rows].astype(np.float32) * self._scales[rows, None]
        trained = self._trained[np.where(rows < len(self._trained), rows, UNK)]
        return np.concatenate([frozen, trained, self._characters(characters)], axis=1)

    def states(self, vectors: np.ndarray, packing: Packing) -> list[np.ndarray]:
        """Give what each layer says of each word, float32 (words, 2 * units), from what :meth:`vectors` gives."""
        states = [vectors]
        for layer in self._layers:
            states.append(layer(states[-1], packing))
        return states[1:]

    def head(self, name: str, hidden: np.ndarray) -> np.ndarray:
        """Return the logits of the head ``"upos"`` or ``"xpos"``: (words, hidden) to (words, tags)."""
        kernel, bias = self._heads[name]
        return hidden @ kernel + bias


class _CharacterEncoder:
    """The network's ``CharacterCNN`` in NumPy, with each character multiplied by the kernels beforehand."""

    def __init__(self, config: PosTaggerConfig, arrays: Arrays) -> None:
        self._widths = []
        for width in config.character_widths:
            kernel, bias = (arrays[f"character_encoder/width{width}_{part}"] for part in ("kernel", "bias"))
            products = arrays["character_encoder/table"] @ kernel  # (width, characters, units)
            products[:, PAD] = 0.0
            products[(width - 1) // 2, PAD] = -np.inf  # a window around padding must not be the largest one
            self._widths.append((products, bias))

    def __call__(self, words: Sequence[Sequence[int]]) -> np.ndarray:
        """Encode words, float32 (words, widths * units)."""
        found = np.empty((len(words), sum(len(bias) for _, bias in self._widths)), np.float32)
        for chosen in similar_lengths([len(word) for word in words], _CHARACTERS_AT_ONCE):
            ids = pad([words[at] for at in chosen]).values
            found[chosen] = np.concatenate([_largest(ids, *one) for one in self._widths], axis=1)
        return found


def _largest(ids: np.ndarray, products: np.ndarray, bias: np.ndarray) -> np.ndarray:
    """Return the largest window of each filter: (words, length) to (words, units)."""
    width, length = len(products), ids.shape[1]
    padded = np.pad(ids, ((0, 0), ((width - 1) // 2, width // 2)))  # "same" puts the shorter side first
    windows = products[0][padded[:, :length]]
    for tap in range(1, width):
        windows += products[tap][padded[:, tap : tap + length]]
    return np.maximum(windows.max(axis=1) + bias, 0.0)


def tagger_answer(config: PosTaggerConfig, arrays: Arrays, inputs: Arrays) -> Arrays:
    """Answer a batch of ``data_prep.text.tag_inputs.batch_inputs`` as the network does, with logits of 0 at padding."""
    network, mask = PackedTagger(config, arrays), inputs["mask"]
    characters = [ids[ids != PAD] for ids in inputs["characters"][mask]]
    packing = pack(mask.sum(axis=1).tolist())
    hidden = network.states(network.vectors(inputs["words"][mask], characters), packing)[-1]
    answer = {}
    for name in OUTPUTS:
        logits = network.head(name, hidden)
        answer[name] = np.zeros((*mask.shape, logits.shape[1]), np.float32)
        answer[name][mask] = logits
    return answer


def _check(config: PosTaggerConfig, vocabulary: Vocabulary, labels: tuple[str, ...]) -> None:
    if len(vocabulary) < config.word_rows or vocabulary.counts is None:
        raise InputError(
            "The vocabulary does not fit the tagger",
            allowed=f"{config.word_rows} entries or more, with counts",
            received=vocabulary,
        )
    if labels != config.upos:
        raise InputError(
            "The labels are not the tagger's UPOS tags", allowed=str(config.upos), received=labels
        )


POS_TAGGER = Kind(
    PosTaggerConfig,
    arrays=tagger_specs,
    answer=tagger_answer,
    network="models.pos_tagger.network:build_pos_tagger",
    needs_vocabulary=True,
    needs_labels=True,
    check=_check,
)

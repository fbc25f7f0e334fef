"""The configs of text classifiers, and the names and shapes of their weights.

A preset answers with one network or with several (members), each with a config of its own: its logits are the weighted
sum of the members' logits, divided by one temperature. A last one can be for short texts alone.
Networks and their weights by name: ``models.text_classifier.network``.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Annotated, Any, ClassVar, Literal

import numpy as np
from annotated_types import Ge, Le, MinLen

from data_prep.array_files import ArraySpec
from data_prep.batching import pad
from data_prep.errors import InputError
from data_prep.fields import Checked, Natural, NonNegative, Positive, Share
from data_prep.text.embeddings import quantise
from data_prep.text.text_inputs import Reading
from models.layers.cells import CELLS, layer_shapes

KIND = "text_classifier"
LINEAR = ("mean", "ngrams")  # in the vectors: what each word adds is known exactly
MAX_LABELS, MAX_LAYERS, MAX_ROWS = 1000, 3, 1 << 24

Network = Literal["mean", "ngrams", "convolution", "rnn", "lstm", "gru", "mgu", "attention"]
Size = Annotated[int, Ge(1), Le(4096)]
Arrays = Mapping[str, np.ndarray]


@dataclass(frozen=True)
class TextClassifierConfig(Reading):
    """Every argument of one network, those of its :class:`Reading` among them; n-grams are for ``"ngrams"`` only.

    Args:
        network: ``"mean"`` and ``"ngrams"`` average vectors; ``"convolution"`` takes the largest value of each filter;
            ``"rnn"``, ``"lstm"``, ``"gru"`` and ``"mgu"`` read up to the end; ``"attention"`` weighs the states of a
            BiLSTM.
        labels: Number of logits.
        dimensions: Length of a vector.
        units: Length of a recurrent state (of each direction), or filters of each width.
        layers: Recurrent layers, each on top of the one before, 1 to 3.
        widths: Words in a window of each kind of filter.
        readout: What a recurrent network answers from: ``"end"``, its state at the end; ``"pool"``, that and the
            largest and the mean value of all states (Howard and Ruder 2018).
        pooling: ``"mean"`` divides the sum of vectors by their number, ``"root"`` by its square root, so that the
            answer of a long document is surer.
        dropout: Share of values left out in training, of the vectors and in front of the logits.
        word_dropout: Share of words that are read as unknown in training.
        table: How a preset stores the vectors; ``"int8"`` with one scale for each dimension.

    Raises:
        InputError: A value makes no network.
    """

    network: Network = "lstm"
    labels: Annotated[int, Ge(2), Le(MAX_LABELS)] = 2
    dimensions: Size = 100
    units: Size = 128
    layers: Annotated[int, Ge(1), Le(MAX_LAYERS)] = 1
    widths: Annotated[tuple[Size, ...], MinLen(1)] = (2, 3, 4)
    readout: Literal["end", "pool"] = "end"
    pooling: Literal["mean", "root"] = "mean"
    dropout: Share = 0.3
    word_dropout: Share = 0.0
    table: Literal["float", "int8"] = "float"

    def __post_init__(self) -> None:
        """Refuse values that make no network."""
        super().__post_init__()
        if len(set(self.widths)) < len(self.widths):
            raise InputError("A width is there twice", received=self.widths)
        if self.layers > 1 and self.network not in CELLS:
            raise InputError(
                "Only recurrent networks have several layers", allowed=", ".join(CELLS), received=self.network
            )
        if self.network != "ngrams" and self.is_bag:
            raise InputError("Only the network ngrams reads n-grams", received=self.network)
        if self.rows > MAX_ROWS:
            raise InputError(
                "The table of vectors is too long", allowed=f"up to {MAX_ROWS} rows", received=self.rows
            )

    @property
    def rows(self) -> int:
        """Vectors in the table."""
        return self.vocabulary_size + self.buckets

    @property
    def is_linear(self) -> bool:
        """Whether what each word adds to the logits is known exactly."""
        return self.network in LINEAR


@dataclass(frozen=True)
class TextPresetConfig(Checked):
    """Every argument of a preset.

    Args:
        members: Its networks; all read ids of the preset's one vocabulary.
        weights: Of the logits of each member in their sum.
        temperature: The sum is divided by it, so that the preset is as sure as it is right (Guo et al. 2017).
        aliases: Other names of labels that data of other origin may use, each with the label it means.
        short: Texts of up to so many words and marks are answered by the last member alone where it is sure; 0 for
            no such member.
        short_margin: It is sure where its largest logit is further before the next one.
        short_temperature: Its logits are divided by it there.

    Raises:
        InputError: The members do not answer together.
    """

    members: tuple[TextClassifierConfig, ...]
    weights: tuple[float, ...] = (1.0,)
    temperature: Positive = 1.0
    aliases: tuple[tuple[str, str], ...] = ()
    short: Natural = 0
    short_margin: NonNegative = 0.0
    short_temperature: Positive = 1.0

    ADDED: ClassVar[Mapping[str, Any]] = {"short": 0, "short_margin": 0.0, "short_temperature": 1.0}

    def __post_init__(self) -> None:
        """Refuse members that do not answer together."""
        super().__post_init__()
        if not self.members or len(self.weights) != len(self.members):
            raise InputError(
                "There is not one weight for each network",
                allowed=f"{len(self.members)} weights, and at least one network",
                received=self.weights,
            )
        if len({member.labels for member in self.members}) > 1:
            raise InputError(
                "The networks do not have the same labels", received=[m.labels for m in self.members]
            )
        if len({alias for alias, _ in self.aliases}) < len(self.aliases):
            raise InputError("An alias is there twice", received=self.aliases)
        last = self.members[-1]
        if self.short and (len(self.members) < 2 or self.weights[-1]):
            raise InputError(
                "The network of short texts is not one more",
                allowed="a last network with weight 0",
                received=self.weights,
            )
        if self.short and (last.is_bag or 0 < last.max_words < self.short):
            raise InputError("The network of short texts does not read all of their words", received=last)

    def without_short(self) -> TextPresetConfig:
        """Return the config without the network of short texts; the same where there is none."""
        if not self.short:
            return self
        long = {"members": self.members[:-1], "weights": self.weights[:-1]}
        return replace(self, **long, short=0, short_margin=0.0, short_temperature=1.0)

    @property
    def labels(self) -> int:
        """Number of logits."""
        return self.members[0].labels

    @property
    def is_linear(self) -> bool:
        """Whether all members are linear in their vectors."""
        return all(member.is_linear for member in self.members)


def recurrent_names(config: TextClassifierConfig) -> list[str]:
    """Return the names of the recurrent layers; those of a language model of ``models.char_lm.config`` are the same."""
    return [f"recurrent{number}" for number in range(1, config.layers + 1)]


def network_specs(config: TextClassifierConfig) -> dict[str, ArraySpec]:
    """Give names, shapes and dtypes of the weights of ``models.text_classifier.network``, in its order."""
    units, inputs = config.units, config.dimensions  # of the next layer
    shapes: dict[str, tuple[int, ...]] = {"embedding/embeddings": (config.rows, config.dimensions)}
    if config.network == "convolution":
        for width in config.widths:
            shapes[f"convolution/width{width}_kernel"] = (width, inputs, units)
            shapes[f"convolution/width{width}_bias"] = (units,)
        inputs = len(config.widths) * units
    elif config.network == "attention":
        for name in ("forward", "backward"):
            shapes |= layer_shapes("lstm", name, inputs, units)
        inputs = 2 * units
        shapes["attention/query"] = (inputs,)
    elif config.network in CELLS:
        for name in recurrent_names(config):
            shapes |= layer_shapes(config.network, name, inputs, units)
            inputs = units
        inputs = 3 * units if config.readout == "pool" else units
    shapes |= {"labels/kernel": (inputs, config.labels), "labels/bias": (config.labels,)}
    return {name: ArraySpec(shape, "float32") for name, shape in shapes.items()}


def preset_specs(config: TextPresetConfig) -> dict[str, ArraySpec]:
    """Give names, shapes and dtypes of the arrays of a preset: those of its networks, after ``member1/`` and so on."""
    found = {}
    for number, member in enumerate(config.members, start=1):
        specs = network_specs(member)
        if member.table == "int8":
            shape = specs.pop("embedding/embeddings").shape
            table = {"codes": ArraySpec(shape, "int8"), "scales": ArraySpec(shape[1:], "float32")}
            specs = {f"embedding/{name}": spec for name, spec in table.items()} | specs
        found |= {f"member{number}/{name}": spec for name, spec in specs.items()}
    return found


def preset_arrays(config: TextPresetConfig, members: Sequence[Arrays]) -> dict[str, np.ndarray]:
    """Put the float32 weights of trained networks, by name, together as ``preset_specs`` says."""
    found = {}
    for number, (member, arrays) in enumerate(zip(config.members, members, strict=True), start=1):
        own = dict(arrays)
        if member.table == "int8":
            codes, scales = quantise(own.pop("embedding/embeddings").T)
            own = {"embedding/codes": np.ascontiguousarray(codes.T), "embedding/scales": scales} | own
        found |= {f"member{number}/{name}": array for name, array in own.items()}
    return found


def member_arrays(arrays: Arrays, number: int) -> dict[str, np.ndarray]:
    """Take the weights of one network, from 1, out of those of a preset; vectors that are int8 become float32."""
    prefix = f"member{number}/"
    own = {name.removeprefix(prefix): array for name, array in arrays.items() if name.startswith(prefix)}
    if "embedding/codes" in own:
        own["embedding/embeddings"] = own.pop("embedding/codes") * own.pop("embedding/scales")
    return own


def golden_inputs(config: TextPresetConfig, documents: Sequence[np.ndarray]) -> dict[str, np.ndarray]:
    """Turn documents, ids with the end, into the golden input of a preset: what each network reads, padded."""
    return {
        f"member{number}": pad(member.inputs_of(documents)).values
        for number, member in enumerate(config.members, start=1)
    }

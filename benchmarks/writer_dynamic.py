"""The writer that goes on learning while it reads: dynamic evaluation, a second figure beside its score.

    python -m benchmarks.writer_dynamic                   the first fifth of it, by which the rate was chosen
    python -m benchmarks.writer_dynamic --whole --store   the last tenth of the text, about 10 minutes on one core

Every piece of text is scored first and learned from afterwards, in the order of the text; each character counts once
and none is scored by weights that have seen it. The weights move by their gradient over what it measures in training,
and back towards the trained ones (Krause et al. 2018, "Dynamic evaluation of neural sequence models", RMS with a global
prior). The preset itself stays as it is.
"""

from __future__ import annotations

import argparse
from dataclasses import replace
from typing import Any

import keras
import numpy as np
from keras import ops

from apps.writer.application import Writer
from apps.writer.reports import DYNAMIC
from apps.writer.sources import shakespeare_source
from benchmarks.harness import THREADS, Option, command, report, settings
from data_prep.text.streams import Parts, split_text
from models.char_lm.network import build_char_lm
from models.layers.recurrent import reset_states
from models.storage.variables import assign_arrays

OPTIONS = {
    "preset": Option("writer_shakespeare", "the writer"),
    "whole": Option(False, "read all of the last tenth, not its first fifth alone"),
    "piece": Option(32, "characters that are scored and then learned"),
    "rate": Option(6e-4, "of learning"),
    "decay": Option(1e-3, "share of the way back to the trained weights, where gradients are of mean size"),
    "measured": Option(300, "pieces of training text that the size of gradients is measured on"),
    "threads": THREADS,
}
_FIRST = 0.2  # of the text, by which rate and decay were chosen
_REPORT = 500  # pieces


class SquaredGradients(keras.optimizers.Optimizer):
    """Adds up the squares of gradients and changes no weight."""

    def __init__(self) -> None:
        super().__init__(learning_rate=1.0)
        self.sums: list[Any] = []

    def build(self, variables: list[Any]) -> None:
        """Make the sums."""
        super().build(variables)
        self.sums = [self.add_variable_from_reference(one, name="squares") for one in variables]

    def update_step(self, gradient: Any, variable: Any, learning_rate: Any) -> None:
        """Add one gradient."""
        dense = ops.convert_to_tensor(gradient, sparse=False)  # of an embedding too
        self.assign_add(self.sums[self._get_variable_index(variable)], ops.square(dense))


class DynamicEvaluation(keras.optimizers.Optimizer):
    """Moves weights by gradients over their size, and back to where they were; ``sizes`` are one array a weight."""

    def __init__(self, rate: float, decay: float, sizes: list[np.ndarray]) -> None:
        super().__init__(learning_rate=rate)
        self.decay, self.sizes = decay, sizes
        self.mean = float(sum(one.sum() for one in sizes) / sum(one.size for one in sizes))

    def build(self, variables: list[Any]) -> None:
        """Keep the trained weights and the size of their gradients."""
        super().build(variables)
        self.trained = [self.add_variable_from_reference(one, name="trained") for one in variables]
        self.size = [self.add_variable_from_reference(one, name="size") for one in variables]
        for kept, size, variable, own in zip(self.trained, self.size, variables, self.sizes, strict=True):
            kept.assign(variable)
            size.assign(own)

    def update_step(self, gradient: Any, variable: Any, learning_rate: Any) -> None:
        """Move one array."""
        at = self._get_variable_index(variable)
        size, back = self.size[at], self.trained[at] - variable
        share = ops.minimum(self.decay * size / self.mean, 1.0)
        rate = ops.cast(learning_rate, variable.dtype)
        self.assign_add(variable, share * back - rate * gradient / (size + self.mean))


def _network(writer: Writer) -> keras.Model:
    """Build the writer's network, which carries its state on and leaves nothing out."""
    none = {"dropout": 0.0, "input_dropout": 0.0, "token_dropout": 0.0, "weight_dropout": 0.0}
    model = build_char_lm(replace(writer.config, **none), batch_size=1, stateful=True)
    assign_arrays(model.weights, {name: np.float32(array) for name, array in writer.arrays.items()})
    return model


def read(
    model: keras.Model, ids: np.ndarray, piece: int, optimizer: keras.optimizers.Optimizer
) -> np.ndarray:
    """Read ids int (characters + 1,) piece by piece, learning by an optimizer; mean nats of each piece before it did.

    Returns:
        Float64 (pieces,); the last piece can be shorter.
    """
    reset_states(model)
    optimizer.build(model.trainable_variables)
    loss = keras.losses.SparseCategoricalCrossentropy(from_logits=True)
    model.compile(optimizer, loss, jit_compile=False)
    found = []
    for first in range(0, len(ids) - 1, piece):
        part = ids[None, first : first + piece + 1]  # (1, piece + 1)
        found.append(float(model.train_on_batch(part[:, :-1], part[:, 1:])))
        if len(found) % _REPORT == 0:
            report(f"{first + piece:,} characters: {np.mean(found):.4f} nats a character")
    return np.array(found)


def measured(options: argparse.Namespace, writer: Writer, parts: Parts) -> dict[str, Any]:
    """Read the held-out part as it is and learning; nats of the first fifth, of the rest, and of all."""
    language, piece = writer.language_model, options.piece
    learned, text = parts.train[0], parts.validation[0]
    if not options.whole:
        text = text[: round(_FIRST * len(text))]
    model = _network(writer)
    squares = SquaredGradients()
    count = len(read(model, language.encode(learned[: options.measured * piece + 1]), piece, squares))
    sizes = [np.sqrt(ops.convert_to_numpy(one) / count) for one in squares.sums]
    plain = language.score(text, unknown="map")
    ids = np.append(writer.config.start, plain.ids).astype(np.int32)
    learning = read(model, ids, piece, DynamicEvaluation(options.rate, options.decay, sizes))
    lengths = np.minimum(piece, len(text) - piece * np.arange(len(learning)))
    cut = round(_FIRST * len(parts.validation[0])) // piece  # in pieces
    found = {}
    for name, part in (("first", slice(cut)), ("rest", slice(cut, None)), ("all", slice(None))):
        nats, n = (learning * lengths)[part], int(lengths[part].sum())
        if n:
            as_it_is = plain.nats[piece * (part.start or 0) :][:n].mean()
            error = nats.std(ddof=1) * np.sqrt(len(nats)) / n
            found[name] = {"n": n, "plain": as_it_is, "learning": nats.sum() / n, "standard_error": error}
    return found


def run(options: argparse.Namespace) -> dict[str, Any]:
    """Score the shipped writer on the last tenth of Tiny Shakespeare."""
    writer = Writer.from_preset(options.preset)
    found = measured(options, writer, split_text(shakespeare_source().text, "last_tenth"))
    return {"settings": settings(options), "parts": found}


main = command(__name__, __doc__, DYNAMIC, run, OPTIONS)

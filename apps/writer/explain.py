"""Inside the writer: gates and states for a text, units that follow a property, gradients, and the unrolled network."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Literal

import numpy as np

from apps.writer.results import GateView, Step, UnitFit
from data_prep.errors import InputError

if TYPE_CHECKING:
    from apps.writer.application import Writer
    from models.char_lm.language_model import LanguageModel

MOST_TOKENS = 600  # of a text whose gates are shown
MOST_STEPS = 40  # of the unrolled network


def properties() -> tuple[str, ...]:
    """List the properties of a text that units can be compared with."""
    from data_prep.text.text_properties import PROPERTIES

    return tuple(PROPERTIES)


def gate_view(
    model: LanguageModel,
    arrays: Mapping[str, np.ndarray],
    text: str,
    *,
    unknown: Literal["refuse", "map"] = "refuse",
) -> GateView:
    """Compute every gate and state of every unit.

    Args:
        model: The language model.
        arrays: Its weights by path.
        text: One token or more, at most 600.
        unknown: What to do with characters that the model never saw.

    Returns:
        Values behind each token of the text, which is read as one that begins a line.

    Raises:
        InputError: The text is empty, too long, or has unknown characters.
    """
    from models.char_lm.gates import gate_values

    ids = _ids(model, text, 1, unknown)
    layers = gate_values(model.config, arrays, [model.config.start, *ids.tolist()])
    tokens = model.tokens.tokenizer.tokenize(text)
    kept = [{name: values[1:] for name, values in layer.items()} for layer in layers]
    for layer in kept:
        for values in layer.values():
            values.setflags(write=False)
    return GateView(
        text,
        tuple(token.text for token in tokens),
        tuple(token.start for token in tokens),
        model.config.cell,
        tuple(kept),
        model.vocabulary.decode([model.config.start])[0],
    )


def following_units(view: GateView, followed: str, name: str) -> tuple[UnitFit, ...]:
    """Order the units of all layers by how well a gate or state of theirs follows a property of the text.

    Args:
        view: Gates and states.
        followed: Name of a property, one of :func:`properties`.
        name: Name of a gate or state.

    Returns:
        All units, the highest absolute correlation first.

    Raises:
        InputError: There is no such property or gate, or the property is the same everywhere in the text.
    """
    from models.char_lm.gates import rank_units

    found = rank_units(view.layers, property_values(view, followed), name)
    return tuple(UnitFit(fit.layer + 1, fit.unit, fit.correlation) for fit in found)


def property_values(view: GateView, followed: str) -> np.ndarray:
    """Return a property of the text at each token, float64 (tokens,).

    Args:
        view: With the text.
        followed: Name of a property, one of :func:`properties`.

    Raises:
        InputError: There is no such property.
    """
    from data_prep.text.text_properties import PROPERTIES

    if followed not in PROPERTIES:
        raise InputError("There is no such property", allowed=", ".join(PROPERTIES), received=followed)
    return PROPERTIES[followed](view.text)[list(view.starts)].astype(np.float64)


def gradient_lengths(
    model: LanguageModel,
    arrays: Mapping[str, np.ndarray],
    text: str,
    *,
    unknown: Literal["refuse", "map"] = "refuse",
) -> tuple[tuple[float, ...], ...]:
    """Measure how long the gradient of the last token's loss is at each step before it.

    Args:
        model: The language model.
        arrays: Its weights by path.
        text: Two tokens or more, at most 600.
        unknown: What to do with characters that the model never saw.

    Returns:
        For each layer the length of the gradient by its weighted sums z(t), the last step last.

    Raises:
        InputError: The text is too short or too long, or has unknown characters.
    """
    from models.char_lm.gate_gradients import gradient_norms

    ids = _ids(model, text, 2, unknown)
    return tuple(tuple(norms.sums.tolist()) for norms in gradient_norms(model.config, arrays, ids.tolist()))


def unrolled_steps(
    writer: Writer, prompt: str, length: int, *, unknown: Literal["refuse", "map"] = "refuse"
) -> tuple[Step, ...]:
    """Follow the network over a prompt and over what it then writes, always taking the most probable token.

    Args:
        writer: The writer.
        prompt: One token or more.
        length: Tokens to write, 1 or more.
        unknown: What to do with characters that the model never saw.

    Returns:
        One step for each token but the last of prompt and continuation together.

    Raises:
        InputError: The steps are too many to draw, or the prompt has unknown characters.
    """
    model = writer.language_model
    ids = _ids(model, prompt, 1, unknown)
    if not length >= 1 or len(ids) + length > MOST_STEPS:
        raise InputError(
            "The number of steps does not fit the drawing",
            allowed=f"at least 1 behind the prompt, at most {MOST_STEPS} with it",
            received=f"{len(ids)} of the prompt and {length} behind it",
        )
    rows, state = model.logits(np.concatenate([[model.config.start], ids]))
    read, rows = ids.tolist(), rows[1:]
    first = len(model.vocabulary.specials)  # which are never written
    while len(read) < len(ids) + length:
        read.append(first + int(rows[-1, first:].argmax()))
        row, state = model.logits(np.array(read[-1:]), state)
        rows = np.concatenate([rows, row])
    rows = rows.astype(np.float64)
    chances = np.exp(rows - rows.max(axis=1, keepdims=True))
    chances /= chances.sum(axis=1, keepdims=True)
    strings = model.vocabulary.decode(read)
    steps = []
    for at, target in enumerate(read[1:]):
        best = first + int(rows[at, first:].argmax())
        output = model.vocabulary.decode([best])[0]
        shares = float(chances[at, target]), float(chances[at, best])
        steps.append(Step(strings[at], at < len(ids), strings[at + 1], shares[0], output, shares[1]))
    return tuple(steps)


def _ids(model: LanguageModel, text: str, least: int, unknown: Literal["refuse", "map"]) -> np.ndarray:
    ids = model.encode(text, unknown=unknown)
    if not least <= len(ids) <= MOST_TOKENS:
        raise InputError(
            "The length of the text does not fit",
            allowed=f"{least} to {MOST_TOKENS} tokens",
            received=len(ids),
        )
    return ids

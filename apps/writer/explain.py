"""Inside the writer: gates and states for a text, units that follow a property, gradients, and the unrolled network."""

from __future__ import annotations

import numpy as np

from apps.writer.application import Writer, check_prompt
from apps.writer.results import GateView, Step
from data_prep.errors import InputError
from data_prep.text.text_properties import PROPERTIES
from models.char_lm.gate_gradients import gradient_norms
from models.char_lm.gates import UnitFit, gate_values, rank_units
from models.char_lm.language_model import Unknown
from models.serving.operations import softmax

MOST_TOKENS = 600  # of a text whose gates are shown
MOST_STEPS = 40  # of the unrolled network


def gate_view(writer: Writer, text: str, *, unknown: Unknown = "refuse") -> GateView:
    """Compute every gate and state of every unit.

    Args:
        writer: The writer.
        text: One token or more, at most 600.
        unknown: What to do with characters that the model never saw.

    Returns:
        Values after each token of the text, which is read as one that begins a line.

    Raises:
        InputError: The text is empty, too long, or has unknown characters.
    """
    model = writer.language_model
    ids = _ids(writer, text, 1, unknown)
    layers = gate_values(model.config, writer.arrays, [model.config.start, *ids.tolist()])
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
    )


def following_units(view: GateView, followed: str, name: str) -> tuple[UnitFit, ...]:
    """Order the units of all layers by how well a gate or state of theirs follows a property of the text.

    Args:
        view: Gates and states.
        followed: Name of a property, of ``data_prep.text.text_properties.PROPERTIES``.
        name: Name of a gate or state.

    Returns:
        All units, the highest absolute correlation first; layers count from 0.

    Raises:
        InputError: There is no such property or gate, or the property is the same everywhere in the text.
    """
    if followed not in PROPERTIES:
        raise InputError("There is no such property", allowed=", ".join(PROPERTIES), received=followed)
    values = PROPERTIES[followed](view.text)[list(view.starts)]  # (characters,) to (tokens,)
    return rank_units(view.layers, values, name)


def gradient_lengths(
    writer: Writer, text: str, *, unknown: Unknown = "refuse"
) -> tuple[tuple[float, ...], ...]:
    """Measure how long the gradient of the last token's loss is at each step before it.

    Args:
        writer: The writer.
        text: Two tokens or more, at most 600.
        unknown: What to do with characters that the model never saw.

    Returns:
        For each layer the length of the gradient by its weighted sums z(t), the last step last.

    Raises:
        InputError: The text is too short or too long, or has unknown characters.
    """
    ids = _ids(writer, text, 2, unknown)
    return tuple(
        tuple(norms.sums.tolist()) for norms in gradient_norms(writer.config, writer.arrays, ids.tolist())
    )


def unrolled_steps(
    writer: Writer, prompt: str, length: int = 8, *, unknown: Unknown = "refuse"
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
        InputError: The steps are too many to draw, or the prompt is empty or has unknown characters.
    """
    check_prompt(prompt)
    model = writer.language_model
    ids = _ids(writer, prompt, 1, unknown)
    if not length >= 1 or len(ids) + length > MOST_STEPS:
        raise InputError(
            "The number of steps does not fit the drawing",
            allowed=f"at least 1 after the prompt, at most {MOST_STEPS} with it",
            received=f"{len(ids)} of the prompt and {length} after it",
        )
    rows, state = model.logits(np.concatenate([[model.config.start], ids]))
    read, rows = ids.tolist(), rows[1:]
    first = len(model.vocabulary.specials)  # which are never written
    while len(read) < len(ids) + length:
        read.append(first + int(rows[-1, first:].argmax()))
        row, state = model.logits(np.array(read[-1:]), state)
        rows = np.concatenate([rows, row])
    probabilities = softmax(rows)
    strings = model.vocabulary.decode(read)
    steps = []
    for at, target in enumerate(read[1:]):
        best = first + int(rows[at, first:].argmax())
        output = model.vocabulary.decode([best])[0]
        both = float(probabilities[at, target]), float(probabilities[at, best])
        steps.append(Step(strings[at], at < len(ids), strings[at + 1], both[0], output, both[1]))
    return tuple(steps)


def _ids(writer: Writer, text: str, least: int, unknown: Unknown) -> np.ndarray:
    ids = writer.language_model.encode(text, unknown=unknown)
    if not least <= len(ids) <= MOST_TOKENS:
        raise InputError(
            "The length of the text does not fit",
            allowed=f"{least} to {MOST_TOKENS} tokens",
            received=len(ids),
        )
    return ids

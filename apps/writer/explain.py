"""Inside the writer: gates and states for a text, units that follow a property, gradients, and the unrolled network."""

from __future__ import annotations

import numpy as np

from apps.writer.application import Writer
from apps.writer.results import GateView, Step
from data_prep.errors import InputError
from data_prep.text.text_properties import PROPERTIES
from models.char_lm.gates import UnitFit, gate_values, gradient_norms, rank_units
from models.serving.operations import softmax

MOST_TOKENS = 600  # of a text whose gates are shown
MOST_STEPS = 40  # of the unrolled network


def gate_view(writer: Writer, text: str) -> GateView:
    """Compute every gate and state of every unit after each token of a text, which is read as one that begins a line.

    Raises:
        InputError: The text is empty, longer than 600 tokens, or has unknown characters.
    """
    model = writer.language_model
    ids = np.append(model.config.start, _ids(writer, text, 1))
    layers = gate_values(model.config, writer.arrays, ids)
    kept = tuple({name: values[1:] for name, values in layer.items()} for layer in layers)
    for layer in kept:
        for values in layer.values():
            values.setflags(write=False)
    return GateView(text, tuple(model.tokens.tokenizer.tokenize(text)), kept)


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
    starts = [token.start for token in view.tokens]
    values = PROPERTIES[followed](view.text)[starts]  # (characters,) to (tokens,)
    return rank_units(view.layers, values, name)


def gradient_lengths(writer: Writer, text: str) -> list[np.ndarray]:
    """Measure how long the gradient of the last token's loss is at each step before it.

    Returns:
        For each layer the length of the gradient by its weighted sums z(t), the last step last; float64 (steps,).

    Raises:
        InputError: The text has not 2 to 600 tokens, or it has unknown characters.
    """
    return [norms.sums for norms in gradient_norms(writer.config, writer.arrays, _ids(writer, text, 2))]


def unrolled_steps(writer: Writer, prompt: str, length: int = 8) -> tuple[Step, ...]:
    """Follow the network over a prompt and over what it then writes, always taking the most probable token.

    Returns:
        One step for each token but the last of prompt and continuation together.

    Raises:
        InputError: The steps are too many to draw, or the prompt is empty or has unknown characters.
    """
    model = writer.language_model
    start, *read = model.encode_prompt(prompt).tolist()
    given = len(read)
    if not length >= 1 or given + length > MOST_STEPS:
        raise InputError(
            "The number of steps does not fit the drawing",
            allowed=f"at least 1 after the prompt, at most {MOST_STEPS} with it",
            received=f"{given} of the prompt and {length} after it",
        )
    first = len(model.vocabulary.specials)  # which are never written
    logits, state = model.logits(np.array([start, *read]))
    rows = [*logits[1:]]  # after each token of the prompt
    while len(read) < given + length:
        read.append(first + int(rows[-1][first:].argmax()))
        logits, state = model.logits(np.array(read[-1:]), state)
        rows.extend(logits)
    probabilities = softmax(np.array(rows))
    likeliest = first + probabilities[:, first:].argmax(axis=1)
    strings, outputs = (model.vocabulary.decode(ids) for ids in (read, likeliest.tolist()))
    return tuple(
        Step(
            strings[at],
            at < given,
            strings[at + 1],
            float(probabilities[at, read[at + 1]]),
            outputs[at],
            float(probabilities[at, likeliest[at]]),
        )
        for at in range(len(read) - 1)
    )


def _ids(writer: Writer, text: str, least: int) -> np.ndarray:
    ids = writer.language_model.encode(text)
    if not least <= len(ids) <= MOST_TOKENS:
        raise InputError(
            "The length of the text does not fit",
            allowed=f"{least} to {MOST_TOKENS} tokens",
            received=len(ids),
        )
    return ids

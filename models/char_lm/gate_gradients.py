"""How far back a recurrent network learns: the gradient of one prediction's loss, step by step back in time.

Hochreiter 1991 and Bengio, Simard and Frasconi 1994, "Learning long-term dependencies with gradient descent is
difficult".
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import numpy as np

from data_prep.errors import InputError
from models.char_lm.config import CharLMConfig, recurrent_weights
from models.char_lm.gates import checked_ids, network_values
from models.serving.cell_gradients import GradientNorms, layer_gradients


def gradient_norms(
    config: CharLMConfig, arrays: Mapping[str, np.ndarray], ids: Sequence[int]
) -> list[GradientNorms]:
    """Measure how far back the error of one prediction reaches.

    The loss is that of the last token, given all before it; where its gradient has vanished, a step cannot learn from
    it.

    Args:
        config: Of the network.
        arrays: Its weights by path.
        ids: Tokens, int (time + 1,), 2 to 10,001: what is read, and the one to predict.

    Returns:
        For each layer the lengths of the gradient by step.

    Raises:
        InputError: If there are fewer than two ids, too many, or one is outside the vocabulary.
    """
    if len(ids) < 2:
        raise InputError(
            "A prediction needs a token before it", allowed="2 tokens or more", received=len(ids)
        )
    exact = {name: np.asarray(array, np.float64) for name, array in arrays.items() if array.dtype.kind == "f"}
    wanted = int(checked_ids(ids[-1:], config.tokens)[0])
    values = network_values(config, exact, checked_ids(ids[:-1], config.tokens))
    last = np.concatenate([own["hidden"][-1] for own in values[config.layers - 1 :: config.layers]])
    logits = last @ exact["logits/kernel"] + exact["logits/bias"]
    error = np.exp(logits - logits.max())
    error /= error.sum()
    error[wanted] -= 1.0
    by_outputs = np.split(exact["logits/kernel"] @ error, config.members)
    found = []
    for number, weights in reversed(list(enumerate(recurrent_weights(config, exact)))):
        member, place = divmod(number, config.layers)
        if place == config.layers - 1:  # the last layer of a member, which the logits read at the last step
            outside = np.zeros_like(values[number]["hidden"])
            outside[-1] = by_outputs[member]
        norms, outside = layer_gradients(config.cell, weights, values[number], outside)
        found.append(norms)
    return found[::-1]

"""Fine-tuning: a network starts from the weights of a preset."""

from __future__ import annotations

import sys
from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any

from data_prep.errors import InputError
from models.presets.store import Preset
from models.storage.variables import assign_arrays, variable_arrays

if TYPE_CHECKING:
    import keras

_NAMED_WEIGHTS = 5  # that are listed where they do not fit


def take_over(model: keras.Model, preset: Preset, arrays: Mapping[str, Any]) -> None:
    """Put a preset's weights into a network where name and shape agree, and say what could not be taken over.

    Raises:
        InputError: Nothing fits.
    """
    own = variable_arrays(model.weights)
    fitting = {name: a for name, a in arrays.items() if name in own and own[name].shape == a.shape}
    left = [name for name in own if name not in fitting]
    if not any(array.ndim > 1 for array in fitting.values()):  # biases alone are no network
        raise InputError(
            f"The preset {preset.path.name} has no weights that fit this network",
            allowed=_listed(own, list(own)),
            received=_listed(arrays, list(arrays)),
            remedy="Give the same sizes with --set, or start without --from",
        )
    assign_arrays(model.weights, {**own, **fitting})
    print(f"From {preset.path.name}: {len(fitting)} of {len(own)} arrays taken over", file=sys.stderr)
    if left:
        print(f"Not taken over, started at random: {_listed(own, left)}", file=sys.stderr)


def _listed(arrays: Mapping[str, Any], names: Sequence[str]) -> str:
    shown = ", ".join(f"{name} {arrays[name].shape}" for name in names[:_NAMED_WEIGHTS])
    more = len(names) - _NAMED_WEIGHTS
    return shown + (f" and {more} more" if more > 0 else "")

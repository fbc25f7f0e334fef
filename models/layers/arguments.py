"""What a custom layer has to have so that ``keras.models.load_model`` makes it again: a name and its arguments."""

from __future__ import annotations

import inspect
from typing import Any

import keras

registered = keras.saving.register_keras_serializable(package="lectern")


class KeepsArguments:
    """Base of layers whose named arguments are attributes of the same names; stands before the class of Keras."""

    def get_config(self) -> dict[str, Any]:
        """Return every argument."""
        parameters = inspect.signature(type(self)).parameters.values()
        own = [one.name for one in parameters if one.kind not in (one.VAR_POSITIONAL, one.VAR_KEYWORD)]
        return {**super().get_config(), **{name: getattr(self, name) for name in own}}  # type: ignore[misc]

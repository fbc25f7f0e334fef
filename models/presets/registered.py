"""Import this before ``keras.models.load_model``: Keras then knows the layers of every network of this project.

import keras, models.presets.registered
model = keras.models.load_model("mine.keras")
"""

from __future__ import annotations

import pkgutil

from models.presets.kinds import KINDS, kind_named

for _kind in KINDS:
    pkgutil.resolve_name(kind_named(_kind).network)

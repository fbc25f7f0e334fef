"""Lectern's public names: the applications, each opened from a preset.

>>> from lectern import Vectors
>>> Vectors.from_preset().analogy("paris - france + spain").results[0].word  # doctest: +SKIP
'madrid'

They are loaded when they are first asked for; none of them imports TensorFlow to answer.
"""

from __future__ import annotations

import importlib
from typing import Any

_WHERE = {
    "Digits": "apps.digits.application",
    "Reader": "apps.ocr.application",
    "Reviews": "apps.reviews.application",
    "Segmenter": "apps.tagger.application",
    "Tagger": "apps.tagger.application",
    "Vectors": "apps.vectors.application",
    "Writer": "apps.writer.application",
    "InputError": "data_prep.errors",
    "find_presets": "models.presets.search",
    "load_preset": "models.presets.store",
}
__all__ = sorted(_WHERE)


def __getattr__(name: str) -> Any:
    if name == "__version__":
        return importlib.import_module("apps.__main__").VERSION
    if name not in _WHERE:
        raise AttributeError(f"module 'lectern' has no attribute {name!r}; it has {', '.join(__all__)}")
    return getattr(importlib.import_module(_WHERE[name]), name)


def __dir__() -> list[str]:
    return [*__all__, "__version__"]

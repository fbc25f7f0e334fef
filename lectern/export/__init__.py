"""Trained networks for other runtimes: Keras alone, TensorFlow, ONNX Runtime, LiteRT.

>>> from lectern import Tagger
>>> from lectern.export import export
>>> export(Tagger.from_preset(), "tagger_onnx", "onnx")  # doctest: +SKIP

The folder holds the network, its vocabulary and labels, what was compared, and a README whose lines of Python turn raw
input into an answer without Lectern.
"""

from __future__ import annotations

import importlib
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Any

from data_prep.errors import InputError

if TYPE_CHECKING:
    from lectern.export.written import Exported

_KINDS = {
    "char_lm": "writer",
    "digit_cnn": "digits",
    "pos_tagger": "tagger",
    "segmenter": "tagger",
    "text_classifier": "reviews",
    "ocr": "ocr",
}


def export(
    application: Any, out: str | Path, form: str = "onnx", *, quantize: str | None = None, **which: Any
) -> Exported:
    """Write the network of an application for another runtime, check it on 200 inputs, and only then keep it.

    Args:
        application: Of ``lectern``, such as ``Tagger.from_preset()``.
        out: A new or empty folder.
        form: ``"keras"``, ``"saved_model"``, ``"onnx"`` or ``"litert"``.
        quantize: ``"int8"`` for 8-bit weights, in ONNX or LiteRT.
        **which: ``reads="letters"`` or ``"words"``, of a ``Reader`` with both.

    Raises:
        InputError: As :func:`lectern.export.written.write_export`, or the application has no network.
    """
    from lectern.export.written import write_export

    kind = getattr(application, "kind", "ocr")
    if kind not in _KINDS:
        raise InputError(
            "Word vectors are a table and no network",
            allowed=", ".join(_KINDS),
            received=kind,
            remedy="Write them with export --format npz, text or binary",
        )
    module = importlib.import_module(f"lectern.export.{_KINDS[kind]}")
    return write_export(partial(module.exportable, application, **which), out, form, quantize)

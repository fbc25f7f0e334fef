"""The verb ``export`` of every application with a network."""

from __future__ import annotations

import importlib
from typing import Annotated

import typer

from apps.shared.commands import JsonOption, OutFolder, PresetOption, print_result, verb
from models.export.formats import FORMATS

# The verbs of each application, and what each of them opens.
_VERBS = {
    "digits": {"export": "Digits"},
    "ocr": {"export": "Reader"},
    "reviews": {"export": "Reviews"},
    "tagger": {"export": "Tagger", "export-segmenter": "Segmenter"},
    "writer": {"export": "Writer"},
}
FormatOption = Annotated[str, typer.Option("--format", help=f"One of {', '.join(FORMATS)}.")]
QuantizeOption = Annotated[str | None, typer.Option(metavar="int8", help="8-bit weights, in onnx or litert.")]


def with_export(group: typer.Typer, application: str) -> typer.Typer:
    """Add it to the group of an application; word vectors have another one, which writes them as a table."""
    for name, opens in _VERBS.get(application, {}).items():
        _add(group, name, f"apps.{application}.application", opens)
    return group


def _add(group: typer.Typer, name: str, module: str, opens: str) -> None:
    @group.command(name)
    @verb
    def command(
        out: OutFolder,
        form: FormatOption = "onnx",
        quantize: QuantizeOption = None,
        preset: PresetOption = None,
        as_json: JsonOption = False,
    ) -> None:
        """Write the network for other runtimes, checked, with lines of Python that use it without Lectern."""
        from lectern.export import export

        opened = getattr(importlib.import_module(module), opens).from_preset(preset)
        print_result(export(opened, out, form, quantize=quantize), as_json)

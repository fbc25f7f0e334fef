"""``python -m apps serve``: the command of the service."""

from __future__ import annotations

import importlib
from typing import Annotated

import typer

from apps.service.settings import TOKEN_VARIABLE, Limits

_OF = Limits()


def serve(
    host: Annotated[
        str, typer.Option(help=f"Address to listen on; any but this machine's own needs {TOKEN_VARIABLE}.")
    ] = "127.0.0.1",
    port: Annotated[int, typer.Option(min=0, max=65_535, help="Port; 0 takes a free one.")] = 8600,
    body: Annotated[int, typer.Option(help="Bytes of a request, at most.")] = _OF.body,
    characters: Annotated[int, typer.Option(help="Characters of a request, at most.")] = _OF.characters,
    batch: Annotated[int, typer.Option(help="Texts, words or pictures of a request, at most.")] = _OF.batch,
    queue: Annotated[int, typer.Option(help="Requests that wait for one model, at most.")] = _OF.queue,
    seconds: Annotated[float, typer.Option(help="Time for an answer, at most.")] = _OF.seconds,
) -> None:
    """Start the service: the models over HTTP, for programs; Ctrl-C stops it."""
    held = max(_OF.held, body)
    limits = Limits(body=body, held=held, characters=characters, batch=batch, queue=queue, seconds=seconds)
    # By its name: the command line starts without FastAPI and without the applications.
    importlib.import_module("apps.service.server").serve(host, port, limits)

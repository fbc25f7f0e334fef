"""The service: its application, and its process from start to a graceful end."""

from __future__ import annotations

import asyncio
import signal
import socket
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from pathlib import Path

import uvicorn
from fastapi import FastAPI, Request
from fastapi.responses import FileResponse, JSONResponse, RedirectResponse, Response

from apps.service.answers import Answers, Gone
from apps.service.endpoints import router
from apps.service.guard import OPEN, Guard
from apps.service.metrics import Metrics
from apps.service.models import Models
from apps.service.refusals import add_handlers
from apps.service.settings import Limits, token_for
from data_prep.errors import InputError
from models.presets.search import find_presets

_HERE = Path(__file__).parent
_ABOUT = "Lectern's models, asked over HTTP. Every answer is what the application returns; every refusal has one form."


def make_app(limits: Limits, token: str | None = None) -> Guard:
    """Make the application; its models are opened when it is started.

    Args:
        limits: What it allows.
        token: What callers have to give; None where only this machine asks.
    """
    metrics = Metrics()
    models = Models(limits, metrics)

    @asynccontextmanager
    async def lifespan(app: FastAPI) -> AsyncIterator[None]:
        opening = asyncio.create_task(models.open_defaults())
        yield
        opening.cancel()
        await asyncio.to_thread(models.close)

    # FastAPI's own pages load programs from another site: docs.html is the page of this one.
    pages = {
        "docs_url": None,
        "redoc_url": None,
        "telemetry": dict.fromkeys(("tracing", "metrics", "logs"), False),
    }
    app = FastAPI(title="Lectern", version="1", description=_ABOUT, lifespan=lifespan, **pages)
    app.state.answers = Answers(limits, models)
    app.include_router(router)
    add_handlers(app)
    _add_pages(app, models, metrics)
    return Guard(app, {*app.openapi()["paths"], *OPEN}, limits, token, metrics)


def _answer_with(path: Path, kind: str) -> Callable[[], Awaitable[Response]]:
    """Make what answers with a file; it takes nothing, for what it took could be asked for in the address."""

    async def page() -> Response:
        return FileResponse(path, media_type=kind)

    return page


def _add_pages(app: FastAPI, models: Models, metrics: Metrics) -> None:
    """Add what is not asked of a model."""

    @app.get("/healthz", tags=["operation"], summary="Whether the process answers")
    async def healthz() -> dict[str, str]:
        return {"status": "ok"}

    @app.get("/readyz", tags=["operation"], summary="Whether the shipped models are opened")
    async def readyz() -> Response:
        status = "ready" if models.opened else models.failure or "opening the models"
        return JSONResponse({"status": status}, 200 if models.opened else 503)

    @app.get("/metrics", tags=["operation"], summary="Counters, for Prometheus")
    async def counters() -> Response:
        return Response(metrics.text(), media_type="text/plain; version=0.0.4; charset=utf-8")

    @app.get("/v1/presets", summary="Presets that can be named")
    def presets() -> dict[str, list[dict[str, str]]]:
        return {"presets": [{"name": one.name, "kind": one.kind} for one in find_presets()]}

    @app.get("/", include_in_schema=False)
    async def start() -> Response:
        return RedirectResponse("/docs")

    for name, kind in (("docs", "text/html"), ("docs.js", "text/javascript"), ("docs.css", "text/css")):
        path = _HERE / (name if "." in name else f"{name}.html")
        app.add_api_route(f"/{name}", _answer_with(path, kind), include_in_schema=False)

    @app.exception_handler(Gone)
    async def gone(request: Request, error: Gone) -> Response:
        return Response(status_code=499)  # nobody reads it; the counters do


def serve(host: str, port: int, limits: Limits) -> None:
    """Serve until SIGTERM or Ctrl-C; requests that have begun are answered before the end.

    Raises:
        InputError: The address needs a token, or cannot be listened on.
    """
    app = make_app(limits, token_for(host))
    quiet = {"access_log": False, "log_level": "warning", "server_header": False, "proxy_headers": False}
    graceful = int(limits.seconds) + 1
    config = uvicorn.Config(
        app, host.strip("[]"), port, lifespan="on", ws="none", timeout_graceful_shutdown=graceful, **quiet
    )
    try:
        listening = config.bind_socket()
    except SystemExit:  # uvicorn has logged why
        raise InputError(f"{host}:{port} cannot be listened on", remedy="Choose another --port") from None
    # Connections inherit it. Without it an answer's body waits up to 40 ms for the receipt of its headers.
    listening.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
    listening.listen(config.backlog)  # whoever reads the next line can ask at once
    shown = f"[{config.host}]" if ":" in config.host else config.host
    print(
        f"Lectern service: http://{shown}:{listening.getsockname()[1]}/docs   (stop with Ctrl-C)", flush=True
    )
    for number in (signal.SIGTERM, signal.SIGINT):  # uvicorn sends them again when it has ended well
        signal.signal(number, lambda *_: None)
    uvicorn.Server(config).run(sockets=[listening])

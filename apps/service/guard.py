"""What stands before every request: who may ask, how large a body may be, headers of safety, and the counters.

Plain ASGI, so that it also sees what never reaches an address, and the end of a stream.
"""

from __future__ import annotations

import asyncio
import time
from collections.abc import Awaitable, Callable, MutableMapping
from typing import Any

from apps.service.bodies import FORM_TYPE, JSON_TYPE
from apps.service.metrics import Metrics
from apps.service.refusals import Refused, refused
from apps.service.settings import LOOPBACK_NAMES, Limits, is_loopback, same_token

Message = MutableMapping[str, Any]
Receive = Callable[[], Awaitable[Message]]
Send = Callable[[Message], Awaitable[None]]

OPEN = ("/healthz", "/readyz", "/", "/docs", "/docs.js", "/docs.css", "/openapi.json")  # without a token
HEADERS = {
    "cache-control": "no-store",
    "content-security-policy": "default-src 'none'; script-src 'self'; style-src 'self'; connect-src 'self'; "
    "img-src 'self' data:; base-uri 'none'; form-action 'none'; frame-ancestors 'none'",
    "cross-origin-opener-policy": "same-origin",
    "cross-origin-resource-policy": "same-origin",
    "referrer-policy": "no-referrer",
    "x-content-type-options": "nosniff",
    "x-frame-options": "DENY",
}
_ENCODED = [(name.encode(), value.encode()) for name, value in HEADERS.items()]
_VALUES = 1_000  # of a body besides the characters of its texts
_DRAINED = (
    4  # times the largest body: read and thrown away, so that a client that only writes sees the answer
)


class Guard:
    """Wraps the application.

    Args:
        app: The application.
        addresses: What is counted by name; everything else is counted as one.
        limits: Of the service.
        token: What callers give; None where none is needed, and then only this machine's own names are answered.
        metrics: Where it is counted.
    """

    def __init__(
        self, app: Any, addresses: set[str], limits: Limits, token: str | None, metrics: Metrics
    ) -> None:
        self.app, self._addresses, self._limits = app, addresses, limits
        self._asked = addresses.difference(OPEN)
        self._token, self._metrics = token, metrics
        self._held = 0  # bytes of all bodies

    async def __call__(self, scope: MutableMapping[str, Any], receive: Receive, send: Send) -> None:
        """Answer a request."""
        if scope["type"] != "http":
            await self.app(scope, receive, send)
            return
        begun, status = time.perf_counter(), 499

        async def sending(message: Message) -> None:
            nonlocal status
            if message["type"] == "http.response.start":
                status = message["status"]
                message["headers"] = [*message.get("headers", ()), *_ENCODED]
            await send(message)

        try:
            await self._guarded(scope, receive, sending)
        finally:
            address = scope["path"] if scope["path"] in self._addresses else "other"
            self._metrics.requests.labels(address, status).inc()
            self._metrics.seconds.labels(address).observe(time.perf_counter() - begun)

    async def _guarded(self, scope: MutableMapping[str, Any], receive: Receive, send: Send) -> None:
        headers = {name.decode("latin-1"): value.decode("latin-1") for name, value in scope["headers"]}
        body = b""
        try:
            self._check(scope, headers)
            # What needs no token reads no body: nobody else may fill the bytes that are held.
            if scope["method"] == "POST" and scope["path"] in self._asked:
                body = await self._body(receive)
            await self.app(scope, _again(body, receive), send)
        except Refused as error:
            await error.response()(scope, receive, send)
        finally:
            self._held -= len(body)

    def _check(self, scope: MutableMapping[str, Any], headers: dict[str, str]) -> None:
        """Refuse what may not be asked, by the first line and the headers alone."""
        host = headers.get("host", "")
        if self._token is None and not is_loopback(_name(host)):
            raise refused(
                403, "The host is not this machine", allowed=", ".join(LOOPBACK_NAMES), received=host
            )
        if (origin := headers.get("origin")) and origin.partition("://")[2] != host:
            raise refused(403, "Another site's page may not ask", allowed=host, received=origin)
        if self._token is not None and scope["path"] not in OPEN:
            kind, _, given = headers.get("authorization", "").partition(" ")
            if kind.lower() != "bearer" or not same_token(given, self._token):
                raise refused(
                    401,
                    "The token is missing or wrong",
                    allowed="Authorization: Bearer TOKEN",
                    headers={"WWW-Authenticate": "Bearer"},
                )
        if scope["method"] == "POST" and scope["path"] in self._addresses:
            kind = headers.get("content-type", "").partition(";")[0].strip().lower()
            allowed = (JSON_TYPE, FORM_TYPE) if scope["path"] in ("/v1/read", "/v1/digit") else (JSON_TYPE,)
            if kind not in allowed:
                raise refused(
                    415,
                    "The content type does not fit",
                    allowed=" or ".join(allowed),
                    received=kind or "none",
                )

    async def _body(self, receive: Receive) -> bytes:
        """Read a body in bounded memory and time."""
        chunks: list[bytes] = []
        size, most = 0, self._limits.body
        try:
            async with asyncio.timeout(self._limits.seconds):
                more = True
                while more and size <= _DRAINED * most:
                    message = await receive()
                    if message["type"] == "http.disconnect":
                        raise refused(400, "The client left before the body ended")
                    chunk, more = message.get("body", b""), message.get("more_body", False)
                    size += len(chunk)
                    if size <= most:
                        chunks.append(chunk)
                        self._held += len(chunk)
                        if self._held > self._limits.held:
                            raise refused(429, "Too many bytes are worked on", headers={"Retry-After": "1"})
            if size > most:
                received = f"{size:,} bytes or more"
                raise refused(
                    413, "The body is too large", allowed=f"at most {most:,} bytes", received=received
                )
            if sum(chunk.count(b",") for chunk in chunks) > self._limits.characters + _VALUES:
                raise refused(413, "The body has too many values")  # each can become a message of its own
            return b"".join(chunks)
        except BaseException as error:
            self._held -= sum(map(len, chunks))
            if isinstance(error, TimeoutError):
                allowed = f"{self._limits.seconds:g} s"
                raise refused(408, "The body came too slowly", allowed=allowed) from None
            raise


def _name(host: str) -> str:
    """``localhost:8600`` to ``localhost``, ``[::1]:8600`` to ``[::1]``."""
    return host[: host.find("]") + 1] if host.startswith("[") else host.partition(":")[0]


def _again(body: bytes, receive: Receive) -> Receive:
    """Give a body that was read already, then what comes after it."""
    given = False

    async def receive_again() -> Message:
        nonlocal given
        if given:
            return await receive()
        given = True
        return {"type": "http.request", "body": body, "more_body": False}

    return receive_again

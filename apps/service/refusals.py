"""One form of error for everything that the service refuses: what is wrong, what is allowed, what was received."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from fastapi import FastAPI, Request
from fastapi.exceptions import RequestValidationError
from fastapi.responses import JSONResponse
from pydantic import BaseModel
from starlette.exceptions import HTTPException

from apps.service.pools import Busy, WrongItem
from data_prep.errors import InputError, shortened
from data_prep.fields import in_words


class Problem(BaseModel):
    """Why a request was refused; fields that say nothing are null."""

    what: str
    allowed: str | None = None
    received: str | None = None
    remedy: str | None = None


class Refusal(BaseModel):
    """The body of every answer that is an error."""

    error: Problem


class Refused(Exception):
    """A request that is refused with a status of its own."""

    def __init__(self, status: int, problem: Problem, headers: dict[str, str] | None = None) -> None:
        super().__init__(problem.what)
        self.status, self.problem, self.headers = status, problem, headers

    def response(self) -> JSONResponse:
        """Make the answer."""
        return JSONResponse(Refusal(error=self.problem).model_dump(), self.status, self.headers)


def refused(
    status: int,
    what: str,
    *,
    allowed: str | None = None,
    received: object = None,
    remedy: str | None = None,
    headers: dict[str, str] | None = None,
) -> Refused:
    """Make a refusal; what was received is shortened."""
    shown = None if received is None else received if isinstance(received, str) else shortened(received)
    return Refused(status, Problem(what=what, allowed=allowed, received=shown, remedy=remedy), headers)


def of_input(error: InputError, where: str = "") -> Refused:
    """Make a refusal of wrong input, with the place in the request where it is."""
    problem = f"{where}: {error.problem}" if where else error.problem
    received = None if error.received is None else shortened(error.received)
    return refused(422, problem, allowed=error.allowed, received=received, remedy=error.remedy)


def of_validation(errors: Sequence[Any]) -> Refused:
    """Make a refusal of the first thing in a body that does not fit."""
    first = errors[0]
    kind, place = first["type"], _place(first["loc"])
    if kind == "json_invalid":
        return refused(400, "The body is no JSON", allowed="a JSON object in UTF-8", received=first["msg"])
    if kind == "missing":
        return refused(422, f"{place} is missing", allowed="see /openapi.json")
    if kind == "extra_forbidden":
        return refused(422, f"There is no field {place}", allowed="see /openapi.json")
    given = first.get("input")
    received = (
        type(given).__name__ if isinstance(given, dict | list) else shortened(given)
    )  # they can be deep
    return refused(422, f"{place} does not fit", allowed=in_words(first["msg"]), received=received)


def _place(parts: Sequence[Any]) -> str:
    """``("body", "texts", 3)`` to ``texts[3]``."""
    text = ""
    for part in parts[1 if parts[:1] == ("body",) else 0 :]:
        text += f"[{part}]" if isinstance(part, int) else f".{part}" if text else str(part)
    return (shortened(text)[1:-1] if len(text) > 80 else text) or "The body"


def add_handlers(app: FastAPI) -> None:
    """Turn everything that is raised into the one form."""

    @app.exception_handler(Refused)
    async def refusal(request: Request, error: Refused) -> JSONResponse:
        return error.response()

    @app.exception_handler(InputError)
    async def wrong(request: Request, error: InputError) -> JSONResponse:
        return of_input(error).response()

    @app.exception_handler(WrongItem)
    async def wrong_item(request: Request, error: WrongItem) -> JSONResponse:
        return of_input(error.error, f"{request.state.field}[{error.at}]").response()

    @app.exception_handler(Busy)
    async def full(request: Request, error: Busy) -> JSONResponse:
        headers = {"Retry-After": str(error.seconds)}
        return refused(429, "Too many requests wait for this model", headers=headers).response()

    @app.exception_handler(RequestValidationError)
    async def invalid(request: Request, error: RequestValidationError) -> JSONResponse:
        return of_validation(error.errors()).response()

    @app.exception_handler(HTTPException)
    async def http(request: Request, error: HTTPException) -> JSONResponse:
        if error.status_code == 404:
            return refused(404, "There is nothing at this address", allowed="see /docs").response()
        if error.status_code == 405:
            allowed = (error.headers or {}).get("Allow")
            headers = {"Allow": allowed} if allowed else None
            return refused(
                405, "This method does not fit the address",
                allowed=allowed, received=request.method, headers=headers,
            ).response()  # fmt: skip
        if error.status_code == 400:
            return refused(400, "The body cannot be read", allowed="a JSON object in UTF-8").response()
        return refused(error.status_code, str(error.detail), headers=dict(error.headers or {})).response()

    @app.exception_handler(Exception)
    async def defect(request: Request, error: Exception) -> JSONResponse:
        return refused(500, "The service failed; its log has the reason").response()

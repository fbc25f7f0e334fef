"""What a request holds, checked: fields by name, nothing else; pictures in a form of files or as base64."""

from __future__ import annotations

import base64
import binascii
from collections.abc import Sequence
from typing import Annotated, Any, Literal

from fastapi import Request
from fastapi.exceptions import RequestValidationError
from pydantic import BaseModel, ConfigDict, Field, ValidationError
from starlette.datastructures import UploadFile

from apps.service.refusals import Refused, refused
from apps.service.settings import Limits
from data_prep.errors import InputError
from models.char_lm.generator import MAX_BATCH

JSON_TYPE, FORM_TYPE = "application/json", "multipart/form-data"
_FIELDS = 8  # of a form, besides its files

TopN = Annotated[int, Field(ge=1, le=1000, description="Answers for each.")]
Preset = Annotated[str | None, Field(description="Name of a preset; the shipped one without it.")]


class Body(BaseModel):
    """Base of all bodies: nothing is converted, and a field that is not known is refused."""

    model_config = ConfigDict(extra="forbid", strict=True, allow_inf_nan=False)


class Texts(Body):
    """Texts to tag or to classify."""

    texts: Annotated[list[str], Field(fail_fast=True, examples=[["Dogs bark."]])]
    preset: Preset = None


class Expressions(Body):
    """Analogies to answer."""

    expressions: Annotated[list[str], Field(fail_fast=True, examples=[["paris - france + spain"]])]
    topn: TopN = 10
    method: Literal["add", "multiply"] = "add"
    allow_query_words: bool = False
    ignore_unknown: bool = False
    preset: Preset = None


class Words(Body):
    """Words whose neighbours are wanted."""

    words: Annotated[list[str], Field(fail_fast=True, examples=[["paris"]])]
    topn: TopN = 10
    preset: Preset = None


class Prompt(Body):
    """What to write, and how; the settings are those of ``python -m apps writer generate``."""

    prompt: Annotated[str, Field(examples=["ROMEO:\n"])]
    length: int = 300
    temperature: float = 0.8
    top_k: int | None = None
    top_p: float | None = None
    seed: int = 0
    stop: str | None = None
    unknown: Literal["refuse", "map"] = "refuse"
    samples: Annotated[int, Field(ge=1, le=MAX_BATCH, description="Texts; over 1 only without a stream.")] = 1
    stream: Annotated[bool, Field(description="Events as it is written, or one answer at the end.")] = True
    preset: Preset = None

    def settings(self) -> dict[str, Any]:
        """Return what the writer is given."""
        return self.model_dump(exclude={"prompt", "samples", "stream", "preset"})


class Pictures(Body):
    """Pictures of digits or words: base64 in JSON."""

    pictures: Annotated[list[str], Field(fail_fast=True, description="PNG or JPEG, base64.")]
    preset: Preset = None


class WordPictures(Pictures):
    """Pictures of words, or of the letters of one word."""

    letters: Annotated[bool, Field(description="The pictures are the letters of one word, in order.")] = False


def check_items(items: Sequence[str | bytes], limits: Limits, name: str) -> None:
    """Refuse no item, too many of them, or too many characters in them.

    Raises:
        InputError: Says which.
    """
    if not 1 <= len(items) <= limits.batch:
        raise InputError(
            f"{name} has {'too many entries' if items else 'no entry'}",
            allowed=f"1 to {limits.batch:,}",
            received=len(items),
        )
    characters = sum(len(item) for item in items if isinstance(item, str))
    if characters > limits.characters:
        raise InputError(
            f"{name} has too many characters",
            allowed=f"at most {limits.characters:,} in one request",
            received=characters,
        )


async def pictures_in(request: Request, kind: type[Pictures], limits: Limits) -> tuple[list[bytes], Any]:
    """Read pictures from a form or from JSON, and the other fields.

    Raises:
        Refused: The body is no such form.
        RequestValidationError: A field does not fit.
        InputError: A picture is no base64, or there are too few or too many.
    """
    if request.headers.get("content-type", "").partition(";")[0].strip().lower() == FORM_TYPE:
        fields, files = await _form(request, limits)
    else:
        fields, files = await request.body(), None
    try:
        if files is None:
            body = kind.model_validate_json(fields)
        else:
            body = kind.model_validate({**fields, "pictures": []}, strict=False)
    except ValidationError as error:
        raise RequestValidationError(error.errors()) from None
    check_items(body.pictures if files is None else files, limits, "pictures")
    return [_decoded(one, at) for at, one in enumerate(body.pictures)] if files is None else files, body


async def _form(request: Request, limits: Limits) -> tuple[dict[str, str], list[bytes]]:
    fields: dict[str, str] = {}
    files = []
    try:
        async with request.form(max_files=limits.batch + 1, max_fields=_FIELDS) as form:
            for name, value in form.multi_items():
                if isinstance(value, UploadFile) != (name == "pictures"):
                    raise refused(422, f"There is no such field {name!r:.40}", allowed="files named pictures")
                if isinstance(value, UploadFile):
                    files.append(await value.read())
                else:
                    fields[name] = value
    except Refused:
        raise
    except Exception as error:  # Starlette raises its own, the parser others
        raise refused(
            400,
            "The form cannot be read",
            allowed=f"{FORM_TYPE} with files named pictures",
            received=str(error)[:80],
        ) from error
    return fields, files


def _decoded(text: str, at: int) -> bytes:
    try:
        return base64.b64decode(text, validate=True)
    except (binascii.Error, ValueError):
        allowed = "a PNG or JPEG as base64, without data: before it"
        raise InputError(f"pictures[{at}] is no base64", allowed=allowed, received=text) from None

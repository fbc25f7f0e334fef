"""The addresses under /v1: one a question, each a list of things to answer."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from fastapi import APIRouter, Request
from fastapi.responses import Response

from apps.service.answers import Answers
from apps.service.bodies import (
    FORM_TYPE,
    JSON_TYPE,
    Expressions,
    Pictures,
    Prompt,
    Texts,
    WordPictures,
    Words,
    check_items,
    pictures_in,
)
from apps.service.pools import WrongItem
from apps.service.refusals import Refusal
from apps.service.uses import (
    CLASSIFY,
    DIGIT,
    READ,
    READ_LETTERS,
    TAG,
    VECTORS,
    classified,
    digits_of,
    tagged,
    words_of,
    words_of_letters,
)
from apps.vectors.application import Vectors
from data_prep.errors import InputError

_STATUSES = {
    400: "The body cannot be read.",
    401: "The token is missing or wrong.",
    413: "The body is too large.",
    415: "The body has another content type.",
    422: "A field, a text or a picture does not fit.",
    429: "Too many requests wait; Retry-After says for how many seconds.",
    503: "The answer took too long.",
}
router = APIRouter(
    prefix="/v1",
    responses={status: {"model": Refusal, "description": text} for status, text in _STATUSES.items()},
)


def _answers(request: Request) -> Answers:
    return request.app.state.answers


def _pictures(kind: type[Pictures]) -> dict[str, Any]:
    """Describe a body that is read by hand: JSON with base64, or a form of files."""
    schema = kind.model_json_schema()
    form = {**schema, "properties": dict(schema["properties"])}
    form["properties"]["pictures"] = {"type": "array", "items": {"type": "string", "format": "binary"}}
    content = {JSON_TYPE: {"schema": schema}, FORM_TYPE: {"schema": form}}
    return {"requestBody": {"required": True, "content": content}}


@router.post("/tag", summary="Parts of speech")
async def tag(request: Request, body: Texts) -> Response:
    """Tag texts: for each its sentences, with tags, probabilities and alternatives of every word."""
    return await _answers(request).items(request, TAG, body.preset, "texts", body.texts, tagged)


@router.post("/classify", summary="What documents are")
async def classify(request: Request, body: Texts) -> Response:
    """Say what documents are; reviews_imdb (good or bad) without a preset, topics_bbc for topics."""
    return await _answers(request).items(request, CLASSIFY, body.preset, "texts", body.texts, classified)


@router.post("/analogy", summary="Analogies of words")
async def analogy(request: Request, body: Expressions) -> Response:
    """Answer expressions over words."""
    options = body.model_dump(exclude={"expressions", "preset"})

    def answered(vectors: Vectors, expressions: Sequence[str]) -> Sequence[Any]:
        return [vectors.analogy(expression, **options) for expression in expressions]

    field = ("expressions", body.expressions)
    return await _answers(request).items(request, VECTORS, body.preset, *field, answered)


@router.post("/neighbours", summary="The words nearest to words")
async def neighbours(request: Request, body: Words) -> Response:
    """Give for each word the nearest words and their cosines."""

    def answered(vectors: Vectors, words: Sequence[str]) -> Sequence[Any]:
        return [vectors.neighbours(word, body.topn) for word in words]

    return await _answers(request).items(request, VECTORS, body.preset, "words", body.words, answered)


@router.post("/generate", summary="Writing, as it is written")
async def generate(request: Request, body: Prompt) -> Response:
    """Go on from a prompt. With stream the answer is text/event-stream: events piece, then done, or error."""
    answers = _answers(request)
    limits = answers.limits
    check_items([body.prompt], limits, "prompt")
    if body.samples < 1 or body.length < 1 or body.samples * body.length > limits.tokens:
        raise InputError(
            "length and samples do not fit",
            allowed=f"1 or more each, samples x length at most {limits.tokens:,}",
            received=f"{body.samples} x {body.length}",
        )
    if body.stream and body.samples > 1:
        raise InputError("A stream is one text", allowed="samples 1, or stream false", received=body.samples)
    return await answers.write(request, body)


@router.post("/digit", summary="Digits in pictures", openapi_extra=_pictures(Pictures))
async def digit(request: Request) -> Response:
    """Say which digit each picture shows."""
    answers = _answers(request)
    pictures, body = await pictures_in(request, Pictures, answers.limits)
    return await answers.items(request, DIGIT, body.preset, "pictures", pictures, digits_of)


@router.post("/read", summary="Handwritten words in pictures", openapi_extra=_pictures(WordPictures))
async def read(request: Request) -> Response:
    """Read the word in each picture; with letters the pictures are the letters of one word."""
    answers = _answers(request)
    pictures, body = await pictures_in(request, WordPictures, answers.limits)
    if body.letters:
        field = ("pictures", [pictures])
        try:
            return await answers.items(request, READ_LETTERS, body.preset, *field, words_of_letters)
        except WrongItem as wrong:  # the one word; its error says which letter
            raise wrong.error from None
    return await answers.items(request, READ, body.preset, "pictures", pictures, words_of)

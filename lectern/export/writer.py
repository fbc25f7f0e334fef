"""What is exported of a writer."""

from __future__ import annotations

import json
from typing import Any

from data_prep.batching import pad
from data_prep.errors import InputError
from data_prep.files import toml_beside
from data_prep.text.made_texts import made_reviews
from lectern.export.written import INPUTS, Exportable

_LENGTH, _PROMPT = 60, 5  # tokens
_CUTS = {"char": ("prompt", '""'), "word": ("prompt.split()", '" "')}


def exportable(writer: Any) -> Exportable:
    """Give network and tokens, of an application ``Writer``.

    Raises:
        InputError: Its tokens are word pieces, which a few lines do not cut.
    """
    model, config = writer.language_model, writer.config
    if config.tokenizer not in _CUTS:
        raise InputError("A writer of word pieces is not exported", allowed="one of characters or words")
    cut, joiner = _CUTS[config.tokenizer]
    ids = [model.encode(text, unknown="map")[:_LENGTH] for text in made_reviews(INPUTS, 1).texts]
    first, tokens = len(model.vocabulary.specials), list(model.vocabulary)
    prompt = json.loads(joiner).join(tokens[at] for at in range(first, min(first + _PROMPT, len(tokens))))
    if config.tokenizer == "char" and set("ROMEO:") <= set(tokens):
        prompt = "ROMEO:"
    code = toml_beside(__file__)["code"]
    for name, value in {
        "cut": cut,
        "joiner": joiner,
        "first": str(first),
        "prompt": json.dumps(prompt),
    }.items():
        code = code.replace(f"{{{name}}}", value)
    return Exportable(
        "Tokens of a text to what comes next",
        writer.keras_model(),
        ids,
        lambda some: {"ids": pad(some).values},
        {"vocabulary.json": {"tokens": tokens, "start": int(config.start)}},
        code,
    )

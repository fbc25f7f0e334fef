"""Texts of model cards, which stand as data beside the code that fills them in."""

from __future__ import annotations

import tomllib
from pathlib import Path

from models.presets.card import CardText


def card(file: str, name: str, /, **facts: object) -> CardText:
    """Fill in one text of ``cards.toml``.

    Args:
        file: ``__file__`` of a module beside it.
        name: Of the text: a table of the file with the fields of ``CardText``.
        facts: What stands in braces.
    """
    texts = tomllib.loads(Path(file).with_name("cards.toml").read_text(encoding="utf-8"))[name]
    return CardText(**{part: text.format(**facts) for part, text in texts.items()})

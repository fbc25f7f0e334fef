"""Texts of model cards, which stand as data beside the code that fills them in."""

from __future__ import annotations

from collections.abc import Mapping

from data_prep.files import toml_beside
from models.presets.card import CardText


def card(file: str, name: str, /, **facts: object) -> CardText:
    """Fill in one text of the ``cards.toml`` beside a module (its ``__file__``), with facts for what stands in braces.

    The text is a table with the fields of ``CardText``.
    """
    return filled(toml_beside(file, "cards.toml")[name], **facts)


def filled(texts: Mapping[str, str], /, **facts: object) -> CardText:
    """Fill in a text that was read already, given as the fields of ``CardText``."""
    return CardText(**{part: text.format(**facts) for part, text in texts.items()})

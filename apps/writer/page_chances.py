"""What can come next, as bars: before and after temperature, top-k and top-p."""

from __future__ import annotations

from collections.abc import Sequence

import plotly.graph_objects as go

from apps.shared import charts
from apps.shared.letters import shown
from apps.shared.style import palette
from apps.writer.results import NextTokens, TokenChance

_SHOWN = 8


def before_and_after(following: NextTokens, actual: str | None) -> go.Figure:
    """Draw the likeliest tokens twice: as the model has them, and as they are drawn.

    Args:
        following: All tokens that can come next.
        actual: The token that stands there, which is always shown; None for none.

    Returns:
        The picture.
    """
    colours = palette()
    rows = list(following.tokens[:_SHOWN])
    rows += [token for token in following.tokens[_SHOWN:] if token.token == actual]
    names = [_name(token.token, actual) for token in rows]
    return charts.grouped_bars(
        names,
        {
            "the model": [100 * token.probability for token in rows],
            "drawn from": [100 * token.chance for token in rows],
        },
        x_title="probability, %",
        colours={"the model": colours.muted, "drawn from": colours.ours},
        number=".3~g",
    )


def alternatives(actual: str, probability: float, found: Sequence[TokenChance]) -> go.Figure:
    """Draw the token that stands there among the five likeliest.

    Args:
        actual: That token.
        probability: What the model gives it, 0 to 1.
        found: The likeliest ones.

    Returns:
        The picture.
    """
    colours = palette()
    rows = list(found)
    if all(other.token != actual for other in rows):
        rows.append(TokenChance(actual, probability))
    return charts.bars(
        [_name(other.token, actual) for other in rows],
        [100 * other.probability for other in rows],
        x_title="probability, %",
        colour=[colours.peer if other.token == actual else colours.ours for other in rows],
        number=".3~g",
    )


def _name(token: str, actual: str | None) -> str:
    return f"{shown(token)} ←" if token == actual else shown(token)

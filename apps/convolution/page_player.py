"""A kernel that walks over a picture, position by position: a small component of the page.

What it sends back is a number from the visitor's browser: it counts only if it is the number of a position.
"""

from __future__ import annotations

import streamlit as st

from apps.convolution.digit import ConvolvedDigit
from apps.shared.page import component
from apps.shared.style import palette

_player = component("lectern_player", __file__)


def player(digit: ConvolvedDigit, relu: bool, at: int, *, key: str, parameter: str) -> None:
    """Draw the player at a position, row by row; where it rests goes into the page's address."""
    colours, last = palette(), digit.output.size - 1

    def take() -> None:
        found = (st.session_state.get(key) or {}).get("at")
        if type(found) is int and 0 <= found <= last:
            st.query_params[parameter] = str(found)

    _player(
        key=key,
        data={
            "image": digit.image.round(4).tolist(),
            "kernel": digit.kernel.round(5).tolist(),
            "output": digit.output.round(4).tolist(),
            "before": digit.rule.before,
            "stride": digit.rule.stride,
            "dilation": digit.rule.dilation,
            "bias": round(digit.bias, 5),
            "relu": relu,
            "at": min(at, last),
            "label": "The picture and the window of the kernel",
            "colours": {
                "positive": colours.positive,
                "negative": colours.negative,
                "frame": colours.peer,
                "muted": colours.muted,
                "ground": colours.ground,
            },
        },
        on_at_change=take,
    )


def linked_position(parameter: str, default: int) -> int:
    """Take the position from the page's address; the default where it has no whole number of at most six digits."""
    text = st.query_params.get(parameter, "")
    return int(text) if text.isascii() and text.isdigit() and len(text) <= 6 else default

"""A canvas to draw on with mouse, pen or finger: a small component of the page, in any width and height.

What it sends back is a text from the visitor's browser: it counts only if it is a drawing of the canvas's size.
"""

from __future__ import annotations

import numpy as np
import streamlit as st
from PIL.ImageColor import getrgb

from apps.shared.drawn_pictures import from_canvas, from_link, to_base64, to_link
from apps.shared.language import _
from apps.shared.page import component, input_errors
from apps.shared.style import palette
from data_prep.errors import InputError

LINK = "drawing"  # query parameter of the page's address that holds what is drawn
_canvas = component("lectern_canvas", __file__)


def canvas(
    *,
    key: str,
    label: str,
    width: int,
    height: int,
    pen: float,
    shown: int,
    store: str,
    example: np.ndarray | None = None,
) -> np.ndarray | None:
    """Draw a canvas whose drawing stands in the page's address, and give what is drawn on it.

    Args:
        key: Its unique name on the page.
        label: What a screen reader says.
        width: Of the grid of ink that it gives, in pixels; strokes are drawn four times as fine.
        height: Likewise; a wide canvas takes a word.
        pen: Width of a stroke in pixels of the grid.
        shown: Largest width on the screen, in pixels.
        store: Name in the session's state that holds the drawing while the canvas is out of sight; put an array in it,
            before the canvas is drawn, to begin with it.
        example: Ink uint8 (height, width) that is seen until something is drawn: the first stroke replaces it.

    Returns:
        Ink uint8 (height, width), 0 for paper; None for an empty canvas, or one with the example. A damaged drawing or
        address is told on the page and gives None.
    """
    state, text = st.session_state, st.query_params.get(LINK)
    problem, fresh, taken, version = (f"{store} {name}" for name in ("problem", "fresh", "taken", "version"))

    def take() -> None:
        sent = (state.get(key) or {}).get("drawing")
        state[problem], state[fresh], state[store] = None, True, None
        try:
            state[store] = None if sent is None else from_canvas(sent, width, height)
        except InputError as error:
            state[problem] = error

    # What was drawn just now is newer than the address that the browser sent along with it.
    if not state.pop(fresh, False) and text not in (None, state.get(taken)):
        state[taken] = text
        with input_errors():
            state[store] = from_link(text, width, height)
            state[version] = state.get(version, 0) + 1
    drawn = state.get(store)
    begins = drawn is None and store not in state and example is not None
    data = {"width": width, "height": height, "pen": pen, "shown": shown, "label": label, "example": begins}
    # The browser keeps its own, finer drawing; it takes this one when it begins, or when it is another one.
    seen = example if begins else drawn
    data |= {"version": state.get(version, 0), "drawing": "" if seen is None else to_base64(seen)}
    data |= {"colour": list(getrgb(palette().text)), "undo": _("Undo"), "clear": _("Clear")}
    _canvas(key=key, data=data, on_drawing_change=take)
    with input_errors():
        if state.get(problem):
            raise state[problem]
    ink = drawn if drawn is not None and drawn.any() else None
    state[taken] = _to_address(ink, state.get(taken))
    return ink


def _to_address(ink: np.ndarray | None, taken: str | None) -> str | None:
    """Write a drawing into the page's address, or nothing; return what was taken from there, or put there."""
    text = None if ink is None else to_link(ink)
    if text == st.query_params.get(LINK):
        return taken
    st.query_params.pop(LINK, None)
    if text is not None:
        st.query_params[LINK] = text
    return text

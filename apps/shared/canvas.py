"""A canvas to draw on with mouse, pen or finger: a small component of the page, in any width and height.

What it sends back is a text from the visitor's browser: it counts only if it is a drawing of the canvas's size.
"""

from __future__ import annotations

from typing import Any

import numpy as np
import streamlit as st

from apps.shared.drawn_pictures import from_canvas, from_link, to_base64, to_link
from apps.shared.page import component, plain
from data_prep.errors import InputError

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
    colour: str,
) -> np.ndarray | None:
    """Draw a canvas, and give what is drawn on it.

    Args:
        key: Its unique name on the page.
        label: What a screen reader says.
        width: Of the grid of ink that it gives, in pixels; strokes are drawn four times as fine.
        height: Likewise; a wide canvas takes a word.
        pen: Width of a stroke in pixels of the grid.
        shown: Largest width on the screen, in pixels.
        store: Name in the session's state that holds the drawing while the canvas is out of sight; put an array in it,
            before the canvas is drawn, to begin with it.
        colour: Of the ink on the screen, ``#rrggbb``.

    Returns:
        Ink uint8 (height, width), 0 for paper; None for an empty canvas. A damaged drawing is told on the page and
        gives None.
    """
    problem_key, fresh_key = f"{store} problem", f"{store} fresh"

    def take() -> None:
        sent = (st.session_state.get(key) or {}).get("drawing")
        st.session_state[problem_key], st.session_state[fresh_key] = None, True
        try:
            st.session_state[store] = None if sent is None else from_canvas(sent, width, height)
        except InputError as error:
            st.session_state[store], st.session_state[problem_key] = None, str(error)

    drawn = st.session_state.get(store)
    _canvas(
        key=key,
        data={
            "width": width,
            "height": height,
            "pen": pen,
            "shown": shown,
            "label": label,
            "colour": [int(colour[at : at + 2], 16) for at in (1, 3, 5)],
            # The browser keeps its own, finer drawing; it takes this one when it begins, or when it is another one.
            "version": st.session_state.get(f"{store} version", 0),
            "drawing": "" if drawn is None else to_base64(drawn),
        },
        on_drawing_change=take,
    )
    if problem := st.session_state.get(problem_key):
        st.error(plain(problem), icon=":material/error:")
    return drawn if drawn is not None and drawn.any() else None


def put(store: str, drawing: np.ndarray | None) -> None:
    """Put a drawing on a canvas in place of what is there.

    Args:
        store: As :func:`canvas` has it.
        drawing: Ink uint8 (height, width) of the canvas's size, or None to clear it.
    """
    st.session_state[store] = drawing
    st.session_state[f"{store} version"] = st.session_state.get(f"{store} version", 0) + 1


def linked_canvas(
    *, link: str, width: int, height: int, store: str, **canvas_settings: Any
) -> np.ndarray | None:
    """Draw a canvas whose drawing stands in the page's address.

    Args:
        link: Query parameter that holds it.
        width: As :func:`canvas` has it.
        height: As :func:`canvas` has it.
        store: As :func:`canvas` has it.
        **canvas_settings: The others of :func:`canvas`.

    Returns:
        As :func:`canvas`; a damaged address is told on the page.
    """
    taken = f"{store} of the link"
    text = st.query_params.get(link)
    # What was drawn just now is newer than the address that the browser sent along with it.
    fresh = st.session_state.pop(f"{store} fresh", False)
    if text is not None and st.session_state.get(taken) != text and not fresh:
        st.session_state[taken] = text
        try:
            put(store, from_link(text, width, height))
        except InputError as error:
            st.error(plain(str(error)), icon=":material/error:")
    ink = canvas(width=width, height=height, store=store, **canvas_settings)
    text = None if ink is None else to_link(ink)
    if text != st.query_params.get(link):
        st.session_state[taken] = text
        if text is None:
            st.query_params.pop(link, None)
        else:
            st.query_params[link] = text
    return ink

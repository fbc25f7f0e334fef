"""A canvas to draw on with mouse, pen or finger: a small component of the page, in any width and height.

What it sends back is a text from the visitor's browser: it counts only if it is a drawing of the canvas's size.
"""

from __future__ import annotations

from typing import Any

import numpy as np
import streamlit as st

from apps.shared.drawn_pictures import from_canvas, from_link, to_base64, to_link
from apps.shared.page import plain
from data_prep.errors import InputError

_HTML = """
<canvas class="paper" role="img" tabindex="0"></canvas>
<div class="tools"><button type="button" class="undo">Undo</button><button type="button" class="clear">Clear</button>
</div>
"""
_CSS = """
:host { display: block; }
.paper { display: block; width: 100%; touch-action: none; cursor: crosshair; border-radius: .4rem;
  border: 1px solid var(--st-border-color); background: var(--st-secondary-background-color); }
.tools { display: flex; gap: .5rem; margin-top: .4rem; }
.tools button { font: .85rem var(--st-font, sans-serif); color: var(--st-text-color); cursor: pointer;
  background: var(--st-background-color); border: 1px solid var(--st-border-color); border-radius: .4rem;
  padding: .3rem .8rem; }
.tools button:hover, .tools button:focus-visible { border-color: var(--st-primary-color); }
"""
# Strokes are drawn four times as fine as the grid that is sent; the mean of 4x4 is antialiased ink. The colour on
# the screen is the theme's, so ink is what is not transparent.
_JS = """
const FINE = 4, STEP = 17, MOST_UNDO = 20;
export default function ({ data, parentElement, setStateValue }) {
  const paper = parentElement.querySelector('.paper');
  const wide = data.width * FINE, high = data.height * FINE;
  const store = paper.lectern = paper.lectern || { version: null, undo: [] };
  if (paper.width !== wide || paper.height !== high) { paper.width = wide; paper.height = high; store.version = null; }
  paper.style.maxWidth = data.shown + 'px';
  paper.style.aspectRatio = data.width + ' / ' + data.height;
  paper.setAttribute('aria-label', data.label);
  const pen = paper.getContext('2d', { willReadFrequently: true });

  const ink = () => {
    const fine = pen.getImageData(0, 0, wide, high).data;
    const sums = new Float64Array(data.width * data.height);
    for (let y = 0, at = 3; y < high; y++)
      for (let x = 0; x < wide; x++, at += 4)
        sums[Math.floor(y / FINE) * data.width + Math.floor(x / FINE)] += fine[at];
    let bytes = '';
    for (const sum of sums) bytes += String.fromCharCode(Math.round(sum / (FINE * FINE) / STEP) * STEP);
    return btoa(bytes);
  };
  const send = () => setStateValue('drawing', ink());
  const keep = () => {
    store.undo.push(pen.getImageData(0, 0, wide, high));
    if (store.undo.length > MOST_UNDO) store.undo.shift();
  };
  const load = (text) => {
    pen.clearRect(0, 0, wide, high);
    if (!text) return;
    const bytes = atob(text);
    const small = new ImageData(data.width, data.height);
    for (let at = 0; at < bytes.length; at++) small.data.set([...data.colour, bytes.charCodeAt(at)], 4 * at);
    const sheet = document.createElement('canvas');
    sheet.width = data.width; sheet.height = data.height;
    sheet.getContext('2d').putImageData(small, 0, 0);
    pen.imageSmoothingEnabled = false;
    pen.drawImage(sheet, 0, 0, wide, high);
  };
  const colour = `rgb(${data.colour.join(',')})`;
  if (store.colour && store.colour !== colour) {  // the theme has changed
    pen.globalCompositeOperation = 'source-in';
    pen.fillStyle = colour;
    pen.fillRect(0, 0, wide, high);
    pen.globalCompositeOperation = 'source-over';
  }
  store.colour = colour;
  if (store.version !== data.version) { store.version = data.version; store.undo = []; load(data.drawing); }

  const place = (event) => {
    const frame = paper.getBoundingClientRect();
    return [(event.clientX - frame.left) * wide / frame.width, (event.clientY - frame.top) * high / frame.height];
  };
  const line = (from, to) => {
    pen.strokeStyle = colour;
    pen.lineWidth = data.pen * FINE;
    pen.lineCap = pen.lineJoin = 'round';
    pen.beginPath(); pen.moveTo(...from); pen.lineTo(...to); pen.stroke();
  };
  paper.onpointerdown = (event) => {
    if (!event.isPrimary || event.button > 0) return;
    event.preventDefault();
    paper.setPointerCapture(event.pointerId);
    keep();
    store.last = place(event);
    line(store.last, store.last);
  };
  paper.onpointermove = (event) => {
    if (!store.last || !event.isPrimary) return;
    for (const part of event.getCoalescedEvents?.() ?? [event]) {
      const now = place(part);
      line(store.last, now);
      store.last = now;
    }
  };
  paper.onpointerup = paper.onpointercancel = (event) => {
    if (!store.last || !event.isPrimary) return;
    store.last = null;
    send();
  };
  parentElement.querySelector('.clear').onclick = () => { keep(); pen.clearRect(0, 0, wide, high); send(); };
  const undo = () => {
    const before = store.undo.pop();
    if (before) { pen.putImageData(before, 0, 0); send(); }
  };
  parentElement.querySelector('.undo').onclick = undo;
  paper.onkeydown = (event) => {
    if ((event.ctrlKey || event.metaKey) && event.key === 'z') { event.preventDefault(); undo(); }
  };
}
"""
_canvas = st.components.v2.component("lectern_canvas", html=_HTML, css=_CSS, js=_JS)


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

"""The image that the sections are about: drawn, uploaded, one of the examples, or one of the test errors."""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
import streamlit as st

from apps.digits.examples import examples
from apps.digits.reports import DigitErrors, digit_errors
from apps.shared.canvas import canvas
from apps.shared.page import heavy_work, input_errors
from apps.shared.page_images import figure, in_a_row
from apps.shared.style import palette
from data_prep.errors import InputError
from data_prep.images.preparation import PreparedImage, digit_batch, prepare_digit

SOURCES = ("Draw", "Upload", "Example", "Error")
SIZE, PEN, SHOWN = 84, 7.0, 336
STORE = "drawn digit"
_FIRST = 7  # of the training images that the project carries: a clear one


class Chosen(NamedTuple):
    """An image float32 (28, 28, 1); what it shows, if known; the steps that made it, None for MNIST's own."""

    image: np.ndarray
    truth: str | None
    prepared: PreparedImage | None


def known_errors(preset: str) -> DigitErrors | None:
    """Return the stored test errors of a network; None where there are none, as for your own."""
    try:
        return digit_errors(preset)
    except InputError:
        return None


def choose(preset: str) -> Chosen | None:
    """Let the visitor choose an image; None where there is only a wrong one, which is told."""
    errors = known_errors(preset)
    source = st.segmented_control(
        "Image",
        SOURCES if errors is not None and errors.errors else SOURCES[:-1],
        default=SOURCES[0],
        required=True,
        key="source",
        bind="query-params",
        label_visibility="collapsed",
    )
    with input_errors():
        match source:
            case "Draw":
                return _drawn()
            case "Upload":
                return _uploaded()
            case "Error" if errors is not None:
                return _error(errors)
            case _:
                return _example()
    return None


def _drawn() -> Chosen | None:
    ink = canvas(
        key="canvas",
        label="Draw a digit here with mouse, pen or finger",
        width=SIZE,
        height=SIZE,
        pen=PEN,
        shown=SHOWN,
        store=STORE,
    )
    st.caption("Draw a digit from 0 to 9, as large as you like. The network answers after each stroke.")
    if ink is None:
        st.caption("Nothing is drawn yet, so this is about a training image:")
        return _seen(_stored(_FIRST))
    prepared = prepare_digit(ink, "The drawing")
    return Chosen(prepared.image, None, prepared)


def _uploaded() -> Chosen | None:
    file = st.file_uploader(
        "A photo, scan or drawing of one digit",
        type=["png", "jpg", "jpeg"],
        key="digit file",
        help="PNG or JPEG of any size, dark on light or light on dark. It stays on this computer.",
    )
    if file is None:
        st.caption(
            "One digit a picture; it may be anywhere in it. Until there is one, this is about a training image:"
        )
        return _seen(_stored(_FIRST))
    with heavy_work():
        prepared = prepare_digit(file.getvalue(), file.name)
    return _seen(Chosen(prepared.image, None, prepared))


def _example() -> Chosen:
    stored = examples()
    columns = st.columns(2)
    digit = columns[0].number_input("Digit", 0, 9, 5, key="digit", bind="query-params")
    places = np.flatnonzero(stored.labels == digit)
    number = columns[1].number_input(
        "Number", 1, len(places), 1, key="number", bind="query-params", help="Of this digit's examples."
    )
    return _seen(_stored(int(places[number - 1])))


def _stored(place: int) -> Chosen:
    """One of the training images that the project carries."""
    stored = examples()
    image = digit_batch(stored.images[place : place + 1])[0]
    return Chosen(image, str(stored.labels[place]), None)


def _error(errors: DigitErrors) -> Chosen:
    count = len(errors.errors)
    number = st.number_input(
        "Error", 1, count, 1, key="error", bind="query-params", help="The most confident first."
    )
    error = errors.errors[number - 1]
    image = digit_batch(errors.images[error.index][None])[0]
    return _seen(Chosen(image, error.label, None))


def _seen(chosen: Chosen) -> Chosen:
    """Show what the network reads."""
    st.html(in_a_row([figure(chosen.image[..., 0], palette(), "", "The image as the network reads it")]))
    return chosen

"""The image that the sections are about: drawn, uploaded, one of the examples, or one of the test errors."""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
import streamlit as st

from apps.digits.examples import examples
from apps.digits.reports import digit_errors, error_image
from apps.shared.canvas import canvas
from apps.shared.errors import Errors
from apps.shared.language import N_, _
from apps.shared.page import heavy_work, input_errors, number_box, one_of
from apps.shared.page_images import figure, in_a_row
from data_prep.errors import InputError
from data_prep.images.preparation import PreparedImage, digit_batch, prepare_digit, resized

SOURCES = (N_("Draw"), N_("Upload"), N_("Example"), N_("Error"))
SIZE, PEN, SHOWN = 84, 7.0, 336
STORE = "drawn digit"
_FIRST = 7  # of the training images that the project carries: a clear one


class Chosen(NamedTuple):
    """An image float32 (28, 28, 1); what it shows, if known; the steps that made it, None for MNIST's own."""

    image: np.ndarray
    truth: str | None = None
    prepared: PreparedImage | None = None


def choose(preset: str) -> Chosen | None:
    """Let the visitor choose an image, and show it; None where there is only a wrong one, which is told."""
    try:
        errors = digit_errors(preset)
    except InputError:
        errors = None
    source = one_of(_("Image"), SOURCES if errors is not None and errors.errors else SOURCES[:-1], "source")
    chosen = None
    with input_errors():
        match source:
            case "Draw":
                chosen = _drawn()
            case "Upload":
                chosen = _uploaded()
            case "Error" if errors is not None:
                chosen = _error(errors)
            case _:
                chosen = _example()
    if chosen is not None and source != "Draw":
        shown = figure(chosen.image[..., 0], "", _("The image as the network reads it"))
        st.html(in_a_row([shown]))
    return chosen


def _drawn() -> Chosen:
    ink = canvas(
        key="canvas",
        label=_("Draw a digit here with mouse, pen or finger"),
        width=SIZE,
        height=SIZE,
        pen=PEN,
        shown=SHOWN,
        store=STORE,
        example=_large(examples().images[_FIRST]),
    )
    st.caption(_("Draw a digit from 0 to 9, as large as you like. The network answers after each stroke."))
    if ink is None:
        st.caption(
            _("Nothing is drawn yet, so this is about a training image; your first stroke replaces it.")
        )
        return _stored(_FIRST)
    prepared = prepare_digit(ink, _("The drawing"))
    return Chosen(prepared.image, prepared=prepared)


def _large(image: np.ndarray) -> np.ndarray:
    return (255 * resized(image.astype(np.float32), SIZE, SIZE)).astype(np.uint8)


def _uploaded() -> Chosen:
    file = st.file_uploader(
        _("A photo, scan or drawing of one digit"),
        type=["png", "jpg", "jpeg"],
        key="digit file",
        help=_("PNG or JPEG of any size, dark on light or light on dark. It stays on this computer."),
    )
    if file is None:
        st.caption(
            _(
                "One digit a picture; it may be anywhere in it. Until there is one, this is about a "
                "training image:"
            )
        )
        return _stored(_FIRST)
    with heavy_work():
        prepared = prepare_digit(file.getvalue(), file.name)
    return Chosen(prepared.image, prepared=prepared)


def _example() -> Chosen:
    columns = st.columns(2)
    digit = number_box(columns[0], _("Digit"), (0, 9), 5, "digit")
    places = np.flatnonzero(examples().labels == digit)
    number = number_box(
        columns[1], _("Number"), (1, len(places)), 1, "number", help=_("Of this digit's examples.")
    )
    return _stored(int(places[number - 1]))


def _stored(place: int) -> Chosen:
    images, labels, _ = examples()
    return Chosen(digit_batch(images[place]), str(labels[place]))


def _error(errors: Errors) -> Chosen:
    number = number_box(
        st, _("Error"), (1, len(errors.errors)), 1, "error", help=_("The most confident first.")
    )
    error = errors.errors[number - 1]
    return Chosen(digit_batch(error_image(error)), error.label)

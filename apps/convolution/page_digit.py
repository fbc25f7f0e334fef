"""Section "Digit": a kernel walks over a digit, position by position."""

from __future__ import annotations

import streamlit as st

from apps.convolution.digit import (
    DIGITS_EACH,
    PRESET,
    Kernels,
    convolve_digit,
    digit_image,
    hand_made_kernels,
    trained_kernels,
)
from apps.convolution.keras_code import digit_code
from apps.convolution.numbers import written
from apps.convolution.page_common import as_keras
from apps.convolution.page_player import linked_position, player
from apps.shared.page import input_errors, number_box
from apps.shared.reports import preset_installed

_POSITION = "position"


def show() -> None:
    """Draw the section."""
    with input_errors():
        trained = preset_installed(PRESET)
        kernels = _kernels(trained)
        columns = st.columns([1, 1, 2, 1, 1, 1], vertical_alignment="bottom")
        label = number_box(columns[0], "Digit", (0, 9), 3, "digit")
        picture = number_box(columns[1], "Picture", (0, DIGITS_EACH - 1), 0, "picture")
        name = columns[2].selectbox("Kernel", list(kernels), key="kernel", bind="query-params")
        padding = number_box(columns[3], "Padding", (0, 8), 0, "zeros")
        stride = number_box(columns[4], "Stride", (0, 28), 1, "hop")
        dilation = number_box(columns[5], "Dilation", (0, 9), 1, "gaps")
        relu = st.toggle("ReLU", key="relu", bind="query-params")
        found = convolve_digit(
            digit_image(label, picture),
            *kernels[name],
            padding=padding,
            stride=stride,
            dilation=dilation,
            relu=relu,
        )
        side = found.output.shape[0]
        middle = side * (side // 2) + side // 2  # half of the picture is done where nobody has chosen
        player(found, relu, linked_position(_POSITION, middle), key="player", parameter=_POSITION)
        st.caption(
            f"28×28 pixels of MNIST's training set, {side}×{side} sums from "
            f"{written(float(found.output.min()))} to {written(float(found.output.max()))}. "
            + (
                "The kernels are those of the first layer of the lecture's network."
                if trained
                else f"The kernels are made by hand: the preset {PRESET} with trained ones is not installed."
            )
        )
        as_keras(lambda: digit_code(found, relu))


@st.cache_data(show_spinner=False, max_entries=2)
def _kernels(trained: bool) -> Kernels:
    return trained_kernels() if trained else hand_made_kernels()

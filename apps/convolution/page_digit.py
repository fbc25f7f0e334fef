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
from apps.shared.page import input_errors
from apps.shared.reports import preset_installed

_POSITION = "position"


def show() -> None:
    """Draw the section."""
    with input_errors():
        kernels = _kernels()
        columns = st.columns([1, 1, 2, 1, 1, 1], vertical_alignment="bottom")
        label = columns[0].number_input("Digit", 0, 9, 3, key="digit", bind="query-params")
        number = columns[1].number_input("Picture", 0, DIGITS_EACH - 1, 0, key="picture", bind="query-params")
        name = columns[2].selectbox("Kernel", kernels.names, key="kernel", bind="query-params")
        padding = columns[3].number_input("Padding", 0, 8, 0, key="zeros", bind="query-params")
        stride = columns[4].number_input("Stride", 0, 28, 1, key="hop", bind="query-params")
        dilation = columns[5].number_input("Dilation", 0, 9, 1, key="gaps", bind="query-params")
        relu = st.toggle("ReLU", key="relu", bind="query-params")
        head = kernels.names.index(name)
        found = convolve_digit(
            digit_image(int(label), int(number)),
            kernels.weights[head],
            float(kernels.biases[head]),
            padding=int(padding),
            stride=int(stride),
            dilation=int(dilation),
            relu=relu,
        )
        at = linked_position(_POSITION, default=_middle(found.output.shape[0]))
        player(found, relu, at, key="player", parameter=_POSITION)
        st.caption(
            f"28×28 pixels of MNIST's training set, {found.output.shape[0]}×{found.output.shape[1]} sums from "
            f"{written(float(found.output.min()))} to {written(float(found.output.max()))}. "
            + (
                "The kernels are those of the first layer of the lecture's network."
                if kernels.trained
                else f"The kernels are made by hand: the preset {PRESET} with trained ones is not installed."
            )
        )
        as_keras(lambda: digit_code(found, relu))


def _middle(side: int) -> int:
    """Half of the picture is done where nobody has chosen a position."""
    return side * (side // 2) + side // 2


@st.cache_data(show_spinner=False, max_entries=2)
def _opened(trained: bool) -> Kernels:
    return trained_kernels() if trained else hand_made_kernels()


def _kernels() -> Kernels:
    return _opened(preset_installed(PRESET))

"""Section "Digit": a kernel walks over a digit, position by position, in a small component of the page.

What the component sends back is a number from the visitor's browser: it counts only if it is the number of a position.
"""

from __future__ import annotations

import dataclasses

import streamlit as st

from apps.convolution.digit import (
    DIGITS_EACH,
    PRESET,
    ConvolvedDigit,
    Kernels,
    convolve_digit,
    digit_image,
    hand_made_kernels,
    trained_kernels,
)
from apps.convolution.keras_code import digit_code
from apps.convolution.numbers import written
from apps.convolution.page_drawings import as_keras
from apps.shared.language import _
from apps.shared.page import component, input_errors, number_box
from apps.shared.reports import preset_installed
from apps.shared.style import palette

_player = component("lectern_player", __file__)


def show() -> None:
    """Draw the section."""
    with input_errors():
        trained = preset_installed(PRESET)
        kernels = _kernels(trained)
        columns = st.columns([1, 1, 2, 1, 1, 1], vertical_alignment="bottom")
        label = number_box(columns[0], _("Digit"), (0, 9), 3, "digit")
        picture = number_box(columns[1], _("Picture"), (0, DIGITS_EACH - 1), 0, "picture")
        name = columns[2].selectbox(_("Kernel"), list(kernels), key="kernel", bind="query-params")
        padding = number_box(columns[3], _("Padding"), (0, 8), 0, "zeros")
        stride = number_box(columns[4], _("Stride"), (0, 28), 1, "hop")
        dilation = number_box(columns[5], _("Dilation"), (0, 9), 1, "gaps")
        relu = st.toggle(_("ReLU"), key="relu", bind="query-params")
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
        _walk(found, relu, linked_position("position", middle))
        st.caption(
            _(
                "28×28 pixels of MNIST's training set, {side}×{side} sums from {min} to {max}.",
                side=side,
                min=written(float(found.output.min())),
                max=written(float(found.output.max())),
            )
            + " "
            + (
                _("The kernels are those of the first layer of the lecture's network.")
                if trained
                else _(
                    "The kernels are made by hand: the preset {preset} with trained ones is not installed.",
                    preset=PRESET,
                )
            )
        )
        as_keras(lambda: digit_code(found, relu))


@st.cache_data(show_spinner=False, max_entries=2)
def _kernels(trained: bool) -> Kernels:
    return trained_kernels() if trained else hand_made_kernels()


def _walk(digit: ConvolvedDigit, relu: bool, at: int) -> None:
    """Draw the player at a position, row by row; where it rests goes into the page's address."""
    last = digit.output.size - 1

    def take() -> None:
        found = (st.session_state.get("player") or {}).get("at")
        if type(found) is int and 0 <= found <= last:
            st.query_params["position"] = str(found)

    _player(
        key="player",
        data={
            "image": digit.image.round(4).tolist(),
            "kernel": digit.kernel.round(5).tolist(),
            "output": digit.output.round(4).tolist(),
            "before": digit.rule.before,
            "stride": digit.rule.stride,
            "dilation": digit.rule.dilation,
            "bias": round(digit.bias, 5),
            "relu": relu,
            "texts": {
                "back": _("One position back"),
                "next": _("One position on"),
                "place": _("Position"),
                "play": _("Play"),
                "pause": _("Pause"),
                "input": _("input"),
                "output": _("output"),
                "zeros": _(", {n} zeros around"),
                "sum": _("weight · value; their sum and the bias {bias}: {sum}"),
                "of": _("{at} of {all}"),
            },
            "at": min(at, last),
            "label": _("The picture and the window of the kernel"),
            "colours": dataclasses.asdict(palette()),
        },
        on_at_change=take,
    )


def linked_position(parameter: str, default: int) -> int:
    """Take the position from the page's address; the default where it has no whole number of at most six digits."""
    text = st.query_params.get(parameter, "")
    return int(text) if text.isascii() and text.isdigit() and len(text) <= 6 else default

"""Section "Sizes": the calculator for one convolution of any number of modes, and for a whole stack."""

from __future__ import annotations

import streamlit as st

from apps.convolution.examples import SIZES, STACKS
from apps.convolution.keras_code import sizes_code, stack_code
from apps.convolution.numbers import written_sizes
from apps.convolution.page_drawings import Box, as_keras, show_boxes
from apps.convolution.sizes import FORMULA, Sizes, convolution_sizes, read_rules
from apps.convolution.stack import MAX_TEXT, Stack, stack_sizes
from apps.shared.language import _
from apps.shared.page import example_buttons, input_errors, number_box, text_box

_MOST_DRAWN = 12  # layers of a stack that are drawn as boxes


def show() -> None:
    """Draw the section."""
    st.subheader(_("One full convolution"), anchor=False)
    _convolution()
    st.subheader(_("A whole stack"), anchor=False)
    show_stack()


def _convolution() -> None:
    example_buttons({each.title: each.values for each in SIZES.values()}, "size")
    first = SIZES["valid"].values
    columns = st.columns(6, vertical_alignment="bottom")
    boxes = {
        "n": _("Input"),
        "k": _("Filter"),
        "pad": _("Zero padding"),
        "stride": _("Stride"),
        "dilation": _("Dilation"),
    }
    helps = {"pad": _("One number for both sides or before+behind, one a mode or one for all: 0, 0, 0+1")}
    typed = [
        text_box(column, label, first[key], key, 100, help=helps.get(key))
        for column, (key, label) in zip(columns, boxes.items(), strict=False)
    ]
    heads = number_box(columns[5], _("Heads"), (1, 1_000_000), 1, "filters")
    with input_errors():
        rules = read_rules(*typed)
        sizes = convolution_sizes(rules, heads)
        _one(sizes)
        as_keras(lambda: sizes_code(rules, heads))


def _one(sizes: Sizes) -> None:
    columns = st.columns(4)
    columns[0].metric(_("output"), written_sizes(sizes.output))
    columns[1].metric(_("parameters, with a bias a head"), f"{sizes.parameters:,}")
    columns[2].metric(_("multiply-adds"), f"{sizes.multiply_adds:,}")
    columns[3].metric(_("receptive field"), written_sizes(sizes.receptive_field))
    show_boxes(
        [
            Box(_("input"), tuple(rule.size for rule in sizes.rules)),
            Box(_("filter"), tuple(rule.kernel for rule in sizes.rules)),
            Box(_("output"), tuple(rule.output for rule in sizes.rules)),
        ],
        _("Input, filter and output {output}", output=written_sizes(sizes.output)),
    )
    modes = list(enumerate(sizes.rules, start=1))
    lines = [_("mode {at}: {formula}", at=at, formula=rule.formula) for at, rule in modes]
    st.code("\n".join([_("size:   {formula}", formula=_(FORMULA)), *lines]), language=None, wrap_lines=True)
    if unused := [
        _("mode {at}: the last {unused}", at=at, unused=rule.unused) for at, rule in modes if rule.unused
    ]:
        st.caption(_("Not reached by the filter, because of the stride: {modes}.", modes="; ".join(unused)))


def show_stack() -> None:
    """Draw its second half alone, as lessons do."""
    example_buttons({each.title: each.values for each in STACKS.values()}, "stack")
    first = STACKS["lecture"].values
    left, right = st.columns([1, 3], vertical_alignment="top")
    sizes = text_box(left, _("Input, channels last"), first["stack_input"], "stack_input", 60)
    layers = text_box(
        right,
        _("Layers, one a line or separated by semicolons"),
        first["stack"],
        "stack",
        MAX_TEXT,
        lines=True,
        help=_(
            "conv 5x5x8 (the last number is the heads), depthwise 3x3, pointwise 16, pool 2x2, "
            "relu, flatten, dense 10; behind conv, depthwise and pool: stride 2, pad 1, dilation "
            "2, one number for all modes or one each."
        ),
    )
    with input_errors():
        stack = stack_sizes(sizes, layers)
        _whole(stack)
        as_keras(lambda: stack_code(stack))


def _whole(stack: Stack) -> None:
    columns = st.columns(3)
    columns[0].metric(_("output"), written_sizes(stack.output))
    columns[1].metric(_("parameters"), f"{stack.parameters:,}")
    columns[2].metric(_("multiply-adds"), f"{stack.multiply_adds:,}")
    drawn = [layer for layer in stack.layers if layer.kind != "relu"][:_MOST_DRAWN]
    show_boxes(
        [Box(_("input"), stack.input), *(Box(layer.kind, layer.output) for layer in drawn)],
        _("The tensors from layer to layer"),
    )
    st.dataframe(
        [
            {
                _("layer"): layer.text,
                _("output"): written_sizes(layer.output),
                _("parameters"): layer.parameters,
                _("multiply-adds"): layer.multiply_adds,
                _("receptive field"): written_sizes(layer.receptive_field)
                if layer.receptive_field
                else _("all"),
                _("formula"): layer.formula,
            }
            for layer in stack.layers
        ],
        hide_index=True,
        alt=_("Output, parameters, multiply-adds and receptive field of each layer"),
    )

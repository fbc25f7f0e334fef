"""Section "Kinds": full, pointwise, same-filter, layerwise and transposed convolution, drawn with the modes."""

from __future__ import annotations

import numpy as np
import streamlit as st

from apps.convolution.keras_code import kind_code
from apps.convolution.kinds import ABOUT, KINDS, MAX_HEADS, KindResult, run_kind
from apps.convolution.numbers import written, written_factor
from apps.convolution.page_drawings import Box, as_keras, show_boxes, show_grids, slices
from apps.convolution.sizes import BOUNDARIES
from apps.convolution.tensors import Product
from apps.shared.language import _
from apps.shared.page import input_errors, number_box, one_of, text_box

_NAMES = {title: kind for kind, title in KINDS.items()}
_HEADS = ("heads", "pointwise", "transposed")
_MOST_HEADS, _MOST_PRODUCTS = 3, 64  # what is drawn and printed


def show() -> None:
    """Draw the section."""
    kind = _NAMES[one_of(_("Kind of convolution"), tuple(_NAMES), "kind", named=True)]
    st.markdown(_(ABOUT[kind]))
    options = _options(kind)
    with input_errors():
        result = run_kind(kind, **options)
        at = _position(result)
        products = result.products(at)
        _modes(result, at, products)
        _numbers(result, at, products)
        as_keras(lambda: kind_code(result))


def _options(kind: str) -> dict[str, object]:
    columns = st.columns(6, vertical_alignment="bottom")
    sizes = text_box(columns[0], _("Input, channels last"), "4x4x3", "input", 60)
    kernel = text_box(
        columns[1],
        _("Filter"),
        "2x2",
        "filter",
        60,
        disabled=kind == "pointwise",
        help=_(
            "Without the channels; a full convolution takes one number a mode, such as 2x2x2, or one for all."
        ),
    )
    if kind == "full" and kernel == "2x2":
        kernel = "2"  # the box's default, for an input of any number of modes
    return {
        "sizes": sizes,
        "kernel": kernel,
        "heads": number_box(columns[2], _("Heads"), (1, MAX_HEADS), 2, "heads", disabled=kind not in _HEADS),
        "boundary": columns[3].selectbox(
            _("Boundary"),
            BOUNDARIES if kind != "transposed" else BOUNDARIES[:2],
            key="boundary",
            bind="query-params",
            help=_(
                "valid: no padding; zero: zeros that keep the size at stride 1 (transposed: as much is "
                "cut off)."
            ),
        ),
        "stride": number_box(columns[4], _("Stride"), (0, 64), 1, "step"),
        "dilation": number_box(columns[5], _("Dilation"), (0, 64), 1, "spread"),
    }


def _position(result: KindResult) -> tuple[int, ...]:
    last, bounds = result.output.size - 1, (0, 1_000_000)
    label, about = (
        _("Position in the output, 0 to {last:,}", last=last),
        _("Row by row; the last mode is the fastest."),
    )
    chosen = number_box(st, label, bounds, 0, "place", width=300, help=about)
    return tuple(map(int, np.unravel_index(min(chosen, last), result.output.shape)))


def _modes(result: KindResult, at: tuple[int, ...], products: tuple[Product, ...]) -> None:
    one, inside = tuple((place, 1) for place in at), ()
    if read := [product.place for product in products if product.place]:
        low, high = np.min(read, axis=0), np.max(read, axis=0)
        inside = tuple(zip(low.tolist(), (high - low + 1).tolist(), strict=True))
    show_boxes(
        [
            Box(_("input"), result.tensor.shape, inside),
            *_filters(result),
            Box(_("output"), result.output.shape, one),
        ],
        _(
            "{kind}: an input {before} becomes an output {after}",
            kind=_(KINDS[result.kind]),
            before=result.tensor.shape,
            after=result.output.shape,
        ),
    )
    st.caption(
        _(
            "The filled part of the input makes the filled part of the output. {size:,} weights, "
            "{multiply_adds:,} multiply-adds.",
            size=result.kernel.size,
            multiply_adds=result.multiply_adds,
        )
    )


def _filters(result: KindResult) -> list[Box]:
    """One box a head, as the slides draw them."""
    channels = 1 if result.kind == "same" else result.tensor.shape[-1]
    shape = (*(rule.kernel for rule in result.rules), *[channels] * (result.kind != "full"))
    if result.kind not in _HEADS:
        return [Box(_("filter"), shape)]
    last = result.output.shape[-1] - 1
    boxes = [Box(_("head {at}:", at=at), shape) for at in range(min(last + 1, _MOST_HEADS))]
    return boxes if last < _MOST_HEADS else [*boxes, Box(_("… head {last}:", last=last), shape)]


def _numbers(result: KindResult, at: tuple[int, ...], products: tuple[Product, ...]) -> None:
    read = {product.place for product in products if product.place}
    used = {product.tap for product in products}
    for name, tensor, marked in (
        (_("input"), result.tensor, read),
        (_("filter"), result.kernel, used),
        (_("output"), result.output, {at}),
    ):
        if grids := slices(name, tensor, marked):
            show_grids(grids, _("Numbers of the {name}", name=name))
    shown = " + ".join(
        f"{written_factor(p.weight)}·{written_factor(p.value)}" for p in products[:_MOST_PRODUCTS]
    )
    left = len(products) - _MOST_PRODUCTS
    more = _(" + … ({n} more)", n=left) if left > 0 else ""
    st.markdown(f"`output[{', '.join(map(str, at))}] = {shown or '0'}{more} = {written(result.output[at])}`")
    if zeros := sum(product.place is None for product in products):
        st.caption(_("{zeros} of the {n} values are zeros of the padding.", zeros=zeros, n=len(products)))

"""Section "Layers": activations, weights and the gradients of both, layer by layer, as the lecture shows them."""

from __future__ import annotations

from html import escape

import streamlit as st
from PIL.ImageColor import getrgb

from apps.digits.explain import DigitInspector
from apps.digits.layer_strips import DigitLook, LayerLook
from apps.digits.page_source import Chosen, choose
from apps.digits.picture_strips import Strip, png, scale
from apps.shared.page import input_errors, plain, remembered
from apps.shared.page_images import png_url
from apps.shared.style import Palette, palette

SHOWN = ("Activations", "Activation gradients", "Weights", "Weight gradients")
AUTOMATIC = "automatic"
FINISHED = "finished"
_CELL, _LINE, _TILE = 12, 16, 56  # pixels on the screen: a cell of a vector, its height, about a tile
_MOST_HIGH = 280
_STYLE = f"""<style>
.strip {{ max-height: {_MOST_HIGH}px; overflow: auto; margin: .1rem 0 .55rem; }}
.strip img {{ image-rendering: pixelated; display: block; }}
.about {{ font-size: .82rem; opacity: .8; }}
</style>"""


def show(inspector: DigitInspector, preset: str) -> None:
    """Draw the section."""
    left, right = st.columns([2, 3], gap="large")
    with left:
        chosen = choose(preset)
    with right:
        epoch = _epoch(inspector)
        shown = st.pills(
            "Show", SHOWN, selection_mode="multi", default=SHOWN, key="strips", bind="query-params"
        )
        everything = st.toggle(
            "Every layer, not only those with filters",
            key="all",
            bind="query-params",
            help="Also normalisation, ReLU, pooling, sums and reshaping.",
        )
        label = st.selectbox(
            "Loss of",
            (AUTOMATIC, *inspector.digits.labels),
            key="loss",
            bind="query-params",
            help="The gradients are those of the cross entropy of this digit; automatic takes the one that the image "
            "shows, or where that is not known, the network's own answer.",
        )
    if chosen is None:
        return
    with input_errors():
        opened = inspector if epoch is None else remembered_epoch(inspector, preset, epoch)
        found = remembered(f"{preset} {epoch}", opened, "look", chosen.image, _label(label, chosen))
        with right:
            _summary(found, chosen)
        _layers(found, shown, everything)


@st.cache_resource(show_spinner="Opening the epoch …", max_entries=16)
def remembered_epoch(_inspector: DigitInspector, preset: str, epoch: int) -> DigitInspector:
    """Open the network as it was at an epoch, once for all visitors."""
    return _inspector.at_epoch(epoch)


def _epoch(inspector: DigitInspector) -> int | None:
    """Let the visitor choose a saved epoch; None is the finished network."""
    if not inspector.epochs:
        return None
    names = [*map(str, inspector.epochs), FINISHED]
    name = st.select_slider("Epoch", names, value=FINISHED, key="epoch", bind="query-params")
    return None if name == FINISHED else int(name)


def _label(label: str, chosen: Chosen) -> str | None:
    """Take the class of the loss: the chosen one, else what the image shows; None is the network's own answer."""
    return chosen.truth if label == AUTOMATIC else label


def _summary(found: DigitLook, chosen: Chosen) -> None:
    known = "" if chosen.truth is None else f" The image shows a {plain(chosen.truth)}."
    st.markdown(
        f"The answer is **{plain(found.answer)}** ({100 * found.probability:.1f} %).{known} The loss of "
        f"“{plain(found.label)}” is {found.loss:.4g} nats, and it is what the gradients belong to."
    )
    dead = {layer.name: len(layer.dead) for layer in found.layers if layer.dead}
    if dead:
        listed = ", ".join(f"{count} in {plain(name)}" for name, count in dead.items())
        st.warning(f"Dead filters, which answer none of the examples: {listed}.", icon=":material/warning:")
    else:
        st.caption("No dead filters: every filter answers at least one of the examples.")


def _layers(found: DigitLook, shown: list[str], everything: bool) -> None:
    layers = [layer for layer in found.layers if everything or _has_filters(layer)]
    st.caption(
        f"{len(layers)} of {len(found.layers)} layers. Each strip has one scale, symmetric about zero where values "
        "have both signs; least and largest values are those of all numbers, shown or not."
    )
    colours = palette()
    for layer in layers:
        with st.container(border=True):
            st.html(_STYLE + layer_html(layer, shown, colours))


def _has_filters(layer: LayerLook) -> bool:
    return any(weight.name == "kernel" for weight in layer.weights)


def layer_html(layer: LayerLook, shown: list[str], colours: Palette) -> str:
    """Draw what is ``shown`` of a layer, as HTML."""
    about = [f"{layer.kind} ({'×'.join(map(str, layer.shape))})", layer.settings]
    if layer.formula:
        about.append(f"parameters: {layer.formula}")
    if layer.dead:
        about.append(f"dead: {', '.join(map(str, layer.dead))}")
    parts = [f"<b>{escape(layer.name)}</b> · {escape(' · '.join(filter(None, about)))}"]
    strips = [
        ("Activations", "activations", layer.activations),
        ("Activation gradients", "activation gradients", layer.gradients),
    ]
    for weight in layer.weights:
        strips.append(("Weights", weight.name, weight.values))
        strips.append(("Weight gradients", f"{weight.name}, gradient", weight.gradients))
    parts += [
        _strip(name, strip, colours) for kind, name, strip in strips if kind in shown and strip is not None
    ]
    return "".join(parts)


def _strip(name: str, strip: Strip, colours: Palette) -> str:
    text = f"{name}: max {strip.high:.5g}, min {strip.low:.5g}"
    left_out = f", {strip.left_out:,} numbers are not shown" if strip.left_out else ""
    return f'<div class="about">{escape(text + left_out)}</div>{_strip_html(strip, colours, text)}'


def _strip_html(strip: Strip, colours: Palette, alt: str) -> str:
    """Draw a strip in a frame that scrolls where it is high."""
    ends = [getrgb(colours.grid), getrgb(colours.positive)]
    if strip.signed:
        ends = [getrgb(colours.negative), *ends]
    rows, columns, height, width = strip.tiles.shape
    if height == 1:
        size = f"width:min(100%,{width * _CELL}px);height:{_LINE}px"
    elif rows * columns == 1 and width > 40:
        size = f"width:min(100%,{3 * width}px);height:{8 * height}px"
    else:
        factor = max(2, min(10, _TILE // max(height, width)))
        size = f"width:{factor * (columns * (width + 1) - 1)}px;max-width:100%"
    return f'<div class="strip"><img src="{png_url(png(strip, scale(ends)))}" alt="{escape(alt)}" style="{size}"></div>'

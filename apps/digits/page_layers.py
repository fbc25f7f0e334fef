"""Section "Layers": activations, weights and the gradients of both, layer by layer, as the lecture shows them."""

from __future__ import annotations

from html import escape

import streamlit as st

from apps.digits.explain import DigitInspector
from apps.digits.page_source import Chosen, choose
from apps.digits.strips import ACTIVATIONS, GRADIENTS, WEIGHTS, DigitLook, LayerLook, Strip, png
from apps.shared.language import ENGLISH, N_, _, language
from apps.shared.page import input_errors, named_choice, plain, remembered, stamp_of
from apps.shared.page_images import png_url
from apps.shared.style import Palette, palette
from models.presets.search import resolve_preset

SHOWN = (ACTIVATIONS, GRADIENTS[ACTIVATIONS], WEIGHTS, GRADIENTS[WEIGHTS])
AUTOMATIC = "automatic"
FINISHED = N_("finished")
_CELL, _LINE, _TILE = 12, 16, 56  # pixels on the screen: a cell of a vector, its height, about a tile
STRIP_STYLE = """<style>
.strip { max-height: 280px; overflow: auto; margin: .1rem 0 .55rem; }
.strip img { image-rendering: pixelated; display: block; }
.about { font-size: .82rem; opacity: .8; }
</style>"""


def show(inspector: DigitInspector, preset: str) -> None:
    """Draw the section."""
    left, right = st.columns([2, 3], gap="large")
    with left:
        chosen = choose(preset)
    with right:
        epoch = FINISHED
        bind = "query-params" if language() == ENGLISH else None  # what is shown would go into the address
        if inspector.epochs:
            names = [*map(str, inspector.epochs), FINISHED]
            epoch = st.select_slider(_("Epoch"), names, value=FINISHED, key="epoch", format_func=_, bind=bind)
        shown = st.pills(
            _("Show"), SHOWN, selection_mode="multi", default=SHOWN, key="strips", format_func=_, bind=bind
        )
        everything = st.toggle(
            _("Every layer, not only those with filters"),
            key="all",
            bind="query-params",
            help=_("Also normalisation, ReLU, pooling, sums and reshaping."),
        )
        label = named_choice(
            _("Loss of"),
            {AUTOMATIC: _("automatic"), **{label: label for label in inspector.digits.labels}},
            "loss",
            help=_(
                "The gradients are those of the cross entropy of this digit; automatic takes the one "
                "that the image shows, or where that is not known, the network's own answer."
            ),
        )
    if chosen is None:
        return
    with input_errors():
        stamp = stamp_of(resolve_preset(preset))
        opened = inspector if epoch == FINISHED else _at_epoch(inspector, preset, stamp, int(epoch))
        truth = chosen.truth if chosen.truth in inspector.digits.labels else None
        asked = truth if label == AUTOMATIC else label
        found = remembered(preset, opened, "look", chosen.image, asked, of=epoch)
        with right:
            _summary(found, chosen)
        _layers(found, shown, everything)


@st.cache_resource(show_spinner="Opening the epoch …", max_entries=16)
def _at_epoch(_inspector: DigitInspector, preset: str, stamp: int, epoch: int) -> DigitInspector:
    """Open the network as it was at an epoch, once for all visitors."""
    return _inspector.at_epoch(epoch)


def _summary(found: DigitLook, chosen: Chosen) -> None:
    known = "" if chosen.truth is None else " " + _("The image shows a {truth}.", truth=plain(chosen.truth))
    st.markdown(
        _(
            "The answer is **{answer}** ({probability:.1f} %).{known} The loss of “{label}” is "
            "{loss:.4g} nats, and it is what the gradients belong to.",
            answer=plain(found.answer),
            probability=100 * found.probability,
            known=known,
            label=plain(found.label),
            loss=found.loss,
        )
    )
    dead = ", ".join(
        _("{n} in {name}", n=len(layer.dead), name=plain(layer.name)) for layer in found.layers if layer.dead
    )
    if dead:
        st.warning(
            _("Dead filters, which answer none of the examples: {dead}.", dead=dead),
            icon=":material/warning:",
        )
    else:
        st.caption(_("No dead filters: every filter answers at least one of the examples."))


def _layers(found: DigitLook, shown: list[str], everything: bool) -> None:
    filters = [layer for layer in found.layers if any(weight.name == "kernel" for weight in layer.weights)]
    layers = found.layers if everything else filters
    st.caption(
        _(
            "{n} of {all} layers. Each strip has one scale, symmetric about zero where values have "
            "both signs; then negative ones have a hole. Least and largest values are those of all "
            "numbers, shown or not.",
            n=len(layers),
            all=len(found.layers),
        )
    )
    colours = palette()
    for layer in layers:
        with st.container(border=True):
            st.html(STRIP_STYLE + _layer_html(layer, shown, colours))


def _layer_html(layer: LayerLook, shown: list[str], colours: Palette) -> str:
    about = [
        f"{layer.kind} ({'×'.join(map(str, layer.shape))})",
        layer.settings,
        layer.formula and _("parameters: {formula}", formula=layer.formula),
        _("dead: {filters}", filters=", ".join(map(str, layer.dead))) if layer.dead else "",
    ]
    parts = [f"<b>{escape(layer.name)}</b> · {escape(' · '.join(filter(None, about)))}"]
    for kind, name, strip in layer.strips():
        if kind in shown:
            parts.append(strip_html(name, strip, colours))
    return "".join(parts)


def strip_html(name: str, strip: Strip, colours: Palette) -> str:
    """Draw a strip below its name and its least and largest values; HTML, to be used with ``STRIP_STYLE``."""
    text = _("{name}: max {high:.5g}, min {low:.5g}", name=escape(name), high=strip.high, low=strip.low)
    left_out = _(", {left_out:,} numbers are not shown", left_out=strip.left_out) if strip.left_out else ""
    address = png_url(png(strip, colours.negative, colours.grid, colours.positive))
    return (
        f'<div class="about">{text}{left_out}</div>'
        f'<div class="strip" tabindex="0"><img src="{address}" alt="{text}" style="{_size(strip)}"></div>'
    )


def _size(strip: Strip) -> str:
    """Say how large a strip is on the screen."""
    rows, columns, height, width = strip.tiles.shape
    if height == 1:
        return f"width:min(100%,{width * _CELL}px);height:{_LINE}px"
    if rows * columns == 1 and width > 40:
        return f"width:min(100%,{3 * width}px);height:{8 * height}px"
    factor = max(2, min(10, _TILE // max(height, width)))
    return f"width:{factor * (columns * (width + 1) - 1)}px;max-width:100%"

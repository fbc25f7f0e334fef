"""Section "Draw": an image, the way from it to what the network reads, and the answer."""

from __future__ import annotations

import time
from html import escape

import streamlit as st

from apps.digits.application import Digits
from apps.digits.explain import DigitInspector
from apps.digits.page_source import Chosen, choose
from apps.shared import charts
from apps.shared.language import _
from apps.shared.page_images import figure, in_a_row, steps_in_a_row
from apps.shared.style import palette


def show(inspector: DigitInspector, preset: str) -> None:
    """Draw the section."""
    left, right = st.columns(2, gap="large")
    with left:
        chosen = choose(preset)
    if chosen is None:
        return
    with right:
        _answer(inspector.digits, chosen)
    _steps(chosen)


def _answer(digits: Digits, chosen: Chosen) -> None:
    begun = time.perf_counter()
    probabilities = digits.probabilities(chosen.image[None])[0]
    milliseconds = 1000 * (time.perf_counter() - begun)
    best = int(probabilities.argmax())
    colours = palette()
    st.html(
        f'<div style="font-family:serif;font-size:3.6rem;line-height:1;color:{colours.ours}" '
        f'aria-label="{_("The answer")}">{escape(digits.labels[best])}</div>'
    )
    truth = "" if chosen.truth is None else " " + _("It is a {truth}.", truth=chosen.truth)
    st.caption(
        _(
            "{probabilities:.1f} % sure.{truth} From the centred image to the answer: {milliseconds:.1f} ms.",
            probabilities=100 * probabilities[best],
            truth=truth,
            milliseconds=milliseconds,
        )
    )
    colour = [colours.ours if at == best else colours.muted for at in range(len(probabilities))]
    looks = {"x_title": _("probability, %"), "colour": colour, "number": ".1f", "limits": (0, 108)}
    picture = charts.bars(digits.labels, (100 * probabilities).tolist(), **looks)
    charts.show(picture, "probabilities", _("Probability of every digit"))


def _steps(chosen: Chosen) -> None:
    st.subheader(_("What the network reads"), anchor=False)
    if chosen.prepared is None:
        caption = _("28×28 pixels, as MNIST's makers centred it")
        st.html(in_a_row([figure(chosen.image[..., 0], caption, _("The image"))]))
    else:
        st.html(steps_in_a_row(chosen.prepared))
    st.caption(
        _(
            "As the makers of MNIST did: into a box of 20×20 pixels with its shape kept, then "
            "moved so that the centre of mass is the centre of 28×28 pixels."
        )
    )

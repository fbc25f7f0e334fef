"""Section "Reasons": which pixels the answer depends on, and which training digits look alike to the network."""

from __future__ import annotations

import numpy as np
import streamlit as st

from apps.digits.explain import DigitInspector
from apps.digits.page_source import choose
from apps.shared import charts
from apps.shared.language import N_, _
from apps.shared.page import input_errors, named_choice, plain, remembered
from apps.shared.page_images import figure, in_a_row
from apps.shared.style import palette

OWN = N_("its answer")


def show(inspector: DigitInspector, preset: str) -> None:
    """Draw the section."""
    left, right = st.columns([2, 3], gap="large")
    with left:
        chosen = choose(preset)
        choices = {OWN: _(OWN), **{label: label for label in inspector.digits.labels}}
        label = named_choice(_("Reasons for"), choices, "reasons")
        patch = st.slider(_("Side of the covered square, pixels"), 1, 14, 5, key="patch", bind="query-params")
    if chosen is None:
        return
    with right, input_errors():
        probabilities = inspector.digits.probabilities(chosen.image[None])[0]
        answer = inspector.digits.labels[int(probabilities.argmax())]
        asked = answer if label == OWN else label
        st.markdown(
            _(
                "The answer is **{answer}**. Reasons for **{asked}**, which has {probabilities:.2f} %:",
                answer=plain(answer),
                asked=plain(asked),
                probabilities=100 * probabilities[inspector.digits.labels.index(asked)],
            )
        )
        gradient = remembered(preset, inspector, "saliency", chosen.image, asked)
        lost = remembered(preset, inspector, "occlusion", chosen.image, asked, patch)
        left, right = st.columns(2)
        with left:
            alt = _("Gradient of the logit of {asked} with respect to every pixel", asked=asked)
            _map(_("Saliency"), gradient, chosen.image, _("per unit of ink, the logit changes by"), alt)
            st.caption(
                _(
                    "Gradient of the logit with respect to the ink of each pixel: teal, more ink speaks for "
                    "the digit; orange, against it."
                )
            )
        with right:
            alt = _(
                "What the probability of {asked} loses when a pixel's neighbourhood is covered", asked=asked
            )
            _map(_("Occlusion"), 100 * lost, chosen.image, _("covered, the probability loses points:"), alt)
            st.caption(
                _(
                    "Lost probability, in percentage points, when a square of paper covers the pixel, mean "
                    "over the squares."
                )
            )
    st.subheader(_("The nearest training digits"), anchor=False)
    with input_errors():
        _near(inspector, preset, chosen.image)


def _map(name: str, values: np.ndarray, image: np.ndarray, what: str, alt: str) -> None:
    """Draw a map with the digit's outline over it."""
    st.markdown(f"**{name}**")
    colours = palette()
    picture = charts.figure(height=300)
    hover = _("row %{{y}}, column %{{x}}: {what} %{{z:.3g}}<extra></extra>", what=what)
    charts.add_heatmap(picture, values.round(6), hovertemplate=hover)
    picture.add_contour(
        z=image[..., 0].round(3).tolist(),
        contours={"start": 0.5, "end": 0.5, "size": 1, "coloring": "lines"},
        colorscale=[[0, colours.text], [1, colours.text]],
        line={"width": 1.2},
        showscale=False,
        hoverinfo="skip",
    )
    picture.update_xaxes(visible=False)
    picture.update_yaxes(visible=False, autorange="reversed", scaleanchor="x")
    charts.show(picture, name.lower(), alt)


def _near(inspector: DigitInspector, preset: str, image: np.ndarray) -> None:
    figures = [
        figure(
            near.image / 255.0,
            f"<b>{near.label}</b>, distance {near.distance:.3g}<br>training image {near.number:,}",
            _("A {label} of the training set", label=near.label),
        )
        for near in remembered(preset, inspector, "neighbours", image)
    ]
    st.html(in_a_row(figures))
    st.caption(
        _(
            "By Euclidean distance in the last hidden layer, among the 500 training digits that "
            "Lectern carries (50 of each)."
        )
    )

"""Section "Depth": a deep network with and without residual connections, its curves and its gradients."""

from __future__ import annotations

import streamlit as st

from apps.digits.reports import DEPTH
from apps.shared import charts
from apps.shared.language import N_, _
from apps.shared.page import one_of
from apps.shared.page_reports import Curve, curves, show_facts, show_numbers, show_report
from apps.shared.style import palette
from apps.shared.tables import Report

WHEN = {N_("before training"): "first", N_("after training"): "last"}


def show() -> None:
    """Draw the section."""
    show_report(DEPTH, _training, _gradients, show_facts, show_numbers)


def _training(report: Report) -> None:
    layers = report.found["settings.layers"]
    st.markdown(
        _(
            "The same network of **{layers} layers** twice: with residual connections, and "
            "without. Where layers only follow one another, the gradient has to pass through every "
            "one of them; a connection lets it go around.",
            layers=layers,
        )
    )
    pictures = (
        ("train_loss", _("training loss, nats"), ".4f", "depth loss"),
        ("validation_accuracy", _("validation accuracy, %"), ".2f", "depth accuracy"),
    )
    for cell, (path, title, number, key) in zip(st.columns(2, gap="medium"), pictures, strict=True):
        hover = _("epoch %{{x}}: %{{y:{number}}}", number=number)
        picture = curves(_of(report, path), x_title=_("epoch"), y_title=title, hover=hover)
        with cell:
            charts.show(
                picture, key, _("{title} by epoch with and without residual connections", title=title)
            )


def _gradients(report: Report) -> None:
    st.subheader(_("Length of the gradient, layer by layer"), anchor=False)
    when = one_of(_("When"), tuple(WHEN), "when")
    found = _of(report, f"gradient_norms.{WHEN[when]}")
    title = _("layer, from the image to the answer")
    picture = curves(found, x_title=title, y_title=_("length"), hover=_("%{text}: %{y:.3g}"), height=360)
    picture.update_yaxes(type="log", exponentformat="power", dtick=1)
    charts.show(picture, "depth gradients", _("Length of the gradient by layer, {when}", when=when))
    for label, curve in found.items():
        convolutions = [height or 0.0 for height in curve.y[:-1]]
        least, most = min(convolutions), max(convolutions)
        more = _(", {most:.1f} times as much", most=most / least) if least else ""
        st.markdown(
            _(
                "- **{label}**: from {least:.2g} to {most:.2g} in the layers before the last{more}",
                label=label,
                least=least,
                most=most,
                more=more,
            )
        )
    if WHEN[when] == "first":
        st.caption(
            _(
                "Before training both have the usual initialisation. Backpropagation begins at the "
                "answer, so read from right to left: without connections every layer changes the "
                "length by about the same factor, and many layers multiply it. With connections the "
                "gradient goes around the layers too, and keeps its size. The network of the curves "
                "above was started in another way: each of its blocks begins by adding nothing, so "
                "that its layers have no gradient at all until the first step."
            )
        )
    else:
        st.caption(
            _(
                "After training the loss is almost 0, so there is little left to learn from and all "
                "gradients are short. Which layers have the longer ones is no longer a matter of the "
                "connections alone."
            )
        )


def _of(report: Report, path: str) -> dict[str, Curve]:
    """Return the numbers of each network as a line; a logarithm cannot show 0."""
    colours = palette()
    looks = {"residual": (colours.ours, "solid"), "plain": (colours.peer, "dash")}
    found = {}
    for line in report.lines:
        numbers, names = line.row.numbers(path), line.row[path]
        more = {"text": list(names)} if isinstance(names, dict) else {}
        heights = [number or None for number in numbers]
        found[line.label] = Curve(range(1, len(numbers) + 1), heights, *looks[line.label], more)
    return found

"""Section "Depth": a deep network with and without residual connections, its curves and its gradients."""

from __future__ import annotations

from collections.abc import Callable

import plotly.graph_objects as go
import streamlit as st

from apps.digits.reports import DepthReport, DepthRun, depth_report
from apps.shared import charts
from apps.shared.page import input_errors, one_of, plain
from apps.shared.style import palette

COMMAND = "python -m benchmarks.digits_depth --store"
NAMES = {"resnet": "residual", "plain": "plain"}
WHEN = ("before training", "behind training")


def show() -> None:
    """Draw the section."""
    with input_errors():
        report = depth_report()
        if report is None:
            st.info(f"The comparison has not run in this checkout. Run it: `{COMMAND}`")
            return
        _about(report)
        left, right = st.columns(2, gap="medium")
        with left:
            charts.show(
                _curves(report, lambda run: run.train_loss, "training loss, nats", ".4f"),
                "depth loss",
                "Training loss by epoch with and without residual connections",
            )
        with right:
            charts.show(
                _curves(report, lambda run: run.validation_accuracy, "validation accuracy, %", ".2f"),
                "depth accuracy",
                "Validation accuracy by epoch with and without residual connections",
            )
        _gradients(report)
        _table(report)


def _about(report: DepthReport) -> None:
    st.markdown(
        f"The same network of **{report.layers} layers** twice: with residual connections, and without. Where layers "
        "only follow one another, the gradient has to pass through every one of them; a connection lets it go around."
    )


def _curves(
    report: DepthReport, values: Callable[[DepthRun], tuple[float, ...]], title: str, number: str
) -> go.Figure:
    picture = charts.figure(x_title="epoch", y_title=title, height=340)
    for run, (colour, dash) in zip(report.runs, _looks(), strict=True):
        points = values(run)
        picture.add_scatter(
            x=list(range(1, len(points) + 1)),
            y=list(points),
            mode="lines+markers",
            name=NAMES[run.name],
            line={"color": colour, "dash": dash},
            hovertemplate=f"{NAMES[run.name]}, epoch %{{x}}: %{{y:{number}}}<extra></extra>",
        )
    picture.update_layout(margin={"t": 40}, showlegend=True)
    return picture


def _gradients(report: DepthReport) -> None:
    st.subheader("Length of the gradient, layer by layer", anchor=False)
    when = one_of("When", WHEN, "when")
    picture = charts.figure(x_title="layer, from the image to the answer", y_title="length", height=360)
    for run, (colour, dash) in zip(report.runs, _looks(), strict=True):
        norms = run.first_norms if when == WHEN[0] else run.last_norms
        picture.add_scatter(
            x=list(range(1, len(norms) + 1)),
            y=[norm if norm > 0 else None for norm in norms.values()],
            text=list(norms),
            mode="lines+markers",
            name=NAMES[run.name],
            line={"color": colour, "dash": dash},
            hovertemplate=f"{NAMES[run.name]}, %{{text}}: %{{y:.3g}}<extra></extra>",
        )
    picture.update_layout(margin={"t": 40}, showlegend=True)
    picture.update_yaxes(type="log", exponentformat="power", dtick=1)
    charts.show(picture, "depth gradients", f"Length of the gradient by layer, {when}")
    if when == WHEN[0]:
        st.caption(
            "A block with a connection begins by adding nothing: until the first step the gradient of the layers in "
            "it is 0, which this axis cannot show, and all of it goes around. Without connections it grows from layer "
            "to layer on its way back to the image."
        )
    st.caption(
        f"Euclidean length of the loss's gradient by the weights of each layer. {report.images:,} training images; "
        f"{plain(report.processor)}. Measure again: `{COMMAND}`"
    )


def _table(report: DepthReport) -> None:
    with st.expander("The numbers"):
        st.dataframe(
            [
                {
                    "network": NAMES[run.name],
                    "parameters": run.parameters,
                    "training loss": round(run.train_loss[-1], 5),
                    "validation, %": round(run.validation_accuracy[-1], 2),
                }
                for run in report.runs
            ],
            hide_index=True,
        )


def _looks() -> tuple[tuple[str, str], tuple[str, str]]:
    colours = palette()
    return (colours.ours, "solid"), (colours.peer, "dash")

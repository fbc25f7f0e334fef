"""Section "Learned": the detector's weights found by SGD, beside the hand-made ones."""

from __future__ import annotations

import streamlit as st

from apps.convolution.keras_code import signal_code
from apps.convolution.learned import (
    HAND_MADE,
    HELD_OUT,
    MAX_SEED,
    STARTS,
    STEPS,
    Detector,
    Learned,
    Snapshot,
    learn_detector,
)
from apps.convolution.numbers import written_row
from apps.convolution.page_drawings import as_keras, row, show_rows
from apps.convolution.signals import read_layers
from apps.shared import charts
from apps.shared.language import N_, _
from apps.shared.page import heavy_work, input_errors, number_box, one_of
from apps.shared.style import palette

_learn = st.cache_data(learn_detector, show_spinner="Learning …", max_entries=32)


def show() -> None:
    """Draw the section."""
    st.markdown(
        _(
            "“A real network would learn the weights.” Two cyclic convolutions, a bias and a ReLU "
            "start from random weights and learn by SGD, from generated signals, where a block of "
            "exactly three ones begins, or only whether there is one."
        )
    )
    columns = st.columns([2, 2, 3], vertical_alignment="bottom")
    with columns[0]:
        task = one_of(_("Task"), (N_("Localise"), N_("Detect")), "task", first="Detect", named=True)
    seed = number_box(columns[1], _("Seed"), (0, MAX_SEED), 1, "seed")
    with input_errors():
        with heavy_work():
            result = _learn(task.lower(), seed)
        every = result.snapshots[1].step
        step = columns[2].slider(
            _("Kernels after this many steps of SGD"),
            0,
            STEPS,
            STEPS,
            every,
            key="after",
            bind="query-params",
        )
        _result(result, result.snapshots[min(step // every, len(result.snapshots) - 1)])


def _result(result: Learned, snapshot: Snapshot) -> None:
    columns = st.columns(3)
    columns[0].metric(_("learned, held-out signals all right"), f"{100 * result.accuracy:.1f} %")
    columns[1].metric(_("hand-made"), f"{100 * result.hand_made_accuracy:.1f} %")
    columns[2].metric(_("random starts that got there"), f"{result.starts_right} / {STARTS}")
    left, right = st.columns(2, gap="medium")
    with left:
        st.subheader(_("Kernels after {step:,} steps", step=snapshot.step), anchor=False)
        charts.show(_kernels(snapshot.detector), "kernels", _("Learned and hand-made weights side by side"))
        st.caption(
            _(
                "Only the product of the two kernels' scales counts, so both are shown with a first "
                "kernel that ends in 1. “Grouped” is both in one, as the slide suggests."
            )
        )
    with right:
        st.subheader(_("Error on the way"), anchor=False)
        charts.show(
            _curves(result, snapshot), "curves", _("Mean squared error of every start over the steps")
        )
        st.caption(
            _(
                "One line a start, the best one strong. The flat ones are stuck: where a ReLU is 0 "
                "everywhere there is no gradient. n = {n:,} held-out signals; the best start is "
                "chosen on the training signals.",
                n=HELD_OUT,
            )
        )
    st.subheader(_("A held-out signal"), anchor=False)
    one = len(result.outputs) == 1
    show_rows(
        [
            row("x", result.example),
            row(_("learned: max over all positions") if one else _("learned"), result.outputs),
            row(_("hand-made"), result.hand_made_outputs),
        ],
        [],
        _(
            "Learned {learned}, hand-made {made}",
            learned=written_row(result.outputs),
            made=written_row(result.hand_made_outputs),
        ),
    )
    as_keras(lambda: signal_code(result.example, read_layers(result.detector.layers(result.task))))


def _kernels(detector: Detector) -> charts.Picture:
    colours = palette()
    ours, hand = detector.scaled, HAND_MADE.scaled
    parts = {_("first"): 2, _("second"): 4, _("grouped"): 5}
    names = [*(f"{part} {k}" for part, count in parts.items() for k in range(count)), _("bias")]
    values = {
        name: [*each.first, *each.second, *each.grouped, each.bias]
        for name, each in ((_("learned"), ours), (_("hand-made"), hand))
    }
    return charts.grouped_bars(
        names,
        values,
        x_title=_("weight"),
        colours={_("learned"): colours.ours, _("hand-made"): colours.peer},
        number=".2f",
    )


def _curves(result: Learned, snapshot: Snapshot) -> charts.Picture:
    colours = palette()
    picture = charts.figure(x_title=_("steps of SGD"), y_title=_("mean squared error"), height=480)
    steps = [each.step for each in result.snapshots]
    for start in sorted(range(STARTS), key=lambda at: at == result.best):  # the best one on top
        best = start == result.best
        picture.add_scatter(
            x=steps,
            y=[each.losses[start] for each in result.snapshots],
            mode="lines",
            line={"color": colours.ours if best else colours.muted, "width": 3 if best else 1},
            hovertemplate=_("start {start}, step %{{x}}: %{{y:.3g}}<extra></extra>", start=start + 1),
        )
    picture.add_vline(x=snapshot.step, line={"color": colours.peer, "dash": "dot"})
    picture.update_layout(showlegend=False)
    picture.update_yaxes(range=[0, 1.15 * sorted(result.snapshots[0].losses)[STARTS // 2]])
    return picture

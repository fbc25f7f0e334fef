"""Section "Signal": one signal through your own layers, with every product and sum."""

from __future__ import annotations

import re

import streamlit as st

from apps.convolution.examples import SIGNALS
from apps.convolution.keras_code import signal_code
from apps.convolution.numbers import read_numbers, written_row
from apps.convolution.page_drawings import as_keras, row, show_rows
from apps.convolution.signals import MAX_LAYERS, MAX_TEXT, SignalResult, read_layers, run_signal
from apps.shared.language import N_, _
from apps.shared.page import example_buttons, input_errors, number_box, text_box

_FIRST = SIGNALS["detect"].values
_NEW = {
    N_("correlate"): "correlate -1 1 cyclic",
    N_("convolve"): "convolve 1 2 1 zero 1 1 stride 1 dilation 1 bias 0",
    N_("bias"): "bias -1",
    N_("ReLU"): "relu",
    N_("max-pool"): "max blocks 2",
    N_("sum-pool"): "sum blocks 2",
    N_("average-pool"): "average window 3 stride 1",
    N_("global max"): "max",
}
_HELP = N_("""
| layer | what it does |
| --- | --- |
| `correlate -1 1 cyclic` | z[i] = Σₖ w[k] x[i + k], the lecture's convolution |
| `convolve -1 1 cyclic` | z[i] = Σₖ w[k] x[i − k], the kernel read backwards |
| `… valid`, `… zero 1 2`, `… cyclic` | padding: none, zeros before and behind, wrap around |
| `… stride 2`, `… dilation 2`, `… bias -1` | can stand behind every convolution |
| `bias -1`, `relu` | z − 1, and [z]₊ |
| `max`, `sum`, `average` | one number for the whole signal |
| `max blocks 2`, `sum window 3 stride 1` | blocks side by side, or a window that slides |
""")


def show() -> None:
    """Draw the section."""
    example_buttons({each.title: each.values for each in SIGNALS.values()}, "signal")
    left, right = st.columns([2, 3], gap="medium")
    with left:
        _boxes()
    with right, input_errors():
        signal = read_numbers(st.session_state["x"] or "", "The signal")
        layers = read_layers(st.session_state["layers"] or "")
        result = run_signal(signal, layers)
        _picture(result)
        as_keras(lambda: signal_code(signal, layers))


def _boxes() -> None:
    text_box(st, _("Signal x"), _FIRST["x"], "x", MAX_TEXT)
    text_box(st, _("Layers, one a line"), _FIRST["layers"], "layers", MAX_TEXT, lines=True, height=170)
    with st.container(horizontal=True, gap="xsmall"):
        for name, line in _NEW.items():
            st.button(f"+ {_(name)}", on_click=_append, args=(line,), key=f"add {name}", type="tertiary")
    with st.expander(_("How layers are written"), icon=":material/help:"):
        st.markdown(_(_HELP))
    for example in SIGNALS.values():
        if all(_lines(st.session_state[key]) == _lines(text) for key, text in example.values.items()):
            st.info(_(example.about))


def _lines(text: str | None) -> list[str]:
    return [line.strip() for line in re.split("[;\n]", text or "") if line.strip()]


def _append(line: str) -> None:
    before = (st.session_state.get("layers") or "").rstrip()
    st.session_state["layers"] = f"{before}\n{line}" if before else line


def _picture(result: SignalResult) -> None:
    if not result.stages:
        show_rows(
            [row("x", result.signal)], [], _("The signal {numbers}", numbers=written_row(result.signal))
        )
        st.caption(_("No layer yet: add one."))
        return
    layer, place = _chosen(result)
    stage = result.stages[layer]
    read = [product.place[0] for product in stage.terms[place] if product.place]
    rows = [row("x", result.signal, read if layer == 0 else ())]
    for at, each in enumerate(result.stages):
        marked = [place] if at == layer else read if at == layer - 1 else ()
        rows.append(row(f"z{at + 1} · {each.name}", each.values, marked))
    joints = [(layer, index, place) for index in read]
    output = written_row(result.output)
    show_rows(rows, joints, _("The signal and its layers; the last one gives {output}", output=output))
    zeros = len(stage.terms[place]) - len(read)
    st.markdown(f"`z{layer + 1}[{place}] = {stage.sums[place]}`")
    notes = [_("{zeros} of the values are zeros of the padding.", zeros=zeros)] if zeros else []
    notes += (
        [_("No output reads the last {unused} of the layer's input.", unused=stage.unused)]
        if stage.unused
        else []
    )
    if notes:
        st.caption(" ".join(notes))
    with st.expander(_("Every product and sum"), icon=":material/calculate:"):
        for at, each in enumerate(result.stages, start=1):
            st.markdown(f"**z{at}** · {each.name}")
            st.code(
                "\n".join(f"z{at}[{i}] = {each_sum}" for i, each_sum in enumerate(each.sums)), language=None
            )


def _chosen(result: SignalResult) -> tuple[int, int]:
    """The output that is explained: its layer and position; what no longer exists becomes the last that does."""
    columns = st.columns(2, vertical_alignment="bottom")
    layer = (
        min(number_box(columns[0], _("Explain layer"), (1, MAX_LAYERS), 1, "layer"), len(result.stages)) - 1
    )
    place = number_box(columns[1], _("Position"), (0, 999), 4, "at")
    return layer, min(place, len(result.stages[layer].values) - 1)

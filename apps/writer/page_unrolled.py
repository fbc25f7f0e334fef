"""Section "Unrolled": a prompt and what is written after it, drawn as inputs, targets and copied-back outputs."""

from __future__ import annotations

from itertools import pairwise

import streamlit as st

from apps.shared.page import heavy_work, input_errors
from apps.shared.style import palette
from apps.writer.application import Writer
from apps.writer.explain import MOST_STEPS, unrolled_steps
from apps.writer.page_pieces import SAID, linked
from apps.writer.page_unrolled_drawing import drawing_url, size

DEFAULT = r"ROMEO:\nO"
MOST_CHARACTERS = MOST_STEPS - 1


def show(writer: Writer, preset: str) -> None:
    """Draw the section."""
    with st.form("unrolled_form"):
        box, count, button = st.columns([4, 2, 1], vertical_alignment="bottom")
        prompt = box.text_input(
            "Prompt",
            DEFAULT,
            max_chars=MOST_CHARACTERS,
            **linked("unrolled"),
        )
        length = count.slider("Letters to write", 1, 24, 10, **linked("write"))
        button.form_submit_button("Draw", type="primary", width="stretch")
    with input_errors():
        with heavy_work():
            steps = unrolled_steps(writer, prompt.replace("\\n", "\n"), length)
        width, height = size(len(steps))
        st.html(
            '<div style="overflow-x:auto;max-width:100%" tabindex="0">'
            f'<img src="{drawing_url(steps, palette())}" width="{width}" height="{height}" '
            'style="max-width:none" alt="The unrolled network: inputs below, predictions above, targets on top"></div>'
        )
        # The last letter of the prompt has no target: what comes after it is written.
        trained = [step for step, after in pairwise(steps) if after.prompted]
        right = sum(step.output == step.target for step in trained)
        st.markdown(SAID["unrolled"]["about"])
        st.caption(
            "Each output is the likeliest character (temperature 0); the bar is its probability. Under a target stands "
            f"the probability that the network gives it; {right} of {len(trained)} targets were the likeliest."
        )

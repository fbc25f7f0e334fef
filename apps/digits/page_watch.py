"""What a digit network shows while it trains, as a page of the laboratory draws it."""

from __future__ import annotations

from collections.abc import Mapping
from html import escape
from typing import Any

import streamlit as st

from apps.digits.page_layers import STRIP_STYLE, strip_html
from apps.digits.strips import opened
from apps.shared import charts
from apps.shared.colours import tint
from apps.shared.page_images import figure, in_a_row
from apps.shared.style import Palette, palette

_STYLE = """<style>
.said { border-collapse: collapse; font-size: .8rem; font-variant-numeric: tabular-nums; }
.said td, .said th { padding: 0 .3rem; border: 0; font-weight: 400; text-align: right; }
.said .bar { display: block; height: .6rem; border-radius: 2px; min-width: 1px; }
.said .share { width: 7rem; text-align: left; }
.matrix { border-collapse: collapse; font-size: .78rem; font-variant-numeric: tabular-nums; }
.matrix td, .matrix th { padding: 0; border: 0; min-width: 1.55rem; height: 1.4rem; text-align: center;
  font-weight: 400; }
.matrix th { opacity: .7; }
.about { font-size: .82rem; opacity: .8; }
</style>"""


def show(picture: Mapping[str, Any], key: str) -> None:
    """Draw what ``apps.digits.watch`` saw; ``key`` begins the keys of what is drawn."""
    colours = palette()
    left, right = st.columns([2, 5], gap="medium")
    with left:
        st.html(_STYLE + _answer(picture, colours))
    with right:
        st.html(STRIP_STYLE + _inside(picture, colours))
    left, right = st.columns(2, gap="medium")
    with left:
        st.html(_STYLE + _confusion(picture, colours))
    with right:
        st.html(_hardest(picture, colours))
    if "moved" in picture:
        _moved(picture, key)


def _answer(picture: Mapping[str, Any], colours: Palette) -> str:
    """Draw the fixed image and the probabilities of its classes."""
    image = picture["image"]
    label = escape(image["label"])
    caption = f"image #{image['number']} of the sample, a {label}"
    rows = []
    for name, share in picture["shares"]:
        right = name == image["label"]
        named = f"<b>{escape(name)}</b>" if right else escape(name)
        colour = colours.positive if right else colours.muted
        rows.append(
            f'<tr><td>{named}</td><td class="share"><span class="bar" style="width:{100 * share:.1f}%;'
            f'background:{colour}"></span></td><td>{100 * share:.1f} %</td></tr>'
        )
    table = f'<table class="said" aria-label="What the network says now">{"".join(rows)}</table>'
    shown = figure(image["pixels"] / 255.0, caption, f"The image that is looked at, a {label}")
    loss = f'<div class="about">loss {picture["loss"]:.3g} nats</div>'
    return in_a_row([shown]) + table + loss


def _inside(picture: Mapping[str, Any], colours: Palette) -> str:
    """Draw filters and layers, each with its gradients."""
    filters = picture["filters"]
    drawn = [(f"{filters['name']}: filters", filters["weights"])]
    drawn.append((f"{filters['name']}: gradient of the filters", filters["gradients"]))
    for layer in picture["layers"]:
        size, count = "×".join(map(str, layer["shape"])), layer["activations"]["count"]
        whole = len(layer["shape"]) < 3 or count == layer["shape"][-1]
        name = f"{layer['name']} ({size}{'' if whole else f', first {count}'})"
        drawn += [(f"{name}: activations", layer["activations"])]
        drawn += [(f"{name}: gradient of the activations", layer["gradients"])]
    return "".join(strip_html(name, opened(content), colours) for name, content in drawn)


def _sample(picture: Mapping[str, Any]) -> str:
    """Say what the sample is."""
    held_out = "held out of training" if picture["held_out"] else "that it learns from"
    return f"{picture['n']} images {held_out}"


def _confusion(picture: Mapping[str, Any], colours: Palette) -> str:
    """Draw how often each class (row) is answered by each (column); shades are shares of the row."""
    if "confusion" not in picture:
        return ""
    labels, counts = list(map(escape, picture["labels"])), picture["confusion"].tolist()
    head = "".join(f'<th scope="col">{label}</th>' for label in labels)
    rows = []
    for at, (label, row) in enumerate(zip(labels, counts, strict=True)):
        cells = []
        for column, count in enumerate(row):
            colour = colours.positive if column == at else colours.negative
            shade = tint(colour, 0.8 * (count / max(sum(row), 1)) ** 0.5)
            cells.append(f'<td style="background:{shade or "none"}">{count or ""}</td>')
        rows.append(f'<tr><th scope="row">{label}</th>{"".join(cells)}</tr>')
    about = (
        f'<div class="about">What {_sample(picture)} show (rows) and what the network says (columns)</div>'
    )
    table = (
        f'<table class="matrix" aria-label="Confusion matrix"><tr><th></th>{head}</tr>{"".join(rows)}</table>'
    )
    return f'{about}<div style="overflow-x:auto">{table}</div>'


def _hardest(picture: Mapping[str, Any], colours: Palette) -> str:
    """Draw the images with the highest loss."""
    figures = []
    for one in picture["hardest"]:
        label, answer = escape(one["label"]), escape(one["answer"])
        wrong = one["label"] != one["answer"]
        said = f'<b style="color:{colours.negative}">{answer}</b>' if wrong else answer
        caption = f"a {label}, read as {said}, {100 * one['share']:.0f} % sure"
        figures.append(figure(one["pixels"] / 255.0, caption, f"A {label} that is read as {answer}"))
    return f'{_STYLE}<div class="about">The hardest of these images now</div>{in_a_row(figures)}'


def _moved(picture: Mapping[str, Any], key: str) -> None:
    """Draw what becomes of answers and activations when images are moved."""
    moved = picture["moved"]
    most = len(moved["accuracy"]) - 1
    looks = charts.line_looks(moved["layers"])
    left, middle, right = st.columns(3, gap="medium")
    lines = charts.figure(x_title="pixels moved", y_title="right answers, %", height=260)
    lines.add_scatter(x=list(range(most + 1)), y=moved["accuracy"], mode="lines+markers", showlegend=False,
                      line={"color": palette().ours})  # fmt: skip
    lines.update_yaxes(range=[0, 102])
    with left:
        charts.show(lines, f"{key} moved", "Right answers by how far the images are moved")
        st.caption(f"The first {moved['n']} of the {_sample(picture)}, moved to four sides by turns.")
    for place, name, title, about in (
        (middle, "change", "change of activations", "0: invariant, the layer does not notice the move."),
        (
            right,
            "error",
            "left after moving back",
            "0: equivariant, they move along by whole places; ink that leaves the image adds to it.",
        ),
    ):
        lines = charts.figure(x_title="pixels moved to the right", y_title=title, height=260)
        for row, layer in enumerate(moved["layers"]):
            colour, dash = looks[layer]
            lines.add_scatter(x=list(range(1, most + 1)), y=moved[name][row].tolist(), name=layer,
                              mode="lines+markers", line={"color": colour, "dash": dash})  # fmt: skip
        lines.update_yaxes(rangemode="tozero")
        with place:
            charts.show(lines, f"{key} {name}", f"{title} by layer and pixels moved")
            st.caption(f"Length of the difference by length of the activations. {about}")

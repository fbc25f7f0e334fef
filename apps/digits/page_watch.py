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
from apps.shared.language import _
from apps.shared.page_images import figure, in_a_row
from apps.shared.style import Palette, palette

_STYLE = """<style>
.said { border-collapse: collapse; font-size: .8rem; font-variant-numeric: tabular-nums;
  width: 100%; max-width: 12rem; }
.said td, .said th { padding: 0 .3rem; border: 0; font-weight: 400; text-align: right; white-space: nowrap; }
.said .bar { display: block; height: .6rem; border-radius: 2px; min-width: 1px; }
.said .share { width: 100%; text-align: left; }
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
    caption = _("image #{number} of the sample, a {label}", number=image["number"], label=label)
    rows = []
    for name, share in picture["shares"]:
        right = name == image["label"]
        named = f"<b>{escape(name)}</b>" if right else escape(name)
        colour = colours.positive if right else colours.muted
        rows.append(
            f'<tr><td>{named}</td><td class="share"><span class="bar" style="width:{100 * share:.1f}%;'
            f'background:{colour}"></span></td><td>{100 * share:.1f} %</td></tr>'
        )
    table = f'<table class="said" aria-label="{_("What the network says now")}">{"".join(rows)}</table>'
    shown = figure(image["pixels"] / 255.0, caption, _("The image that is looked at, a {label}", label=label))
    loss = f'<div class="about">{_("loss {loss:.3g} nats", loss=picture["loss"])}</div>'
    return in_a_row([shown]) + table + loss


def _inside(picture: Mapping[str, Any], colours: Palette) -> str:
    """Draw filters and layers, each with its gradients."""
    filters = picture["filters"]
    drawn = [(_("{name}: filters", name=filters["name"]), filters["weights"])]
    drawn.append((_("{name}: gradient of the filters", name=filters["name"]), filters["gradients"]))
    for layer in picture["layers"]:
        size, count = "×".join(map(str, layer["shape"])), layer["activations"]["count"]
        whole = len(layer["shape"]) < 3 or count == layer["shape"][-1]
        name = f"{layer['name']} ({size}{'' if whole else _(', first {count}', count=count)})"
        drawn += [(_("{name}: activations", name=name), layer["activations"])]
        drawn += [(_("{name}: gradient of the activations", name=name), layer["gradients"])]
    return "".join(strip_html(name, opened(content), colours) for name, content in drawn)


def _sample(picture: Mapping[str, Any]) -> str:
    """Say what the sample is."""
    held_out = _("held out of training") if picture["held_out"] else _("that it learns from")
    return _("{n} images {held_out}", n=picture["n"], held_out=held_out)


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
            shade = tint(colour, colours.most * (count / max(sum(row), 1)) ** 0.5)
            cells.append(f'<td style="background:{shade or "none"}">{count or ""}</td>')
        rows.append(f'<tr><th scope="row">{label}</th>{"".join(cells)}</tr>')
    about = _("What {sample} show (rows) and what the network says (columns)", sample=_sample(picture))
    about = f'<div class="about">{about}</div>'
    said = _("Confusion matrix")
    table = f'<table class="matrix" aria-label="{said}"><tr><th></th>{head}</tr>{"".join(rows)}</table>'
    return f'{about}<div style="overflow-x:auto" tabindex="0">{table}</div>'


def _hardest(picture: Mapping[str, Any], colours: Palette) -> str:
    """Draw the images with the highest loss."""
    figures = []
    for one in picture["hardest"]:
        label, answer = escape(one["label"]), escape(one["answer"])
        wrong = one["label"] != one["answer"]
        said = f'<b style="color:{colours.negative}">{answer}</b>' if wrong else answer
        caption = _(
            "a {label}, read as {said}, {share:.0f} % sure", label=label, said=said, share=100 * one["share"]
        )
        figures.append(
            figure(
                one["pixels"] / 255.0,
                caption,
                _("A {label} that is read as {answer}", label=label, answer=answer),
            )
        )
    return f'{_STYLE}<div class="about">{_("The hardest of these images now")}</div>{in_a_row(figures)}'


def _moved(picture: Mapping[str, Any], key: str) -> None:
    """Draw what becomes of answers and activations when images are moved."""
    moved = picture["moved"]
    most = len(moved["accuracy"]) - 1
    looks = charts.line_looks(moved["layers"])
    left, middle, right = st.columns(3, gap="medium")
    lines = charts.figure(x_title=_("pixels moved"), y_title=_("right answers, %"), height=260)
    lines.add_scatter(x=list(range(most + 1)), y=moved["accuracy"], mode="lines+markers", showlegend=False,
                      line={"color": palette().ours})  # fmt: skip
    lines.update_yaxes(range=[0, 102])
    with left:
        charts.show(lines, f"{key} moved", _("Right answers by how far the images are moved"))
        st.caption(
            _(
                "The first {n} of the {sample}, moved to four sides by turns.",
                n=moved["n"],
                sample=_sample(picture),
            )
        )
    for place, name, title, about in (
        (
            middle,
            "change",
            _("change of activations"),
            _("0: invariant, the layer does not notice the move."),
        ),
        (
            right,
            "error",
            _("left after moving back"),
            _("0: equivariant, they move along by whole places; ink that leaves the image adds to it."),
        ),
    ):
        lines = charts.figure(x_title=_("pixels moved to the right"), y_title=title, height=260)
        for row, layer in enumerate(moved["layers"]):
            colour, dash = looks[layer]
            lines.add_scatter(x=list(range(1, most + 1)), y=moved[name][row].tolist(), name=layer,
                              mode="lines+markers", line={"color": colour, "dash": dash})  # fmt: skip
        lines.update_yaxes(rangemode="tozero")
        with place:
            charts.show(lines, f"{key} {name}", _("{title} by layer and pixels moved", title=title))
            st.caption(_("Length of the difference by length of the activations. {about}", about=about))

"""Section "Errors": every digit of the test set that the network mistakes for another one, by its confidence."""

from __future__ import annotations

from html import escape
from urllib.parse import urlencode

import streamlit as st

from apps.digits.explain import DigitInspector
from apps.digits.reports import DigitErrors, digit_errors
from apps.shared import charts
from apps.shared.language import N_, _
from apps.shared.page import input_errors, one_of
from apps.shared.page_images import figure, in_a_row
from apps.shared.style import palette

COMMAND = "python -m benchmarks.digit_errors --store"
_ALL = N_("all")
_MOST_PAIRS, _FEW = 12, 8


def show(inspector: DigitInspector, preset: str) -> None:
    """Draw the section."""
    with input_errors():
        errors = digit_errors(preset)
        if errors is None:
            st.info(
                _(
                    "The test images that {preset} reads wrong are not stored here. For the shipped "
                    "networks: `{command}`",
                    preset=preset,
                    command=COMMAND,
                )
            )
            return
        count, n = len(errors.errors), errors.n
        st.markdown(
            _(
                "**{count:,}** of the {n:,} images of the official test set are read wrong, "
                "{share:.2f} %. The most confident errors come first. Click one to look inside the "
                "network while it errs.",
                count=count,
                n=n,
                share=100 * count / n,
            )
        )
        if count:
            left, right = st.columns([3, 2], gap="large")
            with right:
                _pairs(errors)
            with left:
                _gallery(errors, preset)


def _gallery(errors: DigitErrors, preset: str) -> None:
    shown = sorted({error.label for error in errors.errors})
    digit = one_of(_("The image shows"), (_ALL, *shown), "shows", named=True)
    colours = palette()
    figures = []
    for at, error in enumerate(errors.errors, start=1):
        if digit not in (_ALL, error.label):
            continue
        query = urlencode({"section": "Layers", "preset": preset, "source": "Error", "error": at})
        caption = _(
            "a {label}, read as {answer}<br>{percent:.1f} % sure<br>image {index:,}",
            label=escape(error.label),
            answer=f'<b style="color:{colours.negative}">{escape(error.answer)}</b>',
            percent=100 * error.confidence,
            index=error.index,
        )
        alt = _("A {label} that is read as {answer}", label=error.label, answer=error.answer)
        image = errors.images[error.index] / 255.0
        figures.append(figure(image, caption, alt, f"/digits?{query}"))
    st.html(in_a_row(figures))


def _pairs(errors: DigitErrors) -> None:
    pairs = errors.confusions[:_MOST_PAIRS]
    picture = charts.bars(
        [_("{label} read as {answer}", label=label, answer=answer) for (label, answer), count in pairs],
        [count for _, count in pairs],
        x_title=_("errors"),
        colour=palette().peer,
        number="d",
    )
    if pairs[0][1] <= _FEW:
        picture.update_xaxes(dtick=1)  # there are no halves of errors
    charts.show(picture, "confusions", _("The most frequent confusions"))
    if len(pairs) < len(errors.confusions):
        st.caption(
            _("The {n} most frequent of {all} kinds of error.", n=len(pairs), all=len(errors.confusions))
        )

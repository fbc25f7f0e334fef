"""Section "Errors": words that the reader reads wrong, with context or without it."""

from __future__ import annotations

from html import escape

import numpy as np

from apps.ocr.application import Reader
from apps.ocr.page_source import error_letters, reading_errors
from apps.shared.errors import Error
from apps.shared.language import N_, _
from apps.shared.page import input_errors
from apps.shared.page_errors import exhibit, show_errors
from apps.shared.page_images import figure, in_a_row
from apps.shared.style import palette

_SAID = N_(
    "**{wrong:,}** of {n:,} words are read wrong, {share:.1f} %. Shown are these, and some that context mends: the "
    "letters alone are read wrong. Some words are written by Lectern's pen, others by people whose letters the set "
    "holds; the set leaves out the first letter of every word (“ommanding”), because it may be a capital."
)
_ON_A_PAGE = 40
_HEIGHT = 48  # pixels on the screen of a word: three of each of its own


def show(reader: Reader, preset: str) -> None:
    """Draw the section."""

    def draw(number: int, error: Error) -> str:
        caption = _(
            "{label}, read as {answer}<br>{percent:.1f} % sure<br>{kind}",
            label=escape(error.label),
            answer=f'<b style="color:{palette().negative}">{escape(error.answer)}</b>',
            percent=100 * error.confidence,
            kind=_(error.kind),
        )
        alt = _("The word {label}, which is read as {answer}", label=error.label, answer=error.answer)
        link = exhibit("ocr", section="Letters", letters=preset, source="Error", error=number)
        return figure(np.hstack(error_letters(error)) / 255.0, caption, alt, link, height=_HEIGHT)

    with input_errors():
        show_errors(reading_errors(preset), "ocr", _SAID, draw, row=in_a_row, on_a_page=_ON_A_PAGE)

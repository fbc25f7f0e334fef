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
    "**{wrong:,}** of {n:,} words are read wrong, {share:.1f} %: words of the set that were held out, and words that "
    "the project's pen writes. Beside them some that each letter alone reads wrong and context mends. Those of the set "
    "are shown where it is at hand."
)
_ON_A_PAGE = 40


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
        return figure(np.hstack(error_letters(error)) / 255.0, caption, alt, link)

    with input_errors():
        show_errors(reading_errors(preset), "ocr", _SAID, draw, row=in_a_row, on_a_page=_ON_A_PAGE)

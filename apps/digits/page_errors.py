"""Section "Errors": every digit of the test set that the network mistakes for another one, by its confidence."""

from __future__ import annotations

from html import escape

from apps.digits.explain import DigitInspector
from apps.digits.reports import digit_errors, error_image
from apps.shared import charts
from apps.shared.errors import Error, Errors
from apps.shared.language import N_, _
from apps.shared.page import input_errors
from apps.shared.page_errors import exhibit, show_errors
from apps.shared.page_images import figure, in_a_row
from apps.shared.style import palette

_SAID = N_(
    "**{wrong:,}** of the {n:,} images of the official test set are read wrong, {share:.2f} %. The most confident "
    "errors come first. Click one to look inside the network while it errs."
)
_MOST_PAIRS, _FEW = 12, 8
_ON_A_PAGE = 100


def show(inspector: DigitInspector, preset: str) -> None:
    """Draw the section."""

    def draw(number: int, error: Error) -> str:
        caption = _(
            "a {label}, read as {answer}<br>{percent:.1f} % sure<br>image {index:,}",
            label=escape(error.label),
            answer=f'<b style="color:{palette().negative}">{escape(error.answer)}</b>',
            percent=100 * error.confidence,
            index=error.more["number"],
        )
        alt = _("A {label} that is read as {answer}", label=error.label, answer=error.answer)
        link = exhibit("digits", section="Layers", preset=preset, source="Error", error=number)
        return figure(error_image(error) / 255.0, caption, alt, link)

    with input_errors():
        found = digit_errors(preset)
        show_errors(found, "digits", _SAID, draw, row=in_a_row, on_a_page=_ON_A_PAGE, more=_pairs)


def _pairs(errors: Errors) -> None:
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

"""Section "Errors": reviews that get the wrong verdict, each with its sentence that misleads most."""

from __future__ import annotations

from apps.reviews.application import Reviews
from apps.shared.errors import Error, stored_errors
from apps.shared.language import N_, _
from apps.shared.page import input_errors
from apps.shared.page_errors import exhibit, quoted, show_errors

_SAID = N_(
    "**{wrong:,}** of {n:,} reviews that were held out of the training half get the wrong verdict, {share:.2f} %. "
    "The surest errors come first. Of each review only one sentence is shown: the one that, read alone, speaks most "
    "for the wrong verdict."
)


def show(reviews: Reviews, preset: str) -> None:
    """Draw the section."""

    def draw(number: int, error: Error) -> str:
        note = _("a review of {n:,} words", n=error.length or 0)
        return quoted(error, exhibit("reviews", section="Verdict", preset=preset, text=error.text), note)

    with input_errors():
        show_errors(stored_errors("reviews", preset), "reviews", _SAID, draw)

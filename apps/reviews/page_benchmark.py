"""Section "Benchmark": speed and accuracy beside TF-IDF with logistic regression and fastText, and bounded memory."""

from __future__ import annotations

from apps.reviews.reports import SPEED
from apps.shared.page_reports import show_report


def show() -> None:
    """Draw the section."""
    show_report(SPEED)

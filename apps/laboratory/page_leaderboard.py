"""Section "Leaderboard": scores of the presets beside what others published and what was measured here."""

from __future__ import annotations

from apps.shared.leaderboard import leaderboard
from apps.shared.page import input_errors
from apps.shared.page_reports import show_facts, show_table


def show() -> None:
    """Draw the section."""
    with input_errors():
        report = leaderboard()
        show_facts(report)
        show_table(report)

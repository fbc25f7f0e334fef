"""Page "Laboratory": networks train while you watch, and runs are compared."""

from __future__ import annotations

from apps.laboratory import page_compare, page_experiments, page_leaderboard, page_start, page_watch
from apps.shared.page import show_page

SECTIONS = {
    None: {
        "Start": page_start.show,
        "Watch": page_watch.show,
        "Compare": page_compare.show,
        "Experiments": page_experiments.show,
        "Leaderboard": page_leaderboard.show,
    }
}

if __name__ == "__main__":
    show_page(__file__, SECTIONS)

"""Page "Course": the lecture taught in ten lessons, with exercises that are checked."""

from __future__ import annotations

from apps.course import page_lesson
from apps.shared.page import show_page

SECTIONS = {None: {"Lessons": page_lesson.show}}

if __name__ == "__main__":
    show_page(__file__, SECTIONS)

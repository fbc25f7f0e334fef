"""The drawings of the lecture's parts (``drawings/*.svg``) in the colours of the page."""

from __future__ import annotations

from base64 import b64encode
from pathlib import Path

from apps.shared.colours import Palette

_FOLDER = Path(__file__).with_suffix("")


def drawing(part: str, palette: Palette) -> str:
    """Draw a part of the lecture, by its key in ``apps.lecture.topics``, in colours of the page: an SVG document."""
    shapes = (_FOLDER / f"{part}.svg").read_text(encoding="utf-8")
    rules = (_FOLDER / "style.css").read_text(encoding="utf-8")
    colours = f":root{{--line:{palette.text};--accent:{palette.ours}}}"
    return shapes.replace(">", f"><style>{colours}{rules}</style>", 1)


def drawing_url(part: str, palette: Palette) -> str:
    """Draw one part of the lecture as an address for an ``<img>`` (the page's sanitizer removes inline SVG)."""
    return "data:image/svg+xml;base64," + b64encode(drawing(part, palette).encode()).decode()

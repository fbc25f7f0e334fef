"""Strips of the page in its colours."""

from __future__ import annotations

from html import escape

from apps.digits.picture_strips import Strip, png, scale
from apps.shared.page_images import png_url, rgb
from apps.shared.style import Palette

_CELL, _LINE, _TILE = 12, 16, 56  # pixels on the screen: a cell of a vector, its height, about a tile
_MOST_HIGH = 280


def strip_html(strip: Strip, colours: Palette, alt: str) -> str:
    """Draw a strip.

    Args:
        strip: The tiles.
        colours: Of the page.
        alt: What a screen reader says.

    Returns:
        An ``<img>`` in a frame that scrolls where it is high.
    """
    ends = [rgb(colours.grid), rgb(colours.positive)]
    if strip.signed:
        ends = [rgb(colours.negative), *ends]
    rows, columns, height, width = strip.tiles.shape
    if height == 1:
        size = f"width:min(100%,{width * _CELL}px);height:{_LINE}px"
    elif rows * columns == 1 and width > 40:
        size = f"width:min(100%,{3 * width}px);height:{8 * height}px"
    else:
        factor = max(2, min(10, _TILE // max(height, width)))
        size = f"width:{factor * (columns * (width + 1) - 1)}px;max-width:100%"
    return f'<div class="strip"><img src="{png_url(png(strip, scale(ends)))}" alt="{escape(alt)}" style="{size}"></div>'


STYLE = f"""<style>
.strip {{ max-height: {_MOST_HIGH}px; overflow: auto; margin: .1rem 0 .55rem; }}
.strip img {{ image-rendering: pixelated; display: block; }}
.about {{ font-size: .82rem; opacity: .8; }}
</style>"""

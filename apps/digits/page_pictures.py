"""Images and strips of the page in its colours, as addresses for ``<img>``."""

from __future__ import annotations

from base64 import b64encode
from html import escape

import numpy as np

from apps.digits.picture_strips import Strip, activation_strip, png, scale
from apps.shared.style import Palette

_CELL, _LINE, _TILE = 12, 16, 56  # pixels on the screen: a cell of a vector, its height, about a tile
_MOST_HIGH = 280


def rgb(colour: str) -> tuple[int, int, int]:
    """Read ``#rrggbb``."""
    red, green, blue = (int(colour[at : at + 2], 16) for at in (1, 3, 5))
    return red, green, blue


def image_url(image: np.ndarray, colours: Palette, *, light: bool = False) -> str:
    """Draw an image with the page's text colour as ink.

    Args:
        image: Float (height, width), 0 for paper to 1 for ink.
        colours: Of the page.
        light: Whether the numbers are brightness instead, and it is drawn from black to white.

    Returns:
        A ``data:`` address.
    """
    strip = activation_strip(np.append(image.ravel(), 1.0))  # one cell of full ink fixes the scale
    strip = strip._replace(tiles=np.asarray(image, np.float32)[None, None])
    ends = [(0, 0, 0), (255, 255, 255)] if light else [rgb(colours.grid), rgb(colours.text)]
    return _url(png(strip, scale(ends)))


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
    return f'<div class="strip"><img src="{_url(png(strip, scale(ends)))}" alt="{escape(alt)}" style="{size}"></div>'


STYLE = f"""<style>
.strip {{ max-height: {_MOST_HIGH}px; overflow: auto; margin: .1rem 0 .55rem; }}
.strip img, .digits img {{ image-rendering: pixelated; display: block; }}
.about {{ font-size: .82rem; opacity: .8; }}
.digits {{ display: flex; flex-wrap: wrap; gap: .8rem; }}
.digits figure {{ margin: 0; max-width: 9.5rem; }}
.digits figcaption {{ font-size: .8rem; line-height: 1.25; margin-top: .25rem; }}
.digits a {{ color: inherit; text-decoration: none; }}
.digits a:hover img, .digits a:focus-visible img {{ outline: 2px solid currentColor; }}
</style>"""


def digit_figure(
    image: np.ndarray, colours: Palette, caption: str, alt: str, link: str = "", *, light: bool = False
) -> str:
    """Draw an image with words below it.

    Args:
        image: Float (height, width), 0 for paper to 1 for ink.
        colours: Of the page.
        caption: HTML.
        alt: What a screen reader says.
        link: Where a click goes; empty for nowhere.
        light: As :func:`image_url` has it.

    Returns:
        A ``<figure>`` for a ``<div class="digits">``.
    """
    height, width = image.shape
    factor = 96 / max(height, width)
    picture = (
        f'<img src="{image_url(image, colours, light=light)}" alt="{escape(alt)}" '
        f'style="width:{max(1, round(width * factor))}px;height:{max(1, round(height * factor))}px">'
    )
    if link:
        picture = f'<a href="{escape(link)}" target="_self">{picture}</a>'
    return f"<figure>{picture}<figcaption>{caption}</figcaption></figure>"


def _url(picture: bytes) -> str:
    return "data:image/png;base64," + b64encode(picture).decode()

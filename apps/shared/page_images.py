"""Images on a page in its colours: as addresses for ``<img>``, and as figures in a row with words below them."""

from __future__ import annotations

import io
from base64 import b64encode
from collections.abc import Iterable
from html import escape

import numpy as np
from PIL import Image

from apps.shared.style import Palette, palette
from data_prep.images.preparation import PreparedImage

_SHOWN = 96  # pixels on the screen of a figure's longer side
_MOST_PIXELS = 256  # of a step's longer side: it is thinned out for the screen

_STYLE = """<style>
.pictures { display: flex; flex-wrap: wrap; gap: .8rem; }
.pictures img { image-rendering: pixelated; display: block; }
.pictures figure { margin: 0; max-width: 9.5rem; }
.pictures figcaption { font-size: .8rem; line-height: 1.25; margin-top: .25rem; }
.pictures a { color: inherit; text-decoration: none; }
.pictures a:hover img, .pictures a:focus-visible img { outline: 2px solid currentColor; }
</style>"""


def rgb(colour: str) -> tuple[int, int, int]:
    """Read ``#rrggbb``."""
    red, green, blue = (int(colour[at : at + 2], 16) for at in (1, 3, 5))
    return red, green, blue


def png_url(picture: bytes) -> str:
    """Return the ``data:`` address of a PNG picture."""
    return "data:image/png;base64," + b64encode(picture).decode()


def image_url(image: np.ndarray, colours: Palette, *, light: bool = False) -> str:
    """Draw an image with the page's text colour as ink.

    Args:
        image: Float (height, width), 0 for paper to 1 for ink.
        colours: Of the page.
        light: Whether the numbers are brightness instead, and it is drawn from black to white.

    Returns:
        A ``data:`` address.
    """
    ends = [(0, 0, 0), (255, 255, 255)] if light else [rgb(colours.grid), rgb(colours.text)]
    paper, ink = np.array(ends, np.float32)
    share = np.clip(np.asarray(image, np.float32), 0.0, 1.0)[..., None]
    written = io.BytesIO()
    Image.fromarray(np.rint(paper + share * (ink - paper)).astype(np.uint8)).save(written, "PNG")
    return png_url(written.getvalue())


def figure(
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
        A ``<figure>`` for :func:`in_a_row`.
    """
    height, width = image.shape
    factor = _SHOWN / max(height, width)
    picture = (
        f'<img src="{image_url(image, colours, light=light)}" alt="{escape(alt)}" '
        f'style="width:{max(1, round(width * factor))}px;height:{max(1, round(height * factor))}px">'
    )
    if link:
        picture = f'<a href="{escape(link)}" target="_self">{picture}</a>'
    return f"<figure>{picture}<figcaption>{caption}</figcaption></figure>"


def in_a_row(figures: Iterable[str]) -> str:
    """Put figures side by side; HTML."""
    return f'{_STYLE}<div class="pictures">{"".join(figures)}</div>'


def steps_in_a_row(prepared: PreparedImage) -> str:
    """Draw every step from a picture to what a network reads; HTML."""
    colours = palette()
    figures = []
    for step in prepared.steps:
        factor = -(-max(step.image.shape) // _MOST_PIXELS)
        caption = f"<b>{escape(step.name)}</b><br>{escape(step.text)}"
        shown = step.image[::factor, ::factor]
        figures.append(figure(shown, colours, caption, step.text, light=step.name == "gray"))
    return in_a_row(figures)

"""Images on a page in its colours: as addresses for ``<img>``, and as figures in a row with words below them."""

from __future__ import annotations

import io
from base64 import b64encode
from collections.abc import Iterable
from html import escape

import numpy as np
from PIL import Image, ImageOps

from apps.shared.style import Palette, palette
from data_prep.images.preparation import PreparedImage

_SHOWN = 96  # pixels on the screen of a figure's longer side
_MOST_PIXELS = 256  # of a step's longer side: it is thinned out for the screen

_STYLE = """<style>
.pictures { display: flex; flex-wrap: wrap; gap: .8rem; }
.pictures img { image-rendering: pixelated; display: block; }
.pictures figure { margin: 0; }
.pictures figcaption { max-width: 9.5rem; font-size: .8rem; line-height: 1.25; margin-top: .25rem; }
.pictures a { color: inherit; text-decoration: none; }
.pictures a:hover img, .pictures a:focus-visible img { outline: 2px solid currentColor; }
</style>"""


def png_url(picture: bytes) -> str:
    """Return the ``data:`` address of a PNG picture."""
    return "data:image/png;base64," + b64encode(picture).decode()


def image_url(image: np.ndarray, colours: Palette, *, light: bool = False) -> str:
    """Draw an image float (height, width), 0 for paper to 1 for ink, in the page's colours: a ``data:`` address.

    With ``light`` the numbers are brightness instead, and it is drawn from black to white.
    """
    ends = ("black", "white") if light else (colours.grid, colours.text)
    gray = np.rint(255 * np.clip(np.asarray(image, np.float32), 0.0, 1.0)).astype(np.uint8)
    written = io.BytesIO()
    ImageOps.colorize(Image.fromarray(gray), *ends).save(written, "PNG")
    return png_url(written.getvalue())


def figure(
    image: np.ndarray, caption: str, alt: str, link: str = "", *, light: bool = False, height: int = 0
) -> str:
    """Draw an image, as :func:`image_url` takes it, with words below it: a ``<figure>`` for :func:`in_a_row`.

    The caption is HTML, ``alt`` what a screen reader says, and ``link`` where a click goes; a ``height`` in pixels is
    for images of one height, whose widths differ.
    """
    scale = height / image.shape[0] if height else _SHOWN / max(image.shape)
    height, width = (max(1, round(scale * side)) for side in image.shape)
    size, url = f"width:{width}px;height:{height}px", image_url(image, palette(), light=light)
    picture = f'<img src="{url}" alt="{escape(alt)}" style="{size}">'
    if link:
        picture = f'<a href="{escape(link)}" target="_self">{picture}</a>'
    return f"<figure>{picture}<figcaption>{caption}</figcaption></figure>"


def in_a_row(figures: Iterable[str]) -> str:
    """Put figures side by side; HTML."""
    return f'{_STYLE}<div class="pictures">{"".join(figures)}</div>'


def steps_in_a_row(prepared: PreparedImage) -> str:
    """Draw every step from a picture to what a network reads; HTML."""
    figures = []
    for step in prepared.steps:
        factor = -(-max(step.image.shape) // _MOST_PIXELS)
        caption = f"<b>{escape(step.name)}</b><br>{escape(step.text)}"
        shown = step.image[::factor, ::factor]
        figures.append(figure(shown, caption, step.text, light=step.name == "gray"))
    return in_a_row(figures)

"""Small line drawings, one for each part of the lecture: SVG in the colours of the page."""

from __future__ import annotations

from base64 import b64encode
from collections.abc import Iterable

from apps.shared.style import Palette

_WIDTH, _HEIGHT = 160, 90


def _shape(name: str, style: str, **attributes: float | str) -> str:
    """Draw a shape; its style is a class of :func:`drawing`."""
    written = " ".join(f'{key}="{value}"' for key, value in attributes.items())
    return f'<{name} {written} class="{style}"/>'


def _rect(x: float, y: float, width: float, height: float, style: str, rx: float = 2) -> str:
    return _shape("rect", style, x=x, y=y, width=width, height=height, rx=rx)


def _circle(x: float, y: float, r: float, style: str) -> str:
    return _shape("circle", style, cx=x, cy=y, r=r)


def _line(x1: float, y1: float, x2: float, y2: float, style: str = "thin") -> str:
    return _shape("line", style, x1=x1, y1=y1, x2=x2, y2=y2)


def _arrow(x1: float, y1: float, x2: float, y2: float) -> str:
    return _line(x1, y1, x2, y2, "line tip")


def _cell(x: float, y: float, size: float, strength: float = 0.0) -> str:
    """Draw one cell; strength 0 is empty, 1 is the full accent colour."""
    fill = _shape("rect", "fill", x=x, y=y, width=size, height=size, rx=1.5, opacity=strength)
    return _rect(x, y, size, size, "line", 1.5) + fill


def _cells(x: float, y: float, size: float, strengths: Iterable[float], *, down: bool = False) -> str:
    """Draw cells side by side, or below each other."""
    return "".join(
        _cell(x if down else x + size * i, y + size * i if down else y, size, strength)
        for i, strength in enumerate(strengths)
    )


def _text(x: float, y: float, words: str, size: int = 10) -> str:
    return f'<text x="{x:g}" y="{y:g}" font-size="{size}" text-anchor="middle" class="word">{words}</text>'


def _tensors() -> str:
    matrix = "".join(_cells(14, 24 + 14 * r, 14, [0.8 * (r == 1)] * 3) for r in range(3))
    vectors = _cells(76, 24, 14, (0.8, 0.8, 0.8), down=True) + _cells(122, 24, 14, (0, 1, 0), down=True)
    return matrix + vectors + _text(66, 50, "·", 16) + _text(106, 49, "=", 14)


def _convolution() -> str:
    below = _cells(16, 58, 16, (0, 0, 0, 0.75, 0.75, 0.75, 0, 0))
    above = _cells(16, 14, 16, (0, 0, 0, 0, 1, 0, 0, 0))
    return below + above + _rect(64, 55, 48, 22, "strong", 3) + _arrow(88, 53, 88, 34)


def _pooling() -> str:
    below = _cells(16, 60, 16, (0.15, 0.9, 0.3, 0.0, 0.2, 0.1, 0.6, 0.0))
    joints = "".join(_line(24 + 16 * i, 60, 48 if i < 4 else 112, 50) for i in range(8))
    groups = _cell(40, 34, 16, 0.9) + _cell(104, 34, 16, 0.6) + _cell(72, 8, 16, 0.9)
    return below + joints + groups + _line(48, 34, 80, 24) + _line(112, 34, 80, 24)


def _shapes() -> str:
    planes = "".join(_rect(18 + 10 * i, 16 + 8 * i, 46, 40, "plane") for i in range(3)) + _cell(
        44, 38, 14, 0.9
    )
    result = "".join(_rect(104 + 8 * i, 28 + 6 * i, 30, 26, "plane") for i in range(2))
    return planes + result + _arrow(88, 46, 100, 46) + _cell(118, 40, 6, 0.9)


def _network() -> str:
    sizes = ((12, 60), (38, 46), (62, 34), (84, 22))
    planes = "".join(_rect(x, 45 - size / 2, size * 0.3, size, "plane") for x, size in sizes)
    joints = "".join(_line(116, 17 + 14 * i, 136, 24 + 14 * j) for i in range(5) for j in range(4))
    hidden = "".join(_circle(112, 17 + 14 * i, 3.5, "line") for i in range(5))
    return (
        planes
        + joints
        + hidden
        + "".join(_circle(140, 24 + 14 * i, 4, "fill" if i == 2 else "line") for i in range(4))
    )


def _tokens() -> str:
    vectors = {"to": (0.9, 0.2, 0.5), "be": (0.3, 0.8, 0.1), "or": (0.1, 0.4, 0.7), "not": (0.6, 0.6, 0.2)}
    return "".join(
        _text(23 + 23 * i, 24, word, 11) + _cells(16 + 23 * i, 34, 14, vectors[word], down=True)
        for i, word in enumerate(("to", "be", "or", "not", "to", "be"))
    )


def _chain(x: float, width: float, outputs: tuple[int, ...]) -> str:
    picture = ""
    for i in range(3):
        at = x + width / 2 * i
        picture += _circle(at, 45, 5, "line") + _arrow(at, 72, at, 53)
        if i < 2:
            picture += _arrow(at + 6, 45, at + width / 2 - 7, 45)
        if i in outputs:
            picture += _arrow(at, 39, at, 22) + _circle(at, 15, 4, "fill")
    return picture


def _tasks() -> str:
    return _chain(18, 46, (2,)) + _chain(96, 46, (0, 1, 2))


def _recurrent() -> str:
    picture = _text(8, 49, "…", 12)
    for i in range(4):
        at = 28 + 34 * i
        picture += _cell(at - 9, 36, 18, 0.15 + 0.25 * i) + _arrow(at, 76, at, 58) + _arrow(at, 34, at, 17)
        if i < 3:
            picture += _arrow(at + 10, 45, at + 23, 45)
    return picture


def _generation() -> str:
    picture = ""
    for i, letter in enumerate("ROME"):
        at = 24 + 36 * i
        picture += _cell(at - 8, 38, 16, 0.2) + _arrow(at, 68, at, 57) + _arrow(at, 36, at, 26)
        picture += _text(at, 80, letter, 11) + _text(at, 20, "OMEO"[i], 11)
        if i < 3:
            picture += _arrow(at + 9, 46, at + 26, 46)
            picture += _shape("path", "dash", d=f"M{at + 7} 17 C {at + 22} 22, {at + 14} 70, {at + 28} 75")
    return picture


def _word2vec() -> str:
    corners = {"france": (28, 70), "paris": (56, 26), "spain": (104, 72), "madrid": (132, 28)}
    picture = _shape("path", "plane", d="M28 70 L56 26 L132 28 L104 72 Z")
    picture += _arrow(28, 70, 54, 29) + _arrow(104, 72, 130, 31)
    for word, (x, y) in corners.items():
        picture += _circle(x, y, 3.5, "fill" if word == "madrid" else "dot")
        picture += _text(x, y + (-8 if y < 45 else 14), word, 11)
    return picture


_DRAWINGS = {
    "tensors": _tensors,
    "convolution": _convolution,
    "pooling": _pooling,
    "shapes": _shapes,
    "network": _network,
    "tokens": _tokens,
    "tasks": _tasks,
    "recurrent": _recurrent,
    "generation": _generation,
    "word2vec": _word2vec,
}


def drawing(part: str, palette: Palette) -> str:
    """Draw one part of the lecture.

    Args:
        part: Key of the part in ``apps.lecture.topics``.
        palette: Colours of the page that it stands on.

    Returns:
        An SVG document.

    Raises:
        KeyError: No drawing has that name.
    """
    line, accent = palette.text, palette.ours
    rules = (
        f".line{{fill:none;stroke:{line};stroke-opacity:.55;stroke-width:1.1}}.tip{{marker-end:url(#tip)}}"
        f".thin{{stroke:{line};stroke-opacity:.3;stroke-width:.8}}"
        f".strong{{fill:none;stroke:{accent};stroke-width:2}}"
        f".dash{{fill:none;stroke:{accent};stroke-width:1.3;stroke-dasharray:3 2.5}}"
        f".plane{{fill:{accent};fill-opacity:.16;stroke:{line};stroke-opacity:.55;stroke-width:1}}"
        f".fill{{fill:{accent}}}.dot{{fill:{line};fill-opacity:.6}}"
        f".word{{fill:{line};font-family:sans-serif}}"
    )
    return (
        f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {_WIDTH} {_HEIGHT}"><style>{rules}</style>'
        '<defs><marker id="tip" viewBox="0 0 6 6" refX="5" refY="3" markerWidth="5" markerHeight="5" '
        'orient="auto">'
        f'<path d="M0 0 L6 3 L0 6 z" fill="{line}"/></marker></defs>{_DRAWINGS[part]()}</svg>'
    )


def drawing_url(part: str, palette: Palette) -> str:
    """Draw one part of the lecture as an address for an ``<img>`` (the page's sanitizer removes inline SVG)."""
    return "data:image/svg+xml;base64," + b64encode(drawing(part, palette).encode()).decode()

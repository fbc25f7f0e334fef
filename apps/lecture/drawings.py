"""Small line drawings, one for each part of the lecture: SVG in the colours of the page."""

from __future__ import annotations

from base64 import b64encode

from apps.shared.style import Palette

_WIDTH, _HEIGHT = 160, 90


def _cell(x: float, y: float, size: float, strength: float = 0.0, height: float | None = None) -> str:
    """Draw one cell; strength 0 is empty, 1 is the full accent colour."""
    return (
        f'<rect x="{x:g}" y="{y:g}" width="{size:g}" height="{height or size:g}" rx="1.5" class="line"/>'
        f'<rect x="{x:g}" y="{y:g}" width="{size:g}" height="{height or size:g}" rx="1.5" class="fill" '
        f'opacity="{strength:g}"/>'
    )


def _arrow(x1: float, y1: float, x2: float, y2: float, extra: str = "") -> str:
    return (
        f'<line x1="{x1:g}" y1="{y1:g}" x2="{x2:g}" y2="{y2:g}" class="line" marker-end="url(#tip)" {extra}/>'
    )


def _text(x: float, y: float, words: str, size: int = 10) -> str:
    return f'<text x="{x:g}" y="{y:g}" font-size="{size}" text-anchor="middle" class="word">{words}</text>'


def _tensors() -> str:
    left = "".join(
        _cell(14 + 14 * c, 24 + 14 * r, 14, 0.8 if r == 1 else 0.0) for r in range(3) for c in range(3)
    )
    right = "".join(_cell(76, 24 + 14 * r, 14, 0.8) for r in range(3))
    result = "".join(_cell(122, 24 + 14 * r, 14, 1.0 if r == 1 else 0.0) for r in range(3))
    return left + right + result + _text(66, 50, "·", 16) + _text(106, 49, "=", 14)


def _convolution() -> str:
    signal = (0, 0, 0, 1, 1, 1, 0, 0)
    below = "".join(_cell(16 + 16 * i, 58, 16, 0.75 * value) for i, value in enumerate(signal))
    above = "".join(_cell(16 + 16 * i, 14, 16, 1.0 if i == 4 else 0.0) for i in range(8))
    window = '<rect x="64" y="55" width="48" height="22" rx="3" class="strong"/>'
    return below + above + window + _arrow(88, 53, 88, 34)


def _pooling() -> str:
    values = (0.15, 0.9, 0.3, 0.0, 0.2, 0.1, 0.6, 0.0)
    below = "".join(_cell(16 + 16 * i, 60, 16, value) for i, value in enumerate(values))
    middle = _cell(40, 34, 16, 0.9) + _cell(104, 34, 16, 0.6)
    joints = "".join(
        f'<line x1="{24 + 16 * i}" y1="60" x2="{48 if i < 4 else 112}" y2="50" class="thin"/>'
        for i in range(8)
    )
    top = _cell(72, 8, 16, 0.9) + '<line x1="48" y1="34" x2="80" y2="24" class="thin"/>'
    return below + joints + middle + top + '<line x1="112" y1="34" x2="80" y2="24" class="thin"/>'


def _shapes() -> str:
    planes = "".join(
        f'<rect x="{18 + 10 * i}" y="{16 + 8 * i}" width="46" height="40" rx="2" class="plane"/>'
        for i in range(3)
    )
    filters = _cell(44, 38, 14, 0.9)
    result = "".join(
        f'<rect x="{104 + 8 * i}" y="{28 + 6 * i}" width="30" height="26" rx="2" class="plane"/>'
        for i in range(2)
    )
    return planes + filters + result + _arrow(88, 46, 100, 46) + _cell(118, 40, 6, 0.9)


def _network() -> str:
    sizes = ((12, 60), (38, 46), (62, 34), (84, 22))
    planes = "".join(
        f'<rect x="{x}" y="{45 - size / 2:g}" width="{size * 0.3:g}" height="{size}" rx="2" class="plane"/>'
        for x, size in sizes
    )
    dots = "".join(f'<circle cx="112" cy="{17 + 14 * i}" r="3.5" class="line"/>' for i in range(5))
    outputs = "".join(
        f'<circle cx="140" cy="{24 + 14 * i}" r="4" class="{"fill" if i == 2 else "line"}"/>'
        for i in range(4)
    )
    joints = "".join(
        f'<line x1="116" y1="{17 + 14 * i}" x2="136" y2="{24 + 14 * j}" class="thin"/>'
        for i in range(5)
        for j in range(4)
    )
    return planes + joints + dots + outputs


def _tokens() -> str:
    words = ("to", "be", "or", "not", "to", "be")
    strengths = (
        (0.9, 0.2, 0.5),
        (0.3, 0.8, 0.1),
        (0.1, 0.4, 0.7),
        (0.6, 0.6, 0.2),
        (0.9, 0.2, 0.5),
        (0.3, 0.8, 0.1),
    )
    columns = ""
    for i, (word, column) in enumerate(zip(words, strengths, strict=True)):
        columns += _text(23 + 23 * i, 24, word, 11)
        columns += "".join(_cell(16 + 23 * i, 34 + 14 * r, 14, value) for r, value in enumerate(column))
    return columns


def _chain(x: float, width: float, outputs: tuple[int, ...]) -> str:
    steps = 3
    gap = width / (steps - 1)
    picture = ""
    for i in range(steps):
        at = x + gap * i
        picture += f'<circle cx="{at:g}" cy="45" r="5" class="line"/>' + _arrow(at, 72, at, 53)
        if i + 1 < steps:
            picture += _arrow(at + 6, 45, at + gap - 7, 45)
        if i in outputs:
            picture += _arrow(at, 39, at, 22) + f'<circle cx="{at:g}" cy="15" r="4" class="fill"/>'
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
            picture += f'<path d="M{at + 7} 17 C {at + 22} 22, {at + 14} 70, {at + 28} 75" class="dash"/>'
    return picture


def _word2vec() -> str:
    corners = {"france": (28, 70), "paris": (56, 26), "spain": (104, 72), "madrid": (132, 28)}
    picture = '<path d="M28 70 L56 26 L132 28 L104 72 Z" class="plane"/>'
    picture += _arrow(28, 70, 54, 29) + _arrow(104, 72, 130, 31)
    for word, (x, y) in corners.items():
        picture += f'<circle cx="{x}" cy="{y}" r="3.5" class="{"fill" if word == "madrid" else "dot"}"/>'
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
        f".line{{fill:none;stroke:{line};stroke-opacity:.55;stroke-width:1.1}}"
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
    """Draw one part of the lecture as an address for an ``<img>`` (the page's sanitizer removes inline SVG).

    Args:
        part: Key of the part in ``apps.lecture.topics``.
        palette: Colours of the page that it stands on.

    Returns:
        A ``data:`` address.

    Raises:
        KeyError: No drawing has that name.
    """
    return "data:image/svg+xml;base64," + b64encode(drawing(part, palette).encode()).decode()

"""Results as HTML for notebooks: bars, and text on coloured ground, in the colours of the light pages."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from html import escape

from apps.shared.colours import LIGHT, tint

MOST_BARS = 12  # that are drawn; ``to_pandas`` has all
BOX = f"background:{LIGHT.ground};color:{LIGHT.text};padding:.5rem .7rem;border-radius:.4rem"
_GRID = "display:grid;grid-template-columns:max-content 16rem 4rem;gap:.15rem .6rem"


def bars(shares: Mapping[str, float], most: int | None = MOST_BARS) -> str:
    """Draw probabilities or cosines by name in their order, a bar for each of the ``most`` largest; None for all."""
    rows, largest = [], sorted(shares, key=lambda name: -abs(shares[name]))[:most]
    for name, share in shares.items():
        if name not in largest:
            continue
        ground = LIGHT.positive if share >= 0 else LIGHT.negative
        bar = f'<div style="width:{100 * min(abs(share), 1):.1f}%;background:{ground}">&nbsp;</div>'
        rows.append(f'<span dir="auto">{escape(name)}</span>{bar}<span>{share:.3f}</span>')
    return f'<div style="{_GRID}">{"".join(rows)}</div>'


def tinted(pieces: Iterable[tuple[str, float, str]]) -> str:
    """Draw pieces of a text, each with a strength of -1 to 1 that is its ground, and a note for the mouse."""
    drawn = []
    for text, strength, note in pieces:
        ground = tint(LIGHT.positive if strength > 0 else LIGHT.negative, LIGHT.most * abs(strength))
        drawn.append(f'<span title="{escape(note)}" style="background:{ground}">{escape(text)}</span>')
    return f'<div dir="auto" style="white-space:pre-wrap;line-height:1.6">{"".join(drawn)}</div>'

"""Colours of pages and notebooks: one palette for the light theme and one for the dark, safe for the colour-blind."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True)
class Palette:
    """The colours that pictures use, as CSS.

    Args:
        ours: Lectern's own result.
        peer: The system that it is compared with.
        muted: What stays in the background.
        positive: What speaks for an answer.
        negative: What speaks against it.
        text: Text on the page's ground.
        grid: Lines behind a picture.
        ground: The page itself.
        most: Strongest tint, 0 to 1, of a ground that text is still readable on.
    """

    ours: str
    peer: str
    muted: str
    positive: str
    negative: str
    text: str
    grid: str
    ground: str
    most: float


LIGHT = Palette(
    ours="#0f7c90",
    peer="#b35a12",
    muted="#6c727a",
    positive="#0f7c90",
    negative="#b8481f",
    text="#20242c",
    grid="#e3ddd0",
    ground="#fbfaf6",
    most=0.75,
)
DARK = Palette(
    ours="#4fb7c9",
    peer="#eb9a55",
    muted="#858d98",
    positive="#4fb7c9",
    negative="#ef8a62",
    text="#e8e5dc",
    grid="#343b45",
    ground="#15181d",
    most=0.5,
)


def tint(colour: str, strength: float) -> str:
    """Make a colour ``#rrggbb`` see-through, by a strength of 0 to 1: CSS; empty where nothing would be seen."""
    if strength < 0.02:
        return ""
    red, green, blue = (int(colour[at : at + 2], 16) for at in (1, 3, 5))
    return f"rgba({red},{green},{blue},{min(strength, 1.0):.2f})"

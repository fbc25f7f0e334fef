"""Colours of the pages: the palette of the visitor's theme."""

from __future__ import annotations

import streamlit as st

from apps.shared.colours import DARK, LIGHT, Palette


def palette() -> Palette:
    """Choose the palette of the visitor's theme."""
    return DARK if st.context.theme.type == "dark" else LIGHT

"""The digit networks, opened once for all visitors, and what they say about an image."""

from __future__ import annotations

import numpy as np
import streamlit as st

from apps.digits.explain import DigitInspector
from apps.digits.layer_strips import DigitLook, NearDigit


@st.cache_resource(show_spinner="Opening the network …", max_entries=16)
def load_inspector(preset: str, epoch: int | None = None) -> DigitInspector:
    """Open a digit network.

    Args:
        preset: Name of a preset.
        epoch: A saved epoch of its training; None for the finished network.

    Returns:
        The application with the view into its network; shared, so never changed.

    Raises:
        InputError: The preset is missing or damaged, or has no such epoch.
    """
    inspector = DigitInspector.from_preset(preset)
    if epoch is not None:
        return inspector.at_epoch(epoch)
    inspector.digits.probabilities(np.zeros((1, 28, 28, 1), np.float32))  # the first visitor does not wait
    return inspector


@st.cache_data(show_spinner="Looking inside …", max_entries=16)
def look(
    _inspector: DigitInspector, preset: str, epoch: int | None, image: np.ndarray, label: str | None
) -> DigitLook:
    """Show every layer for an image; see :meth:`apps.digits.explain.DigitInspector.look`."""
    return _inspector.look(image, label)


@st.cache_data(show_spinner="Covering the image patch by patch …", max_entries=32)
def occlusion(
    _inspector: DigitInspector, preset: str, image: np.ndarray, label: str, patch: int
) -> np.ndarray:
    """Cover an image; see :meth:`apps.digits.explain.DigitInspector.occlusion`."""
    return _inspector.occlusion(image, label, patch)


@st.cache_data(show_spinner="Asking which pixels count …", max_entries=32)
def saliency(_inspector: DigitInspector, preset: str, image: np.ndarray, label: str) -> np.ndarray:
    """Compute which pixels count; see :meth:`apps.digits.explain.DigitInspector.saliency`."""
    return _inspector.saliency(image, label)


@st.cache_data(show_spinner="Comparing with the training digits …", max_entries=32)
def neighbours(_inspector: DigitInspector, preset: str, image: np.ndarray) -> tuple[NearDigit, ...]:
    """Find similar digits; see :meth:`apps.digits.explain.DigitInspector.neighbours`."""
    return _inspector.neighbours(image)

"""Sections of the page "Convolution bench"."""

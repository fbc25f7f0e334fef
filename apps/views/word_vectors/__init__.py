"""Sections of the page "Word vectors", one file each."""

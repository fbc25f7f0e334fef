"""Sections of the page "Reviews"."""

"""The sections of the page "Tagging"."""

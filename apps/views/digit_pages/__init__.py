"""The sections of the page "Digits"."""

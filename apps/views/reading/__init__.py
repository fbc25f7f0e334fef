"""The sections of the page "Reading"."""

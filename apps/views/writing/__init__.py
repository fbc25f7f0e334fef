"""The sections of the page "Writing"."""

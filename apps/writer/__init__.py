"""Writer: a character language model."""

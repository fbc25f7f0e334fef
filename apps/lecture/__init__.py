"""The map of the lecture and the home page."""

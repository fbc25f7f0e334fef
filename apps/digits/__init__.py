"""Digits: a convolutional network that reads handwritten digits."""

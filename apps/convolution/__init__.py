"""Convolution bench: the lecture's worked examples; no trained model is needed."""

"""Vectors: word vectors, their neighbours and analogies."""

"""Tagger: raw text to sentences, words and parts of speech."""

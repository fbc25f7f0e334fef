"""Reader: handwritten words, letter by letter and in one piece."""

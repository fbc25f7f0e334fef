"""A model added in five files, as docs/add-a-model.md tells it."""

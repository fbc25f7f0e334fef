"""The data that gensim carries for its own tests: analogies, word pairs, and two small texts."""

from __future__ import annotations

import importlib.util
from pathlib import Path

from data_prep.errors import InputError


def gensim_data(name: str) -> Path:
    """Find a file of gensim's test data, such as ``"questions-words.txt"``, without importing gensim."""
    spec = importlib.util.find_spec("gensim")
    for folder in (spec.submodule_search_locations or ()) if spec else ():
        path = Path(folder) / "test" / "test_data" / name
        if path.is_file():
            return path
    raise InputError(f"gensim's file {name} is not installed", remedy="Install the requirements again")

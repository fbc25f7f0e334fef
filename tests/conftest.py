"""Fixtures that all tests share."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from data_prep.datasets import DATA_DIR_VARIABLE


@pytest.fixture(scope="session")
def data_dir() -> Path:
    """The folder with the real data sets; tests that need it are skipped where it is not set."""
    value = os.environ.get(DATA_DIR_VARIABLE)
    if not value:
        pytest.skip(f"{DATA_DIR_VARIABLE} is not set: no real data")
    return Path(value)

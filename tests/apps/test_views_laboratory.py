"""The page "Laboratory", started from the router."""

from __future__ import annotations

from collections.abc import Iterator
from functools import partial
from pathlib import Path

import pytest

from tests.apps.pages import open_page, shipping

KEY = "laboratory"
page = partial(open_page, KEY)


@pytest.fixture(autouse=True)
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Path]:
    """The page in an empty folder."""
    monkeypatch.chdir(tmp_path)
    with shipping(tmp_path / "none"):
        yield tmp_path


def test_without_a_run_it_says_so() -> None:
    app = page(section="Watch")
    assert not app.error and "No run" in app.info[0].value

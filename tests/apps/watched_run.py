"""A training that is looked at after every step, beside the same one that is not."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

import pytest
from streamlit.testing.v1 import AppTest

from apps.laboratory.curves import Story, stories
from models.training import watching
from models.training.driver import train
from models.training.task import Run, Task

MOST_BYTES = 36 * 1024  # of a picture


def watched_and_not(
    task: Task,
    recipe: Any,
    source: Any,
    folder: Path,
    watch: Mapping[str, str],
    monkeypatch: pytest.MonkeyPatch,
) -> tuple[Any, Any, Story]:
    """Train twice in a folder; return what each run left, the watched one first, and the story of that one."""
    monkeypatch.setattr(watching, "_FEWEST_SECONDS", 0.0)
    monkeypatch.setattr(watching, "_SHARE_OF_TIME", 1e9)
    monkeypatch.setattr(watching, "_SHARE_OF_RUN", 0.0)
    seen = train(task, recipe, source, Run(folder / "seen", watch=watch)).answers
    unseen = train(task, recipe, source, Run(folder / "unseen")).answers
    return seen, unseen, stories(folder / "seen" / "events.jsonl")[-1]


def pictures_of(folder: Path) -> list[dict[str, Any]]:
    """Return the pictures of the watched run, in order; none is large."""
    paths = sorted((folder / "seen" / watching.PICTURES).iterdir())
    assert max(path.stat().st_size for path in paths) < MOST_BYTES
    return [watching.read_picture(folder / "seen", int(path.stem))["picture"] for path in paths]


def drawn_picture(task: str, picture: Mapping[str, Any]) -> AppTest:
    """Return a page on which the application of a task has drawn a picture."""

    def page(task: str, picture: dict) -> None:  # its source is run alone: builtin names only
        import importlib

        importlib.import_module(f"apps.{task}.page_watch").show(picture, "run")

    app = AppTest.from_function(page, args=(task, picture), default_timeout=60).run()
    assert not app.exception
    return app

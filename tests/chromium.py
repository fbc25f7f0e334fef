"""Where the browser of the browser tests is, and how to get one; `make test` asks this first."""

from __future__ import annotations

import functools
import importlib.util
import shutil
from pathlib import Path

NAMES = ("chromium", "chromium-browser", "google-chrome", "chrome")
MISSING = (
    "no Chromium (Debian: apt-get install chromium; macOS, Ubuntu and others: "
    ".venv/bin/python -m playwright install --with-deps chromium)"
)


@functools.cache
def program() -> str | None:
    """Path of a Chromium on the path, or of Playwright's own; None where there is none."""
    if found := next(filter(None, map(shutil.which, NAMES)), None):
        return found
    if importlib.util.find_spec("playwright") is None:
        return None
    from playwright.sync_api import sync_playwright

    with sync_playwright() as driver:
        own = driver.chromium.executable_path
    return own if Path(own).is_file() else None


if __name__ == "__main__" and program() is None:
    print(f"BROWSER TESTS WILL BE LEFT OUT: {MISSING}", flush=True)

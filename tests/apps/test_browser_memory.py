"""What the page keeps in memory when a person has seen all of it."""

from __future__ import annotations

import os
from pathlib import Path
from urllib.parse import urlencode

import pytest

from tests.apps.browsing import visit
from tests.apps.conftest import serving
from tests.apps.pages import EVERY_SECTION

pytestmark = [pytest.mark.browser, pytest.mark.slow]
MOST_MIB = 700


@pytest.mark.skipif(not Path("/proc/self/statm").is_file(), reason="no /proc")
def test_a_tour_of_all_sections_stays_under_700_mib(page, tmp_path: Path) -> None:
    with serving(tmp_path / "log.txt", tmp_path) as (address, process):
        for key, section in EVERY_SECTION:
            visit(page, f"{address}/{key}?{urlencode({'section': section})}")
            pages = int(Path(f"/proc/{process}/statm").read_text().split()[1])
            resident = pages * os.sysconf("SC_PAGE_SIZE") / 2**20
            print(f"{resident:6.0f} MiB after {key}, {section}")
    assert resident <= MOST_MIB

"""Write the lessons of the course as notebooks (docs/notebooks) and as plain pages (docs/course).

python -m benchmarks.course_notebooks
python -m benchmarks.course_notebooks --check    # writes nothing; fails where a file is out of date
"""

from __future__ import annotations

import argparse
import sys
from pathlib import Path

from apps.course.lessons import lessons
from apps.course.notebooks import file_name, notebook, page
from data_prep.files import write_bytes

ROOT = Path(__file__).resolve().parents[1]
NOTEBOOKS, PAGES = ROOT / "docs" / "notebooks", ROOT / "docs" / "course"


def made() -> dict[Path, str]:
    """Every file with what it has to hold."""
    files = {NOTEBOOKS / file_name(key): notebook(key) for key in lessons()}
    return files | {PAGES / file_name(key, "md"): page(key) for key in lessons()}


def out_of_date() -> list[Path]:
    """Files that are missing, hold something else, or belong to no lesson."""
    files = made()
    there = {*NOTEBOOKS.glob("*.ipynb"), *PAGES.glob("*.md")}
    old = [p for p, text in files.items() if p not in there or p.read_text(encoding="utf-8") != text]
    return old + sorted(there - files.keys())


def main() -> None:
    """Write the files, or tell which are out of date."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument(
        "--check", action="store_true", help="write nothing; fail where a file is out of date"
    )
    checks = parser.parse_args().check
    old = out_of_date()
    if checks:
        sys.exit("\n".join(f"Out of date: {path.relative_to(ROOT)}" for path in old) or None)
    files = made()
    for path in old:
        if path in files:
            write_bytes(path, files[path].encode())
        else:
            path.unlink()
        print(path.relative_to(ROOT))


if __name__ == "__main__":
    main()

"""List the benchmarks.

python -m benchmarks
"""

from __future__ import annotations

import ast
from pathlib import Path

from apps.shared.commands import print_table


def main() -> None:
    """Print a line for every module that is a command."""
    rows = []
    for path in sorted(Path(__file__).parent.glob("[a-z]*.py")):
        text = path.read_text(encoding="utf-8")
        if "command(__name__" in text or "\nif __name__" in text:
            rows.append(
                (f"python -m benchmarks.{path.stem}", ast.get_docstring(ast.parse(text)).splitlines()[0])
            )
    print_table(("command", "what it measures or makes"), rows)


if __name__ == "__main__":
    main()

"""Keras without the packages that it looks for while it is imported, and without TensorFlow's notes on the processor.

scikit-learn, pandas and IPython, and what they import, take a third of the time in which Keras and TensorFlow load.
For programs of the project alone: afterwards Keras takes no data frames and has no wrappers for scikit-learn.
"""

from __future__ import annotations

import contextlib
import os
import re
import sys
import tempfile
from collections.abc import Iterator
from importlib.abc import MetaPathFinder
from importlib.util import find_spec
from typing import Any

_LOOKED_FOR = ("IPython", "pandas", "sklearn")
_NOTE = re.compile(rb"WARNING: All log messages before absl|I\d{4} ")


@contextlib.contextmanager
def _without_notes() -> Iterator[None]:
    """Leave out TensorFlow's notes on the processor: it writes them before it reads how much it is to write."""
    with contextlib.ExitStack() as held:
        try:
            written = held.enter_context(tempfile.TemporaryFile())
            kept = os.dup(2)
        except OSError:  # nothing can be written, or there is no standard error
            yield
            return
        os.dup2(written.fileno(), 2)
        try:
            yield
        finally:
            os.dup2(kept, 2)
            os.close(kept)
            written.seek(0)
            os.write(2, b"".join(line for line in written if not _NOTE.match(line)))


class _LeanKeras(MetaPathFinder):
    def find_spec(self, fullname: str, path: Any, target: Any = None) -> Any:
        """Find Keras once, to be loaded while these packages seem not to be there."""
        if fullname != "keras":
            return None
        sys.meta_path.remove(self)
        spec = find_spec(fullname)
        if spec is None or spec.loader is None:
            return None
        load = spec.loader.exec_module

        def exec_module(module: Any) -> None:
            hidden = [name for name in _LOOKED_FOR if name not in sys.modules]
            sys.modules.update(dict.fromkeys(hidden))  # type: ignore[arg-type]  # None: cannot be imported
            try:
                with _without_notes():
                    load(module)
            finally:
                for name in hidden:
                    sys.modules.pop(name, None)

        spec.loader.exec_module = exec_module  # type: ignore[method-assign]
        return spec


def import_keras_lean() -> None:
    """Let the first import of Keras, if there is one, look for none of these packages; before it, from one thread."""
    if "keras" not in sys.modules:
        sys.meta_path.insert(0, _LeanKeras())

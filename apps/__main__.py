"""The command line: ``python -m apps <application> <verb>``."""

from __future__ import annotations

import os
import sys

from apps.digits import commands as digits
from apps.ocr import commands as ocr
from apps.reviews import commands as reviews
from apps.shared.commands import group
from apps.tagger import commands as tagger
from apps.vectors import commands as vectors
from apps.writer import commands as writer

app = group(
    "Lectern: convolutional and recurrent networks, and word vectors, ready to use.", "python -m apps"
)
app.add_typer(vectors.app, name="vectors")
app.add_typer(tagger.app, name="tagger")
app.add_typer(writer.app, name="writer")
app.add_typer(digits.app, name="digits")
app.add_typer(ocr.app, name="ocr")
app.add_typer(reviews.app, name="reviews")


@app.callback()
def applications() -> None:
    """Choose an application, then a verb; each has its own --help."""


def run() -> None:
    """Run the command line on ``sys.argv`` and exit."""
    # TensorFlow's notes about the processor help nobody here.
    os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "2")
    for stream in (sys.stdout, sys.stderr):
        # A terminal that lacks a character shows its escape, which JSON reads back as the character.
        stream.reconfigure(errors="backslashreplace")  # type: ignore[union-attr]
    app(prog_name="python -m apps")


if __name__ == "__main__":
    run()

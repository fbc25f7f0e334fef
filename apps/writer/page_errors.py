"""Section "Errors": the lines of the held-out text that surprise the writer most."""

from __future__ import annotations

from apps.shared.errors import Error, stored_errors
from apps.shared.language import N_, _
from apps.shared.page import input_errors
from apps.shared.page_errors import exhibit, quoted, show_errors
from apps.writer.application import Writer

_SAID = N_(
    "Of the {n:,} lines of speech in the held-out text these are the {wrong:,} that surprise the writer most, a line "
    "by its mean surprise. Marked is the letter that it expected least, with the letter that it expected instead. See "
    "inside how it reads the line after its speaker's name alone."
)


def show(writer: Writer, preset: str) -> None:
    """Draw the section."""

    def draw(number: int, error: Error) -> str:
        speaker = error.more.get("speaker") or ""
        said = _("{nats:.2f} nats a character", nats=error.more["nats"])
        text = f"{speaker}:\n{error.text}\n" if speaker else f"{error.text}\n"
        link = exhibit("writer", section="Read", preset=preset, text=text)
        return quoted(error, link, f"{speaker}, {said}" if speaker else said)

    with input_errors():
        show_errors(stored_errors("writer", preset), "writer", _SAID, draw)

"""Documents one a line, from a stream of any length in bounded memory."""

from __future__ import annotations

from collections.abc import Iterator
from typing import BinaryIO

from apps.reviews.results import Refused

MAX_LINE_BYTES = 1 << 24
_SKIPPED_AT_ONCE = 1 << 20


def document_lines(stream: BinaryIO) -> Iterator[str | Refused]:
    """Read the lines of a stream as documents.

    Args:
        stream: UTF-8, with or without a byte order mark.

    Yields:
        For each line in turn its text, or, where it is no text or too long, why it is refused; the rest goes on.
    """
    number = 0
    while line := stream.readline(MAX_LINE_BYTES + 1):
        number += 1
        if len(line) > MAX_LINE_BYTES and not line.endswith(b"\n"):
            while (more := stream.readline(_SKIPPED_AT_ONCE)) and not more.endswith(b"\n"):
                pass
            yield Refused(number, f"it is longer than {MAX_LINE_BYTES >> 20} MiB")
            continue
        try:
            text = line.removesuffix(b"\n").decode("utf-8-sig" if number == 1 else "utf-8")
        except UnicodeDecodeError as error:
            yield Refused(
                number, f"it is not UTF-8: byte {error.start} of the line is {line[error.start]:#04x}"
            )
            continue
        if "\0" in text:
            yield Refused(number, "it is no text: it holds a NUL character")
            continue
        yield text.removesuffix("\r")

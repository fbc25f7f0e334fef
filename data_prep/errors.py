"""The one error that a person's wrong input raises, everywhere in Lectern."""

from __future__ import annotations

_RECEIVED_LIMIT = 80


class InputError(ValueError):
    """Wrong input: what is wrong, what is allowed, what was received and what to do.

    Command line and web views show the text of this error and nothing else; every other exception is a defect.

    Args:
        problem: What is wrong, as a sentence without its full stop.
        allowed: What would have been accepted.
        received: What came instead; its ``repr`` is shortened to 80 characters.
        remedy: What the person can do next, as a sentence without its full stop.
    """

    def __init__(
        self, problem: str, *, allowed: str | None = None, received: object = None, remedy: str | None = None
    ) -> None:
        self.problem, self.allowed, self.received, self.remedy = problem, allowed, received, remedy
        parts = (
            problem,
            None if allowed is None else f"Allowed: {allowed}",
            None if received is None else f"Received: {shortened(received)}",
            remedy,
        )
        told = (part.rstrip(".") for part in parts if part is not None)
        super().__init__(" ".join(part if part.endswith("?") else f"{part}." for part in told))


def shortened(received: object) -> str:
    """Return the ``repr`` of what was received, at most 80 characters of it."""
    text = repr(received)
    return text if len(text) <= _RECEIVED_LIMIT else text[: _RECEIVED_LIMIT - 1] + "…"

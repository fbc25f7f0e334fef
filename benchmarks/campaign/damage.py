"""Damage to good bytes, and what is drawn for one hostile case: by seed and number of the case alone."""

from __future__ import annotations

import gzip
import random
from collections.abc import Callable
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from hypothesis.strategies import SearchStrategy

_EXAMPLES = 8  # that Hypothesis draws; its first ones are the simplest
_BOMB = 300 << 20  # bytes that a small archive holds


class Draw(random.Random):
    """What one case draws."""

    def __init__(self, seed: int, number: int) -> None:
        super().__init__(f"{seed} {number}")

    def example(self, strategy: SearchStrategy[Any]) -> Any:
        """Draw from a strategy of Hypothesis, the same for the same case."""
        import hypothesis

        found: list[Any] = []
        quiet = {"database": None, "deadline": None, "phases": (hypothesis.Phase.generate,)}
        checks = tuple(hypothesis.HealthCheck)

        @hypothesis.settings(max_examples=_EXAMPLES, suppress_health_check=checks, **quiet)
        @hypothesis.seed(self.getrandbits(32))
        @hypothesis.given(strategy)
        def collect(value: Any) -> None:
            found.append(value)

        collect()
        return found[-1]

    def place(self, data: bytes) -> int:
        """Draw a place, one in three near the beginning, where headers are."""
        return self.randrange(max(1, min(len(data), 64) if self.random() < 1 / 3 else len(data)))


def flipped(data: bytes, draw: Draw) -> bytes:
    """Flip some bits."""
    found = bytearray(data)
    for _ in range(draw.choice((1, 1, 2, 8, 64))):
        if found:
            found[draw.place(data)] ^= 1 << draw.randrange(8)
    return bytes(found)


def cut(data: bytes, draw: Draw) -> bytes:
    """Keep the beginning."""
    return data[: draw.place(data)]


def beheaded(data: bytes, draw: Draw) -> bytes:
    """Keep the end."""
    return data[draw.place(data) :]


def holed(data: bytes, draw: Draw) -> bytes:
    """Leave out a piece."""
    at = draw.place(data)
    return data[:at] + data[at + draw.choice((1, 3, 100, 5_000)) :]


def swapped(data: bytes, draw: Draw) -> bytes:
    """Exchange two pieces."""
    one, two = sorted((draw.place(data), draw.place(data)))
    size = min(draw.choice((1, 16, 500)), two - one)
    first, second = data[one : one + size], data[two : two + size]
    return data[:one] + second + data[one + size : two] + first + data[two + size :]


def grown(data: bytes, draw: Draw) -> bytes:
    """Put bytes in."""
    at = draw.place(data)
    more = draw.choice(
        (b"\0", b"\xff" * 9, draw.randbytes(300), data[:2_000], b"9" * 40, b"\n\n", b"\0" * 100_000)
    )
    return data[:at] + more + data[at:]


def zeroed(data: bytes, draw: Draw) -> bytes:
    """Set a piece to zero."""
    at, size = draw.place(data), draw.choice((1, 8, 500))
    piece = data[at : at + size]
    return data[:at] + bytes(len(piece)) + data[at + size :]


def numbers(data: bytes, draw: Draw) -> bytes:
    """Replace bytes by the ends of the ranges of whole numbers."""
    at = draw.place(data)
    ends = (b"\xff\xff\xff\xff", b"\x7f\xff\xff\xff", b"\x00\x00\x00\x80", b"\x00\x00\x00\x00", b"\xff\x7f")
    end = draw.choice(ends)
    return data[:at] + end + data[at + len(end) :]


def zipped(data: bytes, draw: Draw) -> bytes:
    """Compress, whole or cut short, or once more."""
    packed = gzip.compress(data, 1, mtime=0)
    return draw.choice((packed, packed[: len(packed) // 2], gzip.compress(packed, mtime=0), packed[:12]))


def bomb(data: bytes, draw: Draw) -> bytes:
    """A small archive of a very large file."""
    piece = gzip.compress(bytes(_BOMB // 8), 9, mtime=0)
    return 8 * piece  # members follow each other


def noise(data: bytes, draw: Draw) -> bytes:
    """Other bytes altogether."""
    return draw.randbytes(draw.choice((1, 10, 1_000, 100_000)))


def nothing(data: bytes, draw: Draw) -> bytes:
    """Nothing at all."""
    return b""


Damage = Callable[[bytes, Draw], bytes]
COMMON: tuple[Damage, ...] = (flipped, cut, beheaded, holed, swapped, grown, zeroed, numbers)
RARE: tuple[Damage, ...] = (zipped, bomb, noise, nothing)


def damaged(data: bytes, draw: Draw) -> tuple[str, bytes]:
    """Damage bytes in a drawn way, or in two: what was done, and what came of it."""
    ways = [draw.choice(COMMON)] if draw.random() < 0.85 else [draw.choice(RARE)]
    if draw.random() < 0.25:
        ways.append(draw.choice(COMMON))
    for way in ways:
        data = way(data, draw)
    return " and ".join(way.__name__ for way in ways), data

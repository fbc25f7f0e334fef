"""Documents on many machines, simulated from measured times of parts: slow machines, and machines that are lost."""

from __future__ import annotations

import heapq
from collections.abc import Sequence
from itertools import accumulate
from typing import Any

import numpy as np

SLOW_SHARE, SLOWNESS = 0.05, 2.0  # of the machines, and how many times longer they take
HOURS_BETWEEN_LOSSES = 100.0  # of one machine
RESTART_SECONDS = 600.0
_DRAWN_AT_ONCE = 100_000


def simulated(
    times: Sequence[float], parts: int, machines: int, cores: int, *, slow: bool, lost: bool, seed: int = 0
) -> dict[str, Any]:
    """Hand out parts, each to the core that is free first, until all are done.

    Args:
        times: Seconds of parts as measured; each part draws one.
        parts: How many there are.
        machines: How many.
        cores: Of each.
        slow: Whether a share of the machines is slow.
        lost: Whether machines are lost and come back; the parts in their hands are answered again then.
        seed: Of what is drawn.

    Returns:
        ``hours`` until the last part is done, ``ideal_hours`` of as many cores that are never idle, slow or lost,
        ``repeated`` parts, and ``tail_minutes`` from the first core without work to the end.
    """
    draw = np.random.default_rng(seed)
    speed = np.ones(machines)
    if slow:
        speed[: max(1, round(SLOW_SHARE * machines))] = SLOWNESS if machines > 1 else 1.0
    losses = [_losses(draw) if lost else iter(()) for _ in range(machines)]
    next_loss = [next(one, float("inf")) for one in losses]
    up_again = [0.0] * machines  # a core that was free then is so no more
    free = [(0.0, at % machines, 0) for at in range(machines * cores)]
    heapq.heapify(free)
    left, repeated, end, spent, idle = parts, 0, 0.0, 0.0, None
    drawn: list[float] = []
    while free:
        at, machine, back = heapq.heappop(free)
        left += back
        at = max(at, up_again[machine])
        while next_loss[machine] < at:
            up_again[machine] = next_loss[machine] + RESTART_SECONDS
            at = max(at, up_again[machine])
            next_loss[machine] = next(losses[machine])
        if not left:
            idle = at if idle is None else min(idle, at)
            continue
        if not drawn:
            drawn = draw.choice(np.asarray(times), _DRAWN_AT_ONCE).tolist()
        seconds = drawn.pop() * speed[machine]
        left -= 1
        if at + seconds > next_loss[machine]:
            repeated += 1
            heapq.heappush(free, (next_loss[machine] + RESTART_SECONDS, machine, 1))
            continue
        end, spent = max(end, at + seconds), spent + seconds / speed[machine]
        heapq.heappush(free, (at + seconds, machine, 0))
    return {
        "hours": end / 3600,
        "ideal_hours": spent / (machines * cores) / 3600,
        "repeated": repeated,
        "tail_minutes": (end - (end if idle is None else min(idle, end))) / 60,
    }


def _losses(draw: np.random.Generator) -> Any:
    """Give the seconds at which a machine is lost, without end."""
    return accumulate(iter(lambda: float(draw.exponential(HOURS_BETWEEN_LOSSES * 3600)), None))

"""Runs of the laboratory as they lie on disk, without a training; tests work in a folder of their own."""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import asdict
from pathlib import Path
from typing import Any

from apps.laboratory.runs import LABORATORY, LabRun, Order

STEPS = 10  # of an epoch


def events_of(
    losses: Sequence[float], held_out: Sequence[float], *, stage: str = "", began: float = 1000.0
) -> list[dict[str, Any]]:
    """Events of a finished training: a number a step for each, half a second apart; 10 steps are an epoch.

    The losses are those of single steps; events have their means over the epoch so far.
    """
    epochs = len(losses) // STEPS
    found: list[dict[str, Any]] = [
        {"event": "begin", "epochs": epochs, "done": 0, "parameters": 321, "steps_done": 0, "steps": STEPS,
         "seconds": 0.0, "examples": 640, "unit": "images"}
    ]  # fmt: skip
    for done, (loss, held) in enumerate(zip(losses, held_out, strict=True), start=1):
        epoch, step = (done - 1) // STEPS + 1, (done - 1) % STEPS + 1
        mean = sum(losses[done - step : done]) / step
        when = {"epoch": epoch, "steps_done": done, "seconds": done / 2}
        found += [
            {"event": "step", "step": step, "steps": STEPS, "learning_rate": 0.01, "loss": mean, **when},
            {
                "event": "watch",
                "numbers": {"held_out_loss": held},
                "norms": {"dense": loss / 2},
                "cost": 0.1,
                **when,
            },
        ]
        if step == STEPS:
            found.append(
                {"event": "epoch", "epoch": epoch, "steps": STEPS, "seconds": STEPS / 2, "best": True, "loss": mean,
                 "validation_accuracy": 90.0 + epoch}
            )  # fmt: skip
    found.append({"event": "end", "epochs": epochs, "seconds": len(losses) / 2})
    return [{"stage": stage, "time": began + at / 2, **event} for at, event in enumerate(found)]


def write_run(
    key: str,
    *,
    title: str = "",
    settings: dict[str, Any] | None = None,
    losses: Sequence[float] = (2.0,) * 20,
    held_out: Sequence[float] | None = None,
    state: str = "trained",
) -> LabRun:
    """Write a run into the laboratory of the current folder."""
    folder = Path(LABORATORY) / key
    (folder / "run").mkdir(parents=True)
    contents = {
        "order.json": asdict(Order("digits", title or key, {"sample": True}, "lecture")),
        "status.json": {"state": state},
        "run/recipe.json": {"recipe": {"seed": 1, "learning_rate": 0.01, **(settings or {})}, "fit": {}},
    }
    for name, content in contents.items():
        (folder / name).write_text(json.dumps(content))
    events = events_of(losses, losses if held_out is None else held_out)
    (folder / "run" / "events.jsonl").write_text("".join(json.dumps(one) + "\n" for one in events))
    return LabRun(folder)

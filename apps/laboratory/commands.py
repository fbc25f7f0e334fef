"""``python -m apps lab``: the runs of the laboratory, and those of ``fit``, on the command line."""

from __future__ import annotations

import time
from dataclasses import asdict
from typing import Annotated, Any

import typer

from apps.laboratory.offers import remove_uploads
from apps.laboratory.runs import LabRun, find_run, find_runs
from apps.shared.commands import JsonOption, group, number, print_json, print_table, verb
from data_prep.errors import InputError

app = group()
RunArgument = Annotated[str, typer.Argument(metavar="RUN", help="Its name, as `lab list` shows it.")]


@app.command("list")
@verb
def list_runs(as_json: JsonOption = False) -> None:
    """List the runs of the page, and those of fit that are not finished; with --json one object a run."""
    rows = []
    for run in find_runs():
        said = _said(run)
        if as_json:
            print_json(said)
        steps, loss = (said["stages"] or [{}])[-1].get("steps", 0), _loss(said)
        size = f"{said['bytes'] / 2**20:.1f} MiB"
        rows.append((run.key, said["state"], f"{steps:,}", number(loss), size, said["title"]))
    if not as_json:
        print_table(("run", "state", "steps>", "loss>", "size>", "title"), rows)


@app.command()
@verb
def show(run: RunArgument, as_json: JsonOption = False) -> None:
    """Show what was ordered, how far it is, its last numbers, and the command that trains the same."""
    found = find_run(run)
    said = _said(found)
    if as_json:
        print_json({**said, "settings": found.settings()})
        return
    rows = [
        (key, str(said[key]))
        for key in ("title", "state", "message", "preset", "begun", "command")
        if said[key]
    ]
    for stage in said["stages"]:
        name = stage["stage"] or "training"
        rows += [
            (f"{name}: {key}", str(value)) for key, value in stage.items() if key not in ("stage", "last")
        ]
        rows += [(f"{name}: {key}", f"{value:.6g}") for key, value in stage["last"].items()]
    print_table(("of the run", "value"), rows)


@app.command()
@verb
def remove(run: RunArgument, as_json: JsonOption = False) -> None:
    """End a run and remove its files; a preset that was made of it stays."""
    found = find_run(run)
    if not found.ordered and found.state == "training":
        raise InputError("The command line trains this run", received=run, remedy="End that command first")
    size = found.size
    found.remove()
    remove_uploads()
    if as_json:
        print_json({"removed": run, "bytes": size})
    else:
        print_table(("removed", "size>"), [(run, f"{size / 2**20:.1f} MiB")])


def _said(run: LabRun) -> dict[str, Any]:
    """Return what there is to say of a run; what cannot be read is its message."""
    status = run.status
    said: dict[str, Any] = {
        "run": run.key, "state": run.state, "title": run.key, "message": status.get("message"),
        "preset": status.get("preset"), "bytes": run.size, "order": None, "command": None, "stages": [],
        "begun": time.strftime("%Y-%m-%d %H:%M:%S", time.localtime(run.created)),
    }  # fmt: skip
    try:
        order = run.order
        said |= {"title": order.title}
        if run.ordered:
            said |= {"order": asdict(order), "command": order.command(f"runs/{run.key}")}
        said["stages"] = [
            {
                "stage": story.stage, "parameters": story.parameters, "epoch": story.epoch,
                "epochs": story.epochs, "steps": story.steps_done, "seconds": story.seconds,
                "stopped": story.stopped,
                "last": {f"{name} ({source})": curve.values[-1]
                         for (source, name), curve in story.curves.items() if curve.values},
            }
            for story in run.stories()
        ]  # fmt: skip
    except InputError as error:
        said["message"] = str(error)
    return said


def _loss(said: dict[str, Any]) -> float | None:
    """Return the last loss of the training."""
    last = (said["stages"] or [{"last": {}}])[-1]["last"]
    return last.get("loss (epoch)", last.get("loss (training)"))

"""Small trainings of every application, with all that they go through: what is killed, and gone on with."""

from __future__ import annotations

import os
import sys
from collections.abc import Callable
from pathlib import Path

from benchmarks.campaign.damage import Draw
from benchmarks.campaign.hostile_files import good_documents, good_treebank
from benchmarks.campaign.hostile_pictures import picture

_LINE = "She can't fish because the fish sleeps; nobody saw the old man's boat at seven.\n"
_STEPS = {
    "vectors": ("dimensions=8", "min_count=2", "blocks=4", "block_length=128", "epochs=3", "output_words=10"),
    "tagger": (
        "units=8", "epochs=2", "output=softmax", "trained_dimensions=8", "vectors=", "segmenter.epochs=2",
        "segmenter.network.embedding=4", "segmenter.network.channels=4", "segmenter.network.dilations=1",
    ),
    "writer": ("layers=1", "members=2", "units=16", "embedding=8", "batch_size=4", "length=16", "epochs=2"),
    "digits": ("epochs=3", "augmentation.elastic=0", "keep_epochs=0,2", "batch_size=32"),
    "ocr": ("epochs=2", "filters=4,4,4", "features=8", "units=4", "lm_order=2"),
    "reviews": ("dimensions=8", "units=8", "epochs=2", "max_words=60", "head_words=20"),
}  # fmt: skip
FITS = tuple(_STEPS)
LABORATORY = "laboratory"


def write_data(folder: Path) -> None:
    """Write small data of every application into a folder."""
    (folder / "text.txt").write_text(_LINE * 150, encoding="utf-8")
    (folder / "treebank.conllu").write_text(good_treebank(), encoding="utf-8")
    rows = ["text,label", *(f'"{text}",{label}' for text, label in good_documents() * 2)]
    (folder / "documents.csv").write_text("\n".join(rows), encoding="utf-8")
    draw = Draw(0, 0)
    for digit in "0123456789":
        (folder / "digits" / digit).mkdir(parents=True)
        for number in range(8):
            (folder / "digits" / digit / f"{number}.png").write_bytes(picture(draw, "PNG", "L", int(digit)))


def fit_command(name: str, data: Path, out: str = "out") -> list[str]:
    """Return the words of a command that trains on such data."""
    own = {
        "vectors": ["--text", data / "text.txt"],
        "tagger": ["--treebank", data / "treebank.conllu", "--recipe", "lab"],
        "writer": ["--text", data / "text.txt", "--recipe", "sample"],
        "digits": ["--folder", data / "digits", "--recipe", "lecture"],
        "ocr": ["--sample", "--recipe", "letters"],
        "reviews": ["--csv", data / "documents.csv", "--text=text", "--label=label", "--network=lstm"],
    }
    settings = [word for setting in _STEPS[name] for word in ("--set", setting)]
    return [name, "fit", *map(str, own[name]), *settings, "--out", out, "--json"]


def asked(words: list[str]) -> Callable[[], None]:
    """Return what runs a command of the command line."""

    def work() -> None:
        from apps.__main__ import run

        sys.argv = ["lectern", *words]
        run()

    return work


def laboratory(data: Path) -> Callable[[], None]:
    """Return what trains a run of the laboratory and keeps it, ordered where there is none, as its process does."""

    def work() -> None:
        from apps.laboratory import worker
        from apps.laboratory.runs import Order, find_runs, submit

        order = Order("digits", "killed", {"folder": str(data / "digits")}, "lecture", _STEPS["digits"])
        found = find_runs() or [submit(order)]
        run, sys.argv, errors = found[0], ["worker", found[0].key], os.dup(2)
        if run.state != "kept":
            worker.main()
        if run.state == "trained":
            run.keep("kept")
            worker.main()
        if run.state != "kept":
            os.write(errors, f"Error: {run.status}\n".encode())  # standard error is its log by now
            sys.exit(1)

    return work


def warm_up() -> None:
    """Import what trainings need, TensorFlow too, without beginning with it: after that it cannot be forked."""
    import keras  # noqa: F401
    import tensorflow  # noqa: F401

    import models.presets.store
    from apps.__main__ import APPLICATIONS, _verbs_of

    for name in APPLICATIONS:
        _verbs_of(name)
    # A preset that was written is loaded here; loading it once more, in a process of its own, takes five seconds.
    models.presets.store._verify_in_fresh_process = lambda folder, command: None

"""What a batch returns: counts that add up."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from apps.batch.job import Input, Manifest
from apps.shared.results import Result


@dataclass(frozen=True)
class Summary(Result):
    """What was done.

    Attributes:
        output: Folder.
        files: Files of documents.
        damaged: Those of them that are not whole, and why.
        parts: Files of answers.
        documents: Lines that were read: ``answered`` and ``refused`` together.
        answered: Those with an answer.
        refused: Those without; the reasons are in the folder ``refused``.
        before: Documents that were done before this run.
        bytes: Of all answers.
        starting: Seconds of this run before the first part was begun.
        seconds: Of this run, those included.
        per_second: Documents of this run a second.
        stages: Seconds of all workers of this run together, by what they did.
    """

    output: str
    files: int
    damaged: dict[str, str]
    parts: int
    documents: int
    answered: int
    refused: int
    before: int
    bytes: int
    starting: float
    seconds: float
    per_second: float
    stages: dict[str, float]

    @classmethod
    def of(
        cls,
        manifest: Manifest,
        inputs: Sequence[Input],
        before: int,
        starting: float,
        seconds: float,
        stages: dict[str, float],
    ) -> Summary:
        """Add up what the manifest says."""
        total = manifest.counts
        return cls(
            output=str(manifest.folder),
            files=len(inputs),
            damaged=manifest.damaged(),
            **{key: total[key] for key in ("parts", "documents", "answered", "refused", "bytes")},
            before=before,
            starting=round(starting, 3),
            seconds=round(seconds, 3),
            per_second=round((total["documents"] - before) / max(seconds, 1e-9), 1),
            stages={name: round(value, 3) for name, value in stages.items()},
        )

    def table_rows(self) -> list[tuple[str, str]]:
        """The counts, as text."""
        values = self.to_dict()
        del values["stages"]
        values["damaged"] = len(self.damaged)
        return [
            (key.replace("_", " "), f"{value:,}" if isinstance(value, int | float) else str(value))
            for key, value in values.items()
        ]

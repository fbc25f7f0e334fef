"""The generated tables of README and docs about the writer."""

from __future__ import annotations

from apps.shared.reports import preset_installed
from apps.writer.reports import char_rnn_score, generation_report, writer_scores
from benchmarks.markdown import number, table

PRESET = "writer_shakespeare"
SPEED_COMMAND = "python -m benchmarks.generation --store"


def writer_table() -> str:
    """Write the scores of the shipped writer, beside what others published.

    Returns:
        A table and how long training took, or a sentence that names the command where there is no preset.
    """
    if not preset_installed(PRESET):
        return "_Not measured yet: `python -m apps writer fit` makes the preset._"
    found = writer_scores(PRESET)
    rows = [
        [
            f"Lectern (`{PRESET}`), last 10 %",
            f"{found.nats:.4f}",
            number(found.standard_error, ".4f"),
            f"{found.bits:.3f}",
            f"{found.n:,}",
        ]
    ]
    rows += [[f"{name}, last 10 %", f"{value:g}", "–", "–", "–"] for name, value in found.published.items()]
    other = char_rnn_score()
    if other is not None:
        rows.append(
            [
                "one network, trained and scored by char-rnn's split",
                f"{other.nats_per_character:.4f}",
                "–",
                f"{other.bits_per_character:.3f}",
                f"{other.n:,}",
            ]
        )
    header = ["Tiny Shakespeare", "nats a character", "standard error", "bits a character", "characters"]
    facts = (
        f"{found.shape}; {found.parameters:,} parameters, trained in {found.seconds / 60:.0f} minutes on "
        f"{found.processor}."
    )
    return table(header, rows) + f"\n\n{facts}"


def generation_table() -> str:
    """Write the last stored run of the generation benchmark.

    Returns:
        A table with a line of facts, or a sentence that names the command where it has not run.
    """
    report = generation_report()
    if report is None:
        return f"_Not measured yet: run `{SPEED_COMMAND}`._"
    rows = [[one.name, f"{one.characters_per_second:,.0f}"] for one in report.systems]
    ratio = "" if report.ratio is None else f" Lectern by PyTorch's best loop: {report.ratio:.2f}."
    facts = (
        f"One LSTM layer of {report.units} units, batch 1, with sampling, {report.cores} core(s) of "
        f"{report.processor}.{ratio}"
    )
    return table(["loop", "characters a second"], rows) + f"\n\n{facts}"

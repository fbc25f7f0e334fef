"""The generated tables of README and docs about classifiers of documents."""

from __future__ import annotations

from typing import Any

from apps.reviews.reports import SYSTEMS, networks_report, speed_report, transfer_report
from apps.shared.reports import preset_installed, stored_facts
from apps.tagger.reports import EMBEDDINGS
from benchmarks.markdown import number, table

PRESETS = {"reviews_imdb": "imdb", "topics_bbc": "bbc"}
NETWORKS_COMMAND = "python -m benchmarks.reviews_networks --runs runs/reviews --store"
TRANSFER_COMMAND = "python -m benchmarks.embedding_transfer --task reviews --store"
SPEED_COMMAND = "python -m benchmarks.reviews_speed --lines 1000000 --store"


def reviews_table() -> str:
    """Write the scores of the shipped presets.

    Returns:
        A table, or a sentence that names the command where there is no preset.
    """
    there = [preset for preset in PRESETS if preset_installed(preset)]
    if not there:
        return "_Not measured yet: `python -m apps reviews fit` makes the presets._"
    rows = []
    for preset in there:
        metrics = stored_facts(preset, "text_classifier").metrics
        for name in ("accuracy", "accuracy_without_duplicates"):
            if name in metrics:
                rows.append(_score(preset, metrics[name], metrics if name == "accuracy" else {}))
    header = [
        "preset and documents",
        "% right",
        "standard error",
        "documents",
        "calibration error",
        "others, %",
    ]
    return table(header, rows)


def networks_table() -> str:
    """Write the table of all networks.

    Returns:
        A table with a line of facts, or a sentence that names the command where it has not run.
    """
    report = networks_report()
    if report is None:
        return f"_Not measured yet: run `{NETWORKS_COMMAND}`._"
    rows = [
        [
            one.text,
            number(one.accuracy, ".2f"),
            number(one.standard_error, ".2f"),
            number(one.n, ","),
            number(one.validation, ".2f"),
            number(one.seconds / 60, ".1f"),
            number(one.parameters, ","),
            number(100 * one.left_out_share, ".1f"),
        ]
        for one in report.networks
    ]
    rows += [
        [f"{name} (published)", number(value, ".2f"), *["–"] * 6] for name, value in report.published.items()
    ]
    header = ["network", "test, %", "standard error", "reviews", "held out, %", "minutes", "parameters"]
    facts = (
        f"Learned from {report.learned:,} reviews of the train half, scored once on the test half, of which "
        f"{report.duplicates:,} reviews stand in the train half too. Padding of batches of {report.batch_size}: "
        f"{100 * report.shuffled:.1f} % in random order, {100 * report.bucketed:.1f} % in buckets of length. "
        f"{report.threads} core(s) of {report.processor}: `{NETWORKS_COMMAND}`."
    )
    return table([*header, "words not read, %"], rows) + f"\n\n{facts}"


def transfer_table() -> str:
    """Write what word vectors are worth.

    Returns:
        A table, or a sentence that names the command where it has not run.
    """
    cells = {(cell.embedding, cell.share): cell for cell in transfer_report()}
    if not cells:
        return f"_Not measured yet: run `{TRANSFER_COMMAND}`._"
    shares = sorted({share for _, share in cells})
    rows = [
        [
            name,
            *(
                f"{cells[embedding, share].mean:.2f} ± {cells[embedding, share].deviation:.2f}"
                for share in shares
            ),
        ]
        for embedding, name in EMBEDDINGS.items()
    ]
    header = [f"{share:g} % ({cells['random', share].documents:,} reviews)" for share in shares]
    first = next(iter(cells.values()))
    facts = f"Percent right of {first.n:,} reviews, mean and standard deviation of {first.seeds} seeds."
    return table(["embeddings", *header], rows) + f"\n\n{facts}"


def speed_table() -> str:
    """Write the last stored run of the speed benchmark.

    Returns:
        A table with a line of facts, or a sentence that names the command where it has not run.
    """
    report = speed_report()
    if report is None:
        return f"_Not measured yet: run `{SPEED_COMMAND}`._"
    rows = [
        [
            SYSTEMS[one.system],
            f"{one.documents_per_second:,.0f}",
            f"{one.one_document_ms:.2f}",
            f"{one.accuracy:.2f}",
            f"{one.training_seconds:,.0f}",
        ]
        for one in report.systems
    ]
    facts = (
        f"Test half of IMDB from raw text; {report.threads} core(s) of {report.processor}, all systems in one run; the "
        "others use one core to classify."
    )
    if report.memory_mib:
        memory = ", ".join(
            f"{peak:,.0f} MiB for {lines:,}" for lines, peak in sorted(report.memory_mib.items())
        )
        facts += f" Peak memory of `classify --lines` by number of lines: {memory}."
    header = ["system", "documents/s", "one document, ms", "test, %", "training, s"]
    return table(header, rows) + f"\n\n{facts}"


def _score(preset: str, measure: dict[str, Any], metrics: dict[str, Any]) -> list[str]:
    calibration = metrics.get("calibration_error", {}).get("score")
    published = ", ".join(f"{name} {value:.2f}" for name, value in measure.get("published", {}).items())
    return [
        f"`{preset}`: {measure['protocol'].split(';')[0]}",
        number(measure["score"], ".2f"),
        number(measure["standard_error"], ".2f"),
        number(measure["n"], ","),
        "–" if calibration is None else f"{calibration:.2f} %",
        published or "–",
    ]

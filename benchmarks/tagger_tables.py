"""The generated tables of README and docs about the tagger."""

from __future__ import annotations

from apps.shared.reports import preset_installed
from apps.tagger.reports import (
    EMBEDDINGS,
    SCORES,
    SYSTEMS,
    TaggerScore,
    speed_report,
    tagger_scores,
    transfer_report,
)
from benchmarks.markdown import number, table

PRESET = "tagger_en_ewt"


def tagger_table() -> str:
    """Write the scores of the shipped tagger.

    Returns:
        A table and how long training took, or a sentence that names the command where there is no preset.
    """
    if not preset_installed(PRESET):
        return "_Not measured yet: `python -m apps tagger fit` makes the preset._"
    found = tagger_scores(PRESET)
    rows = [
        [
            SCORES[name],
            number(one.score, ".2f"),
            number(one.standard_error, ".2f"),
            f"{one.n:,}",
            _others(one, measured=name == "upos"),
        ]
        for name, one in found.scores.items()
    ]
    facts = f"Trained in {found.seconds / 60:.1f} minutes on {found.processor}; output: {found.output}."
    header = ["test part of UD English EWT", "%", "standard error", "words", "others, %"]
    return table(header, rows) + f"\n\n{facts}"


def _others(score: TaggerScore, measured: bool) -> str:
    """Name what other systems reach: published, and ``measured`` by the last run of the speed benchmark."""
    found = [f"{system} {value:.2f} (published)" for system, value in score.published.items()]
    report = speed_report() if measured else None
    if report is not None:
        found += [
            f"{SYSTEMS[one.system]} {one.upos_accuracy:.2f}"
            for one in report.systems
            if one.system != "lectern"
        ]
    return ", ".join(found) or "–"


def speed_table() -> str:
    """Write the last run of the speed benchmark.

    Returns:
        A table, or a sentence that names the command where it has not run.
    """
    report = speed_report()
    if report is None:
        return "_Not measured yet: run `python -m benchmarks.tagger_speed --store`._"
    spacy = next((one.words_per_second for one in report.systems if one.system == "spacy"), None)
    rows = [
        [
            SYSTEMS[one.system],
            f"{one.words_per_second:,.0f}",
            number(one.words_per_second / spacy if spacy else None, ".2f"),
            f"{one.one_sentence_ms:.2f}",
            f"{one.upos_accuracy:.2f}",
            f"{one.training_seconds:,.0f}",
        ]
        for one in report.systems
    ]
    raw = ["Lectern, from raw text", f"{report.raw_words_per_second:,.0f}", "–"]
    rows.append([*raw, f"{report.raw_sentence_ms:.2f}", "–", "–"])
    header = ["tagger", "words/s", "speed / spaCy", "one sentence, ms", "UPOS, %", "training, s"]
    facts = (
        f"{report.cores} core(s) of {report.processor}, the same for all; spaCy, CRFsuite and NLTK use one of them. "
        "The first row gives tags and their probabilities, the last one is the whole application."
    )
    return table(header, rows) + f"\n\n{facts}"


def transfer_table() -> str:
    """Write the last run of the transfer benchmark.

    Returns:
        A table, or a sentence that names the command where it has not run.
    """
    cells = {(cell.embedding, cell.share): cell for cell in transfer_report()}
    if not cells:
        return "_Not measured yet: run `python -m benchmarks.embedding_transfer --task tags --store`._"
    shares = sorted({share for _, share in cells})
    rows = []
    for embedding, name in EMBEDDINGS.items():
        row = [name]
        for share in shares:
            cell = cells[embedding, share]
            row += [f"{cell.mean:.2f} ± {cell.deviation:.2f}", f"{cell.unknown_mean:.2f}"]
        rows.append(row)
    header = ["embeddings"]
    for share in shares:
        sentences = cells["random", share].sentences
        header += [f"{share:g} % ({sentences:,} sentences)", "new words"]
    return table(header, rows)

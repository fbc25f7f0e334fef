"""The generated tables of README and docs about the reader."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from apps.ocr.reports import SYSTEMS, speed_report
from apps.shared.reports import benchmark_results, preset_installed, stored_facts
from benchmarks.markdown import number, table

COMMAND = "python -m benchmarks.ocr_protocols --runs runs/ocr --store"
SPEED_COMMAND = "python -m benchmarks.ocr_speed --store"
_HEADINGS = {"a": "(a) nine folds learned", "b": "(b) one fold learned", "c": "(c) words never learned"}
PRESETS = {"ocr_letters": ("alone", "context"), "ocr_words": ("greedy", "words")}


def reader_table() -> str:
    """Write the scores of the shipped presets.

    Returns:
        A table, or a sentence that names the command where there is no preset.
    """
    there = [preset for preset in PRESETS if preset_installed(preset)]
    if not there:
        return "_Not measured yet: `python -m apps ocr fit` makes the presets._"
    rows = []
    for preset in there:
        metrics = stored_facts(preset, "ocr").metrics
        for name in PRESETS[preset]:
            measure = metrics[name]
            rows.append(
                [
                    f"`{preset}`: {measure['protocol'].split(';')[0].removeprefix('character error, ')}",
                    number(measure["score"], ".2f"),
                    number(measure["standard_error"], ".2f"),
                    number(measure["word_error"], ".2f"),
                    number(measure["n"], ","),
                ]
            )
    return table(["fold 0", "character error, %", "standard error", "word error, %", "letters"], rows)


def protocols_table() -> str:
    """Write the last stored run of the protocols, a table for each.

    Returns:
        Tables with their protocols, or a sentence that names the command where it has not run.
    """
    results = benchmark_results("ocr_protocols")
    if results is None:
        return f"_Not measured yet: run `{COMMAND}`._"
    parts = []
    for name, protocol in results["protocols"].items():
        parts.append(f"**({name})** {protocol['text']}: {_facts(protocol)}")
        parts.append(_table(protocol, results["published"].get(name, {})))
    settings = results["settings"]
    parts.append(f"Measured with {settings['threads']} threads on {settings['processor']}: `{COMMAND}`.")
    return "\n\n".join(parts)


def summary_table() -> str:
    """Write the character error of each network in each protocol of the last stored run.

    Returns:
        A table with a line of facts, or a sentence that names the command where it has not run.
    """
    results = benchmark_results("ocr_protocols")
    if results is None:
        return f"_Not measured yet: run `{COMMAND}`._"
    protocols = {name: one for name, one in results["protocols"].items() if name in _HEADINGS}
    texts = {key: network["text"] for one in protocols.values() for key, network in one["networks"].items()}
    rows = [
        [text, *(_error(one["networks"].get(key)) for one in protocols.values())]
        for key, text in texts.items()
    ]
    header = ["character error, %", *(_HEADINGS[name] for name in protocols)]
    return table(header, rows) + "\n\nMean over the splits of each protocol."


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
            f"{one.words_per_second:,.0f}",
            f"{one.one_word_ms:.2f}",
            number(one.character_error, ".2f"),
            number(one.word_error, ".2f"),
        ]
        for one in report.systems
    ]
    header = ["system", "words/s", "one word, ms", "character error, %", "word error, %"]
    facts = (
        f"The {report.words:,} words of fold 0; {report.threads} core(s) of {report.processor}, all systems in one "
        "run; CRFsuite uses one core."
    )
    return table(header, rows) + f"\n\n{facts}"


def _error(network: Mapping[str, Any] | None) -> str:
    return "–" if network is None else number(network["character_error"]["mean"], ".2f")


def _facts(protocol: Mapping[str, Any]) -> str:
    few, many = min(protocol["learned_letters"]), max(protocol["learned_letters"])
    learned = f"{few:,}" if few == many else f"{few:,} to {many:,}"
    return f"{len(protocol['splits'])} splits, {learned} letters to learn from, {protocol['seconds'] / 60:.0f} minutes."


def _table(protocol: Mapping[str, Any], published: Mapping[str, float]) -> str:
    rows = [
        [
            network["text"],
            *(
                number(network[key][what], ".2f")
                for key in ("character_error", "word_error")
                for what in ("mean", "deviation")
            ),
            str(network["splits"]),
            number(network["n"], ","),
        ]
        for network in protocol["networks"].values()
    ]
    rows += [[f"{name} (published)", number(error, ".1f"), *["–"] * 5] for name, error in published.items()]
    header = [
        "network",
        "character error, %",
        "deviation",
        "word error, %",
        "deviation",
        "splits",
        "letters read",
    ]
    return table(header, rows)

"""Fill the generated parts of README and docs from what commands measured, so that no number there is typed.

    python -m benchmarks.readme            fills them
    python -m benchmarks.readme --check    changes nothing and exits with 1 where one is out of date

A generated part stands between ``<!-- results:NAME -->`` and ``<!-- /results:NAME -->``. Sources:
metrics.json of the shipped presets, benchmarks/results/*.json and apps/lecture/topics.py.
"""

from __future__ import annotations

import argparse
import re
import sys
from collections.abc import Callable, Sequence
from pathlib import Path

from apps.lecture.topics import PAGES, PARTS, ROOT, Topic
from apps.shared.reports import VectorsScores, preset_installed, vectors_scores, word2vec_benchmark
from benchmarks import (
    digits_tables,
    ladder_tables,
    ocr_tables,
    reviews_tables,
    tagger_tables,
    writer_tables,
)
from benchmarks.markdown import number as _number
from benchmarks.markdown import table
from data_prep.errors import InputError

FILES = (
    *("README.md", "docs/digits.md", "docs/lecture-map.md", "docs/reader.md", "docs/reviews.md"),
    *("docs/tagging.md", "docs/word-vectors.md", "docs/writing.md"),
)
VECTORS_PRESETS = {"Lectern": "vectors_en_wiki", "gensim": "vectors_en_wiki_gensim"}
_REGION = re.compile(r"<!-- results:(?P<name>[a-z0-9-]+) -->\n.*?<!-- /results:(?P=name) -->", re.DOTALL)


def pages() -> str:
    """Write what the pages are for and which of them exist.

    Returns:
        A table.
    """
    rows = [
        f"| {page.title} | {page.summary} | {'works' if page.built else 'not built yet'} |"
        for page in PAGES.values()
    ]
    return "\n".join(["| page | what a person does there | state |", "| --- | --- | --- |", *rows])


def lecture_map(root: Path = ROOT) -> str:
    """Write the lecture map: slide topic, page, code, test.

    Args:
        root: The project.

    Returns:
        A heading and a table for each part of the lecture.
    """
    sections = []
    for number, part in enumerate(PARTS, start=1):
        lines = ["| slide topic | page | code | test |", "| --- | --- | --- | --- |"]
        lines += [f"| {' | '.join(_topic_cells(topic, root))} |" for topic in part.topics]
        sections.append(f"### {number}. {part.title}\n\n" + "\n".join(lines))
    return "\n\n".join(sections)


def _topic_cells(topic: Topic, root: Path) -> list[str]:
    page = PAGES[topic.page]
    shown = page.title if page.built else f"{page.title} (not built yet)"
    cells = [topic.title.replace("|", "\\|"), shown]
    for paths in (topic.code, topic.tests):
        there = [f"[{Path(path).name}](../{path})" for path in paths if (root / path).is_file()]
        cells.append("<br>".join(there) if topic.built and there else "–")
    return cells


def vectors_table() -> str:
    """Write the scores of the shipped word vectors.

    Returns:
        A table of both presets, or a sentence that names the command where there is none.
    """
    scores = _vectors_scores()
    if not scores:
        return "_Not measured yet: `python -m apps vectors fit` makes the preset._"
    rows = []
    for name, found in scores.items():
        total = found.total
        rows.append(
            [
                f"{name} (`{found.preset}`)",
                _number(total.accuracy, ".1f"),
                f"{total.answered:,} of {total.of:,}",
                f"{_number(found.wordsim353, '.3f')} ({found.wordsim353_n})",
                f"{_number(found.simlex999, '.3f')} ({found.simlex999_n})",
                f"{found.seconds:,.0f}",
            ]
        )
    header = ["vectors", "Google analogies, %", "answered", "WordSim-353 ρ (pairs)", "SimLex-999 ρ (pairs)"]
    return table([*header, "training, s"], rows)


def vectors_sections() -> str:
    """Write the analogy scores of the shipped word vectors by section.

    Returns:
        A table of both presets, or a sentence that names the command where there is none.
    """
    scores = _vectors_scores()
    if not scores:
        return "_Not measured yet: `python -m apps vectors fit` makes the preset._"
    first = next(iter(scores.values()))
    rows = []
    for section in first.sections:
        row = [section]
        for found in scores.values():
            score = found.sections[section]
            row += [_number(score.accuracy, ".1f"), f"{score.answered:,} of {score.of:,}"]
        rows.append(row)
    return table(["section", *(f"{name}{what}" for name in scores for what in (", %", ", answered"))], rows)


def word2vec_table() -> str:
    """Write the last run of the word2vec benchmark.

    Returns:
        A table, or a sentence that names the command where it has not run.
    """
    benchmark = word2vec_benchmark()
    if benchmark is None:
        return "_Not measured yet: run `python -m benchmarks.word2vec_vs_gensim --store`._"
    runs = benchmark.runs
    speeds = {(run.task, run.system): run.words_per_second for run in runs}
    rows = []
    for run in runs:
        peer = speeds.get((run.task, "gensim"))
        ratio = run.words_per_second / peer if run.words_per_second and peer else None
        rows.append(
            [
                {"skipgram": "skip-gram", "cbow": "CBOW"}[run.task]
                + (", Lectern" if run.system == "ours" else ", gensim"),
                _number(run.words_per_second, ",.0f"),
                _number(ratio, ".2f"),
                _number(run.analogies, ".1f"),
                _number(run.answered, ","),
                _number(run.wordsim353, ".3f"),
                _number(run.simlex999, ".3f"),
                _number(run.peak_memory_mib, ",.0f"),
            ]
        )
    header = [
        "model",
        "words/s",
        "speed / gensim",
        "analogies, %",
        "answered",
        "WordSim-353 ρ",
        "SimLex-999 ρ",
    ]
    return f"{benchmark.protocol}\n\n" + table([*header, "peak memory, MiB"], rows)


def _vectors_scores() -> dict[str, VectorsScores]:
    there = {name: preset for name, preset in VECTORS_PRESETS.items() if preset_installed(preset)}
    return {name: vectors_scores(preset) for name, preset in there.items()}


REGIONS: dict[str, Callable[[], str]] = {
    "digits": digits_tables.digits_table,
    "digits-speed": digits_tables.speed_table,
    "lecture-map": lecture_map,
    "loss-ladder": ladder_tables.ladder_table,
    "loss-ladder-samples": ladder_tables.ladder_samples,
    "ocr": ocr_tables.reader_table,
    "ocr-summary": ocr_tables.summary_table,
    "ocr-protocols": ocr_tables.protocols_table,
    "ocr-speed": ocr_tables.speed_table,
    "pages": pages,
    "reviews": reviews_tables.reviews_table,
    "reviews-networks": reviews_tables.networks_table,
    "reviews-speed": reviews_tables.speed_table,
    "reviews-transfer": reviews_tables.transfer_table,
    "tagger": tagger_tables.tagger_table,
    "tagger-speed": tagger_tables.speed_table,
    "tagger-transfer": tagger_tables.transfer_table,
    "vectors": vectors_table,
    "vectors-sections": vectors_sections,
    "word2vec-benchmark": word2vec_table,
    "writer": writer_tables.writer_table,
    "writer-speed": writer_tables.generation_table,
}


def filled(text: str) -> str:
    """Fill every generated part of a text.

    Args:
        text: Markdown.

    Returns:
        The same text with current tables.

    Raises:
        InputError: A part has a name that nothing generates, or is not closed.
    """
    opened = re.findall(r"<!-- results:([a-z0-9-]+) -->", text)
    closed = [match["name"] for match in _REGION.finditer(text)]
    if opened != closed:
        wrong = next(name for name in opened if opened.count(name) != closed.count(name))
        raise InputError(f"The generated part {wrong} is not closed", allowed=f"<!-- /results:{wrong} -->")

    def fill(match: re.Match[str]) -> str:
        name = match["name"]
        if name not in REGIONS:
            raise InputError("Nothing generates this part", allowed=", ".join(REGIONS), received=name)
        return f"<!-- results:{name} -->\n{REGIONS[name]()}\n<!-- /results:{name} -->"

    return _REGION.sub(fill, text)


def main(arguments: Sequence[str] | None = None) -> int:
    """Fill or check the files.

    Args:
        arguments: Of the command line; None takes those of the process.

    Returns:
        The exit code: 1 where ``--check`` found a part out of date, 2 for wrong input.
    """
    parser = argparse.ArgumentParser(prog="python -m benchmarks.readme", description=__doc__.split("\n")[0])
    parser.add_argument(
        "--check", action="store_true", help="change nothing; exit with 1 if a part is out of date"
    )
    check = parser.parse_args(arguments).check
    stale = []
    try:
        for name in FILES:
            path = ROOT / name
            before = path.read_text(encoding="utf-8")
            after = filled(before)
            if after != before:
                stale.append(name)
                if not check:
                    path.write_text(after, encoding="utf-8")
    except InputError as error:
        print(f"error: {error}", file=sys.stderr)
        return 2
    print(
        "\n".join(f"{name}: {'out of date' if check else 'written'}" for name in stale) or "All up to date."
    )
    return 1 if check and stale else 0


if __name__ == "__main__":
    sys.exit(main())

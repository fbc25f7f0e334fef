"""Fill the generated parts of README and docs from what commands measured, so that no number there is typed.

    python -m benchmarks.readme            fills them
    python -m benchmarks.readme --check    changes nothing and exits with 1 where one is out of date

A generated part stands between ``<!-- results:NAME -->`` and ``<!-- /results:NAME -->``. Sources:
metrics.json of the shipped presets, benchmarks/results/*.json, apps/lecture/topics.toml and the lessons.
"""

from __future__ import annotations

import argparse
import re
import sys
from collections.abc import Callable, Sequence
from functools import cache, partial
from pathlib import Path

from apps.course.catalogue import EXERCISES
from apps.course.lessons import lessons
from apps.digits import reports as digits
from apps.laboratory.reports import BARS
from apps.lecture.topics import PAGES, PARTS, ROOT, Topic
from apps.ocr import reports as ocr
from apps.reviews import reports as reviews
from apps.shared.as_used import AS_USED, NATIVE
from apps.shared.leaderboard import leaderboard
from apps.shared.robustness import NEGATIONS, OTHER_ORIGINS, ROBUSTNESS
from apps.shared.transfer import REVIEWS, TAGS, by_share
from apps.tagger import reports as tagger
from apps.vectors import reports as vectors
from apps.writer import reports as writer
from benchmarks.batch import COSTS, KILLS, RATES, SIMULATION
from benchmarks.endurance import ENDURANCE
from benchmarks.hostile import HOSTILE
from benchmarks.kills import FAULTS_TABLE
from benchmarks.kills import KILLS as KILLED
from benchmarks.load import LOAD, PAGE, TRAINED
from data_prep.errors import InputError

FILES = ("README.md", *(f"docs/{path.name}" for path in sorted((ROOT / "docs").glob("*.md"))))
_REGION = re.compile(r"<!-- results:(?P<name>[a-z0-9-]+) -->\n.*?<!-- /results:(?P=name) -->", re.DOTALL)


def course() -> str:
    """Write how long each lesson is, in steps, exercises, and minutes of a quick and a slow reader."""
    lines = ["| lesson | steps | exercises | quick reader, min | slow reader, min |"]
    lines.append("| --- | ---: | ---: | ---: | ---: |")
    for number, (key, lesson) in enumerate(lessons().items(), start=1):
        cells = (f"{number}. {lesson.title}", len(lesson.steps), len(EXERCISES[key]), *lesson.minutes)
        lines.append(f"| {' | '.join(map(str, cells))} |")
    return "\n".join(lines)


def lecture_map() -> str:
    """Write the lecture map: a heading and a table for each part of the lecture."""
    sections = []
    for number, part in enumerate(PARTS, start=1):
        lines = [
            "| slide topic | page | step of the course | code | test |",
            "| --- | --- | --- | --- | --- |",
        ]
        lines += [f"| {' | '.join(_topic_cells(topic))} |" for topic in part.topics]
        sections.append(f"### {number}. {part.title}\n\n" + "\n".join(lines))
    return "\n\n".join(sections)


def _topic_cells(topic: Topic) -> list[str]:
    page = PAGES[topic.page]
    shown = page.title if page.built else f"{page.title} (not built yet)"
    cells = [topic.title.replace("|", "\\|"), shown, _taught()[topic.title].replace("|", "\\|")]
    for paths in (topic.code, topic.tests):
        there = [f"[{Path(path).name}](../{path})" for path in paths if (ROOT / path).is_file()]
        cells.append("<br>".join(there) if topic.built and there else "–")
    return cells


@cache
def _taught() -> dict[str, str]:
    """The step that teaches each topic, such as 2.1 for the first one of the second lesson."""
    numbered = ((number, lesson.steps.values()) for number, lesson in enumerate(lessons().values(), start=1))
    return {
        topic: f"{number}.{at} {step.title}"
        for number, steps in numbered
        for at, step in enumerate(steps, start=1)
        for topic in step.topics
    }


REGIONS: dict[str, Callable[[], str]] = {
    "as-used": AS_USED.markdown,
    "as-used-native": NATIVE.markdown,
    "batch": RATES.markdown,
    "batch-costs": COSTS.markdown,
    "batch-kills": KILLS.markdown,
    "batch-simulation": SIMULATION.markdown,
    "course": course,
    "digits": digits.SCORES.markdown,
    "digits-shifts": digits.SHIFTS.markdown,
    "endurance": ENDURANCE.markdown,
    "hostile": HOSTILE.markdown,
    "kills": KILLED.markdown,
    "kills-faults": FAULTS_TABLE.markdown,
    "laboratory": BARS.markdown,
    "lecture-map": lecture_map,
    "load": LOAD.markdown,
    "load-page": PAGE.markdown,
    "load-page-training": TRAINED.markdown,
    "loss-ladder": writer.LADDER.markdown,
    "loss-ladder-samples": partial(writer.LADDER.markdown, writer.samples),
    "ocr": ocr.SCORES.markdown,
    "ocr-summary": partial(ocr.PROTOCOLS.markdown, ocr.by_protocol),
    "ocr-protocols": partial(ocr.PROTOCOLS.markdown, ocr.every_protocol),
    "ocr-peers": ocr.PEERS.markdown,
    "reviews": reviews.SCORES.markdown,
    "reviews-networks": reviews.NETWORKS.markdown,
    "reviews-peers": reviews.PEERS.markdown,
    "reviews-transfer": partial(REVIEWS.markdown, by_share),
    "robustness": ROBUSTNESS.markdown,
    "robustness-negations": NEGATIONS.markdown,
    "robustness-origins": OTHER_ORIGINS.markdown,
    "summary": lambda: leaderboard(summary=True).markdown(),
    "tagger": tagger.SCORES.markdown,
    "tagger-peers": tagger.PEERS.markdown,
    "tagger-transfer": partial(TAGS.markdown, by_share),
    "vectors": vectors.SCORES.markdown,
    "vectors-sections": partial(vectors.SCORES.markdown, lambda report: vectors.sections(report).markdown()),
    "word2vec-benchmark": vectors.SPEED.markdown,
    "writer": writer.SCORES.markdown,
    "writer-dynamic": writer.DYNAMIC.markdown,
}


def filled(text: str) -> str:
    """Fill every generated part of a Markdown text with current tables.

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
    """Fill or check the files; the exit code is 1 where ``--check`` found a part out of date, 2 for wrong input."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks.readme", description=__doc__.split("\n")[0])
    told = "change nothing; exit with 1 where a part is old"
    parser.add_argument("--check", action="store_true", help=told)
    check = parser.parse_args(arguments).check
    try:
        texts = {ROOT / name: (ROOT / name).read_text(encoding="utf-8") for name in FILES}
        stale = {path: now for path, before in texts.items() if (now := filled(before)) != before}
    except InputError as error:
        print(f"Error: {error}", file=sys.stderr)
        return 2
    for path, text in stale.items():
        if not check:
            path.write_text(text, encoding="utf-8")
        print(f"{path.relative_to(ROOT)}: {'out of date' if check else 'written'}")
    if not stale:
        print("All up to date.")
    return 1 if check and stale else 0


if __name__ == "__main__":
    sys.exit(main())

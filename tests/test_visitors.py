"""Visitors of the page without a browser: many at once get the answers of one, also beside slow and vanishing ones."""

from __future__ import annotations

import asyncio
import json
from collections.abc import Coroutine, Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import pytest

from apps.lecture.topics import PAGES, ROOT
from apps.shared.language import translated
from apps.shared.tables import Table
from benchmarks import load, visitors
from benchmarks.streamlit_client import Ask, Visitor
from data_prep.errors import InputError
from data_prep.files import toml_beside

KINDS = ("solve an analogy", "classify a digit")


def run(asked: Coroutine[Any, Any, Any]) -> Any:
    """Wait for something in a thread of its own: other tests leave a loop of events in this one."""
    with ThreadPoolExecutor(1) as thread:
        return thread.submit(asyncio.run, asked).result()


@pytest.fixture(scope="module")
def port(tmp_path_factory: pytest.TempPathFactory) -> Iterator[int]:
    with visitors.page(tmp_path_factory.mktemp("page") / "log.txt") as (port, _):
        yield port


@pytest.fixture
def few(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(visitors, "ASKS", {kind: visitors.ASKS[kind][:2] for kind in KINDS})
    monkeypatch.setattr(visitors, "_SHARES", [1.0, 0.5])


def test_nine_visitors_get_the_answers_of_one(port: int, few: None, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(visitors, "_VANISHES", 0.5)
    monkeypatch.setattr(visitors, "_SLOW_SECONDS", 0.3)

    async def measure() -> visitors.Crowd:
        known = await visitors.alone(port)
        assert len(set(known.values())) == len(known) == 4
        crowd = visitors.Crowd(port, known)
        for seed in range(1, 9):  # the slower the machine, the fewer are asked in time
            await crowd.stay(9, 2.0, seed)
            if crowd.vanished and crowd.read_slowly:
                break
        return crowd

    crowd = run(measure())
    assert not any(crowd.wrong.values()) and not crowd.lost
    assert crowd.vanished and crowd.read_slowly
    row = crowd.row()
    assert row["answers"] == sum(map(len, crowd.seconds.values())) > 9
    assert 0 < row["p50_ms"] <= row["p95_ms"] <= row["p99_ms"]
    assert set(crowd.seconds) <= {*KINDS, visitors.OPENED}


def test_everyone_reads_a_language_of_their_own(port: int) -> None:
    async def read(language: str) -> set[str]:
        visitor = await Visitor().enter(port)
        pages = {await visitor.open("convolution", f"section=Sizes&language={language}") for _ in range(8)}
        await visitor.leave()
        return pages

    async def together() -> list[set[str]]:
        return await asyncio.gather(*map(read, ["de", "en"] * 3))

    found = run(together())
    assert found == found[:2] * 3 and all(len(pages) == 1 for pages in found)
    german, english = (pages.copy().pop() for pages in found[:2])
    about = toml_beside(str(ROOT / PAGES["convolution"].view))["sections"]["Sizes"]["about"]
    assert about in english and translated(about, "de") in german and about not in german


def test_an_answer_is_drawn_alone_and_in_the_visitors_language(port: int) -> None:
    async def ask() -> tuple[str, str]:
        visitor = await Visitor().enter(port)
        before = await visitor.open("tagger", "language=de")
        first = visitor._shown[min(visitor._shown)]
        answer = await visitor.answer(Ask("tagger", "", {"text": "Dogs bark."}, "tagging_form"))
        assert visitor._shown[min(visitor._shown)] is first  # was not sent again
        await visitor.leave()
        return before, answer

    before, answer = run(ask())
    assert "1 Satz, 3 Wörter." in answer and "1 Satz, 3 Wörter." not in before


def test_a_wrong_answer_is_counted(port: int, few: None) -> None:
    async def measure() -> visitors.Crowd:
        known = await visitors.alone(port)
        crowd = visitors.Crowd(port, dict.fromkeys(known, "another answer"))
        await crowd.stay(1, 0.5, 1)
        return crowd

    row = run(measure()).row(*KINDS)
    assert row["wrong"] == row["answers"] > 0


def test_what_the_page_has_not_is_told(port: int) -> None:
    async def ask() -> str:
        visitor = await Visitor().enter(port)
        await visitor.open("tagger", "")
        return await visitor.answer(Ask("tagger", "", {"nothing": "a"}))

    with pytest.raises(InputError, match="no such widget"):
        run(ask())


def test_the_service_is_asked_meanwhile() -> None:
    asked = []

    async def ask(path: str, body: bytes) -> tuple[int, bytes]:
        asked.append(body)
        return (200, json.dumps({"results": [len(asked)]}).encode())

    found = run(visitors.with_service(ask, [b"a", b"b"], lambda at, got: got != [3], asyncio.sleep(0.6)))
    assert asked[:3] == [b"a", b"b", b"a"] and len(asked) == found["answers"]
    assert found["wrong"] == 1


@pytest.mark.parametrize("table", [load.PAGE, load.TRAINED], ids=["alone", "training"])
def test_visitors_have_a_table_of_their_own(table: Table) -> None:
    stored = json.loads(
        (Path(load.__file__).parent / "results" / f"{table.name}.json").read_text(encoding="utf-8")
    )
    assert stored["settings"]["training"] == (table is load.TRAINED)
    assert set(stored["page"]) == {*visitors.ASKS, visitors.OPENED, "all"}
    assert table.read().markdown().count("\n") > 10

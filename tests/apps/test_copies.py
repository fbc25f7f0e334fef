from __future__ import annotations

import json
import random
import subprocess
import sys
import time
from pathlib import Path

import numpy as np
import pytest

from apps.writer.copies import CopyMeter, Source, compared, match_shares
from data_prep.errors import InputError
from data_prep.readers.plays import Place, PlayText, read_shakespeare

ROOT = Path(__file__).resolve().parents[2]
PLAY = (
    "First Citizen:\nBefore we proceed any further, hear me speak.\n\n"
    "All:\nSpeak, speak. The words that nobody else in Rome would ever say.\n\n"
    "First Citizen:\nThe words that nobody else in Rome would ever hear.\n"
)
COPIED = "The words that nobody else in Rome would ever"


def meter_of(text: str) -> CopyMeter:
    return CopyMeter(text, PlayText(text).place)


def naive_spans(text: str, query: str, k: int) -> list[tuple[int, int]]:
    """Every passage of at least k characters that occurs and is part of no longer one, by trying all."""
    size = len(query)
    occurring = [(a, b) for a in range(size) for b in range(a + k, size + 1) if query[a:b] in text]
    return [
        (a, b) for a, b in occurring if not any(c <= a and b <= d and (a, b) != (c, d) for c, d in occurring)
    ]


@pytest.mark.parametrize("k", [1, 3, 20])
def test_spans_are_those_of_a_naive_search(k: int) -> None:
    rng = random.Random(1)
    for _ in range(10):
        query = (
            "".join(rng.choice("the word so") for _ in range(30)) + PLAY[40 : 40 + rng.randrange(40)] + "zz"
        )
        spans = meter_of(PLAY).report(query, k).spans
        assert [(span.start, span.end) for span in spans] == naive_spans(PLAY, query, k)


def test_a_span_has_the_source_of_its_first_occurrence() -> None:
    (span,) = meter_of(PLAY).report(f"He said:{COPIED} hear!", 20).spans
    assert span.source == Source(PLAY.rindex("The words"), 8, 0, "First Citizen", "Coriolanus", 1)
    (span,) = meter_of(PLAY).report(f"He said:{COPIED}!", 20).spans
    assert span.source == Source(PLAY.index("The words"), 5, 14, "All", "Coriolanus", 2)
    assert span.length == len(COPIED)


def test_sources_can_be_told_by_another_rule() -> None:
    meter = CopyMeter("abc" * 10, lambda position: Place(position, 7, None, "a book"))
    assert meter.report("abcabc", 6).spans[0].source.to_dict() == {
        "position": 0, "line": 0, "column": 7, "speaker": None, "play": "a book", "occurrences": 9,
    }  # fmt: skip


def test_fraction_counts_characters_once() -> None:
    meter = meter_of("0123456789--456789abcd")
    report = meter.report("0123456789abcd!!", 10)  # two matches of ten that overlap in six
    assert [(span.start, span.end) for span in report.spans] == [(0, 10), (4, 14)]
    assert (report.fraction, report.longest) == (14 / 16, 10)
    longer = meter.report("0123456789abcd!!", 11)
    assert (longer.fraction, longer.longest, longer.spans) == (0.0, 10, ())
    assert meter.report("!?").longest == 0


def test_report_goes_into_json() -> None:
    meter = meter_of(PLAY)
    query = f"O! {COPIED} speak"
    report = meter.report(query, 10)
    assert report.characters == len(query) and report.k == 10
    assert report.mean_longest_at == pytest.approx(meter.longest_at(query).mean())
    assert json.loads(json.dumps(report.to_dict()))["held_out"] is None


def test_held_out_matches_are_clipped_to_their_stretch() -> None:
    held_out = meter_of("abcdefgh").longest_at("abcdef" + "zzzz" + "cdxxxx")
    assert held_out.tolist() == [6, 5, 4, 3, 2, 1, 0, 0, 0, 0, 2, 1, 0, 0, 0, 0]
    found = compared(held_out, 4, longest=2, k=3)
    assert (found.windows, found.max_longest, found.mean_longest) == (4, 4, 2.0)
    assert found.fraction == 4 / 16 and found.share_as_long == 3 / 4
    whole = compared(held_out, 16, longest=7)
    assert (whole.windows, whole.max_longest, whole.share_as_long) == (1, 6, 0.0)


def test_shares_of_positions_fall_from_one() -> None:
    assert match_shares(np.array([0, 1, 1, 4])).tolist() == [1.0, 0.75, 0.25, 0.25, 0.25]


@pytest.mark.parametrize("query", ["", "x" * 2_000_001], ids=["empty", "too long"])
def test_a_query_of_a_wrong_length_is_refused(query: str) -> None:
    with pytest.raises(InputError, match=r"cannot be compared.*1 to 2,000,000 characters"):
        meter_of(PLAY).report(query)


def test_a_passage_of_no_characters_is_refused() -> None:
    with pytest.raises(InputError, match=r"shortest passage has no character.*Received: 0"):
        meter_of(PLAY).report("abc", 0)


def test_importing_the_meter_is_light() -> None:
    code = "import sys, apps.writer.copies; print(sorted({'tensorflow', 'keras', 'pydivsufsort'} & set(sys.modules)))"
    done = subprocess.run([sys.executable, "-c", code], cwd=ROOT, capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "[]"


@pytest.mark.realdata
def test_training_text_is_copied_and_held_out_text_is_not(data_dir: Path) -> None:
    text = read_shakespeare(data_dir / "tinyshakespeare" / "input.txt")
    train, held_out = text[: len(text) * 9 // 10], text[len(text) * 9 // 10 :]
    began = time.process_time()
    meter = meter_of(train)
    assert time.process_time() - began < 5.0
    passage, true_text = train[70_000:80_000], held_out[50_000:60_000]
    shuffled = "".join(random.Random(1).sample(passage, len(passage)))
    seconds = []
    for query in (passage, true_text, shuffled):
        best = min(_seconds(meter, query) for _ in range(5))
        seconds.append(best)
    assert max(seconds) < 0.05
    matches = meter.longest_at(held_out)
    whole = meter.report(passage, held_out=matches)
    assert (whole.fraction, whole.longest, whole.held_out.share_as_long) == (1.0, len(passage), 0.0)
    assert meter.report(shuffled).fraction == 0.0
    assert 0.0 < meter.report(true_text).fraction < 0.1
    shares = match_shares(matches)
    assert np.all(np.diff(shares) <= 0) and 30 <= len(shares) < 60


def _seconds(meter: CopyMeter, query: str) -> float:
    began = time.process_time()
    meter.report(query)
    return time.process_time() - began

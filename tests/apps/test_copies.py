from __future__ import annotations

import json
import random
import subprocess
import sys
import time
from pathlib import Path

import numpy as np
import pytest

from apps.writer.copies import Baseline, CopyMeter, Source, match_shares
from data_prep.errors import InputError
from data_prep.readers.plays import Place, read_shakespeare

ROOT = Path(__file__).resolve().parents[2]
PLAY = (
    "First Citizen:\nBefore we proceed any further, hear me speak.\n\n"
    "All:\nSpeak, speak. The words that nobody else in Rome would ever say.\n\n"
    "First Citizen:\nThe words that nobody else in Rome would ever hear.\n"
)
COPIED = "The words that nobody else in Rome would ever"


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
        spans = CopyMeter(PLAY).spans(query, k)
        assert [(span.start, span.end) for span in spans] == naive_spans(PLAY, query, k)


def test_a_span_has_the_source_of_its_first_occurrence() -> None:
    (span,) = CopyMeter(PLAY).spans(f"He said:{COPIED} hear!", 20)
    assert span.source == Source(PLAY.rindex("The words"), 8, 0, "First Citizen", "Coriolanus", 1)
    (span,) = CopyMeter(PLAY).spans(f"He said:{COPIED}!", 20)
    assert span.source == Source(PLAY.index("The words"), 5, 14, "All", "Coriolanus", 2)
    assert span.length == len(COPIED)


def test_sources_can_be_told_by_another_rule() -> None:
    meter = CopyMeter("abc" * 10, sources=lambda position: Place(position, 7, None, "a book"))
    assert meter.spans("abcabc", 6)[0].source.to_dict() == {
        "position": 0, "line": 0, "column": 7, "speaker": None, "play": "a book", "occurrences": 9,
    }  # fmt: skip


def test_fraction_counts_characters_once() -> None:
    meter = CopyMeter("0123456789--456789abcd")
    query = "0123456789abcd!!"  # two matches of ten that overlap in six
    assert [(span.start, span.end) for span in meter.spans(query, 10)] == [(0, 10), (4, 14)]
    assert meter.fraction(query, 10) == 14 / 16
    assert meter.fraction(query, 11) == 0.0
    assert meter.longest(query) == 10
    assert meter.longest("!?") == 0


def test_report_goes_into_json_and_agrees_with_the_single_answers() -> None:
    meter = CopyMeter(PLAY)
    query = f"O! {COPIED} speak"
    report = meter.report(query, 10)
    assert report.fraction == meter.fraction(query, 10) and report.longest == meter.longest(query)
    assert report.spans == meter.spans(query, 10) and report.characters == len(query)
    assert report.mean_longest_at == pytest.approx(meter.longest_at(query).mean())
    assert json.loads(json.dumps(report.to_dict()))["held_out"] is None


def test_baseline_clips_matches_to_their_stretch() -> None:
    meter = CopyMeter("abcdefgh")
    baseline = Baseline(meter, "abcdef" + "zzzz" + "cdxxxx")
    assert baseline.longest_at.tolist() == [6, 5, 4, 3, 2, 1, 0, 0, 0, 0, 2, 1, 0, 0, 0, 0]
    assert baseline.longest_in_windows(4).tolist() == [4, 2, 2, 0]
    assert baseline.longest_in_windows(16).tolist() == [6]
    compared = baseline.compare(4, longest=2, k=3)
    assert (compared.windows, compared.max_longest, compared.mean_longest) == (4, 4, 2.0)
    assert compared.fraction == 4 / 16 and compared.share_as_long == 3 / 4


def test_shares_of_positions_fall_from_one() -> None:
    assert match_shares([0, 1, 1, 4]).tolist() == [1.0, 0.75, 0.25, 0.25, 0.25]


@pytest.mark.parametrize("query", ["", "x" * 2_000_001], ids=["empty", "too long"])
def test_a_query_of_a_wrong_length_is_refused(query: str) -> None:
    with pytest.raises(InputError, match=r"cannot be compared.*1 to 2,000,000 characters"):
        CopyMeter(PLAY).spans(query)


@pytest.mark.parametrize("method", ["spans", "fraction", "report"])
def test_a_passage_of_no_characters_is_refused(method: str) -> None:
    with pytest.raises(InputError, match=r"shortest passage has no character.*Received: 0"):
        getattr(CopyMeter(PLAY), method)("abc", 0)


def test_a_text_longer_than_the_held_out_one_is_refused() -> None:
    meter = CopyMeter(PLAY)
    with pytest.raises(InputError, match=r"longer than the held-out text.*1 to 3 characters.*Received: 4"):
        meter.report("abcd", baseline=Baseline(meter, "abc"))


def test_importing_the_meter_is_light() -> None:
    code = "import sys, apps.writer.copies; print(sorted({'tensorflow', 'keras', 'pydivsufsort'} & set(sys.modules)))"
    done = subprocess.run([sys.executable, "-c", code], cwd=ROOT, capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "[]"


@pytest.mark.realdata
def test_training_text_is_copied_and_held_out_text_is_not(data_dir: Path) -> None:
    text = read_shakespeare(data_dir / "tinyshakespeare" / "input.txt")
    train, held_out = text[: len(text) * 9 // 10], text[len(text) * 9 // 10 :]
    began = time.process_time()
    meter = CopyMeter(train)
    assert time.process_time() - began < 5.0
    passage, true_text = train[70_000:80_000], held_out[50_000:60_000]
    shuffled = "".join(random.Random(1).sample(passage, len(passage)))
    seconds = []
    for query in (passage, true_text, shuffled):
        best = min(_seconds(meter, query) for _ in range(5))
        seconds.append(best)
    assert max(seconds) < 0.05
    assert meter.fraction(passage) == 1.0 and meter.longest(passage) == len(passage)
    assert meter.fraction(shuffled) == 0.0
    assert 0.0 < meter.fraction(true_text) < 0.1
    baseline = Baseline(meter, held_out)
    assert meter.report(passage, baseline=baseline).held_out.share_as_long == 0.0
    shares = match_shares(baseline.longest_at)
    assert np.all(np.diff(shares) <= 0) and 30 <= len(shares) < 60


def _seconds(meter: CopyMeter, query: str) -> float:
    began = time.process_time()
    meter.spans(query)
    return time.process_time() - began

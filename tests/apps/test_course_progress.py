"""Progress in the course: Leitner's boxes, the file and the address, and what is refused without a loss."""

from __future__ import annotations

import json
from datetime import date, timedelta

import numpy as np
import pytest

from apps.course import progress
from apps.course.marked_files import MAX_BYTES
from apps.course.progress import BOXES, Done, Item, Progress, items, items_of_topics
from apps.lecture.topics import topics
from data_prep.errors import InputError

DAY = date(2026, 11, 29)
NAME = "tensors/rows"


def later(days: int) -> date:
    return DAY + timedelta(days=days)


def random_progress(seed: int, share: float = 0.6) -> Progress:
    random, made = np.random.default_rng(seed), Progress()
    for item in items():
        if random.random() < share:
            done = Done(bool(random.integers(2)), 1, later(int(random.integers(-30, 30))))
            if done.right:
                done = Done(True, int(random.integers(1, 5)), done.day)
            getattr(made, item.kind)[item.name] = done
    return made


def test_a_right_answer_moves_on_when_it_is_due() -> None:
    one, day = Progress(), DAY
    for box in (2, 3, 4, 4):
        one.answered(NAME, 3, True, 0, day)
        done = one.exercises[NAME]
        assert (done.box, done.day, done.due) == (box, day, day + timedelta(days=BOXES[box - 1]))
        one.answered(NAME, 3, True, 0, day)  # again on the same day: nothing moves
        assert one.exercises[NAME].box == box and one.exercises[NAME].day == day
        day = done.due


@pytest.mark.parametrize(("right", "hints"), [(False, 0), (True, 1), (False, 3)])
def test_wrong_or_helped_goes_back_to_the_first_box(right: bool, hints: int) -> None:
    one = Progress()
    one.answered(NAME, 3, True, 0, DAY)
    one.answered(NAME, 4, right, hints, later(5))
    done = one.exercises[NAME]
    assert (done.right, done.box, done.day, done.hints, done.seed, done.tries) == (
        *(right, 1, later(5), hints, 4, 1),
    )


def test_right_after_wrong_on_one_day_is_asked_again_tomorrow() -> None:
    one = Progress()
    for right in (False, False, True):
        one.answered(NAME, 3, right, 0, DAY)
    done = one.exercises[NAME]
    assert (done.right, done.tries, done.due) == (True, 3, later(1))


def test_a_prediction_after_a_right_one_of_the_day_changes_nothing() -> None:
    one = Progress()
    name = items()[0].name
    one.predicted(name, True, DAY)
    one.predicted(name, False, DAY)
    assert one.steps[name].right and one.steps[name].tries == 1
    one.predicted(name, False, later(3))
    assert not one.steps[name].right and one.steps[name].tries == 2


def test_the_most_overdue_comes_first() -> None:
    one = Progress()
    one.answered("tensors/rows", 1, False, 0, later(-1))  # due today
    one.answered("tensors/columns", 1, False, 0, later(-9))  # for 8 days
    one.answered("convolution/layer", 1, True, 0, later(-11))  # also for 8 days, but known better
    one.answered("convolution/cyclic", 1, True, 0, DAY)  # not yet
    assert [(due.item.name, due.days) for due in one.due(DAY)] == [
        *(("tensors/columns", 8), ("convolution/layer", 8), ("tensors/rows", 0)),
    ]
    assert one.next_day() == later(-8)
    assert Progress().next_day() is None and Progress().due(DAY) == []


def test_every_topic_has_steps_or_exercises() -> None:
    assert len(items_of_topics()) == len(topics()) == 46
    assert all(items_of_topics().values())


@pytest.mark.parametrize("seed", range(5))
def test_the_file_gives_back_everything(seed: int) -> None:
    made = random_progress(seed)
    made.exercises["of another edition/gone"] = Done(True, 2, DAY, tries=4, hints=1, seed=8)
    assert Progress.from_file(made.to_file()) == made


@pytest.mark.parametrize("year", [1970, 2200])
def test_a_wrong_clock_loses_no_progress(year: int, monkeypatch: pytest.MonkeyPatch) -> None:
    class Clock(date):
        today = classmethod(lambda cls: date(year, 1, 1))

    monkeypatch.setattr(progress, "date", Clock)
    made = Progress()
    made.predicted(items()[0].name, True, progress.today())
    assert Progress.from_file(made.to_file()) == made
    assert Progress.from_code(made.to_code()).steps.keys() == made.steps.keys()


@pytest.mark.parametrize("seed", range(5))
def test_the_address_gives_back_answers_and_boxes_and_never_a_later_day(seed: int) -> None:
    made = random_progress(seed)
    found = Progress.from_code(made.to_code())
    for item in items():
        one, other = made.done(item), found.done(item)
        assert (one is None) == (other is None)
        if one is not None:
            assert (one.right, one.box) == (other.right, other.box)
            assert other.day <= one.day


def test_the_address_is_short() -> None:
    code = random_progress(1, share=1.0).to_code()
    assert len(code) <= (11 + len(items()) * 2.6 / 8) * 4 / 3 + 4
    assert Progress().to_code() == ""
    assert code.replace("-", "").replace("_", "").isalnum()


def test_merging_takes_the_later_answer_and_loses_nothing() -> None:
    mine, theirs = Progress(), Progress()
    mine.answered("tensors/rows", 1, True, 0, DAY)
    mine.answered("tensors/columns", 1, True, 0, DAY)
    theirs.answered("tensors/rows", 2, False, 0, later(2))
    theirs.answered("tensors/columns", 2, False, 0, later(-2))
    theirs.predicted("tensors/any", True, DAY)
    mine.merge(theirs)
    assert not mine.exercises["tensors/rows"].right
    assert mine.exercises["tensors/columns"].right
    assert mine.steps["tensors/any"].right


def file(**changes: object) -> bytes:
    return json.dumps({"lectern": "progress", "version": 1, "steps": {}, "exercises": {}} | changes).encode()


def done(**changes: object) -> dict[str, object]:
    return {NAME: {"right": True, "box": 2, "day": "2026-11-29"} | changes}


@pytest.mark.parametrize(
    ("data", "problem"),
    [
        (b"", "is damaged"),
        (b"\xff\xfe\x00", "is damaged"),
        (random_progress(1).to_file()[:-50], "is damaged"),
        (b"[" * 100_000, "is damaged"),
        (b"1" * 10_000, "is damaged"),
        (b"[]", "no file of progress"),
        (b'{"steps": {}}', "no file of progress"),
        (file(lectern="answers"), "no file of progress"),
        (file(version=2), "newer"),
        (file(version=10**30), "newer"),
        (file(version="1"), "is damaged"),
        (file(version=0), "is damaged"),
        (file(steps=[]), "is damaged"),
        (file(steps={"x" * 1_000: done()[NAME]}), "is damaged"),
        (file(steps={str(at): done()[NAME] for at in range(3_000)}), "is damaged"),
        (file(exercises=done(box=9)), "is damaged"),
        (file(exercises=done(day="9999-12-31")), "is damaged"),
        (file(exercises=done(day="yesterday")), "is damaged"),
        (file(exercises=done(right="perhaps")), "is damaged"),
        (file(exercises=done(tries=-1)), "is damaged"),
        (file(exercises=done(seed=10**9)), "is damaged"),
        (file(exercises={NAME: None}), "is damaged"),
        (b" " * (MAX_BYTES + 1), "is too large"),
    ],
)
def test_files_that_are_refused(data: bytes, problem: str) -> None:
    with pytest.raises(InputError, match=problem):
        Progress.from_file(data)


@pytest.mark.parametrize("code", ["", "x", "!!!", "AAAA", "A" * 90, "Aa" * 40, "ü", "%", "A" * 5_000])
def test_addresses_that_are_refused(code: str) -> None:
    with pytest.raises(InputError, match="progress in the address"):
        Progress.from_code(code)


def test_a_changed_or_cut_address_is_refused() -> None:
    code = random_progress(3).to_code()
    for at in range(4, len(code) - 1, 7):
        with pytest.raises(InputError, match="progress in the address"):
            Progress.from_code(code[:at] + ("A" if code[at] != "A" else "B") + code[at + 1 :])
    with pytest.raises(InputError, match="progress in the address"):
        Progress.from_code(code[:-8])


def test_an_address_of_another_edition_is_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    code = random_progress(3).to_code()
    monkeypatch.setattr("apps.course.progress.items", lambda: (Item("steps", "another/step"),))
    with pytest.raises(InputError, match="another edition"):
        Progress.from_code(code)

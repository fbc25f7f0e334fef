"""What a visitor has done in the course, what is known of the lecture's topics, and when to look at it again.

Repetition follows Leitner: what was answered wrongly or with help lies in box 1, a right answer at the time when it is
due moves it on by one box, and the boxes are looked at again after 1, 3, 7 and 21 days.

Progress is kept in a file of the visitor's own (names, so that it outlives changes of the course) and, shorter, in an
address: a base-6 digit for each step and exercise (2.6 bits) and, for each box, the day of the oldest in it.
"""

from __future__ import annotations

import base64
import zlib
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field, replace
from datetime import date, timedelta
from functools import cache
from typing import Annotated, Any, NamedTuple

from annotated_types import Ge, Le, MaxLen
from pydantic import TypeAdapter, ValidationError

from apps.course.catalogue import EXERCISES
from apps.course.exercises import MAX_SEED
from apps.course.lessons import lessons
from apps.course.marked_files import read_marked, write_marked
from apps.lecture.topics import topics
from data_prep.errors import InputError

KIND = "progress"
BOXES = (1, 3, 7, 21)  # days after which what lies in a box is due
MAX_ITEMS = 2_000  # of one kind, in a file
MAX_CODE = 2_000  # characters in an address
_CODE_VERSION = 1
_STATES = 2 + len(BOXES)  # nothing, not right yet, right and in box 1, 2, ...
_FIRST_DAY, _LAST_DAY = date(2026, 1, 1), date(2099, 12, 31)


def today() -> date:
    """This day, or the nearest that progress can hold where the clock is wrong."""
    return min(max(date.today(), _FIRST_DAY), _LAST_DAY)


@dataclass(frozen=True)
class Done:
    """What was done with a step or an exercise.

    Attributes:
        right: Whether the last answer was right.
        box: Of Leitner's boxes, from 1.
        day: On which it came into this box, or was looked at again.
        tries: Answers to the question; of an exercise with the numbers of the last seed.
        hints: That were read; of an exercise.
        seed: That drew the numbers of an exercise.
    """

    right: bool
    box: Annotated[int, Ge(1), Le(len(BOXES))]
    day: Annotated[date, Ge(_FIRST_DAY), Le(_LAST_DAY)]
    tries: Annotated[int, Ge(0), Le(1_000_000)] = 1
    hints: Annotated[int, Ge(0), Le(10)] = 0
    seed: Annotated[int, Ge(0), Le(MAX_SEED)] | None = None

    @property
    def due(self) -> date:
        """The day on which to look at it again."""
        return self.day + timedelta(days=BOXES[self.box - 1])

    def answered(self, right: bool, helped: bool, day: date) -> Done:
        """Put it into the next box, if the answer is right, without help, and was due."""
        if not right or helped:
            return replace(self, right=right, box=1, day=day)
        if day < self.due:
            return replace(self, right=True)
        return replace(self, right=True, box=min(self.box + 1, len(BOXES)), day=day)


class Item(NamedTuple):
    """A step or an exercise: its kind, ``"steps"`` or ``"exercises"``, and its name."""

    kind: str
    name: str


class Due(NamedTuple):
    """Something to look at again, and for how many days it has been due."""

    item: Item
    days: int


_ITEMS = TypeAdapter(Annotated[dict[Annotated[str, MaxLen(80)], Done], MaxLen(MAX_ITEMS)])


@dataclass
class Progress:
    """What a visitor has done, by the names of steps and exercises; what the course does not know is kept as well."""

    steps: dict[str, Done] = field(default_factory=dict)
    exercises: dict[str, Done] = field(default_factory=dict)

    def predicted(self, name: str, right: bool, day: date) -> None:
        """Note the prediction of a step; one after a right one on the same day changes nothing."""
        before = self.steps.get(name)
        if before is None:
            self.steps[name] = _new(right, False, day)
        elif not (before.right and before.day == day):
            self.steps[name] = replace(before.answered(right, False, day), tries=before.tries + 1)

    def answered(self, name: str, seed: int, right: bool, hints: int, day: date) -> None:
        """Note an answer to an exercise: its seed, whether it is right, and how many hints were read."""
        before = self.exercises.get(name)
        done = before.answered(right, hints > 0, day) if before else _new(right, hints > 0, day)
        tries = before.tries if before and before.seed == seed else 0
        self.exercises[name] = replace(done, tries=tries + 1, hints=hints, seed=seed)

    def done(self, item: Item) -> Done | None:
        """What was done with a step or an exercise."""
        return getattr(self, item.kind).get(item.name)

    def merge(self, other: Progress) -> None:
        """Take over what another progress knows later, or on the same day further on."""
        for mine, theirs in ((self.steps, other.steps), (self.exercises, other.exercises)):
            for name, done in theirs.items():
                if name not in mine or _later(done) > _later(mine[name]):
                    mine[name] = done

    def due(self, day: date) -> list[Due]:
        """List what is due on a day, the most overdue first, then the lower box, then as in the course."""
        known = [(item, self.done(item)) for item in items()]
        found = [(Due(item, (day - done.due).days), done.box) for item, done in known if done is not None]
        return [due for due, _ in sorted(found, key=lambda one: (-one[0].days, one[1])) if due.days >= 0]

    def next_day(self) -> date | None:
        """The first day on which something is due; None before anything was done."""
        return min((done.due for item in items() if (done := self.done(item))), default=None)

    def to_file(self) -> bytes:
        """Write the file."""
        content = {kind: _ITEMS.dump_python(getattr(self, kind), mode="json") for kind in _KINDS}
        return write_marked(KIND, content)

    @classmethod
    def from_file(cls, data: bytes) -> Progress:
        """Read a file; an InputError says what is wrong with it."""
        found = read_marked(data, KIND)
        try:
            return cls(*(_ITEMS.validate_python(found.get(kind, {})) for kind in _KINDS))
        except ValidationError as error:
            one = error.errors()[0]
            where = " ".join(map(str, one["loc"])) or "its content"
            raise InputError(
                f"The file of {KIND} is damaged", allowed=f"{where}: {one['msg']}", received=one["input"]
            ) from None

    def to_code(self) -> str:
        """Write it for an address; empty where nothing was done."""
        states = [_state(self.done(item)) for item in items()]
        if not any(states):
            return ""
        number = 0
        for state in reversed(states):
            number = number * _STATES + state
        days = [0] * len(BOXES)
        for item in items():
            if (done := self.done(item)) is not None:
                day = (done.day - _FIRST_DAY).days + 1
                days[done.box - 1] = min(days[done.box - 1] or day, day)
        body = b"".join(day.to_bytes(2, "big") for day in days)
        body += number.to_bytes((number.bit_length() + 7) // 8, "big")
        packed = bytes([_CODE_VERSION]) + _checked(body) + body
        return base64.urlsafe_b64encode(packed).decode().rstrip("=")

    @classmethod
    def from_code(cls, code: str) -> Progress:
        """Read what stood in an address; an InputError says what is wrong with it."""
        damaged = InputError(
            "The progress in the address is damaged", allowed="as a page of the course wrote it"
        )
        if len(code) > MAX_CODE:
            raise InputError(
                "The progress in the address is too long", allowed=f"{MAX_CODE:,} characters", received=code
            )
        try:
            packed = base64.b64decode(code + "=" * (-len(code) % 4), altchars=b"-_", validate=True)
        except ValueError:
            raise damaged from None
        body = packed[3:]
        if packed[:1] != bytes([_CODE_VERSION]) or packed[1:3] != _checked(body):
            raise InputError(
                "The progress in the address is of another edition of the course, or damaged",
                remedy="Take your progress along as a file",
            )
        days = [int.from_bytes(body[2 * at : 2 * at + 2], "big") for at in range(len(BOXES))]
        number = int.from_bytes(body[2 * len(BOXES) :], "big")
        found = cls()
        for item in items():
            number, state = divmod(number, _STATES)
            if state:
                box = max(state - 1, 1)
                if not 1 <= days[box - 1] <= (_LAST_DAY - _FIRST_DAY).days + 1:
                    raise damaged
                day = _FIRST_DAY + timedelta(days=days[box - 1] - 1)
                getattr(found, item.kind)[item.name] = Done(state > 1, box, day, tries=0)
        if number:
            raise damaged
        return found


_KINDS = ("steps", "exercises")


@cache
def items() -> tuple[Item, ...]:
    """List every step and every exercise of the course, in order."""
    return tuple(_items())


def _items() -> Iterator[Item]:
    for key, lesson in lessons().items():
        yield from (Item("steps", name) for name in lesson.steps)
        yield from (Item("exercises", one.name) for one in EXERCISES[key].values())


@cache
def items_of_topics() -> Mapping[str, tuple[Item, ...]]:
    """List the steps and exercises that belong to each topic of the lecture, by its title."""
    steps = [step for lesson in lessons().values() for step in lesson.steps.values()]
    exercises = [one for lesson in EXERCISES.values() for one in lesson.values()]
    found = [(Item("steps", step.name), step.topics) for step in steps]
    found += [(Item("exercises", one.name), one.topics) for one in exercises]
    return {topic.title: tuple(item for item, own in found if topic.title in own) for topic in topics()}


def _checked(body: bytes) -> bytes:
    """Two bytes that change with what is written, and with the list of steps and exercises on which it rests."""
    return zlib.crc32(body, zlib.crc32(repr(items()).encode())).to_bytes(4, "big")[:2]


def _new(right: bool, helped: bool, day: date) -> Done:
    return Done(right, 2 if right and not helped else 1, day)


def _state(done: Done | None) -> int:
    return 0 if done is None else 1 if not done.right else 1 + done.box


def _later(done: Done) -> tuple[Any, ...]:
    return done.day, done.right, done.box, done.tries

"""Lessons of recurrent networks and generation: what each step says is what its exhibit shows."""

from __future__ import annotations

import math
from collections.abc import Callable
from typing import Any

import numpy as np
import pytest

from apps.course.lessons import Step, lessons
from apps.course.opened import writer
from apps.writer.explain import following_units, gate_view
from apps.writer.quiz import question
from apps.writer.reports import LADDER
from tests.apps.lesson_exhibits import CLEAR, contracted, curves, first, read, rungs, shows, unnamed, unrolled

KEYS = ("recurrent", "generation")
STEPS = {name: step for key in KEYS for name, step in lessons()[key].steps.items()}


def state(step: Step) -> tuple[str]:
    prompt, alone = step.exhibit.values["unrolled"], step.before.values["unrolled"]
    assert prompt[-1] == alone
    read_last = unrolled(step.exhibit.values)[len(prompt) - 1]
    assert read_last.output_probability > CLEAR
    assert unrolled(step.before.values)[0].output != read_last.output
    return (read_last.output,)


def gradient(cell: str, back: int) -> float:
    lengths = read(LADDER).found.numbers(f"gradients.{cell}.sums")
    return lengths[-1 - back] / lengths[-1]


def vanishing(step: Step) -> str:
    assert (
        0.15 < gradient("rnn", 5) < 0.25 and gradient("rnn", 60) < 2e-6
    )  # as the answers to predictions say
    nearest = {"half": 1 / 2, "little": 1 / 200, "nothing": 1e-7}
    return min(nearest, key=lambda name: abs(math.log(nearest[name] / gradient("rnn", 20))))


def clipping(step: Step) -> str:
    clipped, free = (np.array(values) for values in curves(step.exhibit.values).values())
    assert free[-1] > clipped[-1] + 0.1
    assert np.diff(free).max() < 0.1  # it never jumps
    return "above"


def remember(step: Step) -> str:
    found = curves(step.exhibit.values)
    assert set(found["GRU"][-3:]) == {1.0} and min(found["LSTM"][-3:]) < 0.9
    return "learns" if set(found["simple network"][-3:]) == {1.0} else "half"


def cells(step: Step) -> str:
    values = step.exhibit.values
    view = gate_view(writer(), values["text"])
    best = abs(following_units(view, values["follow"], values["gate"])[0].correlation)
    nearest = {"loose": 0.3, "middle": 0.6, "close": 0.9}
    return min(nearest, key=lambda name: abs(nearest[name] - best))


def reach(step: Step) -> str:
    found = {cell: gradient(cell, 60) for cell in step.question.kind.options}
    assert sorted(found, key=found.get) == ["rnn", "gru", "lstm", "mgu"]
    assert found["mgu"] > 10 * found["lstm"] and gradient("rnn", 10) > gradient("gru", 10)
    return first(found)


def ladder_cells(step: Step) -> str:
    rows = rungs()
    loss = {cell: rows[cell]["nats_per_character"] for cell in step.question.kind.options}
    assert sorted(loss, key=loss.get) == ["gru", "lstm", "rnn", "mgu"]
    assert loss["mgu"] - loss["rnn"] < rows["mgu"]["standard_error"]
    units = {cell: str(rows[cell]["units"]) for cell in loss}
    assert all(number in step.text for number in units.values())
    return first(loss)


def target(step: Step) -> tuple[str]:
    return (next(one.target for one in unrolled(step.exhibit.values) if one.given == "l"),)


def surprise(step: Step) -> str:
    bits = {
        when: writer().score(exhibit.values["text"]).totals()["bits_per_character"]
        for when, exhibit in (("before", step.before), ("after", step.exhibit))
    }
    assert bits["before"] == pytest.approx(2.3, abs=0.05)  # as the text says
    nearest = {"two": 2, "four": 4, "seven": 7}
    return min(nearest, key=lambda name: abs(nearest[name] - bits["after"]))


def feedback(step: Step) -> tuple[str, ...]:
    own = [one for one in unrolled(step.exhibit.values) if not one.prompted]
    assert own[0].output_probability > CLEAR
    return tuple(one.given.casefold() for one in own[:2])


def die(step: Step) -> str:
    values = step.exhibit.values
    prompt = values["prompt"]
    assert values["chosen letter"] == len(prompt)  # what comes first after the prompt
    found = writer().next_tokens(prompt, values["temperature"], None, None, "refuse")
    blank = found.tokens[0]
    assert blank.token == " " and 0.2 < blank.probability < 0.3
    assert found.sampling_bits < 0.6 * found.bits
    nearest = {"less": 0.15, "same": blank.probability, "half": 0.5, "always": 1.0}
    return min(nearest, key=lambda name: abs(nearest[name] - blank.sampling_probability))


def ladder(step: Step) -> str:
    bits = {name: row["nats_per_character"] / math.log(2) for name, row in rungs().items()}
    assert bits["bigram"] < 4 < bits["unigram"] and bits["uniform"] == pytest.approx(6, abs=0.1)
    falls = -np.diff([bits[name] for name in ("unigram", "bigram", "five_gram", "rnn", "lstm", "shipped")])
    assert falls[:2].min() > 2 * falls[2:].max()
    nearest = {"half": 0.5, "two": 2.0, "four": 4.0}
    return min(nearest, key=lambda name: abs(nearest[name] - bits["shipped"]))


def quiz(step: Step) -> str:
    found = question(writer(), step.exhibit.values["quiz seed"])
    assert "Hark! therefore" in found.text and found.longest == 13 < found.usual
    assert step.exhibit.values["quiz answer"] == found.kind
    return {"sample": "sample", "held-out": "held", "training": "training"}[found.kind]


def true_text(step: Step) -> str:
    text = step.exhibit.values["compare"]
    assert text in writer().learned.held_out
    longest = writer().copies(text, step.exhibit.values["k"]).longest
    assert longest == 17  # as the reveal says
    return "none" if longest <= 5 else "phrase" if longest <= 30 else "lines"


def copied(step: Step) -> str:
    text, k = step.exhibit.values["compare"], step.exhibit.values["k"]
    prompt = "Enter KING RICHARD"
    written = writer().generate_batch(prompt, 1, length=len(text) - len(prompt), temperature=0.0)[0].text
    assert prompt + written == text
    assert not writer().copies(step.before.values["compare"], k).spans
    (span,) = writer().copies(text, k).spans
    assert span.source.play == "Richard III"
    return {30: "thirty", len(text): "all"}[span.length]


PROOFS: dict[str, Callable[[Step], Any]] = {
    "recurrent/unrolled": lambda step: float(len(unrolled(step.exhibit.values))),
    "recurrent/by-hand": lambda step: contracted(step.exhibit.values),
    "recurrent/state": state,
    "recurrent/vanishing": vanishing,
    "recurrent/clipping": clipping,
    "recurrent/remember": remember,
    "recurrent/gate": lambda step: contracted(step.exhibit.values),
    "recurrent/cells": cells,
    "recurrent/reach": reach,
    "recurrent/ladder": ladder_cells,
    "generation/targets": target,
    "generation/surprise": surprise,
    "generation/feedback": feedback,
    "generation/die": die,
    "generation/ladder": ladder,
    "generation/quiz": quiz,
    "generation/true-text": true_text,
    "generation/copied": copied,
}
WITH_TRAINING_TEXT = {"generation/quiz", "generation/true-text", "generation/copied"}


def test_every_step_has_a_proof() -> None:
    assert list(PROOFS) == list(STEPS)


@pytest.mark.parametrize(
    "name",
    [pytest.param(name, marks=[pytest.mark.realdata] * (name in WITH_TRAINING_TEXT)) for name in PROOFS],
)
def test_the_exhibit_shows_what_is_claimed(name: str) -> None:
    shown = PROOFS[name](STEPS[name])
    assert shows(STEPS[name], shown), shown


@pytest.mark.parametrize("name", STEPS)
def test_values_are_named_as_the_page_names_its_widgets(name: str) -> None:
    assert not unnamed(STEPS[name])

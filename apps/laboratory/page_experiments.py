"""Section "Experiments": pairs of trainings from the lecture, recorded, and one click to train them for real."""

from __future__ import annotations

import importlib
from collections.abc import Callable, Mapping
from typing import Any

import streamlit as st

from apps.laboratory.curves import Curve, Story
from apps.laboratory.experiments import Experiment, RecordedRun, experiments, recorded
from apps.laboratory.lines import quantity
from apps.laboratory.page_curves import choose_stage, of_stage, show_curves
from apps.laboratory.runs import submit
from apps.laboratory.worker import ensure_workers
from apps.shared.language import _
from apps.shared.page import named_choice, plain
from apps.shared.page_moves import go_to_section
from data_prep.errors import InputError

_SECONDS_A_FRAME = 1.0
_ACROSS = 3  # pictures side by side
_FAILED = "experiment failed"  # key of the message of a start that failed
Show = Callable[[Mapping[str, Any], str], None]


def show() -> None:
    """Draw the section."""
    there = experiments()
    key = named_choice(_("Experiment"), {key: _(one.title) for key, one in there.items()}, "experiment")
    experiment, runs = there[key], recorded(key)
    st.markdown(_("**What to look for.** {look_for}", look_for=_(experiment.look_for)))
    with st.container(horizontal=True, gap="small"):
        title = _("Train all {n} here", n=len(experiment.runs))
        st.button(title, type="primary", icon=":material/play_arrow:", on_click=_start, args=(experiment,))
        if runs:
            keys = [run.key for run in runs.values()]
            st.button(_("Compare the recorded runs"), on_click=_compare, args=(experiment, keys))
    if message := st.session_state.pop(_FAILED, None):
        st.error(plain(message), icon=":material/error:")
    if not runs:
        st.info(
            _(
                "Not recorded in this checkout yet. Record it: `python -m benchmarks.experiments {key}`",
                key=key,
            )
        )
        return
    stories = {label: run.stories() for label, run in runs.items()}
    stages = of_stage(stories, choose_stage(stories))
    whole = st.toggle(_("All curves"), key="all", bind="query-params")
    main = quantity(experiment.curve[1])
    show_curves(stages, f"experiment {key}", axis=experiment.axis, only=() if whole else (main,))
    if experiment.outcome:
        st.markdown(_("**What was measured.** {outcome}", outcome=_(experiment.outcome)))
    seconds = ", ".join(f"{label}: {story.seconds:.0f} s" for label, story in stages.items())
    processor = next(iter(runs.values())).content["processor"]
    st.caption(
        _(
            "Recorded runs, trained on {processor} one after the other ({seconds}).",
            processor=processor,
            seconds=seconds,
        )
    )
    _player(experiment, runs, stages)


def _start(experiment: Experiment) -> None:
    """Order all runs of an experiment and go to where they are compared."""
    try:
        keys = [submit(order).key for order in experiment.runs.values()]
        ensure_workers()
    except InputError as error:
        st.session_state[_FAILED] = str(error)
        return
    _compare(experiment, keys)


def _compare(experiment: Experiment, keys: list[str]) -> None:
    measure = " ".join(experiment.curve)
    go_to_section("Compare")
    st.session_state.update({"runs": keys, "over": experiment.axis, "measure": measure})


def shows_pictures(task: str) -> Show | None:
    """Return what draws the pictures of a task; None where it has none."""
    try:
        return importlib.import_module(f"apps.{task}.page_watch").show
    except ModuleNotFoundError as error:
        if error.name != f"apps.{task}.page_watch":
            raise
        return None


def _player(experiment: Experiment, runs: Mapping[str, RecordedRun], stages: Mapping[str, Story]) -> None:
    """Draw the pictures of all runs side by side, at a place that a slider chooses or that moves by itself."""
    places = {label: _places(runs[label], story, experiment) for label, story in stages.items()}
    frames = sorted({place for found in places.values() for place in found.values()})
    draw = shows_pictures(next(iter(experiment.runs.values())).task)
    if len(frames) < 2 or draw is None:
        return
    st.subheader(_("What the networks show"), anchor=False)
    playing = st.toggle(_("Play"), key=f"play {experiment.key}")

    def frame() -> None:
        key = f"frame {experiment.key}"
        last = st.session_state.get(key, len(frames) - 1)
        st.session_state[key] = (last + playing) % len(frames)
        at = st.select_slider(
            _("After so many {axis}", axis=_(experiment.axis)),
            range(len(frames)),
            key=key,
            format_func=lambda at: f"{frames[at]:,.4g}",
        )
        for first in range(0, len(places), _ACROSS):
            part = list(places.items())[first : first + _ACROSS]
            for cell, (label, found) in zip(st.columns(min(_ACROSS, len(places))), part, strict=False):
                with cell:
                    _one(runs[label], label, found, frames[at], experiment, draw)

    st.fragment(frame, run_every=_SECONDS_A_FRAME if playing else None)()


def _places(run: RecordedRun, story: Story, experiment: Experiment) -> dict[int, float]:
    """Return where on the experiment's axis the pictures of a stage are: steps to place."""
    seen = [one for one in run.content["pictures"] if one["stage"] == story.stage]
    steps = [one["steps_done"] for one in seen]
    curve = Curve("", "watch", steps, [one["seconds"] for one in seen], [0.0] * len(seen))
    axis = story.axis(curve, experiment.axis)
    return {step: place for step, place in zip(steps, axis, strict=True) if place is not None}


def _one(
    run: RecordedRun, label: str, places: Mapping[int, float], now: float, experiment: Experiment, draw: Show
) -> None:
    """Draw the last picture of a run up to now."""
    steps = max((step for step, place in places.items() if place <= now), default=min(places, default=None))
    st.markdown(f"**{label}**")
    if steps is None:
        st.caption(_("It has no pictures."))
        return
    st.caption(_("after {steps:,} steps", steps=steps))
    draw(run.picture(steps)["picture"], f"{experiment.key} {label}")

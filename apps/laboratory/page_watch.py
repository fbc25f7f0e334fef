"""Section "Watch": a run while it trains, what a person asks of it, and the queue."""

from __future__ import annotations

import importlib
import importlib.util
from collections.abc import Callable
from html import escape
from pathlib import Path
from urllib.parse import quote

import streamlit as st

from apps.laboratory import worker
from apps.laboratory.compare import AnyRun
from apps.laboratory.curves import Story
from apps.laboratory.experiments import all_recorded
from apps.laboratory.offers import remove_uploads
from apps.laboratory.page_curves import choose_axis, choose_stage, of_stage, show_curves, show_norms
from apps.laboratory.page_queue import badge, queue, title_of
from apps.laboratory.runs import GOING, LabRun, State, find_runs
from apps.shared import charts
from apps.shared.language import _
from apps.shared.page import input_errors, plain
from data_prep.errors import InputError

_EVERY_SECONDS, _FIRST_SECONDS, _QUEUE_SECONDS = 1.0, 0.3, 3.0
_WITHOUT_WORKER: tuple[State, ...] = ("waiting", "interrupted", "keeping")
_STEERED: tuple[State, ...] = ("training", "paused", "interrupted")
_WATCHED = "watched run"
_KEPT_AT, _REFUSED = "laboratory picture", "laboratory refused"


def show() -> None:
    """Draw the section."""
    runs = {run.key: run for run in find_runs()}
    wanted = st.query_params.get("run")
    if wanted and wanted not in runs:
        st.error(
            _(
                "The run {wanted} is not there: it was discarded, or its folder was removed.",
                wanted=plain(wanted),
            )
        )
    if not runs:
        _example()
        return
    key = wanted if wanted in runs else next(iter(runs))
    st.query_params["run"] = st.session_state[_WATCHED] = key
    st.selectbox(
        _("Run"), tuple(runs), format_func=lambda key: f"{title_of(runs[key])} ({key})", key=_WATCHED,
        on_change=_chosen, label_visibility="collapsed",
    )  # fmt: skip
    run = runs[key]
    state = run.state
    if (message := st.session_state.pop(_REFUSED, None)) is not None:
        st.error(plain(message), icon=":material/error:")
    with input_errors():
        _buttons(run, state)
    st.fragment(_follow, run_every=_pace(run, state))(run.folder, state, _pace(run, state))
    # Outside of what is drawn anew every second, where a press could be lost.
    if run.ordered and state not in ("kept", "keeping", "waiting"):
        _keep(run, _("Stop and keep") if state in _STEERED else _("Keep"))
    going = any(one.state in GOING for one in runs.values())
    st.fragment(queue, run_every=_QUEUE_SECONDS if going else None)()


def _example() -> None:
    """Show a recorded run where there is none that could be watched."""
    st.info(
        _("No run is there yet: begin one in the section “Train a network”. This one was recorded before.")
    )
    run = next(iter(all_recorded()), None)
    if run is not None:
        st.markdown(f"**{plain(title_of(run))}**")
        stories = {title_of(run): run.stories()}
        _look(run, of_stage(stories, choose_stage(stories))[title_of(run)])


def _pace(run: LabRun, state: State) -> float | None:
    """Return the seconds between two looks at a run, None for no more looks."""
    if state not in GOING:
        return None
    return _EVERY_SECONDS if run.events.is_file() else _FIRST_SECONDS


def _chosen() -> None:
    st.query_params["run"] = st.session_state[_WATCHED]


def _follow(folder: Path, before: State, every: float | None) -> None:
    """Draw a run as it is now; where its state has changed, or its pace, the whole page once more."""
    run = LabRun(folder)
    if not folder.is_dir():
        st.error(_("The folder of the run {key} was removed: its training ends.", key=plain(run.key)))
        return
    state = run.state
    if (state, _pace(run, state)) != (before, every):
        st.rerun()
    with input_errors():
        if state in _WITHOUT_WORKER:
            worker.ensure_workers()
        _head(run, state)
    stories = []
    with input_errors():
        stories = run.stories()
    if not stories and state in GOING:
        waits = state == "waiting"
        st.caption(
            _("It waits for its turn …") if waits else _("The data are read and the network is built …")
        )
        # The browser loads what draws charts while the network is made.
        empty = charts.figure(x_title=_("steps"), y_title=_("loss"), height=300)
        empty.update_xaxes(showticklabels=False)
        empty.update_yaxes(showticklabels=False)
        charts.show(empty, f"first {run.key}", _("No point yet"))
    story = _begun(title_of(run), stories, state) if stories else None
    if story is not None:
        with input_errors():
            _look(run, story)


def _head(run: LabRun, state: State) -> None:
    """Say what is going on."""
    st.markdown(f"{badge(run)} `{run.key}`")
    task, status = run.order.task, run.status
    if state == "failed":
        st.error(plain(status.get("message") or _("It failed")), icon=":material/error:")
    if state == "kept":
        name = status.get("preset", "")
        link = f'<a href="{escape(task)}?preset={quote(name)}" target="_self">{escape(name)}</a>'
        text = _(
            "It is the preset {link} now: in the chooser of its page, and in <code>python -m apps presets</code>.",
            link=link,
        )
        st.html(text)


def _look(run: AnyRun, story: Story) -> None:
    """Draw the curves of a stage, and what its network shows."""
    axis, key = choose_axis(), f"watch {run.key}"
    show_curves({title_of(run): story}, key, axis=axis)
    with st.expander(_("Norms of the gradients, layer by layer")):
        show_norms(story, key, axis=axis)
    _picture(run)


def _begun(label: str, stories: list[Story], state: State) -> Story:
    """Say how far a stage is; return it."""
    story = of_stage({label: stories}, choose_stage({label: stories}))[label]
    every = f" / {story.steps_per_epoch * story.epochs:,}" if story.steps_per_epoch else ""
    said = [
        _("step {n:,}{every}", n=story.steps_done, every=every),
        _("epoch {epoch} of {epochs}", epoch=story.epoch, epochs=story.epochs),
    ]
    if state == "training":
        said += [_("{rate:.3g} steps/s", rate=story.rate)] if story.rate else []
        left = story.seconds_left
        said += [] if left is None else [_("{seconds:.0f} s left", seconds=left)]
    said.append(_("{seconds:.0f} s trained", seconds=story.seconds))
    if (rate := story.curves.get(("training", "learning_rate"))) and rate.values:
        said.append(_("learning rate {rate:.3g}", rate=rate.values[-1]))
    said.append(_("{parameters:,} parameters", parameters=story.parameters))
    if story.stopped:
        said.append(_("stopped {why}", why=story.stopped))
    st.progress(story.share, plain(" · ".join(said)))
    return story


def _picture(run: AnyRun) -> None:
    """Draw what the network showed, at last or at an earlier step, as the task's application draws it."""
    task = run.order.task
    if not task or importlib.util.find_spec(f"apps.{task}.page_watch") is None:
        return
    steps = run.picture_steps()
    if not steps:
        return
    at = steps[-1]
    if len(steps) > 1:
        with st.container(horizontal=True, vertical_alignment="center"):
            if not st.toggle(_("Newest picture"), True, key=f"newest {run.key}"):
                before = st.session_state.get(_KEPT_AT, at)
                at = min(steps, key=lambda one: abs(one - before))
                at = st.select_slider(_("Picture after so many steps"), steps, at, key=f"at {run.key}")
                st.session_state[_KEPT_AT] = at
    try:
        seen = run.picture(at)
    except (OSError, ValueError):  # the folder was removed meanwhile
        return
    st.caption(_("The network after {at:,} steps", at=at))
    importlib.import_module(f"apps.{task}.page_watch").show(seen["picture"], f"picture {run.key}")


def _buttons(run: LabRun, state: State) -> None:
    """Draw what can be asked of a run."""
    if not run.ordered:
        st.caption(_("It was begun on the command line, by `fit`: it is looked at here, and steered there."))
        return
    with st.container(horizontal=True, vertical_alignment="bottom"):
        # What stays comes first: a button that moves while it is pressed is not pressed.
        if state in _STEERED:
            _button(run, _("Stop training"), "stop", run.stop)
        if state == "training":
            _button(run, _("Pause"), "pause", run.pause)
        if state == "paused":
            _button(run, _("Go on"), "play_arrow", run.go_on)
        if state == "failed":
            _button(run, _("Try again"), "replay", run.go_on)
        with st.popover(_("Discard"), icon=":material/delete:"):
            st.caption(_("The run and its files are removed; a preset that was made of it stays."))
            _button(run, _("Discard it"), "delete_forever", lambda: _discard(run))


def _discard(run: LabRun) -> None:
    run.remove()
    remove_uploads()
    st.query_params.pop("run", None)


def _button(run: LabRun, label: str, icon: str, action: Callable[[], None]) -> None:
    """Draw a button that asks something of the run."""

    def act() -> None:
        try:
            action()
        except (InputError, OSError) as error:
            st.session_state[_REFUSED] = str(error)

    st.button(label, icon=f":material/{icon}:", key=f"{label} {run.key}", on_click=act)


def _keep(run: LabRun, label: str) -> None:
    """Let the visitor make a preset of what is trained."""
    with st.form(f"keep {run.key}", border=False), st.container(horizontal=True, vertical_alignment="bottom"):
        name = st.text_input(_("Keep as a preset named"), key=f"name {run.key}", max_chars=60, width=280)
        pressed = st.form_submit_button(label, icon=":material/save:")
    if pressed:
        with input_errors():
            run.keep(name.strip())
            st.rerun()

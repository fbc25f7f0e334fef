"""Section "Compare": any runs laid over one another, what they differ in, what they reached, and all of it as files."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from functools import partial
from typing import Any

import streamlit as st

from apps.laboratory.compare import (
    AnyRun,
    Compared,
    Measure,
    comparable,
    compared,
    curves_csv,
    differences,
    folder,
    measures,
    reached,
    seeds_together,
    title_of,
)
from apps.laboratory.curves import Axis, Curve, Story
from apps.laboratory.experiments import experiments, recorded
from apps.laboratory.lines import HOW, how_measured, quantity
from apps.laboratory.page_curves import choose_axis, choose_stage, of_stage, show_curves
from apps.laboratory.runs import GOING
from apps.laboratory.worker import ensure_workers
from apps.shared.language import N_, _
from apps.shared.page import input_errors, named_choice

_MOST_RUNS = 16
_SECONDS = 2.0  # between two looks at runs that go on


def show() -> None:
    """Draw the section."""
    there = comparable()
    names = {key: f"{title_of(run)} ({_('recorded') if ':' in key else key})" for key, run in there.items()}
    place = _("Runs of this laboratory, trainings of the command line, recorded experiments")
    chosen = named_choice(_("Runs"), names, "runs", many=True, max_selections=_MOST_RUNS, placeholder=place)
    if not chosen:
        st.info(
            _(
                "Choose two or more runs. What you choose stands in the address: a link opens the same "
                "comparison. Until then these are the recorded ones of an experiment."
            )
        )
        chosen = [run.key for run in recorded(next(iter(experiments()))).values()]
        if not chosen:
            return
    runs = {key: there[key] for key in chosen}
    with input_errors():
        found = compared(runs)
        with st.container(horizontal=True, vertical_alignment="bottom"):
            axis = choose_axis()
            stage = choose_stage(_stories(found))
            measure = _choose_measure(of_stage(_stories(found), stage))
        going = any(one.state in GOING for one in found.values())
        # While runs go on they are read anew now and then; the choosers above stay as they are.
        known = _known(found) if going else None
        st.fragment(_draw, run_every=_SECONDS if going else None)(runs, known, axis, stage, measure)
        _downloads(found)


def _choose_measure(stage: Mapping[str, Story]) -> Measure | None:
    there = {" ".join(measure): measure for measure in measures(list(stage.values()))}
    if not there:
        return None
    names = {key: _text(measure) for key, measure in there.items()}
    return there[named_choice(_("Best and last of"), names, "measure", width=300)]


def _text(measure: Measure) -> str:
    source, name = measure
    return f"{_(quantity(name))}, {_(HOW[how_measured(Curve(name, source))])}"


def _stories(found: Mapping[str, Compared]) -> dict[str, Sequence[Story]]:
    return {label: one.stories for label, one in found.items()}


def _known(found: Mapping[str, Compared]) -> tuple[Any, ...]:
    """Return what the choosers depend on: which runs go on, stages, and whether there is anything to measure."""
    going = tuple(label for label, one in found.items() if one.state in GOING)
    stages = [story for one in found.values() for story in one.stories]
    return going, {story.stage for story in stages}, bool(measures(stages))


def _draw(runs: Mapping[str, AnyRun], known: Any, axis: Axis, name: str, measure: Measure | None) -> None:
    """Draw curves and tables; the whole page anew when the choosers have become old."""
    found = compared(runs)
    if known is not None:
        ensure_workers()  # one that was killed is taken up again
        if _known(found) != known:
            st.rerun()
    stage = of_stage(_stories(found), name)
    together = {
        label: members
        for label, members in seeds_together(found).items()
        if all(one in stage for one in members)
    }
    show_curves(stage, "compare", axis=axis, together=together)
    st.subheader(_("What they reached"), anchor=False)
    thousands = {
        _(one): st.column_config.NumberColumn(format="localized")
        for one in (N_("parameters"), N_("steps"), N_("after steps"))
    }
    rows = _reached_rows(found, stage, together, measure)
    st.dataframe(rows, hide_index=True, placeholder="–", column_config=thousands)
    if together:
        st.caption(_("±: standard error of the mean of runs that differ in the seed alone."))
    st.subheader(_("Settings in which they differ"), anchor=False)
    if len(found) < 2:
        st.caption(_("One run alone differs in nothing."))
    elif told := differences(found):
        st.dataframe([{_("setting"): key, **values} for key, values in told.items()], hide_index=True)
    else:
        st.caption(_("None: they were trained in the same way."))


def _reached_rows(
    found: Mapping[str, Compared],
    stage: Mapping[str, Story],
    together: Mapping[str, list[str]],
    measure: Measure | None,
) -> list[dict[str, Any]]:
    """Return a row for each run, and one for the mean of those that differ in the seed alone."""
    name = "" if measure is None else _text(measure)
    rows = []
    for label, members in {**{label: [label] for label in found}, **together}.items():
        stories = [stage[one] for one in members if one in stage]
        result = None if measure is None else reached(stories, measure)
        row: dict[str, Any] = {
            _("run"): label,
            _("state"): _(found[label].state if label in found else N_("mean")),
        }
        row |= {
            _("parameters"): stories[0].parameters if stories else None,
            _("steps"): stories[0].steps_done if len(stories) == 1 else None,
            _("seconds"): round(sum(story.seconds for story in stories) / len(stories), 1)
            if stories
            else None,
        }
        if result is not None:
            row |= {
                _("best {name}", name=name): _rounded(result.best),
                _("after steps"): result.step,
                _("last {name}", name=name): _rounded(result.last),
            }
            if result.n > 1:
                row |= {_("± best"): _rounded(result.best_error), _("± last"): _rounded(result.last_error)}
        rows.append(row)
    return rows


def _rounded(value: float | None) -> float | None:
    return None if value is None else float(f"{value:.5g}")


def _downloads(found: Mapping[str, Compared]) -> None:
    with st.container(horizontal=True, gap="small"):
        looks = {"on_click": "ignore", "icon": ":material/download:"}
        st.download_button(_("Curves as CSV"), partial(curves_csv, found), "curves.csv", "text/csv", **looks)
        st.download_button(
            _("All as a folder (zip)"), partial(folder, found), "comparison.zip", "application/zip", **looks
        )

"""What all pages share: loaded models, messages for wrong input, and a limit on heavy work."""

from __future__ import annotations

import functools
import importlib
import re
from collections.abc import Callable, Collection, Iterator, Mapping, Sequence
from contextlib import contextmanager
from copy import copy
from dataclasses import dataclass
from html import escape
from pathlib import Path
from threading import BoundedSemaphore, Thread
from typing import Any

import streamlit as st

from apps.shared.language import _
from apps.shared.page_language import keep_language
from apps.shared.page_moves import SECTION, page_begins, page_drawn, section_chosen, stay_where_moved
from apps.shared.page_turns import turn
from data_prep.errors import InputError
from data_prep.files import toml_beside
from models.presets.manifest import MANIFEST
from models.presets.search import FoundPreset, find_presets, resolve_preset

_said = functools.cache(toml_beside)  # read once, not at every click
_HEAVY_AT_ONCE = 2  # a map by t-SNE keeps a core busy for seconds; more visitors wait in line


@functools.cache
def _page(view: str, **looks: Any) -> st.Page:
    return st.Page(view, **looks)


def page_at(view: str, **looks: Any) -> st.Page:
    """Make a page of the navigation, as Streamlit does, which looks for its file at every click."""
    return copy(_page(view, **looks))  # a run marks those that it can draw


@st.cache_resource(show_spinner=False)
def heavy_work() -> BoundedSemaphore:
    """Give the gate that heavy work goes through, in a ``with`` statement; all visitors share it."""
    return BoundedSemaphore(_HEAVY_AT_ONCE)


def one_of(
    label: str,
    choices: Sequence[str],
    key: str,
    *,
    place: Any = st,
    first: str | None = None,
    named: bool = False,
    **more: Any,
) -> str:
    """Let the visitor choose one of a few by buttons in a row; the choice stands in the page's address.

    Args:
        label: Of the choice.
        choices: What there is; each is shown in the visitor's language.
        key: Of the widget, and its query parameter.
        place: Where it stands.
        first: What is chosen at the beginning; the first of them if nothing is said.
        named: Whether the label is seen, or for screen readers only.
        **more: As Streamlit takes it.

    Returns:
        The choice.
    """
    first = choices[0] if first is None else first
    st.session_state[key] = next(iter(_chosen_before(key, choices)), first)
    chosen = place.segmented_control(
        label,
        choices,
        required=True,
        key=key,
        label_visibility="visible" if named else "collapsed",
        **{"format_func": _, **more},
    )
    _into_address(key, None if chosen == first else chosen)
    return chosen


def _chosen_before(key: str, choices: Collection[str]) -> list[str]:
    """What is chosen so far: by the address where somebody has opened another one, else by the widget."""
    chosen: Any = st.query_params.get_all(key)
    if key in st.session_state and chosen == st.session_state.get(f"address of {key}", []):
        chosen = st.session_state[key]
    return [one for one in (chosen if isinstance(chosen, list) else [chosen]) if one in choices]


def _into_address(key: str, chosen: Any) -> None:
    """Put what is chosen into the page's address; Streamlit's own binding would put there what is shown."""
    if chosen:
        st.query_params[key] = chosen
    else:
        st.query_params.pop(key, None)
    st.session_state[f"address of {key}"] = st.query_params.get_all(key)


def named_choice(label: str, names: Mapping[str, str], key: str, *, many: bool = False, **more: Any) -> Any:
    """Let the visitor choose by names; the keys of what is chosen stand in the page's address.

    Args:
        label: Of the choice.
        names: What there is by key, in its order.
        key: Of the widget, and its query parameter.
        many: Whether several can be chosen.
        **more: As Streamlit takes it.

    Returns:
        The key, or a list of keys.
    """
    there = _chosen_before(key, names)[: more.get("max_selections")]
    if many or there:
        st.session_state[key] = there if many else there[0]
    else:
        st.session_state.pop(key, None)
    box = st.multiselect if many else st.selectbox
    chosen = box(label, list(names), key=key, format_func=lambda one: names[one], **more)
    _into_address(key, chosen)
    return chosen


def text_box(
    place: Any, label: str, value: str, key: str, most: int, *, lines: bool = False, **more: Any
) -> str:
    """Draw a box of at most ``most`` characters, one or several lines, whose text stands in the page's address."""
    box = place.text_area if lines else place.text_input
    return box(label, value, key=key, bind="query-params", max_chars=most, **more) or ""


def number_box(place: Any, label: str, bounds: tuple[int, int], value: int, key: str, **more: Any) -> int:
    """Draw a box with a whole number, which stands in the page's address."""
    return int(place.number_input(label, *bounds, value, key=key, bind="query-params", **more))


def example_buttons(examples: Mapping[str, Mapping[str, Any]], kind: str = "take") -> None:
    """Draw a button for each example, by its title, that sets widgets by their keys, and so the page's address."""
    with st.container(horizontal=True, gap="xsmall"):
        for title, values in examples.items():
            st.button(_(title), on_click=st.session_state.update, args=(values,), key=f"{kind} {title}")


def plain(text: str) -> str:
    """Write a text so that Markdown shows it as it is: every character that it could read as a sign is escaped."""
    return re.sub(r"([\\`*_{}\[\]()#+\-.!|<>~$:^=])", r"\\\1", text)


@contextmanager
def input_errors() -> Iterator[None]:
    """Show wrong input as one message and go on with the rest of the page."""
    try:
        yield
    except InputError as error:
        st.error(plain(str(error)), icon=":material/error:")


@dataclass(frozen=True)
class PresetChoice:
    """Which presets a section can show, and how they are opened.

    Args:
        kind: Kind of the presets.
        default: The one that is chosen at the beginning.
        open: Name of a preset to the application; called once for all visitors.
        make: Options of ``python -m apps`` that make the default one, for a checkout without it.
        fits: Whether a preset of this kind can be shown here.
        key: Of the chooser, and its query parameter.
    """

    kind: str
    default: str
    open: Callable[[str], Any]
    make: str
    fits: Callable[[FoundPreset], bool] = lambda preset: True
    key: str = "preset"


Sections = Mapping[PresetChoice | None, Mapping[str, Callable[..., None]]]


Lesson = tuple[str, str]  # query parameter "lesson" of the course, and the title of the step
_lesson_on: list[Callable[[str, str], Lesson | None]] = []  # none, or the one that taught_by was given


def taught_by(lesson_on: Callable[[str, str], Lesson | None]) -> None:
    """Tell pages which step of a lesson a section has, by the keys of page and section."""
    _lesson_on[:] = [lesson_on]


def show_page(file: str, shows: Sections) -> None:
    """Draw a page: title, buttons of its sections, the chooser of presets, and the chosen section, or this alone.

    Args:
        file: The page's own; the ``.toml`` file beside it has the ``title``, and in the order of the buttons a table
            ``[sections.<name>]`` for each section: its ``title``, ``about``, which says what one sees and what to
            try, perhaps ``try``, titles of buttons to the values of widgets that they set, and ``whole`` where a
            click draws the whole page anew, which ends what is going on.
        shows: What a section can show, None where it needs no preset, to the names of sections and what draws them;
            this is called with application and name of the chosen preset, or with nothing.
    """
    said = _said(file)
    if st.context.is_embedded:
        _embedded(said["sections"], shows)
        return
    page_begins(file)
    st.title(_(said["title"]), anchor=False)
    section = _choose_section(said["sections"])
    choice, show = _drawn_by(shows, section)
    preset = application = None
    if choice is not None and (preset := choose_preset(choice)) is not None:
        with input_errors():
            application = _open(choice.open, preset.name, preset.path)
    _explain(said["sections"][section], Path(file).parent.name, section)
    if not said["sections"][section].get("whole"):
        show = functools.partial(_answering, _frame(), show)
    if choice is None:
        show()
    elif application is not None:
        show(application, preset.name)
    page_drawn()


_FRAMES = (SECTION, "present")  # query parameters that decide what stands around a section


def _frame() -> tuple[str | None, ...]:
    return tuple(map(st.query_params.get, _FRAMES))


@st.fragment
def _answering(frame: tuple[str | None, ...], show: Callable[..., None], *shown: Any) -> None:
    """Draw a section; a click in it draws it anew, and the rest of the page only where it leads to another section."""
    keep_language()
    stay_where_moved()
    if _frame() != frame:
        st.rerun()
    with turn():
        show(*shown)
    page_drawn()


def _choose_section(sections: Mapping[str, Mapping[str, Any]]) -> str:
    """Let the visitor choose a section by its title; its name stands in the page's address, which counts."""
    stay_where_moved()
    asked = st.query_params.get(SECTION)
    st.session_state[SECTION] = asked if asked in sections else next(iter(sections))
    return st.segmented_control(
        _("Section"),
        list(sections),
        required=True,
        key=SECTION,
        format_func=lambda name: _(sections[name]["title"]),
        on_change=lambda: section_chosen(st.session_state[SECTION]),
        label_visibility="collapsed",
    )


def _explain(said: Mapping[str, Any], page: str, section: str) -> None:
    """Say what a section shows and what to try, with a way to the lesson that teaches it."""
    st.html(f'<h2 class="for-readers">{escape(_(said["title"]))}</h2>')
    with st.container(horizontal=True, vertical_alignment="center", gap="xsmall"):
        st.caption(_(said["about"]), width="content")
        for found in filter(None, (lesson_on(page, section) for lesson_on in _lesson_on)):
            address, title = found
            st.page_link(
                "apps/course/page.py",
                label="?",
                icon=":material/school:",
                query_params={"lesson": address},
                help=_("The lesson's step about it: {title}", title=_(title)),
            )
    example_buttons(said.get("try", {}), "try")


def show_section(shows: Sections, section: str, preset: str | None = None) -> None:
    """Draw one section of a page alone, with a preset or the default one, without title and choosers.

    Args:
        shows: As in :func:`show_page`.
        section: Its name.
        preset: Name of a preset.
    """
    choice, show = _drawn_by(shows, section)
    if choice is None:
        show()
        return
    with input_errors():
        name = preset or choice.default
        show(open_once(choice.open, name), name)


def _embedded(sections: Mapping[str, Any], shows: Sections) -> None:
    """Draw the section and preset of the address alone: for a frame of another page, by ``?embed=true``."""
    section = st.query_params.get("section", "")
    section = section if section in sections else next(iter(sections))
    choice, _ = _drawn_by(shows, section)
    asked = None if choice is None else st.query_params.get(choice.key)
    known = asked and any(one.name == asked and choice.fits(one) for one in find_presets(choice.kind))
    show_section(shows, section, asked if known else None)


def _drawn_by(shows: Sections, section: str) -> tuple[PresetChoice | None, Callable[..., None]]:
    return next((choice, named[section]) for choice, named in shows.items() if section in named)


def choose_preset(choice: PresetChoice) -> FoundPreset | None:
    """Let the visitor choose among the fitting presets in reach, and say what the chosen one learned from."""
    found = [preset for preset in find_presets(choice.kind) if choice.fits(preset)]
    if not found:
        st.info(_("Make the preset with `python -m apps {options}`, then reload.", options=choice.make))
        return None
    found.sort(key=lambda preset: preset.name != choice.default)
    by_name = {preset.name: preset for preset in found}
    chosen = found[0]
    with st.container(horizontal=True, vertical_alignment="center"), input_errors():
        if len(found) > 1:
            name = st.selectbox(
                _("Preset"),
                tuple(by_name),
                key=choice.key,
                bind="query-params",
                width=280,
                label_visibility="collapsed",
            )
            chosen = by_name[name]
        names = {"name": plain(chosen.name), "source": plain(chosen.learned_from)}
        st.caption(_("{name} learned from: {source}", **names))
    return chosen


def open_once(opener: Callable[[str], Any], name: str) -> Any:
    """Open a preset, by a function of its name, once for all visitors, and anew when its files change.

    What is opened is shared, so never changed.

    Raises:
        InputError: There is no such preset, or it is damaged.
    """
    return _open(opener, name, resolve_preset(name))


def _open(opener: Callable[[str], Any], name: str, folder: Path) -> Any:
    return _opened(f"{opener.__module__}.{opener.__qualname__}", opener, name, stamp_of(folder))


def stamp_of(folder: Path) -> int:
    """Tell a preset in a folder from another one that was written there later."""
    manifest = folder / MANIFEST
    return manifest.stat().st_mtime_ns if manifest.is_file() else 0


@st.cache_resource(show_spinner=False)
def imported_ahead(module: str) -> None:
    """Import what a later click needs beside what the visitor sees now, once for all visitors."""
    Thread(target=importlib.import_module, args=(module,), daemon=True).start()


@st.cache_resource(show_spinner="Opening the preset …", max_entries=16)
def _opened(opener: str, _opener: Callable[[str], Any], name: str, stamp: int) -> Any:
    return _opener(name)


def remembered(preset: str, owner: Any, method: str, *arguments: Any, of: str = "") -> Any:
    """Call a method of an application, once for the same arguments of all visitors while its preset is not replaced.

    ``of`` tells owners from one preset apart.
    """
    return _remembered((preset, stamp_of(resolve_preset(preset)), of), owner, method, *arguments)


@st.cache_data(show_spinner="Computing …", max_entries=64)
def _remembered(of: tuple[str, int, str], _owner: Any, method: str, *arguments: Any) -> Any:
    with heavy_work():
        return getattr(_owner, method)(*arguments)


def component(name: str, file: str, **more: Any) -> Callable[..., Any]:
    """Make a component, under a unique name, of the ``.html``, ``.css`` and ``.js`` files beside a module.

    ``more`` is as Streamlit takes it.
    """
    parts = {kind: Path(file).with_suffix(f".{kind}") for kind in ("html", "css", "js")}
    texts = {kind: path.read_text(encoding="utf-8") for kind, path in parts.items() if path.is_file()}
    return st.components.v2.component(name, **texts, **more)

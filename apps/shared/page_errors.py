"""Section "Errors" of every task: what was answered wrong, filtered, with a way into the task's exhibit."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterable, Sequence
from html import escape
from urllib.parse import urlencode

import streamlit as st

from apps.shared.errors import Error, Errors, chosen
from apps.shared.language import N_, _
from apps.shared.page import named_choice, one_of
from apps.shared.style import palette

ALL = N_("all")
COMMAND = "python -m benchmarks.errors --task {task} --store"
_SEEN = {"seen": N_("all seen in training"), "unseen": N_("some never seen in training")}


def show_errors(
    found: Errors | None,
    task: str,
    said: str,
    draw: Callable[[int, Error], str],
    *,
    row: Callable[[Iterable[str]], str] = "".join,
    on_a_page: int = 15,
    more: Callable[[Errors], None] | None = None,
    more_first: bool = False,
) -> None:
    """Draw the section.

    Args:
        found: The errors; None where none are stored.
        task: As ``benchmarks.errors`` calls it.
        said: What they are, with places for ``wrong``, ``n`` and ``share`` (percent).
        draw: Number and error to HTML.
        row: Puts what was drawn together.
        on_a_page: At most this many at once.
        more: Draws what stands beside them.
        more_first: Whether that stands on the left, and in narrow windows above them.
    """
    if found is None:
        st.info(
            _(
                "No errors of these weights are stored here. For a shipped preset: `{command}`",
                command=COMMAND.format(task=task),
            )
        )
        return
    values = {"wrong": found.wrong, "n": found.n, "share": 100 * found.wrong / max(1, found.n)}
    st.markdown(_(said, **values))
    if not found.errors:
        return
    place = st.container()
    if more is not None:
        left, right = st.columns(2 if more_first else [3, 2], gap="large")
        place, beside = (right, left) if more_first else (left, right)
        with beside:
            more(found)
    with place:
        shown = _filtered(found.errors)
        key = f"errors {hash(tuple(number for number, __ in shown))}"
        pages = -(-len(shown) // on_a_page)
        page = st.pagination(pages, key=key) if pages > 1 else 1
        few = shown[(page - 1) * on_a_page : page * on_a_page]
        if few:
            st.html(row(draw(number, error) for number, error in few))
        st.caption(_("{n:,} of {all:,} match this choice.", n=len(shown), all=len(found.errors)))


def _filtered(errors: Sequence[Error]) -> list[tuple[int, Error]]:
    """Draw the filters that these errors can be told by; the others would change nothing."""
    kinds = list(dict.fromkeys(error.kind for error in errors))
    kind = one_of(_("Kind"), (ALL, *kinds), "kind") if len(kinds) > 1 else ALL
    with st.container(horizontal=True, vertical_alignment="bottom"):
        label = _counted(_("Right is"), (error.label for error in errors), "shows")
        answer = _counted(_("Answered"), (error.answer for error in errors), "answered")
        sure = st.slider(_("How sure, %"), 0, 100, (0, 100), key="sure", bind="query-params", width=170)
        lengths = {error.length for error in errors} - {None}
        length = None
        if len(lengths) > 1:
            ends = min(lengths), max(lengths)
            length = st.slider(_("Length"), *ends, ends, key="long", bind="query-params", width=170)
        seen = ALL
        if len({error.seen for error in errors}) > 1:
            names = {ALL: _(ALL), **{name: _(text) for name, text in _SEEN.items()}}
            seen = named_choice(_("Words"), names, "seen", width=210)
    return chosen(
        errors,
        label=label or None,
        answer=answer or None,
        kind=None if kind == ALL else kind,
        sure=sure,
        length=length,
        seen={"seen": True, "unseen": False}.get(seen),
    )


def _counted(label: str, values: Iterable[str], key: str) -> str:
    """Let the visitor choose a value, each shown with how often it comes, or all, which is an empty text."""
    counts = Counter(values)
    names = {one: f"{one} ({counts[one]:,})" for one in sorted(counts)}
    return named_choice(label, {"": _(ALL), **names}, key, width=150)


def exhibit(page: str, **query: object) -> str:
    """Return the address of a section of a page with these values."""
    return f"/{page}?{urlencode(query)}"


def quoted(error: Error, link: str, note: str = "") -> str:
    """Quote a text that was answered wrong, with what is wrong marked, the answer, and a link; HTML."""
    colours = palette()
    before, marked, after = (escape(part) for part in (error.before, error.marked, error.after))
    said = _(
        "{label} answered as {answer} with {percent:.1f} %",
        label=escape(error.label),
        answer=f'<b style="color:{colours.negative}">{escape(error.answer)}</b>',
        percent=100 * error.confidence,
    )
    small = ", ".join(filter(None, [said, escape(note)]))
    way = f'<a href="{escape(link)}" target="_self" style="color:{colours.ours}">{_("look inside")}</a>'
    return (
        f'<blockquote style="margin:0 0 .7rem;padding:.1rem .8rem;border-left:3px solid {colours.grid};'
        f'color:{colours.text};overflow-wrap:anywhere" dir="auto">{before}'
        f'<b style="color:{colours.negative}">{marked}</b>{after}<br><small>{small} · '
        f"{way}</small></blockquote>"
    )

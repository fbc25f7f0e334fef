"""Section "Start": a training is put together, its cost is told, and it begins."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from typing import Any

import streamlit as st

from apps.laboratory import costs, worker
from apps.laboratory.offers import Offer, Own, Source, allowed_path, check_words, keep_upload, offers
from apps.laboratory.page_queue import watch
from apps.laboratory.page_settings import changes
from apps.laboratory.runs import Order, submit
from apps.shared.language import N_, _
from apps.shared.page import input_errors, one_of, plain
from data_prep.datasets import at_hand
from data_prep.errors import InputError
from models.training.task import Task

_UPLOAD, _PATH = N_("Upload"), N_("Path")
_SUITED = N_("what suits the data")
_REFUSED = "laboratory refused"  # key of the message of a start that was refused
_TOLD = "cost told"
_SEEDS = 3
_MINUTES, _MEBIBYTES = (1, 24 * 60), (10, 20_000)
_LOOK_SECONDS = 0.7  # between two looks at a timing


def show() -> None:
    """Draw the section."""
    with input_errors():
        worker.ensure_workers(spare=True)
    by_title = {offer.title: offer for offer in offers().values()}
    offer = by_title[one_of(_("Task"), tuple(by_title), "task", named=True)]
    task, order = worker.task_named(offer.name), None
    left, right = st.columns([3, 2], gap="large")
    with left, input_errors():
        order = _order(offer, task)
    if order is None:
        return
    with right:
        _begin(order)


def _order(offer: Offer, task: Task) -> Order | None:
    """Let the visitor put an order together; None as long as data are missing."""
    st.caption(_("You train {network}.", network=_(offer.network)))
    found = _data(offer)
    if found is None:
        return None
    title, options, suited = found
    where = f"{offer.name} {title}"  # a part of keys: what is set for other data is not for these
    names = ("", *task.recipes)
    recipe = st.selectbox(
        _("Recipe"), names, names.index(suited or ""), format_func=lambda name: name or _(_SUITED),
        key=f"recipe {where}", bind="query-params", width=280,
        help=_("Settings to begin with: python -m apps has them under the same names."),
    )  # fmt: skip
    if offer.network_option:
        network = st.selectbox(
            _("Network"), ("", *offer.network_option), key=f"network {where}", bind="query-params", width=280,
            format_func=lambda name: name or _("those of the recipe"),
        )  # fmt: skip
        options = {**options, **({"network": network} if network else {})}
    base = task.recipe(recipe or None, task.given("fit", options), ())
    overrides = changes(offer, base, f"{where} {recipe}")
    task.recipe(recipe or None, task.given("fit", options), overrides)  # refuses what does not fit
    watched = _watched(task)
    minutes, mebibytes = _limits()
    named = ", ".join([title, *filter(None, [recipe, options.get("network")]), *overrides])
    return Order(
        offer.name, f"{offer.title}: {named}", options, recipe or None, overrides, watched, minutes, mebibytes
    )


def _data(offer: Offer) -> tuple[str, dict[str, Any], str | None] | None:
    """Let the visitor choose data; return what they are called, options of ``fit`` and the recipe to begin with."""
    sources = {source.title: source for source in offer.sources}
    chosen = one_of(_("Data"), (*sources, _UPLOAD, _PATH), f"data {offer.name}", named=True)
    if chosen in sources:
        return _offered(sources[chosen])
    by_title = {own.title: own for own in offer.own}
    own = offer.own[0]
    if len(by_title) > 1:
        own = by_title[one_of(_("Kind of data"), tuple(by_title), f"kind {offer.name}")]
    value = _uploaded(offer, own) if chosen == _UPLOAD else _typed(offer, own)
    return None if value is None else (chosen, {own.option: value}, own.recipe)


def _offered(source: Source) -> tuple[str, dict[str, Any], str | None]:
    if source.set is not None and not at_hand(source.set):
        st.info(
            _(
                "{title} is not on this machine yet: the training begins with its download.",
                title=source.title,
            )
        )
    return source.title, dict(source.options), source.recipe


def _uploaded(offer: Offer, own: Own) -> Any:
    files = st.file_uploader(
        _(own.title), type=list(own.files), accept_multiple_files=own.many, key=f"upload {offer.name} {own.option}",
        help=_("It stays on this computer, in runs/laboratory."),
    )  # fmt: skip
    files = files if isinstance(files, list) else [files] if files else []
    if not files:
        return None
    paths = [str(path) for path in keep_upload(own, [(file.name, file.getvalue()) for file in files])]
    return paths if own.many else paths[0]


def _typed(offer: Offer, own: Own) -> Any:
    text = st.text_input(
        _("Path: {title}", title=_(own.title)), key=f"path {offer.name} {own.option}", bind="query-params",
        help=_("Read where LECTERN_DATA_DIR, LECTERN_PRESETS or runs/ allow."), max_chars=500,
    )  # fmt: skip
    if not text.strip():
        return None
    path = allowed_path(text.strip())
    path = str(check_words(path) if own.option == "words" else path)
    return [path] if own.many else path


def _watched(task: Task) -> dict[str, str]:
    """Let the visitor say what is looked at while the network learns."""
    return {
        name: st.text_input(
            _("Watched: {what}", what=name.replace("_", " ")), value, key=f"watch {task.name} {name}",
            max_chars=300, bind="query-params",
        ) or value
        for name, value in task.watched.items()
    }  # fmt: skip


def _limits() -> tuple[float, float]:
    with st.container(horizontal=True):
        minutes = st.number_input(_("At most, minutes"), *_MINUTES, 60, key="minutes", bind="query-params")
        mebibytes = st.number_input(
            _("At most, MiB of disk"), *_MEBIBYTES, 500, key="MiB", bind="query-params"
        )
    return float(minutes), float(mebibytes)


def _begin(order: Order) -> None:
    """Draw what a training costs, its command and its buttons."""
    cost = costs.known(order)
    if cost is None and st.session_state.get(_TOLD):  # whoever asked once is told after each change
        with input_errors():
            costs.ask(order)
        cost = costs.known(order)
    looking = cost is not None and not cost.done
    st.fragment(_cost, run_every=_LOOK_SECONDS if looking else None)(order, looking)
    st.caption(_("The same on the command line"))
    st.code(order.command("runs/my_preset"), language="bash", wrap_lines=True)
    with st.container(horizontal=True):
        st.button(_("Start"), type="primary", icon=":material/play_arrow:", on_click=_start, args=([order],))
        st.button(
            _("Repeat with {n} seeds", n=_SEEDS), icon=":material/repeat:", on_click=_start, args=(_seeded(order),),
            help=_("The same training from three seeds: their curves have a band of the standard error."),
        )  # fmt: skip
    if (message := st.session_state.pop(_REFUSED, None)) is not None:
        st.error(plain(message), icon=":material/error:")


def _seeded(order: Order) -> list[Order]:
    """Return an order for each of some seeds, in one group."""
    seeds = range(1, _SEEDS + 1)
    return [
        replace(
            order,
            title=f"{order.title}, seed {seed}",
            overrides=(*(one for one in order.overrides if not one.startswith("seed=")), f"seed={seed}"),
            group=costs.key_of(order),
        )
        for seed in seeds
    ]


def _start(orders: Sequence[Order]) -> None:
    """Order what is to be trained and go to the first of it."""
    try:
        costs.cancel()
        runs = [submit(order) for order in orders]
        worker.ensure_workers(spare=True)
    except InputError as error:
        st.session_state[_REFUSED] = str(error)
        return
    watch(runs[0].key)


def _cost(order: Order, looking: bool) -> None:
    """Draw what is known of the cost; ``looking`` says whether this runs again and again."""
    st.subheader(_("What will this cost?"), anchor=False)
    cost = costs.known(order)
    if cost is None:
        st.caption(_("The data are read and some steps are timed on this machine; that takes some seconds."))
        if st.button(_("Tell me"), icon=":material/timer:"):
            with input_errors():
                costs.ask(order)
                st.session_state[_TOLD] = True
                st.rerun()
        return
    if cost.problem is not None:
        st.error(plain(cost.problem), icon=":material/error:")
    steps = [stage.steps and stage.epochs * stage.steps for stage in cost.stages]
    more = "" if cost.whole or not cost.done else _(" and more")
    with st.container(horizontal=True):
        st.metric(_("Parameters"), f"{cost.parameters:,}{more}" if steps else "…")
        st.metric(_("Steps"), f"{sum(steps):,}{more}" if steps and None not in steps else "…")
        st.metric(_("Time"), _duration(cost.seconds) + more)
    if cost.stages:
        st.caption(_told(cost))
    if not cost.done:
        st.caption(_("Timing …"))
    elif looking:
        st.rerun()  # no more looks


def _told(cost: costs.Cost) -> str:
    """Say stage by stage where the numbers come from."""
    stages = "; ".join(
        (f"{plain(stage.name)}: " if stage.name else "")
        + _(
            "{parameters:,} parameters, {epochs} epochs of {steps} steps of {time:.3g} ms",
            parameters=stage.parameters,
            epochs=stage.epochs,
            steps="?" if stage.steps is None else f"{stage.steps:,}",
            time=1000 * stage.step_seconds,
        )
        for stage in cost.stages
    )
    return _(
        "Timed on this machine, by some steps of this very network ({stages}), with reading "
        "the data ({read_seconds:.1f} s), without scoring at the end. What else trains "
        "meanwhile makes it longer.",
        stages=stages,
        read_seconds=cost.read_seconds,
    )


def _duration(seconds: float | None) -> str:
    if seconds is None:
        return "…"
    return (
        _("{seconds:.0f} s", seconds=seconds)
        if seconds < 90
        else _("{minutes:.0f} min", minutes=seconds / 60)
    )

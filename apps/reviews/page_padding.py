"""Section "Padding": documents of all lengths in one batch, and what of it the mask hides."""

from __future__ import annotations

import streamlit as st

from apps.reviews.page_text import EXAMPLES
from apps.reviews.reports import NETWORKS
from apps.shared import charts
from apps.shared.language import N_, _
from apps.shared.page import input_errors, one_of, text_box
from apps.shared.reports import stored
from apps.shared.style import palette
from data_prep.errors import InputError
from data_prep.text.document_batches import PaddedBatches, padded_batches
from data_prep.text.text_inputs import keys_of

_SOURCES = (N_("Lines"), "IMDB")
_TITLES = {"shuffled": N_("In random order"), "bucketed": N_("In buckets of length")}
_MOST_LINES, _MOST_SHOWN = 200, 64
_MEASURED = N_(
    "Train half of IMDB in batches of {padding.batch_size}: {padding.shuffled*100:.1f} % "
    "padding in random order, {padding.bucketed*100:.1f} % in buckets."
)


def show() -> None:
    """Draw the section."""
    source = one_of(_("Documents"), _SOURCES, "documents", named=True)
    size = st.slider(_("Documents in a batch"), 2, 16, 4, key="batch", bind="query-params")
    with input_errors():
        report = stored(NETWORKS.name)
        if source == "Lines":
            lengths = _typed()
        elif report is not None:
            lengths = list(map(int, report.numbers("padding.lengths")))
        else:
            st.info(
                _(
                    "The lengths of reviews were not measured in this checkout. Measure: `{command}`",
                    command=NETWORKS.command,
                )
            )
            return
        views = padded_batches(lengths, size)
        for column, (name, view) in zip(st.columns(2, gap="medium"), views.items(), strict=True):
            with column:
                st.markdown(
                    _("**{title}**: {share:.1f} % padding", title=_(_TITLES[name]), share=100 * view.share)
                )
                charts.show(_picture(view), f"padding {name}", _("Batches, {title}", title=_(_TITLES[name])))
        st.caption(
            _(
                "One bar a document, a gap between batches. All documents of a batch are made as long "
                "as its longest one; the mask says where padding begins, and no network reads, "
                "averages or attends beyond it."
            )
        )
        if report is not None:
            st.caption(report.text(_(_MEASURED)))


def _typed() -> list[int]:
    lines = text_box(st, _("One document a line"), EXAMPLES["lines"], "lines", 6_000, lines=True, height=180)
    documents = [line for line in lines.split("\n") if line.strip()]
    if len(documents) > _MOST_LINES:
        allowed = _("up to {most_lines} lines", most_lines=_MOST_LINES)
        raise InputError("There are too many documents", allowed=allowed, received=len(documents))
    return [len(keys_of(line)) + 1 for line in documents]


def _picture(view: PaddedBatches) -> charts.Picture:
    colours = palette()
    places, names, words, padding = [], [], [], []  # of each document
    for number, batch in enumerate(view.batches, start=1):
        if places and len(places) + len(batch) > _MOST_SHOWN:
            break
        first = places[-1] + 2 if places else 1
        places += range(first, first + len(batch))
        names += [_("batch {number}, document {at}", number=number, at=at) for at in range(1, len(batch) + 1)]
        words += [length - 1 for length in batch]
        padding += [max(batch) - length for length in batch]
    picture = charts.figure(x_title=_("words"), height=max(170, 90 + 9 * places[-1]))
    parts = {_("words"): words, _("end of sequence"): [1] * len(words), _("padding, masked"): padding}
    for at, ((title, values), colour) in enumerate(
        zip(parts.items(), (colours.ours, colours.peer, colours.grid), strict=True)
    ):
        picture.add_bar(
            x=values,
            y=places,
            customdata=names,
            name=title,
            orientation="h",
            marker={"color": colour, "pattern": charts.hatch(at), "line": {"width": 0}},
            hovertemplate=_("%{{customdata}}: %{{x}} {title}<extra></extra>", title=title),
        )
    legend = {"traceorder": "normal"}
    picture.update_layout(barmode="stack", bargap=0.15, margin={"t": 40}, showlegend=True, legend=legend)
    picture.update_yaxes(autorange="reversed", showticklabels=False, showgrid=False, zeroline=False)
    return picture

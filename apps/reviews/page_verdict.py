"""Section "Verdict": a document whose words are coloured by what they add, and the verdict after each of them."""

from __future__ import annotations

import streamlit as st

from apps.reviews.application import Reviews
from apps.reviews.explain import Method, contributions, methods, running
from apps.reviews.page_text import choose_text, draw_document, fails_of, name_columns, name_of
from apps.reviews.results import Contributions, ReadWord, RunningVerdict, Verdict
from apps.shared import charts
from apps.shared.colours import tint
from apps.shared.language import N_, _
from apps.shared.page import heavy_work, input_errors, named_choice, one_of, plain
from apps.shared.style import palette

_WAYS: dict[Method, str] = {
    "linear": N_("Exact share"),
    "gradient": N_("Gradient"),
    "leave_out": N_("Leaving it out"),
}
_NAMED = 4  # words that speak most for a label
_ANSWER = N_("the answer")
_DOUBT = N_(
    "A verdict can be wrong, however sure it looks: the networks weigh words as they have "
    "learned them, and irony, negation or a turn at the end can mislead them."
)


def show(reviews: Reviews, preset: str) -> None:
    """Draw the section."""
    text = choose_text(preset)
    left, right = st.columns([3, 2], vertical_alignment="bottom")
    ways = {_WAYS[method]: method for method in methods(reviews)}
    with left:
        way = one_of(_("What a word adds"), list(ways), "way", named=True)
    with right:
        choices = {_ANSWER: _(_ANSWER), **{label: label for label in reviews.labels}}
        label = named_choice(_("Explain"), choices, "label")
    with input_errors():
        with heavy_work():
            verdict = reviews.classify(text)
            added = contributions(reviews, text, ways[way], None if label == _ANSWER else label)
            curve = running(reviews, text)
        _answer(verdict)
        _failure(preset, text, verdict, added)
        _words(text, added)
        charts.show(_curve(curve, added.words), "running", _("Probability of each label after each word"))
        few = len(curve.words) < len(added.words)
        st.caption(
            _(
                "The verdict if the document ended at each word: every beginning is read up to an end "
                "of sequence of its own. The diamond is the verdict on the whole."
            )
            + ((" " + _("Here at {n} of its words.", n=len(curve.words) - 1)) if few else "")
        )


def _answer(verdict: Verdict) -> None:
    names, colours = list(verdict.probabilities), palette()
    hues = [colours.ours if name == verdict.label else colours.muted for name in names]
    shares = [100 * share for share in verdict.probabilities.values()]
    picture = charts.bars(
        names, shares, x_title=_("probability, %"), colour=hues, number=".1f", limits=(0, 100)
    )
    charts.show(picture, "answer", _("The answer is {label}", label=verdict.label))
    unknown = _(
        "{unknown_words:,} of {words:,} words unknown.",
        unknown_words=verdict.unknown_words,
        words=verdict.words,
    )
    st.caption(" ".join([_(_DOUBT), unknown, *map(plain, verdict.notes())]))


def _failure(preset: str, text: str, verdict: Verdict, added: Contributions) -> None:
    """Say why the verdict on one of the examples is wrong."""
    found = next((one for one in fails_of(preset).values() if one["text"] == text), None)
    if found is None or found["meant"] == verdict.label:
        return
    ranked = sorted(zip(added.values, added.words, strict=True), key=lambda pair: pair[0])
    ends = {added.label: ranked[: -_NAMED - 1 : -1], added.against: ranked[:_NAMED]}
    said = ". ".join(
        _(
            "Most for {label}: {words}",
            label=plain(label),
            words=", ".join(plain(name_of(word)) for __, word in words),
        )
        for label, words in ends.items()
    )
    st.warning(
        _(
            "**Where it fails, and why.** It says {label}, and {meant} is meant. {why} {said}.",
            label=plain(verdict.label),
            meant=plain(found["meant"]),
            why=_(found["why"]),
            said=said,
        ),
        icon=":material/warning:",
    )


def _words(text: str, added: Contributions) -> None:
    colours = palette()
    largest = max(map(abs, added.values)) or 1.0

    def look(value: float) -> tuple[str, str]:
        colour = colours.positive if value > 0 else colours.negative
        return tint(colour, colours.most * abs(value) / largest), f"{value:+.3f}"

    label = _("The document; what speaks for {label} and what speaks against it", label=added.label)
    draw_document(text, added.words, added.values, look, key="document", label=label)
    total = sum(added.values) + added.constant
    said = (
        N_("All words and the constant {constant:+.2f} sum to {total:+.2f}: that is the difference itself.")
        if added.exact
        else N_(
            "All words and the constant {constant:+.2f} sum to {total:+.2f}; this way of counting need "
            "not meet the difference."
        )
    )
    st.caption(
        _(
            "Blue speaks for {label}, red over dots for {against}; point at a word for its number. "
            "A solid line below: a word that the network does not know. EOS: the end of sequence. The logits of "
            "the two labels, their scores before the softmax, differ by {difference:+.2f}. {sums}",
            label=plain(added.label),
            against=plain(added.against),
            difference=added.difference,
            sums=_(said, total=total, constant=added.constant),
        )
    )


def _curve(curve: RunningVerdict, words: tuple[ReadWord, ...]) -> charts.Picture:
    colours = palette()
    alone = len(curve.labels) == 2  # the other one is what is left
    looks = charts.line_looks(curve.labels)
    if alone:
        looks = {curve.labels[1]: (colours.ours, "solid")}
    y_title = f"{curve.labels[1]}, %" if alone else _("probability, %")
    picture = charts.figure(x_title=_("word"), y_title=y_title, height=320)
    number = {word.start: at for at, word in enumerate(words, start=1)}
    places = [number[word.start] for word in curve.words]
    for label, (colour, dash) in looks.items():
        at = curve.labels.index(label)
        picture.add_scatter(
            x=places,
            y=[100 * row[at] for row in curve.probabilities],
            name=label,
            mode="lines+markers",
            line={"color": colour, "dash": dash, "shape": "hv"},
            marker={"symbol": "diamond", "size": [0] * (len(places) - 1) + [10]},
            customdata=list(map(name_of, curve.words)),
            hovertemplate=_("%{{customdata}}: {label} %{{y:.1f}} %<extra></extra>", label=label),
        )
    if alone:
        picture.add_hline(y=50, line={"color": colours.muted, "dash": "dot", "width": 1})
    picture.update_yaxes(range=[-3, 103])
    name_columns(picture, curve.words, places)
    picture.update_layout(showlegend=not alone, margin={"t": 8 if alone else 40})
    return picture

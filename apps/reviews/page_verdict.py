"""Section "Verdict": a document whose words are coloured by what they add, and the verdict after each of them."""

from __future__ import annotations

import plotly.graph_objects as go
import streamlit as st

from apps.reviews.application import Reviews
from apps.reviews.explain import Method, contributions, methods, running
from apps.reviews.page_loading import choose_text
from apps.reviews.results import Contributions, ReadWord, RunningVerdict, Verdict
from apps.shared import charts
from apps.shared.charts import line_looks
from apps.shared.letters import Letter, letters, tint
from apps.shared.page import heavy_work, input_errors, plain
from apps.shared.style import palette

_WAYS: dict[Method, str] = {
    "linear": "Exact share",
    "gradient": "Gradient times input",
    "leave_out": "Leaving it out",
}
_ANSWER = "the answer"


def show(reviews: Reviews, preset: str) -> None:
    """Draw the section.

    Args:
        reviews: The classifier.
        preset: Its name.
    """
    text = choose_text(preset)
    left, right = st.columns([3, 2], vertical_alignment="bottom")
    ways = {_WAYS[method]: method for method in methods(reviews)}
    way = left.segmented_control(
        "What a word adds",
        list(ways),
        default=next(iter(ways)),
        required=True,
        key="way",
        bind="query-params",
    )
    label = right.selectbox("Explain", [_ANSWER, *reviews.labels], key="label", bind="query-params")
    with input_errors():
        with heavy_work():
            verdict = reviews.classify(text)
            added = contributions(reviews, text, ways[way], None if label == _ANSWER else label)
            curve = running(reviews, text)
        _answer(verdict)
        _words(text, added)
        charts.show(_curve(curve, added.words), "running", "Probability of each label after each word")
        every = (
            "" if len(curve.words) == len(added.words) else f" Here at {len(curve.words) - 1} of its words."
        )
        st.caption(
            "The verdict if the document ended at each word: every beginning is read up to an end of sequence of its "
            f"own. The diamond is the verdict on the whole.{every}"
        )


def _answer(verdict: Verdict) -> None:
    colours = palette()
    names = list(verdict.probabilities)
    charts.show(
        charts.bars(
            names,
            [100 * share for share in verdict.probabilities.values()],
            x_title="probability, %",
            colour=[colours.ours if name == verdict.label else colours.muted for name in names],
            number=".1f",
            limits=(0, 100),
        ),
        "answer",
        f"The answer is {verdict.label}",
    )
    unknown = f"{verdict.unknown_words:,} of {verdict.words:,} words unknown."
    st.caption(" ".join([unknown, *map(plain, verdict.notes)]))


def _words(text: str, added: Contributions) -> None:
    largest = max((abs(value) for value in added.values), default=0.0) or 1.0
    with st.container(border=True):
        letters(
            coloured(text, added.words, added.values, largest),
            key="document",
            label=f"The document; what speaks for {added.label} and what speaks against it",
            breaks=False,
        )
    total = sum(added.values) + added.constant
    sums = (
        f"All words and the constant {added.constant:+.2f} sum to {total:+.2f}: that is the difference itself."
        if added.exact
        else f"They sum to {total:+.2f}, the constant {added.constant:+.2f} included: this way promises no equality."
    )
    st.caption(
        f"Blue speaks for {plain(added.label)}, red for {plain(added.against)}; point at a word for its number. "
        f"Underlined: unknown. The difference of the two logits is {added.difference:+.2f}. {sums}"
    )


def coloured(
    text: str, words: tuple[ReadWord, ...], values: tuple[float, ...], largest: float
) -> list[Letter]:
    """Cut a document into words with a colour each, and what stands between them without.

    Args:
        text: The document.
        words: Its words, the end of sequence last.
        values: One number a word.
        largest: The number of the full colour.

    Returns:
        Pieces that are the whole document, and the end of sequence.
    """
    colours = palette()
    pieces, done = [], 0
    for word, value in zip(words, values, strict=True):
        if word.start > done:
            pieces.append(Letter(text[done : word.start]))
        colour = colours.positive if value > 0 else colours.negative
        name = word.text or "end of sequence"
        pieces.append(
            Letter(
                word.text or " EOS",
                tint(colour, 0.75 * min(abs(value) / largest, 1.0)),
                f"{name}: {value:+.3f}" + ("" if word.known else ", unknown"),
                marked=not word.known,
            )
        )
        done = max(done, word.end)
    return pieces


def word_axis(words: tuple[ReadWord, ...]) -> list[str]:
    """Name words for hover texts; the end of sequence has no text."""
    return [word.text or "end of sequence" for word in words]


def _curve(curve: RunningVerdict, words: tuple[ReadWord, ...]) -> go.Figure:
    colours = palette()
    picture = charts.figure(x_title="word", y_title="probability, %", height=320)
    shown = curve.labels[-1:] if len(curve.labels) == 2 else curve.labels
    looks = line_looks(curve.labels) if len(shown) > 1 else {shown[0]: (colours.ours, "solid")}
    number = {word.start: at for at, word in enumerate(words, start=1)}
    places = [number[word.start] for word in curve.words]
    for label in shown:
        shares = [100 * row[curve.labels.index(label)] for row in curve.probabilities]
        colour, dash = looks[label]
        picture.add_scatter(
            x=places,
            y=shares,
            name=label,
            mode="lines",
            line={"color": colour, "dash": dash, "shape": "hv"},
            customdata=word_axis(curve.words),
            hovertemplate=f"%{{customdata}}: {label} %{{y:.1f}} %<extra></extra>",
        )
        picture.add_scatter(
            x=places[-1:],
            y=shares[-1:],
            mode="markers",
            marker={"symbol": "diamond", "size": 10, "color": colour},
            showlegend=False,
            hovertemplate=f"end of sequence: {label} %{{y:.1f}} %<extra></extra>",
        )
    if len(shown) == 1:
        picture.add_hline(y=50, line={"color": colours.muted, "dash": "dot", "width": 1})
    picture.update_yaxes(range=[-3, 103], title={"text": f"{shown[0]}, %"} if len(shown) == 1 else None)
    picture.update_layout(showlegend=len(shown) > 1, margin={"t": 40 if len(shown) > 1 else 8})
    return picture

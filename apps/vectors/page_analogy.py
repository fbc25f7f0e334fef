"""Section "Analogy": an expression over words, ours beside gensim's, contributions and the parallelogram."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import streamlit as st
from plotly.colors import hex_to_rgb

from apps.shared import charts
from apps.shared.language import N_, _
from apps.shared.page import example_buttons, input_errors, one_of, plain, text_box
from apps.shared.style import palette
from apps.vectors.application import Vectors
from apps.vectors.page_peer import peer_of, show_beside, show_scores
from apps.vectors.results import AnalogyResult, PlaneResult, Term

DEFAULT = "paris - france + spain"
EXAMPLES = (
    DEFAULT,
    "king - man + woman",
    "tokyo - japan + germany",
    "bigger - big + small",
    "walking - walk + swim",
    "son - boy + girl",
    "euro - france + japan",
)
_TERM_COLOURS = ("#3f8fa8", "#d9772b", "#7f68b0", "#5b9a48", "#c2577b", "#9a8a3d")
_ON_PLANE = 5  # answers drawn beside the parallelogram


def show(ours: Vectors, preset: str) -> None:
    """Draw the section."""
    query, options = _form()
    result = show_beside(ours, peer_of(preset), lambda vectors: vectors.analogy(query, **options), _answers)
    if result is None or not result.results:
        return
    left, right = st.columns(2, gap="medium")
    with left:
        st.subheader(_("What each term contributes"), anchor=False)
        charts.show(
            _contributions(result), "contributions", _("What each term adds to the score of each answer")
        )
    with right:
        st.subheader(_("The parallelogram"), anchor=False)
        _parallelogram(ours, result)


def _form() -> tuple[str, dict]:
    with st.form("analogy_form"):
        box, button = st.columns([5, 1], vertical_alignment="bottom")
        query = text_box(
            box,
            _("Words with + and −"),
            DEFAULT,
            "q",
            1000,
            help=_("Weights are numbers before a star: 2*king - man. A word with a hyphen stands in quotes."),
        )
        button.form_submit_button(_("Answer"), type="primary", width="stretch")
        with st.expander(_("Options")):
            method = one_of(
                _("Method"),
                (N_("Add"), N_("Multiply")),
                "method",
                named=True,
                help=_("Add: cosine with the sum (3CosAdd). Multiply: product of similarities (3CosMul)."),
            )
            topn = st.slider(_("Answers"), 1, 30, 8, key="n", bind="query-params")
            expected = text_box(st, _("Rank of an expected word"), "", "expected", 100)
            allow = st.checkbox(_("Words of the expression may answer"), key="allow", bind="query-params")
    example_buttons({example: {"q": example} for example in EXAMPLES}, "ask")
    return query, {
        "topn": topn,
        "method": method.lower(),
        "allow_query_words": allow,
        "expected": expected.strip() or None,
    }


def _answers(result: AnalogyResult, key: str, colour: str) -> None:
    add = result.method == "add"
    unit, limits = (_("cosine with the sum of the terms"), (0, 1)) if add else (_("3CosMul score"), None)
    show_scores(result.results, f"answers {key}", _("Answers: "), unit, colour=colour, limits=limits)
    if result.expected is not None:
        at = result.expected_rank
        rank = _("is a word of the expression") if at is None else _("has rank {at:,}", at=at)
        st.caption(
            _(
                "“{expected}” {rank}, score {expected_score:.3f}.",
                expected=plain(result.expected),
                rank=rank,
                expected_score=result.expected_score,
            )
        )


def _parallelogram(vectors: Vectors, result: AnalogyResult) -> None:
    corners = _corners(result.terms)
    if corners is None:
        st.info(
            _(
                "A parallelogram needs two different words that are added and one that is subtracted: "
                "b − a + c."
            )
        )
        return
    answers = [neighbour.word for neighbour in result.results if neighbour.word not in corners][:_ON_PLANE]
    with input_errors():
        plane = vectors.plane([*corners, *answers])
        charts.show(
            _drawn(plane),
            "parallelogram",
            _(
                "{b} − {a} + {c} and the answers in the plane of the three words",
                a=corners[0],
                b=corners[1],
                c=corners[2],
            ),
        )
        st.caption(
            _(
                "Exact for the three words and for the cross, their sum; every answer is projected onto "
                "the plane at a right angle. Unit: vectors of length 1."
            )
        )


def _corners(terms: tuple[Term, ...]) -> tuple[str, str, str] | None:
    """Name a, b and c of "b - a + c", or None where the expression has another form."""
    added = [term.word for term in terms if term.weight == 1]
    subtracted = [term.word for term in terms if term.weight == -1]
    if len(terms) == 3 and len(added) == 2 and len({*added, *subtracted}) == 3:
        return subtracted[0], added[0], added[1]
    return None


def _term_name(term: Term) -> str:
    """Write a term with its sign and, unless it is 1, its weight, such as "+ paris" or "− 2 × france"."""
    weight = "" if abs(term.weight) == 1 else f"{abs(term.weight):g} × "
    return f"{'+' if term.weight > 0 else '−'} {weight}{term.word}"


def _contributions(result: AnalogyResult) -> charts.Picture:
    """Draw what each term adds to the score of each answer: stacked bars that end at the mark of the score."""
    colours = palette()
    unit = _("score (cosine)") if result.method == "add" else _("logarithm of the score")
    picture = charts.figure(
        x_title=_("contribution to the {unit}", unit=unit), height=110 + 30 * len(result.results)
    )
    words = [f"{neighbour.word} " for neighbour in result.results]
    for index, term in enumerate(result.terms):
        picture.add_bar(
            x=[row[index] for row in result.contributions],
            y=words,
            name=_term_name(term),
            orientation="h",
            marker={
                "color": _TERM_COLOURS[index % len(_TERM_COLOURS)],
                "pattern": charts.hatch(index),
                "line": {"width": 0},
            },
            hovertemplate=_("{term}, for %{{y}}: %{{x:+.3f}}<extra></extra>", term=_term_name(term)),
        )
    edge = {"color": colours.ground, "width": 1}
    picture.add_scatter(
        x=[sum(row) for row in result.contributions],
        y=words,
        mode="markers",
        name=_("sum"),
        marker={"symbol": "diamond", "size": 9, "color": colours.text, "line": edge},
        hovertemplate=_("sum for %{y}: %{x:.3f}<extra></extra>"),
    )
    picture.update_layout(barmode="relative", bargap=0.35, margin={"t": 40})
    picture.update_yaxes(autorange="reversed", showgrid=False, type="category")
    return picture


def _drawn(plane: PlaneResult) -> charts.Picture:
    """Draw an analogy in the plane of its three words.

    Arrows go from a, the origin, to b, and from c to the fourth corner; the answers follow near it.
    """
    colours = palette()
    across = _("towards {word}, at right angles", word=plane.words[2])
    picture = charts.figure(x_title=plane.axes[0], y_title=across, height=440)
    a, b, c, *answers = plane.coordinates
    corner = plane.corner
    faint = f"rgba{(*hex_to_rgb(colours.ours), 0.10)}"
    looks = {"color": colours.muted, "width": 1, "dash": "dot"}
    _line(picture, (a, b, corner, c, a), looks, fill="toself", fillcolor=faint)
    for start, end in ((a, b), (c, corner)):
        picture.add_annotation(
            x=end[0], y=end[1], ax=start[0], ay=start[1], xref="x", yref="y", axref="x", ayref="y",
            text="", arrowcolor=colours.text, arrowwidth=1.6, arrowhead=2, standoff=7, startstandoff=6,
        )  # fmt: skip
    if answers:
        _line(picture, (corner, answers[0]), {"color": colours.ours, "width": 1.4, "dash": "dash"})
    others = max(0, len(answers) - 1)
    colour = [colours.text] * 3 + [colours.ours] * min(1, len(answers)) + [colours.muted] * others
    sizes = [9] * 3 + [12] + [7] * others
    charts.add_words(
        picture,
        plane.coordinates,
        plane.words,
        size=(420, 330),
        customdata=[(word, 100 * kept) for word, kept in zip(plane.words, plane.kept, strict=True)],
        textposition=["top center"] * (len(colour) - others) + ["bottom center"] * others,
        textfont={"color": colour, "size": 13},
        marker={"color": colour, "size": sizes[: len(colour)], "opacity": 1, "line": {"width": 0}},
        cliponaxis=False,
        hovertemplate=_(
            "%{customdata[0]}: %{customdata[1]:.0f} % of its squared distance lies in this "
            "plane<extra></extra>"
        ),
    )
    picture.add_scatter(
        x=[corner[0]],
        y=[corner[1]],
        mode="markers",
        marker={"symbol": "x-thin", "size": 11, "line": {"color": colours.text, "width": 2}},
        hovertemplate=f"{plane.words[1]} − {plane.words[0]} + {plane.words[2]}<extra></extra>",
    )
    picture.update_layout(showlegend=False)
    picture.update_yaxes(scaleanchor="x", scaleratio=1)
    return picture


def _line(picture: charts.Picture, points: Sequence[tuple[float, float]], looks: Any, **more: Any) -> None:
    x, y = zip(*points, strict=True)
    picture.add_scatter(x=x, y=y, mode="lines", line=looks, hoverinfo="skip", **more)

"""Pictures of analogies: what each term contributes, and the parallelogram."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import plotly.graph_objects as go

from apps.shared import charts
from apps.shared.charts import figure, readable
from apps.shared.style import palette
from apps.vectors.results import AnalogyResult, Neighbour, PlaneResult, Term

_TERM_COLOURS = ("#3f8fa8", "#d9772b", "#7f68b0", "#5b9a48", "#c2577b", "#9a8a3d")


def show_scores(found: Sequence[Neighbour], key: str, alt: str, x_title: str, **looks: Any) -> None:
    """Show words as bars with their scores; ``looks`` as ``charts.bars`` takes them."""
    words, scores = [one.word for one in found], [one.score for one in found]
    charts.show(charts.bars(words, scores, x_title=x_title, **looks), key, f"{alt}{', '.join(words)}")


def term_name(term: Term) -> str:
    """Write a term with its sign and, unless it is 1, its weight, such as "+ paris" or "− 2 × france"."""
    weight = "" if abs(term.weight) == 1 else f"{abs(term.weight):g} × "
    return f"{'+' if term.weight > 0 else '−'} {weight}{term.word}"


def contributions(result: AnalogyResult) -> go.Figure:
    """Draw what each term adds to the score of each answer: stacked bars that end at the mark of the score."""
    colours = palette()
    unit = "score (cosine)" if result.method == "add" else "logarithm of the score"
    picture = figure(x_title=f"contribution to the {unit}", height=110 + 30 * len(result.results))
    words = [f"{neighbour.word} " for neighbour in result.results]
    for index, term in enumerate(result.terms):
        picture.add_bar(
            x=[row[index] for row in result.contributions],
            y=words,
            name=term_name(term),
            orientation="h",
            marker={"color": _TERM_COLOURS[index % len(_TERM_COLOURS)], "line": {"width": 0}},
            hovertemplate=f"{term_name(term)}, for %{{y}}: %{{x:+.3f}}<extra></extra>",
        )
    edge = {"color": colours.ground, "width": 1}
    picture.add_scatter(
        x=[sum(row) for row in result.contributions],
        y=words,
        mode="markers",
        name="sum",
        marker={"symbol": "diamond", "size": 9, "color": colours.text, "line": edge},
        hovertemplate="sum for %{y}: %{x:.3f}<extra></extra>",
    )
    picture.update_layout(barmode="relative", bargap=0.35, margin={"t": 40})
    picture.update_yaxes(autorange="reversed", showgrid=False, type="category")
    return picture


def parallelogram(plane: PlaneResult) -> go.Figure:
    """Draw an analogy in the plane of its three words.

    Arrows go from a, the origin, to b, and from c to the fourth corner; the answers follow near it.
    """
    colours = palette()
    picture = figure(x_title=plane.axes[0], y_title=plane.axes[1], height=440)
    a, b, c = plane.coordinates[:3]
    corner = plane.corner
    looks = {"color": colours.muted, "width": 1, "dash": "dot"}
    _line(picture, (a, b, corner, c, a), looks, fill="toself", fillcolor=_faint(colours.ours))
    for start, end in ((a, b), (c, corner)):
        picture.add_annotation(
            x=end[0], y=end[1], ax=start[0], ay=start[1], xref="x", yref="y", axref="x", ayref="y",
            text="", arrowcolor=colours.text, arrowwidth=1.6, arrowhead=2, standoff=7, startstandoff=6,
        )  # fmt: skip
    answers = plane.coordinates[3:]
    if answers:
        _line(picture, (corner, answers[0]), {"color": colours.ours, "width": 1.4, "dash": "dash"})
    _points(picture, plane, 0, 3, colours.text, 9, "top center")
    _points(picture, plane, 4, len(plane.words), colours.muted, 7, "bottom center")
    _points(picture, plane, 3, 4, colours.ours, 12, "top center")
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


def _line(picture: go.Figure, points: Sequence[tuple[float, float]], looks: Any, **more: Any) -> None:
    x, y = zip(*points, strict=True)
    picture.add_scatter(x=x, y=y, mode="lines", line=looks, hoverinfo="skip", **more)


def _points(
    picture: go.Figure, plane: PlaneResult, start: int, stop: int, colour: str, size: int, place: str
) -> None:
    names = readable(plane.coordinates, plane.words, width=420, height=330)
    rows = list(zip(plane.coordinates, plane.words, plane.kept, names, strict=True))[start:stop]
    picture.add_scatter(
        x=[x for (x, _), *_ in rows],
        y=[y for (_, y), *_ in rows],
        text=[name for *_, name in rows],
        customdata=[(word, 100 * kept) for _, word, kept, _ in rows],
        mode="markers+text",
        textposition=place,
        textfont={"color": colour, "size": 13},
        marker={"color": colour, "size": size},
        cliponaxis=False,
        hovertemplate="%{customdata[0]}: %{customdata[1]:.0f} % of its squared distance lies in this plane"
        "<extra></extra>",
    )


def _faint(colour: str) -> str:
    red, green, blue = (int(colour[start : start + 2], 16) for start in (1, 3, 5))
    return f"rgba({red},{green},{blue},0.10)"

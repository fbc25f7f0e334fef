"""Pictures of analogies: what each term contributes, and the parallelogram."""

from __future__ import annotations

import plotly.graph_objects as go

from apps.shared.charts import figure, readable
from apps.shared.style import palette
from apps.vectors.results import AnalogyResult, PlaneResult, Term

_TERM_COLOURS = ("#3f8fa8", "#d9772b", "#7f68b0", "#5b9a48", "#c2577b", "#9a8a3d")


def term_name(term: Term) -> str:
    """Write a term with its sign and, unless it is 1, its weight.

    Args:
        term: A term of an expression.

    Returns:
        Such as "+ paris" or "− 2 × france".
    """
    weight = "" if abs(term.weight) == 1 else f"{abs(term.weight):g} × "
    return f"{'+' if term.weight > 0 else '−'} {weight}{term.word}"


def contributions(result: AnalogyResult) -> go.Figure:
    """Draw what each term adds to the score of each answer.

    Args:
        result: An answered expression.

    Returns:
        Stacked bars that end, after what is subtracted, at the mark of the score.
    """
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
    picture.add_scatter(
        x=[sum(row) for row in result.contributions],
        y=words,
        mode="markers",
        name="sum",
        marker={
            "symbol": "diamond",
            "size": 9,
            "color": colours.text,
            "line": {"color": colours.ground, "width": 1},
        },
        hovertemplate="sum for %{y}: %{x:.3f}<extra></extra>",
    )
    picture.update_layout(barmode="relative", bargap=0.35, margin={"t": 40})
    picture.update_yaxes(autorange="reversed", showgrid=False, type="category")
    return picture


def parallelogram(plane: PlaneResult, result: AnalogyResult) -> go.Figure:
    """Draw an analogy in the plane of its three words.

    Args:
        plane: The words a, b, c and then answers; a is the origin.
        result: The answered expression, whose answers follow in the plane.

    Returns:
        Arrows from a to b and from c to the fourth corner, and the answers near it.
    """
    colours = palette()
    picture = figure(x_title=plane.axes[0], y_title=plane.axes[1], height=440)
    a, b, c = plane.coordinates[:3]
    corner = plane.corner
    outline = (a, b, corner, c, a)
    picture.add_scatter(
        x=[point[0] for point in outline],
        y=[point[1] for point in outline],
        mode="lines",
        fill="toself",
        fillcolor=_faint(colours.ours),
        line={"color": colours.muted, "width": 1, "dash": "dot"},
        hoverinfo="skip",
    )
    for start, end in ((a, b), (c, corner)):
        picture.add_annotation(
            x=end[0], y=end[1], ax=start[0], ay=start[1], xref="x", yref="y", axref="x", ayref="y",
            text="", arrowcolor=colours.text, arrowwidth=1.6, arrowhead=2, standoff=7, startstandoff=6,
        )  # fmt: skip
    answers = plane.coordinates[3:]
    if answers:
        picture.add_scatter(
            x=[corner[0], answers[0][0]],
            y=[corner[1], answers[0][1]],
            mode="lines",
            line={"color": colours.ours, "width": 1.4, "dash": "dash"},
            hoverinfo="skip",
        )
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


def _points(
    picture: go.Figure, plane: PlaneResult, start: int, stop: int, colour: str, size: int, place: str
) -> None:
    names = readable(plane.coordinates, plane.words, width=420, height=330)
    picture.add_scatter(
        x=[point[0] for point in plane.coordinates[start:stop]],
        y=[point[1] for point in plane.coordinates[start:stop]],
        text=names[start:stop],
        customdata=[
            (word, 100 * kept)
            for word, kept in zip(plane.words[start:stop], plane.kept[start:stop], strict=True)
        ],
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

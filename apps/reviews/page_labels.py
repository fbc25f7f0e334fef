"""Section "Labels": the rows of W in softmax(Wz), the words nearest to them, and their place among word vectors."""

from __future__ import annotations

import numpy as np
import streamlit as st

from apps.reviews.application import Reviews
from apps.reviews.explain import label_embeddings, label_map, main_member, networks
from apps.reviews.page_text import label_looks
from apps.reviews.results import LabelEmbedding, LabelMap
from apps.shared import charts
from apps.shared.language import _
from apps.shared.page import heavy_work, imported_ahead, input_errors, one_of, open_once, plain
from apps.shared.reports import preset_installed
from apps.shared.style import palette
from apps.vectors.application import DEFAULT_PRESET as VECTORS
from apps.vectors.application import TSNE, Vectors

_METHODS = {"PCA": "pca", "t-SNE": "tsne"}


def show(reviews: Reviews, preset: str) -> None:
    """Draw the section."""
    member = _choose_network(reviews)
    name = networks(reviews)[member]
    st.markdown(
        _(
            "The last layer is softmax(Wz): row i of W is the embedding of label i, and the label "
            "whose row has the highest dot product with z wins. Here z is the vector that the network "
            "“{name}” makes of the document.",
            name=plain(name),
        )
    )
    with input_errors():
        found = _embeddings(preset, reviews, member)
        _nearest(found)
        if len(found) > 2:
            charts.show(_cosines(found), "label cosines", _("Cosine between the embeddings of the labels"))
            st.caption(
                _("Cosines between rows, their mean taken away: softmax does not see what all rows share.")
            )
    st.subheader(_("Among words"), anchor=False)
    if not preset_installed(VECTORS):
        st.info(_("The preset {vectors} is not part of this checkout.", vectors=VECTORS))
        return
    imported_ahead(TSNE)
    method = one_of(_("Layout"), list(_METHODS), "layout", named=True)
    with input_errors():
        result = _label_map(preset, reviews, _METHODS[method], member)
        charts.show(_map(result, reviews.labels), "label map", _("Labels among word vectors"), zoom=True)
        pairs = zip(reviews.labels, result.fit, strict=True)
        fits = ", ".join(f"{plain(label)} {fit:.2f}" for label, fit in pairs)
        st.caption(
            _(
                "A label stands where words speak for it: the direction in the space of the page Word "
                "vectors that best foretells what each frequent word adds to its logit (R²: {fits}). "
                "Grey words speak for none. Wheel or pinch zooms, dragging moves.",
                fits=fits,
            )
        )


def _choose_network(reviews: Reviews) -> int:
    """Let the visitor choose one of several networks; each has a W of its own."""
    names = networks(reviews)
    if len(names) == 1:
        return 0
    titles = [f"{number}. {name}" for number, name in enumerate(names, start=1)]
    return titles.index(
        one_of(_("Network"), titles, "network", first=titles[main_member(reviews)], named=True)
    )


@st.cache_data(show_spinner=False, max_entries=8)
def _embeddings(preset: str, _reviews: Reviews, member: int) -> tuple[LabelEmbedding, ...]:
    return label_embeddings(_reviews, member=member)


@st.cache_data(show_spinner="Drawing the map …", max_entries=8)
def _label_map(preset: str, _reviews: Reviews, method: str, member: int) -> LabelMap:
    with heavy_work():
        vectors = open_once(Vectors.from_preset, VECTORS).word_vectors
        return label_map(_reviews, vectors, method=method, member=member)


def _nearest(found: tuple[LabelEmbedding, ...]) -> None:
    looks = label_looks([one.label for one in found])
    width = min(len(found), 3)
    for at, one in enumerate(found):
        if at % width == 0:
            columns = st.columns(width, gap="medium")
        with columns[at % width]:
            st.markdown(f"**{plain(one.label)}**")
            words, scores = [word for word, _ in one.nearest], [score for _, score in one.nearest]
            adds, colour = _("what the word adds to the logit"), looks[one.label][0]
            picture = charts.bars(words, scores, x_title=adds, colour=colour, number=".2f")
            charts.show(
                picture, f"nearest {one.label}", _("Words nearest to the label {label}", label=one.label)
            )


def _cosines(found: tuple[LabelEmbedding, ...]) -> charts.Picture:
    names = [one.label for one in found]
    picture = charts.figure(height=120 + 36 * len(names))
    charts.add_heatmap(
        picture,
        np.array([one.cosines for one in found]),
        x=names,
        y=names,
        zmin=-1,
        zmax=1,
        showscale=False,
        texttemplate="%{z:.2f}",
        xgap=2,
        ygap=2,
        hovertemplate=_("%{y}, %{x}: %{z:.2f}<extra></extra>"),
    )
    picture.update_yaxes(autorange="reversed", type="category", showgrid=False)
    picture.update_xaxes(type="category", showgrid=False)
    return picture


def _map(result: LabelMap, labels: tuple[str, ...]) -> charts.Picture:
    colours, looks, places = palette(), label_looks(labels), result.map
    across, up = charts.axis_titles(places.axes, places.explained)
    picture = charts.figure(x_title=across, y_title=up, height=560)
    is_label = [at < result.labels for at in range(len(result.belongs))]
    marker = {
        "color": [colours.muted if label is None else looks[label][0] for label in result.belongs],
        "size": [16 if label else 6 for label in is_label],
        "symbol": ["diamond" if label else "circle" for label in is_label],
    }
    font = {"color": colours.text, "size": [16 if label else 11 for label in is_label]}
    more = {"size": (900, 480), "marker": marker, "textfont": font}
    charts.add_words(picture, places.coordinates, places.words, **more)
    return picture

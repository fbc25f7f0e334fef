"""Section "Analogy": an expression over words, ours beside gensim's, contributions and the parallelogram."""

from __future__ import annotations

import streamlit as st

from apps.shared import charts
from apps.shared.page import input_errors, plain
from apps.shared.style import palette
from apps.vectors import page_pictures as pictures
from apps.vectors.application import Vectors
from apps.vectors.page_peer import peer_of
from apps.vectors.results import AnalogyResult, Term

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
_METHODS = {"Add": "add", "Multiply": "multiply"}
_ON_PLANE = 5  # answers drawn beside the parallelogram


def show(ours: Vectors, preset: str) -> None:
    """Draw the section."""
    peer = peer_of(preset)
    query, options = _form()
    result = None
    left, right = st.columns(2, gap="medium")
    with left:
        st.markdown(f"**Lectern** · Keras model, {len(ours.word_vectors):,} words")
        with input_errors():
            result = ours.analogy(query, **options)
            _answers(result, "ours", palette().ours)
    with right:
        words = "" if peer is None else f", {len(peer.word_vectors):,} words"
        st.markdown(f"**gensim** · the same text{words}")
        if peer is None:
            st.info("The preset with gensim's vectors is not installed.")
        elif result is not None:
            with input_errors():
                _answers(peer.analogy(query, **options), "peer", palette().peer)
    if result is None or not result.results:
        return
    left, right = st.columns(2, gap="medium")
    with left:
        st.subheader("What each term contributes", anchor=False)
        charts.show(
            pictures.contributions(result), "contributions", "What each term adds to the score of each answer"
        )
    with right:
        st.subheader("The parallelogram", anchor=False)
        _parallelogram(ours, result)


def _form() -> tuple[str, dict]:
    with st.form("analogy_form"):
        box, button = st.columns([5, 1], vertical_alignment="bottom")
        query = box.text_input(
            "Words with + and −",
            DEFAULT,
            key="q",
            bind="query-params",
            max_chars=1000,
            help="Weights are numbers before a star: 2*king - man. A word with a hyphen stands in quotes.",
        )
        button.form_submit_button("Answer", type="primary", width="stretch")
        with st.expander("Options"):
            method = st.segmented_control(
                "Method",
                list(_METHODS),
                default="Add",
                required=True,
                key="method",
                bind="query-params",
                help="Add: cosine with the sum (3CosAdd). Multiply: product of similarities (3CosMul).",
            )
            topn = st.slider("Answers", 1, 30, 8, key="n", bind="query-params")
            expected = st.text_input(
                "Rank of an expected word", key="expected", bind="query-params", max_chars=100
            )
            allow = st.checkbox("Words of the expression may answer", key="allow", bind="query-params")
    with st.container(horizontal=True, gap="xsmall"):
        for example in EXAMPLES:
            st.button(example, on_click=_ask, args=(example,), key=f"ask {example}")
    return query, {
        "topn": topn,
        "method": _METHODS[method],
        "allow_query_words": allow,
        "expected": expected.strip() or None,
    }


def _ask(example: str) -> None:
    st.session_state["q"] = example  # the widget writes it into the address


def _answers(result: AnalogyResult, key: str, colour: str) -> None:
    add = result.method == "add"
    unit, limits = ("cosine with the sum of the terms", (0, 1)) if add else ("3CosMul score", None)
    pictures.show_scores(result.results, f"answers {key}", "Answers: ", unit, colour=colour, limits=limits)
    if result.expected is not None:
        at = result.expected_rank
        rank = "is a word of the expression" if at is None else f"has rank {at:,}"
        st.caption(f"“{plain(result.expected)}” {rank}, score {result.expected_score:.3f}.")


def _parallelogram(vectors: Vectors, result: AnalogyResult) -> None:
    corners = _corners(result.terms)
    if corners is None:
        st.info(
            "A parallelogram needs two different words that are added and one that is subtracted: b − a + c."
        )
        return
    answers = [neighbour.word for neighbour in result.results if neighbour.word not in corners][:_ON_PLANE]
    with input_errors():
        plane = vectors.plane([*corners, *answers])
        charts.show(
            pictures.parallelogram(plane),
            "parallelogram",
            f"{corners[1]} − {corners[0]} + {corners[2]} and the answers in the plane of the three words",
        )
        st.caption(
            "Exact for the three words and for the cross, their sum; every answer is dropped onto the plane "
            "at a right angle. Unit: vectors of length 1."
        )


def _corners(terms: tuple[Term, ...]) -> tuple[str, str, str] | None:
    """Name a, b and c of "b - a + c", or None where the expression has another form."""
    added = [term.word for term in terms if term.weight == 1]
    subtracted = [term.word for term in terms if term.weight == -1]
    if len(terms) == 3 and len(added) == 2 and len({*added, *subtracted}) == 3:
        return subtracted[0], added[0], added[1]
    return None

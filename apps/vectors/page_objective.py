"""Section "How it learns": the training objective on a sentence of your own."""

from __future__ import annotations

from html import escape

import numpy as np
import streamlit as st

from apps.shared import charts
from apps.shared.language import N_, _, ngettext
from apps.shared.page import input_errors, one_of, plain, text_box
from apps.shared.style import palette
from apps.vectors.application import Vectors
from apps.vectors.objective import MaskedPrediction, masked_prediction, sentence_words
from apps.vectors.page_peer import beside
from data_prep.text.embeddings import WordVectors

DEFAULT = "The orchestra played a symphony by the German composer Ludwig van Beethoven."
_LENGTHS = (N_("As learned"), N_("Length 1"))


def show(ours: Vectors, preset: str) -> None:
    """Draw the section."""
    keys, ours = beside(preset, "output"), beside(preset, "input") or ours
    output = None if keys is None else keys.word_vectors
    st.markdown(
        _(
            "Training hides one word and lets its neighbours find it: their vectors add up to a "
            "**query** z, and softmax over z·v searches the whole vocabulary, whose vectors v are "
            "the **keys**."
        )
    )
    sentence = text_box(st, _("Sentence"), DEFAULT, "sentence", 1000)
    with input_errors():
        words = sentence_words(sentence)
        result = _predict(ours, output, sentence, words)
        _sentence(result)
        _layers(result)


def _predict(ours: Vectors, output: WordVectors | None, sentence: str, words: list[str]) -> MaskedPrediction:
    columns = st.columns([3, 3, 2, 2], vertical_alignment="bottom")
    position = columns[0].selectbox(
        _("Masked word"),
        range(len(words)),
        index=min(8, len(words) - 1),
        format_func=lambda index: f"{index + 1}. {words[index]}",
        key="mask",
        bind="query-params",
    )
    window = columns[1].slider(_("Window, words on each side"), 1, 10, 5, key="window", bind="query-params")
    combination = one_of(_("z is the"), (N_("Sum"), N_("Mean")), "combine", place=columns[2], named=True)
    lengths = one_of(_("Keys"), _LENGTHS, "keys", place=columns[3], named=True)
    return masked_prediction(
        ours,
        sentence,
        position,
        window=window,
        combination=combination.lower(),
        unit_keys=lengths == _LENGTHS[1],
        output=output,
    )


def _sentence(result: MaskedPrediction) -> None:
    colours = palette()
    looks = {
        "masked": f"border:2px solid {colours.peer};color:{colours.text};font-weight:600",
        "context": f"background:{colours.ours};color:{colours.ground};border:2px solid {colours.ours}",
        "unknown": f"border:2px dashed {colours.ours};color:{colours.text}",
        "outside": f"border:2px solid {colours.grid};color:{colours.text};opacity:.75",
    }
    chips = "".join(
        f'<span style="padding:.15rem .55rem;border-radius:.4rem;{looks[token.role]}">'
        f"{'[???] ' if token.role == 'masked' else ''}{escape(token.text)}</span>"
        for token in result.tokens
    )
    st.html(
        f'<div data-picture style="display:flex;flex-wrap:wrap;gap:.4rem;align-items:center">{chips}</div>'
    )
    context = sum(token.role == "context" for token in result.tokens)
    unknown = [token.text for token in result.tokens if token.role == "unknown"]
    words = ngettext("{n} word", "{n} words", context)
    left_out = (
        _(" · dashed: no vector, left out: {words}", words=plain(", ".join(unknown))) if unknown else ""
    )
    st.caption(
        _(
            "Filled: the context, {words} whose vectors make z · framed: the masked word · pale: "
            "outside the window{left_out}",
            words=words,
            left_out=left_out,
        )
    )


def _layers(result: MaskedPrediction) -> None:
    left, right = st.columns(2, gap="medium")
    with left:
        st.subheader(_("Second layer: softmax(z·v)"), anchor=False)
        _probabilities(result)
    with right:
        st.subheader(_("Direction and length"), anchor=False)
        charts.show(_dot_products(result), "dot products", _("Length and cosine of the best candidates"))
        st.caption(
            _(
                "z·v = |z| |v| cos θ. A key wins by pointing where z points and, where cos θ is "
                "positive, by being long; along a dotted line z·v is the same."
            )
        )
    if result.tied:
        st.info(
            _(
                "These vectors are the input matrix only, as word2vec is usually saved, so the same "
                "matrix serves as keys here, as in the lecture's model. In training a second matrix "
                "held the keys, so the guess above is rougher than the model's own was."
            )
        )
    _step(result)


def _marked(result: MaskedPrediction) -> list[str]:
    """Give the masked word another colour than the other candidates."""
    colours = palette()
    return [colours.peer if one == result.target else colours.ours for one in result.shown]


def _probabilities(result: MaskedPrediction) -> None:
    words, shares = [one.word for one in result.shown], [100 * one.probability for one in result.shown]
    looks = {"x_title": _("probability, %"), "colour": _marked(result), "number": ".3~g"}
    alt = _("Most probable words: {words}", words=", ".join(words))
    charts.show(charts.bars(words, shares, **looks), "probabilities", alt)
    if result.target is None or result.loss is None:
        st.caption(_("The masked word has no vector: there is no loss for it."))
    else:
        st.caption(
            _(
                "“{word}” has rank {target_rank:,}; loss {loss:.2f} nats, against {uniform_loss:.2f} "
                "for a guess without context.",
                word=plain(result.target.word),
                target_rank=result.target_rank,
                loss=result.loss,
                uniform_loss=result.uniform_loss,
            )
        )


def _dot_products(result: MaskedPrediction) -> charts.Picture:
    colours, shown = palette(), result.shown
    picture = charts.figure(
        x_title=_("cos θ between key and query"), y_title=_("|v|, length of the key"), height=400
    )
    cosines, norms, dots = ([getattr(one, name) for one in shown] for name in ("cosine", "norm", "dot"))
    margin = 0.12 * (max(cosines) - min(cosines)) + 0.01
    low, high = min(cosines) - margin, max(cosines) + margin
    for dot in np.linspace(min(dots), max(dots), 5):
        across = np.linspace(low, high, 80)
        across = across[across * dot > 1e-6]  # a length is positive: cosine and product have one sign
        picture.add_scatter(
            x=across,
            y=dot / (across * result.query_norm),
            mode="lines",
            line={"color": colours.muted, "width": 1, "dash": "dot"},
            hovertemplate=f"z·v = {dot:.1f}<extra></extra>",
        )
    charts.add_words(
        picture,
        list(zip(cosines, norms, strict=True)),
        [one.word for one in shown],
        size=(300, 260),
        marker={"size": 9, "color": _marked(result)},
        customdata=[(one.word, one.dot) for one in shown],
        hovertemplate="%{customdata[0]}: z·v = %{customdata[1]:.2f}<extra></extra>",
    )
    picture.update_layout(showlegend=False)
    picture.update_xaxes(range=[low, high])
    picture.update_yaxes(range=[0, 1.2 * max(norms)])
    return picture


def _step(result: MaskedPrediction) -> None:
    st.subheader(_("What one step of SGD would do"), anchor=False)
    shown = sorted(result.shown, key=lambda candidate: -candidate.step)
    words, steps = [one.word for one in shown], [one.step for one in shown]
    colours = [palette().positive if step > 0 else palette().negative for step in steps]
    looks = {
        "x_title": _("change of the key, in learning rates times z"),
        "colour": colours,
        "number": "+.3~g",
    }
    alt = _("Change of each key by one step of stochastic gradient descent")
    charts.show(charts.bars(words, steps, **looks), "step", alt)
    st.caption(
        _(
            "The masked word's key moves towards z by 1 − P, every other key away from it by its "
            "own P; the context's vectors move towards the masked word's key and away from the "
            "others."
        )
    )

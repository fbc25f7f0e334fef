"""What presets reach where their input is worse or of other origin; measured by ``benchmarks.robustness``."""

from __future__ import annotations

from dataclasses import replace

from apps.shared.language import N_
from apps.shared.reports import Stored
from apps.shared.tables import Column, Rows, Table

CONDITIONS = {
    "clean": N_("as it is"),
    "typos_1": N_("typos in 1 % of the letters"),
    "typos_3": N_("typos in 3 % of the letters"),
    "typos_5": N_("typos in 5 % of the letters"),
    "upper": N_("upper case"),
    "unpunctuated": N_("without punctuation"),
    "shift_1": N_("shifted by up to 1 pixel"),
    "shift_2": N_("shifted by up to 2 pixels"),
    "shift_4": N_("shifted by up to 4 pixels"),
    "rotation_15": N_("turned by up to 15°"),
    "rotation_30": N_("turned by up to 30°"),
    "noise_20": N_("noise, 20 % of the ink"),
    "noise_40": N_("noise, 40 % of the ink"),
    "thinner": N_("thinner strokes"),
    "thicker": N_("thicker strokes"),
    "wikipedia": N_("another text: Wikipedia"),
    "reviews": N_("another text: film reviews"),
    "web": N_("another text: the web"),
}
MEASURES = {
    "digits_mnist": N_("digits right, %"),
    "digits_lecture": N_("digits right, %"),
    "tagger_en_ewt": N_("universal tags right, gold tokens, %"),
    "ocr_letters": N_("letters read wrong, %"),
    "ocr_words": N_("letters read wrong, words in one piece, %"),
    "reviews_imdb": N_("reviews right, %"),
    "writer_shakespeare": N_("loss, nats a character"),
}
CONTRASTS = {
    "negation": N_("negation (“It is not bad at all.”)"),
    "expectation": N_("expectation (“I expected to love it.”)"),
    "turn": N_("turn (“The idea is good, but it is dull.”)"),
    "all": N_("all"),
}
ORIGINS = {
    "goods": N_("goods (“Thin as tissue paper.”)"),
    "places": N_("places (“Helpful chat, sorted in five minutes.”)"),
    "works": N_("works and posts (“Finally, a grown-up love story.”)"),
    "news": N_("news (“Oil spill far worse than admitted”)"),
    "all": N_("all"),
}


def _change(row: Stored) -> float:
    return row["score"] - row.parent["clean.score"]


_SCORE = Column("score", "score", ".2f")
_ERROR, _N = Column("standard error", "standard_error", ".2f"), Column("n", "n", ",")
ROBUSTNESS = Table(
    "robustness",
    "python -m benchmarks.robustness --store",
    "preset and what is done to its input",
    (_SCORE, Column("change", _change, "+.2f"), _ERROR, _N),
    (Rows("presets.*.*", lambda __, preset, condition: f"`{preset}`: {condition}", ({}, CONDITIONS)),),
    facts="Copies of the test data, made worse with seed {settings.seed}; {settings.processor}.",
)
NEGATIONS = Table(
    "robustness",
    ROBUSTNESS.command,
    "kind of sentence",
    (
        Column("right, %", "score", ".2f"),
        _ERROR,
        Column("sentences", "n", ","),
        Column("templates", "templates", ","),
    ),
    (Rows("contrasts.*", "{0}", (CONTRASTS,)),),
    facts="Sentences made of templates and words, half of them praise; guessing is right in 50 %. The standard "
    "error counts templates, not sentences.",
)
OTHER_ORIGINS = Table(
    "robustness",
    ROBUSTNESS.command,
    "sentences about",
    (Column("right, %", "score", ".2f"), _ERROR, Column("sentences", "n", ",")),
    (Rows("origins.*", "{0}", (ORIGINS,)),),
    facts="Half of the sentences praise; guessing is right in 50 %.",
)


def robustness_of(preset: str) -> Table:
    """Describe what one preset reaches; the table is headed by its name."""
    return replace(ROBUSTNESS, header=preset, rows=(Rows(f"presets.{preset}.*", "{0}", (CONDITIONS,)),))

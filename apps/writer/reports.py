"""What commands measured and stored about the writer: scores of a preset, the loss ladder, and how fast it writes."""

from __future__ import annotations

import math

from apps.shared.language import N_
from apps.shared.reports import Stored
from apps.shared.tables import BLANK, Column, Report, Rows, Table
from data_prep.errors import InputError

NETWORKS = ("rnn", "mgu", "gru", "lstm")
TITLES = {
    "uniform": N_("every character equally likely"),
    "unigram": "unigram",
    "bigram": "bigram, Kneser-Ney",
    "five_gram": "5-gram, Kneser-Ney",
    "rnn": N_("simple recurrent network"),
    "mgu": "MGU",
    "gru": "GRU",
    "lstm": "LSTM",
    "shipped": "the shipped model",
}
_TOKENS = {"char": "characters", "word": "words", "piece": "word pieces"}
TO_BITS = f"/{math.log(2.0)!r}"  # behind a path in nats


def shape_of(found: Stored) -> str:
    """Name layers, cell and units of a preset."""
    layers = "one layer" if found["config.layers"] == 1 else found.text("{config.layers} layers")
    members = found.text("{config.members} networks of ") if found["config.members"] > 1 else ""
    return found.text(
        "{0}{1} of {config.units} {2} units, reads {3}",
        members,
        layers,
        found["config.cell"].upper(),
        _TOKENS[found["config.tokenizer"]],
    )


def _char_rnn(row: Stored) -> float:
    """Return the loss of a writer that was trained for char-rnn's split."""
    if row["split"] != "char_rnn":
        raise InputError(
            f"The results {row.file} are those of another split", allowed="char_rnn", received=row["split"]
        )
    return row["nats_per_character"]


NATS = Column("nats a character", "metrics.nats_per_character.score", ".4f")
BITS = Column("bits a character", f"metrics.nats_per_character.score{TO_BITS}", ".3f")
PARAMETERS = Column("parameters", "metadata.weights.parameters", ",")
MINUTES = Column("training, minutes", "metadata.seconds/60", ".0f")
SCORES = Table(
    "char_lm",
    "python -m apps writer fit",
    "Tiny Shakespeare",
    (
        NATS,
        Column("standard error", "metrics.nats_per_character.standard_error", ".4f"),
        BITS,
        Column("characters", "metrics.nats_per_character.n", ","),
    ),
    (
        Rows("", "Lectern (`{0}`), last 10 %"),
        Rows(
            "metrics.nats_per_character.published.*",
            "{1}, last 10 %",
            columns=(Column("", "", "g"),),
            optional=True,
        ),
        Rows(
            "",
            "one network, trained and scored by char-rnn's split",
            columns=(
                Column("", _char_rnn, ".4f"),
                BLANK,
                Column("", f"nats_per_character{TO_BITS}", ".3f"),
                Column("", "n", ","),
            ),
            source="writer_char_rnn",
        ),
    ),
    lambda found, escape: found.text(
        "{0}; {metadata.weights.parameters:,} parameters, trained in {metadata.seconds/60:.0f} minutes on "
        "{metadata.processor}.",
        shape_of(found),
        escape=escape,
    ),
    presets=("writer_shakespeare",),
)

_PARTS = {
    "first": "the first fifth, by which the rate was chosen",
    "rest": "the other four fifths",
    "all": "all of it",
}
DYNAMIC = Table(
    "writer_dynamic",
    "python -m benchmarks.writer_dynamic --whole --store",
    "last 10 % of Tiny Shakespeare",
    (
        Column("as it is, nats a character", "plain", ".4f"),
        Column("learning while it reads", "learning", ".4f"),
        Column("standard error", "standard_error", ".4f"),
        Column("characters", "n", ","),
    ),
    (Rows("parts.*", "{0}", (_PARTS,)),),
    "Every piece of {settings.piece} characters is scored before it is learned; the preset stays as it is.",
)


def rung_name(row: Stored, *_: str) -> str:
    """Name a rung of the ladder, one that it knows."""
    if row["name"] not in TITLES:
        raise InputError(
            "The loss ladder has an unknown rung", allowed=", ".join(TITLES), received=row["name"]
        )
    return (
        TITLES[row["name"]]
        if row.get("units") is None
        else row.text("{0}, {units} units", TITLES[row["name"]])
    )


LADDER = Table(
    "loss_ladder",
    "python -m benchmarks.loss_ladder --store",
    "model",
    (
        Column("nats a character", "nats_per_character", ".4f", "nats a character, held-out text"),
        Column("standard error", "standard_error", ".4f"),
        Column("bits a character", f"nats_per_character{TO_BITS}", ".3f"),
        Column("parameters", "parameters", ","),
        Column("seconds", "seconds", lambda seconds: format(seconds, ",.0f" if seconds >= 10 else ".1f")),
    ),
    (Rows("rungs.*", rung_name),),
    "{settings.text}: {settings.train_characters:,} characters to learn from, {rungs.0.n:,} scored. The four networks "
    "have one recurrent layer, at most {settings.budget:,} parameters and one recipe of {settings.recipe.epochs} "
    "epochs; {settings.processor}.",
)


def samples(report: Report) -> str:
    """Write what every rung of the ladder wrote, in Markdown."""
    parts = []
    for line in report.lines:
        lines = f"{report.found['settings.prompt']}{line.row['sample']}".split("\n")
        heading = line.row.text("**{0}** ({nats_per_character:.2f} nats)", TITLES[line.row["name"]])
        parts.append("\n".join([heading, "", *(f"    {one}" for one in lines)]))
    return "\n\n".join(parts)

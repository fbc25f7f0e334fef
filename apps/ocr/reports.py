"""What commands measured and stored about the reader: protocols, a peer, and noise."""

from __future__ import annotations

from dataclasses import replace

from apps.ocr.evaluation import WAYS
from apps.shared.language import N_
from apps.shared.reports import Stored
from apps.shared.tables import Column, Report, Rows, Table

SYSTEMS = {
    "bilstm": "Lectern, BiLSTM",
    "search": "Lectern, with language model",
    "python-crfsuite": "CRFsuite on pixels",
}
SEEN, UNSEEN = "a", "c"  # protocols whose test words were learned, and were not
HEADINGS = {
    "a": N_("(a) nine folds learned"),
    "b": N_("(b) one fold learned"),
    "c": N_("(c) words never learned"),
}
_SHOWN = ("alone", "context", "greedy", "words", "sizes")  # ways of reading in README
KINDS = {
    "wrong": N_("Context is wrong"),
    "helps": N_("Context helps"),
    "both": N_("Wrong either way"),
}  # of errors
SCORES = Table(
    "ocr",
    "python -m apps ocr fit",
    "fold 0",
    (
        Column("character error, %", "score", ".2f"),
        Column("standard error", "standard_error", ".2f"),
        Column("word error, %", "word_error", ".2f"),
        Column("letters", "n", ","),
    ),
    (
        Rows(
            "metrics.*",
            lambda row, preset, _: (
                f"`{preset}`: {row['protocol'].split(';')[0].removeprefix('character error, ')}"
            ),
            ({}, {way: way for way in _SHOWN}),
        ),
    ),
    presets=("ocr_letters", "ocr_words"),
)
WAYS_SCORES = replace(SCORES, header="read by", rows=(Rows("metrics.*", "{1}", ({}, WAYS)),))
PEERS = Table(
    "ocr_peers",
    "python -m benchmarks.peers --task ocr --store",
    "system",
    (
        Column("character error, %", "character_error", ".2f", "letters read wrong, %"),
        Column("word error, %", "word_error", ".2f", "words read wrong, %"),
        Column("training, s", "training_seconds", ",.0f", optional=True),
    ),
    (Rows("systems.*", names=(SYSTEMS,)),),
    "The {settings.words:,} words of fold 0, all systems trained on the others; threads: {settings.threads}; "
    "{settings.processor}.",
)
CONTEXT = Table(
    "ocr_context",
    "python -m benchmarks.ocr_context --store",
    "way",
    (),
    (Rows("curves.*"),),
    lambda found, escape: (
        found.text("On the {curves.alone.n:,} letters of fold 0")
        + (found.text(", words in one piece on {curves.words.n:,}") if "words" in found["curves"] else "")
        + found.text("; {settings.processor}.", escape=escape)
    ),
)
PROTOCOLS = Table(
    "ocr_protocols",
    "python -m benchmarks.ocr_protocols --runs runs/ocr --store",
    "network",
    (
        Column("character error, %", "character_error.mean", ".2f"),
        Column("± s.d.", "character_error.deviation", ".2f"),
        Column("word error, %", "word_error.mean", ".2f"),
        Column("± s.d., words", "word_error.deviation", ".2f"),
        Column("splits", "splits"),
        Column("letters read", "n", ","),
    ),
    (Rows("protocols.*.networks.*", "{text}"),),
)


def protocol_reports(found: Stored) -> dict[str, Report]:
    """Fill a table for each protocol, with what others published.

    Raises:
        InputError: The results are damaged.
    """
    reports = {}
    for (name,), protocol in found.rows("protocols.*"):
        learned = [format(count, ",") for count in sorted({*protocol.numbers("learned_letters")})]
        facts = protocol.text(
            "{0} splits, {1} letters to learn from, {passes} passes; trained and scored in {seconds/60:.0f} "
            "minutes; threads: {measured.threads}; {measured.processor}.",
            str(len(protocol["splits"])),
            " to ".join(dict.fromkeys((learned[0], learned[-1]))),
        )
        rows = (
            Rows(f"protocols.{name}.networks.*", "{text}"),
            Rows(f"published.{name}.*", "{0} (published)", columns=(Column("", "", ".1f"),), optional=True),
        )
        reports[name] = replace(
            PROTOCOLS, rows=rows, facts=lambda _, escape, facts=facts: escape(facts)
        ).report(found)
    return reports


def every_protocol(report: Report) -> str:
    """Write a table for each protocol."""
    parts = [
        f"**({name})** {report.found[f'protocols.{name}.text']}:\n\n{one.markdown()}"
        for name, one in protocol_reports(report.found).items()
    ]
    return "\n\n".join([*parts, f"Measure again: `{PROTOCOLS.command}`."])


def by_protocol(report: Report) -> str:
    """Write one table with the character error of each network in each protocol."""
    errors: dict[str, dict[str, float]] = {}
    for (protocol, _), network in report.found.rows("protocols.*.networks.*"):
        if protocol in HEADINGS:
            errors.setdefault(network["text"], {})[protocol] = network["character_error.mean"]
    names = [name for name in report.found["protocols"] if name in HEADINGS]
    passes = ", ".join(str(report.found[f"protocols.{name}.passes"]) for name in names)
    table = replace(
        PROTOCOLS,
        header="character error, %",
        columns=tuple(Column(HEADINGS[name], name, ".2f", optional=True) for name in names),
        rows=(Rows("*"),),
        facts=f"Mean over the splits of each protocol, with {passes} passes over the words.",
    )
    return table.report(Stored(report.found.file, errors)).markdown()


def noise_curves(found: Stored) -> dict[str, list[float]]:
    """Read how errors grow with noise: way of reading to character error at each level, percent.

    Raises:
        InputError: The results are damaged.
    """
    count = len(found.numbers("levels"))
    curves = {
        way: curve.numbers("character_error")
        for (way,), curve in found.rows("curves.*", ({w: w for w in WAYS},))
    }
    for way, curve in curves.items():
        if len(curve) != count:
            raise found.damaged(f"a point of the curve {way}")
    return curves

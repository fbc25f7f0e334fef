"""What commands measured and stored about word vectors: scores of the presets, and the benchmark against gensim."""

from __future__ import annotations

from dataclasses import replace

from apps.shared.reports import Escape, Stored
from apps.shared.tables import Column, Report, Rows, Table

PRESETS = {"vectors_en_wiki": "Lectern", "vectors_en_wiki_gensim": "gensim"}
TASKS = {"skipgram": "skip-gram", "cbow": "CBOW"}
SYSTEMS = {"ours": "Lectern", "gensim": "gensim"}
SCORES = Table(
    "word_vectors",
    "python -m apps vectors fit",
    "vectors",
    (
        Column("Google analogies, %", "metrics.google_analogies.score", ".1f"),
        Column(
            "mixed with spelling as ours, %", "metrics.google_analogies_mixed.score", ".1f", optional=True
        ),
        Column("answered", "{metrics.google_analogies.n:,} of {metrics.google_analogies.of:,}"),
        Column("WordSim-353 ρ (pairs)", "{metrics.wordsim353.score:.3f} ({metrics.wordsim353.n})"),
        Column("SimLex-999 ρ (pairs)", "{metrics.simlex999.score:.3f} ({metrics.simlex999.n})"),
    ),
    (Rows("", "{0} (`{preset}`)", (PRESETS,)),),
    presets=tuple(PRESETS),
)


def _ratio(row: Stored) -> float | None:
    """Return the speed by gensim's at the same task."""
    own, peer = row.get("words_per_second"), row.parent.get("gensim.words_per_second")
    return own / peer if own and peer else None


def _protocol(found: Stored, escape: Escape) -> str:
    epochs = "one epoch" if found["settings.epochs"] == 1 else found.text("{settings.epochs} epochs")
    return found.text(
        "{settings.tokens:,} tokens of {settings.text}, {0}, {settings.threads} threads on {settings.processor}; the "
        "same vocabulary and settings for both, one scorer.",
        epochs,
        escape=escape,
    )


SPEED = Table(
    "word2vec_vs_gensim",
    "python -m benchmarks.word2vec_vs_gensim --store",
    "model",
    (
        Column("words/s", "words_per_second", ",.0f", "words a second", True),
        Column("speed / gensim", _ratio, ".2f"),
        Column("analogies, %", "analogies", ".1f", "Google analogies, % right", True),
        Column("answered", "answered", ",", optional=True),
        Column("WordSim-353 ρ", "wordsim353", ".3f", "WordSim-353, Spearman's ρ", True),
        Column("SimLex-999 ρ", "simlex999", ".3f", "SimLex-999, Spearman's ρ", True),
        Column("peak memory, MiB", "peak_memory_mib", ",.0f", "peak memory, MiB", True),
        Column("text to vocabulary, s", "seconds_to_vocabulary", ".1f", "text to vocabulary, s", True, False),
        Column("training, s", "seconds", ".1f", optional=True, readme=False),
    ),
    (Rows("*.*", "{0}, {1}", (TASKS, SYSTEMS)),),
    _protocol,
)


def sections(scores: Report) -> Report:
    """Fill a table of the analogy scores by section, with columns for each preset of ``scores``.

    Raises:
        InputError: A preset does not hold them.
    """
    rows, columns = {}, []
    for at, line in enumerate(scores.lines):
        name = line.names[0]
        columns += [
            Column(f"{name}, %", f"{at}.accuracy", ".1f"),
            Column(f"{name}, right", f"{at}.correct", ",", readme=False),
            Column(f"{name}, answered", f"{{{at}.answered:,}} of {{{at}.of:,}}"),
        ]
        for (section,), found in line.row.rows("metrics.google_analogies.sections.*"):
            rows.setdefault(section, {})[str(at)] = found.values
    table = replace(SCORES, header="section", columns=tuple(columns), rows=(Rows("*"),), presets=())
    return table.report(Stored("of the presets", rows))

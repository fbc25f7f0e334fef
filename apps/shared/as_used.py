"""The table of what the product takes as people use it, beside its peers."""

from __future__ import annotations

from dataclasses import replace

from apps.shared.language import _
from apps.shared.tables import BLANK, Column, Rows, Table


def _rows(label: str, ours: str, peer: str = "", form: str = ",.0f") -> Rows:
    columns = []
    for cores in "12":
        columns.append(Column("", f"cores.{cores}.{ours}", form))
        columns.append(Column("", f"cores.{cores}.{peer}", form, optional=True) if peer else BLANK)
    return Rows("", label, columns=tuple(columns))


AS_USED = Table(
    "as_used",
    "python -m benchmarks.as_used --isa avx2 --store",
    "what a person does",
    (Column("one core", ""), Column("peer", ""), Column("two cores", ""), Column("peer, two cores", "")),
    (
        _rows("`writer generate --length 200` from a shell, s", "writer.cold_seconds", form=".2f"),
        _rows("the same, MiB of memory", "writer.cold_mib"),
        _rows("the same, s to the first character", "writer.first_character_seconds", form=".2f"),
        _rows("characters written a second (PyTorch, same network)", "writer.characters_per_second",
              "writer.torch_characters_per_second"),
        _rows("characters scored a second", "writer.scored_characters_per_second"),
        _rows("`tagger tag` from a shell, s", "tagger.cold_seconds", form=".2f"),
        _rows("words a second, raw text to CoNLL-U (spaCy)", "tagger.raw_words_per_second",
              "tagger.spacy_raw_words_per_second"),
        _rows("given words tagged a second", "tagger.given_words_per_second"),
        _rows("one sentence, ms", "tagger.one_sentence_ms", form=".2f"),
        _rows("`vectors analogy` from a shell, s", "vectors.cold_seconds", form=".2f"),
        _rows("one analogy, ms (gensim)", "vectors.one_analogy_ms", "vectors.gensim_one_analogy_ms", ".2f"),
        _rows("`digits classify` from a shell, s", "digits.cold_seconds", form=".2f"),
        _rows("digits classified a second (PyTorch, same network)", "digits.images_per_second",
              "digits.torch_images_per_second"),
        _rows("`ocr read` from a shell, s", "ocr.cold_seconds", form=".2f"),
        _rows("words read a second, letters cut apart", "ocr.words_per_second"),
        _rows("words read a second, in one piece", "ocr.unsegmented_words_per_second"),
        _rows("`reviews classify` from a shell, s", "reviews.cold_seconds", form=".2f"),
        _rows("reviews classified a second (TF-IDF)", "reviews.documents_per_second",
              "reviews.tfidf_documents_per_second"),
    ),
    lambda found, escape: found.text(
        _(
            "{processor}, instruction set: {isa}; medians of passes in turn, from file to file with the shipped "
            "presets."
        ),
        escape=escape,
    ),
)  # fmt: skip
NATIVE = replace(AS_USED, name="as_used_native", command="python -m benchmarks.as_used --isa native --store")

"""Results of ``benchmarks.as_used`` as it stores them."""

from __future__ import annotations

from typing import Any

_FIELDS = {
    "writer": ("cold_mib", "first_character_seconds", "characters_per_second", "torch_characters_per_second",
               "scored_characters_per_second"),
    "tagger": ("raw_words_per_second", "spacy_raw_words_per_second", "given_words_per_second", "one_sentence_ms"),
    "vectors": ("one_analogy_ms", "gensim_one_analogy_ms"),
    "digits": ("images_per_second", "torch_images_per_second"),
    "ocr": ("words_per_second", "unsegmented_words_per_second"),
    "reviews": ("documents_per_second", "tfidf_documents_per_second"),
}  # fmt: skip


def as_used_results() -> dict[str, Any]:
    """Return ours at 20 on one core and 40 on two, the peers' at 10 and 15."""

    def figures(ours: float, peer: float) -> dict[str, Any]:
        peers = ("torch", "spacy", "gensim", "tfidf")
        return {
            name: {field: peer if field.startswith(peers) else ours for field in ("cold_seconds", *fields)}
            for name, fields in _FIELDS.items()
        }

    return {"isa": "avx2", "processor": "one", "cores": {"1": figures(20.0, 10.0), "2": figures(40.0, 15.0)}}

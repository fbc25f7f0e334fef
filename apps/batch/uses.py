"""What a batch can do with documents: for each use the application, how it answers, and the columns of an answer."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from apps.reviews.application import TOGETHER, Reviews
from apps.tagger.application import Tagger
from apps.vectors.application import Vectors
from apps.writer.application import Writer
from data_prep.errors import InputError
from data_prep.readers.labelled_texts import Refused

if TYPE_CHECKING:
    import pyarrow

Texts = Sequence[str | Refused]
Answers = Sequence[dict[str, Any] | str | Refused]  # for each text, a str where a line is not what is written

_MANY = ["Dogs bark and cats sleep."] * 50  # words after which machine code answers


@dataclass(frozen=True)
class Use:
    """One thing that can be done.

    Args:
        open: Opens a preset by its name or folder, None for the shipped one.
        answer: Answers texts; options as keywords. What was refused goes through.
        schema: Types of the columns of an answer, for Parquet.
        characters: Of a part, after which it ends.
        together: Documents that are answered together.
    """

    open: Callable[[str | None], Any]
    answer: Callable[..., Answers]
    schema: Callable[[Any], dict[str, pyarrow.DataType]]
    characters: int
    together: int = 1


def fingerprint(application: Any) -> str:
    """Return the SHA-256 of what is said of the files that answer, those of the tagger's segmenter included."""
    parts = (application, getattr(application, "segmenter", None))
    said = [part.metadata for part in parts if part is not None]
    return hashlib.sha256(json.dumps(said, sort_keys=True).encode()).hexdigest()


def _open_tagger(preset: str | None) -> Tagger:
    tagger = Tagger.from_preset(preset)
    tagger.tag_batch(_MANY)  # so that a part has the same answers whenever it comes
    return tagger


def _tag(tagger: Tagger, texts: Texts, form: str) -> Answers:
    texts = [_kept(tagger.stream, text) for text in texts]  # which refuses at once, and reads later
    good = [text for text in texts if isinstance(text, str)]
    found: Any = (
        tagger.conllu_batch(good) if form == "conllu" else (one.to_dict() for one in tagger.tag_batch(good))
    )
    answers = iter(found)
    return [next(answers) if isinstance(text, str) else text for text in texts]


def _tag_schema(tagger: Tagger) -> dict[str, pyarrow.DataType]:
    import pyarrow as pa

    alternative = pa.struct({"tag": pa.string(), "probability": pa.float64()})
    token = {
        "text": pa.string(),
        "start": pa.int64(),
        "end": pa.int64(),
        "upos": pa.string(),
        "xpos": pa.string(),
    }
    token |= {"probability": pa.float64(), "alternatives": pa.list_(alternative), "unknown": pa.bool_()}
    sentence = pa.struct({"text": pa.string(), "tokens": pa.list_(pa.struct(token))})
    return {"sentences": pa.list_(sentence)}


def _classify(reviews: Reviews, texts: Texts, form: str) -> Answers:
    return [
        one if isinstance(one, Refused) else one.to_dict()
        for one in reviews.classify_many(texts, batch_size=TOGETHER)
    ]


def _classify_schema(reviews: Reviews) -> dict[str, pyarrow.DataType]:
    import pyarrow as pa

    counts = dict.fromkeys(("unknown_words", "words", "left_out"), pa.int64())
    shares = pa.struct(dict.fromkeys(reviews.labels, pa.float64()))
    return {"label": pa.string(), "probabilities": shares, **counts}


def _embed(vectors: Vectors, texts: Texts, form: str) -> Answers:
    rows = vectors.embed(["" if isinstance(text, Refused) else text for text in texts])
    unknown = Refused(0, "None of the words of the text is known")
    return [
        text if isinstance(text, Refused) else {"vector": row.tolist()} if row.any() else unknown
        for text, row in zip(texts, rows, strict=True)
    ]


def _embed_schema(vectors: Vectors) -> dict[str, pyarrow.DataType]:
    import pyarrow as pa

    return {"vector": pa.list_(pa.float32(), vectors.word_vectors.dimensions)}


def _score(writer: Writer, texts: Texts, form: str, unknown: str = "refuse") -> Answers:
    found: list[dict[str, Any] | Refused] = []
    for text in texts:
        try:
            found.append(text if isinstance(text, Refused) else writer.score(text, unknown).totals())
        except InputError as error:
            found.append(Refused(0, error.problem))
    return found


def _score_schema(writer: Writer) -> dict[str, pyarrow.DataType]:
    import pyarrow as pa

    measures = ("nats_per_character", "bits_per_character", "bits", "perplexity")
    return {**dict.fromkeys(measures, pa.float64()), "n": pa.int64()}


def _kept(check: Callable[[str], object], text: str | Refused) -> str | Refused:
    try:
        if isinstance(text, str):
            check(text)
    except InputError as error:
        return Refused(0, error.problem)
    return text


# A part takes some seconds of one core.
USES = {
    "tag": Use(_open_tagger, _tag, _tag_schema, 1 << 19, 32),
    "classify": Use(Reviews.from_preset, _classify, _classify_schema, 1 << 22, TOGETHER),
    "embed": Use(Vectors.from_preset, _embed, _embed_schema, 1 << 22, 256),
    "score": Use(Writer.from_preset, _score, _score_schema, 1 << 16),
}

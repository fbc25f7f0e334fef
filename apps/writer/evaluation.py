"""How good a writer is: its loss on text that it did not learn from, and what is stored of that."""

from __future__ import annotations

import math
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np

from apps.shared.measures import measure
from apps.writer.application import TextFiles, Writer, listed
from apps.writer.results import WriterEvaluation
from apps.writer.sources import WriterSource
from data_prep.errors import InputError
from data_prep.readers.text import read_text
from data_prep.text.streams import SPLITS, Parts, split_text
from data_prep.text.vocab import UNK
from models.char_lm.serving import LanguageModel
from models.training.task import Metrics

# A writer that learned inside the first 90 % only has not seen the last tenth either.
_UNSEEN = {"slice": ("slice", "last_tenth")}


def evaluate(writer: Writer, split: str | None = None, files: TextFiles = ()) -> WriterEvaluation:
    """Score the part that a split holds out, or other texts: every character once, the state carried through.

    Args:
        writer: The writer.
        split: Row of ``data_prep.text.streams.SPLITS``; None takes that of the training.
        files: One text or more to score instead of the text that it learned from, each from a state of zero; what the
            writer never saw is read as unknown.

    Raises:
        InputError: A text cannot be had, there is no such split, or the writer learned from characters that it would
            score.
    """
    if files:
        if split is not None or writer.text:
            raise InputError("--file excludes --split and --text", remedy="Give it alone")
        files = listed(files)
        texts = tuple(map(read_text, files))
        return scored(writer.language_model, texts, "all", ", ".join(Path(file).name for file in files))
    learned = writer.learned
    wanted = split or learned.split
    if wanted not in SPLITS:
        raise InputError("There is no such split", allowed=", ".join(SPLITS), received=wanted)
    allowed = _UNSEEN.get(learned.split, (learned.split,))
    if wanted not in allowed:
        raise InputError(
            f"The writer learned from text that the split {wanted} scores, so its loss there would flatter it",
            allowed=", ".join(allowed),
            received=wanted,
            remedy=f"Train one for that split: python -m apps writer fit --set split={wanted} --out FOLDER",
        )
    return scored(
        writer.language_model, split_text(learned.source.text, wanted).validation, wanted, learned.source.name
    )


def scored(model: LanguageModel, texts: Sequence[str], split: str, name: str) -> WriterEvaluation:
    """Score one text or more, each from a state of zero; what the model never saw is read as unknown."""
    scores = [model.score(text, unknown="map") for text in texts]
    nats = np.concatenate([score.nats for score in scores])
    characters = sum(map(len, texts))
    error = None if len(nats) < 2 else float(nats.std(ddof=1) * np.sqrt(len(nats)) / characters)
    unknown = sum(int((score.ids == UNK).sum()) for score in scores)
    return WriterEvaluation(float(nats.sum() / characters), characters, split, error, name, unknown)


def metrics_of(result: WriterEvaluation, source: WriterSource, parts: Parts, recipe: Any) -> Metrics:
    """Return the score of the held-out part as a preset stores it, in nats and in bits."""
    protocol = (
        f"{source.name}; {SPLITS[recipe.split]}; trained on {parts.train_characters:,} characters; the state "
        "is carried through, every character counts once"
    )
    if recipe.tokens != "char":
        protocol += f"; read as {recipe.tokens}s, whose spaces and unknown strings cost nothing here"
    nats = measure(
        result.nats_per_character,
        result.n,
        protocol,
        unit="nats",
        standard_error=result.standard_error,
        published=source.published if recipe.split == "last_tenth" else {},
        lower_is_better=True,
        split=recipe.split,
    )
    factor = 1.0 / math.log(2.0)
    bits = {**nats, "unit": "bits", "protocol": "the same in bits"}
    bits |= {name: nats[name] and nats[name] * factor for name in ("score", "standard_error", "baseline")}
    bits["published"] = {name: value * factor for name, value in nats["published"].items()}
    return {"nats_per_character": nats, "bits_per_character": bits}

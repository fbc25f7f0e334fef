"""What is exported of a tagger, and of a segmenter."""

from __future__ import annotations

import sys
from typing import Any

import numpy as np

from data_prep.batching import pad
from data_prep.files import toml_beside
from data_prep.text.made_texts import made_reviews, made_sentences
from data_prep.text.segmentation import character_ids
from data_prep.text.tag_inputs import FIRST_CHARACTER, TagInputs, batch_inputs
from lectern.export.written import INPUTS, Exportable


def exportable(application: Any) -> Exportable:
    """Give network, words and tags, of a ``Tagger``; or network and characters, of a ``Segmenter``."""
    return _segmenter(application) if application.kind == "segmenter" else _tagger(application)


def _tagger(tagger: Any) -> Exportable:
    config, said = tagger.config, toml_beside(__file__)
    inputs = TagInputs(tagger.vocabulary, config.word_rows, config.alphabet)
    labels: dict[str, Any] = {"upos": config.upos, "xpos": config.xpos}
    code = said["words"] + said["answer"]
    if config.output == "crf":
        labels |= {name: tagger.arrays[f"crf/{name}"].tolist() for name in ("transitions", "start", "end")}
        code = said["words"] + said["crf"] + said["answer"]
    words = {word: at for at, word in enumerate(inputs.vocabulary) if at < config.word_rows}
    characters = {character: at for at, character in enumerate(config.alphabet, FIRST_CHARACTER)}
    sentences = [[word.form for word in sentence.words] for sentence in made_sentences("train")[:INPUTS]]
    return Exportable(
        "Words of a sentence to their parts of speech",
        tagger.keras_model(),
        list(map(inputs.encode, sentences)),
        batch_inputs,
        {"vocabulary.json": {"words": words, "characters": characters}, "labels.json": labels},
        code,
    )


def _segmenter(segmenter: Any) -> Exportable:
    points = "".join(map(chr, range(sys.maxunicode + 1)))
    ids = character_ids(points.replace("\n", " "))  # the lines read a text in one line
    first = np.flatnonzero(np.diff(ids, prepend=-1))
    return Exportable(
        "Characters of a text to the ends of words and sentences",
        segmenter.keras_model(),
        [character_ids(text) for text in made_reviews(INPUTS, 1).texts],
        lambda some: {"characters": pad(some).values},
        {"vocabulary.json": [first.tolist(), ids[first].tolist()], "labels.json": list(segmenter.labels)},
        toml_beside(__file__)["segmenter"],
    )

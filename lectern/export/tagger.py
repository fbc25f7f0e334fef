"""What is exported of a tagger, and of a segmenter."""

from __future__ import annotations

from typing import Any

from data_prep.batching import pad
from data_prep.files import toml_beside
from data_prep.text.made_texts import made_reviews, made_sentences
from data_prep.text.segmentation import character_ids
from data_prep.text.tag_inputs import FIRST_CHARACTER, TagInputs, batch_inputs
from lectern.export.written import INPUTS, Exportable

_POINTS = 0x3000  # code points with an id of their own in the table


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
    table = "".join(map(chr, range(_POINTS)))
    ids = [int(character_ids(character)[0]) for character in table]
    return Exportable(
        "Characters of a text to the ends of words and sentences",
        segmenter.keras_model(),
        [character_ids(text) for text in made_reviews(INPUTS, 1).texts],
        lambda some: {"characters": pad(some).values},
        {"vocabulary.json": [*ids, 1], "labels.json": list(segmenter.labels)},
        toml_beside(__file__)["segmenter"],
    )

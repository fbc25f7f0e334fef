"""What shipped presets answer wrong, for the section "Errors" of the pages.

    python -m benchmarks.errors --task tagger            prints how many there are
    python -m benchmarks.errors --task tagger --store    keeps them for the page

Digits: the official test set, as the metrics of the presets list it. Words of the reader: fold 0, by their number,
and words of the project's pen. Tags: the dev part. Reviews: those that the recipe held out of the training half, of
each one sentence. Lines of the writer: its held-out text. To be run again when a preset's weights have changed.
"""

from __future__ import annotations

import argparse
import json
import re
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import numpy as np

from apps.digits.reports import PRESETS, mistakes
from apps.ocr.application import LETTERS_PRESET, Reader
from apps.ocr.reports import KINDS
from apps.ocr.results import LettersResult
from apps.ocr.sources import TEST_FOLD, OcrSource, letters_source, spell
from apps.reviews import application as reviews_application
from apps.reviews.application import Reviews
from apps.reviews.sources import named_source
from apps.shared.drawn_pictures import to_base64
from apps.shared.errors import Error, packed
from apps.shared.tables import Column, Rows, Table
from apps.tagger import application as tagger_application
from apps.tagger.application import Tagger
from apps.tagger.evaluation import confusions
from apps.tagger.reports import errors_of
from apps.writer import application as writer_application
from apps.writer.application import Writer
from benchmarks.harness import THREADS, Option, command, settings
from data_prep.files import write_bytes
from data_prep.readers.conllu import read_ewt
from data_prep.readers.labelled_texts import LabelledTexts
from data_prep.readers.mnist import read_mnist
from data_prep.text.text_inputs import plain

_PEN_WORDS, _SHORTEST, _LONGEST, _HANDS = (
    400,
    4,
    12,
    9,
)  # words of the pen that are read, their letters, its hands
_HELPED = 30  # words that context mends, of each bank
_MOST_CHARACTERS = 240  # of a quoted sentence
_LINES, _SHORTEST_LINE = 300, 12  # of the writer
_SENTENCE = re.compile(r"(?<=[.!?])\s+|\s*\n\s*")
_WORD = re.compile(r"[A-Za-z']+")


def digits(preset: str, images: np.ndarray) -> dict[str, Any]:
    """Collect the images that the metrics of a preset list, of the test set uint8 (n, 28, 28)."""
    n, found = mistakes(preset)
    errors = [
        Error(one.label, one.answer, _share(one.confidence), more=_picture(images, one.index))
        for one in sorted(found, key=lambda one: (-one.confidence, one.index))
    ]
    return packed(preset, n, len(errors), errors)


def _picture(images: np.ndarray, index: int) -> dict[str, Any]:
    return {"number": index, "image": to_base64(images[index])}


def tagger(preset: str) -> dict[str, Any]:
    """Tag the dev part."""
    found = errors_of(confusions(Tagger.from_preset(preset), read_ewt("dev"), None))
    return packed(preset, found.n, found.wrong, found.errors)


def ocr(preset: str, reader: Reader, source: OcrSource) -> dict[str, Any]:
    """Read the words of the test fold and words of the pen; some that context mends are kept with the errors."""
    fold = source.fold(TEST_FOLD)
    words = [("set", at, fold.images[fold.letters_of(at)], text) for at, text in enumerate(fold.texts)]
    texts = [text for text in source.texts if _SHORTEST <= len(text) <= _LONGEST][:_PEN_WORDS]
    words += [("pen", at % _HANDS, spell(text, "pen", at % _HANDS), text) for at, text in enumerate(texts)]
    errors: list[Error] = []
    for bank, number, images, text in words:
        result = reader.read_letters(images)
        if error := _word_error(result, text):
            errors.append(Error(**error, more={"bank": bank, "number": number}))
    errors.sort(key=lambda one: -one.confidence)
    helped = [one for one in errors if one.kind == KINDS["helps"]]
    wrong = [one for one in errors if one.kind != KINDS["helps"]]
    few = [one for bank in ("set", "pen") for one in [o for o in helped if o.more["bank"] == bank][:_HELPED]]
    return packed(preset, len(words), len(wrong), [*wrong, *few])


def _word_error(result: LettersResult, text: str) -> dict[str, Any]:
    """Say what is wrong of a word, with context or without, as the values of an error; empty for nothing."""
    if text == result.text == result.before:
        return {}
    kind = "helps" if text == result.text else "wrong" if text == result.before else "both"
    answer = result.before if kind == "helps" else result.text
    shares = [one.before_probability if kind == "helps" else one.probability for one in result.letters]
    confidence = max(share for share, said, right in zip(shares, answer, text, strict=True) if said != right)
    return {
        "label": text,
        "answer": answer,
        "confidence": _share(confidence),
        "length": len(text),
        "kind": KINDS[kind],
    }


def reviews(preset: str, classifier: Reviews, texts: LabelledTexts) -> dict[str, Any]:
    """Classify reviews; of each wrong one the sentence is kept that speaks most for the wrong verdict by itself."""
    errors = []
    verdicts = list(classifier.classify_many(texts.texts, unknown="answer"))
    for text, right, verdict in zip(texts.texts, texts.labels.tolist(), verdicts, strict=True):
        if verdict.label != texts.classes[right]:
            known = {"length": verdict.words, "seen": verdict.unknown_words == 0}
            sentence = _misleading(classifier, text, verdict.label)
            confidence = _share(verdict.confidence)
            errors.append(Error(texts.classes[right], verdict.label, confidence, **known, before=sentence))
    errors.sort(key=lambda one: -one.confidence)
    return packed(preset, len(texts), len(errors), errors)


def _misleading(classifier: Reviews, text: str, label: str) -> str:
    """Find the sentence of a text that speaks most for a label by itself."""
    sentences = [one.strip() for one in _SENTENCE.split(plain(text))]
    asked = [one for one in sentences if _WORD.search(one) and len(one) <= _MOST_CHARACTERS]
    verdicts = list(classifier.classify_many(asked, unknown="answer"))
    shares = [verdict.probabilities[label] for verdict in verdicts]
    return max(zip(shares, asked, strict=True), default=(0.0, ""))[1]


def held_out_reviews(classifier: Reviews) -> LabelledTexts:
    """Return the reviews that the recipe of a preset held out of the training half."""
    recipe, source = classifier.metadata["recipe"], named_source("imdb")
    return source.train.chosen(source.held_out(recipe["validation"], recipe["seed"])[1])


def writer(preset: str, model: Writer) -> dict[str, Any]:
    """Score the held-out text, and keep the lines of speech with the largest mean surprise."""
    learned = model.learned
    known, tokens = set(_WORD.findall(learned.train)), model.score(learned.held_out, unknown="map").tokens
    found = []
    for start, line in _lines(learned.held_out):
        scored = tokens[start : start + len(line)]
        nats = float(np.mean([token.nats for token in scored]))
        worst = max(range(len(line)), key=lambda at: scored[at].nats)
        likeliest = scored[worst].alternatives[0]
        error = Error(
            _sign(line[worst]),
            _sign(likeliest.token),
            _share(likeliest.probability),
            length=len(line),
            seen=known.issuperset(_WORD.findall(line)),
            before=line[:worst],
            marked=line[worst],
            after=line[worst + 1 :],
            more={"nats": round(nats, 3), "speaker": learned.held_out_place(start).speaker or ""},
        )
        found.append((nats, error))
    found.sort(key=lambda one: -one[0])
    return packed(preset, len(found), min(_LINES, len(found)), [error for _, error in found[:_LINES]])


def _lines(text: str) -> Iterator[tuple[int, str]]:
    """Give start and text of the lines of speech: headings, which end with a colon, and short ones are left out."""
    start = 0
    for line in text.split("\n"):
        if len(line) >= _SHORTEST_LINE and not line.endswith(":"):
            yield start, line
        start += len(line) + 1


def _sign(character: str) -> str:
    return {" ": "␣", "\n": "↵"}.get(character, character)


def _share(probability: float) -> float:
    return round(float(probability), 4)


def _collect(task: str) -> dict[str, Any]:
    match task:
        case "digits":
            images = read_mnist("test").images
            return {preset: digits(preset, images) for preset in PRESETS}
        case "tagger":
            return {(name := tagger_application.DEFAULT_PRESET): tagger(name)}
        case "ocr":
            reader = Reader.from_preset(LETTERS_PRESET, None)
            return {LETTERS_PRESET: ocr(LETTERS_PRESET, reader, letters_source())}
        case "reviews":
            classifier = Reviews.from_preset(name := reviews_application.DEFAULT_PRESET)
            return {name: reviews(name, classifier, held_out_reviews(classifier))}
    return {(name := writer_application.DEFAULT_PRESET): writer(name, Writer.from_preset(name))}


TASKS = ("digits", "tagger", "ocr", "reviews", "writer")
OPTIONS = {"task": Option("tagger", "whose errors are wanted", TASKS), "threads": THREADS}


def table(options: argparse.Namespace) -> Table:
    """Describe what is printed: how many errors each preset makes."""
    columns = (
        Column("wrong", "wrong", ","),
        Column("of", "n", ","),
        Column("kept", lambda row: len(row["rows"]), ","),
    )
    again = f"python -m benchmarks.errors --task {options.task} --store"
    return Table(f"errors_{options.task}", again, "preset", columns, (Rows("presets.*"),))


def run(options: argparse.Namespace) -> dict[str, Any]:
    """Collect the errors of a task."""
    return {"settings": settings(options), "presets": _collect(options.task)}


def store(path: Path, results: dict[str, Any]) -> None:
    """Write results with one error a line."""
    text = json.dumps(results, ensure_ascii=False, separators=(",", ":"))
    write_bytes(path, text.replace("],[", "],\n[").encode() + b"\n")


main: Callable[..., int] = command(__name__, __doc__, table, run, OPTIONS, store=store)

"""What exhibits of lessons show, computed from their values by the suite's own code."""

from __future__ import annotations

import re
from collections.abc import Mapping
from functools import cache
from typing import Any

import numpy as np

from apps.convolution.contraction import contract
from apps.convolution.einsum import free_tensors, read_program
from apps.convolution.numbers import read_tensor
from apps.course.answers import Choice
from apps.course.lessons import Step
from apps.course.opened import reviews, writer
from apps.laboratory.experiments import experiments, recorded
from apps.lecture.topics import ROOT
from apps.ocr.application import Reader
from apps.ocr.results import LettersResult
from apps.ocr.sources import spell
from apps.reviews.reports import NETWORKS
from apps.shared.reports import stored
from apps.shared.tables import Report, Table
from apps.tagger.application import Tagger
from apps.vectors.application import Vectors
from apps.vectors.objective import MaskedPrediction, masked_prediction
from apps.writer.explain import unrolled_steps
from apps.writer.reports import LADDER
from data_prep.images.letter_batches import letter_pictures
from data_prep.text.document_batches import PaddedBatches, padded_batches
from data_prep.text.text_inputs import keys_of

CLEAR = 0.75  # probability of a tag or verdict that a lesson speaks of, at least
Values = Mapping[str, Any]
# Not widgets of their own: chosen by the player, and boxes that an expression makes.
_UNNAMED = re.compile(r"section|preset|t_[A-Za-z]")


tagger = cache(Tagger.from_preset)
reader = cache(Reader.from_preset)


@cache
def as_trained() -> Vectors:
    return Vectors.from_preset("vectors_en_wiki_input")


@cache
def keys() -> Any:
    return Vectors.from_preset("vectors_en_wiki_output").word_vectors


def read(table: Table) -> Report:
    report = table.read()
    assert report is not None
    return report


def tags(values: Values) -> list[tuple[str, str]]:
    tokens = tagger().tag(values["text"]).tokens
    return [(token.text, token.upos) for token in tokens]


def tag_of(values: Values, word: str) -> tuple[str, ...]:
    found = [token for token in tagger().tag(values["text"]).tokens if token.text == word]
    assert min(token.probability for token in found) > CLEAR
    return tuple(token.upos for token in found)


def padded(values: Values) -> dict[str, PaddedBatches]:
    if values["documents"] == "IMDB":
        lengths = list(map(int, stored(NETWORKS.name).numbers("padding.lengths")))
    else:
        lengths = [len(keys_of(line)) + 1 for line in values["lines"].split("\n")]
    return padded_batches(lengths, values["batch"])


def contracted(values: Values) -> np.ndarray:
    program = read_program(values["e"])
    tensors = {name: read_tensor(values[f"t_{name}"], name) for name in free_tensors(program)}
    return list(contract(program, tensors).values.values())[-1]


def read_word(values: Values) -> LettersResult:
    return reader().read_letters(letter_pictures(spell(values["word"], values["bank"], values["hand"])))


def verdict(values: Values) -> str:
    found = reviews(values["preset"]).classify(values["text"])
    assert found.probabilities[found.label] > CLEAR
    return found.label


def curves(values: Values) -> dict[str, list[float]]:
    """The curve of each run of an experiment that its picture shows first."""
    curve = experiments()[values["experiment"]].curve
    found = {label: run.stories() for label, run in recorded(values["experiment"]).items()}
    return {
        label: next(story.curves[curve].values for story in stories if curve in story.curves)
        for label, stories in found.items()
    }


def masked(values: Values) -> MaskedPrediction:
    return masked_prediction(
        as_trained(),
        values["sentence"],
        values["mask"],
        window=values["window"],
        combination=values["combine"].lower(),
        unit_keys=values["keys"] == "Length 1",
        output=keys(),
    )


def unrolled(values: Values) -> tuple:
    return unrolled_steps(writer(), values["unrolled"].replace("\\n", "\n"), values["write"])


def rungs() -> dict[str, Any]:
    return {line.row["name"]: line.row for line in read(LADDER).lines}


def first(scores: Mapping[str, float], margin: float = 0.0) -> str:
    """The name of the largest score, which is larger than the others by a margin."""
    best, second = sorted(scores.values(), reverse=True)[:2]
    assert best - second > margin
    return max(scores, key=scores.get)


def shows(step: Step, shown: Any) -> bool:
    """Whether what an exhibit shows is the answer of its step."""
    kind = step.question.kind
    if not isinstance(kind, Choice):
        shown = kind.read(kind.written(shown))
    return kind.same(shown, step.question.right)


def unnamed(step: Step) -> list[str]:
    """Values of a step's exhibit that its page does not name."""
    exhibit = step.exhibit
    folder = ROOT / "apps" / exhibit.page
    source = "\n".join(path.read_text(encoding="utf-8") for path in sorted(folder.glob("page*.py")))
    return [key for key in exhibit.values if not _UNNAMED.fullmatch(key) and f'"{key}"' not in source]

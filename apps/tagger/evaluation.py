"""Scores of a tagger and of a segmenter: on gold tokens, from raw text, and how honest probabilities are.

Gold tokens: the words of the treebank are given and only tags are compared. Raw text: the text of each
document is given without any annotation, and words, sentences and tags are compared as the CoNLL 2018 shared
task does (https://universaldependencies.org/conll18/evaluation.html).
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np

from apps.shared.calibration import calibration_error, reliability
from apps.shared.measures import measure
from apps.tagger.application import Segmenter, Tagger
from apps.tagger.files import conllu_sentence
from apps.tagger.results import (
    Accuracy,
    Confusions,
    Example,
    RawTextScore,
    SegmenterEvaluation,
    TaggedSentence,
    TaggerEvaluation,
)
from apps.tagger.sources import Treebank, scored_sentences
from data_prep.errors import InputError
from data_prep.readers.conllu import UNTAGGED, UPOS_TAGS, Sentence
from data_prep.readers.treebank import TagSets
from data_prep.text.conll_score import RawTextScores, score_raw_text
from data_prep.text.segmentation import raw_text, untagged_sentences
from data_prep.text.segmentation_rules import segment_by_rules
from models.training.task import Metrics

EXAMPLES = 6  # kept for each pair of tags
_CONTEXT = 20  # words on each side of an example

Progress = Callable[[int, int], None]


def evaluate(
    tagger: Tagger, file: str | Path | None = None, *, progress: Progress | None = None
) -> TaggerEvaluation:
    """Score a tagger on a treebank, on gold tokens and from raw text.

    Args:
        tagger: The tagger.
        file: A CoNLL-U file; None takes the test part of the treebank that it learned from.
        progress: Called with sentences done and sentences in all.

    Raises:
        InputError: As :func:`apps.tagger.sources.scored_sentences`.
    """
    universal = set(tagger.predictor.upos) <= set(UPOS_TAGS)
    return score(tagger, scored_sentences(file, tagger.metadata, universal), progress=progress)


def evaluate_segmenter(segmenter: Segmenter, file: str | Path | None = None) -> SegmenterEvaluation:
    """Score a segmenter on the raw text of a treebank; arguments as those of :func:`evaluate`."""
    sentences = scored_sentences(file, segmenter.metadata, False)
    scores = score_segmentation(segmenter.segment, sentences)
    return SegmenterEvaluation(scores.words.f1, scores.sentences.f1, scores.words.gold, scores.sentences.gold)


def score(
    tagger: Tagger, sentences: Sequence[Sentence], *, progress: Progress | None = None
) -> TaggerEvaluation:
    """Score a tagger by both protocols; each sentence counts once for each in the progress."""
    total = 2 * len(sentences)
    tagged = []
    for result in tagger.tag_sentences(sentences):
        tagged.append(result)
        if progress is not None:
            progress(len(tagged), total)
    raw = _score_raw(tagger, sentences, progress)
    pairs = list(_pairs(sentences, tagged))
    both = [(getattr(word, tagger.column), token) for word, token in pairs]
    outcomes = [
        (gold == token.tag, token.probability, token.unknown) for gold, token in both if gold != UNTAGGED
    ]
    if not outcomes:
        raise InputError(f"The treebank has no {tagger.column.upper()} tags to compare with")
    right, probability, unknown = map(np.array, zip(*outcomes, strict=True))
    bins = reliability(probability, right)
    return TaggerEvaluation(
        upos=_right((word.upos, token.upos) for word, token in pairs),
        xpos=_right((word.xpos, token.xpos) for word, token in pairs),
        unknown_words=Accuracy(int(right[unknown].sum()), int(unknown.sum())),
        raw_text=raw,
        calibration_error=calibration_error(bins),
        reliability=bins,
    )


def score_segmentation(
    segment: Callable[[str], list[list[Any]]], sentences: Sequence[Sentence]
) -> RawTextScores:
    """Score the sentences and words that are found in the raw text of a treebank; scores of tags are 0."""
    text, _ = raw_text(sentences)
    return score_raw_text(sentences, untagged_sentences(text, segment(text)))


def confusions(tagger: Tagger, sentences: Sequence[Sentence]) -> Confusions:
    """Count which tag was mistaken for which, and keep the most confident errors of each kind.

    Args:
        tagger: The tagger.
        sentences: A treebank; words without a tag, or with one that the tagger does not know, do not count.

    Returns:
        The matrix and the examples.
    """
    number = {label: at for at, label in enumerate(tagger.tags)}
    counts = np.zeros((len(number), len(number)), int)
    follows = np.zeros((len(number) + 1, len(number) + 1), int)
    errors: dict[str, list[tuple[float, int, int, Example]]] = {}
    for row, (sentence, result) in enumerate(zip(sentences, tagger.tag_sentences(sentences), strict=True)):
        gold = [getattr(word, tagger.column) for word in sentence.words]
        known = [number[tag] for tag in gold if tag in number]
        np.add.at(follows, ([0, *(tag + 1 for tag in known)], [*known, len(number)]), 1)
        for at, (tag, token) in enumerate(zip(gold, result.tokens, strict=True)):
            if tag == UNTAGGED or tag not in number:
                continue
            counts[number[tag], number[token.tag]] += 1
            if tag != token.tag:
                example = _example(sentence, result, at)
                errors.setdefault(f"{tag}>{token.tag}", []).append((-token.probability, row, at, example))
    examples = {
        kind: tuple(example for *_, example in sorted(found, key=lambda one: one[:3])[:EXAMPLES])
        for kind, found in sorted(errors.items())
    }
    return Confusions(tuple(tagger.tags), _plain(counts), examples, _plain(follows))


def metrics_of(test: TaggerEvaluation, dev: Confusions, treebank: Treebank) -> Metrics:
    """Return an evaluation as a preset stores it.

    Args:
        test: Scores on the test part.
        dev: Confusions on the dev part: examples are shown to people, who should not read the test part.
        treebank: The treebank.
    """
    gold, raw = "gold tokens of the test part", "raw text of the test part, CoNLL 2018 evaluation"
    unseen = f"{gold}, words whose spelling does not occur in {treebank.trained_on}"
    return {
        "upos": _accuracy(test.upos, gold, published=treebank.published),
        "xpos": _accuracy(test.xpos, gold),
        "upos_unknown_words": _accuracy(test.unknown_words, unseen),
        **{
            f"raw_{name}": measure(getattr(test.raw_text, name), test.raw_text.words, raw)
            for name in ("words_f1", "sentences_f1", "upos_f1", "xpos_f1")
        },
        "calibration_error": measure(
            100.0 * test.calibration_error,
            sum(one.n for one in test.reliability),
            f"expected calibration error over {len(test.reliability)} equal intervals, {gold}",
            bins=[one.to_dict() for one in test.reliability],
        ),
        "upos_dev": _accuracy(
            dev.accuracy, "gold tokens of the dev part, which chose the weights", confusions=dev.to_dict()
        ),
    }


def segmenter_metrics(segmenter: Segmenter, treebank: Treebank) -> Metrics:
    """Score a segmenter on dev and test, and rules without any training beside it, as a preset stores it."""
    metrics: Metrics = {}
    for part in ("dev", "test"):
        sentences = getattr(treebank, part)
        scores = score_segmentation(segmenter.segment, sentences)
        rules = score_segmentation(segment_by_rules, sentences)
        for unit in ("words", "sentences"):
            found = getattr(scores, unit)
            protocol = (
                f"F1, raw text of the {part} part, CoNLL 2018 evaluation; baseline: rules without training"
            )
            error = (found.f1 * (100 - found.f1) / found.gold) ** 0.5
            metrics[f"{part}_{unit}_f1"] = {
                **measure(found.f1, found.gold, protocol, standard_error=error, details=found.to_dict()),
                "baseline": getattr(rules, unit).f1,
            }
    return metrics


def confusions_from(values: Mapping[str, Any]) -> Confusions:
    """Undo ``Confusions.to_dict``, as :func:`metrics_of` stores it."""
    examples = {
        kind: tuple(Example(**example) for example in found) for kind, found in values["examples"].items()
    }
    counts, followers = (tuple(map(tuple, values[name])) for name in ("counts", "followers"))
    return Confusions(tuple(values["labels"]), counts, examples, followers)


def _score_raw(tagger: Tagger, sentences: Sequence[Sentence], progress: Progress | None) -> RawTextScore:
    text, _ = raw_text(sentences)
    found, count = [], len(sentences)
    for result in tagger.stream(text):
        found.append(conllu_sentence(result))
        if progress is not None:
            progress(count + count * result.start // len(text), 2 * count)
    if progress is not None:
        progress(2 * count, 2 * count)
    scores = score_raw_text(sentences, found)
    has = TagSets(*(tags != (UNTAGGED,) for tags in (tagger.predictor.upos, tagger.predictor.xpos)))
    return RawTextScore(
        words_f1=scores.words.f1,
        sentences_f1=scores.sentences.f1,
        upos_f1=scores.upos.f1 if has.upos else None,
        xpos_f1=scores.xpos.f1 if has.xpos else None,
        words=scores.words.gold,
    )


def _pairs(sentences: Sequence[Sentence], tagged: Sequence[TaggedSentence]) -> Iterator[tuple[Any, Any]]:
    """Give each word with what it was tagged."""
    for sentence, result in zip(sentences, tagged, strict=True):
        yield from zip(sentence.words, result.tokens, strict=True)


def _right(pairs: Iterator[tuple[str, str]]) -> Accuracy:
    answers = [gold == found for gold, found in pairs if gold != UNTAGGED]
    return Accuracy(sum(answers), len(answers))


def _plain(counts: np.ndarray) -> tuple[tuple[int, ...], ...]:
    return tuple(tuple(row) for row in counts.tolist())


def _accuracy(score: Accuracy, protocol: str, **more: Any) -> dict[str, Any]:
    return measure(score.percent, score.n, protocol, standard_error=score.standard_error, **more)


def _example(sentence: Sentence, result: TaggedSentence, at: int) -> Example:
    token = result.tokens[at]
    first = result.tokens[max(0, at - _CONTEXT)]
    last = result.tokens[min(len(result.tokens), at + _CONTEXT + 1) - 1]
    text = sentence.text
    return Example(
        before=("…" if at > _CONTEXT else "") + text[first.start : token.start],
        word=text[token.start : token.end],
        after=text[token.end : last.end] + ("…" if last is not result.tokens[-1] else ""),
        probability=round(token.probability, 4),
        unknown=token.unknown,
    )

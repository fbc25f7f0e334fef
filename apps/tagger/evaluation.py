"""Scores of a tagger and of a segmenter: on gold tokens, from raw text, and how honest probabilities are.

Gold tokens: the words of the treebank are given and only tags are compared. Raw text: the text of each
document is given without any annotation, and words, sentences and tags are compared as the CoNLL 2018 shared
task does (https://universaldependencies.org/conll18/evaluation.html).
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np

from apps.shared.measures import (
    calibration_error,
    calibration_measure,
    chosen_temperature,
    measure,
    reliability,
)
from apps.tagger.application import Segmenter, Tagger
from apps.tagger.files import conllu_sentence
from apps.tagger.results import Accuracy, RawTextScore, SegmenterEvaluation, TaggedSentence, TaggerEvaluation
from apps.tagger.sources import Treebank, scored_sentences
from data_prep.errors import InputError
from data_prep.readers.conllu import UNTAGGED, UPOS_TAGS, Sentence
from data_prep.text.conll_score import RawTextScores, score_raw_text
from data_prep.text.segmentation import raw_text, untagged_sentences
from data_prep.text.segmentation_rules import segment_by_rules
from models.pos_tagger.serving import TagPredictor
from models.training.task import Metrics

EXAMPLES = 6  # kept for each pair of tags
_CONTEXT = 20  # words on each side of an example
_COLUMNS = ("upos", "xpos")

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
    report, count = progress or (lambda done, total: None), len(sentences)
    on_gold = gold_tokens(tagger, sentences, lambda done: report(done, 2 * count))
    text, found = raw_text(sentences)[0], []
    for result in tagger.stream(text):
        found.append(conllu_sentence(text, result))
        report(count + count * result.start // len(text), 2 * count)
    report(2 * count, 2 * count)
    scores = score_raw_text(sentences, found)
    tags = [
        None if getattr(tagger.predictor, column) == (UNTAGGED,) else getattr(scores, column).f1
        for column in _COLUMNS
    ]
    raw = RawTextScore(scores.words.f1, scores.sentences.f1, *tags, scores.words.gold)
    return TaggerEvaluation(**on_gold, raw_text=raw)


def gold_tokens(
    tagger: Tagger, sentences: Sequence[Sentence], progress: Callable[[int], None]
) -> dict[str, Any]:
    """Score the tags of given words: the fields of ``TaggerEvaluation`` but ``raw_text``."""
    pairs = []
    for done, (sentence, result) in enumerate(
        zip(sentences, tagger.tag_sentences(sentences), strict=True), 1
    ):
        pairs += zip(sentence.words, result.tokens, strict=True)
        progress(done)
    outcomes = {
        column: [
            (getattr(word, column) == getattr(token, column), token)
            for word, token in pairs
            if getattr(word, column) != UNTAGGED
        ]
        for column in _COLUMNS
    }
    if not outcomes[tagger.column]:
        raise InputError(f"The treebank has no {tagger.column.upper()} tags to compare with")
    right, tokens = zip(*outcomes[tagger.column], strict=True)
    bins = reliability(np.array([token.probability for token in tokens]), np.array(right))
    unknown = [one for one, token in outcomes[tagger.column] if token.unknown]
    return {
        **{column: Accuracy(sum(one for one, _ in found), len(found)) for column, found in outcomes.items()},
        "unknown_words": Accuracy(sum(unknown), len(unknown)),
        "calibration_error": calibration_error(bins),
        "reliability": bins,
    }


def score_segmentation(
    segment: Callable[[str], list[list[Any]]], sentences: Sequence[Sentence]
) -> RawTextScores:
    """Score the sentences and words that are found in the raw text of a treebank; scores of tags are 0."""
    text, _ = raw_text(sentences)
    return score_raw_text(sentences, untagged_sentences(text, segment(text)))


def confusions(tagger: Tagger, sentences: Sequence[Sentence], most: int | None = EXAMPLES) -> dict[str, Any]:
    """Count which tag was mistaken for which, and keep the most confident errors of each kind, as a preset stores it.

    At most so many of a kind are kept, None for all. Words without a tag, or with one that the tagger does not know, do
    not count.

    Returns:
        ``labels``: the tags. ``counts[g][p]``: words of gold tag g that were tagged p. ``examples``: gold tag,
        tab and answer to errors: the word, the sentence ``before`` and ``after`` it, how many words it has, the
        probability of the wrong tag, and whether the word is unknown. ``followers[a][b]``: how often gold tag b comes
        after gold tag a; the first a is the start of a sentence, the last b its end.
    """
    number = {label: at for at, label in enumerate(tagger.tags)}
    counts = np.zeros((len(number), len(number)), int)
    follows = np.zeros((len(number) + 1, len(number) + 1), int)
    errors: dict[str, list[tuple[float, dict[str, Any]]]] = {}
    for sentence, result in zip(sentences, tagger.tag_sentences(sentences), strict=True):
        gold = [getattr(word, tagger.column) for word in sentence.words]
        known = [number[tag] for tag in gold if tag in number]
        np.add.at(follows, ([0, *(tag + 1 for tag in known)], [*known, len(number)]), 1)
        for at, (tag, token) in enumerate(zip(gold, result.tokens, strict=True)):
            answer = getattr(token, tagger.column)
            if tag == UNTAGGED or tag not in number:
                continue
            counts[number[tag], number[answer]] += 1
            if tag != answer:
                error = (-token.probability, _example(sentence, result, at))
                errors.setdefault(f"{tag}\t{answer}", []).append(error)
    examples = {
        kind: [example for _, example in sorted(found, key=lambda error: error[0])[:most]]
        for kind, found in sorted(errors.items())
    }
    lists = {"counts": counts.tolist(), "followers": follows.tolist()}
    return {"labels": list(tagger.tags), "examples": examples, **lists}


def accuracies(predictor: TagPredictor, sentences: Sequence[Sentence]) -> dict[str, float]:
    """Score on given words, in percent, for choosing an epoch; 0 for a column without gold tags."""
    found = gold_tokens(Tagger(predictor, None), sentences, lambda done: None)
    names = {"dev_upos": "upos", "dev_unknown": "unknown_words", "dev_xpos": "xpos"}
    return {name: found[field].percent or 0.0 for name, field in names.items()}


def calibrated(predictor: TagPredictor, dev: Sequence[Sentence]) -> TagPredictor:
    """Fit both temperatures on dev: those with the smallest mean negative log-likelihood (Guo et al. 2017)."""
    logits = predictor.logits([sentence.forms for sentence in dev])

    def fitted(column: str) -> float:
        numbers = {tag: at for at, tag in enumerate(getattr(predictor, column))}
        right = np.array([numbers.get(getattr(word, column), -1) for one in dev for word in one.words])
        known = right >= 0
        if len(numbers) < 2 or not known.any():
            return 1.0

        def loss(temperature: float) -> float:
            found = predictor.probabilities(logits, column, temperature)
            return -float(np.log(np.maximum(found[known, right[known]], 1e-12)).mean())

        return chosen_temperature(loss)

    return predictor.with_temperatures(*map(fitted, _COLUMNS))


def metrics_of(test: TaggerEvaluation, dev: Mapping[str, Any], treebank: Treebank) -> Metrics:
    """Return scores on test and confusions on dev as a preset stores them: nobody should read examples of test."""
    gold, raw = "gold tokens of the test part", "raw text of the test part, CoNLL 2018 evaluation"
    right, words = int(np.trace(dev["counts"])), int(np.sum(dev["counts"]))
    unseen = f"{gold}, words whose spelling does not occur in {treebank.trained_on}"
    return {
        "upos": _accuracy(test.upos, gold, published=treebank.published),
        "xpos": _accuracy(test.xpos, gold),
        "upos_unknown_words": _accuracy(test.unknown_words, unseen),
        **{
            f"raw_{name}": measure(getattr(test.raw_text, name), test.raw_text.words, raw)
            for name in ("words_f1", "sentences_f1", "upos_f1", "xpos_f1")
        },
        "calibration_error": calibration_measure(test.reliability, gold),
        "upos_dev": _accuracy(
            Accuracy(right, words),
            "gold tokens of the dev part, which chose the weights",
            confusions=dict(dev),
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
            raw = f"F1, raw text of the {part} part, CoNLL 2018 evaluation"
            metrics[f"{part}_{unit}_f1"] = measure(
                found.f1,
                found.gold,
                f"{raw}; baseline: rules without training",
                standard_error=(found.f1 * (100 - found.f1) / found.gold) ** 0.5,
                details=found.to_dict(),
                baseline=getattr(rules, unit).f1,
            )
    return metrics


def _accuracy(score: Accuracy, protocol: str, **more: Any) -> dict[str, Any]:
    return measure(score.percent, score.n, protocol, standard_error=score.standard_error, **more)


def _example(sentence: Sentence, result: TaggedSentence, at: int) -> dict[str, Any]:
    """Quote a wrongly tagged word; long sentences begin and end with "…"."""
    token, text = result.tokens[at], sentence.text
    first = result.tokens[max(0, at - _CONTEXT)]
    last = result.tokens[min(len(result.tokens), at + _CONTEXT + 1) - 1]
    return {
        "before": ("…" if at > _CONTEXT else "") + text[first.start : token.start],
        "word": text[token.start : token.end],
        "after": text[token.end : last.end] + ("…" if last is not result.tokens[-1] else ""),
        "probability": round(token.probability, 4),
        "unknown": token.unknown,
        "words": len(result.tokens),
    }

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

from apps.shared.measures import calibration_error, measure, reliability
from apps.tagger.application import Segmenter, Tagger
from apps.tagger.files import conllu_sentence
from apps.tagger.results import (
    Accuracy,
    RawTextScore,
    SegmenterEvaluation,
    TaggedSentence,
    TaggerEvaluation,
)
from apps.tagger.sources import Treebank, scored_sentences
from data_prep.errors import InputError
from data_prep.readers.conllu import UNTAGGED, UPOS_TAGS, Sentence
from data_prep.text.conll_score import RawTextScores, score_raw_text
from data_prep.text.segmentation import raw_text, untagged_sentences
from data_prep.text.segmentation_rules import segment_by_rules
from models.pos_tagger.predictor import TagPredictor
from models.training.task import Metrics

EXAMPLES = 6  # kept for each pair of tags
_CONTEXT = 20  # words on each side of an example
_TEMPERATURES = (0.3, 3.0)

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
    pairs, total = [], 2 * len(sentences)
    results = tagger.tag_sentences(sentences)
    for done, (sentence, result) in enumerate(zip(sentences, results, strict=True), start=1):
        pairs += zip(sentence.words, result.tokens, strict=True)
        if progress is not None:
            progress(done, total)
    raw = _score_raw(tagger, sentences, progress)
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


def confusions(tagger: Tagger, sentences: Sequence[Sentence]) -> dict[str, Any]:
    """Count which tag was mistaken for which, and keep the most confident errors of each kind.

    Args:
        tagger: The tagger.
        sentences: A treebank; words without a tag, or with one that the tagger does not know, do not count.

    Returns:
        As a preset stores it. ``labels``: the tags. ``counts[g][p]``: words of gold tag g that were tagged p.
        ``examples``: "GOLD>PREDICTED" to a few errors: the word, the sentence ``before`` and ``after`` it, the
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
            if tag == UNTAGGED or tag not in number:
                continue
            counts[number[tag], number[token.tag]] += 1
            if tag != token.tag:
                error = (-token.probability, _example(sentence, result, at))
                errors.setdefault(f"{tag}>{token.tag}", []).append(error)
    examples = {
        kind: [example for _, example in sorted(found, key=lambda error: error[0])[:EXAMPLES]]
        for kind, found in sorted(errors.items())
    }
    lists = {"counts": counts.tolist(), "followers": follows.tolist()}
    return {"labels": list(tagger.tags), "examples": examples, **lists}


def accuracies(predictor: TagPredictor, sentences: Sequence[Sentence]) -> dict[str, float]:
    """Score on given tokens: percent with the right UPOS, with the right one of unknown words, with the right XPOS.

    Words without a gold tag do not count; 0 where none counts. Without UPOS, unknown words are scored by XPOS.
    """
    predictions = predictor.predict([sentence.forms for sentence in sentences])
    words = [word for sentence in sentences for word in sentence.words]
    unknown = np.concatenate([prediction.unknown for prediction in predictions])
    scores: dict[str, float] = {}
    for head in ("upos", "xpos"):
        tags = np.concatenate([getattr(prediction, head) for prediction in predictions])
        gold = np.array([getattr(word, head) for word in words])
        right, known = np.array(getattr(predictor, head))[tags] == gold, gold != UNTAGGED
        scores[f"dev_{head}"] = _percent(right[known])
        if known.any():
            scores.setdefault("dev_unknown", _percent(right[known & unknown]))
    return scores


def calibrated(predictor: TagPredictor, dev: Sequence[Sentence]) -> TagPredictor:
    """Fit both temperatures on dev: those with the smallest mean negative log-likelihood (Guo et al. 2017).

    Args:
        predictor: A trained tagger; its own temperatures do not matter.
        dev: Tagged sentences that training did not see.

    Returns:
        The same tagger with other temperatures.
    """
    from scipy.optimize import minimize_scalar

    words = [word for sentence in dev for word in sentence.words]
    logits = predictor.logits([sentence.forms for sentence in dev])
    bounds = tuple(np.log(_TEMPERATURES))

    def fitted(head: str) -> float:
        labels = getattr(predictor, head)
        known = [at for at, word in enumerate(words) if getattr(word, head) in labels]
        if len(labels) < 2 or not known:
            return 1.0
        right = [labels.index(getattr(words[at], head)) for at in known]

        def loss(log_temperature: float) -> float:
            found = predictor.probabilities(logits, head, float(np.exp(log_temperature)))
            return -float(np.log(np.maximum(found[known, right], 1e-12)).mean())

        return float(
            np.exp(minimize_scalar(loss, bounds=bounds, method="bounded", options={"maxiter": 15}).x)
        )

    return predictor.with_temperatures(fitted("upos"), fitted("xpos"))


def metrics_of(test: TaggerEvaluation, dev: Mapping[str, Any], treebank: Treebank) -> Metrics:
    """Return an evaluation as a preset stores it.

    Args:
        test: Scores on the test part.
        dev: Confusions on the dev part: examples are shown to people, who should not read the test part.
        treebank: The treebank.
    """
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
        "calibration_error": measure(
            100.0 * test.calibration_error,
            sum(one.n for one in test.reliability),
            f"expected calibration error over {len(test.reliability)} equal intervals, {gold}",
            bins=[one.to_dict() for one in test.reliability],
        ),
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
            protocol = (
                f"F1, raw text of the {part} part, CoNLL 2018 evaluation; baseline: rules without training"
            )
            error = (found.f1 * (100 - found.f1) / found.gold) ** 0.5
            metrics[f"{part}_{unit}_f1"] = {
                **measure(found.f1, found.gold, protocol, standard_error=error, details=found.to_dict()),
                "baseline": getattr(rules, unit).f1,
            }
    return metrics


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
    upos, xpos = (
        getattr(scores, column).f1 if getattr(tagger.predictor, column) != (UNTAGGED,) else None
        for column in ("upos", "xpos")
    )
    return RawTextScore(scores.words.f1, scores.sentences.f1, upos, xpos, scores.words.gold)


def _percent(right: np.ndarray) -> float:
    return 100.0 * float(right.mean()) if len(right) else 0.0


def _right(pairs: Iterator[tuple[str, str]]) -> Accuracy:
    answers = [gold == found for gold, found in pairs if gold != UNTAGGED]
    return Accuracy(sum(answers), len(answers))


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
    }

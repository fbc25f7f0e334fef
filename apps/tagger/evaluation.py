"""Scores of a tagger on a treebank: on gold tokens, from raw text, and how honest its probabilities are.

Gold tokens: the words of the treebank are given and only tags are compared. Raw text: the text of each
document is given without any annotation, and words, sentences and tags are compared as the CoNLL 2018 shared
task does (https://universaldependencies.org/conll18/evaluation.html).
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import TYPE_CHECKING, Any

import numpy as np

from apps.shared.calibration import calibration_error, reliability
from apps.tagger.results import (
    Accuracy,
    Confusions,
    Example,
    RawTextScore,
    TaggedSentence,
    TaggerEvaluation,
)

if TYPE_CHECKING:
    from apps.tagger.application import Tagger
    from data_prep.readers.conllu import Sentence

EXAMPLES = 6  # kept for each pair of tags
_CONTEXT = 20  # words on each side of an example

Progress = Callable[[int, int], None]


def evaluate(
    tagger: Tagger, sentences: Sequence[Sentence], *, progress: Progress | None = None
) -> TaggerEvaluation:
    """Score a tagger by both protocols.

    Args:
        tagger: The tagger.
        sentences: A tagged treebank.
        progress: Called with sentences done and sentences in all (each counts once for each protocol).

    Returns:
        The scores.
    """
    tagged = tag_gold_tokens(tagger, sentences, _part(progress, 0))
    raw = score_raw_text(tagger, sentences, _part(progress, 1))
    right, probability, unknown = _outcomes(sentences, tagged)
    fine = [
        (word.xpos, token.xpos)
        for sentence, result in zip(sentences, tagged, strict=True)
        for word, token in zip(sentence.words, result.tokens, strict=True)
        if word.xpos != "_"
    ]
    bins = reliability(probability, right)
    return TaggerEvaluation(
        upos=Accuracy(int(right.sum()), len(right)),
        xpos=Accuracy(sum(gold == found for gold, found in fine), len(fine)),
        unknown_words=Accuracy(int(right[unknown].sum()), int(unknown.sum())),
        raw_text=raw,
        calibration_error=calibration_error(bins),
        reliability=bins,
    )


def tag_gold_tokens(
    tagger: Tagger, sentences: Sequence[Sentence], progress: Progress | None = None
) -> list[TaggedSentence]:
    """Tag the words of a treebank.

    Args:
        tagger: The tagger.
        sentences: The treebank.
        progress: Called with sentences done and sentences in all.

    Returns:
        One result a sentence.
    """
    found = []
    for result in tagger.tag_sentences(sentences):
        found.append(result)
        if progress is not None:
            progress(len(found), len(sentences))
    return found


def score_raw_text(
    tagger: Tagger, sentences: Sequence[Sentence], progress: Progress | None = None
) -> RawTextScore:
    """Score words, sentences and tags that are found in the treebank's raw text.

    Args:
        tagger: The tagger.
        sentences: The treebank.
        progress: Called with sentences done and sentences in all.

    Returns:
        F1 in percent.
    """
    from data_prep.readers.conllu import Word, plain_sentence
    from data_prep.text.conll_score import score_raw_text as score
    from data_prep.text.segmentation import raw_text

    text, _ = raw_text(sentences)
    found = []
    for result in tagger.stream(text):
        words = [
            Word(token.text, token.upos, token.xpos, token.start - result.start, token.end - result.start)
            for token in result.tokens
        ]
        found.append(plain_sentence(result.text, words))
        if progress is not None:
            progress(len(sentences) * result.start // len(text), len(sentences))
    if progress is not None:
        progress(len(sentences), len(sentences))
    scores = score(sentences, found)
    return RawTextScore(
        words_f1=scores.words.f1,
        sentences_f1=scores.sentences.f1,
        upos_f1=scores.upos.f1,
        xpos_f1=scores.xpos.f1,
        words=scores.words.gold,
    )


def confusions(
    sentences: Sequence[Sentence], tagged: Sequence[TaggedSentence], labels: Sequence[str]
) -> Confusions:
    """Count which tag was taken for which, and keep the most confident errors of each kind.

    Args:
        sentences: The treebank.
        tagged: One result a sentence, of the same words.
        labels: The universal tags, in the order of the matrix.

    Returns:
        The matrix and the examples.
    """
    number = {label: at for at, label in enumerate(labels)}
    counts = np.zeros((len(labels), len(labels)), int)
    errors: dict[str, list[tuple[float, int, int]]] = {}
    for row, (sentence, result) in enumerate(zip(sentences, tagged, strict=True)):
        for at, (word, token) in enumerate(zip(sentence.words, result.tokens, strict=True)):
            counts[number[word.upos], number[token.upos]] += 1
            if word.upos != token.upos:
                kind = f"{word.upos}>{token.upos}"
                errors.setdefault(kind, []).append((-token.probability, row, at))
    examples = {
        kind: tuple(_example(sentences[row], tagged[row], at) for _, row, at in sorted(found)[:EXAMPLES])
        for kind, found in sorted(errors.items())
    }
    return Confusions(tuple(labels), _plain(counts), examples, _plain(_followers(sentences, number)))


def metrics_of(
    test: TaggerEvaluation,
    dev: Confusions,
    *,
    trained_on: str,
    published: Mapping[str, float] | None = None,
) -> dict[str, dict[str, Any]]:
    """Turn an evaluation into the metrics of a preset.

    Args:
        test: Scores on the test part.
        dev: Confusions on the dev part: examples are shown to people, who should not read the test part.
        trained_on: What the network was trained on, for the protocols.
        published: System to the UPOS accuracy on gold tokens that its authors give, percent; the best one is the
            baseline.

    Returns:
        Measure to score, protocol, number of examples, standard error and more.
    """
    gold, raw = "gold tokens of the test part", "raw text of the test part, CoNLL 2018 evaluation"
    metrics: dict[str, dict[str, Any]] = {
        "upos": _accuracy(test.upos, gold),
        "xpos": _accuracy(test.xpos, gold),
        "upos_unknown_words": _accuracy(
            test.unknown_words, f"{gold}, words whose spelling does not occur in {trained_on}"
        ),
    }
    if published:
        metrics["upos"] |= {"baseline": max(published.values()), "published": dict(published)}
    for name in ("words_f1", "sentences_f1", "upos_f1", "xpos_f1"):
        metrics[f"raw_{name}"] = {
            "score": getattr(test.raw_text, name),
            "unit": "%",
            "n": test.raw_text.words,
            "protocol": raw,
        }
    metrics["calibration_error"] = {
        "score": 100.0 * test.calibration_error,
        "unit": "%",
        "n": test.upos.n,
        "protocol": f"expected calibration error over {len(test.reliability)} equal intervals, {gold}",
        "bins": [one.to_dict() for one in test.reliability],
    }
    metrics["upos_dev"] = {
        **_accuracy(dev.accuracy, "gold tokens of the dev part, which chose the weights"),
        "confusions": dev.to_dict(),
    }
    return metrics


def confusions_from(values: Mapping[str, Any]) -> Confusions:
    """Undo ``Confusions.to_dict``, as :func:`metrics_of` stores it.

    Args:
        values: Labels, counts and examples.

    Returns:
        The confusions.
    """
    examples = {
        kind: tuple(Example(**example) for example in found) for kind, found in values["examples"].items()
    }
    return Confusions(
        tuple(values["labels"]),
        tuple(map(tuple, values["counts"])),
        examples,
        tuple(map(tuple, values["followers"])),
    )


def _followers(sentences: Sequence[Sentence], number: Mapping[str, int]) -> np.ndarray:
    """Count gold tags in a row: (start and tags, tags and end)."""
    counts = np.zeros((len(number) + 1, len(number) + 1), int)
    for sentence in sentences:
        tags = [number[word.upos] for word in sentence.words]
        np.add.at(counts, ([0, *(tag + 1 for tag in tags)], [*tags, len(number)]), 1)
    return counts


def _plain(counts: np.ndarray) -> tuple[tuple[int, ...], ...]:
    return tuple(tuple(map(int, row)) for row in counts)


def _accuracy(score: Accuracy, protocol: str) -> dict[str, Any]:
    return {
        "score": score.percent,
        "unit": "%",
        "n": score.n,
        "standard_error": score.standard_error,
        "protocol": protocol,
    }


def _outcomes(
    sentences: Sequence[Sentence], tagged: Sequence[TaggedSentence]
) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Give for every word whether its tag is right (bool), its probability, and whether it is unknown."""
    pairs = [
        (word.upos == token.upos, token.probability, token.unknown)
        for sentence, result in zip(sentences, tagged, strict=True)
        for word, token in zip(sentence.words, result.tokens, strict=True)
    ]
    right, probability, unknown = zip(*pairs, strict=True)
    return np.array(right, bool), np.array(probability), np.array(unknown, bool)


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


def _part(progress: Progress | None, part: int) -> Progress | None:
    """Make one bar of the progress of two protocols."""
    if progress is None:
        return None
    return lambda done, total: progress(part * total + done, 2 * total)

"""What a training run measures on the dev part: accuracies after each epoch, temperatures at the end."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Literal

import numpy as np

from data_prep.readers.conllu import UNTAGGED, Sentence
from models.pos_tagger.predictor import TagPredictor

_TEMPERATURES = (0.3, 3.0)


def accuracies(predictor: TagPredictor, sentences: Sequence[Sentence]) -> dict[str, float]:
    """Score on given tokens: percent with the right UPOS, with the right XPOS, and with the right one if unknown.

    Words without a gold tag do not count; 0 where there is none to count. Unknown words are scored by UPOS, or by XPOS
    where the tagger has no UPOS.
    """
    predictions = predictor.predict([sentence.forms for sentence in sentences])
    words = [word for sentence in sentences for word in sentence.words]
    unknown = np.concatenate([prediction.unknown for prediction in predictions])
    right, known = {}, {}
    for head in ("upos", "xpos"):
        tags = np.array(getattr(predictor, head))
        found = tags[np.concatenate([getattr(prediction, head) for prediction in predictions])]
        gold = np.array([getattr(word, head) for word in words])
        right[head], known[head] = found == gold, gold != UNTAGGED
    main = "xpos" if predictor.upos == (UNTAGGED,) else "upos"
    return {
        "dev_upos": _percent(right["upos"][known["upos"]]),
        "dev_unknown": _percent(right[main][known[main] & unknown]),
        "dev_xpos": _percent(right["xpos"][known["xpos"]]),
    }


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

    def fitted(head: Literal["upos", "xpos"]) -> float:
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


def _percent(right: np.ndarray) -> float:
    return 100.0 * float(right.mean()) if len(right) else 0.0

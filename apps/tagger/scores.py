"""What a training run measures on the dev part: accuracies after each epoch, temperatures at the end."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Literal

if TYPE_CHECKING:
    from data_prep.readers.conllu import Sentence
    from models.pos_tagger.predictor import TagPredictor

_TEMPERATURES = (0.3, 3.0)


def accuracies(predictor: TagPredictor, sentences: Sequence[Sentence]) -> dict[str, float]:
    """Score on given tokens: percent with the right UPOS, the same of unknown words, and of XPOS."""
    import numpy as np

    predictions = predictor.predict([sentence.forms for sentence in sentences])
    words = [word for sentence in sentences for word in sentence.words]
    upos = np.concatenate([prediction.upos for prediction in predictions])
    xpos = np.concatenate([prediction.xpos for prediction in predictions])
    unknown = np.concatenate([prediction.unknown for prediction in predictions])
    right = np.array([predictor.upos[tag] == word.upos for tag, word in zip(upos, words, strict=True)])
    fine = [predictor.xpos[tag] == word.xpos for tag, word in zip(xpos, words, strict=True)]
    return {
        "dev_upos": 100.0 * float(right.mean()),
        "dev_unknown": 100.0 * float(right[unknown].mean()) if unknown.any() else 0.0,
        "dev_xpos": 100.0 * float(np.mean(fine)),
    }


def calibrated(predictor: TagPredictor, dev: Sequence[Sentence]) -> TagPredictor:
    """Fit both temperatures on dev: those with the smallest mean negative log-likelihood (Guo et al. 2017).

    Args:
        predictor: A trained tagger; its own temperatures do not matter.
        dev: Tagged sentences that training did not see.

    Returns:
        The same tagger with other temperatures.
    """
    import numpy as np
    from scipy.optimize import minimize_scalar

    words = [word for sentence in dev for word in sentence.words]
    logits = predictor.logits([sentence.forms for sentence in dev])
    bounds = tuple(np.log(_TEMPERATURES))

    def fitted(head: Literal["upos", "xpos"], tags: Sequence[str]) -> float:
        labels = getattr(predictor, head)
        known = [at for at, tag in enumerate(tags) if tag in labels]
        right = [labels.index(tags[at]) for at in known]

        def loss(log_temperature: float) -> float:
            found = predictor.probabilities(logits, head, float(np.exp(log_temperature)))
            return -float(np.log(np.maximum(found[known, right], 1e-12)).mean())

        return float(
            np.exp(minimize_scalar(loss, bounds=bounds, method="bounded", options={"maxiter": 15}).x)
        )

    return predictor.with_temperatures(
        fitted("upos", [word.upos for word in words]), fitted("xpos", [word.xpos for word in words])
    )

"""The optimizer that all classifiers and language models share."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import keras

from models.training.schedules import warmup_then_cosine


def adamw(
    recipe: Any,
    steps: int,
    *,
    beta_2: float,
    warmup: int,
    undecayed: Sequence[str] = (),
    **clip: float,
) -> keras.optimizers.AdamW:
    """Make AdamW with warm-up, a cosine and averaged weights, as a recipe says.

    Args:
        recipe: Has ``learning_rate`` and ``weight_decay``, and may have ``final_rate`` and ``averaging``.
        steps: Of the whole training.
        beta_2: Of the second moment.
        warmup: Steps.
        undecayed: Words in the names of weights that do not decay.
        clip: ``clipnorm`` or ``global_clipnorm``.
    """
    averaging = getattr(recipe, "averaging", 0.0)
    optimizer = keras.optimizers.AdamW(
        warmup_then_cosine(recipe.learning_rate, warmup, steps, getattr(recipe, "final_rate", 0.0)),
        weight_decay=recipe.weight_decay,
        beta_2=beta_2,
        use_ema=averaging > 0,
        ema_momentum=averaging or 0.99,
        **clip,
    )
    if undecayed:
        optimizer.exclude_from_weight_decay(var_names=list(undecayed))
    return optimizer

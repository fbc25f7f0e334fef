"""The optimizers that all networks share: warm-up, a cosine, and averaged weights, as a recipe says."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any
from weakref import WeakKeyDictionary

import keras


class _OncePerGraph(keras.optimizers.schedules.CosineDecay):
    """Keras's schedule, worked out once in a step.

    Optimizers ask for the rate once or twice a variable, and each time two branches are traced: a sixth of the time
    before the first step.
    """

    def __init__(self, *arguments: Any, **settings: Any) -> None:
        super().__init__(*arguments, **settings)
        self._rates: WeakKeyDictionary[Any, Any] = WeakKeyDictionary()

    def __call__(self, step: Any) -> Any:
        graph = getattr(keras.ops.cast(step, "float32"), "graph", None)  # of TensorFlow while it traces
        if graph is None:
            return super().__call__(step)
        if graph not in self._rates:
            self._rates[graph] = super().__call__(step)
        return self._rates[graph]


def warmup_then_cosine(
    learning_rate: float, warmup: int, steps: int, final_share: float = 0.0
) -> keras.optimizers.schedules.LearningRateSchedule:
    """Rise in a straight line, in at most half of all steps, then fall along a cosine to a share of the highest rate.

    Source: Loshchilov and Hutter 2017, "SGDR".
    """
    warmup = min(warmup, steps // 2)
    return _OncePerGraph(
        learning_rate / max(1, warmup),
        max(1, steps - warmup),
        alpha=final_share,
        warmup_target=learning_rate,
        warmup_steps=warmup,
    )


def adamw(
    recipe: Any, steps: int, *, beta_2: float, undecayed: Sequence[str] = (), **clip: float
) -> keras.optimizers.AdamW:
    """Make AdamW.

    Args:
        recipe: Has ``learning_rate``, ``warmup`` (steps, or a share of them) and ``weight_decay``, and may have
            ``final_rate`` and ``averaging``.
        steps: Of the whole training.
        beta_2: Of the second moment.
        undecayed: Words in the names of weights that do not decay.
        clip: ``clipnorm`` or ``global_clipnorm``.
    """
    return _optimizer(keras.optimizers.AdamW, recipe, steps, undecayed, beta_2=beta_2, **clip)


def sgd(recipe: Any, steps: int, *, undecayed: Sequence[str] = ()) -> keras.optimizers.SGD:
    """Make SGD with Nesterov momentum 0.9; arguments as those of :func:`adamw`."""
    return _optimizer(keras.optimizers.SGD, recipe, steps, undecayed, momentum=0.9, nesterov=True)


def _optimizer(kind: Any, recipe: Any, steps: int, undecayed: Sequence[str], **own: Any) -> Any:
    averaging = getattr(recipe, "averaging", 0.0)
    warmup = recipe.warmup if isinstance(recipe.warmup, int) else round(recipe.warmup * steps)
    final = getattr(recipe, "final_rate", 0.0)
    optimizer = kind(
        warmup_then_cosine(recipe.learning_rate, warmup, steps, final),
        weight_decay=recipe.weight_decay,
        use_ema=averaging > 0,
        ema_momentum=averaging or 0.99,
        **own,
    )
    if undecayed:
        optimizer.exclude_from_weight_decay(var_names=list(undecayed))
    return optimizer

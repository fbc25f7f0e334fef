"""Learning rates along a training."""

from __future__ import annotations

import keras


def warmup_then_cosine(
    learning_rate: float, warmup: int, steps: int, final_share: float = 0.0
) -> keras.optimizers.schedules.LearningRateSchedule:
    """Rise in a straight line, then fall along a cosine (Loshchilov and Hutter 2017, "SGDR").

    Args:
        learning_rate: The highest.
        warmup: Steps of the rise, at most half of all.
        steps: Of the whole run.
        final_share: Share of the highest that is left at the end.

    Returns:
        The schedule.
    """
    warmup = min(warmup, steps // 2)
    return keras.optimizers.schedules.CosineDecay(
        learning_rate / max(1, warmup),
        max(1, steps - warmup),
        alpha=final_share,
        warmup_target=learning_rate,
        warmup_steps=warmup,
    )

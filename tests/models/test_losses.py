"""Losses."""

from __future__ import annotations

import numpy as np
import pytest
from keras import ops

from models.training.losses import masked_crossentropy


def test_loss_leaves_padding_out_and_smooths() -> None:
    logits = ops.convert_to_tensor(np.random.default_rng(0).normal(size=(2, 5, 17)).astype("float32"))
    labels = np.array([[3, 0, 16, -1, -1], [5, 5, 1, 2, -1]])
    shares = ops.convert_to_numpy(ops.log_softmax(logits))
    right = [shares[row, step, tag] for (row, step), tag in np.ndenumerate(labels) if tag >= 0]
    assert float(masked_crossentropy()(labels, logits)) == pytest.approx(-np.mean(right), rel=1e-5)
    expected = -0.9 * np.mean(right) - 0.1 * shares.mean(axis=-1)[labels >= 0].mean()
    assert float(masked_crossentropy(0.1)(labels, logits)) == pytest.approx(expected, rel=1e-5)

"""What commands measured and stored about digits: scores, depth, and the errors of the test set."""

from __future__ import annotations

import numpy as np

from apps.digits.results import Mistake
from apps.shared.drawn_pictures import from_base64
from apps.shared.errors import Error, Errors, stored_errors
from apps.shared.reports import preset_scores
from apps.shared.tables import Column, Rows, Table
from data_prep.errors import InputError
from models.digit_cnn.config import KIND, DigitCNNConfig
from models.training.recipe import from_dict

PRESETS = {"digits_mnist": "ResNet", "digits_lecture": "the lecture's network"}
DEPTHS = {"resnet": "residual", "plain": "plain"}
_PARTS = {
    "validation": "validation images, one place",
    "validation_shifts": "validation images",
    "test_shifts": "test images",
}
SCORES = Table(
    KIND,
    "python -m apps digits fit",
    "official test set of MNIST",
    (
        Column("accuracy, %", "metrics.accuracy.score", ".2f"),
        Column("standard error", "metrics.accuracy.standard_error", ".2f", optional=True),
        Column("images", "metrics.accuracy.n", ","),
        Column("parameters", lambda row: from_dict(DigitCNNConfig, row["config"]).parameters, ","),
        Column("training, minutes", "metadata.seconds/60", ".1f"),
        Column("calibration error, %", "metrics.calibration_error.score", ".2f", optional=True),
    ),
    (Rows("", "{0} (`{preset}`)", (PRESETS,)),),
    presets=tuple(PRESETS),
)
DEPTH = Table(
    "digits_depth",
    "python -m benchmarks.digits_depth --store",
    "network",
    (
        Column("parameters", "parameters", ","),
        Column("training loss", "train_loss.-1", ".5f"),
        Column("validation, %", "validation_accuracy.-1", ".2f"),
        Column("first gradient", lambda row: row.numbers("gradient_norms.first")[0], ".3g"),
        Column("last gradient", lambda row: row.numbers("gradient_norms.first")[-1], ".3g"),
    ),
    (Rows("runs.*", "{0}", (DEPTHS,)),),
    "Euclidean length of the loss's gradient with respect to the weights of each layer; first and last layer "
    "before training, with ordinary initialisation. "
    "{settings.images:,} training images; {settings.processor}.",
)
SHIFTS = Table(
    "digit_shifts",
    "python -m benchmarks.digit_shifts --test --store",
    "answers averaged over nine places",
    (
        Column("accuracy, %", "accuracy", ".2f"),
        Column("standard error", "standard_error", ".2f"),
        Column("wrong", "errors", ","),
        Column("images", "n", ","),
    ),
    (Rows("presets.*.*", "{0}: {1}", (PRESETS, _PARTS)),),
    "The image in its place and moved by a pixel each way. The validation images are moved and bent as in training, "
    "and the network learned them.",
)
_SIZE = 28


def digit_errors(preset: str) -> Errors | None:
    """Read the errors of a preset on the official test set, the most confident first; None where none are stored."""
    return stored_errors("digits", preset)


def error_image(error: Error) -> np.ndarray:
    """Return the image of an error, uint8 (28, 28)."""
    return from_base64(error.more.get("image"), _SIZE, _SIZE)


def mistakes(preset: str) -> tuple[int, list[Mistake]]:
    """Read how many test images were scored when a preset (name or folder) was made, and which it got wrong.

    Raises:
        InputError: There is no such preset, it is damaged or of another kind, or it was not scored on the test set.
    """
    found = preset_scores(preset, KIND)
    measured = found.get("metrics.accuracy", {})
    if measured.get("split") != "test" or "mistakes" not in measured:
        raise InputError(
            f"The metrics {found.file} do not list the errors of the test set",
            remedy="Make the preset with split=final",
        )
    return measured["n"], [Mistake(**one) for one in measured["mistakes"]]

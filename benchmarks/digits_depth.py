"""The same deep network with and without residual connections: both curves, and the gradient layer by layer.

    python -m benchmarks.digits_depth            20 layers and 38, minutes to an hour on two cores
    python -m benchmarks.digits_depth --store    keeps the result, and draws the picture of the documentation

After He, Zhang, Ren and Sun 2015, "Deep residual learning for image recognition", figure 6. Both networks have the same
layers, recipe, images and order; only the connections differ (and that a block with one begins by adding nothing). They
train without averaging and score the same images held out of training after every epoch; the test set is not opened.
The length of the loss's gradient by each layer's kernel is measured on the same images before and after training.
"""

from __future__ import annotations

import argparse
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from apps.digits.reports import DEPTH
from apps.digits.sources import DigitsSource, mnist_source, sample_source
from apps.digits.task import DigitsRecipe, DigitsTask, compiled_network
from apps.shared.commands import print_table
from apps.shared.reports import Stored
from benchmarks.harness import ROOT, RUNS, SAMPLE, SET, command, decided_here, folder_of, report, settings
from benchmarks.pictures import DEPTH_TITLES, depth_picture
from data_prep.files import write_json
from data_prep.images.augmentation import NO_AUGMENTATION
from data_prep.images.preparation import digit_batch
from models.digit_cnn.config import DigitCNNConfig
from models.storage.variables import assign_arrays, copy_values
from models.training.recipe import fields_of, to_dict, with_overrides
from models.training.task import Run

if TYPE_CHECKING:
    import keras

PICTURE = ROOT / "docs" / "images" / "digits-depth.svg"
OPTIONS = {"set": SET, "sample": SAMPLE, "runs": RUNS}
_GRADIENT_IMAGES = 512
_BASE = DigitsRecipe(
    split="choose",
    widths=(16, 32, 64),
    blocks=6,
    epochs=6,
    augmentation=NO_AUGMENTATION,
    learning_rate=0.003,
    label_smoothing=0.0,
    averaging=0.0,
)


def recipe_of(overrides: Sequence[str] = ()) -> DigitsRecipe:
    """Return the recipe that both networks have.

    Raises:
        InputError: An override is wrong, or of what the comparison decides.
    """
    recipe = with_overrides(_BASE, overrides)
    decided_here(recipe, _BASE, ("architecture", "split", "averaging", "keep_epochs"))
    return recipe


def run(source: DigitsSource, runs: Path, recipe: DigitsRecipe) -> dict[str, Any]:
    """Train and measure both networks.

    Args:
        source: The images.
        runs: Folder of the two runs; what is begun there is gone on with.
        recipe: Of both; the architecture is set here.

    Returns:
        Settings and runs, as ``apps.digits.reports.DEPTH`` reads them.
    """
    found = {}
    for name, title in DEPTH_TITLES.items():
        report(f"{title} ...")
        found[name] = _one(replace(recipe, architecture=name), source, runs / name)
    plain = fields_of(replace(recipe, architecture="plain"), DigitCNNConfig, classes=len(source.labels))
    return {
        "settings": settings(
            layers=plain.depth,
            images=len(source.train.labels),
            validation_images=len(source.validation.labels),
            data=dict(source.checksums),
            recipe={key: value for key, value in to_dict(recipe).items() if key != "architecture"},
        ),
        "runs": found,
    }


def _one(recipe: DigitsRecipe, source: DigitsSource, folder: Path) -> dict[str, Any]:
    import keras

    from models.training.driver import train

    config = fields_of(recipe, DigitCNNConfig, classes=len(source.labels))
    images = source.train.part(slice(_GRADIENT_IMAGES))
    keras.utils.set_random_seed(recipe.seed)
    model = compiled_network(recipe, config, 1)
    first = gradient_norms(model, images.images, images.labels)
    trained = train(DigitsTask(), recipe, source, Run(folder, resume=True))
    assign_arrays(model.weights, trained.answers.arrays)
    return {
        "parameters": config.parameters,
        "seconds": trained.seconds,
        "train_loss": [line["loss"] for line in trained.history],
        "validation_accuracy": [line["validation_accuracy"] for line in trained.history],
        "gradient_norms": {"first": first, "last": gradient_norms(model, images.images, images.labels)},
    }


def gradient_norms(model: keras.Model, images: np.ndarray, labels: np.ndarray) -> dict[str, float]:
    """Measure the length of the loss's gradient by the kernel of each layer, on one batch in training.

    Args:
        model: A compiled network; its moving statistics are put back.
        images: uint8 (n, 28, 28).
        labels: int (n,).

    Returns:
        Layer to Euclidean length, in the order of the layers; shortcuts are left out, for one network has none.
    """
    import tensorflow as tf  # gradients by weights are taken by TensorFlow's tape; Keras has no own way

    moving = model.non_trainable_variables
    before = copy_values(moving)
    layers = [layer for layer in model.layers if hasattr(layer, "kernel") and "shortcut" not in layer.name]
    with tf.GradientTape() as tape:
        logits = model(tf.constant(digit_batch(images)), training=True)
        loss = model.loss(tf.constant(labels.astype(np.int32)), logits)
    gradients = tape.gradient(loss, [layer.kernel.value for layer in layers])
    for variable, value in zip(moving, before, strict=True):
        variable.assign(value)
    return {
        layer.name: float(np.linalg.norm(np.asarray(gradient, np.float64)))
        for layer, gradient in zip(layers, gradients, strict=True)
    }


def _measured(options: argparse.Namespace) -> dict[str, Any]:
    recipe = recipe_of(options.set)
    source = sample_source(recipe.seed) if options.sample else mnist_source()
    with folder_of(options.runs) as runs:
        return run(source, runs, recipe)


def _store(path: Path, results: dict[str, Any]) -> None:
    """Write the results, and the picture of the documentation."""
    write_json(path, results)
    PICTURE.write_text(depth_picture(results), encoding="utf-8")


def show(found: Stored) -> None:
    """Print both curves and the ends of both gradients."""
    runs = [(DEPTH_TITLES[name], one) for (name,), one in found.rows("runs.*")]
    header = ["epoch", *(f"{what}{name}>" for name, _ in runs for what in ("loss, ", "validation, %, "))]
    columns = [one.numbers(path) for _, one in runs for path in ("train_loss", "validation_accuracy")]
    rows = [
        [str(epoch), *(f"{value:.4f}" for value in values)]
        for epoch, values in enumerate(zip(*columns, strict=True), start=1)
    ]
    print_table(header, rows)
    for name, one in runs:
        norms = one.numbers("gradient_norms.first")
        print(f"gradient before training, {name}: {norms[0]:.3g} (first layer) to {norms[-1]:.3g} (last)")


main = command(__name__, __doc__, DEPTH, _measured, OPTIONS, show=show, store=_store)

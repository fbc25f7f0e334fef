"""The same deep network with and without residual connections: both curves, and the gradient layer by layer.

    python -m benchmarks.digits_depth            20 layers and 38, minutes to an hour on two cores
    python -m benchmarks.digits_depth --store    keeps the result for page and documentation
    python -m benchmarks.digits_depth --gradients --store    a minute: only the gradients before training, anew

After He, Zhang, Ren and Sun 2015, "Deep residual learning for image recognition", figure 6. Both networks have the same
layers, recipe, images and order, and train without averaging; only the connections differ (and that a block with one
begins by adding nothing). The gradients before training are those of ordinary initialisation, in which such blocks add
something: with scale 0 at their ends the layers in them have no gradient at all. The test set is not opened.
"""

from __future__ import annotations

import argparse
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from apps.digits.reports import DEPTH, DEPTHS
from apps.digits.sources import DigitsSource, mnist_source, sample_source
from apps.digits.task import DigitsRecipe, DigitsTask, compiled_network
from apps.shared.reports import stored
from benchmarks.harness import RUNS, SAMPLE, SET, Option, command, decided_here, report, settings
from data_prep.errors import InputError
from data_prep.images.augmentation import NO_AUGMENTATION
from data_prep.images.preparation import digit_batch
from models.digit_cnn.config import DigitCNNConfig
from models.storage.variables import assign_arrays, copy_values
from models.training.recipe import fields_of, to_dict, with_overrides
from models.training.task import Run

if TYPE_CHECKING:
    import keras

_ANEW = Option(False, "measure only the gradients before training; the rest stays as it is stored")
OPTIONS = {"set": SET, "sample": SAMPLE, "runs": RUNS, "gradients": _ANEW}
_GRADIENT_IMAGES = 512
_BASE = DigitsRecipe(
    split="choose",
    widths=(16, 32, 64),
    blocks=6,
    epochs=6,
    augmentation=NO_AUGMENTATION,
    thickness=0.0,
    noise=0.0,
    learning_rate=0.003,
    label_smoothing=0.0,
    averaging=0.0,
)


def recipe_of(overrides: Sequence[str] = ()) -> DigitsRecipe:
    """Return the recipe that both networks have; an ``InputError`` where the comparison decides what is overridden."""
    recipe = with_overrides(_BASE, overrides)
    decided_here(recipe, _BASE, ("architecture", "split", "averaging", "keep_epochs"))
    return recipe


def run(source: DigitsSource, runs: Path, recipe: DigitsRecipe) -> dict[str, Any]:
    """Train and measure both networks in a folder of runs; what is begun there is gone on with."""
    found = {}
    for name, title in DEPTHS.items():
        report(f"{title} ...")
        found[name] = _one(replace(recipe, architecture=name), source, runs / name)
    plain = _config(replace(recipe, architecture="plain"), source)
    shared = to_dict(recipe)
    del shared["architecture"]
    sizes = {"images": len(source.train.labels), "validation_images": len(source.validation.labels)}
    facts = settings(layers=plain.depth, **sizes, data=dict(source.checksums), recipe=shared)
    return {"settings": facts, "runs": found}


def _one(recipe: DigitsRecipe, source: DigitsSource, folder: Path) -> dict[str, Any]:
    from models.training.driver import train

    config, images = _config(recipe, source), source.train.part(slice(_GRADIENT_IMAGES))
    model = ordinary_network(recipe, config)
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


def gradients_anew(source: DigitsSource, recipe: DigitsRecipe, results: dict[str, Any]) -> dict[str, Any]:
    """Measure the gradients of both networks before training, and put them into results."""
    images = source.train.part(slice(_GRADIENT_IMAGES))
    for name, found in results["runs"].items():
        one = replace(recipe, architecture=name)
        model = ordinary_network(one, _config(one, source))
        found["gradient_norms"]["first"] = gradient_norms(model, images.images, images.labels)
    return results


def _config(recipe: DigitsRecipe, source: DigitsSource) -> DigitCNNConfig:
    return fields_of(recipe, DigitCNNConfig, classes=len(source.labels))


def ordinary_network(recipe: DigitsRecipe, config: DigitCNNConfig) -> keras.Model:
    """Make a network with ordinary initialisation: every batch norm has scale 1, those that end a block too."""
    import keras

    keras.utils.set_random_seed(recipe.seed)
    model = compiled_network(recipe, config, 1)
    for layer in model.layers:
        if hasattr(layer, "gamma"):
            layer.gamma.assign(np.ones(layer.gamma.shape, np.float32))
    return model


def gradient_norms(model: keras.Model, images: np.ndarray, labels: np.ndarray) -> dict[str, float]:
    """Measure the Euclidean length of the loss's gradient by the kernel of each layer, on one batch in training.

    The images are uint8 (n, 28, 28). Moving statistics are put back; shortcuts are left out, for one network has none.
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
    if options.gradients:
        if options.set or options.sample:
            raise InputError(
                "The gradients are those of the stored networks", remedy="Leave --set and --sample out"
            )
        if (results := stored(DEPTH.name)) is None:
            raise InputError("There are no results yet", remedy="Leave --gradients out")
        return gradients_anew(source, recipe, results.values)
    return run(source, options.runs, recipe)


main = command(__name__, __doc__, DEPTH, _measured, OPTIONS)

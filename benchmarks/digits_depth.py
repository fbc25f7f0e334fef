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
import sys
import tempfile
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

from apps.shared.reports import RESULTS_DIR
from benchmarks.command import ROOT, add_output_options, carry_out, write_results
from data_prep.errors import InputError

if TYPE_CHECKING:
    import keras
    import numpy as np

    from apps.digits.sources import DigitsSource
    from apps.digits.task import DigitsRecipe

RESULTS = RESULTS_DIR / "digits_depth.json"
PICTURE = ROOT / "docs" / "images" / "digits-depth.svg"
NETWORKS = ("resnet", "plain")
TITLES = {"resnet": "with connections", "plain": "without"}
_GRADIENT_IMAGES = 512
_SET_HERE = ("architecture", "split", "averaging", "keep_epochs")


def recipe_of(overrides: Sequence[str] = ()) -> DigitsRecipe:
    """Return the recipe that both networks have.

    Raises:
        InputError: An override is wrong, or of what the comparison decides.
    """
    from apps.digits.task import DigitsRecipe
    from data_prep.images.augmentation import NO_AUGMENTATION
    from models.training.recipe import with_overrides

    base = DigitsRecipe(
        split="choose",
        widths=(16, 32, 64),
        blocks=6,
        epochs=6,
        augmentation=NO_AUGMENTATION,
        learning_rate=0.003,
        label_smoothing=0.0,
        averaging=0.0,
    )
    recipe = with_overrides(base, overrides)
    changed = [name for name in _SET_HERE if getattr(recipe, name) != getattr(base, name)]
    if changed:
        raise InputError(f"The comparison itself decides {', '.join(changed)}", remedy="Leave it out")
    return recipe


def run(source: DigitsSource, runs: Path, recipe: DigitsRecipe) -> dict[str, Any]:
    """Train and measure both networks.

    Args:
        source: The images.
        runs: Folder of the two runs; what is begun there is gone on with.
        recipe: Of both; the architecture is set here.

    Returns:
        Settings and runs, as ``apps.digits.reports.depth_report`` reads them.
    """
    from apps.digits.task import config_of
    from models.training.recipe import to_dict
    from models.training.run_folder import engine_versions, processor

    found = {}
    for name in NETWORKS:
        print(f"{TITLES[name]} ...", file=sys.stderr, flush=True)
        found[name] = _one(name, source, runs / name, recipe)
    depth = config_of(replace(recipe, architecture="plain"), len(source.labels)).depth
    return {
        "settings": {
            "layers": depth,
            "images": len(source.train.labels),
            "validation_images": len(source.validation.labels),
            "data": dict(source.checksums),
            "recipe": {key: value for key, value in to_dict(recipe).items() if key != "architecture"},
            "processor": processor(),
            "versions": engine_versions(),
        },
        "runs": found,
    }


def _one(name: str, source: DigitsSource, folder: Path, recipe: DigitsRecipe) -> dict[str, Any]:
    from apps.digits.task import compiled_network, config_of, train

    recipe = replace(recipe, architecture=name)
    config = config_of(recipe, len(source.labels))
    images = source.train.part(slice(_GRADIENT_IMAGES))
    first = gradient_norms(compiled_network(recipe, config, 1), images.images, images.labels)
    folder.mkdir(parents=True, exist_ok=True)
    trained = train(recipe, source, folder, resume=True)
    history = trained.result.history
    return {
        "parameters": config.parameters,
        "seconds": trained.result.seconds,
        "train_loss": [line["loss"] for line in history],
        "validation_accuracy": [line["validation_accuracy"] for line in history],
        "gradient_norms": {
            "first": first,
            "last": gradient_norms(trained.model, images.images, images.labels),
        },
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
    import numpy as np
    import tensorflow as tf  # gradients by weights are taken by TensorFlow's tape; Keras has no own way

    from data_prep.images.preparation import digit_batch
    from models.storage.variables import copy_values

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


def store(results: dict[str, Any]) -> None:
    """Write the results, and the picture of the documentation."""
    from benchmarks.digits_tables import depth_picture

    write_results(RESULTS, results)
    PICTURE.parent.mkdir(parents=True, exist_ok=True)
    PICTURE.write_text(depth_picture(results), encoding="utf-8")


def print_results(results: dict[str, Any]) -> None:
    """Print both curves and the ends of both gradients."""
    print("epoch\t" + "\t".join(f"loss, {TITLES[name]}\tvalidation, %" for name in NETWORKS))
    runs = [results["runs"][name] for name in NETWORKS]
    for epoch in range(len(runs[0]["train_loss"])):
        cells = [f"{one['train_loss'][epoch]:.4f}\t{one['validation_accuracy'][epoch]:.2f}" for one in runs]
        print(f"{epoch + 1}\t" + "\t".join(cells))
    for name in NETWORKS:
        norms = list(results["runs"][name]["gradient_norms"]["first"].values())
        print(
            f"gradient before training, {TITLES[name]}: {norms[0]:.3g} (first layer) to {norms[-1]:.3g} (last)"
        )


def main(arguments: Sequence[str] | None = None) -> int:
    """Run the comparison on the arguments of the command line and return the exit code."""
    parser = argparse.ArgumentParser(
        prog="python -m benchmarks.digits_depth", description=__doc__.split("\n")[0]
    )
    parser.add_argument("--set", action="append", default=[], metavar="KEY=VALUE", help="change the recipe")
    parser.add_argument("--sample", action="store_true", help="the small digits that scikit-learn carries")
    parser.add_argument("--runs", type=Path, help="folder of the two runs; kept, and gone on with")
    add_output_options(parser, RESULTS)
    options = parser.parse_args(arguments)
    return carry_out(options, lambda: _measured(options), store, print_results)


def _measured(options: argparse.Namespace) -> dict[str, Any]:
    """Run it as the command line asks for."""
    from apps.digits.sources import mnist_source, sample_source

    recipe = recipe_of(options.set)
    source = sample_source(recipe.seed) if options.sample else mnist_source()
    with tempfile.TemporaryDirectory() as temporary:
        return run(source, Path(temporary) if options.runs is None else options.runs, recipe)


if __name__ == "__main__":
    sys.exit(main())

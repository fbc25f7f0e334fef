"""Train a digit network: the recipes of the shipped presets and the path from images to a preset.

    python -m apps digits fit --out models/presets/digits_mnist
    python -m apps digits fit --architecture lecture --out models/presets/digits_lecture

The run (checkpoints) lives in ``OUT.run`` beside the preset until the preset is written. What it took and what it
reached stand in the preset's metadata and metrics. Nothing is chosen by the test set: ``--set split=choose`` trains on
less and scores what was held out of training after every epoch, and never opens the test set; the default trains on
all training images for a fixed number of epochs and scores the averaged weights on the test set, once.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import TYPE_CHECKING, Any, Literal

from data_prep.errors import InputError
from data_prep.images.augmentation import Augmentation

if TYPE_CHECKING:
    import keras
    import numpy as np

    from apps.digits.application import Digits
    from apps.digits.sources import DigitsSource
    from data_prep.images.augmentation import ImageBatches
    from models.digit_cnn.config import DigitCNNConfig
    from models.training.fit import FitResult

_STEPS_TOGETHER = 8  # steps without a return to Python
_STATISTICS_BATCHES = 16
_STATISTICS_EPOCH = 1 << 20  # whose draws no epoch of a training has


@dataclass(frozen=True)
class DigitsRecipe:
    """Everything that decides a digit network; the defaults made ``digits_mnist``.

    Args:
        architecture: One of ``models.digit_cnn.plan.ARCHITECTURES``.
        widths: Channels of each stage of ``resnet`` and ``plain``.
        blocks: Blocks in each of these stages.
        dropout: Share of the last hidden layer left out.
        augmentation: How images are changed.
        split: ``"final"`` trains on all training images and scores the test set once, ``"choose"`` holds validation
            images out, scores them after every epoch and leaves the test set alone.
        epochs: Passes over the training images.
        batch_size: Images in a step.
        optimizer: ``"sgd"`` has Nesterov momentum 0.9; its decay is added to the gradient's step as AdamW's is.
        learning_rate: The highest, after ``warmup``; it falls along a cosine to 0.
        warmup: Share of all steps.
        weight_decay: Of kernels, not of biases and batch norm.
        label_smoothing: Share of the probability spread over all classes.
        averaging: Momentum of the averaged weights, which are scored and kept; 0 for none.
        products: What the factors of products are rounded to in training; ``"auto"`` is what this processor multiplies
            fastest.
        shards: Equal parts of a batch, each with its own statistics of batch norm, whose gradients are computed side by
            side and averaged (``models.training.sharded``).
        keep_epochs: Epochs whose weights are kept beside the preset, as far as there are so many; 0 for those before
            training.
        seed: Of all draws.
    """

    architecture: Literal["lecture", "lenet5", "resnet", "plain"] = "resnet"
    widths: tuple[int, ...] = (32, 64, 96)
    blocks: int = 3
    dropout: float = 0.0
    augmentation: Augmentation = field(default_factory=Augmentation)
    split: Literal["final", "choose"] = "final"
    epochs: int = 40
    batch_size: int = 128
    optimizer: Literal["adamw", "sgd"] = "adamw"
    learning_rate: float = 0.003
    warmup: float = 0.1
    weight_decay: float = 0.05
    label_smoothing: float = 0.1
    averaging: float = 0.998
    products: Literal["auto", "float32", "bfloat16"] = "auto"
    shards: int = 2
    keep_epochs: tuple[int, ...] = ()
    seed: int = 1

    def __post_init__(self) -> None:
        """Refuse values that the network's config does not check."""
        for name in ("epochs", "batch_size", "shards"):
            if getattr(self, name) < 1:
                raise InputError(f"{name} must be at least 1", received=getattr(self, name))
        if self.batch_size % self.shards:
            raise InputError(
                "batch_size must be a multiple of shards", received=(self.batch_size, self.shards)
            )
        for name in ("label_smoothing", "averaging"):
            if not 0.0 <= getattr(self, name) < 1.0:
                raise InputError(f"{name} must be from 0 to below 1", received=getattr(self, name))
        if not 0.0 < self.learning_rate <= 1.0:
            raise InputError("learning_rate must be above 0, at most 1", received=self.learning_rate)
        if not 0.0 <= self.warmup <= 0.5:
            raise InputError("warmup is a share of the steps", allowed="0 to 0.5", received=self.warmup)
        if self.weight_decay < 0.0:
            raise InputError("weight_decay is not negative", received=self.weight_decay)
        if min(self.keep_epochs, default=0) < 0:
            raise InputError("keep_epochs are not negative", received=self.keep_epochs)


# What the lecture's network of six thousand numbers needs is less noise and more passes. Shifts are ConvNetJS' crops
# of 24x24 pixels. The epochs that are kept show how its filters come to be.
_SMALL = DigitsRecipe(
    architecture="lecture",
    augmentation=Augmentation(shift=2.0, rotation=8.0, scaling=0.08, shear=0.08, elastic=0.5),
    epochs=40,
    batch_size=64,
    learning_rate=0.006,
    weight_decay=0.001,
    label_smoothing=0.0,
    products="float32",
    keep_epochs=(0, 1, 2, 4, 10, 40),
)
RECIPES: Mapping[str, DigitsRecipe] = {
    "resnet": DigitsRecipe(),
    "plain": DigitsRecipe(architecture="plain"),
    "lecture": _SMALL,
    "lenet5": replace(_SMALL, architecture="lenet5", epochs=20, learning_rate=0.002, keep_epochs=()),
}


def sample_recipe(recipe: DigitsRecipe) -> DigitsRecipe:
    """Return a recipe for a few hundred images instead of thousands."""
    small = replace(recipe, widths=(16, 24, 32), blocks=1) if recipe.architecture == "resnet" else recipe
    return replace(small, epochs=12, batch_size=32, averaging=0.97)


@dataclass(frozen=True)
class Trained:
    """A trained digit network.

    Args:
        digits: The network with its weights as a preset stores them.
        model: The same in Keras, with its averaged weights.
        result: Epochs, seconds, history.
        learned: How many images it learned from.
        kept: Epoch to weights, for the epochs that the recipe keeps.
    """

    digits: Digits
    model: keras.Model
    result: FitResult
    learned: int
    kept: Mapping[int, Mapping[str, np.ndarray]]


def fit_digits(
    out: Path,
    overrides: Sequence[str] = (),
    *,
    folder: Path | None = None,
    architecture: str | None = None,
    resume: bool = False,
    sample: bool = False,
) -> dict[str, Any]:
    """Train a digit network and write it as a preset.

    Args:
        out: Folder of the preset to make.
        overrides: ``key=value`` for fields of :class:`DigitsRecipe`.
        folder: One's own images, one sub-folder a class; None for MNIST.
        architecture: Whose recipe is taken; that of ``resnet`` if None.
        resume: Go on with an interrupted run.
        sample: Train on the digits that scikit-learn carries, where there are no data.

    Returns:
        What was made: preset, epochs, seconds, score.

    Raises:
        InputError: The images cannot be had or are too few, an override is wrong, ``out`` exists already or cannot be
            written, or training diverges.
    """
    from apps.digits.evaluation import metrics_of, score
    from apps.digits.preset import write_preset
    from models.training.recipe import with_overrides
    from models.training.run_folder import remove_run, run_folder_of

    if folder is not None and sample:
        raise InputError("A folder and the sample exclude each other", remedy="Give one of them")
    if architecture is not None and architecture not in RECIPES:
        raise InputError("There is no such architecture", allowed=", ".join(RECIPES), received=architecture)
    recipe = RECIPES[architecture or "resnet"]
    recipe = with_overrides(sample_recipe(recipe) if sample else recipe, overrides)
    run_dir = run_folder_of(out)
    source = _source(folder, sample, recipe.seed)
    trained = train(recipe, source, run_dir, resume=resume)
    final = recipe.split == "final"
    images = source.test if final else source.validation
    result = score(trained.digits, images, "test" if final else "validation")
    summary = write_preset(out, recipe, trained, metrics_of(result, source, trained.learned), source)
    remove_run(run_dir)
    return summary


def train(recipe: DigitsRecipe, source: DigitsSource, run_dir: Path, *, resume: bool = False) -> Trained:
    """Train a network in a run folder, without scoring or keeping it.

    Args:
        recipe: All settings.
        source: The images; those for testing are not looked at.
        run_dir: Where checkpoints go.
        resume: Go on with the run that is there.

    Returns:
        The trained network.

    Raises:
        InputError: There are too few images for the recipe, or training diverges.
    """
    from apps.digits.evaluation import score
    from apps.digits.preset import KeptEpochs, stored_form
    from data_prep.images.augmentation import ImageBatches
    from models.training.fit import fit

    images = source.all_training if recipe.split == "final" else source.train
    batches = ImageBatches(
        images.images, images.labels, recipe.batch_size, recipe.augmentation, seed=recipe.seed
    )
    config = config_of(recipe, len(source.labels))
    model = compiled_network(recipe, config, len(batches))
    kept = KeptEpochs(run_dir, recipe.keep_epochs)
    kept.keep(0, model)

    def evaluate() -> dict[str, float]:
        epoch = int(model.optimizer.iterations) // len(batches)
        if recipe.split == "final" and epoch not in recipe.keep_epochs:
            return {}  # what is scored is not looked at while anything can still be chosen
        measure(model, batches)
        kept.keep(epoch, model)
        if recipe.split == "final":
            return {}
        found = score(stored_form(config, source.labels, model), source.validation, "validation")
        return {"validation_accuracy": found.accuracy}

    result = fit(
        model,
        lambda epoch: epoch_data(batches, epoch),
        epochs=recipe.epochs,
        run_dir=run_dir,
        seed=recipe.seed,
        recipe={**_plain(recipe), "images": dict(source.checksums)},
        resume=resume,
        evaluate=evaluate,
        keep_best=False,
        steps_per_epoch=len(batches),
    )
    measure(model, batches)
    digits = stored_form(config, source.labels, model)
    return Trained(digits, model, result, len(images.labels), kept.all(model))


def config_of(recipe: DigitsRecipe, classes: int) -> DigitCNNConfig:
    """Return the network's config that a recipe asks for."""
    from models.digit_cnn.config import DigitCNNConfig

    return DigitCNNConfig(
        architecture=recipe.architecture,
        classes=classes,
        widths=recipe.widths,
        blocks=recipe.blocks,
        dropout=recipe.dropout,
    )


def compiled_network(recipe: DigitsRecipe, config: DigitCNNConfig, steps_per_epoch: int) -> keras.Model:
    """Build and compile the network of a recipe."""
    import keras

    from models.digit_cnn.network import build_digit_cnn
    from models.layers.fast_lstm import fastest_products
    from models.training.losses import masked_crossentropy
    from models.training.schedules import warmup_then_cosine
    from models.training.sharded import one_core_an_operation, sharded

    one_core_an_operation()
    keras.utils.set_random_seed(recipe.seed)
    products = fastest_products() if recipe.products == "auto" else recipe.products
    model = sharded(build_digit_cnn(config, products=products), recipe.shards)
    steps = recipe.epochs * steps_per_epoch
    settings = {
        "learning_rate": warmup_then_cosine(recipe.learning_rate, round(recipe.warmup * steps), steps),
        "weight_decay": recipe.weight_decay,
        "use_ema": recipe.averaging > 0,
        "ema_momentum": recipe.averaging,
    }
    if recipe.optimizer == "sgd":
        optimizer = keras.optimizers.SGD(momentum=0.9, nesterov=True, **settings)
    else:
        optimizer = keras.optimizers.AdamW(beta_2=0.99, **settings)
    optimizer.exclude_from_weight_decay(var_names=["bias", "gamma", "beta"])
    model.compile(
        optimizer,
        loss=masked_crossentropy(recipe.label_smoothing),
        steps_per_execution=min(_STEPS_TOGETHER, steps_per_epoch),
        jit_compile=False,  # XLA's convolutions on a processor are slower than oneDNN's
    )
    return model


def epoch_data(batches: ImageBatches, epoch: int) -> Any:
    """Return the batches of an epoch in a form that the backend reads; they are made ahead on another thread."""
    from models.training.fit import training_data

    return training_data(lambda: batches.epoch(epoch), fixed_shapes=True)


def measure(model: keras.Model, batches: ImageBatches) -> None:
    """Measure the statistics of batch norm for the weights that the network now has."""
    from itertools import islice

    from models.training.batch_statistics import measure_batch_statistics

    some = islice(batches.epoch(_STATISTICS_EPOCH), _STATISTICS_BATCHES)
    measure_batch_statistics(model, (images for images, _ in some))


def _plain(recipe: DigitsRecipe) -> dict[str, Any]:
    from models.training.recipe import to_dict

    return to_dict(recipe)


def _source(folder: Path | None, sample: bool, seed: int) -> DigitsSource:
    from apps.digits.sources import folder_source, mnist_source, sample_source

    if sample:
        return sample_source(seed)
    return mnist_source() if folder is None else folder_source(folder, seed)

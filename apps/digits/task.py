"""How a digit network is trained: recipes, images, the one stage, score and preset.

    python -m apps digits fit --out models/presets/digits_mnist                          99.64 %, 100 minutes, two cores
    python -m apps digits fit --recipe distilled --out models/presets/digits_lecture    99.36 %, 29 minutes, one core

Nothing is chosen by the test set: ``--set split=choose`` trains on less and scores what was held out of training after
every epoch, and never opens the test set; the default trains on all training images for a fixed number of epochs and
scores the averaged weights on the test set, once.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from itertools import islice
from pathlib import Path
from typing import TYPE_CHECKING, Any, ClassVar, Literal, NamedTuple

from apps.digits.application import Digits
from apps.digits.epochs import KeptEpochs, Weights, epochs_file, write_epochs
from apps.digits.evaluation import evaluate, metrics_of, score
from apps.digits.sources import (
    DigitsSource,
    folder_images,
    folder_source,
    mnist_source,
    sample_images,
    sample_source,
)
from apps.digits.watch import WATCHED, seer
from apps.shared.measures import chosen_temperature, likelihood_loss
from data_prep.array_files import half_precision
from data_prep.errors import InputError
from data_prep.fields import (
    Checked,
    Count,
    Natural,
    NonNegative,
    Portion,
    Positive,
    Rate,
    Share,
    StrokeChange,
    WarmupShare,
)
from data_prep.images.augmentation import Augmentation, ImageBatches
from data_prep.images.preparation import LabelledImages, digit_batch
from models.digit_cnn.config import KIND, DigitCNNConfig
from models.digit_cnn.plan import Architecture, Pooling
from models.serving.operations import softened
from models.storage.variables import variable_arrays
from models.training.recipe import fields_of, to_dict
from models.training.task import Metrics, Option, Options, PresetContent, Run, Stage, Stages, Task
from models.training.teaching import Teaching

if TYPE_CHECKING:
    import keras

_STEPS_TOGETHER = 8  # steps without a return to Python
_STATISTICS_BATCHES = 16
_STATISTICS_EPOCH = 1 << 20  # whose draws no epoch of a training has
_GOLDEN_IMAGES = 8


@dataclass(frozen=True)
class DigitsRecipe(Checked):
    """Everything that decides a digit network; the defaults made ``digits_mnist``.

    Args:
        architecture: One of ``models.digit_cnn.plan.Architecture``.
        widths: Channels of each stage of ``resnet`` and ``plain``.
        blocks: Blocks in each of these stages.
        dropout: Share of the last hidden layer left out.
        channels: Filters of the two convolutions of ``lecture``.
        pooling: What makes the sides smaller in ``lecture``, as ``models.digit_cnn.config.DigitCNNConfig`` says.
        augmentation: How images are moved and bent.
        thickness: How far strokes are changed, as ``data_prep.images.augmentation.worn`` says.
        noise: The same for noise.
        split: ``"final"`` trains on all training images and scores the test set once, ``"choose"`` holds validation
            images out, scores them after every epoch and leaves the test set alone.
        train_images: How many of the training images are learned from, 0 for all.
        epochs: Passes over the training images.
        batch_size: Images in a step.
        optimizer: ``"sgd"`` has Nesterov momentum 0.9; its decay is added to the gradient's step as AdamW's is.
        learning_rate: The highest, after ``warmup``; it falls along a cosine to 0.
        warmup: Share of all steps.
        weight_decay: Of kernels, not of biases and batch norm.
        label_smoothing: Share of the probability spread over all classes.
        averaging: Momentum of the averaged weights, which are scored and kept; 0 for none.
        calibration: Temperature scaling: what the logits of the trained network are divided by, below 1 where it is
            less sure than it is right, as smoothed labels leave it; with ``split=choose`` the validation images choose
            it, and it is told.
        products: What the factors of products are rounded to in training; ``"auto"`` is what this processor multiplies
            fastest.
        shards: Equal parts of a batch, each with its own statistics of batch norm, whose gradients are computed side by
            side and averaged (``models.training.sharded``).
        teaching: What it learns from another network.
        keep_epochs: Epochs whose weights are kept beside the preset, as far as the training has them; 0 for those
            before training.
        seed: Of all draws.
    """

    architecture: Architecture = "resnet"
    widths: tuple[int, ...] = (32, 64, 96)
    blocks: int = 3
    dropout: float = 0.0
    channels: tuple[int, ...] = (8, 16)
    pooling: Pooling = "max"
    augmentation: Augmentation = field(default_factory=Augmentation)
    thickness: StrokeChange = 0.25
    noise: Portion = 0.4
    split: Literal["final", "choose"] = "final"
    train_images: Natural = 0
    epochs: Count = 40
    batch_size: Count = 128
    optimizer: Literal["adamw", "sgd"] = "adamw"
    learning_rate: Rate = 0.003
    warmup: WarmupShare = 0.1
    weight_decay: NonNegative = 0.05
    label_smoothing: Share = 0.1
    averaging: Share = 0.998
    calibration: Positive = 0.5
    products: Literal["auto", "float32", "bfloat16"] = "auto"
    shards: Count = 2
    teaching: Teaching = field(default_factory=Teaching)
    keep_epochs: tuple[Natural, ...] = ()
    seed: Natural = 1

    ADDED: ClassVar[Mapping[str, Any]] = {"thickness": 0.0, "noise": 0.0}

    def __post_init__(self) -> None:
        """Refuse values that do not go together."""
        super().__post_init__()
        if self.batch_size % self.shards:
            raise InputError(
                "batch_size must be a multiple of shards", received=(self.batch_size, self.shards)
            )


# What the lecture's network of six thousand numbers needs is less noise and more passes. Shifts are ConvNetJS' crops
# of 24x24 pixels. The epochs that are kept show how its filters come to be.
_SMALL = DigitsRecipe(
    architecture="lecture",
    augmentation=Augmentation(shift=2.0, rotation=8.0, scaling=0.08, shear=0.08, elastic=0.5),
    thickness=0.0,
    noise=0.0,
    epochs=40,
    batch_size=64,
    learning_rate=0.006,
    weight_decay=0.001,
    label_smoothing=0.0,
    calibration=1.0,
    products="float32",
    keep_epochs=(0, 1, 2, 4, 10, 40),
)
RECIPES: Mapping[str, DigitsRecipe] = {
    "resnet": DigitsRecipe(),
    "plain": DigitsRecipe(architecture="plain"),
    "lecture": _SMALL,
    # The same network for longer, from labels and from what the ResNet answers: it made ``digits_lecture``.
    "distilled": replace(
        _SMALL,
        epochs=60,
        calibration=0.93,
        teaching=Teaching("digits_mnist", weight=0.5, temperature=2.0, views=3),
        keep_epochs=(0, 1, 2, 4, 10, 60),
    ),
    "lenet5": replace(_SMALL, architecture="lenet5", epochs=20, learning_rate=0.002, keep_epochs=()),
    "lab": replace(
        _SMALL,
        augmentation=Augmentation(shift=1.0, rotation=0.0, scaling=0.0, shear=0.0, elastic=0.0),
        split="choose",
        epochs=3,
        batch_size=128,
        learning_rate=0.01,
        averaging=0.99,
        keep_epochs=(),
    ),
}


class _Answers(NamedTuple):
    """The network ready for use, its weights before rounding, kept epochs, images learned from, and the temperature."""

    digits: Digits
    arrays: Weights
    kept: Mapping[int, Weights]
    learned: int
    temperature: float

    def write_kept(self, folder: Path) -> None:
        """Write the kept epochs beside a preset."""
        write_epochs(epochs_file(folder), self.kept)


class DigitsTask(Task):
    """Networks for digits, or for other small images by class."""

    name = "digits"
    kind = KIND
    application = Digits
    recipes = RECIPES
    options = (
        Option(
            "folder",
            "Your own images, one sub-folder a class; else MNIST, or what the preset learned from.",
            metavar="FOLDER",
            verbs=("fit", "evaluate"),
            excludes="data",
        ),
    )
    sample_help = "the small digits that scikit-learn carries"
    watched = WATCHED

    def sample_changes(self, recipe: DigitsRecipe) -> Sequence[str]:
        """Make a recipe one for a few hundred images instead of thousands."""
        sizes = ("widths=16,24,32", "blocks=1") if recipe.architecture == "resnet" else ()
        return (*sizes, "epochs=12", "batch_size=32", "averaging=0.97")

    def read_ahead(self) -> None:
        """Prepare the sample."""
        sample_images()

    def source(self, recipe: DigitsRecipe, options: Options, run: Run) -> DigitsSource:
        """Read MNIST, a folder or the sample."""
        if options.get("sample"):
            return sample_source(recipe.seed)
        folder = options.get("folder")
        return mnist_source() if folder is None else folder_source(folder, folder_images(folder), recipe.seed)

    def stages(self, recipe: DigitsRecipe, source: DigitsSource, run: Run) -> Stages:
        """Train the network; batch norm is measured anew for the averaged weights."""
        images = _learned(recipe, source)
        held_out = len(images.labels) <= len(source.train.labels)  # validation images come last
        settings = {name: getattr(recipe, name) for name in ("augmentation", "thickness", "noise", "seed")}
        batches = ImageBatches(images, recipe.batch_size, **settings)
        config = fields_of(recipe, DigitCNNConfig, classes=len(source.labels))
        kept, epochs = KeptEpochs(run.folder, recipe.keep_epochs), batches.epoch
        if run.teacher is not None:
            run.teacher.check("labels", source.labels, run.teacher.preset.labels)
            teacher = Digits.of(run.teacher.preset).compiled()
            epochs = run.teacher.epochs(epochs, lambda: teacher.logits)

        def network() -> keras.Model:
            model = compiled_network(recipe, config, len(batches))
            kept.keep(0, model)
            return model

        def validation(model: keras.Model) -> dict[str, float]:
            epoch = int(model.optimizer.iterations) // len(batches)
            if recipe.split == "final" and epoch not in recipe.keep_epochs:
                return {}  # what is scored is not looked at while anything can still be chosen
            measure_statistics(model, batches)
            kept.keep(epoch, model)
            if recipe.split == "final":
                return {}
            digits = Digits(config, half_precision(variable_arrays(model.weights)), labels=source.labels)
            return {"validation_accuracy": score(digits, source.validation, "validation").accuracy}

        model = yield Stage(
            "",
            network,
            epochs,
            epochs=recipe.epochs,
            seed=recipe.seed,
            recipe={**to_dict(recipe), "images": dict(source.checksums)},
            evaluate=validation,
            keep="last",
            steps=len(batches),
            fixed_shapes=True,
            see=seer(config, source.labels, source.validation, held_out=held_out),
            examples=len(batches) * recipe.batch_size,
            unit="images",
        )
        measure_statistics(model, batches)
        arrays, temperature = variable_arrays(model.weights), recipe.calibration
        if recipe.split == "choose":
            temperature = _temperature(Digits(config, arrays, labels=source.labels), source.validation)
        arrays = softened(arrays, temperature)
        digits = Digits(config, half_precision(arrays), labels=source.labels)
        weights = {epoch: softened(one, temperature) for epoch, one in kept.all(model).items()}
        return _Answers(digits, arrays, weights, len(images.labels), temperature)

    def score(self, recipe: DigitsRecipe, source: DigitsSource, answers: _Answers) -> Metrics:
        """Score the test images, or those held out of training while a recipe is chosen."""
        final = recipe.split == "final"
        images = source.test if final else source.validation
        result = score(answers.digits, images, "test" if final else "validation")
        return metrics_of(result, source, answers.learned)

    def content(self, recipe: DigitsRecipe, source: DigitsSource, answers: _Answers) -> PresetContent:
        """Keep the network, and the epochs of its training in a file beside the preset."""
        config = answers.digits.config
        return PresetContent(
            config,
            answers.arrays,
            golden={"image": digit_batch(source.train.images[:_GOLDEN_IMAGES])},
            card=source.card,
            labels=source.labels,
            metadata={
                "depth": config.depth,
                "trained_parameters": config.parameters,
                "multiply_adds": config.multiply_adds,
            },
            summary={
                "architecture": config.architecture,
                "parameters": config.parameters,
                "split": recipe.split,
                "temperature": round(answers.temperature, 3),
            },
            beside=answers.write_kept if answers.kept else None,
        )

    def evaluate(self, application: Digits, options: Options) -> Any:
        """Score the official test set, or your own images."""
        return evaluate(application, options["folder"])


def _temperature(digits: Digits, images: LabelledImages) -> float:
    """Choose the temperature by images that a network did not learn from."""
    return chosen_temperature(
        likelihood_loss(digits.network.logits(digit_batch(images.images)), images.labels)
    )


def _learned(recipe: DigitsRecipe, source: DigitsSource) -> LabelledImages:
    """Return the images that a recipe learns from."""
    images = source.all_training if recipe.split == "final" else source.train
    if recipe.train_images > len(images.labels):
        raise InputError(
            "train_images is more than there are",
            allowed=f"0 to {len(images.labels)}",
            received=recipe.train_images,
        )
    return images.part(slice(recipe.train_images or None))


def compiled_network(recipe: DigitsRecipe, config: DigitCNNConfig, steps_per_epoch: int) -> keras.Model:
    """Build and compile the network of a recipe."""
    from models.digit_cnn.network import build_digit_cnn
    from models.layers.fast_lstm import chosen_products
    from models.training.losses import masked_crossentropy
    from models.training.optimizers import adamw, sgd
    from models.training.sharded import one_core_an_operation, sharded

    one_core_an_operation()
    model = sharded(build_digit_cnn(config, products=chosen_products(recipe.products)), recipe.shards)
    steps = recipe.epochs * steps_per_epoch
    undecayed = ("bias", "gamma", "beta")
    if recipe.optimizer == "sgd":
        optimizer = sgd(recipe, steps, undecayed=undecayed)
    else:
        optimizer = adamw(recipe, steps, beta_2=0.99, undecayed=undecayed)
    model.compile(
        optimizer,
        loss=masked_crossentropy(recipe.label_smoothing),
        steps_per_execution=min(_STEPS_TOGETHER, steps_per_epoch),
        jit_compile=False,  # XLA's convolutions on a processor are slower than oneDNN's
    )
    return model


def measure_statistics(model: keras.Model, batches: ImageBatches) -> None:
    """Measure the statistics of batch norm for the weights that the network now has."""
    from models.training.averaging import measure_batch_statistics

    some = islice(batches.epoch(_STATISTICS_EPOCH), _STATISTICS_BATCHES)
    measure_batch_statistics(model, (images for images, _ in some))

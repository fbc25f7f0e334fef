"""apps/flowers/task.py: how it is trained, scored and kept; the driver does the rest."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np

from apps.shared.measures import measure
from data_prep.array_files import half_precision
from data_prep.fields import Checked, Count, Rate
from data_prep.splits import split
from models.presets.card import CardText
from models.storage.variables import variable_arrays
from models.training.recipe import fields_of
from models.training.task import Metrics, Options, PresetContent, Run, Stage, Stages, Task
from tests.example.application import Flowers, FlowerScore
from tests.example.config import FlowerConfig

CARD = CardText(
    "Irises", "Species of irises.", "150 irises (Fisher 1936).", "Free.", "Examples.", "Irises only."
)


@dataclass(frozen=True)
class FlowersRecipe(Checked):
    """Everything that decides the network."""

    units: Count = 8
    epochs: Count = 40
    batch_size: Count = 10
    learning_rate: Rate = 0.02
    seed: int = 1


class Source(NamedTuple):
    """Measures float32 (150, 4) and species, with the places of each part."""

    measures: np.ndarray
    species: np.ndarray
    labels: tuple[str, ...]
    parts: dict[str, np.ndarray]
    checksums: dict[str, str]


class FlowersTask(Task):
    """The species of irises."""

    name = "flowers"
    kind = Flowers.kind
    application = Flowers
    recipes: Mapping[str, FlowersRecipe] = {"default": FlowersRecipe()}

    def source(self, recipe: FlowersRecipe, options: Options, run: Run) -> Source:
        """Return the irises of scikit-learn, a fifth of them for the test."""
        from sklearn.datasets import load_iris

        found = load_iris()
        parts = split(len(found.target), {"train": 0.8, "test": 0.2}, recipe.seed)
        labels = tuple(map(str, found.target_names))
        return Source(found.data.astype(np.float32), found.target, labels, parts, {"iris": "scikit-learn"})

    def stages(self, recipe: FlowersRecipe, source: Source, run: Run) -> Stages:
        """Train the one network."""
        config = fields_of(recipe, FlowerConfig, classes=len(source.labels))
        train = source.parts["train"]

        def network() -> Any:
            import keras

            from tests.example.network import build_flower_network

            model = build_flower_network(config)
            loss = keras.losses.SparseCategoricalCrossentropy(from_logits=True)
            model.compile(keras.optimizers.Adam(recipe.learning_rate), loss)
            return model

        def batches(epoch: int) -> Iterator[tuple[np.ndarray, np.ndarray]]:
            order = np.random.default_rng([recipe.seed, epoch]).permutation(train)
            for start in range(0, len(order), recipe.batch_size):
                rows = order[start : start + recipe.batch_size]
                yield source.measures[rows], source.species[rows]

        model = yield Stage("", network, batches, recipe.epochs, recipe.seed, recipe, keep="last")
        return Flowers(config, half_precision(variable_arrays(model.weights)), labels=source.labels)

    def score(self, recipe: FlowersRecipe, source: Source, answers: Flowers) -> Metrics:
        """Score the flowers that were left out, once."""
        found = self._test_score(source, answers)
        protocol = "a fifth of the irises, drawn at random"
        return {"accuracy": measure(found.accuracy, found.n, protocol, standard_error=found.standard_error)}

    def content(self, recipe: FlowersRecipe, source: Source, answers: Flowers) -> PresetContent:
        """Keep config, weights, labels and an example."""
        golden = {"measures": source.measures[:3]}
        return PresetContent(answers.config, answers.arrays, golden, CARD, labels=source.labels)

    def evaluate(self, application: Flowers, options: Options) -> FlowerScore:
        """Score the flowers that the preset did not learn from."""
        recipe = FlowersRecipe(**application.metadata["recipe"])
        return self._test_score(self.source(recipe, options, Run(Path())), application)

    def _test_score(self, source: Source, flowers: Flowers) -> FlowerScore:
        test = source.parts["test"]
        return flowers.score(source.measures[test], source.species[test])
